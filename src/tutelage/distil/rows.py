"""Rows of features that are read a block at a time, so that a million of them need no copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

BLOCK = 4096
"""Number of rows that are read at a time."""

HELD = 2**28
"""Largest number of bytes of rows that are held in memory, since they are read many times."""

CONSTANT = 10.0
"""Value of the constant feature; it is large beside the rows' length of 1, so that no penalty holds the bias back."""


@dataclass(frozen=True)
class Rows:
    """Features, centred, scaled to a mean squared length of 1 and with a constant feature; computed block by block.

    Args:
        x: features as they are, (N, d), of any real type; they are never copied whole.
        centre: mean of the features, (d,), which is subtracted.
        scale: number that the centred features are divided by, above 0.
        index: numbers of the rows of ``x`` that are meant, (n,), in order; None is all.
        basis: matrix that the rows are multiplied by in the end, (d + 1, r); None leaves them as they are.

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
        """All rows of ``x``, (n, d), with their own mean and scale."""
        mean = x.mean(0, dtype=np.float64)
        squares = sum(float(((x[i : i + BLOCK] - mean) ** 2).sum()) for i in range(0, len(x), BLOCK))
        return Rows(x, mean, float(np.sqrt(squares / len(x))) or 1.0)

    def __len__(self) -> int:
        return len(self.x) if self.index is None else len(self.index)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of features, the constant one included."""
        return len(self), self.x.shape[1] + 1 if self.basis is None else self.basis.shape[1]

    def take(self, index: Int[np.ndarray, " m"]) -> Rows:
        """The rows with the numbers ``index``, (m,), in order."""
        return replace(self, index=index if self.index is None else self.index[index])

    def of_others(self, x: np.ndarray) -> Rows:
        """All rows of other features ``x``, (m, d), with the same centre, scale and basis."""
        return replace(self, x=x, index=None)

    def onto(self, basis: Float[np.ndarray, "d1 r"]) -> Rows:
        """The rows multiplied by ``basis``, (d + 1, r)."""
        return replace(self, basis=basis)

    def affine(self, weights: Float[np.ndarray, "r k"]) -> tuple[Float[np.ndarray, "d k"], Float[np.ndarray, " k"]]:
        """Slopes, (d, k), and intercepts, (k,), on ``x`` itself that give the same outputs as weights on these rows.

        Args:
            weights: weights on these rows, (r, k).
        """
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
"""Rows of features, (n, d): an array in memory, or `Rows`, which are read when they are needed."""


def held(rows: Rows) -> FeatureRows:
    """The rows as an array in memory where it has at most HELD bytes, else as they are."""
    return rows[:] if 8 * rows.shape[0] * rows.shape[1] <= HELD else rows


def blocks(rows: FeatureRows) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of rows, in order: the slice of ``rows`` that each is, and the block, (b, d)."""
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        yield part, rows[part]


def take(rows: FeatureRows, index: Int[np.ndarray, " m"]) -> FeatureRows:
    """The rows with the numbers ``index``, (m,), in order."""
    return rows.take(index) if isinstance(rows, Rows) else rows[index]
