"""Core-sets: rows that leave no other row far from one that has a label."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from tutelage.ask.clusters import squares
from tutelage.ask.pool import Pool
from tutelage.ask.selectors import Order

AT_ONCE = 256
"""Number of labelled rows whose distances to a block are held at a time."""


def coreset(pool: Pool, count: int) -> Order:
    """Greedy k-center on features: each row is the farthest from all that are labelled or asked for already.

    The score is that distance, in the unit of the features. Without a label the row nearest to the mean comes first.

    Source: Sener and Savarese, Active Learning for Convolutional Neural Networks: A Core-Set Approach, ICLR 2018,
    algorithm 1.
    """
    nearest = np.full(len(pool), np.inf, dtype=np.float32)
    for start in range(0, len(pool.labelled), AT_ONCE):
        known = pool.read(pool.labelled[start : start + AT_ONCE])
        for part, block in pool.blocks(pool.candidates):
            nearest[part] = np.minimum(nearest[part], squares(block, known).min(1))
    places, score = np.empty(count, dtype=np.int64), np.empty(count)
    for k in range(count):
        if np.isinf(nearest[0]):
            mean = np.zeros((1, pool.rows.shape[1]), dtype=np.float32)
            middle = np.concatenate([squares(block, mean)[:, 0] for _, block in pool.blocks(pool.candidates)])
            at, away = _first(-middle, pool), float(middle.min())
        else:
            at = _first(nearest, pool)
            away = float(nearest[at])
        places[k], score[k] = at, np.sqrt(away) * pool.scale
        one = pool.read(pool.candidates[[at]])
        for part, block in pool.blocks(pool.candidates):
            nearest[part] = np.minimum(nearest[part], squares(block, one)[:, 0])
        nearest[places[: k + 1]] = -1  # so that of equal rows none is taken twice
    return Order(places, score)


def pcoreset(pool: Pool, count: int) -> Order:
    """Greedy k-center on the probabilities of the classes: rows of which the model says what it said of none yet.

    The labelled rows begin with their predicted probabilities, not with their labels. The score is the Euclidean
    distance, in [0, sqrt 2].

    Source: Kang et al., PCoreSet: Effective Active Learning through Knowledge Distillation from Vision-Language Models,
    arXiv 2506.00910, 2025.
    """
    return coreset(pool.of_probabilities(), count)


def _first(value: Float[np.ndarray, " u"], pool: Pool) -> int:
    """Place of the greatest value, of several the one of the lowest rank."""
    best = np.flatnonzero(value == value.max())
    return int(best[np.argmin(pool.rank[best])])
