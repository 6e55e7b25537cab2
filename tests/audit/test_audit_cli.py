"""``tutelage audit``, from the files to the suspects, the page and the errors."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from tutelage.audit import run as audit_run
from tutelage.distil.noise import corrupt, symmetric

COLUMNS = ["row", "given", "suggested", "probability", "rank", "why"]


def suspects(folder) -> pd.DataFrame:
    return pd.read_csv(folder / "suspects.csv", dtype={"given": str, "suggested": str}, keep_default_na=False)


def refused(run, out, *words) -> str:
    code, shown = run("audit", *words, "--out", out)
    assert code == 2, shown
    assert "Traceback" not in shown
    assert shown.count("Error: ") == 1, shown
    assert shown.splitlines()[-1].startswith("Error: ")
    assert not (out / "suspects.csv").exists()
    return shown.splitlines()[-1]


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A table of digits, a fifth of the labels wrong, with the right ones beside them."""
    x, y = load_digits(return_X_y=True)
    x, y = x[:500], y[:500]
    folder, given = tmp_path_factory.mktemp("digits"), corrupt(y, symmetric(10, 0.2), seed=0)
    table = pd.DataFrame(x, columns=[f"pixel{i}" for i in range(64)]).assign(label=given, right=y)
    table.to_csv(folder / "wide.csv", index=False)
    lists = pd.DataFrame({"x": list(x), "label": given, "right": y})
    lists.to_parquet(folder / "lists.parquet")
    lists.assign(x=[v.tolist() for v in x]).to_json(folder / "lists.jsonl", orient="records", lines=True)
    return folder


WIDE = ("--features", "pixel", "--label", "label")


def test_the_file_carries_the_text_and_the_page_says_what_to_expect(run, texts, tmp_path):
    table = texts.pool.copy()
    table.loc[[3, 8, 20], "label"] = table.label[[3, 8, 20]].map({"food": "sport", "sport": "food"})
    table.to_csv(tmp_path / "t.csv", index=False)
    words = ("--text", "text", "--label", "label", "--encoder", "lexical", "--least", "0")
    code, shown = run("audit", "--train", tmp_path / "t.csv", *words, "--out", tmp_path / "out")
    assert code == 0, shown
    found = suspects(tmp_path / "out")
    assert list(found.columns) == ["row", "text", *COLUMNS[1:]]
    assert found.text.tolist() == table.text.to_numpy()[found.row - 1].tolist()
    summary = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert summary["suspects_expected"] == pytest.approx(found.probability.sum(), abs=0.01)
    wrong = round(summary["suspects_expected"])
    assert f"expect about {wrong} of them to be wrong and {60 - wrong} to be right" in shown
    page = (tmp_path / "out" / "audit.html").read_text()
    assert f"expect about {wrong} of them to be wrong and {60 - wrong} to be right" in page
    assert "td, tbody th { overflow-wrap: break-word; }" in page  # labels are not torn, long words of a text are
    assert '<td class="label">' in page and '<td class="long"><div dir="auto" lang="">' in page
    code, out = run("audit", "--train", tmp_path / "t.csv", *words, "--out", tmp_path / "again", "--json", "--quiet")
    assert code == 0
    assert json.loads(out)["suspects"] == 60


def test_wrong_digits_are_found_listed_and_set_right(run, digits, tmp_path):
    out = tmp_path / "out"
    code, shown = run("audit", "--train", digits / "wide.csv", *WIDE, "--truth", "right", "--out", out)
    assert code == 0, shown
    assert "Warning" not in shown
    table, found = pd.read_csv(digits / "wide.csv", dtype=str), suspects(out)
    assert list(found.columns) == COLUMNS
    assert found["rank"].tolist() == list(range(1, len(found) + 1))
    assert (found.probability.diff().dropna() <= 0).all()
    assert found.probability.between(0.05, 1).all()
    here = table.iloc[found.row - 1]  # rows are counted from 1, the header not
    assert here.label.tolist() == found.given.tolist()
    assert (here.right.to_numpy() == found.suggested.to_numpy()).mean() > 0.9
    assert {p.name for p in out.iterdir()} == {"suspects.csv", "audit.html", "audit.json"}
    code, shown = run(
        "relabel", "--train", digits / "wide.csv", "--label", "label", "--suspects", out / "suspects.csv",
        "--output", tmp_path / "mended.csv",
    )  # fmt: skip
    assert code == 0, shown
    mended = pd.read_csv(tmp_path / "mended.csv", dtype=str)
    assert (mended.label == mended.right).mean() > 0.95
    assert (table.label == table.right).mean() < 0.85
    pd.testing.assert_frame_equal(mended.drop(columns="label"), table.drop(columns="label"))


def test_the_json_says_what_was_done_and_how_good_it_is(run, digits, tmp_path):
    out = tmp_path / "out"
    code, shown = run("audit", "--train", digits / "wide.csv", *WIDE, "--truth", "right", "--out", out)
    assert code == 0, shown
    found, table = json.loads((out / "audit.json").read_text()), pd.read_csv(digits / "wide.csv")
    wrong = (table.label != table.right).to_numpy()
    assert (found["audited"], found["classes"]) == (500, [str(i) for i in range(10)])
    assert found["noise_rate"] == pytest.approx(wrong.mean(), abs=0.04)
    assert np.asarray(found["transition"]).shape == (10, 10)
    assert found["truth"]["wrong"] == wrong.sum()
    listed = suspects(out)
    assert found["suspects"] == len(listed)
    assert listed.probability.min() >= 0.05
    likely = listed[listed.probability >= 0.5].row.to_numpy() - 1
    assert found["likely_wrong"] == found["truth"]["likely"] == len(likely) < len(listed)
    assert found["truth"]["precision"] == pytest.approx(wrong[likely].mean())
    assert found["truth"]["recall"] == pytest.approx(wrong[likely].sum() / wrong.sum())
    assert found["truth"]["average_precision"] > 0.95
    assert found["settings"]["least"] == 0.05
    assert found["seconds"] > 0
    assert f"average precision {100 * found['truth']['average_precision']:.1f} %" in shown


@pytest.mark.parametrize("name", ["lists.parquet", "lists.jsonl"])
def test_lists_in_other_files_give_the_same_audit(run, digits, tmp_path, name):
    run("audit", "--train", digits / "wide.csv", *WIDE, "--out", tmp_path / "wide")
    code, shown = run("audit", "--train", digits / name, "--features", "x", "--label", "label", "--out", tmp_path / "o")
    assert code == 0, shown
    pd.testing.assert_frame_equal(suspects(tmp_path / "o"), suspects(tmp_path / "wide"))


def test_least_0_lists_every_row(run, digits, tmp_path):
    code, shown = run("audit", "--train", digits / "wide.csv", *WIDE, "--least", "0", "--out", tmp_path / "o")
    assert code == 0, shown
    found = suspects(tmp_path / "o")
    assert sorted(found.row) == list(range(1, 501))
    last = found.iloc[-1]
    assert last.suggested == last.given  # what is likely right is left alone by relabel
    assert last.why.startswith(f"given {last.given} (")


def of_texts(folder, encoder, **changes):
    options = {"train": folder / "t.csv", "text": "text", "label": "label", "encoder": encoder} | changes
    return [word for name, value in options.items() if value is not None for word in (f"--{name}", value)]


def sentences(folder, change=lambda table: table):
    subjects = {"food": ("soup", "bread", "cheese", "salad"), "sport": ("goal", "match", "coach", "league")}
    rows = [
        (f"the {w} was near the {w} today {i}", name) for i in range(8) for name in subjects for w in subjects[name]
    ]
    table = pd.DataFrame(rows, columns=["text", "label"])
    change(table).to_csv(folder / "t.csv", index=False)


def test_texts_are_shown_escaped(run, tmp_path, encoder_folder):
    def change(table):
        table.loc[0, ["text", "label"]] = ["<script>alert('soup')</script> the bread", "sport"]
        table.loc[3, "label"] = "<b>sport"
        table.loc[11, "label"] = "<b>sport"
        return table

    sentences(tmp_path, change)
    code, shown = run("audit", *of_texts(tmp_path, encoder_folder), "--least", "0", "--out", tmp_path / "o")
    assert code == 0, shown
    page = (tmp_path / "o" / "audit.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<b>" not in page
    assert "http" not in page
    assert len(suspects(tmp_path / "o")) == 64
    assert "Little can be said of classes of so few rows: <b>sport (2)." in shown


def test_rows_that_cannot_be_audited_are_left_out_and_counted(run, tmp_path, encoder_folder):
    def change(table):
        table.loc[[0, 5], "label"] = ""
        table.loc[2, "text"] = "  "
        table.loc[3, "text"] = "x" * 100_001
        return table

    sentences(tmp_path, change)
    code, shown = run("audit", *of_texts(tmp_path, encoder_folder), "--least", "0", "--out", tmp_path / "o")
    assert code == 0, shown
    assert f"Left out: 2 of 64 rows of {tmp_path / 't.csv'}, where the label is empty." in shown
    found = json.loads((tmp_path / "o" / "audit.json").read_text())
    assert found["left_out"] == {"the label is empty": 2, "the text is empty": 1, "the text is too long": 1}
    assert set(suspects(tmp_path / "o").row) == set(range(1, 65)) - {1, 3, 4, 6}


def test_a_label_that_another_copy_of_the_text_contradicts_is_explained(run, tmp_path, encoder_folder):
    def change(table):
        return pd.concat([table, table.iloc[[0]].assign(label="sport")])

    sentences(tmp_path, change)
    code, _ = run("audit", *of_texts(tmp_path, encoder_folder), "--least", "0", "--out", tmp_path / "o")
    assert code == 0
    found = suspects(tmp_path / "o").set_index("row")
    assert "row 1 is all but the same and is labelled food" in found.why[65]
    assert "row 65 is all but the same and is labelled sport" in found.why[1]


@pytest.fixture
def pictures(tmp_path, squares, png):
    drawn = squares(24, 0)
    for i, pixels in enumerate(drawn.pixels):
        within = tmp_path / "pets" / ("red", "blue")[drawn.y[i] if i != 4 else 1]
        within.mkdir(parents=True, exist_ok=True)
        (within / f"{i:02d}.png").write_bytes(png(pixels))
    return tmp_path


def test_a_folder_of_images_is_audited_and_relabelled(run, pictures):
    out = pictures / "o"
    code, shown = run("audit", "--train", pictures / "pets", "--least", "0", "--out", out)
    assert code == 0, shown
    found = suspects(out)
    assert list(found.columns) == ["row", "file", *COLUMNS[1:]]
    assert found.file[0] == "blue/04.png"
    assert found.given[0] == "blue"
    page = (out / "audit.html").read_text()
    assert len(re.findall(r'<img class="picture" alt="" src="data:image/png;base64,[^"]+">', page)) == 24
    assert found.probability[0] > 0
    found.head(1).assign(suggested="red").to_csv(out / "suspects.csv", index=False)  # edited by hand
    words = ("relabel", "--train", pictures / "pets", "--suspects", out / "suspects.csv")
    code, shown = run(*words, "--output", pictures / "mended.csv")
    assert code == 0, shown
    mended = pd.read_csv(pictures / "mended.csv").set_index("image")
    assert mended.label["pets/blue/04.png"] == "red"
    assert (
        mended.label.drop("pets/blue/04.png") == [name.split("/")[1] for name in mended.index if "04" not in name]
    ).all()


def test_images_that_cannot_be_read_are_named_or_left_out(run, pictures, cut_off):
    (pictures / "pets" / "red" / "00.png").write_bytes(cut_off)
    assert "red/00.png" in refused(run, pictures / "o", "--train", pictures / "pets")
    code, shown = run("audit", "--train", pictures / "pets", "--skip-bad", "--least", "0", "--out", pictures / "o")
    assert code == 0, shown
    assert json.loads((pictures / "o" / "audit.json").read_text())["left_out"] == {"the image cannot be read": 1}
    assert len(suspects(pictures / "o")) == 23


def test_a_full_folder_or_one_that_would_be_read_is_not_written_to(run, digits, pictures, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    words = ("--train", digits / "wide.csv", *WIDE)
    assert "exists and is not empty" in refused(run, tmp_path / "full", *words)
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["mine.txt"]
    inside = pictures / "pets" / "red" / "out"
    assert "--out must not be in the folder of --train" in refused(run, inside, "--train", pictures / "pets")
    assert not inside.exists()
    (tmp_path / "file").write_text("")
    assert "exists and is not a folder" in refused(run, tmp_path / "file", *words)


def test_nothing_half_written_stays_when_writing_fails(run, digits, tmp_path, monkeypatch):
    write, out = audit_run.files.write_atomically, tmp_path / "o"

    def fails(path, data):
        if path.name == "audit.html":
            raise OSError(28, "No space left on device", str(path))
        write(path, data)

    monkeypatch.setattr(audit_run.files, "write_atomically", fails)
    assert "the disk is full" in refused(run, out, "--train", digits / "wide.csv", *WIDE)
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("x,label\n1,a\n2,a\n", (), "t.csv, column 'label': only one class, 'a'; two are needed"),
        ("x,label\n1,a\n2,a\n3,b\n", (), "column 'label': only one class, 'a'; two are needed"),
        ("x,label\n1,a\n2,b\n", (), "no row is left to audit; left out: no other row has the class ('a', 'b')"),
        ("x,label\n1,\n2,\n", (), "t.csv, column 'label': every label is empty; there is nothing to audit"),
        ("x,label\n1,a\nnan,a\n3,b\n", (), "t.csv, row 2, column 'x': a feature is nan, not finite"),
        ("x,label\n1,a\n,a\n3,b\n", (), "t.csv, row 2, column 'x': not a list of numbers but ''"),
        ("x,tag\n1,a\n", (), "t.csv: no column 'label'"),
        ("x,label,t\n1,a,\n2,a,\n3,b,\n4,b,\n", ("--truth", "t"), "column 't': every cell is empty"),
        ("x,label\n1,a\n2,a\n3,b\n4,b\n", ("--truth", "t"), "t.csv: no column 't'"),
        ("x,label\n1,a\n", ("--least", "2"), "least must be in [0, 1], got 2"),
        ("x,label\n1,a\n", ("--seed", "-1"), "seed must be in [0, 4294967295], got -1"),
        ("x,label\n1,a\n", ("--text", "x"), "--features is of --kind rows, but the kind is texts"),
        (
            "x,label\n1,a\n",
            ("--encoder", "minilm"),
            "--encoder is of --kind texts or sentences or images, but",
        ),
    ],
)
def test_bad_input_is_one_line(run, tmp_path, text, words, message):
    (tmp_path / "t.csv").write_text(text)
    words = ("--train", tmp_path / "t.csv", "--features", "x", "--label", "label", *words)
    assert message in refused(run, tmp_path / "o", *words)
    assert not (tmp_path / "o").exists()


def test_classes_of_one_row_are_left_out_and_named(run, tmp_path):
    rows = [f"{i},{'ab'[i % 2]}" for i in range(12)] + ["3,c", "4,d"]
    (tmp_path / "t.csv").write_text("x,label\n" + "\n".join(rows) + "\n")
    words = ("--train", tmp_path / "t.csv", "--features", "x", "--label", "label", "--out", tmp_path / "o")
    code, shown = run("audit", *words)
    assert code == 0, shown
    assert "Left out: 2 of 14 rows" in shown
    assert "where no other row has the class ('c', 'd')." in shown
    found = json.loads((tmp_path / "o" / "audit.json").read_text())
    assert found["left_out"] == {"no other row has the class ('c', 'd')": 2}


def test_missing_options_and_files_are_named(run, tmp_path, pictures):
    (tmp_path / "t.csv").write_text("x,label\n1,a\n")
    table = ("--train", tmp_path / "t.csv")
    assert "--text and --label must be given for --kind texts" in refused(run, tmp_path / "o", *table)
    assert "--label must be given" in refused(run, tmp_path / "o", *table, "--features", "x")
    nowhere = ("--train", tmp_path / "nowhere.csv", "--features", "x", "--label", "label")
    assert "nowhere.csv: no such file" in refused(run, tmp_path / "o", *nowhere)
    assert "nowhere: no such file or folder" in refused(run, tmp_path / "o", "--train", tmp_path / "nowhere")
    named = ("--train", pictures / "pets", "--text", "x")
    assert "pets: neither a saved data set nor a folder of texts" in refused(run, tmp_path / "o", *named)


def test_two_rows_of_each_class_are_enough_to_run(run, tmp_path):
    (tmp_path / "t.csv").write_text("x,label\n0 1,a\n0 1.1,a\n5 1,b\n5 1.2,b\n")
    code, shown = run(
        "audit", "--train", tmp_path / "t.csv", "--features", "x", "--label", "label", "--out", tmp_path / "o"
    )
    assert code == 0, shown
    assert "Little can be said of classes of so few rows: a (2), b (2)." in shown


def test_features_that_are_all_the_same_tell_nothing(run, tmp_path):
    (tmp_path / "t.csv").write_text("x,label\n" + "1 1,a\n" * 20 + "1 1,b\n" * 20)
    code, shown = run(
        "audit", "--train", tmp_path / "t.csv", "--features", "x", "--label", "label", "--out", tmp_path / "o"
    )
    assert code == 0, shown
