"""Suggestions applied to a table or a folder."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

SUSPECTS = 'row,given,suggested,probability,rank,why\n2,b,a,0.9,1,"so, so"\n4,a,c,0.6,2,x\n'


@pytest.fixture
def files(tmp_path):
    (tmp_path / "t.csv").write_text('id,label,note\n007, a ,NA\n08,b,\n09,b,"x, y"\n10,a,\n11,c,\n')
    (tmp_path / "s.csv").write_text(SUSPECTS)
    return tmp_path


def apply(run, files, train="t.csv", suspects="s.csv", output="o.csv", label="label"):
    words = ["relabel", "--train", files / train, "--suspects", files / suspects, "--output", files / output]
    return run(*words, *(["--label", label] if label else []))


def refused(run, files, **options) -> str:
    code, shown = apply(run, files, **options)
    assert code == 2
    assert shown.count("Error: ") == 1
    assert "Traceback" not in shown
    assert not (files / options.get("output", "o.csv")).exists()
    return shown


def labels(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False).label.tolist()


def test_suggestions_are_applied_and_other_cells_stay(run, files):
    code, shown = apply(run, files)
    assert code == 0, shown
    assert "2 of 5 labels changed" in shown
    assert (files / "o.csv").read_text() == 'id,label,note\n007, a ,NA\n08, a ,\n09,b,"x, y"\n10,c,\n11,c,\n'


def test_a_journal_says_what_was_changed_and_why(run, files):
    (files / "s.csv").write_text(SUSPECTS + "5,c,c,0.2,3,y\n1,a,b,0.1,4,z\n")
    code, shown = apply(run, files)
    assert code == 0, shown
    assert f"each change is in {files / 'o.journal.csv'}" in shown
    journal = pd.read_csv(files / "o.journal.csv", dtype=str)
    assert journal.columns.tolist() == ["row", "before", "after", "suspect", "probability", "why"]
    assert journal.drop(columns="probability").to_numpy().tolist() == [
        ["1", "a", "b", "4", "z"], ["2", "b", "a", "1", "so, so"], ["4", "a", "c", "2", "x"],
    ]  # fmt: skip


def test_a_journal_of_no_change_has_its_header(run, files):
    (files / "s.csv").write_text("row,given,suggested\n2,b,b\n")
    apply(run, files)
    assert (files / "o.journal.csv").read_text() == "row,before,after,suspect\n"


def test_a_journal_overwrites_no_file_that_is_read(run, files):
    (files / "s.csv").rename(files / "o.journal.csv")
    assert "its journal would overwrite" in refused(run, files, suspects="o.journal.csv")


def test_rows_taken_out_stay_as_given_and_suggestions_may_be_edited(run, files):
    (files / "s.csv").write_text("row,given,suggested\n4,a,new\n")
    code, shown = apply(run, files)
    assert code == 0, shown
    assert labels(files / "o.csv") == [" a ", "b", "b", "new", "c"]


def test_a_table_without_a_suspect_changes_nothing(run, files):
    (files / "s.csv").write_text("row,given,suggested,probability,rank,why\n")
    code, shown = apply(run, files)
    assert code == 0, shown
    assert "0 of 5 labels changed" in shown


def test_suspects_are_utf_8_also_where_the_table_is_not(run, files):
    (files / "t.csv").write_bytes("label\nété\nhiver\n".encode("cp1252"))
    for charset in ("utf-8", "cp1252"):  # as they were written, and as they were edited
        (files / "s.csv").write_bytes("row,given,suggested\n1,été,hiver\n2,hiver,été\n".encode(charset))
        words = ["relabel", "--train", files / "t.csv", "--suspects", files / "s.csv", "--output", files / "o.csv"]
        code, shown = run(*words, "--label", "label", "--charset", "cp1252")
        assert code == 0, shown
        assert labels(files / "o.csv") == ["hiver", "été"]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_labels_keep_their_type(run, files, kind):
    table = pd.DataFrame({"text": list("stuv"), "label": [0, 1, 1, 0]})
    (files / "s.csv").write_text("row,given,suggested\n2,1,0\n4,0,2\n")
    if kind == "parquet":
        table.to_parquet(files / "t.parquet")
    else:
        table.to_json(files / "t.jsonl", orient="records", lines=True)
    code, shown = apply(run, files, train=f"t.{kind}", output=f"o.{kind}")
    assert code == 0, shown
    read = pd.read_parquet if kind == "parquet" else lambda path: pd.read_json(path, lines=True)
    found = read(files / f"o.{kind}")
    assert found.label.tolist() == [0, 0, 1, 2]
    assert found.label.dtype == table.label.dtype


def test_labels_of_another_type_make_a_column_of_text(run, files):
    pd.DataFrame({"label": [0, 1, 1, 0]}).to_parquet(files / "t.parquet")
    (files / "s.csv").write_text("row,given,suggested\n2,1,two\n")
    code, shown = apply(run, files, train="t.parquet", output="o.parquet")
    assert code == 0, shown
    assert pd.read_parquet(files / "o.parquet").label.tolist() == ["0", "two", "1", "0"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("6,c,a", "s.csv, row 1, column 'row': {}/t.csv has no row 6, only 5"),
        ("0,c,a", "s.csv, row 1, column 'row': {}/t.csv has no row 0, only 5"),
        ("-1,c,a", "s.csv, row 1, column 'row': not the number of a row but '-1'"),
        ("x,c,a", "s.csv, row 1, column 'row': not the number of a row but 'x'"),
        (",c,a", "s.csv, row 1, column 'row': not the number of a row but ''"),
        ("2,c,a", "t.csv, row 2, column 'label': the label is 'b', but 'c' was given by {}/s.csv, row 1"),
        ("2,b,", "s.csv, row 1, column 'suggested': no label"),
        ("2,b,a\n2,b,c", "s.csv, row 2, column 'row': row 2 is there twice"),
    ],
)
def test_a_line_that_does_not_fit_is_named(run, files, line, message):
    (files / "s.csv").write_text(f"row,given,suggested\n{line}\n")
    assert message.format(files) in refused(run, files)


def test_missing_files_columns_and_options_are_named(run, files):
    assert "nowhere.csv: no such file" in refused(run, files, suspects="nowhere.csv")
    assert "nowhere.csv: no such file" in refused(run, files, train="nowhere.csv")
    assert "t.csv: no column 'tag'" in refused(run, files, label="tag")
    assert "--label must be given" in refused(run, files, label=None)
    assert "s.csv: no column 'row'" in refused(run, files, suspects="t.csv").replace("t.csv: no", "s.csv: no")
    assert "must end in one of" in refused(run, files, output="o.ods")
    (files / "s.csv").write_text("")
    assert "s.csv: the file is empty" in refused(run, files)


@pytest.fixture
def folder(tmp_path, squares, png):
    drawn = squares(4, 0)
    for i, pixels in enumerate(drawn.pixels):
        within = tmp_path / "pets" / ("red", "blue")[drawn.y[i]]
        within.mkdir(parents=True, exist_ok=True)
        (within / f"{i}.png").write_bytes(png(pixels))
    return tmp_path


def test_of_a_folder_a_table_of_paths_and_labels_is_written(run, folder):
    (folder / "s.csv").write_text("row,file,given,suggested\n3,red/0.png,red,blue\n")
    code, shown = apply(run, folder, train="pets", label=None)
    assert code == 0, shown
    assert (folder / "o.csv").read_text() == (
        "image,label\npets/blue/1.png,blue\npets/blue/3.png,blue\npets/red/0.png,blue\npets/red/2.png,red\n"
    )


def test_a_folder_that_has_changed_is_refused(run, folder):
    (folder / "s.csv").write_text("row,file,given,suggested\n3,red/00.png,red,blue\n")
    message = refused(run, folder, train="pets", label=None)
    assert "image 3: it is red/0.png, but red/00.png in" in message
    (folder / "s.csv").write_text("row,given,suggested\n3,blue,red\n")
    assert "image 3: the label is 'red', but 'blue' was given" in refused(run, folder, train="pets", label=None)


@pytest.mark.parametrize(
    ("cells", "suggested"),
    [([True, False, True], "unknown"), (pd.Categorical(["a", "b", "a"]), "c"), (np.array([1, 2, 1], np.int8), "300")],
)
def test_what_a_typed_column_cannot_hold_is_kept_as_text(run, files, cells, suggested):
    table = pd.DataFrame({"label": cells})
    table.to_parquet(files / "t.parquet")
    names = [str(v) for v in table.label]
    (files / "s.csv").write_text(f"row,given,suggested\n2,{names[1]},{suggested}\n")
    code, shown = apply(run, files, train="t.parquet", output="o.parquet")
    assert code == 0, shown
    assert [str(v) for v in pd.read_parquet(files / "o.parquet").label] == [names[0], suggested, names[2]]
    assert f"No row had these labels before: {suggested}." in shown


def test_rows_that_a_spreadsheet_has_emptied_are_passed_over(run, files):
    (files / "s.csv").write_text("row,given,suggested\n4,a,b\n,,\n")
    code, shown = apply(run, files)
    assert code == 0, shown
    assert "No row had" not in shown
