"""The exact student: the optimum of the softmax model that a round of self-distillation trains, not linearised.

A round minimises ``1/N sum_i sum_j Y_ij l_q(p_ij) + lambda / 2 |W|^2`` with ``p = softmax(X W)`` and

    l_0(p) = - log p,      l_q(p) = (1 - p^q) / q for q in (0, 1].

For q = 0 the refined labels of its optimum solve ``Y_t = softmax(G (Y_(t-1) - Y_t) / (N lambda))``        (E).

Sources: Jeong and Chung, ICLR 2025; Zhang and Sabuncu, NeurIPS 2018 (l_q, generalised cross-entropy).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, minres
from scipy.special import log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning

from tutelage.distil.closed import Decomposition, decompose
from tutelage.distil.rows import FeatureRows, blocks
from tutelage.ops.checks import in_range
from tutelage.ops.said import warn

ROUGH = 1e-6
"""Tolerance of the gradient for L-BFGS: below it, differences of the loss are rounding errors, and Newton's steps take
over."""


@dataclass(frozen=True)
class Exact:
    """A student at its optimum.

    Args:
        weights: weights W, (d, K); the student's logits are ``X W``.
        gradient: largest absolute entry of the loss's gradient at these weights.
        loss: loss at these weights, in nats for q = 0.
    """

    weights: Float[np.ndarray, "d k"]
    gradient: float
    loss: float

    def labels(self, rows: FeatureRows) -> Float[np.ndarray, "n k"]:
        """Probabilities ``softmax(X W)`` of any rows, (n, K); on the training rows they are the refined labels."""
        return np.concatenate([softmax(x @ self.weights, axis=1) for _, x in blocks(rows)])


@dataclass(frozen=True)
class _Problem:
    """The loss as a function of coordinates in which the linearised loss is equally curved in every direction.

    Args:
        rows: X, (n, d).
        targets: labels Y as probabilities, (n, K).
        weight_decay: lambda.
        power: exponent q.
        basis: matrix that maps coordinates, (r, K), to weights, (d, K); its shape is (d, r).
    """

    rows: FeatureRows
    targets: np.ndarray
    weight_decay: float
    power: float
    basis: np.ndarray

    def weights(self, point: np.ndarray) -> np.ndarray:
        """Weights W, (d, K), of coordinates, (r K,)."""
        found: np.ndarray = self.basis @ point.reshape(self.basis.shape[1], -1)
        return found

    def back(self, sums: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Gradient in the coordinates, (r K,), the penalty's included.

        Args:
            sums: gradient of the rows' losses in the weights, summed over rows, (d, K).
            weights: weights W, (d, K).
        """
        found: np.ndarray = self.basis.T @ (sums / len(self.rows) + self.weight_decay * weights)
        return found.ravel()

    def loss(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss, and its gradient in the coordinates, (r K,)."""
        w, q = self.weights(point), self.power
        total, sums = 0.0, np.zeros_like(w)
        for part, x in blocks(self.rows):
            y, log_p = self.targets[part], log_softmax(x @ w.astype(x.dtype), axis=1)
            pulled = y * np.exp(q * log_p)  # y p^q
            total += float((y - pulled).sum() / q if q else -(y * log_p).sum())
            sums += x.T @ (np.exp(log_p) * pulled.sum(1, keepdims=True) - pulled).astype(x.dtype)
        return total / len(self.rows) + self.weight_decay / 2 * float((w**2).sum()), self.back(sums, w)

    def curvature(self, point: np.ndarray, along: np.ndarray) -> np.ndarray:
        """The Hessian at ``point`` times the direction ``along``, (r K,)."""
        w, v, q = self.weights(point), self.weights(along), self.power
        sums = np.zeros_like(w)
        for part, x in blocks(self.rows):
            log_p = log_softmax(x @ w, axis=1)
            p, pulled, u = np.exp(log_p), self.targets[part] * np.exp(q * log_p), x @ v
            u -= (p * u).sum(1, keepdims=True)  # the change of log p along the direction
            rise = q * pulled * u
            sums += x.T @ (p * (u * pulled.sum(1, keepdims=True) + rise.sum(1, keepdims=True)) - rise)
        return self.back(sums, v)


def student(
    rows: FeatureRows,
    targets: Float[np.ndarray, "n k"],
    weight_decay: float,
    power: float = 0.0,
    start: Float[np.ndarray, "d k"] | None = None,
    tolerance: float = 1e-10,
    decomposition: Decomposition | None = None,
) -> Exact:
    """Train the softmax model of a round of self-distillation to its optimum, by L-BFGS and then by Newton's steps.

    Args:
        rows: X, (n, d), float64; float32 takes half the time, for tolerances down to 1e-3. For a kernel, give
            ``gram @ decompose_gram(gram).basis``.
        targets: labels as probabilities, (n, K), rows sum to 1.
        weight_decay: lambda, above 0.
        power: exponent q in [0, 1]; 0 is cross-entropy, whose optimum is unique. Other losses are not convex: the
            optimum is the one found from ``start``. The released partial-label student takes 0.7 and starts at its
            teacher.
        start: initial weights, (d, K); None is 0.
        tolerance: largest absolute entry of the gradient at which the training ends.
        decomposition: decomposition of these rows, or of similar rows, where it is known; it only affects the speed.

    Warns:
        ConvergenceWarning: the tolerance was not reached.

    >>> x = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> found = student(x, np.eye(2)[[0, 1, 1]], weight_decay=0.1)
    >>> found.labels(x).round(2).tolist(), found.gradient < 1e-10
    ([[0.65, 0.35], [0.32, 0.68], [0.11, 0.89]], True)
    """
    in_range("weight_decay", float(weight_decay), 0, low_open=True)
    in_range("power", float(power), 0, 1)
    d, classes = decomposition or decompose(rows), targets.shape[1]
    axes = d.basis * np.sqrt(d.rows * classes / (d.values + d.rows * classes * weight_decay))
    problem = _Problem(rows, targets, weight_decay, power, axes)
    point = np.zeros((axes.shape[1], classes))
    if start is not None:  # the axes are at right angles
        point = axes.T @ start / (axes**2).sum(0)[:, None]
    rough = max(tolerance, ROUGH)
    found = minimize(
        problem.loss, point.ravel(), jac=True, method="L-BFGS-B",
        options={"gtol": rough, "ftol": 0, "maxiter": 2000, "maxfun": 4000, "maxcor": 20},
    )  # fmt: skip
    point = _refined(problem, found.x, tolerance) if tolerance < ROUGH else found.x
    loss, slope = problem.loss(point)
    gradient = float(np.abs(slope).max())
    if gradient > tolerance:
        warn(f"the gradient is {gradient:.1e}, above {tolerance:.1e}", ConvergenceWarning, stacklevel=2, page="solver")
    return Exact(problem.weights(point), gradient, loss)


def _refined(problem: _Problem, point: np.ndarray, tolerance: float) -> np.ndarray:
    """The coordinates after Newton's steps, which go on for as long as each lowers the largest gradient entry."""
    slope = problem.loss(point)[1]
    while np.abs(slope).max() > tolerance:
        here, size = point, len(point)
        hessian = LinearOperator((size, size), matvec=lambda v, here=here: problem.curvature(here, v), dtype=float)
        step, _ = minres(hessian, slope, rtol=1e-6)
        lower = problem.loss(point - step)[1]
        if np.abs(lower).max() >= np.abs(slope).max():
            break
        point, slope = point - step, lower
    return point


def self_distil(
    rows: FeatureRows, labels: Float[np.ndarray, "n k"], weight_decay: float, rounds: int
) -> list[Float[np.ndarray, "n k"]]:
    """Refined labels ``Y_1 .. Y_t`` of exact rounds, (n, K) each; each round learns those of the round before.

    Args:
        rows: X, (n, d).
        labels: labels as given, one-hot or soft, (n, K).
        weight_decay: lambda, above 0.
        rounds: number of rounds t, at least 1.

    >>> x = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> [y[0].round(2).tolist() for y in self_distil(x, np.eye(2)[[0, 1, 1]], 0.1, rounds=2)]
    [[0.65, 0.35], [0.56, 0.44]]
    """
    in_range("rounds", rounds, 1)
    d, found, weights = decompose(rows), [], None
    for _ in range(rounds):
        fit = student(rows, labels, weight_decay, start=weights, decomposition=d)
        labels, weights = fit.labels(rows), fit.weights
        found.append(labels)
    return found
