"""Teachers that spread labels along the graph of nearest rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.sparse import csr_matrix
from torch import Tensor

from tutelage.data import Examples
from tutelage.graph.neighbours import Neighbours, nearest, nearest_among
from tutelage.graph.propagate import Rows, edges, propagate, to_shares
from tutelage.methods.fields import Count, NonNegative
from tutelage.methods.pool_teacher import FixedRows, Opinion, PoolTeacher, fixed, flat
from tutelage.types import Tick


@dataclass(frozen=True)
class OnGraph(PoolTeacher, ABC):
    """A teacher that spreads the labels along the graph of nearest rows.

    Args:
        neighbours: k, the number of nearest rows to which each row is joined, at least 1.
        edges: weights of the edges: "gaussian", "cosine" or "binary", see `tutelage.graph.propagate.edges`.
        balance: whether the classes get the shares in the pool that they have among the labels.
    """

    labeller: ClassVar[str] = "the graph of nearest rows"
    weight: NonNegative = 3.0
    neighbours: Count = 10
    edges: Literal["gaussian", "cosine", "binary"] = "gaussian"
    balance: bool = True

    def ready(self, pool: Examples, tick: Tick) -> None:
        neighbours_of(fixed(pool, self.name), self.neighbours, tick)

    @abstractmethod
    def spread(self, w: csr_matrix, given: Rows) -> Rows:
        """Scores of all rows of the graph w, (n, c), from the labels ``given``, (n, c), at least 0."""

    def teach(self, x: Tensor, y: np.ndarray, pool: FixedRows, classes: int, seed: int) -> Opinion:
        n, near = len(pool.rows), neighbours_of(pool, self.neighbours)
        if n == 1:  # its own neighbour, which joins nothing, so that labelled rows have one too
            near = Neighbours(np.zeros((1, 1), dtype=np.int32), np.ones((1, 1), dtype=np.float32))
        to_pool = nearest_among(flat(x), flat(pool.rows), near.index.shape[1])
        both = Neighbours(*(np.vstack([getattr(j, a) for j in (near, to_pool)]) for a in ("index", "cosine")))
        given = np.vstack([np.zeros((n, classes)), np.eye(classes)[y]])
        found, reached = propagate(edges(both, self.edges), given, self.spread)
        p, there = found[:n], reached[:n] > 0
        if self.balance:
            p[there] = to_shares(p[there], given.sum(0) / len(y))
        return p, reached[:n]


def neighbours_of(pool: FixedRows, k: int, tick: Tick | None = None) -> Neighbours:
    """The k nearest rows of each row of the pool, computed once and kept with it."""
    key = "neighbours", k
    if key not in pool.computed:
        pool.computed[key] = nearest(flat(pool.rows), k, tick)
    found: Neighbours = pool.computed[key]
    return found
