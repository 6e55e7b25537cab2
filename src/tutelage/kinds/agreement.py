"""Agreement of several labels of the same items beyond chance."""

from __future__ import annotations

import numpy as np


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
