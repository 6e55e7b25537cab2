"""The numbers behind a report, as one JSON value; nothing in it depends on the clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from tutelage.fitting import Outcome
from tutelage.inputs import Inputs
from tutelage.ops.tags import entities
from tutelage.saving import Model
from tutelage.tasks import Tagging

BINS = 10
LEAST_SURE = 12
EXCERPT = 280
Pieces = list[tuple[str, str | None]]
"""A text in pieces, each with its entity's type or None."""


def collect(model: Model, inputs: Inputs, outcome: Outcome) -> dict[str, Any]:
    """Histories, held-out predictions, and the items of the pool that the model is least sure of."""
    record: dict[str, Any] = {"history": outcome.history, "curve": outcome.curve}
    items, classes = inputs.items, inputs.classes
    if outcome.evidence is not None:
        record |= predictions(classes, items.y, outcome.held_out.probabilities, "held out")
    if len(items.pool):
        p = model.probabilities(items.pool)
        record["least_sure"] = least_sure(inputs, p)
        share = np.bincount(p.argmax(1), minlength=p.shape[1]) / len(p)
        record["pool_classes"] = dict(zip(classes, map(float, share), strict=True))
    return record


def least_sure(inputs: Inputs, p: np.ndarray) -> list[dict[str, Any]]:
    """The pool's items of the lowest probability, as pieces; of a sentence, that of its least sure word."""
    pool, task, top = inputs.items.pool, inputs.items.task, p.max(1)
    if not isinstance(task, Tagging):
        return [
            {
                "pieces": [(excerpt(pool[i]) if isinstance(pool[i], str) else f"row {i + 1} of the pool", None)],
                "label": inputs.classes[int(p[i].argmax())],
                "probability": float(top[i]),
            }
            for i in np.argsort(top, kind="stable")[:LEAST_SURE]
        ]
    counts = np.array([len(s) for s in pool], dtype=np.int64)
    lowest = np.minimum.reduceat(top, np.cumsum(counts) - counts)
    tags = task.decode(p.argmax(1), counts)
    rows = np.argsort(lowest, kind="stable")[:LEAST_SURE]
    return [{"pieces": marked(pool[i], tags[i]), "label": None, "probability": float(lowest[i])} for i in rows]


def marked(words: Sequence[str], tags: Sequence[str]) -> Pieces:
    """A sentence in pieces.

    >>> marked(["in", "New", "York"], ["O", "B-LOC", "I-LOC"])
    [('in', None), ('New York', 'LOC')]
    """
    pieces: Pieces = []
    at = 0
    for start, end, kind in [*entities(tags), (len(words), len(words), "")]:
        if at < start:
            pieces.append((" ".join(words[at:start]), None))
        if start < end:
            pieces.append((" ".join(words[start:end]), kind))
        at = end
    return pieces


def excerpt(text: str) -> str:
    """The beginning of a text, cut at EXCERPT characters."""
    text = " ".join(text.split())
    return text if len(text) <= EXCERPT else text[:EXCERPT] + " …"


def of_test(inputs: Inputs, probabilities: np.ndarray) -> dict[str, Any]:
    """Confusion and calibration on the test items; words with tags never seen in training are left out."""
    task, y = inputs.items.task, inputs.truth
    if isinstance(task, Tagging):
        code = {name: i for i, name in enumerate(task.names)}
        y = np.array([code.get(tag, -1) for tags in inputs.truth for tag in tags], dtype=np.int64)
    return predictions(inputs.classes, y[y >= 0], probabilities[y >= 0], "test")


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
