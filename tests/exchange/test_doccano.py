"""What doccano writes, in the forms of all versions, and what cannot be read."""

from __future__ import annotations

import json
import zipfile

import pytest

from tutelage.exchange import UNSURE, Answer, How, Record, Span, Suggestion, read
from tutelage.exchange.doccano import write
from tutelage.tables import DataError, Notes


@pytest.fixture
def of(tmp_path):
    def records(rows, how=None, notes=None):
        file = tmp_path / "all.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return list(read(file, how or How(), notes or Notes()).records)

    return records


def test_lists_of_classes_with_comments_and_the_row_that_came_along(of):
    rows = [
        {"id": 1, "text": "bread", "label": ["food", "cheap"], "row": "17", "Comments": ["so", "what?"]},
        {"id": 2, "text": "x", "label": [], "row": "18", "Comments": []},
    ]
    notes = Notes()
    found = of(rows, notes=notes)
    assert found == [
        Record("bread", id="17", answers=(Answer(("cheap", "food"), note="so\nwhat?"),)),
        Record("x", id="18"),
    ]
    assert "1 row has an empty list of labels" in notes.lines[0]


@pytest.mark.parametrize(
    "cells",
    [
        {"label": [[0, 3, "PER"]]}, {"labels": [[0, 3, "PER"]]},
        {"entities": [{"id": 7, "label": "PER", "start_offset": 0, "end_offset": 3}], "relations": []},
        {"annotations": [{"label": "PER", "start_offset": 0, "end_offset": 3}]},
    ],
)  # fmt: skip
def test_spans_in_all_forms(of, cells):
    assert of([{"id": 1, "text": "Ada left", **cells}])[0].answers == (Answer((Span(0, 3, "PER"),)),)


def test_annotations_of_the_old_form_have_users(of):
    given = [{"label": "a", "user": 1}, {"label": "b", "user": 2}]
    found = of([{"id": 1, "text": "x", "annotations": given, "meta": {}, "annotation_approver": None}])
    assert found[0].answers == (Answer(("a",), "1"), Answer(("b",), "2"))
    with pytest.raises(DataError, match=r"line 1: the label 3 is a number, whose name .* export JSONL \(Text-Labels\)"):
        of([{"id": 1, "text": "x", "annotations": [{"label": 3, "user": 1}]}])


def test_spans_count_utf16_units_as_the_page_does(of):
    """The example of doccano issue 2290."""
    text = "👨🏻\u200d🚒 firemen drive firetrucks"
    assert of([{"text": text, "label": [[22, 32, "THING"]]}])[0].answers[0].label == (Span(19, 29, "THING"),)
    assert of([{"text": text, "label": [[19, 29, "THING"]]}])[0].answers[0].label == (Span(19, 29, "THING"),)
    found = of([{"text": text, "label": [[19, 29, "THING"]]}], How(offsets="utf-16"))
    assert found[0].answers[0].label == (Span(16, 26, "THING"),)


def test_images_have_the_names_of_their_files(of):
    assert of([{"id": 1, "filename": "a.png", "label": ["cat"], "Comments": []}]) == [
        Record(image="a.png", answers=(Answer(("cat",)),))
    ]
    with pytest.raises(DataError, match="boxes and segments of images are not exchanged"):
        of([{"id": 1, "filename": "a.png", "bbox": [{"x": 1}], "Comments": []}])


def test_csv_parts_labels_where_each_part_is_one(tmp_path):
    (tmp_path / "all.csv").write_text(
        "id,text,label,Comments\n1,a,food,\n2,b,cheap#food,\n3,c,cheap,hm\n4,d,C#,\n5,e,,\n"
    )
    found = read(tmp_path / "all.csv").records
    labels = [record.answers[0].label if record.answers else None for record in found]
    assert labels == [("food",), ("cheap", "food"), ("cheap",), ("C#",), None]
    assert found[2].answers[0].note == "hm"


def test_a_label_that_was_given_later_counts_whatever_the_state_was(of):
    rows = [
        {"text": "a", "label": ["x"], "state": "skipped"}, {"text": "b", "label": [], "state": "given"},
        {"text": "c", "label": ["x"], "state": "unsure", "guess": ["y"], "guess_probability": 0.5},
    ]  # fmt: skip
    found = of(rows)
    assert [record.answers for record in found[:2]] == [(Answer(("x",)),), ()]
    assert (found[2].answers, found[2].suggestion) == ((Answer(("x",), state=UNSURE),), Suggestion(("y",), 0.5))


def test_that_images_cannot_be_taken_in_is_said(tmp_path):
    notes = Notes()
    write([Record(image="a.png")], tmp_path / "a.jsonl", notes=notes)
    assert "doccano takes in images as files alone" in notes.lines[0]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"text": "b", "label": "x"}, "line 2: 'label' must be a list of labels, got \"x\""),
        ({"text": "b", "label": [7]}, "line 2: a label must be a text, the name of a class, got 7"),
        ({"text": "b", "label": [" "]}, "line 2: a label must be a text"),
        ({"text": "b", "label": ["x"], "state": "done"}, "line 2: 'state' must be one of given, skipped"),
        ({"body": "b", "label": ["x"]}, "line 2: a row of doccano has 'text' or 'filename' and its labels"),
        ({"text": None, "label": ["x"]}, "line 2: no item under 'text'"),
    ],
)
def test_rows_that_cannot_be_read(of, row, says):
    with pytest.raises(DataError, match=says):
        of([{"text": "a", "label": ["x"]}, row])


def test_classes_and_spans_in_one_file_are_an_error(of):
    with pytest.raises(DataError, match=r'line 2: a span is .* got "x"'):
        of([{"text": "Ada", "label": [[0, 3, "PER"]]}, {"text": "b", "label": ["x"]}])
    with pytest.raises(DataError, match=r"it has the columns of labels 'cats', 'entities'; .* by --question"):
        of([{"text": "to Tacoma", "cats": ["flight"], "entities": [[3, 9, "City"]]}])


def test_a_zip_has_a_file_for_each_user(tmp_path):
    row = {"id": 1, "text": "a", "Comments": []}
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as held:
        for name, label in {"ann": ["x"], "bob": ["y"], "unknown": []}.items():
            held.writestr(f"{name}.jsonl", json.dumps(row | {"label": label}))
    (record,) = read(tmp_path / "export.zip").records
    assert record.answers == (Answer(("x",), "ann"), Answer(("y",), "bob"))


def test_a_zip_that_cannot_be_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as held:
        held.writestr("a.png", "x")
    with pytest.raises(DataError, match=r"a.zip: no file in the zip ends in .json, .jsonl, .csv, .tsv"):
        read(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as held:
        held.writestr("ann.jsonl", "[" * 2_000)
        held.writestr("bob.jsonl", b"0" * 20_000)
    data = bytearray((tmp_path / "b.zip").read_bytes())
    data[40:50] = b"0" * 10
    (tmp_path / "b.zip").write_bytes(data)
    with pytest.raises(DataError, match=r"b.zip: the zip cannot be unpacked"):
        read(tmp_path / "b.zip")
