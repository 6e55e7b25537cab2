"""Copies among the items of a kind: what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tutelage.copies import groups_of
from tutelage.data.columns import evenly
from tutelage.kinds.base import Kind
from tutelage.kinds.entries import Entries, InValues
from tutelage.kinds.nearness import nearness
from tutelage.kinds.one_vote import LOOKED_AT, OFF
from tutelage.tables import Notes
from tutelage.tables.cells import quoted

EXAMPLES = 3
"""Number of copies whose places are named."""


def note_copies(kind: Kind, parts: Sequence[Entries], notes: Notes) -> None:
    """Note how many items are there more than once, and how many of these have different labels.

    Args:
        kind: kind of the items, which says when two are equal.
        parts: entries of each source that is learnt from.
        notes: takes the counts.
    """
    stored = parts[-1].stored is not None
    if stored and kind.equal_by_chance([item for part in parts for item in evenly(part.items, LOOKED_AT)]):
        groups = np.split(np.arange(sum(map(len, parts))), np.cumsum(list(map(len, parts)))[:-1])
    else:
        groups = _groups_on_disk(parts[0], parts[1], kind) if stored else _groups_in(parts, kind)
    for part, own in zip(parts[1:], groups[1:], strict=True):
        again = np.isin(own, groups[0])
        if part.stored is not None:
            again = np.isin(part.stored.keys, kind.stored_keys(parts[0].items))
        _note_pool(kind, part, again, notes)
    every = np.concatenate(groups)
    counts = np.bincount(every)
    several = counts > 1
    if not several.any():
        return
    labels: dict[int, set[Any]] = {}
    for part, own in zip(parts, groups, strict=True):
        for i in np.flatnonzero(several[own]).tolist():
            if (label := part.labels[i]) is not None:
                labels.setdefault(int(own[i]), set()).add(label)
    torn = sum(len(of) > 1 for of in labels.values())
    items, rows, most = int(several.sum()), int(counts[several].sum()), int(counts.argmax())
    different = f"; {torn:,} of them with different labels" if torn else ""
    are = f"{kind.words.thing} is" if items == 1 else f"{kind.words.things} are"
    part, i = _entry(parts, int(np.argmax(every == most)))
    common = counts[most] > 2 and isinstance(part.items[i], str)
    named = f"; the commonest, in {counts[most]:,} rows, is like {quoted(part.items[i])}" if common else ""
    nearly, equal = (" once", " (of a pool on disk only equal ones)") if stored else (" once, or nearly,", "")
    several_of = f"{items:,} {are} there more than{nearly} in {rows:,} rows"
    says = f"Copies: {several_of}{equal}{different}{named}. {_examples(parts, every)}."
    notes.fact("copies", says, {"items": items, "rows": rows, "different_labels": torn})


def _examples(parts: Sequence[Entries], groups: np.ndarray) -> str:
    """Places of a few copies in words, such as "The first: row 1 and row 4".

    Args:
        parts: entries of each source.
        groups: group number of each entry of all sources, (n,).
    """
    several = len(parts) > 1
    first = np.flatnonzero((np.bincount(groups) > 1)[groups])
    shown = groups[first[np.sort(np.unique(groups[first], return_index=True)[1])[:EXAMPLES]]].tolist()
    pairs = [np.flatnonzero(groups == group)[:2].tolist() for group in shown]
    names = []
    for pair in pairs:
        each = [(part.places, i) for part, i in (_entry(parts, number) for number in pair)]
        names.append([f"{at.source}, {at.short(i)}" if several else at.short(i) for at, i in each])
    return "The first: " + "; ".join(" and ".join(pair) for pair in names)


def _entry(parts: Sequence[Entries], number: int) -> tuple[Entries, int]:
    """The source of an entry, and its number there, by its number among the entries of all sources."""
    for part in parts:
        if number < len(part):
            return part, number
        number -= len(part)
    raise IndexError(f"there is no entry {number} behind the last one")


def _groups_on_disk(train: Entries, pool: Entries, kind: Kind) -> list[np.ndarray]:
    """Group number of each entry, (n,) for each, of a training table and a pool on disk, where equal ones are copies.

    An item of the pool is in the group of the first one of the training table that equals it, or in one of its own.

    Args:
        train: entries of the training table.
        pool: entries whose items lie on disk.
        kind: kind of the items.
    """
    assert pool.stored is not None
    (own,) = _groups_in([train], kind)
    equal = groups_of(np.concatenate([kind.stored_keys(train.items), pool.stored.keys]))
    joined = np.full(int(equal.max(initial=-1)) + 1, -1, dtype=np.int64)
    joined[equal[: len(own)][::-1]] = own[::-1]
    alone = joined < 0
    joined[alone] = np.arange(int(alone.sum())) + int(own.max(initial=-1)) + 1
    return [own, joined[equal[len(own) :]]]


def _groups_in(parts: Sequence[Entries], kind: Kind) -> list[np.ndarray]:
    """Group number of each entry of several sources, (n,) for each: equal for copies, also of items of other sources.

    Args:
        parts: entries of each source; labels of the first one may say that nearly equal items are no copies.
        kind: kind of the items, which says when two are copies.
    """
    known, items = np.flatnonzero(parts[0].known), [item for part in parts for item in part.items]
    if kind.copies == OFF or kind.equal_by_chance(items):
        groups = np.arange(len(items)) if kind.equal_by_chance(items) else groups_of(list(map(kind.equal_key, items)))
        return np.split(groups, np.cumsum([len(part) for part in parts])[:-1])
    prints = kind.prints(items)
    groups = prints.groups()
    keys = [kind.label_key(parts[0].labels[i]) for i in known.tolist()]
    strangers = nearness(kind, [items[i] for i in known.tolist()], keys).strangers
    if strangers.any():
        groups = prints.plain(np.isin(groups, groups[known[strangers]])).groups()
    return np.split(groups, np.cumsum([len(part) for part in parts])[:-1])


def _note_pool(kind: Kind, pool: Entries, learnt: np.ndarray, notes: Notes) -> None:
    """Note how many items of the pool are in the training data, too, and how many labels of it are not learnt.

    Args:
        kind: kind of the items.
        pool: further entries for the pool.
        learnt: mask of the entries that are copies of items of the training data, (n,).
        notes: takes the counts.
    """
    if isinstance(pool.places, InValues):
        return
    again = int(learnt.sum())
    if again == len(pool) > 0 and not kind.weak:  # what a teacher was asked about it says there alone
        notes.ask(
            f"{pool.places.source}: all its {len(pool):,} {kind.words.things} are in the training data, too, so that "
            "the pool adds nothing",
            "leave out --unlabelled",
            page="copies",
        )
    elif again:
        are = "are" if again > 1 else "is"
        notes.say(
            f"{pool.places.source}: {again:,} of its {len(pool):,} {kind.words.things} {are} in the training data, "
            "too.",
            page="copies",
        )
    labels = int(pool.known.sum())
    if labels:
        are = f"{labels:,} labels are" if labels > 1 else "1 label is"
        notes.say(f"{pool.places.source}: {are} not learnt from, since it was given as --unlabelled.")
