"""How much each of several models counts where labels cannot tell which is the best, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tutelage.fit.held_out import Said

REFERENCE = -1
"""Number of the labels-only model among those that share."""

LABELS_ONLY = "labels only"
"""Its name among them."""

DRAWS = 20_000
"""Draws from the posterior of all gains, to count how often each model is the best."""

LEAST_SHARE = 0.02
"""Models with a smaller share than this are dropped."""


def shares_of(mean: np.ndarray, covariance: np.ndarray, at: np.ndarray, most: int) -> dict[int, float]:
    """How much each of the candidates ``at`` counts, by number: the probability that it is the best of them.

    The labels-only model, number `REFERENCE`, is one of them, with a gain of 0.

    Args:
        mean: of all candidates' gains, (m,).
        covariance: of these gains, (m, m).
        at: numbers of the candidates that may count, (k,).
        most: number of them that count in the end; 1 takes the one of the highest mean.

    >>> mean, covariance = np.array([0.02, -0.2, 0.03]), np.eye(3) * 0.02**2
    >>> {i: round(s, 1) for i, s in shares_of(mean, covariance, np.arange(3), most=2).items()}
    {2: 0.6, 0: 0.4}
    """
    if most == 1:
        best = int(at[mean[at].argmax()])
        return {best if mean[best] > 0 else REFERENCE: 1.0}
    draws = np.random.default_rng(0).multivariate_normal(mean[at], covariance[np.ix_(at, at)], DRAWS, method="eigh")
    first = np.column_stack([draws, np.zeros(DRAWS)]).argmax(1)
    often = dict(zip([*map(int, at), REFERENCE], np.bincount(first, minlength=len(at) + 1) / DRAWS, strict=True))
    counts = {i: often[i] for i in sorted(often, key=lambda i: -often[i])[:most]}
    kept = {i: c for i, c in counts.items() if c >= LEAST_SHARE * sum(counts.values())}
    return {i: float(c / sum(kept.values())) for i, c in kept.items()}


def mixed(parts: Mapping[int, tuple[np.ndarray, Said]], shares: Mapping[int, float]) -> tuple[np.ndarray, Said]:
    """What several models say of the same units together: the mean, weighted by their shares.

    Args:
        parts: numbers of the units, and what a model said of them, by the number of the model.
        shares: share of each of these models; they sum to 1.
    """
    index, first = next(iter(parts.values()))
    return index, {name: np.sum([s * parts[i][1][name] for i, s in shares.items()], axis=0) for name in first}
