"""A teacher given to the classifier: an array, a data frame, a classifier or a function; and descriptions."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from families import BROUGHT
from tutelage import Classifier

FAST = {"steps": 30, "folds": 2, "repeats": 1}
LATER = sorted(BROUGHT - {"dho", "lelp"})


@pytest.fixture(scope="module")
def digits():
    """240 zeros, ones and twos, of which 24 have labels; and a teacher that was fitted on others."""
    x, y = load_digits(return_X_y=True)
    x, y = x[y < 3], y[y < 3]
    old = LogisticRegression(C=1e-4, max_iter=500).fit(x[240:320], y[240:320])
    return x[:240], y[:240], np.where(np.arange(240) < 24, y[:240], -1), old


def fitted(digits, teacher, labels=None, more=None, **options):
    x, _, hidden, _ = digits
    y = hidden if labels is None else labels
    return Classifier("supervised", **FAST, **options).fit(x, y, teacher=teacher, X_unlabelled=more)


def test_all_forms_of_a_teacher_are_one(digits):
    x, _, _, old = digits
    p = old.predict_proba(x)
    one = fitted(digits, p).predict_proba(x)
    shuffled = pd.DataFrame(p[:, [2, 0, 1]], columns=[2, 0, 1])
    for teacher in (shuffled, old, old.predict_proba):
        np.testing.assert_array_equal(fitted(digits, teacher).predict_proba(x), one)


def test_the_rows_of_x_unlabelled_follow_or_come_as_a_pair(digits):
    x, _, hidden, old = digits
    p, known = old.predict_proba(x), hidden >= 0
    y = hidden[known]
    whole = Classifier("supervised", **FAST).fit(x[known], y, x[~known], teacher=p)
    pair = Classifier("supervised", **FAST).fit(x[known], y, x[~known], teacher=(p[known], p[~known]))
    other = Classifier("supervised", **FAST).fit(x[known], y, x[~known], teacher=old)
    np.testing.assert_array_equal(whole.predict_proba(x), pair.predict_proba(x))
    np.testing.assert_array_equal(whole.predict_proba(x), other.predict_proba(x))


def test_no_label_is_needed_and_classes_are_those_of_the_teacher(digits):
    x, y, _, old = digits
    p = old.predict_proba(x)
    alone = Classifier("supervised", **FAST).fit(x, teacher=pd.DataFrame(p, columns=["nil", "one", "two"]))
    assert alone.classes_.tolist() == ["nil", "one", "two"]
    assert (alone.predict(x) == np.array(["nil", "one", "two"])[y]).mean() > 0.8
    assert Classifier("supervised", **FAST).fit(x, teacher=p).classes_.tolist() == [0, 1, 2]
    assert Classifier("supervised", **FAST).fit(x, teacher=old).classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize("method", ["dho", "lelp", *(pytest.param(m, marks=pytest.mark.slow) for m in LATER)])
def test_a_method_for_brought_teachers_is_fitted_saved_and_loaded(digits, method, tmp_path):
    x, y, hidden, old = digits
    model = Classifier(method, steps=60, folds=2, repeats=1).fit(x, hidden, teacher=old)
    assert (model.predict(x) == y).mean() > 0.8
    model.save(tmp_path / "run")
    loaded = Classifier.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.predict_proba(x), model.predict_proba(x))
    with pytest.raises(ValueError, match=f"{method} learns what a teacher said, but none was brought"):
        Classifier(method, **FAST).fit(x, hidden)


@pytest.mark.slow
@pytest.mark.parametrize("method", sorted(BROUGHT))
def test_images_that_a_network_learns_have_teachers_too(method):
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    pixels = (rng.random((40, 8, 8, 3)) * 100 + 100 * y[:, None, None, None]).astype(np.uint8)
    said, hidden = np.where(y[:, None] == np.arange(2), 0.8, 0.2), np.where(np.arange(40) < 12, y, -1)
    said[0] = said[0, ::-1]  # else it is warned of
    model = Classifier(method, network="small_cnn", steps=12, evidence=False)
    if method in {"lelp", "nd", "prompt_kd", "diffkd"}:
        with pytest.raises(ValueError, match=f"{method} needs what the teacher sees of each item"):
            model.fit(pixels, hidden, teacher=said)
        return
    assert model.fit(pixels, hidden, teacher=said).predict_proba(pixels).shape == (40, 2)


def test_statistics_of_the_teachers_are_there_only_where_one_was_given(digits):
    x, y, hidden, old = digits
    p = old.predict_proba(x)
    p[100:] = np.nan
    model = fitted(digits, p)
    (about,) = model.teachers_["teachers"]
    assert about["covered"] == 100 and model.teachers_["covered"] == 76
    assert about["accuracy"] == pytest.approx((p[:24].argmax(1) == y[:24]).mean())
    model.fit(x, hidden)
    assert not hasattr(model, "teachers_")


def test_a_class_of_the_teacher_alone_is_learnt(digits):
    x, y, hidden, old = digits
    labels = np.where(hidden == 2, -1, hidden)
    p = pd.DataFrame(old.predict_proba(x), columns=[0, 1, 2])
    with pytest.warns(UserWarning, match="right on each of the 16 labels"):
        model = fitted(digits, p, labels)
    assert model.classes_.tolist() == [0, 1, 2]
    assert ((model.predict(x) == 2) & (y == 2)).sum() > 20


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (np.full((240, 2), 0.5), "a column for each of the 3 classes 0, 1, 2, got 2"),
        (np.full((100, 3), 1 / 3), "a row for each of the 240 items of X and X_unlabelled, got 100"),
        (np.full((240, 3), 0.9), r"teacher\[0\]: the probabilities of a row must sum to one, got 2.7"),
        ((np.full((240, 3), 1 / 3),) * 2, "must be 1 arrays, one for each of X and X_unlabelled, got 2"),
        (np.full((240, 3), np.nan), "teacher 'teacher' is silent on every row"),
        (
            pd.DataFrame(np.full((240, 3), 1 / 3), columns=["0", "1", "zwei"]),
            "the teacher's classes zwei are none of y",
        ),
        (lambda x: np.full((3, 3), 1 / 3), r"teacher must be of shape \(240, classes\), got \(3, 3\)"),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused(digits, teacher, message):
    with pytest.raises(ValueError, match=message):
        fitted(digits, teacher)


def test_percentages_are_turned_and_warned_of(digits):
    x, _, _, old = digits
    with pytest.warns(UserWarning, match="the numbers of the teacher are percentages"):
        model = fitted(digits, 100 * old.predict_proba(x))
    np.testing.assert_allclose(model.predict_proba(x), fitted(digits, old.predict_proba(x)).predict_proba(x), atol=1e-4)


def test_descriptions_are_of_texts_and_are_checked(digits, encoder_folder):
    x, _, hidden, _ = digits
    with pytest.raises(ValueError, match=r"describe=.* is not for rows"):
        Classifier(describe={"a": "b"}, **FAST).fit(x, hidden)
    texts = [
        f"{text} {when}" for when in ("now", "then", "today", "here") for text in ("the soup was", "a goal and a match")
    ]
    with pytest.raises(ValueError, match="nobody described class 'sport'; the nearest is 'sprot'"):
        Classifier(encoder=str(encoder_folder), describe={"food": "soup", "sprot": "match"}, **FAST).fit(
            texts, ["food", "sport", "food", "sport", -1, -1, -1, -1]
        )
    with pytest.raises(ValueError, match="describe: at least two classes must be described"):
        Classifier(describe={"food": "soup"}, **FAST).fit(texts)
    described = Classifier(describe={"food": "soup"})
    assert clone(described).get_params()["describe"] == {"food": "soup"}


def test_a_teacher_in_another_order_than_the_items_is_refused(digits):
    x, y, labels, old = digits
    known = labels >= 0
    frame = pd.DataFrame(x, index=[f"row {i}" for i in range(len(x))]).add_prefix("x")
    said = pd.DataFrame(old.predict_proba(x), columns=old.classes_, index=frame.index)
    as_it_is = Classifier("supervised", **FAST, evidence=False).fit(frame, labels, teacher=said)
    by_place = Classifier("supervised", **FAST, evidence=False).fit(frame, labels, teacher=said.reset_index(drop=True))
    np.testing.assert_array_equal(as_it_is.predict_proba(frame), by_place.predict_proba(frame))
    with pytest.raises(ValueError, match="the same index as those of X, but in another order"):
        Classifier("supervised", **FAST, evidence=False).fit(frame, labels, teacher=said.iloc[::-1])
    with pytest.raises(ValueError, match=r"give teacher\.loc"):
        pair = said[known], said[~known].iloc[::-1]
        Classifier("supervised", **FAST, evidence=False).fit(frame[known], y[known], frame[~known], teacher=pair)
