"""Agreement of several labels of the same items beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

DRAWS = 1000
"""Samples of the items by which an interval of kappa is found."""


@dataclass(frozen=True)
class Agreement:
    """Cohen's kappa with its 90 % interval.

    Attributes:
        kappa: agreement beyond chance, at most 1; None where it is not defined.
        low, high: ends of the interval; None where kappa is.
        items: number of items that it rests on.
    """

    kappa: float | None
    low: float | None
    high: float | None
    items: int


def kappa(first: Any, second: Any) -> float | None:
    """Cohen's kappa of two raters' labels of the same items, at most 1; None where both always say one class.

    kappa = (P - P_e) / (1 - P_e): P is the share of items on which they agree, P_e = sum_c p_c q_c with the shares p_c
    and q_c of class c among the labels of each.

    Args:
        first, second: their labels, or truth values, (n,), n at least 1.

    Source: Cohen, Educational and Psychological Measurement 20, 1960.

    >>> kappa(["a", "b", "a", "b"], ["a", "b", "b", "b"])
    0.5
    """
    one, other = np.split(np.unique([*first, *second], return_inverse=True)[1], 2)
    found = float(_kappa(one, other, np.ones((1, len(one)), dtype=np.int64))[0])
    return None if np.isnan(found) else found


def kappas(ratings: Int[np.ndarray, "r n"], pairs: Sequence[tuple[int, int]], seed: int = 0) -> Agreement:
    """Mean of Cohen's kappa over pairs of raters, each on the items that both rated, with a 90 % interval.

    The interval is that of the 5 % and the 95 % quantile over DRAWS bootstrap samples of the items. A pair whose kappa
    is not defined, since both always say one class, is left out of the mean, as it is in each sample.

    Args:
        ratings: class numbers by each of r raters, at least 0; -1 is no rating.
        pairs: numbers of the raters of each pair.
        seed: seed of the samples, at least 0.

    Source of the interval: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, the percentile interval.

    >>> kappas(np.array([[0, 0, 1, 1, -1], [0, 0, 1, 1, 1]]), [(0, 1)])
    Agreement(kappa=1.0, low=1.0, high=1.0, items=4)
    """
    rated = np.any([(ratings[a] >= 0) & (ratings[b] >= 0) for a, b in pairs], axis=0)
    items = int(rated.sum())
    if not items:
        return Agreement(None, None, None, 0)
    # equal items are counted once, so that a sample of the items is a draw of how often each kind of them is there
    kinds, count = np.unique(ratings[:, rated], axis=1, return_counts=True)
    found = _mean(kinds, pairs, count[None])[0]
    if np.isnan(found):
        return Agreement(None, None, None, items)
    samples = _mean(kinds, pairs, np.random.default_rng(seed).multinomial(items, count / items, DRAWS))
    low, high = np.nanquantile(samples, [0.05, 0.95]).tolist() if not np.isnan(samples).all() else (None, None)
    return Agreement(float(found), low, high, items)


def _mean(
    kinds: Int[np.ndarray, "r k"], pairs: Sequence[tuple[int, int]], times: Int[np.ndarray, "d k"]
) -> Float[np.ndarray, " d"]:
    """Mean kappa of the pairs where the k kinds of items are there so many ``times``; NaN where none is defined."""
    found = np.stack([_kappa(kinds[a], kinds[b], times) for a, b in pairs])
    defined = ~np.isnan(found)
    total = np.where(defined, found, 0).sum(0)
    mean: np.ndarray = np.where(defined.any(0), total / np.maximum(defined.sum(0), 1), np.nan)
    return mean


def _kappa(
    first: Int[np.ndarray, " k"], second: Int[np.ndarray, " k"], times: Int[np.ndarray, "d k"]
) -> Float[np.ndarray, " d"]:
    """Kappa of two raters, (d,), where the kinds of items are there so many ``times``; NaN where it is not defined."""
    both = (first >= 0) & (second >= 0)
    first, second, times = first[both], second[both], times[:, both]
    classes = np.union1d(first, second)
    n = times.sum(1)
    chance = sum((times @ (first == c)) * (times @ (second == c)) for c in classes)  # counts, so that n^2 is exact
    equal = times @ (first == second)
    left = n * n - chance
    kappa: np.ndarray = np.where(left > 0, (n * equal - chance) / np.where(left > 0, left, 1), np.nan)
    return kappa


def fleiss(counts: np.ndarray) -> float | None:
    """Fleiss' kappa, at most 1: 1 where all agree, 0 where they agree as often as by chance; None if that is always.

    kappa = (P - P_e) / (1 - P_e): P is the mean over the items of the share of pairs of labels that agree, P_e = sum_c
    p_c^2 with the share p_c of class c among all labels. Items may have different numbers of labels.

    Args:
        counts: number of labels of each class that each of n items got, (n, c); two labels an item at least.

    Source: Fleiss, Measuring nominal scale agreement among many raters, Psychological Bulletin 76, 1971.

    >>> fleiss(np.array([[2, 0], [0, 2], [1, 1], [1, 1]]))
    0.0
    """
    each = counts.sum(1)
    agree = (counts * (counts - 1)).sum(1) / (each * (each - 1))
    chance = float(((counts.sum(0) / counts.sum()) ** 2).sum())
    return None if chance >= 1 else float((agree.mean() - chance) / (1 - chance))
