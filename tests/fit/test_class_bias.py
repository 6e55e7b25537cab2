"""Calibration by a temperature and biases, the share of two models, and the shares of classes, against known truths."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from tutelage.fit.both import best_share
from tutelage.fit.calibration import SPREAD, as_sure_as_right
from tutelage.fit.class_bias import BIAS_SPREAD, calibrate


def said(seed: int, n: int = 60, classes: int = 3, repeats: int = 2):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) * 2
    y = np.array([rng.choice(classes, p=softmax(row)) for row in logits])
    return softmax(logits + 0.1 * rng.normal(size=(repeats, n, classes)), -1), y


@pytest.mark.parametrize("seed", range(3))
def test_calibration_is_the_optimum_that_scipy_finds_without_slopes(seed):
    p, y = said(seed)
    weight = np.random.default_rng(seed).uniform(0.2, 2, len(y))

    first = np.log(as_sure_as_right(p, y, weight))

    def cost(x):
        z = log_softmax(np.log(p) / np.exp(x[0]) + x[1:], -1)[:, np.arange(len(y)), y]
        return (
            -(weight * z).sum() / len(p)
            + (x[0] - first) ** 2 / (2 * SPREAD**2)
            + (x[1:] ** 2).sum() / (2 * BIAS_SPREAD**2)
        )

    found = calibrate(p, y, weight)
    options = {"xatol": 1e-7, "fatol": 1e-10, "maxiter": 20_000, "maxfev": 20_000}
    best = minimize(cost, np.array([first, 0, 0, 0]), method="Nelder-Mead", options=options).x
    assert found.temperature == pytest.approx(np.exp(best[0]), rel=1e-3)
    assert found.bias == pytest.approx(best[1:] - best[1:].mean(), abs=1e-3)


def test_a_bias_that_was_added_is_taken_away():
    p, y = said(0, n=20_000, repeats=1)
    wrong = softmax(np.log(p) + np.array([1.0, 0.0, -1.0]), -1)
    assert calibrate(wrong, y).of(wrong) == pytest.approx(p, abs=0.05)


def test_a_label_of_weight_two_counts_as_two():
    p, y = said(1, n=20)
    twice = np.concatenate([np.arange(20), [3, 7]])
    weight = np.ones(20)
    weight[[3, 7]] = 2
    once, both = calibrate(p, y, weight), calibrate(p[:, twice], y[twice])
    assert once.temperature == pytest.approx(both.temperature, rel=1e-4)
    assert once.bias == pytest.approx(both.bias, abs=1e-4)


def test_without_labels_nothing_is_changed():
    p = np.array([0.3, 0.7])
    assert calibrate(np.empty((2, 0, 2)), np.empty(0, dtype=int)).of(p) == pytest.approx(p)


def test_the_share_of_a_model_follows_the_labels():
    p, y = said(2, n=400)
    noise = np.full_like(p, 1 / 3)
    assert best_share(noise, p, y) > 0.9
    assert best_share(p, noise, y) < 0.1
    few = best_share(p[:, :2], noise[:, :2], y[:2])
    assert few > 0.3  # two labels say little against what is expected


@pytest.mark.parametrize("flat", [1.0, 30.0, 1000.0])
def test_how_sure_a_model_sounds_does_not_matter(flat):
    p, y = said(3, n=30)
    told = softmax(np.log(p) / flat, -1)
    assert calibrate(told, y).of(told) == pytest.approx(calibrate(p, y).of(p), abs=0.01)
