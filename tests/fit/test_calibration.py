"""The temperature and the measures of calibration, against scipy, scikit-learn and closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss

from tutelage.fit.auto import Auto, Selection
from tutelage.fit.build import Build, Items
from tutelage.fit.calibration import (
    NONE,
    SPREAD,
    Reliability,
    as_sure_as_right,
    best_temperature,
    by_repeat,
    calibrated,
    calibration_error,
    tempered,
)
from tutelage.fit.defaults import HEAD
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import fit
from tutelage.fit.problem import Plan
from tutelage.fit.reference import reference_model
from tutelage.fit.setup import Setup
from tutelage.fit.shares import LABELS_ONLY
from tutelage.methods import Supervised
from tutelage.modalities.rows.reader import RowReader
from tutelage.tasks import Classification
from tutelage.train import Training


def said(seed: int, repeats: int = 2, n: int = 40, classes: int = 3, scale: float = 3.0):
    """Probabilities of logits that are ``scale`` times too large, and labels drawn by the right ones."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) + 0.1 * rng.normal(size=(repeats, n, classes))
    y = np.array([rng.choice(classes, p=softmax(row)) for row in logits[0]])
    return softmax(scale * logits, -1), y


@pytest.mark.parametrize("spread", [0.3, SPREAD, 10.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_temperature_is_the_optimum_that_scipy_finds(seed, spread):
    p, y = said(seed)
    first = np.log(as_sure_as_right(p, y, np.ones(len(y))))

    def cost(log_t):
        losses = [log_loss(y, softmax(np.log(each) / np.exp(log_t), -1), normalize=False) for each in p]
        return np.mean(losses) + (log_t[0] - first) ** 2 / (2 * spread**2)

    expected = np.exp(minimize(cost, [first], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}).x[0])
    assert best_temperature(p, y, spread) == pytest.approx(expected, rel=1e-4)


def test_logits_that_are_three_times_too_large_have_temperature_three():
    p, y = said(0, repeats=1, n=20_000)
    assert best_temperature(p, y) == pytest.approx(3, rel=0.05)


def test_a_few_labels_that_happen_to_be_right_or_wrong_do_not_move_it_far():
    p = np.tile([0.7, 0.3], (1, 6, 1))
    all_right, all_wrong = best_temperature(p, np.zeros(6, int)), best_temperature(p, np.ones(6, int))
    assert 0.2 < all_right < 1 and all_wrong > 8  # what was always wrong says nothing
    assert best_temperature(p, np.zeros(6, int), 100.0) < all_right / 3  # without a prior every prediction is certain
    many = np.tile([0.7, 0.3], (1, 6000, 1))
    assert best_temperature(many, np.zeros(6000, int)) < all_right


def test_what_is_always_right_says_so_though_all_its_probabilities_are_near_one_half():
    p = np.tile([0.501, 0.499], (1, 24, 1))
    assert tempered(p[0, :1], best_temperature(p, np.zeros(24, int)))[0, 0] > 0.9


def test_a_repeat_that_says_the_same_again_changes_nothing():
    p, y = said(1, repeats=1)
    assert best_temperature(np.repeat(p, 3, 0), y) == pytest.approx(best_temperature(p, y), rel=1e-6)


def test_certain_and_undecided_predictions_have_a_finite_temperature():
    certain = np.tile([1.0, 0.0], (1, 10, 1))
    assert np.isfinite(best_temperature(certain, np.ones(10, int)))
    assert np.isfinite(best_temperature(np.full((1, 10, 2), 0.5), np.ones(10, int)))
    assert best_temperature(np.empty((1, 0, 2)), np.empty(0, int)) == 1


@pytest.mark.parametrize("temperature", [0.2, 1.0, 5.0])
def test_tempered_probabilities_are_the_softmax_and_keep_the_class(temperature):
    p, _ = said(2)
    found = tempered(p, temperature)
    np.testing.assert_allclose(found, np.exp(log_softmax(np.log(p) / temperature, -1)), rtol=1e-9)
    np.testing.assert_array_equal(found.argmax(-1), p.argmax(-1))


def test_the_calibration_error_is_that_of_a_loop_over_the_bins():
    p, y = said(3, repeats=1, n=500)
    p, top = p[0], p[0].max(1)
    right = p.argmax(1) == y
    edges = np.linspace(0, 1, 16)
    total = 0.0
    for low, high in zip(edges, edges[1:], strict=False):
        inside = (top >= low) & (top < high) if high < 1 else top >= low
        if inside.any():
            total += inside.mean() * abs(top[inside].mean() - right[inside].mean())
    assert calibration_error(p, y) == pytest.approx(total, abs=1e-12)
    assert calibration_error(p, y, 1) == pytest.approx(abs(top.mean() - right.mean()), abs=1e-12)
    assert calibration_error(p, y, 1, equal_mass=True) == pytest.approx(calibration_error(p, y, 1), abs=1e-12)
    each_its_own_bin = calibration_error(p, y, 500, equal_mass=True)
    assert each_its_own_bin == pytest.approx(np.abs(top - right).mean(), abs=1e-12)


def test_the_measures_are_those_of_scikit_learn():
    p, y = said(4, repeats=1)
    found = Reliability.of(p[0], y)
    assert found.log_loss == pytest.approx(log_loss(y, p[0]))
    assert found.brier == pytest.approx(((p[0] - np.eye(3)[y]) ** 2).sum(1).mean())


def test_folds_are_put_together_and_unknown_labels_left_out():
    p, y = said(5, repeats=2, n=6)
    folds = [np.array([0, 3, 5]), np.array([1, 2, 4])], [np.array([4, 2, 0]), np.array([1, 5, 3])]
    parts = [(index, {"probabilities": p[k, index]}) for k, repeat in enumerate(folds) for index in repeat]
    np.testing.assert_array_equal(by_repeat(parts, 6), p)
    y[2] = -1
    known = y >= 0
    found = calibrated(parts, y)
    assert found.labels == 5
    assert found.temperature == pytest.approx(best_temperature(p[:, known], y[known]))
    np.testing.assert_array_equal(found.probabilities, p[:, known])


def test_nothing_known_is_no_calibration():
    p, _ = said(6, repeats=1, n=4)
    assert calibrated([(np.arange(4), {"probabilities": p[0]})], np.full(4, -1)) is NONE
    assert calibrated([], np.empty(0, int)) is NONE
    assert NONE.temperature == 1 and "No held-out label" in NONE.as_dict()["words"]


@pytest.mark.parametrize(("scale", "word"), [(4.0, "flattened"), (0.2, "sharpened")])
def test_what_was_done_is_said(scale, word):
    p, y = said(7, repeats=1, n=300, scale=scale)
    found = calibrated([(np.arange(300), {"probabilities": p[0]})], y)
    assert f"Probabilities were {word} (temperature {found.temperature:.2f}" in found.words()
    assert "chosen on 300 held-out labels" in found.words()
    assert found.after.log_loss < found.before.log_loss


@pytest.mark.parametrize("method", [Supervised(), Auto(budget=40)])
def test_a_fit_calibrates_the_model_that_it_returns_by_this_models_own_folds(method, monkeypatch):
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    x = (y[:, None] + 1.5 * rng.normal(size=(80, 3))).astype(np.float32)
    items = Items(Classification(2), x[:40], y[:40], x[40:])
    problem = Build(RowReader(), (), HEAD, whole=False, cache=Path()).of(items).problem()
    plan, training = Plan(folds=2, repeats=1, harm_limit=0.0), Training(steps=10)
    # of "auto": nothing beats the reference
    monkeypatch.setattr(
        "tutelage.fit.auto_student.Search.run", lambda s, budget: Selection({LABELS_ONLY: 1.0}, s.reference, [])
    )
    outcome = fit(problem, method, training, Prior(), plan)
    assert outcome.network is outcome.reference
    own = reference_model(Setup(problem, training), problem.folds(plan, training.seed), None).own
    np.testing.assert_array_equal(outcome.calibration.probabilities, by_repeat(own, 40))
    assert outcome.calibration.temperature == best_temperature(by_repeat(own, 40), problem.y)
    skipped = fit(problem, Supervised(), training, Prior(), Plan(skip=True))
    assert skipped.calibration is NONE
