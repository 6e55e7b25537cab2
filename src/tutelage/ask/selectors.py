"""Selectors that score each row by itself, or within its cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from tutelage.ask.clusters import clustered, turns
from tutelage.ask.pool import BLOCK, Pool


@dataclass(frozen=True)
class Order:
    """The rows that a selector asks for, as places among the pool's candidates.

    Args:
        places: places of the rows among the candidates, (count,), the best first.
        score: what each of these rows was ranked by, (count,).
        cluster: cluster of each of these rows, (count,), or None.
    """

    places: Int[np.ndarray, " count"]
    score: Float[np.ndarray, " count"]
    cluster: Int[np.ndarray, " count"] | None = None


def random(pool: Pool, count: int) -> Order:
    """Rows drawn evenly, without replacement; the score is 0."""
    places = np.random.default_rng(pool.seed).permutation(len(pool))[:count]
    return Order(places, np.zeros(count))


def margin(pool: Pool, count: int) -> Order:
    """Rows whose two likeliest classes are nearly as likely; the score is ``1 - (p_1 - p_2)``, in [0, 1].

    Source: Scheffer, Decomain and Wrobel, Active Hidden Markov Models for Information Extraction, IDA 2001.
    """
    return _highest(1 - margins(pool), pool, count)


def entropy(pool: Pool, count: int) -> Order:
    """Rows whose probabilities are spread most; the score is ``-sum_c p_c log p_c``, in nats.

    Source: Lewis and Gale, A Sequential Algorithm for Training Text Classifiers, SIGIR 1994, for two classes.
    """
    return _highest(entropies(pool), pool, count)


def variation(pool: Pool, count: int) -> Order:
    """Rows on whose class several models disagree; the score is the variation ratio ``1 - votes of the mode / m``.

    Rows with the same ratio are in random order; of one model, every ratio is 0.

    Source: Beluch et al., The Power of Ensembles for Active Learning in Image Classification, CVPR 2018.
    """
    p = pool.probabilities
    if p is None:
        pool.said()  # raises
    models = p[None] if p is not None and p.ndim == 2 else np.asarray(p)
    votes = np.stack([model[pool.candidates].argmax(1) for model in models])
    most = np.zeros(len(pool), dtype=np.int64)
    for c in range(models.shape[-1]):
        most = np.maximum(most, (votes == c).sum(0))
    return _highest(1 - most / len(models), pool, count)


def cluster_margin(pool: Pool, count: int) -> Order:
    """Of each of ``count`` clusters the row with the smallest margin; the score is ``1 - (p_1 - p_2)``, in [0, 1].

    Clusters are those of the rows without a label. Where some of them are empty, or there are fewer, the others give
    a second row, and so on.

    Source: after Citovsky et al., Batch Active Learning at Scale, NeurIPS 2021, who take the rows with small margins
    first and cluster these; our reading turns it round.
    """
    score = 1 - margins(pool)
    cluster, _ = clustered(pool, pool.candidates, pool.rank, count)
    places = np.lexsort((pool.rank, -score, turns(cluster, score, pool.rank)))[:count]
    return Order(places, score[places], cluster[places])


def diverse(pool: Pool, count: int) -> Order:
    """Of each of ``count`` clusters, weighted by small margins, the row nearest to the centre.

    The weight of a row in the clusters' means is ``1 - (p_1 - p_2)``, so that there are more clusters, and their
    centres lie, where the model is unsure; the row is typical of what it is unsure of. The score is minus the distance
    to the centre.

    Source: Zhdanov, Diverse Mini-Batch Active Learning, arXiv 1901.05954, 2019, without its choice of the least sure
    rows beforehand.
    """
    cluster, away = clustered(pool, pool.candidates, pool.rank, count, 1 - margins(pool))
    places = np.lexsort((pool.rank, away, turns(cluster, -away, pool.rank)))[:count]
    return Order(places, -away[places], cluster[places])


def cluster(pool: Pool, count: int) -> Order:
    """Typical rows of the clusters without a label, the largest first; no probabilities are needed.

    There are as many clusters as labels and rows that are asked for, together. The score is minus the distance to the
    cluster's centre.

    Source: after Hacohen, Dekel and Weinshall, Active Learning on a Budget: Opposite Strategies Suit High and Low
    Budgets, ICML 2022, whose typical row is that with the nearest neighbours; ours is the nearest to the centre.
    """
    index = np.concatenate([pool.candidates, pool.labelled])
    rank = np.concatenate([pool.rank, len(pool) + pool.rank_of_labelled])
    of_all, away = clustered(pool, index, rank, count + len(pool.labelled))
    mine, score = of_all[: len(pool)], -away[: len(pool)]
    known = np.bincount(of_all[len(pool) :], minlength=of_all.max() + 1)
    size = np.bincount(mine, minlength=of_all.max() + 1)
    given = known[mine] + turns(mine, score, pool.rank)  # how often the cluster has had its turn
    places = np.lexsort((pool.rank, -score, -size[mine], given))[:count]
    return Order(places, score[places], mine[places])


def margins(pool: Pool) -> Float[np.ndarray, " u"]:
    """Difference of the two highest probabilities of each candidate, (u,); of one class, 1."""
    p = pool.said()
    found = np.ones(len(pool))
    if p.shape[1] > 1:
        for start in range(0, len(pool), BLOCK):
            best = np.partition(p[pool.candidates[start : start + BLOCK]].astype(np.float64), -2, axis=1)
            found[start : start + BLOCK] = best[:, -1] - best[:, -2]
    return found


def entropies(pool: Pool) -> Float[np.ndarray, " u"]:
    """Entropy of the probabilities of each candidate, (u,), in nats."""
    from scipy.special import entr

    p = pool.said()
    found = np.empty(len(pool))
    for start in range(0, len(pool), BLOCK):
        block = entr(p[pool.candidates[start : start + BLOCK]].astype(np.float64))
        block.sort(axis=1)  # the sum does not depend on the order of the classes
        found[start : start + BLOCK] = block.sum(1)
    return found


def _highest(score: Float[np.ndarray, " u"], pool: Pool, count: int) -> Order:
    places = np.lexsort((pool.rank, -score))[:count]
    return Order(places, score[places])
