"""Effect of self-distillation on noisy labels, for rows whose inner products depend on their classes alone.

Rows have length 1; two rows of class k have the inner product ``S_kk < 1``, rows of classes k and l ``S_kl``. With the
corruption C (C_kj = share of the rows of class k that are labelled j), a row of class k labelled j has after t rounds

    Y_t = 1/K + p_k^t (e_j - C_k) + [R^t (C - 1/K)]_k,                                                       (B)
    p_k = (1 - S_kk) / (rho + 1 - S_kk),   R = M (rho + M)^-1,   M = diag(1 - S_kk) + S diag(counts):

The weight of the row's own label falls as p^t. The weight of its class's mean label falls more slowly, with the larger
eigenvalues of R. For classes all alike, with ``S_kk = c``, ``S_kl = d`` and n rows each, R multiplies C - 1/K by

    q = (1 - c + n (c - d)) / (rho + 1 - c + n (c - d)).

Sources: Jeong and Chung, ICLR 2025, arXiv 2402.10482 (the model and the number of rounds); (B) for any S and any counts
is derived here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from tutelage.distil.closed import penalty
from tutelage.ops.checks import in_range

TIE = 1e-9
"""Largest difference between two outputs that count as a tie; a tie is decided by chance."""

Square = Float[np.ndarray, "k k"]
"""A matrix of one row and one column for each class, (K, K)."""


def minimal_rounds(corruption: Square, p: float, q: float) -> int | None:
    """Number of the first round after which every row is corrected: the least t for which condition (N) holds.

    ``gap > 1 / ((q/p)^t - 1)`` with ``gap = min_k (C_kk - max_(j != k) C_kj)``                              (N)

    It is None where the gap is not above 0: then no number of rounds corrects every row, because in some class another
    label is as frequent as the right one.

    Args:
        corruption: corruption C, (K, K): row k holds the shares of the labels of class k.
        p, q: factors that one round leaves of a row's own label and of the class means, 0 < p < q < 1; see `Block`.

    >>> from tutelage.distil.noise import symmetric
    >>> [minimal_rounds(symmetric(4, rate), 0.8621, 0.9949) for rate in (0.5, 0.65, 0.75)]
    [10, 15, None]
    """
    if not 0 < p < q < 1:
        raise ValueError(f"p and q must hold 0 < p < q < 1, got p = {p} and q = {q}")
    others = corruption - 2 * np.diag(np.diag(corruption))
    gap = float((np.diag(corruption) - others.max(1)).min())
    if gap <= TIE:
        return None
    return max(1, math.floor(math.log(1 + 1 / gap) / math.log(q / p)) + 1)


@dataclass(frozen=True)
class Block:
    """Rows of K classes whose inner products depend on their classes alone.

    Its methods take the corruption C, (K, K): row k holds the shares of the labels of class k. They take the number of
    rounds t, at least 1.

    Args:
        similarity: inner products S, (K, K), symmetric, in [0, 1): entry kl is that of two rows of classes k and l.
        counts: number of rows of each class, (K,).
        weight_decay: lambda, above 0.

    >>> from tutelage.distil.noise import symmetric
    >>> block = Block.even(classes=4, rows=60, within=0.4, across=0.1, weight_decay=1e-4)
    >>> noise = symmetric(4, 0.5)
    >>> [block.seen_accuracy(noise, t) for t in (1, 9, 10)], block.correcting(noise, limit=100)
    ([0.5, 0.5, 1.0], range(10, 101))
    >>> block.two_hot_accuracy(noise)
    1.0
    """

    similarity: Square
    counts: Int[np.ndarray, " k"]
    weight_decay: float

    def __post_init__(self) -> None:
        s, k = self.similarity, len(self.counts)
        if s.shape != (k, k) or not np.allclose(s, s.T):
            raise ValueError(f"similarity must be symmetric, of shape {(k, k)}, got {s.tolist()}")
        if not (s.min() >= 0 and s.max() < 1):
            raise ValueError(f"similarity must be in [0, 1), got {s.min()} to {s.max()}")
        in_range("weight_decay", float(self.weight_decay), 0, low_open=True)

    @staticmethod
    def even(classes: int, rows: int, within: float, across: float, weight_decay: float) -> Block:
        """Classes that are all alike.

        Args:
            classes: number of classes K.
            rows: number of rows n of each class.
            within: inner product c of two rows of one class, in [0, 1).
            across: inner product d of two rows of different classes, in [0, 1).
            weight_decay: lambda, above 0.
        """
        return Block.grouped(np.arange(classes), rows, within, across, across, weight_decay)

    @staticmethod
    def grouped(
        groups: Int[np.ndarray, " k"], rows: int, within: float, sibling: float, across: float, weight_decay: float
    ) -> Block:
        """Classes that are grouped into superclasses.

        Args:
            groups: number of the superclass of each class, (K,).
            rows: number of rows of each class.
            within: inner product of two rows of one class, in [0, 1).
            sibling: inner product of two rows of different classes of one superclass, in [0, 1).
            across: inner product of two rows of different superclasses, in [0, 1).
            weight_decay: lambda, above 0.
        """
        s = np.where(groups[:, None] == groups, sibling, across).astype(float)
        np.fill_diagonal(s, within)
        return Block(s, np.full(len(groups), rows), weight_decay)

    @property
    def rho(self) -> float:
        """Ridge penalty of the weight decay, ``rho = K lambda N``."""
        return penalty(self.weight_decay, int(self.counts.sum()), len(self.counts))

    @property
    def p(self) -> Float[np.ndarray, " k"]:
        """Factor that one round leaves of a row's own label, by class, (K,), in (0, 1)."""
        apart = 1 - np.diag(self.similarity)
        kept: np.ndarray = apart / (self.rho + apart)
        return kept

    @property
    def q(self) -> Float[np.ndarray, " k"]:
        """Factors that one round leaves of the class means: the eigenvalues of R, (K,), smallest first.

        For classes all alike, the first is the q that R multiplies C - 1/K by; the last belongs to the mean of all
        rows.
        """
        found: np.ndarray = np.sort(np.linalg.eigvals(self._smoother()).real)
        return found

    def _means(self) -> Square:
        """Matrix M, (K, K): the action of G on values that are equal within each class."""
        moved: np.ndarray = np.diag(1 - np.diag(self.similarity)) + self.similarity * self.counts
        return moved

    def _smoother(self) -> Square:
        """Matrix R, (K, K)."""
        m = self._means()
        return np.linalg.solve(self.rho * np.eye(len(m)) + m, m)

    def gram(self) -> Float[np.ndarray, "n n"]:
        """Inner products G of all rows, class after class, (N, N)."""
        of = np.repeat(np.arange(len(self.counts)), self.counts)
        g: np.ndarray = self.similarity[of[:, None], of].astype(float)
        np.fill_diagonal(g, 1)
        return g

    def labels(self, corruption: Square, rounds: int) -> Float[np.ndarray, "k k k"]:
        """Refined labels after t rounds, by (B), (K, K, K): entry [k, j] is that of a row of class k labelled j.

        They are exact for a finite number of rows, too, where C holds the realised shares.
        """
        return self._smoothed(np.broadcast_to(np.eye(len(corruption)), (len(corruption),) * 3), corruption, rounds)

    def _smoothed(self, targets: np.ndarray, corruption: Square, rounds: int) -> np.ndarray:
        """The targets after t rounds, both (K, K, K): entry [k, j] is that of a row of class k labelled j."""
        k = len(corruption)
        mean = np.einsum("kj,kjl->kl", corruption, targets)
        classes = np.linalg.matrix_power(self._smoother(), rounds) @ (mean - 1 / k)
        found: np.ndarray = 1 / k + self.p[:, None, None] ** rounds * (targets - mean[:, None]) + classes[:, None]
        return found

    def seen_accuracy(self, corruption: Square, rounds: int) -> float:
        """Share of the training rows, rightly labelled or not, whose refined label is right after t rounds."""
        return self._right(self.labels(corruption, rounds), corruption)

    def unseen_accuracy(self, corruption: Square, rounds: int) -> float:
        """Share of new rows, which were not learnt, that are classified rightly after t rounds.

        For classes all alike it is 1 for every t as soon as C_kk is the largest entry of its row: more rounds help only
        training rows, whose own wrong labels were learnt.
        """
        k, m = len(corruption), self._means()
        inner = np.linalg.solve(self.rho * np.eye(k) + m, np.linalg.matrix_power(self._smoother(), rounds - 1))
        found = 1 / k + (self.similarity * self.counts) @ inner @ (corruption - 1 / k)
        return self._right(np.broadcast_to(found[:, None], (k, k, k)), corruption)

    def two_hot_accuracy(self, corruption: Square) -> float:
        """Share of the training rows that a student of two-hot labels gets right; see `partial.two_hot`.

        Classes that tie for the second place share its half, as they do on average over rows.
        """
        teacher = self.labels(corruption, 1)
        first = _shared(teacher)
        second = _shared(np.where(first > 0, -np.inf, teacher))
        whole = (first > 0).sum(-1, keepdims=True)
        targets = np.where(whole == 1, (first + second) / 2, first)
        return self._right(self._smoothed(targets, corruption, 1), corruption)

    def correcting(self, corruption: Square, limit: int = 1000) -> range:
        """Numbers of rounds, up to ``limit``, after which every training row is right; an empty range without any.

        For classes all alike the range begins at `minimal_rounds` and has no other end than the limit. It ends before,
        and more rounds hurt, where a larger eigenvalue of R carries another answer: where another superclass holds a
        larger share of a class's labels than its own does, or where a frequent class is similar to a rare one.
        """
        right = [t for t in range(1, limit + 1) if self.seen_accuracy(corruption, t) == 1]
        if not right:
            return range(0)
        last = next((t for t in right if t + 1 not in right), limit)
        return range(right[0], last + 1)

    def _right(self, found: np.ndarray, corruption: Square) -> float:
        """Share of rows whose output, [k, j] of (K, K, K), is largest for class k; ties are decided by chance."""
        by_label = np.einsum("kjk->kj", _shared(found))
        share = (corruption * by_label).sum(1)
        return round(float(share @ self.counts / self.counts.sum()), 12)


def _shared(values: np.ndarray) -> np.ndarray:
    """The number 1 at the largest value along the last axis, 0 elsewhere; values that tie share the 1."""
    largest = values >= values.max(-1, keepdims=True) - TIE
    shared: np.ndarray = largest / largest.sum(-1, keepdims=True)
    return shared
