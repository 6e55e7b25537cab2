"""What the labels that were drawn at random say: of all that were asked for, they alone are a sample of the pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tutelage.fit.evidence import estimate, exact
from tutelage.fit.fit_rows import Fitted
from tutelage.kinds.asked_labels import RANDOM
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Dataset

FEW = 30
"""Number of drawn labels below which it is said that they are few."""


def of_sample(kind: Kind, data: Dataset, fitted: Fitted) -> dict[str, Any] | None:
    """What the drawn labels say of the returned model and of the classes, as plain values; None where none were asked.

    Each label was held out of the model that is scored on it.

    Args:
        kind: kind of the data.
        data: dataset that was learnt.
        fitted: outcome of the fit.

    Returns:
        Number of labels that a selector chose, as "chosen"; of those "drawn"; the score on these by the task's name of
        it, with its "interval"; "shares" of the classes among them, each with an interval, where an item has one; and
        "words".
    """
    if not any(data.asked):
        return None
    outcome, task = fitted.outcome, data.items.task
    asked = np.array([by or "" for by in data.asked], dtype=object)
    drawn, chosen = asked == RANDOM, (asked != RANDOM) & (asked != "")
    found: dict[str, Any] = {"chosen": int(chosen.sum()), "drawn": int(drawn.sum()), task.score: None}
    single = len(data.items.y) == len(asked)
    if drawn.any() and single:
        found["shares"] = _shares(data.items.y[drawn], data.classes)
    if drawn.any() and outcome.evidence is not None:
        right, of_items = outcome.held_out.right, drawn
        groups = fitted.problem.groups
        if groups is not None:  # of copies of an item one counts, and all that were drawn count alike
            of_items = groups.mean(drawn.astype(float)) > 0
            right = right if groups.importance is None else right / groups.importance
        right = right[of_items]
        seen = exact(float(right.mean()), len(right)) if task.binary else estimate(right)
        found |= {task.score: seen.score, "interval": [seen.low, seen.high]}
    return found | {"words": _words(kind, data, found, task.score, task.measure)}


def _shares(y: np.ndarray, classes: Sequence[Any]) -> dict[str, list[float]]:
    """Share of each class among the drawn labels, and its interval."""
    counts = np.bincount(y[y >= 0], minlength=len(classes))
    each = [exact(float(count / max(counts.sum(), 1)), float(counts.sum())) for count in counts]
    return {str(name): [share.score, share.low, share.high] for name, share in zip(classes, each, strict=True)}


def _words(kind: Kind, data: Dataset, found: dict[str, Any], score: str, measure: str) -> list[str]:
    """Sentences on the sample."""
    chosen, drawn, things = found["chosen"], found["drawn"], kind.words.things
    lines = []
    if chosen:
        were = "one was" if chosen == 1 else f"{chosen:,} were"
        lines.append(
            f"Of the {len(data.asked):,} labels {were} chosen by a selector, so that scores on held-out labels are of "
            f"harder {things} than those of the pool."
        )
    if not drawn:
        return [*lines, "None was drawn at random, which alone would say how good the model is on the pool."]
    if found[score] is None:
        return lines
    low, high = (100 * end for end in found["interval"])
    on = "On the one that was" if drawn == 1 else f"On the {drawn:,} that were"
    few = " So few say little: tutelage next --by random draws more." if drawn < FEW else ""
    lines.append(
        f"{on} drawn at random the returned model has {measure} {100 * found[score]:.1f} % ({low:.1f} to {high:.1f}): "
        f"this is an estimate for the pool.{few}"
    )
    return lines
