"""The nearest rows of each row, by the cosine between features: the only such search of the library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from tutelage.types import Tick

EXACT = 20_000
"""Rows up to which the search is exact; among more rows it is approximate."""

BLOCK = 1024
"""Rows that are searched for at a time."""

LISTS = 200_000
"""Rows up to which the approximate search is in inverted lists, whose time grows as the rows to the power of 1.5.

Among more it is in a graph of small worlds, whose time grows as n log n.
"""

LINKS, BUILT, LOOKED_AT = 16, 64, 96
"""Links of a row in that graph, and the rows that are kept in view while it is built and while it is searched."""

CLUSTERS = 4.0
"""Clusters of the approximate search, as a multiple of the root of the number of rows."""

PROBED = 96
"""Clusters in which the approximate search looks for a row's neighbours."""

TRAINED = 40
"""Rows for each cluster, from which the clusters are found."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of each row, the nearest first.

    Args:
        index: numbers of the nearest rows of each row, (n, k).
        cosine: cosine between a row and each of its nearest rows, (n, k), in [-1, 1].
    """

    index: Int[np.ndarray, "n k"]
    cosine: Float[np.ndarray, "n k"]


def nearest(
    x: Float[np.ndarray, "n d"], k: int, tick: Tick | None = None, exact: int = EXACT, *,
    centre: Float[np.ndarray, " d"] | None = None, among: Int[np.ndarray, " m"] | None = None, block: int = BLOCK,
) -> Neighbours:  # fmt: skip
    """The k nearest rows of each row, itself left out; all others where there are fewer.

    Memory is that of the rows twice, as given and at length 1 in float32 (in the lists of the approximate search, whose
    clusters are found from TRAINED rows each, a third copy at most), and of ``block`` times ``exact`` cosines.

    Args:
        tick: told "joining neighbours", the rows that are done, and all rows.
        exact: among more rows the search is approximate (inverted lists, Jegou et al., PAMI 2011; above LISTS rows a
            graph of small worlds, Malkov and Yashunin, PAMI 2020): of the nearest ten of clustered features it finds
            some 95 %; the same ones in each call.
        centre: subtracted from the rows first; None leaves them as they are.
        among: numbers of the rows that may be neighbours, rising; None allows all.
        block: rows that are searched for at a time; with another one the last bits of cosines may differ.

    >>> found = nearest(np.array([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0], [1.0, 0.1]]), 1)
    >>> found.index.ravel().tolist()
    [1, 0, 3, 2]
    """
    n, there = len(x), x if among is None else x[among]
    k = min(k, len(there) - 1)
    found = Neighbours(np.empty((n, max(k, 0)), dtype=np.int32), np.empty((n, max(k, 0)), dtype=np.float32))
    if k < 1:
        return found
    large = len(there) > LISTS
    search = _whole(unit(there, centre)) if len(there) <= exact else (_worlds if large else _lists)(there, centre)
    for start in range(0, n, block):
        here = np.arange(start, min(start + block, n))
        cosine, index = search(unit(x[here], centre), k + 1)
        index = index if among is None else np.where(index < 0, index, among[index])
        itself = index == here[:, None]
        itself[~itself.any(1), -1] = True  # among more than k that are the same, or not among those allowed
        some = index[~itself].reshape(-1, k)
        found.index[here] = np.where(some < 0, here[:, None], some)  # where no more were found
        found.cosine[here] = cosine[~itself].reshape(-1, k).clip(-1, 1)
        if tick:
            tick("joining neighbours", int(here[-1]) + 1, n)
    return found


def nearest_among(query: Float[np.ndarray, "m d"], x: Float[np.ndarray, "n d"], k: int) -> Neighbours:
    """The k nearest rows in x of each row of ``query``, exactly; all rows of x where there are fewer.

    x is read block by block, so ``query`` should have few rows.

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


def unit(x: Float[np.ndarray, "n d"], centre: Float[np.ndarray, " d"] | None = None) -> Float[np.ndarray, "n d"]:
    """Rows of length 1 in float32, of rows less the centre where there is one; a row of zeros stays so."""
    z = _bounded(x) if centre is None else x - centre  # in float64, as the centre is
    z /= np.maximum(np.linalg.norm(z, axis=1, keepdims=True), np.finfo(z.dtype).tiny)
    found: np.ndarray = z.astype(np.float32, copy=False)
    return found


def _bounded(x: np.ndarray) -> np.ndarray:
    """Rows over their greatest number, so that no square is infinite."""
    found: np.ndarray = x / np.abs(x).max(axis=1, keepdims=True, initial=np.finfo(x.dtype).tiny)
    return found


def _largest(values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest values of each row, in falling order, and their columns."""
    k = min(k, values.shape[1])
    best = np.argpartition(-values, k - 1, axis=1)[:, :k]
    found = np.take_along_axis(values, best, 1)
    order = np.lexsort((best, -found))
    return np.take_along_axis(found, order, 1), np.take_along_axis(best, order, 1)


def _whole(z: np.ndarray) -> Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]:
    return lambda query, k: _largest(query @ z.T, k)


def _lists(x: np.ndarray, centre: np.ndarray | None) -> Any:
    """A search in inverted lists of the rows, whose clusters are found by k-means on some of them."""
    import faiss

    n, d = x.shape
    clusters = round(CLUSTERS * n**0.5)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(d), d, clusters, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.seed, index.cp.min_points_per_centroid, index.nprobe = 8, 1, 1, PROBED
    some = np.sort(np.random.default_rng(0).choice(n, min(n, TRAINED * clusters), replace=False))
    index.train(unit(x[some], centre))
    for start in range(0, n, BLOCK):
        index.add(unit(x[start : start + BLOCK], centre))
    return index.search


def _worlds(x: np.ndarray, centre: np.ndarray | None) -> Any:
    """A search in a graph of small worlds, built by one thread, so that it is the same in each call."""
    import faiss

    index = faiss.IndexHNSWFlat(x.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = BUILT, LOOKED_AT
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # several add rows in an order that is another one each time
    try:
        for start in range(0, len(x), BLOCK):
            index.add(unit(x[start : start + BLOCK], centre))
    finally:
        faiss.omp_set_num_threads(threads)
    return index.search
