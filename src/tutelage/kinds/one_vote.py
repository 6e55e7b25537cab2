"""One item, one vote: copies of labelled items are merged or grouped, and what contradicts itself is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tutelage.ask import RANDOM
from tutelage.copies import groups_of
from tutelage.data import Groups
from tutelage.data.columns import evenly
from tutelage.kinds.contradictions import Contradiction, Copied
from tutelage.kinds.entries import Entries, InTable
from tutelage.kinds.nearness import Nearness, nearness
from tutelage.kinds.origins import Origins
from tutelage.ops.agreement import fleiss
from tutelage.tables import DataError, Notes, ReadAs, as_label, column, holds_table, read

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind
    from tutelage.kinds.dataset import Words

ONCE, EACH, OFF = "once", "each", "off"
"""What becomes of equal items with equal labels: they are merged into one, each has a vote of its own, or nothing is
taken for a copy."""

LOOKED_AT = 200_000
"""Items of a pool on disk, at most, that are looked at for whether equal ones are to be expected."""

Alike = Callable[[int, int], bool]
"""Says whether the labels of the entries of two numbers are alike."""

GROUP = "group"
"""Word for what items belong together by, where no column names it."""


class Voted(NamedTuple):
    """Labelled entries, each of which is an item or a part of one.

    Attributes:
        labelled: the entries, of which equal ones with equal labels are merged.
        kept: their numbers among those before, ascending, (k,).
        groups: which of them are copies of one item, and which belong together; None where each is by itself.
        copied: what was found; None where there was nothing.
        strangers: mask of those that are nearly equal to others, and are no copies of them, (k,), see `nearness`.
    """

    labelled: Entries
    kept: np.ndarray
    groups: Groups | None
    copied: Copied | None
    strangers: np.ndarray

    def all_together(self, words: Words) -> str:
        """Sentence on labels that are all held out together, so that none is left to learn.

        Args:
            words: words for the items.
        """
        what = self.groups.called if self.groups is not None and self.groups.called else f"{words.thing} and its copies"
        return f"all labels are of one {what}, and are held out together; label more (the evidence needs two)"


def one_vote_each(
    kind: Kind, labelled: Entries, notes: Notes, keys: Sequence[Hashable] | None = None, alike: Alike | None = None
) -> Voted:
    """Labelled entries of which equal ones with equal labels are merged, and how the others are grouped.

    Copies share a vote, also where their labels differ: each label then counts by its share. See `nearness`.

    Args:
        kind: kind of the items, which says when two are equal, or nearly so.
        labelled: n labelled entries.
        notes: takes what was found.
        keys: keys by which labels are equal, (n,); None asks the kind for them.
        alike: says whether the labels of the entries of two numbers are alike, where labels are of parts of an item;
            None: labels are alike where they are equal.
    """
    n = len(labelled)
    if not n:
        return Voted(labelled, np.arange(0), None, None, np.zeros(0, dtype=bool))
    keys = [kind.label_key(label) for label in labelled.labels] if keys is None else keys
    near = Nearness(np.arange(n), np.arange(n), np.zeros(n, dtype=bool))
    if kind.copies != OFF:
        near = nearness(kind, labelled.items, keys if alike is None else None)
    called = (kind.group or GROUP) if len(labelled.group) else ""
    cells = own_groups(labelled.group, n)
    cluster = joined(near.item, near.together, cells)
    kept, times = np.arange(n), np.ones(n, dtype=np.int64)
    each = kind.copies != ONCE or len(np.unique(near.item)) == n
    if not each:
        group = labelled.group or [None] * n
        same = list(zip(map(kind.exact_key, labelled.items), keys, group, strict=True))
        kept, times = _merged(same)
        labelled = replace(labelled, asked=_asked_once(labelled.asked, same))
    found = _found(kind, labelled, near, keys, alike)
    if called:
        named = {name for name in labelled.group if name is not None}
        without = sum(name is None for name in labelled.group)
        found = replace(found, called=called, groups=len(named), without=without)
    weight = labelled.weight
    if weight is not None and kind.copies == ONCE:
        weight = _mean_over(weight, near.item)[kept]
    groups = Groups.of(kept if kind.copies != ONCE else near.item[kept], times, cluster[kept], called, weight)
    for name, (line, values) in found.lines().items():
        if line:
            notes.fact(name, line, values)
    if groups.apart and not found.several:
        of = None if groups.plain else groups
        return Voted(labelled, kept, of, found if found.near else None, near.strangers)
    mask = np.zeros(n, dtype=bool)
    mask[kept] = True
    return Voted(labelled if len(kept) == n else labelled.where(mask), kept, groups, found, near.strangers[kept])


def _mean_over(weight: np.ndarray, item: np.ndarray) -> np.ndarray:
    """Mean weight of the copies of each of n entries, (n,)."""
    found: np.ndarray = (np.bincount(item, weight) / np.bincount(item).clip(min=1))[item]
    return found


def with_groups(kind: Kind, found: Entries, path: Path, how: ReadAs) -> Entries:
    """Entries with the groups that the column of the option --group names; the same where it names none.

    Args:
        kind: kind of the items, with its options.
        found: entries of a table.
        path: file of the table.
        how: how files are read.

    Raises:
        DataError: there is no such column; the message names those that are there.
    """
    if kind.group is None:
        return found
    if not isinstance(found.places, InTable) or not holds_table(path):
        raise DataError(f"{path}: --group {kind.group} needs a table with this column; a folder has none")
    return replace(found, group=[as_label(cell) for cell in cells_by_row(found, path, kind.group, how)])


def cells_by_row(found: Entries, path: Path, name: str, how: ReadAs) -> list[Any]:
    """Cell of a column of each entry of a table, (n,); None where its row is not read.

    Args:
        found: n entries of the table.
        path: file of the table.
        name: name of the column.
        how: how the file is read.

    Raises:
        DataError: there is no such column; the message names those that are there.
    """
    assert isinstance(found.places, InTable)
    table = read(path, how)
    cells = dict(zip(table.rows, column(table.frame, name, path), strict=True))
    return [cells.get(row) for row in found.places.rows]


def pool_once(kind: Kind, parts: Sequence[Entries], notes: Notes) -> tuple[list[Entries], np.ndarray | None]:
    """Entries of the pool, of which equal ones are there once, and the place of each entry among those that stay.

    Args:
        kind: kind of the items.
        parts: entries of each source, n in all.
        notes: takes the number of those that are left out.

    Returns:
        The entries of each source, and the number of each of the n entries' item in the pool, (n,); None where nothing
        is there twice, or where each copy is kept.
    """
    stored = any(part.stored is not None for part in parts)
    some = [item for part in parts for item in evenly(part.items, LOOKED_AT)]
    if kind.copies != ONCE or kind.equal_by_chance(some):
        return list(parts), None
    if stored:
        keys = [kind.stored_keys(p.items) if p.stored is None else p.stored.keys for p in parts]
        at = groups_of(np.concatenate(keys))
    else:
        at = groups_of([kind.exact_key(item) for item in some])
    if not len(at) or int(at.max()) + 1 == len(at):
        return list(parts), None
    first = np.zeros(len(at), dtype=bool)
    first[np.unique(at, return_index=True)[1]] = True
    left, words = int((~first).sum()), kind.words
    notes.fact(
        "pool_copies",
        f"{len(at):,} unlabelled rows are {int(first.sum()):,} {words.things}: {left:,} are left out, since each "
        f"{words.thing} is in the pool once.",
        {"rows": len(at), "items": int(first.sum())},
    )
    masks = np.split(first, np.cumsum([len(part) for part in parts])[:-1])
    return [part if mask.all() else part.where(mask) for part, mask in zip(parts, masks, strict=True)], at


def once_with_origins(
    kind: Kind, train: Entries, parts: Sequence[Entries], notes: Notes, weak: bool
) -> tuple[list[Entries], Origins]:
    """Entries of the pool as they are learnt, and where the items of the fit come from.

    Args:
        kind: kind of the items.
        train: entries of the training source, labelled or not.
        parts: unlabelled entries of each source.
        notes: takes the number of copies that are left out.
        weak: whether entries have weak labels: then each copy stays.
    """
    pool, at = (list(parts), None) if weak else pool_once(kind, parts, notes)
    return pool, Origins.of(train.where(train.known), parts, at)


def own_groups(group: Sequence[str | None], n: int) -> np.ndarray:
    """Number of the user's group of each entry, (n,); an entry without one is a group of its own.

    Args:
        group: name of the group of each entry, (n,), None for one without; or empty where there are none.
        n: number of entries.

    >>> own_groups(["ann", None, "ann", None], 4).tolist()
    [0, 2, 0, 4]
    """
    if not len(group):
        return np.arange(n)
    named = {name: i for i, name in enumerate(dict.fromkeys(g for g in group if g is not None))}
    return np.array([len(named) + i if g is None else named[g] for i, g in enumerate(group)], dtype=np.int64)


def joined(*numbers: np.ndarray) -> np.ndarray:
    """Number of the cluster of each of n items that share any of several numbers, also by a chain of others, (n,).

    Args:
        numbers: numbers of the items, (n,) each.

    >>> joined(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])).tolist()
    [0, 0, 0, 1]
    """
    n = len(numbers[0])
    edges = [np.unique(each, return_index=True, return_inverse=True) for each in numbers]
    ends = np.concatenate([first[inverse.ravel()] for _, first, inverse in edges])
    starts = np.tile(np.arange(n), len(numbers))
    found: np.ndarray = connected_components(
        coo_array((np.ones(len(ends), dtype=np.int8), (starts, ends)), shape=(n, n)), directed=False
    )[1].astype(np.int64)
    return found


def _merged(keys: Sequence[Hashable]) -> tuple[np.ndarray, np.ndarray]:
    """Number of the first entry of each key, ascending, and the number of entries of this key, (k,) each."""
    first: dict[Hashable, int] = {}
    counts: Counter[int] = Counter(first.setdefault(key, i) for i, key in enumerate(keys))
    kept = np.array(list(first.values()), dtype=np.int64)
    return kept, np.array([counts[i] for i in kept.tolist()], dtype=np.int64)


def _asked_once(asked: Sequence[str | None], keys: Sequence[Hashable]) -> list[str | None]:
    """By which selector each entry was asked for, so that what was drawn in any round counts as drawn.

    An item that a selector chose may be drawn in a later round, and is then there twice: the drawn items of all rounds
    are a sample, those that no selector had chosen before are none.

    Args:
        asked: by which selector each entry was asked for, (n,); empty where none was.
        keys: keys of the entries, equal for those that are merged, (n,).
    """
    by: dict[Hashable, str | None] = {}
    for key, each in zip(keys, asked, strict=False):
        by[key] = RANDOM if RANDOM in (each, by.get(key)) else by.get(key) or each
    return [by[key] for key in keys] if len(asked) else []


def _found(kind: Kind, labelled: Entries, near: Nearness, keys: Sequence[Hashable], alike: Alike | None) -> Copied:
    """What is there several times, and what of it has different labels."""
    order = np.argsort(near.item, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(near.item[order])) + 1)
    several = [part.tolist() for part in parts if len(part) > 1]
    agree = alike or (lambda i, j: keys[i] == keys[j])
    torn = sorted((part for part in several if not all(agree(part[0], i) for i in part)), key=lambda part: part[0])
    contradictions = tuple(
        Contradiction(
            tuple(labelled.places.short(i) for i in part),
            kind.in_a_word(labelled.items[part[0]]),
            tuple(kind.label_in_words(labelled.labels[i]) for i in part),
        )
        for part in torn
    )
    kappa = None
    if torn and alike is None:
        number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
        counts = np.zeros((len(several), len(number)))
        for row, part in enumerate(several):
            np.add.at(counts[row], [number[keys[i]] for i in part], 1)
        kappa = fleiss(counts)
    words, each = kind.words, kind.copies == EACH
    found = Copied(words.thing, words.things, len(labelled), len(parts), len(several), contradictions, kappa, each)
    return replace(found, near=near.says, facts=near.facts)
