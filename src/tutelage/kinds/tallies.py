"""Confusion and calibration, counted a batch at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

BINS = 10


class Tally:
    """Counts of labelled predictions.

    Calibration: predictions in BINS of equal width by the probability of the predicted class, each with its mean
    probability, share of right ones and count; ``error`` is their mean distance, weighted by count (expected
    calibration error).

    >>> tally = Tally(2).add(np.array([0, 1, -1]), np.array([0, 0, 1]), np.array([0.95, 0.9, 0.5]))
    >>> tally.record("test")["confusion"], round(tally.record("test")["calibration"]["error"], 3)
    ([[1, 0], [1, 0]], 0.425)
    """

    def __init__(self, classes: int) -> None:
        self.confusion = np.zeros((classes, classes), dtype=np.int64)
        self.bins = np.zeros((3, BINS))

    def add(self, y: np.ndarray, guess: np.ndarray, probability: np.ndarray) -> Tally:
        """Count units: their class numbers, -1 = unknown and left out, predictions and the probabilities of those."""
        known = y >= 0
        y, guess, probability = y[known], guess[known], probability[known]
        if not len(y):
            return self
        self.confusion += confusion_matrix(y, guess, labels=range(len(self.confusion)))
        which = np.minimum((probability * BINS).astype(int), BINS - 1)
        for i, weights in enumerate((probability, guess == y, np.ones(len(y)))):
            self.bins[i] += np.bincount(which, weights, BINS)
        return self

    def record(self, rows: str) -> dict[str, Any]:
        """As plain values; ``rows`` says on which rows."""
        there = self.bins[:, self.bins[2] > 0]
        bins = [{"probability": p / n, "right": r / n, "count": int(n)} for p, r, n in there.T.tolist()]
        error = sum(abs(p - r) for p, r, _ in there.T.tolist()) / max(there[2].sum(), 1)
        return {
            "rows": rows,
            "confusion": self.confusion.tolist(),
            "calibration": {"bins": bins, "error": float(error)},
        }
