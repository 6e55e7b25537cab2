"""Metrics of an audit, where the right labels are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.metrics import average_precision_score

from tutelage.audit.ranking import Audit


def average_precision(wrong: Bool[np.ndarray, " n"], scores: Float[np.ndarray, " n"]) -> float | None:
    """Average precision of a ranking: the mean over the wrong labels of the precision down to each of them.

    It is None where no label is wrong.

    Args:
        wrong: whether each label is wrong, (n,).
        scores: scores of the labels, (n,); the higher, the more suspect.

    >>> average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7])).__round__(4)
    0.8333
    """
    return float(average_precision_score(wrong, scores)) if wrong.any() else None


def precision_recall(
    wrong: Bool[np.ndarray, " n"], listed: Bool[np.ndarray, " n"]
) -> tuple[float | None, float | None]:
    """Precision and recall of a list of suspects; None for a share of no rows.

    Args:
        wrong: whether each label is wrong, (n,).
        listed: whether each label is listed as a suspect, (n,).

    >>> precision_recall(np.array([True, True, False, False]), np.array([True, False, False, False]))
    (1.0, 0.5)
    """
    precision = float(wrong[listed].mean()) if listed.any() else None
    return precision, float(listed[wrong].mean()) if wrong.any() else None


def against_truth(audit: Audit, likely: Int[np.ndarray, " s"], truth: Sequence[str | None]) -> dict[str, Any]:
    """Metrics of an audit by name: precision, recall, average precision, and the share of right suggestions.

    The shares are in [0, 1], None without rows to count. "suggestions_right" counts the rows that are rightly taken to
    be wrong.

    Args:
        audit: an audit of n rows.
        likely: numbers of the rows whose label is taken to be wrong, (s,).
        truth: right label of each row, (n,); None where it is unknown: those rows do not count.
    """
    known = np.array([label is not None for label in truth])
    right = np.array([label or "" for label in truth])
    wrong = known & (audit.given != right)
    taken = np.zeros(len(known), dtype=bool)
    taken[likely] = True
    precision, recall = precision_recall(wrong[known], taken[known])
    mended = taken & wrong
    return {
        "rows": int(known.sum()), "wrong": int(wrong.sum()), "likely": int((taken & known).sum()),
        "precision": precision, "recall": recall,
        "average_precision": average_precision(wrong[known], audit.probability[known]),
        "suggestions_right": float((audit.suggested == right)[mended].mean()) if mended.any() else None,
    }  # fmt: skip
