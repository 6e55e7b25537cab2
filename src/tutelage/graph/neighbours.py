"""The nearest rows of each row, by the cosine between features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

EXACT = 20_000
"""Up to so many rows the search is exact; among more it is approximate."""

BLOCK = 1024
"""Rows that are searched for at a time."""

CLUSTERS = 4.0
"""Clusters of the approximate search, times the root of the number of rows."""

PROBED = 96
"""Clusters that are looked into."""

TRAINED = 40
"""Rows a cluster that the clusters are found from."""

Tick = Callable[[int, int], None]


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of each row, the nearest first.

    Args:
        index: their numbers, (n, k).
        cosine: with them, (n, k), in [-1, 1].
    """

    index: Int[np.ndarray, "n k"]
    cosine: Float[np.ndarray, "n k"]


def nearest(x: Float[np.ndarray, "n d"], k: int, tick: Tick | None = None, exact: int = EXACT) -> Neighbours:
    """The k nearest rows of each row, itself left out; all others where they are fewer.

    Memory is that of the rows twice, as given and at length 1 in float32 (in the lists of the approximate search, whose
    clusters are found from TRAINED rows each, a third copy at most), and of BLOCK times ``exact`` cosines.

    Args:
        exact: among more rows the search is approximate (inverted lists, Jegou et al., PAMI 2011): of the nearest ten
            of clustered features it finds some 95 %; the same ones in each call.

    >>> found = nearest(np.array([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0], [1.0, 0.1]]), 1)
    >>> found.index.ravel().tolist()
    [1, 0, 3, 2]
    """
    n, k = len(x), min(k, len(x) - 1)
    found = Neighbours(np.empty((n, max(k, 0)), dtype=np.int32), np.empty((n, max(k, 0)), dtype=np.float32))
    if k < 1:
        return found
    search = _whole(unit(x)) if n <= exact else _lists(x)
    for start in range(0, n, BLOCK):
        here = np.arange(start, min(start + BLOCK, n))
        cosine, index = search(unit(x[here]), k + 1)
        itself = index == here[:, None]
        itself[~itself.any(1), -1] = True  # among more than k that are the same
        some = index[~itself].reshape(-1, k)
        found.index[here] = np.where(some < 0, here[:, None], some)  # where no more were found
        found.cosine[here] = cosine[~itself].reshape(-1, k).clip(-1, 1)
        if tick:
            tick(int(here[-1]) + 1, n)
    return found


def nearest_among(query: Float[np.ndarray, "m d"], x: Float[np.ndarray, "n d"], k: int) -> Neighbours:
    """The k nearest of the rows x of each of a few other rows, exactly; x is gone through block by block.

    >>> nearest_among(np.array([[2.0, 0.1]]), np.eye(2), 1).index.tolist()
    [[0]]
    """
    query, k = unit(query), min(k, len(x))
    index, cosine = np.empty((len(query), 0), dtype=np.int32), np.empty((len(query), 0), dtype=np.float32)
    for start in range(0, len(x), BLOCK):
        like = query @ unit(x[start : start + BLOCK]).T
        numbers = np.broadcast_to(np.arange(start, start + like.shape[1], dtype=np.int32), like.shape)
        cosine, best = _largest(np.hstack([cosine, like]), k)
        index = np.take_along_axis(np.hstack([index, numbers]), best, 1)
    return Neighbours(index, cosine)


def unit(x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Rows of length 1 in float32; one that is 0 stays so."""
    z = x / np.abs(x).max(axis=1, keepdims=True, initial=np.finfo(x.dtype).tiny)  # whose squares are no infinity
    z /= np.maximum(np.linalg.norm(z, axis=1, keepdims=True), np.finfo(x.dtype).tiny)
    found: np.ndarray = z.astype(np.float32, copy=False)
    return found


def _largest(values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest values of each row, falling, and their places."""
    k = min(k, values.shape[1])
    best = np.argpartition(-values, k - 1, axis=1)[:, :k]
    found = np.take_along_axis(values, best, 1)
    order = np.lexsort((best, -found))
    return np.take_along_axis(found, order, 1), np.take_along_axis(best, order, 1)


def _whole(z: np.ndarray) -> Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]:
    return lambda query, k: _largest(query @ z.T, k)


def _lists(x: np.ndarray) -> Any:
    """A search in inverted lists of the rows; what clusters they lie in is found by k-means on some of them."""
    import faiss

    n, d = x.shape
    clusters = round(CLUSTERS * n**0.5)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(d), d, clusters, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.seed, index.cp.min_points_per_centroid, index.nprobe = 8, 1, 1, PROBED
    some = np.sort(np.random.default_rng(0).choice(n, min(n, TRAINED * clusters), replace=False))
    index.train(unit(x[some]))
    for start in range(0, n, BLOCK):
        index.add(unit(x[start : start + BLOCK]))
    return index.search
