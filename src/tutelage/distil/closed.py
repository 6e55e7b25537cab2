"""Self-distillation of a linear model on fixed features, linearised: every round from one decomposition.

Softmax near 0 is ``1/K + v/K``, so each round smooths the labels of the round before as ridge regression does:

    Y_t - 1/K = A^t (Y_0 - 1/K),   A = G (rho + G)^-1,   G = X X',   rho = K lambda N                       (L)

with K classes, N rows and ``lambda / 2 |W|^2`` beside the mean cross-entropy. The eigenvalues s of G give
``A^t`` those of ``(s / (rho + s))^t``, for any t and any lambda at once.

Source: Jeong and Chung, Rethinking Self-Distillation: Label Averaging and Enhanced Soft Label Refinement with Partial
Labels, ICLR 2025, arXiv 2402.10482; the closed form is derived here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import eigh

from tutelage.distil.rows import FeatureRows, blocks
from tutelage.ops.checks import in_range


def penalty(weight_decay: float, rows: int, classes: int) -> float:
    """The ridge ``rho = K lambda N`` that a weight decay lambda amounts to.

    Args:
        weight_decay: lambda, above 0, beside the *mean* cross-entropy.
        rows: N, of all classes together.
        classes: K.

    >>> penalty(1e-4, rows=240, classes=4)
    0.096
    """
    in_range("weight_decay", float(weight_decay), 0, low_open=True)
    return classes * weight_decay * rows


def one_hot(labels: Int[np.ndarray, " n"], classes: int) -> Float[np.ndarray, "n k"]:
    """Class numbers as rows of probabilities.

    >>> one_hot(np.array([1, 0]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    rows: np.ndarray = np.eye(classes)[labels]
    return rows


@dataclass(frozen=True)
class Decomposition:
    """The eigenvalues of G and the directions that belong to them.

    Args:
        values: s, (r,), above 0; directions along which no row differs are left out.
        basis: from rows to coordinates along the directions, (d, r): ``(X basis)' (X basis) = diag(s)``.
        rows: N, the rows that were decomposed.

    >>> x, y = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]), one_hot(np.array([0, 1, 1]), 2)
    >>> d = decompose(x)
    >>> outputs(x, d.weights(d.moments(x, y), weight_decay=0.1)).round(2).tolist()
    [[0.64, 0.36], [0.35, 0.65], [0.06, 0.94]]
    """

    values: Float[np.ndarray, " r"]
    basis: Float[np.ndarray, "d r"]
    rows: int

    def moments(self, rows: FeatureRows, targets: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "r k"]:
        """What the rows and their targets leave for `weights`: ``basis' X' (Y - 1/K)``."""
        found: np.ndarray = self.basis.T @ cross(rows, targets)
        return found

    def shrinkage(self, weight_decay: float, classes: int) -> Float[np.ndarray, " r"]:
        """What one round leaves of each direction, ``s / (rho + s)``, in (0, 1)."""
        return self.values / (penalty(weight_decay, self.rows, classes) + self.values)

    def weights(
        self, moments: Float[np.ndarray, "r k"], weight_decay: float, rounds: int = 1
    ) -> Float[np.ndarray, "d k"]:
        """The student of round t: ``W_t = V (s / (rho + s))^(t-1) (rho + s)^-1 V' X' (Y_0 - 1/K)``.

        Args:
            moments: of the labels as given, from `moments`.
            weight_decay: lambda, above 0.
            rounds: t, at least 1; 1 is the teacher.

        Returns:
            (d, K); its outputs are those of `outputs`, its logits K times ``x' W``.
        """
        in_range("rounds", rounds, 1)
        shrunk = self.shrinkage(weight_decay, moments.shape[1])
        weights: np.ndarray = self.basis @ ((shrunk**rounds / self.values)[:, None] * moments)
        return weights


def decompose(rows: FeatureRows) -> Decomposition:
    """Decompose features, through ``X' X`` (d, d) where they are few and ``X X'`` (n, n) where the rows are.

    Args:
        rows: X, (n, d), float64.
    """
    n, d = rows.shape
    if d <= n:
        return decompose_moments(second(rows), n)
    x = rows[:]
    values, u = _positive(*eigh(x @ x.T))
    return Decomposition(values, x.T @ (u / np.sqrt(values)), n)


def decompose_moments(moments: Float[np.ndarray, "d d"], rows: int) -> Decomposition:
    """Decompose features of which only ``X' X`` is known; see `second`."""
    values, v = _positive(*eigh(moments))
    return Decomposition(values, v, rows)


def decompose_gram(gram: Float[np.ndarray, "n n"]) -> Decomposition:
    """Decompose features of which only the inner products G are known, such as a kernel's.

    In place of a row of features stands a row of inner products with the n rows: ``outputs(gram, weights)``.

    >>> gram = np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> decompose_gram(gram).values.round(2).tolist()
    [0.5, 1.5]
    """
    values, u = _positive(*eigh(gram))
    return Decomposition(values, u / np.sqrt(values), len(gram))


def _positive(values: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues that are not rounding errors, and their vectors."""
    kept = values > len(values) * np.finfo(float).eps * values[-1]
    return values[kept], vectors[:, kept]


def second(rows: FeatureRows) -> Float[np.ndarray, "d d"]:
    """``X' X``, summed over blocks of rows."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for _, x in blocks(rows):
        total += x.T @ x
    return total


def cross(rows: FeatureRows, targets: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "d k"]:
    """``X' (Y - 1/K)``, summed over blocks of rows."""
    total = np.zeros((rows.shape[1], targets.shape[1]))
    for part, x in blocks(rows):
        total += x.T @ (targets[part] - 1 / targets.shape[1])
    return total


def outputs(rows: FeatureRows, weights: Float[np.ndarray, "d k"]) -> Float[np.ndarray, "n k"]:
    """``1/K + X W``: the linearised student's outputs on any rows; each row sums to 1, but none is bound to [0, 1].

    On the rows that were trained on, with the weights of round t, these are the refined labels ``Y_t``.
    """
    found = np.empty((len(rows), weights.shape[1]))
    for part, x in blocks(rows):
        found[part] = x @ weights
    found += 1 / weights.shape[1]
    return found
