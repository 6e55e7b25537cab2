"""Copies among the items of a kind: what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tutelage.copies import groups_of
from tutelage.kinds.base import Kind
from tutelage.kinds.entries import Entries, InValues
from tutelage.kinds.nearness import nearness
from tutelage.kinds.one_vote import OFF
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
    on_disk = [part for part in parts if part.stored is not None]
    parts = [part for part in parts if part.stored is None]
    for part in on_disk:
        assert part.stored is not None
        _note_pool(kind, part, np.isin(part.stored.keys, kind.stored_keys(parts[0].items)), notes)
    groups = _groups_in(parts, kind)
    for part, own in zip(parts[1:], groups[1:], strict=True):
        _note_pool(kind, part, np.isin(own, groups[0]), notes)
    every = np.concatenate(groups)
    counts = np.bincount(every)
    several = counts > 1
    if not several.any():
        return
    labels: dict[int, set[Any]] = {}
    for group, label in zip(every.tolist(), (label for part in parts for label in part.labels), strict=True):
        if several[group] and label is not None:
            labels.setdefault(group, set()).add(label)
    torn = sum(len(of) > 1 for of in labels.values())
    items, rows, most = int(several.sum()), int(counts[several].sum()), int(counts.argmax())
    different = f"; {torn:,} of them with different labels" if torn else ""
    are = f"{kind.words.thing} is" if items == 1 else f"{kind.words.things} are"
    first = [item for part in parts for item in part.items][int(np.argmax(every == most))]
    common = counts[most] > 2 and isinstance(first, str)
    named = f"; the commonest, in {counts[most]:,} rows, is like {quoted(first)}" if common else ""
    several_of = f"{items:,} {are} there more than once, or nearly, in {rows:,} rows"
    says = f"Copies: {several_of}{different}{named}. {_examples(parts, every)}."
    notes.fact("copies", says, {"items": items, "rows": rows, "different_labels": torn})


def _examples(parts: Sequence[Entries], groups: np.ndarray) -> str:
    """Places of a few copies in words, such as "The first: row 1 and row 4".

    Args:
        parts: entries of each source.
        groups: group number of each entry of all sources, (n,).
    """
    several = len(parts) > 1
    places = [(part.places, i) for part in parts for i in range(len(part))]
    first = np.flatnonzero((np.bincount(groups) > 1)[groups])
    shown = list(dict.fromkeys(groups[first].tolist()))[:EXAMPLES]
    pairs = [np.flatnonzero(groups == group)[:2].tolist() for group in shown]
    names = [
        [f"{at.source}, {at.short(i)}" if several else at.short(i) for at, i in (places[j] for j in pair)]
        for pair in pairs
    ]
    return "The first: " + "; ".join(" and ".join(pair) for pair in names)


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
    if again == len(pool) > 0:
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
