"""Clusters of rows, found on a sample of them and given to all, and turns among clusters."""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float, Int

from tutelage.ask.pool import Pool

MOST = 500
"""Largest number of clusters; where more rows are asked for, clusters give several each."""

SAMPLE = 5_000
"""Number of rows, at least, on which clusters are found; all where there are fewer."""

EACH = 40
"""Number of rows for each cluster, at least, on which clusters are found."""

STEPS = 30
"""Largest number of steps of k-means; more change the clusters little."""


def clustered(
    pool: Pool,
    index: Int[np.ndarray, " m"],
    rank: Int[np.ndarray, " m"],
    count: int,
    weights: Float[np.ndarray, " m"] | None = None,
) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """Cluster of each of some rows, from 0, (m,), and its distance to the cluster's centre, (m,).

    k-means (Lloyd, 1982; k-means++ by Arthur and Vassilvitskii, SODA 2007) of a sample of the rows; every row then
    belongs to the nearest centre.

    Args:
        pool: the rows.
        index: numbers of the rows that are clustered, (m,).
        rank: place of each of them in the order that the sample is taken by, (m,).
        count: number of clusters, at least 1; at most MOST are made, and no more than there are different rows.
        weights: weight of each row in the clusters' means, (m,), at least 0; None, or 0 for all, weighs them equally.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    count = min(count, MOST, len(index))
    some = np.argsort(rank)[: max(SAMPLE, EACH * count)]
    x = pool.read(index[some])
    weight = None if weights is None or not weights[some].any() else weights[some]
    found = KMeans(count, n_init=1, max_iter=STEPS, random_state=pool.seed)
    with warnings.catch_warnings(), threadpool_limits(1):  # several threads add rows in another order each time
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different rows than clusters: some are empty
        centres = found.fit(x, sample_weight=weight).cluster_centers_.astype(np.float32)
    cluster, away = np.empty(len(index), dtype=np.int64), np.empty(len(index))
    for part, block in pool.blocks(index):
        squared = squares(block, centres)
        cluster[part] = squared.argmin(1)
        away[part] = np.sqrt(squared.min(1)) * pool.scale
    return cluster, away


def squares(x: Float[np.ndarray, "b d"], to: Float[np.ndarray, "k d"]) -> Float[np.ndarray, "b k"]:
    """Squared Euclidean distances between rows, (b, k); what is no more than rounding is 0."""
    lengths = np.square(x).sum(1)[:, None] + np.square(to).sum(1)
    found: np.ndarray = lengths - 2 * (x @ to.T)
    found[found <= 32 * np.finfo(found.dtype).eps * lengths] = 0
    return found


def turns(
    cluster: Int[np.ndarray, " m"], score: Float[np.ndarray, " m"], rank: Int[np.ndarray, " m"]
) -> Int[np.ndarray, " m"]:
    """Turn at which its cluster gives each row, from 0, (m,): by falling score, ties by rank.

    >>> turns(np.array([0, 0, 1]), np.array([0.1, 0.9, 0.5]), np.arange(3)).tolist()
    [1, 0, 0]
    """
    order = np.lexsort((rank, -score, cluster))
    starts = np.searchsorted(cluster[order], cluster[order], side="left")
    found = np.empty(len(cluster), dtype=np.int64)
    found[order] = np.arange(len(cluster)) - starts
    return found
