"""Texts are read from folders; rows and images that cannot be read are left out by one option."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutelage import kinds
from tutelage.kinds import KINDS
from tutelage.kinds.dataset import Files
from tutelage.kinds.reading import read_files
from tutelage.tables import DataError, Notes, ReadAs


@pytest.fixture
def folder(tmp_path):
    for name, texts in {"food": ["the soup", "the cake"], "sport": ["a goal", "a match"], "unsup": ["so so"]}.items():
        (tmp_path / "in" / name).mkdir(parents=True)
        for i, text in enumerate(texts):
            (tmp_path / "in" / name / f"{i}.txt").write_text(text + "\n")
    return tmp_path / "in"


def test_a_folder_of_texts_needs_no_columns(folder):
    assert kinds.told_by([], folder) == "texts"
    kind, files = KINDS["texts"](), Files(folder)
    kind.require_columns(files)
    kind = kind.settled(files)
    data = read_files(kind, files, Notes())
    assert data.classes == ["food", "sport"]
    assert (len(data.items.labelled), len(data.items.pool)) == (4, 1)


def test_a_folder_is_read_by_a_kind_that_was_fitted_on_a_table(folder):
    found = KINDS["texts"](text="review", label="topic").entries(folder)
    assert list(found.items) == ["the soup", "the cake", "a goal", "a match", "so so"]
    assert found.labels == ["food", "food", "sport", "sport", None]


def test_a_folder_of_images_stays_one_of_images(tmp_path):
    (tmp_path / "in" / "cat").mkdir(parents=True)
    (tmp_path / "in" / "cat" / "1.png").write_bytes(b"x")
    (tmp_path / "in" / "readme.txt").write_text("x")
    assert kinds.told_by([], tmp_path / "in") == "images"


def test_a_folder_is_no_table_of_other_kinds(folder):
    with pytest.raises(ValueError, match="is a folder, but rows are read from tables"):
        KINDS["rows"](features=("x",), label="label").require_columns(Files(folder))


def test_rows_that_are_left_out_keep_the_numbers_of_the_others(tmp_path):
    lines = ["text,label", *["a soup,food", "a goal,sport"] * 4, "a,b,c", "a wrong one,", ",sport"]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    kind = KINDS["texts"](text="text", label="label")
    with pytest.raises(DataError, match="1 row has more cells"):
        read_files(kind, Files(tmp_path / "t.csv"), Notes())
    with pytest.raises(DataError, match=r"row 11, column 'text': the text is empty"):
        read_files(kind, Files(tmp_path / "t.csv", how=ReadAs(skip_bad=True)), Notes())


def test_all_that_is_wrong_with_several_files_is_told_at_once(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\na,b,c\nd\ne,f\n")
    (tmp_path / "b.csv").write_text("\n".join(f"a text number {i},{'xy'[i % 2]}" for i in range(9)))
    kind = KINDS["texts"](text="text", label="label")
    with pytest.raises(DataError) as refused:
        read_files(kind, Files(tmp_path / "a.csv", test=tmp_path / "b.csv"), Notes())
    said = str(refused.value).splitlines()
    assert [line.split(": ", 1)[0] for line in said[:2]] == [str(tmp_path / "a.csv")] * 2
    assert "more cells" in said[0] and "fewer cells" in said[1]
    assert len(said) == 3 and said[2].startswith("Question 1: ") and "looks like a row of data" in said[2]


def test_one_option_leaves_out_bad_rows_and_bad_images():
    kind = KINDS["images"](images="image", label="label")
    assert kind.settled(Files(Path("t.csv"), how=ReadAs(skip_bad=True))).skip_bad
    assert kind.read_as(ReadAs(skip_bad=True)).skip_bad and not kind.read_as(ReadAs()).skip_bad


def bad_texts(tmp_path, name="bad.csv"):
    good = [f"a {word} {i},{label}" for i in range(4) for word, label in (("soup", "food"), ("goal", "sport"))]
    lines = ["text,label", *good, ",food", f"{'x' * 100_001},sport", ",sport"]
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path / name


def test_texts_that_cannot_be_learnt_from_are_named_together_and_left_out_on_request(tmp_path):
    path, kind = bad_texts(tmp_path), KINDS["texts"](text="text", label="label")
    with pytest.raises(
        DataError, match=r"3 of 11 texts .*first: row 9, the text is empty; then row 10, row 11; row 10:"
    ):
        read_files(kind, Files(path), Notes())
    how, notes = ReadAs(skip_bad=True), Notes()
    assert len(read_files(kind.settled(Files(path, how=how)), Files(path, how=how), notes).items.labelled) == 8
    assert any(line.startswith("Left out of the labels: 3 of 11 texts") for line in notes.lines)


def test_where_every_labelled_text_is_empty_no_option_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\n" + ",a\n,b\n" * 4)
    how = ReadAs(skip_bad=True)
    kind = KINDS["texts"](text="text", label="label").settled(Files(tmp_path / "t.csv", how=how))
    with pytest.raises(DataError, match="8 of 8 texts") as refused:
        read_files(kind, Files(tmp_path / "t.csv", how=how), Notes())
    assert "--skip-bad" not in str(refused.value)


def test_texts_of_a_test_file_that_are_empty_are_not_scored(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"cake {i},food\nmatch {i},sport\n" for i in range(4)))
    kind, notes = KINDS["texts"](text="text", label="label"), Notes()
    data = read_files(kind, Files(tmp_path / "t.csv", test=bad_texts(tmp_path)), notes)
    assert (len(data.test), len(data.truth)) == (8, 8)
    assert any(line.startswith("Not scored: 3 of 11 texts") for line in notes.lines)
    (tmp_path / "none.csv").write_text("text,label\n,food\n")
    with pytest.raises(DataError, match="nothing to score on"):
        read_files(kind, Files(tmp_path / "t.csv", test=tmp_path / "none.csv"), Notes())


def test_an_empty_file_of_a_folder_is_named(folder):
    (folder / "sport" / "3.txt").write_text("\n")
    with pytest.raises(DataError, match=r"sport/3\.txt: the text is empty; --skip-bad leaves out such rows"):
        read_files(KINDS["texts"]().settled(Files(folder)), Files(folder), Notes())


def test_a_deep_folder_of_images_is_none_of_texts(tmp_path):
    inner = tmp_path / "in" / "pets" / "cat"
    inner.mkdir(parents=True)
    (inner / "note.txt").write_text("x")
    assert kinds.told_by([], tmp_path / "in") == "texts"
    (inner / "1.png").write_bytes(b"x")
    assert kinds.told_by([], tmp_path / "in") == "images"


def test_links_that_lead_back_are_not_followed(folder):
    (folder / "sport" / "loop").symlink_to("..")
    (folder / "food" / "apart").symlink_to(folder.parent)
    (folder / "alias").symlink_to("sport")
    notes = Notes()
    found = KINDS["texts"]().entries(folder, notes=notes)
    assert found.labels == ["food", "food", "sport", "sport", None]
    said = str(notes)
    assert f"{folder / 'alias'} leads to {folder / 'sport'}, and 2 more." in said
