"""How much less the held-out answers of one fit say than as many independent answers would."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm, t

DEPENDENT = 1.45
"""Factor by which the variance of a cross-validated score is larger than that of as many independent answers.

Each answer is of a model that learnt nearly the same labels as the others'. Measured where labels are coin tosses,
which nothing can learn, see `benchmarks/studies/copies.py` and docs/evidence.md.
"""


def design_effect(scores: np.ndarray, clusters: np.ndarray | None) -> float:
    """Factor by which the variance of the mean score is larger than that of independent scores, at least 1.

    It is the cluster-robust variance of the mean, sum_g (sum_{i in g} e_i)^2 G / (G - 1), over the usual one, sum_i
    e_i^2, of deviations e from the mean in G clusters. A quantile of Student's t with G - 1 degrees takes the place of
    the normal one. Where all scores are equal, each cluster counts as one answer.

    Args:
        scores: scores of n items, (n,).
        clusters: number of the cluster of each item, (n,), from 0; None: each is by itself.

    Source: Liang and Zeger, Biometrika 73, 1986.

    >>> design_effect(np.ones(6), np.array([0, 0, 1, 1, 2, 2])) > 2, design_effect(np.ones(6), None)
    (True, 1.0)
    """
    if clusters is None:
        return 1.0
    count = len(np.unique(clusters))
    if count == len(scores):
        return 1.0
    if count < 2:
        return float(len(scores))
    apart = scores - scores.mean()
    usual, robust = float((apart**2).sum()), float((np.bincount(clusters, apart) ** 2).sum())
    wider = float((t.ppf(0.95, count - 1) / norm.ppf(0.95)) ** 2)
    effect = len(scores) / count if usual < 1e-12 else robust / usual * count / (count - 1)
    return max(effect * wider, 1.0)


def dependence(scores: np.ndarray, clusters: np.ndarray | None = None) -> float:
    """Factor by which n cross-validated scores say less than n independent ones, at least DEPENDENT.

    Args:
        scores: scores of n items, (n,).
        clusters: number of the cluster of each item, (n,); None: each is by itself.

    >>> dependence(np.array([1.0, 0.0, 1.0])) == DEPENDENT
    True
    """
    return DEPENDENT * design_effect(scores, clusters)
