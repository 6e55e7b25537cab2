"""The nearest rows of each row, by the cosine between centred features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

NEAREST = 10
"""Rows that are looked at."""

AMONG = 30_000
"""Rows among which the nearest are looked for; of more, so many are drawn."""

BLOCK = 512
"""Rows that are compared with all those at a time."""

ALIKE = 0.99
"""Cosine from which rows are all but the same."""

Tick = Callable[[int, int], None]


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of each row, the nearest first.

    Args:
        index: their numbers, (n, j).
        cosine: with them, (n, j), in [-1, 1].
    """

    index: Int[np.ndarray, "n j"]
    cosine: Float[np.ndarray, "n j"]

    def votes(self, labels: Int[np.ndarray, " n"], classes: int) -> Int[np.ndarray, "n k"]:
        """How many of a row's nearest rows have each label."""
        found = np.zeros((len(self.index), classes), dtype=np.int64)
        for j in range(self.index.shape[1]):
            found[np.arange(len(found)), labels[self.index[:, j]]] += 1
        return found

    def opinion(self, labels: Int[np.ndarray, " n"], classes: int) -> Float[np.ndarray, "n k"]:
        """The votes as logits: ``log(votes + 1/2)``."""
        found: np.ndarray = np.log(self.votes(labels, classes) + 0.5)
        return found


def nearest(x: Float[np.ndarray, "n d"], seed: int = 0, tick: Tick | None = None) -> Neighbours:
    """The NEAREST rows of each row, itself left out; all others where they are fewer.

    Memory is that of AMONG rows and of BLOCK times AMONG cosines.

    >>> found = nearest(np.array([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0], [1.0, 0.1]]))
    >>> found.index[:, 0].tolist()
    [1, 0, 3, 2]
    """
    n, centre = len(x), x.mean(0, dtype=np.float64)
    among = np.arange(n)
    if n > AMONG:
        among = np.sort(np.random.default_rng(seed).choice(n, AMONG, replace=False))
    there, count = _unit(x[among], centre), min(NEAREST, len(among) - 1)
    index = np.empty((n, count), dtype=np.int32)
    cosine = np.empty((n, count), dtype=np.float32)
    for start in range(0, n, BLOCK):
        here = slice(start, min(start + BLOCK, n))
        like = _unit(x[here], centre) @ there.T
        own = np.searchsorted(among, np.arange(here.start, here.stop)).clip(max=len(among) - 1)
        itself = np.flatnonzero(among[own] == np.arange(here.start, here.stop))
        like[itself, own[itself]] = -np.inf
        best = np.argpartition(-like, count - 1, axis=1)[:, :count]
        found = np.take_along_axis(like, best, 1)
        order = np.argsort(-found, axis=1, kind="stable")
        index[here] = among[np.take_along_axis(best, order, 1)]
        cosine[here] = np.take_along_axis(found, order, 1)
        if tick:
            tick(here.stop, n)
    return Neighbours(index, cosine)


def _unit(x: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Centred rows of length 1; one that is the centre stays 0."""
    z = x - centre
    z /= np.maximum(np.linalg.norm(z, axis=1, keepdims=True), np.finfo(float).tiny)
    found: np.ndarray = z.astype(np.float32)
    return found
