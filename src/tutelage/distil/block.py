"""What self-distillation does to noisy labels where inner products depend on the classes alone.

Rows have length 1; two rows of class k have the inner product ``S_kk < 1``, rows of classes k and l ``S_kl``. With the
corruption C (C_kj = share of the rows of class k that are labelled j), a row of class k labelled j has after t rounds

    Y_t = 1/K + p_k^t (e_j - C_k) + [R^t (C - 1/K)]_k,                                                       (B)
    p_k = (1 - S_kk) / (rho + 1 - S_kk),   R = M (rho + M)^-1,   M = diag(1 - S_kk) + S diag(counts):

its own label fades as p^t, what its class says on average as the larger eigenvalues of R. For classes all alike, with
``S_kk = c``, ``S_kl = d`` and n rows each, R multiplies C - 1/K by

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
"""Outputs this near to each other are a tie, which chance decides."""

Square = Float[np.ndarray, "k k"]


def minimal_rounds(corruption: Square, p: float, q: float) -> int | None:
    """The first round in which every row is corrected: the least t of which condition (N) holds.

    ``gap > 1 / ((q/p)^t - 1)`` with ``gap = min_k (C_kk - max_(j != k) C_kj)``                              (N)

    None where the gap is not above 0: then no number of rounds corrects every row, because in some class another label
    is as frequent as the right one.

    Args:
        corruption: C, (K, K): row k holds the shares of the labels of class k.
        p, q: of rows and of classes, 0 < p < q < 1; see `Block`.

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

    Args:
        similarity: S, (K, K): between two rows of classes k and l, in [0, 1); symmetric.
        counts: rows of each class, (K,).
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
        """K classes all alike, n rows each: c within a class, d across."""
        return Block.grouped(np.arange(classes), rows, within, across, across, weight_decay)

    @staticmethod
    def grouped(
        groups: Int[np.ndarray, " k"], rows: int, within: float, sibling: float, across: float, weight_decay: float
    ) -> Block:
        """Superclasses: c within a class, d across classes of one superclass, e across superclasses.

        Args:
            groups: the superclass of each class, (K,).
            rows: n, of each class.
        """
        s = np.where(groups[:, None] == groups, sibling, across).astype(float)
        np.fill_diagonal(s, within)
        return Block(s, np.full(len(groups), rows), weight_decay)

    @property
    def rho(self) -> float:
        return penalty(self.weight_decay, int(self.counts.sum()), len(self.counts))

    @property
    def p(self) -> Float[np.ndarray, " k"]:
        """What one round leaves of a row's own label, by class, (K,)."""
        apart = 1 - np.diag(self.similarity)
        kept: np.ndarray = apart / (self.rho + apart)
        return kept

    @property
    def q(self) -> Float[np.ndarray, " k"]:
        """What one round leaves of the class means: the eigenvalues of R, (K,), smallest first.

        For classes all alike, the first is q of (B) and the last that of the mean of all rows.
        """
        found: np.ndarray = np.sort(np.linalg.eigvals(self._smoother()).real)
        return found

    def _means(self) -> Square:
        """M, how G acts on values that are equal within classes."""
        moved: np.ndarray = np.diag(1 - np.diag(self.similarity)) + self.similarity * self.counts
        return moved

    def _smoother(self) -> Square:
        m = self._means()
        return np.linalg.solve(self.rho * np.eye(len(m)) + m, m)

    def gram(self) -> Float[np.ndarray, "n n"]:
        """G of all rows, class after class, (N, N)."""
        of = np.repeat(np.arange(len(self.counts)), self.counts)
        g: np.ndarray = self.similarity[of[:, None], of].astype(float)
        np.fill_diagonal(g, 1)
        return g

    def labels(self, corruption: Square, rounds: int) -> Float[np.ndarray, "k k k"]:
        """(B): the refined labels of a row of class k labelled j after t rounds, [k, j, :].

        Exact for finite rows where C holds the realised shares.
        """
        return self._smoothed(np.broadcast_to(np.eye(len(corruption)), (len(corruption),) * 3), corruption, rounds)

    def _smoothed(self, targets: np.ndarray, corruption: Square, rounds: int) -> np.ndarray:
        """A^t of targets [k, j, :] that rows of class k labelled j have."""
        k = len(corruption)
        mean = np.einsum("kj,kjl->kl", corruption, targets)
        classes = np.linalg.matrix_power(self._smoother(), rounds) @ (mean - 1 / k)
        found: np.ndarray = 1 / k + self.p[:, None, None] ** rounds * (targets - mean[:, None]) + classes[:, None]
        return found

    def seen_accuracy(self, corruption: Square, rounds: int) -> float:
        """Share of the training rows, rightly labelled or not, whose refined label is right after t rounds."""
        return self._right(self.labels(corruption, rounds), corruption)

    def unseen_accuracy(self, corruption: Square, rounds: int) -> float:
        """Share of new rows that are classified rightly after t rounds.

        Of classes all alike it is 1 for every t as soon as C_kk is the largest of its row: rounds are for the
        rows whose own wrong labels were learnt.
        """
        k, m = len(corruption), self._means()
        inner = np.linalg.solve(self.rho * np.eye(k) + m, np.linalg.matrix_power(self._smoother(), rounds - 1))
        found = 1 / k + (self.similarity * self.counts) @ inner @ (corruption - 1 / k)
        return self._right(np.broadcast_to(found[:, None], (k, k, k)), corruption)

    def two_hot_accuracy(self, corruption: Square) -> float:
        """Share of the training rows that one student of two-hot labels gets right; see `partial.two_hot`.

        Classes that tie for the second place share it, as they do on average over rows.
        """
        teacher = self.labels(corruption, 1)
        first = _shared(teacher)
        second = _shared(np.where(first > 0, -np.inf, teacher))
        whole = (first > 0).sum(-1, keepdims=True)
        targets = np.where(whole == 1, (first + second) / 2, first)
        return self._right(self._smoothed(targets, corruption, 1), corruption)

    def correcting(self, corruption: Square, limit: int = 1000) -> range:
        """The rounds, up to a limit, after which every training row is right; empty where there is none.

        For classes all alike it begins at `minimal_rounds` and has no end. It ends, so that more rounds hurt, where
        a larger eigenvalue of R carries another answer: where another superclass holds a larger share of a class's
        labels than its own does, or where a frequent class is similar to a rare one.
        """
        right = [t for t in range(1, limit + 1) if self.seen_accuracy(corruption, t) == 1]
        if not right:
            return range(0)
        last = next((t for t in right if t + 1 not in right), limit)
        return range(right[0], last + 1)

    def _right(self, found: np.ndarray, corruption: Square) -> float:
        """The share of right answers of [k, j, :], ties decided by chance."""
        by_label = np.einsum("kjk->kj", _shared(found))
        share = (corruption * by_label).sum(1)
        return round(float(share @ self.counts / self.counts.sum()), 12)


def _shared(values: np.ndarray) -> np.ndarray:
    """1 at the largest of the last axis, shared where several are."""
    largest = values >= values.max(-1, keepdims=True) - TIE
    shared: np.ndarray = largest / largest.sum(-1, keepdims=True)
    return shared
