"""Python values are looked at by the same rules as files."""

import numpy as np
import pandas as pd
import pytest

from tutelage import Classifier, look

TEXTS = ["the soup", "the cake", "a goal", "a match", "one more"]


def test_counts_and_classes_of_values():
    found = look(TEXTS, ["food", "food", "sport", "sport", None], TEXTS)
    assert found.facts["items"].values == {"labelled": 4, "unlabelled": 5}
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
    with pytest.warns(UserWarning, match="differ only by case, blanks or unseen characters, or"):
        model = Classifier("supervised", steps=2, evidence=False).fit(TEXTS, ["food", "Food", "sport", "sport", None])
    assert model.classes_.tolist() == ["Food", "food", "sport"]


@pytest.mark.parametrize(
    "y",
    [
        [["food"], ["food"], ["sport"], ["sport"], []],
        ["['food']", "['food']", "['sport']", "['sport']", "[]"],
        [{"food": 1.0, "sport": 0.0}] * 2 + [{"food": 0.1, "sport": 0.9}] * 2 + [{"food": 0.0, "sport": 0.0}],
        ["food", "food", "sport", "sport", "\u200b"],
    ],
)
def test_lists_scores_and_unseen_labels_are_read_as_in_files(y):
    found = look(TEXTS, y)
    assert not found.faults
    assert found.facts["classes"].values == {"food": 2, "sport": 2}


def test_numbers_in_lists_stay_numbers():
    with pytest.warns(UserWarning, match="y has 5 lists, scores or JSON for labels"):
        model = Classifier("supervised", steps=2, evidence=False).fit(TEXTS, [[1], [1], [0], [0], [-1]])
    assert model.classes_.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("X", "y", "says"),
    [
        (TEXTS, ["food"] * 4, "X has 5 texts, but y has 4 labels"),
        (TEXTS, [["food", "sport"], *["food"] * 4], "y[0]: 2 labels, 'food', 'sport', where a row has one class"),
        (np.array([[1.0, np.nan], [2, 3], [1, 2], [0, 1]]), [0, 0, 1, 1], "X[0, 1] is nan, not finite"),
        (np.zeros((2, 4, 4, 3), np.uint8), np.zeros((2, 4, 4), int), "masks are for Segmenter"),
        (TEXTS, np.eye(5, 2, dtype=int), "got shape (5, 2); of columns that mark a class each"),
        (TEXTS, {"a": 1}, "y must be a list or an array of labels, got dict"),
    ],
)
def test_odd_values_are_faults(X, y, says):
    (fault,) = look(X, y).faults
    assert says in fault


@pytest.mark.parametrize(
    ("X", "options", "says"),
    [
        ([], {}, "X holds no items"),
        ("one text", {}, "X must be a list of items, got one string"),
        (set(TEXTS), {}, "X must be a list of items, got a set"),
        ({"text": TEXTS}, {}, "X must be a list of items, got a dict"),
        (TEXTS, {"classes": ("food", "sport")}, "classes is no option of how Classifier reads texts"),
        (TEXTS, {"unlabelled_as": "nan"}, "the label of an item that has none is None or -1"),
        (np.zeros((5, 4, 4, 3)), {}, "images are arrays of uint8"),
        (pd.DataFrame({"id": range(5), "text": TEXTS}), {}, "of which 'text' holds texts"),
    ],
)
def test_what_is_no_data_set_is_refused(X, options, says):
    with pytest.raises(ValueError, match=says):
        look(X, ["food"] * 5, **options)


def test_an_encoder_that_is_not_there_is_a_fault():
    assert "encoder 'nope' could not be loaded" in look(TEXTS, ["a", "a", "b", "b", None], encoder="nope").faults[0]


def test_words_that_may_mean_none_and_types_that_differ_are_told():
    found = look(TEXTS, ["food", "food", "sport", "sport", "None"], evidence=False)
    assert found.questions[0].asks == "y has 'None' 1 times, which is taken for a class"
    found = look(TEXTS, [1, "1", 2, "2", None])
    assert "y has labels of several types, int (2) and str (2)" in found.lines[0]
    assert found.facts["classes"].values == {"1": 2, "2": 2}
    found = look(TEXTS, [-2, -1, 0, 0, -2])
    assert found.questions[0].asks == "y has -1, which is taken as no label, beside -2"


@pytest.mark.parametrize(("first", "second", "dtype"), [(1, 0, "Int64"), (True, False, "boolean")])
def test_labels_of_pandas_types_keep_their_names_where_some_are_missing(first, second, dtype):
    y = pd.Series([first, first, second, second, None], dtype=dtype)
    assert look(TEXTS, y).facts["classes"].values == {str(first): 2, str(second): 2}


def test_a_column_of_labels_is_said_in_own_words():
    (line,) = look(TEXTS, pd.DataFrame({"y": ["food", "food", "sport", "sport", None]})).lines
    assert line == "y is a column, (n, 1), and read as one label of each item."


def test_labels_in_another_order_than_the_items_are_asked_about():
    X, y = pd.Series(TEXTS), pd.Series(["food", "food", "sport", "sport", None])
    (question,) = look(X, y[::-1]).questions
    assert "X and y have the same index in another order" in question.asks
    assert not look(X, y).questions
    assert not look(X, y.set_axis(range(5, 10))).questions
    with pytest.warns(UserWarning, match=r"the same index in another order.*; give y.loc\[X.index\]"):
        Classifier("supervised", steps=2, evidence=False).fit(X, y[::-1])


@pytest.mark.parametrize("form", [list, pd.Series, lambda x: [np.array(each) for each in x]])
def test_lists_and_arrays_of_words_are_sentences(form):
    found = look(form([["Ada", "left"], ["Bob", "sat"]]), form([["B-PER", "O"], ["B-PER", "O"]]))
    assert not found.faults and found.facts["items"].values == {"labelled": 2, "unlabelled": 0}


def test_lists_of_numbers_are_rows():
    assert look(np.eye(4).tolist(), [0, 0, 1, 1]).facts["classes"].values == {"0": 2, "1": 2}


def test_words_are_shown_as_texts_where_numpy_holds_them():
    assert "y has 'nan' 1 times" in look(TEXTS, np.array(["food", "food", "sport", "sport", "nan"])).lines[-1]


def test_labels_and_features_that_stand_for_none_are_told():
    found = look(TEXTS, ["food", "food", "sport", "sport", ""])
    assert "y has '' 1 times, which is taken as no label" in found.lines[0]
    assert found.facts["classes"].values == {"food": 2, "sport": 2}
    x = np.arange(60.0).reshape(20, 3) ** 1.5
    x[3, 1], y = -999, [0, 1] * 10
    (question,) = look(x, y).questions
    assert question.asks.startswith("X: 1 of 20 rows have -999 for feature 1 (first: [3])")
    assert question.options == ("leave their rows out", "leave this column of the array out")
