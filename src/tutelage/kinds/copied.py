"""Items to score on that are copies of items that were learnt from: they are known by prints, and scored apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tutelage.copies import Prints
from tutelage.data import Examples
from tutelage.files import BadFileError
from tutelage.kinds.entries import OnDiskEntries, taken
from tutelage.kinds.one_vote import OFF
from tutelage.model import Model

if TYPE_CHECKING:
    from tutelage.fit.build import Items
    from tutelage.kinds.base import Kind
    from tutelage.kinds.dataset import Dataset

LABELLED = "labelled"
"""Name of the array that holds the number of labelled items, which are the first ones."""

KEPT = 200_000
"""Number of items that a model keeps prints of at most: the labelled ones, and then the first of the pool."""


def known_prints(
    kind: Kind, labelled: Sequence[Any], pool: Sequence[Any], strangers: np.ndarray | None = None
) -> Prints:
    """Prints of items that are learnt from, by which their copies are known.

    Strangers, and items of the pool that are nearly equal to them, are known by equality alone, and so are all items
    where nothing is taken for a copy.

    Args:
        kind: kind of the items.
        labelled: labelled items.
        pool: items of the pool.
        strangers: mask of the labelled items that are nearly equal to others and no copies; None: there are none.
    """
    prints = kind.prints([*labelled, *pool])
    if kind.copies == OFF:
        return prints.plain(np.ones(len(prints), dtype=bool))
    if strangers is None or not strangers.any():
        return prints
    groups = prints.groups()
    return prints.plain(np.isin(groups, groups[: len(labelled)][strangers]))


def copied_in_pool(
    kind: Kind, items: Sequence[Any], learnt: Items, stored: OnDiskEntries | None, strangers: np.ndarray | None
) -> np.ndarray:
    """Of what each item to score on is a copy, see `Kind.copied`, int8, (n,).

    Of a pool on disk the first KEPT items are looked at for nearly equal ones, the others for equal ones.

    Args:
        kind: kind of the items.
        items: n items.
        learnt: items that are learnt from.
        stored: entries of the pool that lie on disk; None where there are none.
        strangers: mask of the labelled items that are nearly equal to others and no copies.
    """
    pool = learnt.pool if stored is None else learnt.pool[:KEPT]
    found = kind.copied(items, learnt.labelled, pool, strangers)
    if stored is None or kind.copies == OFF:
        return found
    equal: np.ndarray = np.isin(kind.stored_keys(items), stored.keys)
    both: np.ndarray = np.maximum(found, equal.astype(np.int8))
    return both


def with_tested(
    kind: Kind, learnt: Items, tested: Sequence[Any], copied: np.ndarray, stored: OnDiskEntries | None
) -> Items:
    """The items to learn from, with a mask of those of the pool that are copies of items to score on.

    Args:
        kind: kind of the items.
        learnt: items that are learnt from; without weak labels or a teacher they are left as they are.
        tested: items to score on.
        copied: of what each of these is a copy, see `Kind.copied`.
        stored: entries of the pool that lie on disk, which are left as they are; None where there are none.
    """
    if not (learnt.weak and copied.any()) or stored is not None:
        return learnt
    found: Items = replace(learnt, tested=kind.copied(learnt.pool, [], list(tested)) > 0)
    return found


def kept_prints(kind: Kind, data: Dataset) -> dict[str, np.ndarray]:
    """Prints of the items that were learnt from, as a model keeps them.

    Args:
        kind: kind of the items.
        data: data set that was learnt.
    """
    labelled, pool = data.items.labelled, data.items.pool
    kept = known_prints(kind, labelled, pool[: max(KEPT - len(labelled), 0)], data.strangers).kept()
    return kept | {LABELLED: np.array([len(labelled)], dtype=np.int64)}


def kept_of_both(kind: Kind, now: Mapping[str, np.ndarray], before: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Prints of the items that a model learnt from, and of those that the model learnt from with which it began.

    Args:
        kind: kind of the items.
        now, before: prints of either, as a model keeps them.

    Raises:
        BadFileError: those of the model before are damaged.
    """
    if not before:
        return dict(now)
    (new, labelled), (old, earlier) = _read(kind, now), _read(kind, before)
    first, rest = old.head(earlier), old.take(np.arange(earlier, len(old)))
    front = new.head(labelled)
    front = front.and_those_of(first.take(np.flatnonzero(~first.matched(front))))
    every = front.and_those_of(new.take(np.arange(labelled, len(new))))
    every = every.and_those_of(rest.take(np.flatnonzero(~rest.matched(every))))
    return every.head(KEPT).kept() | {LABELLED: np.array([min(len(front), KEPT)], dtype=np.int64)}


def _read(kind: Kind, kept: Mapping[str, np.ndarray]) -> tuple[Prints, int]:
    """Prints that a model keeps, and the number of those, the first ones, that are of labelled items."""
    try:
        known = kind.prints_class.read(kept)
    except ValueError as fault:
        raise BadFileError(f"what the model keeps of the items that it learnt is damaged ({fault})") from fault
    return known, int(kept.get(LABELLED, np.array([len(known)]))[0])


def copied_of(kind: Kind, model: Model, items: Sequence[Any]) -> np.ndarray:
    """Of what each item is a copy, see `Kind.copied`, int8, (n,); of an older model no item is known.

    Args:
        kind: kind of the items.
        model: fitted model.
        items: n items.

    Raises:
        BadFileError: what the model keeps of its items is damaged.
    """
    if not model.known:
        return np.zeros(len(items), dtype=np.int8)
    known, labelled = _read(kind, model.known)
    return kind.prints(items, known).within(known, labelled)


def without_copies(
    kind: Kind, model: Model, examples: Examples, items: Sequence[Any], truth: Any, scores: Mapping[str, Any],
    copied: np.ndarray | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Scores without the items that are copies of items that were learnt from; empty where there are none.

    Args:
        kind: kind of the items.
        model: fitted model.
        examples: examples made of the items.
        items: n items to score on.
        truth: their labels, as `Kind.measured` takes them.
        scores: scores on all of them.
        copied: of what each item is a copy, (n,), see `Kind.copied`; None asks the model.

    Returns:
        "without_copies": the scores, with the number of "copies", of those "with_labels" among them, and a sentence in
        "words"; where all items are copies, these three alone.
    """
    copied = copied_of(kind, model, items) if copied is None else copied
    count, others = int((copied > 0).sum()), np.flatnonzero(copied == 0)
    if not count:
        return {}
    found: dict[str, Any] = {"copies": count, "with_labels": int((copied > 1).sum())}
    if len(others):
        keep = [truth[i] for i in others.tolist()] if isinstance(truth, list) else truth[others]
        found |= kind.measured(model, examples.subset(others), taken(items, copied == 0), keep).scores
    return {"without_copies": found | {"words": _in_words(kind, scores, found, len(items))}}


def _in_words(kind: Kind, scores: Mapping[str, Any], without: Mapping[str, Any], count: int) -> str:
    """Sentence on the scores with and without copies."""
    copies, with_labels, words = without["copies"], without["with_labels"], kind.words
    score = kind.in_words(scores)[0]
    some = f", {with_labels:,} with {'its label' if with_labels == 1 else 'their labels'}"
    learnt = "that were learnt from" + {0: ", without their labels", copies: ""}.get(with_labels, some)
    if copies == count:
        all_ = f"All {count:,} {words.things} of the test are copies" if count > 1 else f"The {words.thing} is a copy"
        most = 2 * with_labels >= copies
        verdict = "says nothing of others" if most else "is of this pool, and may be lower for others"
        return f"{all_} of {words.things} {learnt}: {score} {verdict}."
    are = "is a copy" if copies == 1 else "are copies"
    return (
        f"{copies:,} of the {count:,} {words.things} of the test {are} of {words.things} {learnt}: {score}, without "
        f"them {kind.in_words(without)[0]}."
    )
