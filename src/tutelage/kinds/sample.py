"""What the labels that were drawn at random say: of all that were asked for, they alone are a sample of the pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tutelage.ask import RANDOM
from tutelage.fit.evidence import estimate, exact
from tutelage.fit.fit_rows import Fitted
from tutelage.kinds.asked_labels import HAND, is_chosen
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Dataset

FEW = 30
"""Number of drawn labels below which it is said that they are few."""

NAMED = 8
"""Number of classes whose shares are told, at most."""


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
    if not any(data.asked) and not data.drawn_gone:
        return None
    outcome, task, groups = fitted.outcome, data.items.task, fitted.problem.groups
    drawn = np.array([by == RANDOM for by in data.asked], dtype=bool)
    chosen = np.array(list(map(is_chosen, data.asked)), dtype=bool)
    single = len(data.items.y) == len(drawn)
    first = np.arange(len(drawn))
    if groups is not None:  # of copies of an item one counts
        drawn = groups.mean(drawn.astype(float))[groups.item] > 0
        first = groups.first(data.items.y if single else None)
        drawn, chosen = drawn[first], chosen[first]
    found: dict[str, Any] = {"chosen": int((chosen & ~drawn).sum()), "drawn": int(drawn.sum()) + data.drawn_gone}
    found[task.score] = None
    if drawn.any() and single:
        found["shares"] = _shares(data.items.y[first][drawn], data.classes, data.drawn_gone)
    if drawn.any() and outcome.evidence is not None:
        right = _right(fitted, first, drawn)
        right = np.append(right, np.zeros(data.drawn_gone))  # no model says a class that is left out
        seen = exact(float(right.mean()), len(right)) if task.binary else estimate(right)
        found |= {task.score: seen.score, "interval": [max(seen.low, 0.0), min(seen.high, 1.0)]}
    return found | {"words": _words(kind, data, found, outcome.evidence is not None)}


def _right(fitted: Fitted, first: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Scores of the drawn items, (d,), whose mean is the score of all of them.

    Where the score of many is no mean of scores, as the F1 of sentences, it is that of these items alone: how much each
    of them counts among all labels says nothing of it.

    Args:
        fitted: outcome of the fit.
        first: number of the labelled example that stands for each item, (n,).
        drawn: whether each item was drawn, (n,).
    """
    held, task, problem = fitted.outcome.held_out, fitted.problem.task, fitted.problem
    if task.binary:
        groups = problem.groups
        right = held.right if groups is None or groups.importance is None else held.right / groups.importance
        found: np.ndarray = right[drawn]
        return found
    index = first[drawn]
    units = problem.labelled.units(index)
    guess = task.labels_of({name: said[units] for name, said in held.said.items()})
    return task.right(guess, problem.y[units], problem.labelled.counts()[index])


def _shares(y: np.ndarray, classes: Sequence[Any], gone: int) -> dict[str, list[float]]:
    """Share of each class among the drawn labels, and its interval; ``gone`` of them are of none of the classes."""
    counts = np.bincount(y[y >= 0], minlength=len(classes))
    total = float(counts.sum() + gone)
    each = [exact(float(count / max(total, 1)), total) for count in counts]
    return {str(name): [share.score, share.low, share.high] for name, share in zip(classes, each, strict=True)}


def _words(kind: Kind, data: Dataset, found: dict[str, Any], scored: bool) -> list[str]:
    """Sentences on the sample."""
    task, things = data.items.task, kind.words.things
    chosen, drawn = found["chosen"], found["drawn"]
    lines = []
    if chosen:
        were = "one was" if chosen == 1 else f"{chosen:,} were"
        harder = f", so that scores on held-out labels are of harder {things} than those of the pool" if scored else ""
        by = "by hand" if set(data.asked) <= {HAND, RANDOM, None} else "by a selector"
        by = f"{by} or by hand" if HAND in data.asked and by != "by hand" else by
        lines.append(f"Of the {data.items.labels:,} labels {were} chosen {by}{harder}.")
    if data.items.selected and task.binary and data.items.shares is None and len(data.items.pool):
        lines.append(
            "Chosen labels do not say how common the classes are in the pool, and no model was moved to shares: say "
            "them by --shares (shares=), if you know them."
        )
    if not drawn:
        return [*lines, "None was drawn at random, which alone would say how good the model is on the pool."]
    on = "On the one that was" if drawn == 1 else f"On the {drawn:,} that were"
    if found[task.score] is not None:
        low, high = (100 * end for end in found["interval"])
        few = " So few say little: tutelage next --by random draws more." if drawn < FEW else ""
        gone = f" {data.drawn_gone:,} of them, of classes that are left out, count as wrong." if data.drawn_gone else ""
        lines.append(
            f"{on} drawn at random the returned model has {task.measure} {100 * found[task.score]:.1f} % ({low:.1f} to "
            f"{high:.1f}): this is an estimate for the different {things} that were without a label before "
            f"one was asked for.{gone}{few}"
        )
    shares = list(found.get("shares", {}).items())
    if drawn >= FEW and shares:
        each = ", ".join(
            f"{name} {100 * at:.0f} % ({100 * low:.0f} to {100 * high:.0f})" for name, (at, low, high) in shares[:NAMED]
        )
        more = f", and {len(shares) - NAMED} more classes" if len(shares) > NAMED else ""
        lines.append(f"Shares of the classes among the {drawn:,} labels that were drawn at random: {each}{more}.")
    return lines
