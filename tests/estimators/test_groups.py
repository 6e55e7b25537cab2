"""Estimators take groups of items, count copies once, and answer for each item that was given."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage import Classifier, Segmenter

FEW = {"steps": 10, "folds": 2, "repeats": 1}


@pytest.fixture
def rows():
    """24 rows of two classes that overlap, 12 of them labelled."""
    rng = np.random.default_rng(0)
    y = np.arange(24) % 2
    X = np.stack([y + rng.normal(size=24), rng.normal(size=24)], 1).astype(np.float32)
    return X, np.where(np.arange(24) < 12, y, -1)


def test_the_evidence_is_of_the_groups_that_are_given(rows):
    X, y = rows
    y = np.where(y >= 0, np.repeat([0, 1], 2)[np.arange(24) % 4], -1)  # each person has one class
    people = [f"person {i // 2}" for i in range(24)]
    model = Classifier("mean_teacher", **FEW).fit(X, y, groups=people)
    assert model.evidence_.labels == 12 and model.evidence_.clusters == 6 and model.evidence_.called == "group"
    assert model.copies_["groups"] == 6 and model.copies_["flattered"] is not None


def test_groups_must_be_as_many_as_the_items(rows):
    X, y = rows
    with pytest.raises(ValueError, match="groups must have one value for each of the 24 items of X, got 3"):
        Classifier("supervised", **FEW).fit(X, y, groups=[1, 2, 3])


def test_items_given_twice_are_learnt_once_and_answered_each(rows):
    X, y = rows
    once = Classifier("mean_teacher", **FEW).fit(X, y)
    twice = Classifier("mean_teacher", **FEW).fit(np.concatenate([X, X]), np.concatenate([y, y]))
    assert twice.evidence_ == once.evidence_ and once.copies_ == {}
    assert (twice.predict_proba(X) == once.predict_proba(X)).all()
    assert twice.transduction_.tolist() == [*once.transduction_.tolist()] * 2


def test_contradicting_labels_are_warned_of(rows):
    X, y = rows
    other = np.where(np.arange(24) == 3, 1 - y, y)
    with pytest.warns(UserWarning, match="1 of the 12 rows that occur more than once has different labels"):
        model = Classifier("supervised", **FEW).fit(np.concatenate([X, X]), np.concatenate([y, other]))
    assert model.evidence_.labels == 12 and model.copies_["contradictions"] == 1


def test_images_of_a_patient_are_held_out_together():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, (6, 24, 24, 3)).astype(np.uint8)
    masks = [(x[..., 0] > 128).astype(np.int64) for x in X]
    segmenter = Segmenter("supervised", steps=2, folds=2, repeats=1, size=(16, 16))
    segmenter.fit(X, masks, groups=["a", "a", "b", "b", "c", "c"])
    assert segmenter.evidence_.clusters == 3 and segmenter.evidence_.labels == 6
    with pytest.raises(ValueError, match="all labels are of one group, and are held out together"):
        segmenter.fit(X, masks, groups=["a"] * 6)
