"""Rows of features read a block at a time, so that a million of them need no copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

BLOCK = 4096
"""Rows read at a time."""

HELD = 2**28
"""Bytes that rows may take in memory, where they are read many times."""

CONSTANT = 10.0
"""Length of the constant feature; large beside the rows' 1, so that no penalty holds the bias back."""


@dataclass(frozen=True)
class Rows:
    """FeatureRows centred, scaled to a mean squared length of 1 and given a constant, each block when it is read.

    Args:
        x: features, (n, d), of any real type; never copied whole.
        centre: their mean, (d,).
        scale: what they are divided by.
        index: the rows meant, in order; None is all of them.
        basis: directions on which they are then projected, (d + 1, r); None keeps them.

    >>> rows = Rows.of(np.array([[1.0], [3.0]]))
    >>> np.concatenate([block for _, block in blocks(rows)]).tolist()
    [[-1.0, 10.0], [1.0, 10.0]]
    """

    x: np.ndarray
    centre: Float[np.ndarray, " d"]
    scale: float
    index: Int[np.ndarray, " n"] | None = None
    basis: Float[np.ndarray, "d1 r"] | None = None

    @staticmethod
    def of(x: np.ndarray) -> Rows:
        """All rows of x, centred at their mean."""
        mean = x.mean(0, dtype=np.float64)
        squares = sum(float(((x[i : i + BLOCK] - mean) ** 2).sum()) for i in range(0, len(x), BLOCK))
        return Rows(x, mean, float(np.sqrt(squares / len(x))) or 1.0)

    def __len__(self) -> int:
        return len(self.x) if self.index is None else len(self.index)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self.x.shape[1] + 1 if self.basis is None else self.basis.shape[1]

    def take(self, index: Int[np.ndarray, " m"]) -> Rows:
        """Some of the rows."""
        return replace(self, index=index if self.index is None else self.index[index])

    def of_others(self, x: np.ndarray) -> Rows:
        """Other rows on the same scale."""
        return replace(self, x=x, index=None)

    def onto(self, basis: Float[np.ndarray, "d1 r"]) -> Rows:
        """The rows in the directions of a basis."""
        return replace(self, basis=basis)

    def affine(self, weights: Float[np.ndarray, "r k"]) -> tuple[Float[np.ndarray, "d k"], Float[np.ndarray, " k"]]:
        """What weights on these rows are on x itself: slopes and intercept."""
        w = weights if self.basis is None else self.basis @ weights
        slopes = w[:-1] / self.scale
        return slopes, CONSTANT * w[-1] - self.centre @ slopes

    def __getitem__(self, part: slice) -> Float[np.ndarray, "b r"]:
        x = self.x[part] if self.index is None else self.x[self.index[part]]
        read = np.empty((len(x), x.shape[1] + 1))
        np.subtract(x, self.centre, out=read[:, :-1])
        read[:, :-1] /= self.scale
        read[:, -1] = CONSTANT
        return read if self.basis is None else read @ self.basis


FeatureRows = Float[np.ndarray, "n d"] | Rows
"""Rows in memory, or read when they are needed."""


def held(rows: Rows) -> FeatureRows:
    """The rows in memory where they are few, else as they are."""
    return rows[:] if 8 * rows.shape[0] * rows.shape[1] <= HELD else rows


def blocks(rows: FeatureRows) -> Iterator[tuple[slice, np.ndarray]]:
    """Where each block lies, and the block (b, d)."""
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        yield part, rows[part]


def take(rows: FeatureRows, index: Int[np.ndarray, " m"]) -> FeatureRows:
    """Some of the rows, in order."""
    return rows.take(index) if isinstance(rows, Rows) else rows[index]
