"""Promises on the error among answered rows: by simulation on exchangeable data, and by closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from tutelage.fit import abstention
from tutelage.fit.abstention import CONFIDENCE, Promise, measured, needed, promise, upper_bound
from tutelage.fit.calibration import Calibration, Reliability


def held(confidence, right, label=None):
    confidence, right = np.atleast_2d(np.asarray(confidence, float)), np.atleast_2d(np.asarray(right, bool))
    return {"confidence": confidence, "right": right, "label": np.zeros(confidence.shape[1], int)}


def population(rng, n, shape):
    """Stated probabilities, and whether the answers are right; the statement is too sure of itself."""
    sure = 0.5 + 0.5 * rng.beta(*shape, size=n)
    return sure, rng.random(n) < np.minimum(sure, 0.4 + 0.55 * sure**2)


@pytest.mark.parametrize("error", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("labels", [40, 150])
@pytest.mark.parametrize("shape", [(1, 1), (4, 1)])
def test_the_promise_holds_in_simulated_draws(error, labels, shape):
    rng = np.random.default_rng(0)
    sure, right = population(rng, 100_000, shape)
    order = np.argsort(-sure)
    truth = np.cumsum(~right[order]) / np.arange(1, len(sure) + 1)
    draws, above, total, answering = 400, 0, 0.0, 0
    for _ in range(draws):
        t = promise(held(*population(rng, labels, shape)), error).threshold
        if t is not None:
            wrong = truth[np.searchsorted(-sure[order], -t, side="right") - 1]
            above, total, answering = above + (wrong > error), total + wrong, answering + 1
    chance = 1 - CONFIDENCE
    assert above / draws <= chance + 3 * np.sqrt(chance * (1 - chance) / draws)
    assert total / draws <= error  # the expected error among answered rows, none where none is answered
    if labels == 150 and error == 0.2:
        assert answering / draws > 0.5  # and it is not kept by silence


def test_the_upper_bound_is_where_so_few_wrong_ones_are_that_improbable():
    wrong, n = np.array([0, 1, 4]), np.array([16, 40, 60])
    bound = upper_bound(wrong.astype(float), n.astype(float))
    np.testing.assert_allclose(binom.cdf(wrong, n, bound), 1 - CONFIDENCE, rtol=1e-9)


@pytest.mark.parametrize("error", [0.01, 0.02, 0.05, 0.1, 0.5, 0.9])
def test_as_many_right_labels_as_are_needed_just_promise_it(error):
    least = needed(error)
    sure = np.linspace(0.6, 0.9, least)
    assert promise(held(sure, np.ones(least)), error).threshold == sure[0]
    less = promise(held(sure[1:], np.ones(least - 1)), error)
    assert less.threshold is None and less.wrong is None
    if least > 1:
        assert f"it takes {least} right held-out labels" in less.words() and f"has {least - 1} in all" in less.words()


@pytest.mark.parametrize("error", [0.0, -0.1, 1.0, 1.5])
def test_an_error_out_of_its_range_is_refused(error):
    with pytest.raises(ValueError, match="abstain must be"):
        promise({}, error)


def test_all_wrong_labels_promise_nothing():
    found = promise(held(np.linspace(0.5, 1, 100), np.zeros(100)), 0.05)
    assert found.threshold is None and found.wrong == 1
    assert "32 surest 100.0 % are wrong" in found.words()
    assert not found.answers(np.ones(3)).any()


def test_without_held_out_labels_nothing_is_promised():
    assert "this model has 0 in all" in promise({}, 0.1).words()


def test_labels_of_one_probability_stand_or_fall_together():
    right = np.arange(100) >= 40
    assert promise(held(np.full(100, 0.8), right), 0.1).threshold is None  # 40 of 100 are wrong, in whatever order
    sure = np.repeat([0.9, 0.8], 50)
    assert promise(held(sure, np.arange(100) < 50), 0.1).threshold == 0.9
    assert promise(held(sure, np.ones(100)), 0.1).threshold == 0.8


def test_a_threshold_behind_one_that_failed_is_not_tried():
    right = np.ones(300, bool)
    right[10:20] = False  # among the surest
    sure = np.linspace(1, 0.5, 300)
    assert promise(held(sure, right), 0.1).threshold is None
    assert upper_bound(np.array([10.0]), np.array([300.0]))[0] < 0.1  # though all of them together would pass


def test_repeats_that_agree_promise_what_one_promises():
    rng = np.random.default_rng(1)
    sure, right = rng.random(80), rng.random(80) < 0.97
    assert promise(held([sure] * 3, [right] * 3), 0.1) == promise(held(sure, right), 0.1)


def test_permuted_labels_promise_the_same():
    rng = np.random.default_rng(2)
    sure, right = rng.random(80), rng.random(80) < 0.97
    order = rng.permutation(80)
    assert promise(held(sure[order], right[order]), 0.1) == promise(held(sure, right), 0.1)


def test_what_is_kept_is_at_the_temperature():
    p, y = np.array([[[0.8, 0.2], [0.4, 0.6]]]), np.array([0, 0])
    score = Reliability.of(p[0], y)
    found = abstention.kept(Calibration(2.0, 2, score, score, p, y))
    np.testing.assert_allclose(found["confidence"], [[2 / 3, 1 / (1 + np.sqrt(2 / 3))]])
    assert found["right"].tolist() == [[True, False]]


def test_shares_that_are_measured_are_those_of_the_rows():
    found = measured(Promise(0.1, 0.8, 50, 16), np.array([0.9, 0.8, 0.7, 0.95]), np.array([True, False, False, True]))
    assert found["answered"] == 0.75 and found["error"] == pytest.approx(1 / 3)
    silent = measured(Promise(0.1, None, 5, 16), np.array([0.9]), np.array([True]))
    assert silent["answered"] == 0 and silent["error"] is None
    assert abstention.in_words(silent) == "With at most 10 % wrong labels promised, no row gets one."


def test_classes_that_are_drawn_otherwise_are_seen():
    even = {"label": np.array([0, 1] * 20)}
    assert abstention.differs(even, np.repeat([0, 1], [70, 30]), 2) is None
    assert abstention.differs(even, np.repeat([0, 1], [87, 13]), 2) == pytest.approx(0.37)
    assert abstention.differs({}, np.zeros(5, int), 2) is None
