"""Labels that tools write as lists, scores or JSON are read as the one label that they hold."""

import numpy as np
import pytest

from tutelage.kinds.class_labels import labels_of_cells
from tutelage.tables import Notes
from tutelage.tables.label_cells import label_in
from tutelage.tables.scores import NotALabelError


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ("food", "food"), (" food ", "food"), ("", None), (None, None), (float("nan"), None), (3.0, "3"), ("3.0", "3"),
        (True, "True"), (["food"], "food"), ([], None), ("[]", None), ("['food']", "food"), ('["food"]', "food"),
        ([["food"]], "food"), (["food", "food"], "food"), (["food", None], "food"), (np.array(["food"]), "food"),
        (("food",), "food"), ({"food": 1.0, "sport": 0.0}, "food"), ({"food": 0, "sport": 0}, None), ({}, None),
        ({"food": True, "sport": False}, "food"), ('{"food": 0.7, "sport": 0.3}', "food"), ({"choices": []}, None),
        ({"choices": ["food"]}, "food"), ('{"choices": ["food"]}', "food"), ({"label": "food"}, "food"),
        ("[URGENT]", "URGENT"), ("{food}", "food"), ("[UNK]", "[UNK]"), ("[see below]", "[see below]"),
        ("array(['food'], dtype=object)", "food"), ("[array(['food'], dtype=object)]", "food"), ("set()", None),
        ("frozenset({'food'})", "food"), ("tensor(1)", "1"), ("tensor([1], device='cpu')", "1"), ("[1.]", "1"),
        ("b'food'", "food"), ('b"food"', "food"), ("b'", "b'"), ("b'a' b'c'", "b'a' b'c'"),
        ("np.str_('food')", "food"), ("{'food'}", "food"), ("set(ting)", "set(ting)"),
        ("f(array([1]))", "f(array([1]))"),
        ({"label": 2, "user": 4}, "2"), ({"label": 0, "score": 0.93}, "0"), ({"value": 0}, "0"), ({"class": 3}, "3"),
        ({"label": 1, "score": 0}, "1"), ({"value": 0.9, "growth": 0.1}, "value"),
        ({"food": None, "sport": 1}, "sport"), ({"id": 7, "name": "food"}, "food"),
        ({"id": 1, "name": "cat", "supercategory": "animal"}, "cat"),
        ({"food": 0.21, "sport": 0.2}, None), ({"food": 0.4, "sport": 0.35, "news": 0.25}, "food"),
        ({"food": -0.1, "sport": -2.4}, "food"), ({"food": 90, "sport": 10}, "food"),
        ("(other)", "(other)"), ("(1)", "(1)"), ("{x", "{x"), ("nan", "nan"), ("-1", "-1"),
    ],
)  # fmt: skip
def test_a_cell_holds_one_label_or_none(cell, label):
    assert label_in(cell) == label


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (["food", "sport"], "2 labels, 'food', 'sport', where a row has one class"),
        ('["a", "b", "c"]', "3 labels, 'a', 'b', 'c'"),
        ({"food": 1.0, "sport": 1.0}, "the scores of 'food', 'sport' are alike"),
        ({"food": 1, "sport": 0.9}, "the scores of 'food', 'sport' are 0.5 or more"),
        ("['food' 'sport']", "2 labels, 'food', 'sport'"),
        ("array(['food', 'sport'], dtype=object)", "2 labels"),
        ("[food, sport]", "2 labels"),
        ("{food,sport}", "2 labels"),
        ("[1 0]", "a list of 2 numbers, 1, 0"),
        ([0, 0], "a list of 2 numbers"),
        ("[0.9 0.1]", "2 labels"),
        ({"id": 3, "confidence": 0.9}, "numbers by name, 'id' 3, 'confidence' 0.9, which are neither scores"),
        ({"food": 3, "sport": 1}, "neither scores"),
        ({"food": 2.3, "sport": -1.2}, "neither scores"),
        ({"start": "a", "end": "b"}, "not a label but an object of 'start', 'end'"),
        ({"name": "Ann", "age": "food"}, "not a label but an object of 'name', 'age'"),
        (b"food", "not a label but 4 bytes"),
        ({"choices": ["food", "sport"]}, "2 labels"),
    ],
)
def test_a_cell_of_several_labels_is_no_label(cell, message):
    with pytest.raises(NotALabelError, match=message):
        label_in(cell)


def test_a_backslash_that_python_does_not_know_is_read_without_a_warning():
    assert label_in(r"['a\,']") == r"a\,"


def test_quotation_marks_may_be_escaped():
    assert label_in(r"{\"food\": 0.9, \"sport\": 0.1}") == label_in(r"[\"food\"]") == "food"
    assert label_in(r"{\"food\": 0.0}") is None


def test_only_what_was_decoded_is_said_to_be():
    notes = Notes()
    labels, good = labels_of_cells(["[see below]", "['food']", {"food": 0.3, "sport": 0.1}, "[]"], str, notes)
    assert (labels, good.all()) == (["[see below]", "food", None, None], True)
    assert notes.lines == [
        "1 label is written as lists, scores or JSON: each is read as its one label (first: 1, "
        "\"['food']\" as 'food').",
        "1 of 4 rows has scores that are all below 0.5: taken as no label. (docs: warnings/label-or-none)",
    ]


def test_the_highest_of_scores_is_said():
    notes = Notes()
    labels_of_cells([{"food": 0.8, "sport": 0.2}, {"food": 90, "sport": 10}, {"food": 1, "sport": 0}], str, notes)
    assert notes.lines == [
        "3 labels are written as lists, scores or JSON: each is read as its one label (first: 0, "
        "\"{'food': 0.8, 'sport': 0.2}\" as 'food').",
        "1 label is the name of the highest of scores.",
        "1 label is the name of the highest of percentages.",
    ]


def test_leaving_out_is_no_way_where_no_row_has_a_label_that_can_be_read():
    notes = Notes()
    labels_of_cells([["a", "b"], None], str, notes)
    assert notes.faults[0].endswith("The label of 1 of 2 rows cannot be read")
    labels_of_cells([["a", "b"], "c"], str, notes)
    assert notes.faults[1].endswith("--skip-bad leaves these rows out")
    assert label_in(r"[\"Stra\\u00dfe\"]") == "Straße"
