"""Rows to ask somebody about who errs: the best choice where an adversary decides which answers are wrong."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from tutelage.ask.pool import Pool
from tutelage.ask.selectors import Order, margins

LEAST = 1e-9
"""Gain of a row that the model is sure of, at most: it gains nothing, and is asked about once no other is left."""


def robust(pool: Pool, count: int, wrong: float = 0.0) -> Order:
    """Robust active distillation (RAD): rows drawn by the best shares against an adversary who makes answers wrong.

    The gain of a row is ``g = 1 - (p_1 - p_2)``, and nothing where the answer is wrong. An adversary who knows the
    shares of the questions spoils the answers of ``m = wrong * u`` of the u rows. The best shares are spread over the
    k rows of the greatest gain, in proportion to 1 / g (see `shares`). So many rows are drawn that each is among them
    with its share times their number, at most once; what is over is spread over the others. The score is the gain, and
    the greatest is asked first. Where no answer is wrong, it is `margin`.

    Args:
        pool: the rows.
        count: number of rows to choose.
        wrong: share of the answers that are wrong, in [0, 1].

    Source: Baykal et al., Robust Active Distillation, ICLR 2023; that k is at least ``count``, and how the excess is
    spread, is our reading.
    """
    score = 1 - margins(pool)
    order = np.lexsort((pool.rank, -score))
    gains = int((score > LEAST).sum())
    if gains <= count:  # all of them, and rows of which the model is sure
        places = order[:count]
        return Order(places, score[places])
    order = order[:gains]
    often = inclusions(score[order], min(wrong * len(score), gains), count)
    by_rank = np.argsort(pool.rank[order])  # a random order, which depends on the rows and the seed alone
    drawn = order[by_rank[systematic(often[by_rank], np.random.default_rng(pool.seed).random())]]
    places = drawn[np.lexsort((pool.rank[drawn], -score[drawn]))]
    return Order(places, score[places])


def shares(gain: Float[np.ndarray, " u"], m: float, least: int = 1) -> Float[np.ndarray, " u"]:
    """The shares q of the questions that gain most where an adversary makes m of the answers wrong, (u,), their sum 1.

        max_q min_{|M| = m} sum_{i not in M} q_i g_i = max_k (k - m) / H_k,    H_k = sum_{j <= k} 1 / g_j

    The best shares are ``q_i = (1 / g_i) / H_k`` of the k rows of the greatest gains, and 0 of the others: each of them
    gains as much, so that the adversary has no better choice.

    Args:
        gain: gain of each row, falling, above 0.
        m: number of answers that are wrong, in [0, u].
        least: number of rows, at least, that share the questions, in [1, u].

    >>> shares(np.array([1.0, 0.5, 0.1]), 1.0).round(3).tolist()
    [0.333, 0.667, 0.0]
    """
    h = np.cumsum(1 / gain)
    value = (np.arange(1, len(gain) + 1) - m) / h
    k = least + int(value[least - 1 :].argmax())
    found: np.ndarray = np.where(np.arange(len(gain)) < k, 1 / gain, 0) / h[k - 1]
    return found


def inclusions(gain: Float[np.ndarray, " u"], m: float, count: int) -> Float[np.ndarray, " u"]:
    """How probably each row is among ``count`` that are drawn by these shares, (u,), each at most 1, their sum count.

    Args:
        gain: gain of each row, falling, above 0.
        m: number of answers that are wrong, in [0, u].
        count: number of rows to draw, in [1, u].

    >>> inclusions(np.array([1.0, 0.5, 0.1]), 1.0, 2).round(3).tolist()
    [1.0, 1.0, 0.0]
    """
    q = shares(gain, m, count)
    found, full = np.zeros(len(q)), np.zeros(len(q), dtype=bool)
    while True:
        left = np.where(full, 0, q)
        found = np.where(full, 1.0, (count - full.sum()) * left / (left.sum() or 1.0))
        over = found > 1
        if not over.any():
            return found
        full |= over


def systematic(often: Float[np.ndarray, " u"], start: float) -> np.ndarray:
    """Numbers of rows that are drawn with these probabilities, as many as is their sum, a whole number.

    Source: Madow, On the Theory of Systematic Sampling, II, Annals of Mathematical Statistics 20, 1949.

    Args:
        often: probability that each row is drawn, in [0, 1], (u,).
        start: where the first step begins, in [0, 1): drawn evenly.

    >>> systematic(np.array([0.5, 0.5, 1.0, 0.0]), 0.7).tolist()
    [1, 2]
    """
    ends = np.cumsum(often)
    count = round(float(ends[-1]))
    at: np.ndarray = np.searchsorted(ends * (count / ends[-1]), np.arange(count) + start, side="right")
    return at
