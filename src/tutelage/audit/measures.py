"""What a ranking of suspects is worth where the right labels are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.metrics import average_precision_score

from tutelage.audit.ranking import Audit


def average_precision(wrong: Bool[np.ndarray, " n"], scores: Float[np.ndarray, " n"]) -> float | None:
    """The mean, over the wrong labels, of the precision of the ranking down to each; None where none is wrong.

    >>> average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7])).__round__(4)
    0.8333
    """
    return float(average_precision_score(wrong, scores)) if wrong.any() else None


def precision_recall(
    wrong: Bool[np.ndarray, " n"], listed: Bool[np.ndarray, " n"]
) -> tuple[float | None, float | None]:
    """Of the rows listed, the share that is wrong; of those that are wrong, the share listed; None of no row.

    >>> precision_recall(np.array([True, True, False, False]), np.array([True, False, False, False]))
    (1.0, 0.5)
    """
    precision = float(wrong[listed].mean()) if listed.any() else None
    return precision, float(listed[wrong].mean()) if wrong.any() else None


def against_truth(audit: Audit, likely: Int[np.ndarray, " s"], truth: Sequence[str | None]) -> dict[str, Any]:
    """Precision and recall of the likeliest, average precision of the ranking, and how many suggestions are right.

    Args:
        likely: numbers of the rows whose label is taken to be wrong.
        truth: right labels, None where unknown; those rows do not count.
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
