"""The numbers behind a report, as one JSON value; nothing in it depends on the clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tutelage.fit.fit import Outcome
from tutelage.kinds import ImageInputs, Inputs, MaskInputs
from tutelage.kinds.tallies import Tally
from tutelage.model import Model
from tutelage.ops.tags import entities
from tutelage.report import pictures
from tutelage.tasks import Tagging

LEAST_SURE = 12
EXCERPT = 280
Pieces = list[tuple[str, str | None]]
"""A text in pieces, each with its entity's type or None."""


def collect(model: Model, inputs: Inputs, outcome: Outcome) -> dict[str, Any]:
    """Histories, held-out predictions, and the items of the pool that the model is least sure of."""
    record: dict[str, Any] = {"history": outcome.history, "curve": outcome.curve}
    items, classes = inputs.items, inputs.classes
    if isinstance(inputs, MaskInputs):
        record["colours"] = pictures.hex_colours(len(classes))
    if outcome.evidence is not None:
        p = outcome.held_out.probabilities
        record |= Tally(len(classes)).add(items.y, p.argmax(1), p.max(1)).record("held out")
        if isinstance(inputs, MaskInputs):
            guess = p.argmax(1).reshape(-1, *inputs.size)
            record["shown"] = pictures.beside_truth(
                items.labelled, guess, items.y.reshape(guess.shape), len(classes), "held out"
            )
    if len(items.pool) and isinstance(inputs, MaskInputs):
        record |= pictures.of_pool(model, items.pool, inputs.names, classes, LEAST_SURE)
    elif len(items.pool):
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
            _shown(inputs, int(i)) | {"label": inputs.classes[int(p[i].argmax())], "probability": float(top[i])}
            for i in np.argsort(top, kind="stable")[:LEAST_SURE]
        ]
    counts = np.array([len(s) for s in pool], dtype=np.int64)
    lowest = np.minimum.reduceat(top, np.cumsum(counts) - counts)
    tags = task.decode(p.argmax(1), counts)
    rows = np.argsort(lowest, kind="stable")[:LEAST_SURE]
    return [{"pieces": marked(pool[i], tags[i]), "label": None, "probability": float(lowest[i])} for i in rows]


def _shown(inputs: Inputs, i: int) -> dict[str, Any]:
    """An item of the pool: its text, or the image, or its number."""
    item = inputs.items.pool[i]
    if isinstance(inputs, ImageInputs):
        return {"pieces": [(inputs.names[i], None)], "image": pictures.thumbnail(item)}
    return {"pieces": [(excerpt(item) if isinstance(item, str) else f"row {i + 1} of the pool", None)]}


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


def of_test(model: Model, inputs: Inputs) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the model's answers on the test items are worth; confusion and calibration, and images beside their truth.

    Words with tags never seen in training are left out of the confusion.
    """
    if isinstance(inputs, MaskInputs):
        overlaps, tally, shown = pictures.of_test(model, inputs.test, inputs.truth)
        return inputs.scores(overlaps), tally.record("test") | {"shown": shown}
    p, y, task = model.probabilities(inputs.test), inputs.truth, inputs.items.task
    if isinstance(task, Tagging):
        code = {name: i for i, name in enumerate(task.names)}
        y = np.array([code.get(tag, -1) for tags in inputs.truth for tag in tags], dtype=np.int64)
    return inputs.scores(p), Tally(p.shape[1]).add(y, p.argmax(1), p.max(1)).record("test")
