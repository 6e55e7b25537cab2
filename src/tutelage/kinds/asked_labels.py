"""Labels that were asked for: tables that `tutelage next` wrote, filled in, and the data that they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tutelage.ask import NAMES
from tutelage.data.how import USUAL, ReadAs
from tutelage.kinds.entries import SCORED, Entries, InTable, one_after_other
from tutelage.kinds.one_vote import cells_by_row
from tutelage.tables import DataError, Notes, as_label
from tutelage.tables.read import column_names

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind
    from tutelage.kinds.dataset import Files

ASKED_BY = "asked_by"
"""Name of the column that says by which selector a label was asked for."""

LABEL = "label"
"""Name of the column of the labels where the data are a folder, which names none."""

RANDOM = "random"
"""What the column says of a row that was drawn at random."""


@dataclass
class _Tally:
    """What became of the rows of a table of answers.

    Attributes:
        by: by which selector each label was asked for that is learnt.
        again: number of labels that were there already, equal ones.
        torn: places of labels that contradict others, in pairs.
        fresh: number of labels of each class that no other label names, by its name.
        strange: numbers of the rows that are in none of the data.
    """

    by: Counter[str]
    again: int
    torn: list[tuple[str, str]]
    fresh: Counter[str]
    strange: list[int]


def as_table(kind: Kind) -> Kind:
    """The kind as it reads a table that was made of its data; of a folder the columns have their usual names."""
    names: dict[str, str] = {}
    for name in (*kind.item_columns, *kind.label_columns):
        if getattr(kind, name) in (None, ()):
            names[name] = LABEL if name in kind.label_columns else kind.words.column
    return replace(kind, **names)


def with_answers(
    kind: Kind, train: Entries, more: Entries | None, files: Files, notes: Notes
) -> tuple[Entries, Entries | None]:
    """Training entries and the pool's, with the labels that tables of answers give them.

    An answer belongs to the item that is equal to its own, wherever that is. One of the pool becomes a training entry.

    Args:
        kind: kind of the data, with its options.
        train: training entries.
        more: further entries for the pool; None where there are none.
        files: files of the fit, with the tables of answers.
        notes: takes what is noticed.
    """
    for path in files.answers:
        found = _read(kind, path, files.how, notes)
        if found is not None:
            train, more = _given(kind, train, more, found, path, notes)
    return train, more


def with_asked(found: Entries, path: Path, how: ReadAs) -> Entries:
    """Entries of a table that says itself by which selector labels were asked for; the same of any other.

    Args:
        found: entries of the table.
        path: file of the table.
        how: how the file is read.
    """
    if not isinstance(found.places, InTable) or found.table is None or ASKED_BY not in found.table:
        return found
    asked = _selectors(found, path, how)
    return found if asked is None else replace(found, asked=asked)


def _selectors(found: Entries, path: Path, how: ReadAs) -> list[str | None] | None:
    """By which selector each label of a table was asked for, (n,); None where its column holds other words."""
    cells = [as_label(cell) for cell in cells_by_row(found, path, ASKED_BY, how)]
    if not {cell for cell in cells if cell is not None} <= set(NAMES):
        return None
    return [cell if label is not None else None for cell, label in zip(cells, found.labels, strict=True)]


def _read(kind: Kind, path: Path, how: ReadAs, notes: Notes) -> Entries | None:
    """Entries of a table of answers that have a label; None, and a fault, where there are none."""
    if not {f.name for f in fields(kind)} >= set(kind.label_columns):
        notes.fault(f"--answers {path}: {kind.words.things} have no labels in a table")
        return None
    reads, plain = as_table(kind), replace(USUAL, skip_bad=how.skip_bad)
    (label,) = (getattr(reads, name) for name in kind.label_columns)
    try:
        found = reads.entries(path, plain, notes, SCORED)
        if not found.known.any():
            raise DataError(f"{path}: no row has a label yet; fill in the column {label!r}, as far as you like")
        asked: Sequence[str | None] = ()
        if ASKED_BY in column_names(path, plain) and isinstance(found.places, InTable):
            own = _selectors(found, path, plain)
            if own is None:
                raise DataError(
                    f"{path}, column {ASKED_BY!r}: a cell is none of {', '.join(NAMES[1:])}; leave it as it was written"
                )
            asked = own
    except DataError as fault:
        if not fault.noted:
            notes.fault(str(fault))
        return None
    all_rows, known = len(found), found.known
    found = replace(found, asked=asked or [None] * len(found), table=None).where(known)
    if len(found) < all_rows:
        notes.say(f"{path}: {len(found):,} of its {all_rows:,} rows have a label; the others stay without.")
    return found


def _given(
    kind: Kind, train: Entries, more: Entries | None, found: Entries, path: Path, notes: Notes
) -> tuple[Entries, Entries | None]:
    """The entries with the labels of one table of answers."""
    keys = kind.pool_keys(found.items)
    here = _places(kind.pool_keys(train.items), keys)
    there: list[np.ndarray] = [np.zeros(0, dtype=np.int64)] * len(found)
    if more is not None:
        stored = more.stored is not None
        of_pool = more.stored.keys if more.stored is not None else kind.pool_keys(more.items)
        there = _places(of_pool, kind.stored_keys(found.items) if stored else keys)
    classes = {label.casefold() for label in train.labels if isinstance(label, str)}
    tally = _Tally(Counter(), 0, [], Counter(), [])
    labels, asked = list(train.labels), list(train.asked) or [None] * len(train)
    moved: dict[int, int] = {}
    torn: list[int] = []
    for i, label in enumerate(found.labels):
        by = found.asked[i]
        if not len(here[i]) and not len(there[i]):
            tally.strange.append(i)
            continue
        known = [j for j in here[i].tolist() if labels[j] is not None]
        others = [j for j in known if kind.label_key(labels[j]) != kind.label_key(label)]
        free = [j for j in here[i].tolist() if labels[j] is None]
        if others:
            tally.torn.append((found.at("label", i), train.at("label", others[0])))
            torn.append(i)
        elif known:
            tally.again += 1
            for j in known:
                asked[j] = asked[j] or by
            continue
        for j in free if not others else ():
            labels[j], asked[j] = label, by
        if not len(here[i]):
            moved |= {int(j): i for j in there[i]}
        tally.by[by or "nobody"] += 1
        if classes and isinstance(label, str) and label.casefold() not in classes:
            tally.fresh[label] += 1
    if tally.strange:
        notes.fault(_strange(kind, found, tally.strange, path, train, more))
        return train, more
    if kind.weak and (moved or torn):
        notes.fault(
            f"--answers {path}: beside votes, rules and teachers, answers are given to rows of --train that have no "
            f"label; its {found.places.short((torn or list(moved.values()))[0])} is none"
        )
        return train, more
    train = kind.relabelled(train, labels, asked)
    if moved and more is not None:
        train, more = _moved(kind, train, more, moved, found)
    if torn:
        mask = np.zeros(len(found), dtype=bool)
        mask[torn] = True
        train = one_after_other(train, found.where(mask))
    _say(kind, tally, len(found), path, notes)
    return train, more


def _places(known: np.ndarray, asked: np.ndarray) -> list[np.ndarray]:
    """Numbers of the entries that have each of some hashes.

    Args:
        known: hash of each entry, (n,).
        asked: the hashes that are looked for, (k,).

    >>> [found.tolist() for found in _places(np.array([7, 3, 7]), np.array([7, 4]))]
    [[0, 2], []]
    """
    order = np.argsort(known, kind="stable")
    low, high = (np.searchsorted(known[order], asked, side=side) for side in ("left", "right"))
    return [np.sort(order[start:stop]) for start, stop in zip(low, high, strict=True)]


def _moved(
    kind: Kind, train: Entries, more: Entries, moved: dict[int, int], found: Entries
) -> tuple[Entries, Entries]:
    """The training entries with those of the pool that were labelled, and the pool without them.

    Args:
        kind: kind of the data.
        train, more: the training entries, and the pool's.
        moved: number of the answer to each entry of the pool that has one, by the entry's number.
        found: the answers.
    """
    mask = np.zeros(len(more), dtype=bool)
    numbers = sorted(moved)
    mask[numbers] = True
    if more.stored is None:
        taken = more.where(mask)
    else:  # what lies on disk stays there; these few come into memory
        items = [more.items[j] for j in numbers]
        listed = np.stack(items) if isinstance(more.items, np.ndarray) else items
        names = [more.names[j] for j in numbers] if len(more.names) else ()
        taken = Entries(listed, [None] * len(numbers), more.places.where(mask), names=names)
    answers = [moved[j] for j in numbers]
    taken = replace(taken, votes=None, said=(), looked=None)
    taken = kind.relabelled(taken, [found.labels[i] for i in answers], [found.asked[i] for i in answers])
    return one_after_other(train, taken), more.where(~mask)


def _strange(
    kind: Kind, found: Entries, strange: Sequence[int], path: Path, train: Entries, more: Entries | None
) -> str:  # fmt: skip
    """Sentence on answers to items that are not among the data."""
    where = train.places.source if more is None else f"{train.places.source} or {more.places.source}"
    thing = kind.words.thing
    if len(strange) == len(found):
        return f"--answers {path}: none of its {kind.words.things} is in {where}; it was asked of other data"
    others = f" (and {len(strange) - 1:,} more)" if len(strange) > 1 else ""
    return (
        f"{found.at('item', strange[0])}: this {thing}{others} is not in {where}; it was changed, or asked of other "
        "data: leave the row out, or add it to --train"
    )


def _say(kind: Kind, tally: _Tally, count: int, path: Path, notes: Notes) -> None:
    """Note what the answers of a table are."""
    each = [
        "drawn at random" if by == RANDOM else "not said by what" if by == "nobody" else f"by {by}" for by in tally.by
    ]
    told = ", ".join(f"{number:,} {says}" for number, says in zip(tally.by.values(), each, strict=True))
    again = ""
    if tally.again:
        again = f"; {tally.again:,} had the same label already"
    asked = f" (asked for: {told})" if told else ""
    notes.fact(f"answers {path}", f"Answers of {path.name}: {count:,} labels{asked}{again}.", dict(tally.by))
    if tally.fresh:
        named = ", ".join(f"{label} ({number:,})" for label, number in tally.fresh.items())
        notes.say(f"{path}: of classes that no label had before, which are learnt as well: {named}.")
    if tally.torn:
        (first, second), more = tally.torn[0], len(tally.torn) - 1
        others = f", and {more:,} more like it" if more else ""
        notes.say(
            f"{first} contradicts {second}{others}: both labels count half; correct the one that is wrong.",
            page="copies",
        )
