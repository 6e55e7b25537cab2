"""Bayes' rule on noisy labels, its fit, and what a ranking is worth, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.audit.measures import average_precision, precision_recall
from tutelage.audit.posterior import bayes, centred, fit, noise_rate, pooled
from tutelage.distil.noise import corrupt, next_class, symmetric


def test_the_posterior_is_bayes_rule_worked_out_by_hand():
    p, c = np.array([[0.6, 0.3, 0.1]]), np.array([[0.8, 0.1, 0.1], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    # given 0: 0.6 x 0.8 = 0.48 and 0.3 x 0.5 = 0.15, of 0.63 in all
    np.testing.assert_allclose(bayes(p, np.array([0]), c), [[0.48 / 0.63, 0.15 / 0.63, 0]])
    # given 2: 0.6 x 0.1 = 0.06 and 0.1 x 1 = 0.1, of 0.16 in all
    np.testing.assert_allclose(bayes(p, np.array([2]), c), [[0.375, 0, 0.625]])


def test_without_noise_no_label_is_wrong_and_with_noise_that_tells_nothing_the_belief_stays():
    p = np.array([[0.2, 0.8], [0.7, 0.3]])
    np.testing.assert_array_equal(bayes(p, np.array([0, 1]), np.eye(2)), [[1, 0], [0, 1]])
    np.testing.assert_allclose(bayes(p, np.array([0, 1]), np.full((2, 2), 0.5)), p)


def test_a_label_that_no_class_is_given_leaves_the_belief():
    p, c = np.array([[0.2, 0.8]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_array_equal(bayes(p, np.array([1]), c), p)


def test_the_pool_of_one_opinion_has_a_temperature():
    z = np.array([[[0.0, 1.0]]])
    np.testing.assert_allclose(pooled(z, np.array([1 / 0.5])), [[1 / (1 + np.e**2), 1 / (1 + np.e**-2)]])


def worlds(rows: int, transition: np.ndarray, seed: int):
    """Rows whose clean probabilities are known exactly, their classes, and labels with noise."""
    rng = np.random.default_rng(seed)
    z = 3 * rng.standard_normal((rows, len(transition)))
    p = pooled(z[None], np.ones(1))
    y = (p.cumsum(1) > rng.random((rows, 1))).argmax(1)
    return z, p, y, corrupt(y, transition, seed)


@pytest.mark.parametrize("transition", [symmetric(3, 0.4), next_class(3, 0.3), np.eye(3)])
def test_the_fit_finds_the_temperature_and_the_transition_that_made_the_labels(transition):
    z, p, _, given = worlds(20_000, transition, 0)
    found = fit(centred([z / 2]), given, prior=0.0)  # the opinion is half as sure as it should be
    np.testing.assert_allclose(found.transition, transition, atol=0.03)
    assert found.weights[0] == pytest.approx(2, abs=0.25)
    exact = bayes(p, given, transition)
    assert np.abs(found.posterior(centred([z / 2]), given) - exact).mean() < 0.02


def test_the_posterior_is_calibrated():
    z, _, y, given = worlds(20_000, symmetric(3, 0.3), 1)
    wrong = 1 - fit(centred([z]), given).posterior(centred([z]), given)[np.arange(len(y)), given]
    for low in np.arange(0, 1, 0.2):
        here = (wrong >= low) & (wrong < low + 0.2)
        assert (y != given)[here].mean() == pytest.approx(wrong[here].mean(), abs=0.05)


def test_the_noise_rate_is_the_mean_probability_of_being_wrong():
    assert noise_rate(np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([0, 0])) == pytest.approx(0.35)
    z, _, y, given = worlds(20_000, symmetric(3, 0.3), 2)
    assert noise_rate(fit(centred([z]), given).posterior(centred([z]), given), given) == pytest.approx(
        (y != given).mean(), abs=0.02
    )


def test_an_opinion_that_knows_nothing_gets_no_weight():
    z, _, _, given = worlds(5_000, symmetric(3, 0.3), 3)
    noise = np.random.default_rng(4).standard_normal(z.shape)
    found = fit(centred([z, noise]), given)
    assert found.weights[1] < 0.1 * found.weights[0]


def test_classes_in_another_order_get_the_same_probabilities():
    z, _, _, given = worlds(2_000, next_class(3, 0.3), 5)
    turn = np.array([2, 0, 1])  # class k is class turn[k] now
    plain = fit(centred([z]), given).posterior(centred([z]), given)
    other = centred([z[:, np.argsort(turn)]])
    turned = fit(other, turn[given]).posterior(other, turn[given])
    np.testing.assert_allclose(turned[:, turn], plain, atol=1e-4)


def test_average_precision_is_the_mean_precision_at_the_wrong_labels():
    wrong = np.array([True, False, True, True, False])
    # at ranks 1, 3 and 4: 1/1, 2/3 and 3/4
    assert average_precision(wrong, np.array([5.0, 4, 3, 2, 1])) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert average_precision(np.zeros(3, dtype=bool), np.arange(3.0)) is None


def test_precision_and_recall_of_what_is_listed():
    wrong = np.array([True, True, True, False, False])
    assert precision_recall(wrong, np.array([True, True, False, True, False])) == (2 / 3, 2 / 3)
    nothing = np.zeros(5, dtype=bool)
    assert precision_recall(wrong, nothing) == (None, 0.0)
    assert precision_recall(nothing, wrong) == (0.0, None)
