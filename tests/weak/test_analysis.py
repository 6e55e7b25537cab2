"""How often a function votes, agrees and is right, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.weak import Votes, analyse, silent

VOTES = Votes(
    np.array([[0, 0, -1, -1], [0, 1, -1, 1], [1, -1, -1, -1], [-1, 1, -1, 1], [-1, -1, -1, -1]]),
    ["a", "b", "mute", "c"],
    ["ham", "spam"],
)


def test_shares_are_of_the_rows_voted_on():
    got = analyse(VOTES).set_index("name")
    assert got.coverage.to_dict() == {"a": 3 / 5, "b": 3 / 5, "mute": 0, "c": 2 / 5}
    assert got.overlap.drop("mute").to_dict() == {"a": 2 / 3, "b": 1, "c": 1}
    assert got.conflict.drop("mute").to_dict() == {"a": 1 / 3, "b": 1 / 3, "c": 1 / 2}
    assert got.classes.to_dict() == {"a": "ham, spam", "b": "ham, spam", "mute": "", "c": "spam"}


def test_a_function_that_never_votes_has_no_shares_but_coverage():
    got = analyse(VOTES, np.zeros(5, dtype=int), np.full((5, 2), 0.5)).set_index("name").loc["mute"]
    assert got.coverage == 0
    assert got.labels == 0
    assert got[["overlap", "conflict", "accuracy", "estimated_accuracy"]].isna().all()
    assert silent(VOTES) == ["mute"]


def test_accuracy_is_on_the_labelled_rows_that_the_function_votes_on():
    got = analyse(VOTES, np.array([0, 0, -1, 0, 1])).set_index("name")
    assert got.labels.to_dict() == {"a": 2, "b": 3, "mute": 0, "c": 2}
    assert got.accuracy.drop("mute").to_dict() == {"a": 1, "b": 1 / 3, "c": 0}
    assert got.estimated_accuracy.isna().all()


def test_estimated_accuracy_is_the_mean_probability_of_the_votes():
    estimate = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8], [0.5, 0.5]])
    got = analyse(VOTES, estimate=estimate).set_index("name").estimated_accuracy
    assert got.drop("mute").to_dict() == pytest.approx({"a": 2.2 / 3, "b": 2.1 / 3, "c": 0.6})


@pytest.mark.parametrize(
    ("y", "estimate", "message"),
    [
        (np.zeros(4, dtype=int), None, r"y must have shape \(5,\), got \(4,\)"),
        (None, np.zeros((5, 3)), r"estimate must have shape \(5, 2\), got \(5, 3\)"),
    ],
)
def test_shapes_must_fit(y, estimate, message):
    with pytest.raises(ValueError, match=message):
        analyse(VOTES, y, estimate)
