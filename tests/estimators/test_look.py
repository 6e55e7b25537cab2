"""Python values are looked at by the same rules as files."""

import numpy as np
import pytest

from tutelage import Classifier, look

TEXTS = ["the soup", "the cake", "a goal", "a match", "one more"]


def test_counts_and_classes_of_values():
    found = look(TEXTS, ["food", "food", "sport", "sport", None], TEXTS)
    assert found.facts["items"].values == {"labelled": 4, "unlabelled": 6}
    assert found.facts["classes"].values == {"food": 2, "sport": 2}
    assert found.facts["copies"].values == {"items": 5, "rows": 10, "different_labels": 0}
    assert not found.faults
    assert not found.questions
    assert set(found.facts["tokens"].values) == {"unknown_words", "texts_cut", "tokens_lost"}


def test_faults_do_not_raise_but_are_there():
    found = look(TEXTS, ["food"] * 5)
    assert found.faults == ["y: only one class, 'food'; two are needed"]
    assert "only one class" in str(found)
    assert "has one label" in look(TEXTS, ["food", "food", "sport", None, None]).faults[0]


def test_rows_are_looked_at_too():
    found = look(np.eye(4), [0, 0, 1, 1])
    assert found.facts["classes"].values == {"0": 2, "1": 2}
    assert "tokens" not in found.facts


def test_sentences_are_looked_at_too():
    found = look([["Ada", "left"], ["Bob", "sat"]], [["B-PER", "O"], ["B-PER", "O"]])
    assert not found.faults
    assert found.facts["items"].values == {"labelled": 2, "unlabelled": 0}


def test_words_for_no_label_are_unlabelled_with_a_warning():
    y = ["food", "food", "sport", "sport", "nan"]
    assert "y has 'nan' 1 times, which is taken as no label" in look(TEXTS, y).lines[-1]
    with pytest.warns(UserWarning, match="y has 'nan' 1 times, which is taken as no label"):
        model = Classifier("supervised", steps=2, evidence=False).fit(TEXTS, y)
    assert model.classes_.tolist() == ["food", "sport"]


def test_spellings_that_differ_little_are_warned_of():
    with pytest.warns(UserWarning, match="differ only by case, blanks or unseen characters"):
        model = Classifier("supervised", steps=2, evidence=False).fit(TEXTS, ["food", "Food", "sport", "sport", None])
    assert model.classes_.tolist() == ["Food", "food", "sport"]
