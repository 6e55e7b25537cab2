"""What to label next, asked of fitted estimators, and what the drawn labels say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tutelage import Classifier, Tagger, ask
from tutelage.fit.evidence import exact


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x.astype(np.float32)[:400], y[:400]


@pytest.fixture(scope="module")
def fitted(digits):
    x, y = digits
    return Classifier("supervised", steps=60, folds=2, repeats=1).fit(x[:60], y[:60])


def test_the_least_sure_rows_come_first(fitted, digits):
    x, _ = digits
    found = fitted.next_(x[60:], 20, by="margin", drawn=0)
    p = np.sort(fitted.predict_proba(x[60:]), axis=1)
    margins = p[:, -1] - p[:, -2]
    assert found["index"].tolist() == np.argsort(margins, kind="stable")[:20].tolist()
    assert found["guess"].tolist() == [str(c) for c in fitted.predict(x[60:][found["index"]])]
    assert set(found["asked_by"]) == {"margin"}


def test_a_tenth_is_drawn_and_says_how_good_the_model_is(fitted, digits):
    x, y = digits
    found = fitted.next_(x[60:], 40, labelled=x[:60], y=y[:60])
    drawn = found["asked_by"] == "random"
    assert drawn.sum() == 4 and found["index"].is_unique
    index = 60 + found["index"].to_numpy()
    asked_by = [None] * 60 + found["asked_by"].tolist()
    both = np.concatenate([np.arange(60), index])
    more = Classifier("supervised", steps=60, folds=2, repeats=1).fit(x[both], y[both], asked_by=asked_by)
    sample = more.summary()["sample"]
    assert (sample["chosen"], sample["drawn"]) == (36, 4)
    assert sample["interval"] == [exact(sample["accuracy"], 4).low, exact(sample["accuracy"], 4).high]
    assert sum(share for share, _, _ in sample["shares"].values()) == pytest.approx(1)


def test_variation_asks_where_models_of_the_given_labels_disagree(fitted, digits):
    x, y = digits
    found = fitted.next_(x[60:], 20, by="variation", drawn=0, labelled=x[:60], y=y[:60])
    guessed = ask.committee(x, np.arange(60), y[:60], 10, seed=60).argmax(-1)[:, 60 + found["index"]]
    assert ((guessed != guessed[0]).any(0) == (found["why"] == "the models disagree")).all()
    assert set(found["asked_by"]) == {"variation"}


def test_auto_looks_for_the_class_that_has_no_label(fitted, digits):
    x, y = digits
    few = np.flatnonzero(y[:60] != 3)
    found = fitted.next_(x[60:], 20, drawn=0, labelled=x[few], y=y[few])
    assert set(found["asked_by"]) == {"cluster"}
    assert set(fitted.next_(x[60:], 20, drawn=0, labelled=x[:60], y=y[:60])["asked_by"]) == {"diverse"}


def test_arguments_are_checked(fitted, digits):
    x, y = digits
    with pytest.raises(ValueError, match="by must be one of auto"):
        fitted.next_(x, 5, by="best")
    with pytest.raises(ValueError, match="count"):
        fitted.next_(x[:5], 6)
    with pytest.raises(ValueError, match="variation asks what several models disagree on, and there is one"):
        fitted.next_(x[60:], 6, by="variation")
    with pytest.raises(ValueError, match="y must hold a label for each of the 60 items"):
        fitted.next_(x[60:], 6, labelled=x[:60], y=y[:3])
    with pytest.raises(ValueError, match=r"asked_by\[1\] must be None or one of diverse"):
        Classifier("supervised").fit(x[:2], y[:2], asked_by=[None, "me"])
    with pytest.raises(ValueError, match="asked_by must be names of selectors, one for each of 2 items, got 1"):
        Classifier("supervised").fit(x[:2], y[:2], asked_by=["random"])


def test_sentences_are_asked_for_by_their_least_sure_word(encoder_folder):
    X = [["the", "soup"], ["my", "cake"], ["the", "goal"], ["a", "match"]] * 4
    y = [["O", "B-FOOD"], ["O", "B-FOOD"], ["O", "B-SPORT"], ["O", "B-SPORT"]] * 4
    tagger = Tagger("supervised", encoder=encoder_folder, steps=30, evidence=False, copies="each").fit(X, y)
    new = [["the", "soup", "goal"], ["the", "soup"], ["my", "match", "near", "a", "cake"]]
    found = tagger.next_(new, 3, by="margin", drawn=0)
    p = [np.sort(each, axis=1) for each in tagger.predict_proba(new)]
    least = [float((each[:, -1] - each[:, -2]).min()) for each in p]
    assert found["index"].tolist() == np.argsort(least).tolist()
    assert [guess.split() for guess in found["guess"]] == [tagger.predict(new)[i] for i in found["index"]]
