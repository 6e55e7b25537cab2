"""Opinions on a row by the labels of its nearest rows."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Float, Int

from tutelage.graph.neighbours import Neighbours, nearest
from tutelage.types import Tick

NEAREST = 10
"""Number of nearest rows of a row whose labels count."""

AMONG = 30_000
"""Largest number of rows among which the nearest are searched; of a larger data set so many are drawn."""

BLOCK = 512
"""Number of rows that are compared with all those at a time."""

ALIKE = 0.99
"""Cosine from which two rows count as nearly the same."""


def compared(
    x: Float[np.ndarray, "n d"], seed: int = 0, tick: Tick | None = None, groups: Int[np.ndarray, " n"] | None = None
) -> Neighbours:
    """The NEAREST rows of each row among at most AMONG rows, by the cosine between centred rows.

    Args:
        x: features, (n, d), which are centred here.
        seed: seed of the draw of the rows that may be neighbours, where there are more than AMONG.
        tick: called with "comparing", the number of steps that are done, and the number of all.
        groups: group number of each row, (n,): rows of one group are no neighbours of each other. None has no groups.

    >>> compared(np.array([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0], [1.0, 0.1]])).index[:, 0].tolist()
    [1, 0, 3, 2]
    """
    among = None
    if len(x) > AMONG:
        among = np.sort(np.random.default_rng(seed).choice(len(x), AMONG, replace=False))
    told = partial(_comparing, tick) if tick else None
    mates = 0 if groups is None else int(np.bincount(groups).max(initial=1)) - 1
    centre = x.mean(0, dtype=np.float64)
    found = nearest(x, NEAREST + mates, told, AMONG, centre=centre, among=among, block=BLOCK)
    return found if groups is None or not mates else _others(found, groups)


def _others(near: Neighbours, groups: Int[np.ndarray, " n"]) -> Neighbours:
    """The NEAREST rows of each row that are of other groups; fewer where a row has fewer such."""
    mate = groups[near.index] == groups[:, None]
    keep = min(NEAREST, int((~mate).sum(1).min()))
    order = np.argsort(mate, axis=1, kind="stable")[:, :keep]
    return Neighbours(np.take_along_axis(near.index, order, 1), np.take_along_axis(near.cosine, order, 1))


def _comparing(tick: Tick, what: str, done: int, total: int) -> None:
    """Report progress under the name "comparing" in place of ``what``."""
    tick("comparing", done, total)


def votes(near: Neighbours, labels: Int[np.ndarray, " n"], classes: int) -> Int[np.ndarray, "n k"]:
    """Number of each row's nearest rows with each label, (n, K).

    Args:
        near: nearest rows of each row.
        labels: class numbers of all rows, (n,).
        classes: number of classes K.

    >>> votes(Neighbours(np.array([[1], [0]]), np.ones((2, 1))), np.array([0, 2]), 3).tolist()
    [[0, 0, 1], [1, 0, 0]]
    """
    found = np.zeros((len(near.index), classes), dtype=np.int64)
    for j in range(near.index.shape[1]):
        found[np.arange(len(found)), labels[near.index[:, j]]] += 1
    return found


def opinion(near: Neighbours, labels: Int[np.ndarray, " n"], classes: int) -> Float[np.ndarray, "n k"]:
    """Logits ``log(votes + 1/2)`` by the votes of each row's nearest rows, (n, K); see `votes`."""
    found: np.ndarray = np.log(votes(near, labels, classes) + 0.5)
    return found
