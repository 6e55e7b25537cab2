"""The exact student: at its optimum, and near the closed form where softmax is nearly linear."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from tutelage.distil.closed import decompose, decompose_gram, one_hot, outputs
from tutelage.distil.exact import _Problem, self_distil, student
from tutelage.distil.noise import corrupt, symmetric
from tutelage.distil.partial import RELEASED, two_hot
from tutelage.distil.partial import student as linearised

DECAY = 1e-3


@pytest.fixture(scope="module")
def digits():
    """Rows of length about 1, noisy one-hot labels, the truth."""
    x, y = load_digits(return_X_y=True)
    x, y = (x[:500] - x[:500].mean(0)) / 34, y[:500]
    return x, one_hot(corrupt(y, symmetric(10, 0.4), seed=0), 10), y


def loss(x, y, w, decay, q):
    """Written from the formula, one row at a time."""
    total = decay / 2 * (w**2).sum()
    for row, target in zip(x, y, strict=True):
        p = np.exp(log_softmax(row @ w))
        total += (target * (-np.log(p) if q == 0 else (1 - p**q) / q)).sum() / len(x)
    return total


@pytest.mark.parametrize("q", [0.0, 0.3, RELEASED, 1.0])
def test_gradient_and_curvature_against_finite_differences(q):
    rng = np.random.default_rng(0)
    x, y, w = rng.standard_normal((6, 3)), rng.dirichlet(np.ones(4), 6), rng.standard_normal((3, 4))
    problem, point, along = _Problem(x, y, 0.1, q, np.eye(3)), w.ravel(), rng.standard_normal(12)
    value, slope = problem.loss(point)
    assert value == pytest.approx(loss(x, y, w, 0.1, q), rel=1e-12)
    for i in range(12):
        step = 1e-6 * np.eye(12)[i].reshape(3, 4)
        assert slope[i] == pytest.approx((loss(x, y, w + step, 0.1, q) - loss(x, y, w - step, 0.1, q)) / 2e-6, abs=1e-8)
    ahead, behind = (problem.loss(point + s * 1e-6 * along)[1] for s in (1, -1))
    np.testing.assert_allclose(problem.curvature(point, along), (ahead - behind) / 2e-6, atol=1e-7)


def test_the_optimum_is_the_fixed_point(digits):
    x, y, _ = digits
    found = student(x, y, DECAY)
    assert found.gradient < 1e-10
    new = found.labels(x)
    np.testing.assert_allclose(new, softmax(x @ x.T @ (y - new) / (len(x) * DECAY), axis=1), rtol=0, atol=1e-9)


def test_the_first_round_is_logistic_regression(digits):
    x, y, _ = digits
    theirs = LogisticRegression(C=1 / (DECAY * len(x)), fit_intercept=False, tol=1e-10, max_iter=10_000)
    expected = theirs.fit(x, y.argmax(1)).predict_proba(x)
    np.testing.assert_allclose(student(x, y, DECAY).labels(x), expected, atol=1e-6)


def test_one_optimum_from_any_start(digits):
    x, y, _ = digits
    far = np.random.default_rng(0).standard_normal((64, 10))
    np.testing.assert_allclose(student(x, y, DECAY, start=far).labels(x), student(x, y, DECAY).labels(x), atol=1e-9)


def test_a_start_that_is_good_enough_is_kept(digits):
    x, y, _ = digits
    d = decompose(x)
    start = d.weights(d.moments(x, y), DECAY)
    np.testing.assert_allclose(student(x, y, DECAY, start=start, tolerance=10).weights, start, atol=1e-12)
    gram = x[:40] @ x[:40].T  # a basis whose columns are not of length 1
    dual = decompose_gram(gram)
    start = dual.weights(dual.moments(gram, y[:40]), DECAY)
    kept = student(gram, y[:40], DECAY, start=start, tolerance=10, decomposition=dual)
    np.testing.assert_allclose(gram @ kept.weights, gram @ start, atol=1e-10)


@pytest.mark.parametrize("q", [0.0, 0.9])
def test_rows_of_either_precision(digits, q):
    x, y, _ = digits
    start = np.zeros((64, 10)) if q == 0 else student(x, y, DECAY).weights
    one, two = (student(x.astype(t), y, DECAY, q, start, tolerance=1e-3) for t in (np.float64, np.float32))
    np.testing.assert_allclose(one.labels(x), two.labels(x), atol=2e-3)


def test_more_features_than_rows(digits):
    x, y, _ = digits
    x, y = x[:40], y[:40]
    found = student(x, y, DECAY)
    np.testing.assert_allclose(found.weights, x.T @ (y - found.labels(x)) / (40 * DECAY), atol=1e-7)


@pytest.mark.parametrize("q", [0.0, RELEASED])
def test_the_closed_form_is_reached_as_the_penalty_grows(digits, q):
    """Logits shrink as 1 / lambda, and the difference as their square."""
    x, y, _ = digits
    d, far = decompose(x), []
    for decay in (1e-1, 1.0, 10.0):
        teacher = outputs(x, d.weights(d.moments(x, y), decay))
        targets = two_hot(teacher) if q else y
        exact = student(x, targets, decay, power=q)
        far.append(np.abs(exact.labels(x) - outputs(x, linearised(d, x, targets, decay, q))).max())
    assert far[1] < far[0] / 50
    assert far[2] < far[1] / 50


def test_rounds_learn_the_labels_of_the_round_before(digits):
    x, y, _ = digits
    first, second = self_distil(x, y, DECAY, rounds=2)
    np.testing.assert_allclose(first, student(x, y, DECAY).labels(x), atol=1e-9)
    np.testing.assert_allclose(second, student(x, first, DECAY).labels(x), atol=1e-9)


def test_a_student_trained_step_by_step_is_within_half_a_point_of_the_optimum(digits):
    """SGD with momentum, its rate falling, as the authors train theirs."""
    x, y, truth = digits
    best = student(x, y, DECAY).labels(x)
    features, targets = torch.as_tensor(x), torch.as_tensor(y)
    w = torch.zeros(64, 10, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([w], lr=5.0, momentum=0.9, weight_decay=DECAY)
    slower = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.98)
    order = torch.Generator().manual_seed(0)
    for _ in range(150):
        for batch in torch.randperm(len(x), generator=order).split(100):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(features[batch] @ w, targets[batch]).backward()
            optimiser.step()
        slower.step()
    trained = (features @ w).softmax(1).detach().numpy()
    assert abs((trained.argmax(1) == truth).mean() - (best.argmax(1) == truth).mean()) <= 0.005
    assert np.abs(trained - best).max() < 0.02


def test_the_released_student_starts_at_its_teacher_and_lowers_its_loss(digits):
    x, y, _ = digits
    teacher = student(x, y, DECAY)
    targets = two_hot(teacher.labels(x))
    found = student(x, targets, DECAY, power=RELEASED, start=teacher.weights)
    assert found.gradient < 1e-10
    assert found.loss == pytest.approx(loss(x, targets, found.weights, DECAY, RELEASED))
    assert found.loss < loss(x, targets, teacher.weights, DECAY, RELEASED) - 0.01


def test_an_optimum_that_is_not_reached_is_told(digits):
    x, y, _ = digits
    with pytest.warns(ConvergenceWarning, match=r"the gradient is .*, above 0.0e\+00"):
        student(x[:50], y[:50], DECAY, tolerance=0.0)
    with pytest.raises(ValueError, match=r"power must be in \[0, 1\], got 1.5"):
        student(x, y, DECAY, power=1.5)
