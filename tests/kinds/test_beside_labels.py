"""What columns beside the labels tell of them: names of class numbers, and marks of other classes."""

from __future__ import annotations

import pytest

from tutelage.kinds import KINDS
from tutelage.kinds.dataset import Files
from tutelage.kinds.reading import read_files
from tutelage.tables import Notes


def looked(folder, header, rows, **options):
    """Reads a csv of texts, and gives what was noted."""
    path = folder / "t.csv"
    path.write_text("\n".join(["text," + header, *(f"text {i},{row}" for i, row in enumerate(rows))]) + "\n")
    notes = Notes()
    read_files(KINDS["texts"](text="text", **options), Files(path), notes)
    return notes


def test_a_column_that_names_the_class_numbers_is_said(tmp_path):
    notes = looked(
        tmp_path, "label,topic,author", ["0,food,Ann", "1,sport,Ann", "0,food,Bo", "1,sport,Bo"], label="label"
    )
    assert [line for line in notes.lines if "has a name for each" in line] == [
        f"{tmp_path / 't.csv'}, column 'label': the column 'topic' has a name for each of these numbers, 0 'food', 1 "
        "'sport'; --label topic takes the names for the classes."
    ]


@pytest.mark.parametrize("last", ["1,food", "0,sport", "1,"])
def test_a_column_that_is_not_in_step_with_the_numbers_names_none(tmp_path, last):
    notes = looked(tmp_path, "label,topic", ["0,food", "1,sport", "0,food", "1,sport", last], label="label")
    assert not any("has a name for each" in line for line in notes.lines)


def test_marks_of_one_class_among_several_are_asked_about(tmp_path):
    rows = ["1,0", "0,1", "1,0", "0,1", "0,0"]
    notes = looked(tmp_path, "food,sport", rows, label="food")
    (question,) = notes.questions
    assert "no row has a 1 here and in one of the columns sport" in question.asks
    assert "1 of 5 rows have none in any of them" in question.asks
    assert not looked(tmp_path, "food,sport", rows, label="food", classes=("0", "1")).questions


def test_columns_that_go_with_the_label_or_are_rare_are_no_marks_of_classes(tmp_path):
    assert not looked(tmp_path, "spam,link", ["1,1", "0,1", "1,0", "0,1", "0,0"], label="spam").questions
    assert not looked(tmp_path, "spam,link", ["1,0", "0,1", "1,0", *["0,0"] * 6], label="spam").questions


def test_columns_with_lists_are_no_marks_of_classes(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text("".join(f'{{"text": "text {i}", "label": {i % 2}, "a": {(1, [1])[i % 2]}}}\n' for i in range(8)))
    notes = Notes()
    read_files(KINDS["texts"](text="text", label="label"), Files(path), notes)
    assert not notes.questions


@pytest.mark.parametrize(
    ("header", "rows", "asked"),
    [
        (
            "size,old,a,b,c",
            ["3,1,1,0,0", "4,0,0,1,0", "6,1,0,0,1"],
            "no row has a 1 here and in one of the columns b, c",
        ),
        ("size,old,a,b,c", ["3,1,1,0,0", "4,0,0,1,0", "6,1,0,0,1", "5,0,0,0,0"], None),
        ("size,a,b", ["3,1,0", "4,0,0", "6,0,1", "7,0,1"], None),
    ],
)
def test_features_that_mark_the_other_classes_are_asked_about(tmp_path, header, rows, asked):
    path = tmp_path / "t.csv"
    path.write_text("\n".join([header, *rows * 5]) + "\n")
    notes = Notes()
    read_files(KINDS["rows"](features=("all",), label="a"), Files(path, evidence=False), notes)
    assert [asked in question.asks for question in notes.questions] == ([True] if asked else [])
