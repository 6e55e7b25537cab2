"""Confusion matrix and calibration, counted a batch at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from tutelage.fit.calibration import BINS


class Tally:
    """Counts of labelled predictions, for the confusion matrix and the calibration.

    For the calibration, predictions are sorted into BINS bins of equal width by the probability of the predicted class.
    A bin has a mean probability, a share of right predictions and a count. ``error`` is the expected calibration error:
    the mean distance between probability and share, weighted by count.

    Args:
        classes: number of classes c.

    Attributes:
        confusion: number of units of each class (row) predicted as each class (column), (c, c).
        bins: sum of probabilities, number of right predictions, and count of each bin, (3, BINS).

    >>> tally = Tally(2).add(np.array([0, 1, -1]), np.array([0, 0, 1]), np.array([0.95, 0.9, 0.5]))
    >>> tally.record("test")["confusion"], round(tally.record("test")["calibration"]["error"], 3)
    ([[1, 0], [1, 0]], 0.475)
    """

    def __init__(self, classes: int) -> None:
        self.confusion = np.zeros((classes, classes), dtype=np.int64)
        self.bins = np.zeros((3, BINS))

    def add(self, y: np.ndarray, guess: np.ndarray, probability: np.ndarray) -> Tally:
        """Count some units.

        Args:
            y: class numbers, (n,); units of class -1, which is unknown, are left out.
            guess: predicted class numbers, (n,).
            probability: probability of the predicted class, (n,), in [0, 1].

        Returns:
            The tally itself.
        """
        known = y >= 0
        y, guess, probability = y[known], guess[known], probability[known]
        if not len(y):
            return self
        self.confusion += confusion_matrix(y, guess, labels=range(len(self.confusion)))
        which = np.minimum((probability * BINS).astype(int), BINS - 1)  # a probability of 1 is in the last bin
        for i, weights in enumerate((probability, guess == y, np.ones(len(y)))):
            self.bins[i] += np.bincount(which, weights, BINS)
        return self

    def record(self, rows: str) -> dict[str, Any]:
        """Plain values for a report: confusion matrix and calibration.

        Args:
            rows: name of the rows that were counted, such as "held out".
        """
        there = self.bins[:, self.bins[2] > 0]
        bins = [{"probability": p / n, "right": r / n, "count": int(n)} for p, r, n in there.T.tolist()]
        error = sum(abs(p - r) for p, r, _ in there.T.tolist()) / max(there[2].sum(), 1)
        return {
            "rows": rows,
            "confusion": self.confusion.tolist(),
            "calibration": {"bins": bins, "error": float(error)},
        }
