"""The numbers behind a report, as one JSON value; nothing in it depends on the clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from tutelage.fitting import Outcome
from tutelage.saving import Model

BINS = 10
LEAST_SURE = 12
EXCERPT = 280


def collect(model: Model, y: np.ndarray, pool: Any, outcome: Outcome, summary: dict[str, Any]) -> dict[str, Any]:
    """Histories, held-out predictions, and the rows of the pool that the model is least sure of."""
    record: dict[str, Any] = {"history": outcome.history, "curve": outcome.curve}
    classes = summary["classes"]
    if outcome.evidence is not None:
        record |= predictions(classes, y, outcome.held_out.probabilities, "held out")
    if len(pool):
        p = model.probabilities(pool)
        top = p.max(1)
        record["least_sure"] = [
            {
                "text": excerpt(pool[i]) if isinstance(pool[i], str) else f"row {i + 1} of the pool",
                "label": classes[int(p[i].argmax())],
                "probability": float(top[i]),
            }
            for i in np.argsort(top, kind="stable")[:LEAST_SURE]
        ]
        share = np.bincount(p.argmax(1), minlength=p.shape[1]) / len(p)
        record["pool_classes"] = dict(zip(classes, map(float, share), strict=True))
    return record


def excerpt(text: str) -> str:
    """The beginning of a text, cut at EXCERPT characters."""
    text = " ".join(text.split())
    return text if len(text) <= EXCERPT else text[:EXCERPT] + " …"


def predictions(classes: Sequence[str], y: np.ndarray, probabilities: np.ndarray, kind: str) -> dict[str, Any]:
    """Confusion and calibration of labelled predictions; ``kind`` says on which rows.

    Calibration: predictions in BINS of equal width by the probability of the predicted class, each
    with its mean probability, share of right ones and count; ``error`` is their mean distance,
    weighted by count (expected calibration error).
    """
    guess, top = probabilities.argmax(1), probabilities.max(1)
    right = guess == y
    which = np.minimum((top * BINS).astype(int), BINS - 1)
    bins = [
        {"probability": float(top[m].mean()), "right": float(right[m].mean()), "count": int(m.sum())}
        for b in range(BINS)
        if (m := which == b).any()
    ]
    error = sum(b["count"] * abs(b["probability"] - b["right"]) for b in bins) / len(y)
    return {
        "rows": kind,
        "confusion": confusion_matrix(y, guess, labels=range(len(classes))).tolist(),
        "calibration": {"bins": bins, "error": float(error)},
    }
