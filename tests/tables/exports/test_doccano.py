"""doccano's rows become plain columns, and what is not taken is said."""

from __future__ import annotations

import pandas as pd
import pytest

from tutelage.tables import DataError
from tutelage.tables.exports import recognised


def row(text="a", comments=(), **cells):
    return {"id": 1, "text": text, **cells, "Comments": list(comments)}


def test_a_list_of_one_is_a_label_and_an_empty_list_is_none():
    made = recognised([row(label=["food"]), row(label=[]), row(label=["food", "sport"])])
    assert made.frame.label.tolist() == ["food", None, ["food", "sport"]]
    assert made.sentence == "doccano export: 3 rows; labels: label (classes); 1 row has no annotation."


def test_spans_as_triples_stay_and_an_empty_list_is_said():
    made = recognised([row("Ada left", label=[[0, 3, "PER"]]), row(label=[])])
    assert made.frame.label.tolist() == [[[0, 3, "PER"]], []]
    assert "1 row has an empty list in label: a text without an entity" in made.sentence


def test_spans_with_the_tools_own_names_become_triples():
    entities = [{"id": 7, "label": "PER", "start_offset": 0, "end_offset": 3}]
    made = recognised(
        [{"text": "Ada left", "entities": entities, "relations": [{"from_id": 1}]}, {"text": "b", "entities": []}]
    )
    assert made.frame.entities.tolist() == [[[0, 3, "PER"]], []]
    assert "not read: relations" in made.sentence


def test_intents_have_classes_and_spans():
    made = recognised([row("to Tacoma", cats=["flight"], entities=[[3, 9, "City"]])])
    assert (made.frame.cats.tolist(), made.frame.entities.tolist()) == (["flight"], [[[3, 9, "City"]]])


def test_images_have_names_and_shapes_are_not_read():
    made = recognised([{"id": 1, "filename": "a.png", "label": ["cat"], "bbox": [{"x": 1}], "Comments": []}])
    assert (made.frame.filename.tolist(), made.frame.label.tolist()) == (["a.png"], ["cat"])
    assert "not read: bbox" in made.sentence


def test_annotations_of_the_old_form_have_people_and_numbers():
    given = [{"label": 3, "user": 1}, {"label": 4, "user": 2}]
    made = recognised([{"id": 1, "text": "a", "annotations": given, "meta": {}, "annotation_approver": None}])
    assert made.frame.annotations.tolist() == ["3", "4"]
    assert made.frame.annotator.tolist() == ["1", "2"]
    assert "labels in annotations are numbers, whose names this form of the export lacks" in made.sentence
    assert "1 row has no approver, and counts all the same" in made.sentence


def test_labels_of_a_csv_file_are_parted_only_where_each_part_is_a_label():
    cells = {"id": ["1", "2", "3", "4", "5"], "text": list("abcde"), "Comments": [""] * 5}
    made = recognised(pd.DataFrame(cells | {"label": ["food", "sport", "food#sport", "C#", ""]}))
    assert made.frame.label.tolist() == ["food", "sport", ["food", "sport"], "C#", None]
    assert "several labels in one cell: 1 combination joined by #" in made.sentence


def test_a_broken_span_is_named_with_its_row():
    good = {"id": 7, "label": "PER", "start_offset": 0, "end_offset": 3}
    rows = [{"text": "Ada", "entities": [good]}, {"text": "Bob", "entities": [good | {"end_offset": "3"}]}]
    with pytest.raises(DataError, match=r"^t.jsonl, row 2: .* is no span: it must have a whole start and end, and a"):
        recognised(rows, "t.jsonl")
