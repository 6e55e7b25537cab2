"""Self-distillation of a linear model on fixed features, linearised: one decomposition gives every round.

Softmax of logits v near 0 is ``1/K + v/K``, so each round smooths the labels of the round before as ridge regression
does:

    Y_t - 1/K = A^t (Y_0 - 1/K),   A = G (rho + G)^-1,   G = X X',   rho = K lambda N                       (L)

with K classes, N rows and ``lambda / 2 |W|^2`` beside the mean cross-entropy. The eigenvalues of ``A^t`` are
``(s / (rho + s))^t``, where s are those of G: one decomposition of G serves any t and any lambda.

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
    """Ridge penalty ``rho = K lambda N`` of a weight decay lambda.

    Args:
        weight_decay: lambda, above 0, beside the *mean* cross-entropy.
        rows: number of rows N, of all classes together.
        classes: number of classes K.

    >>> penalty(1e-4, rows=240, classes=4)
    0.096
    """
    in_range("weight_decay", float(weight_decay), 0, low_open=True)
    return classes * weight_decay * rows


def one_hot(labels: Int[np.ndarray, " n"], classes: int) -> Float[np.ndarray, "n k"]:
    """One-hot labels, (n, K).

    Args:
        labels: class numbers, (n,).
        classes: number of classes K.

    >>> one_hot(np.array([1, 0]), 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    rows: np.ndarray = np.eye(classes)[labels]
    return rows


@dataclass(frozen=True)
class Decomposition:
    """Eigenvalues of G and the directions that belong to them.

    Args:
        values: eigenvalues s, (r,), above 0; directions along which all rows are 0 are left out.
        basis: matrix that maps rows to coordinates along the directions, (d, r): ``(X basis)' (X basis) = diag(s)``.
        rows: number of rows N that were decomposed.

    >>> x, y = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]), one_hot(np.array([0, 1, 1]), 2)
    >>> d = decompose(x)
    >>> outputs(x, d.weights(d.moments(x, y), weight_decay=0.1)).round(2).tolist()
    [[0.64, 0.36], [0.35, 0.65], [0.06, 0.94]]
    """

    values: Float[np.ndarray, " r"]
    basis: Float[np.ndarray, "d r"]
    rows: int

    def moments(self, rows: FeatureRows, targets: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "r k"]:
        """Moments ``basis' X' (Y - 1/K)``, (r, K), from which `weights` computes students.

        Args:
            rows: X, (n, d).
            targets: labels Y as probabilities, (n, K).
        """
        found: np.ndarray = self.basis.T @ cross(rows, targets)
        return found

    def shrinkage(self, weight_decay: float, classes: int) -> Float[np.ndarray, " r"]:
        """Factor that one round leaves of each direction, ``s / (rho + s)``, (r,), in (0, 1).

        Args:
            weight_decay: lambda, above 0.
            classes: number of classes K.
        """
        return self.values / (penalty(weight_decay, self.rows, classes) + self.values)

    def weights(
        self, moments: Float[np.ndarray, "r k"], weight_decay: float, rounds: int = 1
    ) -> Float[np.ndarray, "d k"]:
        """Weights of the student of round t: ``W_t = V (s / (rho + s))^(t-1) (rho + s)^-1 V' X' (Y_0 - 1/K)``.

        Args:
            moments: moments of the labels as given, (r, K), from `moments`.
            weight_decay: lambda, above 0.
            rounds: number of rounds t, at least 1; 1 is the teacher.

        Returns:
            Weights W, (d, K): `outputs` gives the student's outputs, and its logits are K times ``x' W``.
        """
        in_range("rounds", rounds, 1)
        shrunk = self.shrinkage(weight_decay, moments.shape[1])
        weights: np.ndarray = self.basis @ ((shrunk**rounds / self.values)[:, None] * moments)
        return weights


def decompose(rows: FeatureRows) -> Decomposition:
    """Decompose features, by way of the smaller of ``X' X``, (d, d), and ``X X'``, (n, n).

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
    """Decompose features of which only the second moments are known.

    Args:
        moments: ``X' X``, (d, d), from `second`.
        rows: number of rows N.
    """
    values, v = _positive(*eigh(moments))
    return Decomposition(values, v, rows)


def decompose_gram(gram: Float[np.ndarray, "n n"]) -> Decomposition:
    """Decompose features of which only the inner products G are known, such as a kernel's.

    In place of a row of features stands a row of inner products with the n rows: ``outputs(gram, weights)``.

    Args:
        gram: inner products G, (n, n).

    >>> gram = np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> decompose_gram(gram).values.round(2).tolist()
    [0.5, 1.5]
    """
    values, u = _positive(*eigh(gram))
    return Decomposition(values, u / np.sqrt(values), len(gram))


def _positive(values: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The eigenvalues that are more than rounding errors, and their eigenvectors."""
    kept = values > len(values) * np.finfo(float).eps * values[-1]
    return values[kept], vectors[:, kept]


def second(rows: FeatureRows) -> Float[np.ndarray, "d d"]:
    """Second moments ``X' X`` of rows X, (d, d), summed over blocks of rows."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for _, x in blocks(rows):
        total += x.T @ x
    return total


def cross(rows: FeatureRows, targets: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "d k"]:
    """Moments ``X' (Y - 1/K)``, (d, K), of rows X and targets Y, (n, K), summed over blocks of rows."""
    total = np.zeros((rows.shape[1], targets.shape[1]))
    for part, x in blocks(rows):
        total += x.T @ (targets[part] - 1 / targets.shape[1])
    return total


def outputs(rows: FeatureRows, weights: Float[np.ndarray, "d k"]) -> Float[np.ndarray, "n k"]:
    """Outputs ``1/K + X W`` of the linearised student on any rows, (n, K).

    Each row of outputs sums to 1, but outputs may lie outside [0, 1]. On the rows that were trained on, with the
    weights of round t, they are the refined labels ``Y_t``.

    Args:
        rows: X, (n, d).
        weights: W, (d, K), from `Decomposition.weights`.
    """
    found = np.empty((len(rows), weights.shape[1]))
    for part, x in blocks(rows):
        found[part] = x @ weights
    found += 1 / weights.shape[1]
    return found
