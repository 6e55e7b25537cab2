"""What changed since the run that a fit goes on from: its model is asked of the new labels, and of old and new rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tutelage.data.columns import spaced
from tutelage.data.examples import Chosen
from tutelage.fit.changes import Looked, changes
from tutelage.fit.dependence import dependence
from tutelage.fit.evidence import estimate
from tutelage.fit.fit_rows import Fitted
from tutelage.kinds.asked_labels import is_chosen
from tutelage.kinds.base import Kind
from tutelage.kinds.copied import copied_of
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.known_pool import known_again
from tutelage.model import Model

LOOKED_AT = 10_000
"""Items of the old and of the new rows of a pool, at most each, that both models are asked of; evenly spaced."""

OF_MANY_UNITS = 100
"""The same of items that are many units, such as the pixels of an image."""


def pool_since(
    kind: Kind, data: Dataset, fitted: Fitted, before: Model, now: Model, keys: np.ndarray, known: np.ndarray | None
) -> dict[str, Any]:  # fmt: skip
    """What changed in the pool since the run before, as plain values and in sentences.

    Args:
        kind: kind of the data.
        data: data set that was learnt.
        fitted: outcome of the fit.
        before, now: the model of the run before, and the model now, which read the same features.
        keys: hash of each item of the pool, (n,), see `keys_of_pool`.
        known: hashes of the items of the pool of the run before, ascending; None: it kept none.
    """
    counts: dict[str, Any] = {"pool": len(keys), "before": None if known is None else len(known)}
    old: Looked | None = None
    if known is None:
        counts |= {"old": None, "new": None, "gone": None, "labelled_since": None}
        new = _looked(fitted, before, now, np.arange(len(keys)))
    else:
        mask, here = known_again(keys, known)
        learnt = kind.pool_keys(data.items.labelled) if len(data.items.labelled) and not here.all() else keys[:0]
        labelled = int((known_again(learnt, known)[1] & ~here).sum())
        counts |= {"old": int(mask.sum()), "new": int((~mask).sum()), "gone": int((~here).sum())}
        counts |= {"labelled_since": labelled}
        old, new = (_looked(fitted, before, now, np.flatnonzero(of)) for of in (mask, ~mask))
    task = fitted.problem.task
    names, single = [str(c) for c in data.classes], not (task.dense or task.sequential)
    found = changes(names, kind.words.things, old, new, single)
    return counts | found | {"words": [*_counts_in_words(counts, kind.words.things), *found["words"]]}


def _looked(fitted: Fitted, before: Model, now: Model, index: np.ndarray) -> Looked:
    """What both models say of some of the pool's items of these numbers, (n,)."""
    task, pool = fitted.problem.task, fitted.problem.pool
    some = np.asarray(spaced(index, OF_MANY_UNITS if task.dense else LOOKED_AT), dtype=np.int64)
    examples = pool.subset(some) if task.dense or task.sequential else Chosen(pool, some)
    (sure, first), (_, second) = before.surest(examples), now.surest(examples)
    return Looked(first, second, sure, len(some), len(index))


def _counts_in_words(counts: dict[str, Any], things: str) -> list[str]:
    """Sentences on how the pool grew."""
    pool, old, new, left = counts["pool"], counts["old"], counts["new"], counts["gone"]
    if old is None:
        return [
            f"The run before keeps no record of its pool, so that old and new {things} cannot be told apart: both "
            "models are compared on the whole pool."
        ]
    labelled = counts["labelled_since"]
    moved = f", of which {labelled:,} {'has' if labelled == 1 else 'have'} a label now" if labelled else ""
    lost = f"; {left:,} of the {counts['before']:,} of the run before {'is' if left == 1 else 'are'} not in it{moved}"
    gone = lost if left else ""
    if not new:
        same = "is that of the run before" if not left else "has no new ones: it shrank"
        return [f"The pool of {pool:,} {things} {same}{gone}."]
    if not old:
        return [f"None of the {pool:,} {things} of the pool was in that of the run before{gone}."]
    are = "was" if old == 1 else "were"
    return [f"Of the {pool:,} {things} of the pool {old:,} {are} in that of the run before, {new:,} are new{gone}."]


def new_labels(kind: Kind, data: Dataset, fitted: Fitted, before: Model) -> dict[str, Any] | None:
    """Score of the model before on labelled items whose labels it had not: tested first, and then trained on.

    Args:
        kind: kind of the data.
        data: data set that was learnt.
        fitted: outcome of the fit.
        before: model of the run before, which reads the same features as the model now.

    Returns:
        "labels", their number, with the score, its "interval" and a sentence in "words"; None where there are none, or
        where the model does not tell which labels it had.
    """
    problem, items = fitted.problem, data.items
    if not before.known or not len(items.labelled):
        return None
    new = copied_of(kind, before, _listed(items.labelled)) < 2
    chosen = np.array(list(map(is_chosen, data.asked or [None] * len(new))), dtype=bool)
    index = np.flatnonzero(new & ~chosen)  # what a selector chose is harder than the rest
    if not len(index):
        return None
    examples = problem.labelled.subset(index)
    guess = before.surest(examples)[1]
    right = problem.task.right(guess, problem.y[problem.labelled.units(index)], examples.counts())
    groups = None if problem.groups is None else problem.groups.subset(index)
    scores = right if groups is None else groups.mean(right)
    clusters = None if groups is None or groups.clusters == groups.items else groups.cluster
    importance = None if groups is None else groups.importance
    found = estimate(scores, problem.task.binary, dependence(scores, clusters), importance)
    task, things = problem.task, kind.words.things
    says = (
        f"On the {len(scores):,} {things} whose labels are new, before they were learnt, the model before had "
        f"{task.measure} {100 * found.score:.1f} % ({100 * found.low:.1f} to {100 * found.high:.1f})."
    )
    if left := int((new & chosen).sum()):
        says += f" {left:,} more, which a selector chose, are left out: they are harder than the rest."
    return {"labels": len(scores), task.score: found.score, "interval": [found.low, found.high], "words": says}


def _listed(items: Sequence[Any]) -> Sequence[Any]:
    """Items as the prints of a kind take them."""
    return items if isinstance(items, np.ndarray) else list(items)


def as_before(model: Model, made: Model) -> Model:
    """The model of a run as one that reads the features of another, on its device.

    Args:
        model: model of the run.
        made: fitted model whose reader is that of the run.
    """
    return replace(model, network=model.network.to(made.device), reader=made.reader)
