"""Labels that tools write as lists, scores or JSON are read as the one label that they hold."""

import numpy as np
import pytest

from tutelage.tables.label_cells import NotALabelError, label_in


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ("food", "food"), (" food ", "food"), ("", None), (None, None), (float("nan"), None), (3.0, "3"), ("3.0", "3"),
        (True, "True"), (["food"], "food"), ([], None), ("[]", None), ("['food']", "food"), ('["food"]', "food"),
        ([["food"]], "food"), (["food", "food"], "food"), (["food", None], "food"), (np.array(["food"]), "food"),
        (("food",), "food"), ({"food": 1.0, "sport": 0.0}, "food"), ({"food": 0, "sport": 0}, None), ({}, None),
        ({"food": True, "sport": False}, "food"), ('{"food": 0.7, "sport": 0.3}', "food"), ({"choices": []}, None),
        ({"choices": ["food"]}, "food"), ('{"choices": ["food"]}', "food"), ({"label": "food"}, "food"),
        ("[URGENT]", "[URGENT]"), ("(other)", "(other)"), ("(1)", "(1)"), ("{x", "{x"), ("nan", "nan"), ("-1", "-1"),
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
        ({"food": 1, "sport": 0.9}, "the scores of 'food', 'sport' are alike"),
        ({"start": "a", "end": "b"}, "not a label but an object of 'start', 'end'"),
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
    assert label_in("[food]") == "[food]"
