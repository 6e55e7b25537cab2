"""Labels that were asked for: tables that `tutelage next` wrote, filled in, and the data that they belong to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tutelage.ask import NAMES, RANDOM, SELECTORS
from tutelage.data.how import USUAL, ReadAs
from tutelage.kinds.entries import SCORED, Entries, InTable, one_after_other
from tutelage.kinds.on_disk import with_groups_of_files
from tutelage.kinds.one_vote import cells_by_row, with_groups
from tutelage.tables import DataError, Notes, as_label, read
from tutelage.tables.cells import brief
from tutelage.tables.formulas import BEGINS, TEXT
from tutelage.tables.read import column_names

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind
    from tutelage.kinds.dataset import Files

ASKED_BY, WHY, GUESS, ROW, SOURCE = "asked_by", "why", "guess", "row", "source"
"""Names of the columns that `tutelage next` writes beside those of the data: by which selector a label is asked for,
why, what the model says, the number of the item's row or the name of its file, and the name of its source."""

MARKS = re.compile(rf"{ASKED_BY}(_\d+)?")
"""Pattern of the first of these names, which has a number where the data have such a column themselves."""

LABEL = "label"
"""Name of the column of the labels where the data are a folder, which names none."""

HAND = "hand"
"""What stands in place of a selector's name where a person picked the item, as by a search for words."""

SELECTED = frozenset((*SELECTORS, HAND))
"""Names that the column may hold."""

SELECTED_SHARE = 0.1
"""Share of the labels that selectors may have chosen, at most, where the labels still tell how common classes are."""

SHOWN = 3
"""Other words of it that are named, at most."""


@dataclass
class _Earlier:
    """Labels that answers gave so far, of all tables.

    Attributes:
        places: place of the answer, by the item's hash and the label's.
        by_hand: hashes of the items whose label a person gave by hand.
    """

    places: dict[tuple[int, Any], str] = field(default_factory=dict)
    by_hand: set[int] = field(default_factory=set)


@dataclass
class _Tally:
    """What becomes of the rows of a table of answers.

    Attributes:
        labels: label of each training entry, with those that the answers give, (n,).
        asked: by which selector each of them was asked for, (n,).
        moved: number of the answer to each entry of the pool that has one, by the entry's number.
        torn: place of the other label, and the label, by the number of the answer that contradicts it.
        mended: place of the label that an answer corrects, and the label, by the number of the answer.
        overruled: place of the answer by hand that counts instead, and its label, by the number of the answer.
        strange: numbers of the answers to items that are in none of the data.
        again: number of answers that were there already, equal ones.
        by: number of answers by the selector that asked for them; "" where none did.
        fresh: number of answers of each class that no other label names, by its name.
    """

    labels: list[Any]
    asked: list[str | None]
    moved: dict[int, int] = field(default_factory=dict)
    torn: dict[int, str] = field(default_factory=dict)
    mended: dict[int, str] = field(default_factory=dict)
    overruled: dict[int, str] = field(default_factory=dict)
    strange: list[int] = field(default_factory=list)
    again: int = 0
    by: Counter[str] = field(default_factory=Counter)
    fresh: Counter[str] = field(default_factory=Counter)


def drawn_in(asked: Sequence[str | None]) -> int:
    """Number of labels that were drawn at random."""
    return sum(by == RANDOM for by in asked)


def is_chosen(by: str | None) -> bool:
    """Whether a label was asked for by a selector, and not drawn."""
    return by not in (None, RANDOM)


def is_selected(asked: Sequence[str | None]) -> bool:
    """Whether selectors chose so many of some labels that these are like no pool: more than SELECTED_SHARE of them.

    >>> is_selected(["margin", None]), is_selected(["random", None]), is_selected([])
    (True, False, False)
    """
    return sum(map(is_chosen, asked)) > SELECTED_SHARE * len(asked)


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
    earlier = _Earlier()
    for path in files.answers:
        found = _read(kind, path, files.how, notes)
        if found is not None:
            _, found, _ = kind.settled_labels(train, found, None, notes)
            assert found is not None
            found = _without_guards(train, found.where(found.known))
            train, more = _given(kind, train, more, found, path, files, notes, earlier)
    return train, more


def with_asked(found: Entries, path: Path, how: ReadAs, notes: Notes) -> Entries:
    """Entries of a table that says itself by which selector labels were asked for; the same of any other.

    Args:
        found: entries of the table.
        path: file of the table.
        how: how the file is read.
        notes: told where other words stand beside the selectors' names.
    """
    if not isinstance(found.places, InTable) or found.places.files:
        return found
    table = found.table
    if table is None:  # of a kind that keeps none, such as sentences
        try:
            if not any(map(MARKS.fullmatch, column_names(path, how))):
                return found
            table = read(path, how).frame
        except DataError:  # a file of another form, such as CoNLL's, which has no columns by name
            return found
    column = marks_in(table)
    if column is None:
        return found
    asked, others = _marks(found, path, column, how)
    if others:
        named = ", ".join(map(brief, others[:SHOWN]))
        notes.say(f"{path}, column {column!r}: {named} is no selector's name; such labels count as not asked for.")
    return replace(found, asked=asked)


def marks_in(table: pd.DataFrame) -> str | None:
    """Name of the column that says by which selector labels were asked for, ``asked_by`` or ``asked_by_2``; else None.

    Args:
        table: the table.
    """
    for name in reversed(list(table.columns)):
        if MARKS.fullmatch(str(name)) and {as_label(c) for c in table[name].unique()} & SELECTED:
            return str(name)
    return None


def _marks(found: Entries, path: Path, column: str, how: ReadAs) -> tuple[list[str | None], list[str]]:
    """By which selector each label of a table was asked for, (n,), and other words that stand there."""
    cells = [as_label(cell) for cell in cells_by_row(found, path, column, how)]
    others = list(dict.fromkeys(cell for cell in cells if cell is not None and cell not in SELECTED))
    known = [cell if cell in SELECTED else None for cell in cells]
    return [by if label is not None else None for by, label in zip(known, found.labels, strict=True)], others


def read_answers(kind: Kind, path: Path, how: ReadAs, notes: Notes) -> tuple[Entries, ReadAs]:
    """Entries of a table of answers, and how it is read: as `tutelage next` writes tables, or in the data's charset.

    Args:
        kind: kind of the data, as it reads a table.
        path: the table.
        how: how the data are read.
        notes: takes what is noticed.

    Raises:
        DataError: it cannot be read.
    """
    plain = replace(USUAL, skip_bad=how.skip_bad)
    try:
        return kind.entries(path, plain, notes, SCORED), plain
    except DataError:
        if how.charset == USUAL.charset:
            raise
    plain = replace(plain, charset=how.charset)  # written anew by who wrote the data, as by a spreadsheet
    return kind.entries(path, plain, notes, SCORED), plain


def _read(kind: Kind, path: Path, how: ReadAs, notes: Notes) -> Entries | None:
    """Entries of a table of answers that have a label; None, and a fault, where there are none."""
    reads = as_table(kind)
    (label,) = (getattr(reads, name) for name in kind.label_columns)
    try:
        found, plain = read_answers(reads, path, how, notes)
        if not found.known.any():
            raise DataError(f"{path}: no row has a label yet; fill in the column {label!r}, as far as you like")
        reads.require_there(found, path, plain)
        asked: Sequence[str | None] = ()
        empty = 0
        column = next(filter(MARKS.fullmatch, reversed(column_names(path, plain))), None)
        if column is not None and isinstance(found.places, InTable):
            asked, others = _marks(found, path, column, plain)
            cells = cells_by_row(found, path, column, plain)
            empty = sum(as_label(c) == RANDOM and label is None for c, label in zip(cells, found.labels, strict=True))
            if others:
                raise DataError(
                    f"{path}, column {column!r}: a cell is none of {', '.join((*NAMES[1:], HAND))}; leave it as it was "
                    "written"
                )
    except DataError as fault:
        if not fault.noted:
            notes.fault(str(fault))
        return None
    all_rows, known = len(found), found.known
    found = replace(found, asked=asked or [None] * len(found), table=None).where(known)
    if len(found) < all_rows:
        notes.say(f"{path}: {len(found):,} of its {all_rows:,} rows have a label; the others stay without.")
    if empty:
        drawn = empty + sum(by == RANDOM for by in found.asked)
        were, they = ("was", "it is") if empty == 1 else ("were", "they are")
        notes.say(
            f"{path}: {empty:,} of the {drawn:,} rows that were drawn at random {were} left without a label. If {they} "
            "hard to tell, the drawn labels say too much good of the model: label them, too, as well as you can."
        )
    return found


def _given(
    kind: Kind, train: Entries, more: Entries | None, found: Entries, path: Path, files: Files, notes: Notes,
    earlier: _Earlier,
) -> tuple[Entries, Entries | None]:  # fmt: skip
    """The entries with the labels of one table of answers."""
    here, there = _where(kind, train, more, found)
    tally = _tally(kind, train, found, here, there, earlier)
    if tally.strange:
        notes.fault(_strange(kind, found, tally.strange, path, train, more))
        return train, more
    apart = [*tally.torn, *tally.moved.values()]
    if kind.weak and apart:
        notes.fault(
            f"--answers {path}: beside votes, rules and teachers, answers are given to rows of --train that have no "
            f"label; its {found.places.short(min(apart))} is none"
        )
        return train, more
    _say(kind, tally, found, path, notes)
    train = kind.relabelled(train, tally.labels, tally.asked)
    if tally.moved and more is not None:
        train, more = _moved(kind, train, more, tally.moved, found, files)
    if tally.torn:
        mask = np.zeros(len(found), dtype=bool)
        mask[list(tally.torn)] = True
        train = one_after_other(train, found.where(mask))
    return train, more


Places = list[np.ndarray]
"""Numbers of the entries that each answer is given to."""


def _where(kind: Kind, train: Entries, more: Entries | None, found: Entries) -> tuple[Places, Places]:
    """Numbers of the training entries, and of those of the pool, whose items are equal to those of the answers.

    A text that is nowhere is looked for without the apostrophe that makes cells harmless, see `tables.formulas`.
    """
    here, there = _equal(kind, train, more, found.items)
    guarded = [
        i for i, item in enumerate(found.items)
        if isinstance(item, str) and item[:1] == TEXT and item[1:2] in BEGINS and len(item) > 1
        and not len(here[i]) and not len(there[i])
    ]  # fmt: skip
    if guarded:
        for i, first, second in zip(
            guarded, *_equal(kind, train, more, [found.items[i][1:] for i in guarded]), strict=True
        ):
            here[i], there[i] = first, second
    return here, there


def _equal(kind: Kind, train: Entries, more: Entries | None, items: Any) -> tuple[Places, Places]:
    """Numbers of the training entries, and of those of the pool, whose items are equal to each of some items."""
    keys = kind.pool_keys(items)
    here = _places(kind.pool_keys(train.items), keys)
    if more is None:
        return here, [np.zeros(0, dtype=np.int64)] * len(items)
    if more.stored is not None:
        return here, _places(more.stored.keys, kind.stored_keys(items))
    return here, _places(kind.pool_keys(more.items), keys)


def _without_guards(train: Entries, found: Entries) -> Entries:
    """Answers without the apostrophe that makes a cell harmless, where the data name the class without it."""
    known = {label for label in train.labels if isinstance(label, str)}
    guarded = {f"{TEXT}{label}": label for label in known if f"{TEXT}{label}" not in known}
    labels = [guarded.get(label, label) if isinstance(label, str) else label for label in found.labels]
    return replace(found, labels=labels)


def _tally(
    kind: Kind, train: Entries, found: Entries, here: Places, there: Places, earlier: _Earlier
) -> _Tally:  # fmt: skip
    """What becomes of each answer.

    One by hand corrects a label that nobody gave by hand, whichever table comes first; two by hand that differ
    contradict each other.
    """
    classes = {label.casefold() for label in train.labels if isinstance(label, str)}
    tally = _Tally(list(train.labels), list(train.asked) or [None] * len(train))
    keys = kind.pool_keys(found.items).tolist()

    def place(i: int, label: Any, else_: str) -> str:
        """Place of a label that the item of an answer has, and the label."""
        at = earlier.places.get((keys[i], kind.label_key(label)), else_)
        return f"{at} ({brief(kind.label_in_words(label))})"

    of_pool: dict[int, int] = {}  # number of the answer that each item of the pool got, by its first entry's number
    for i, (label, by) in enumerate(zip(found.labels, found.asked, strict=True)):
        places, known = here[i].tolist(), [j for j in here[i].tolist() if tally.labels[j] is not None]
        others = [j for j in known if kind.label_key(tally.labels[j]) != kind.label_key(label)]
        before = of_pool.get(int(there[i][0])) if len(there[i]) and not places else None
        if not places and not len(there[i]):
            tally.strange.append(i)
        elif others and by == HAND and keys[i] not in earlier.by_hand:
            tally.mended[i] = place(i, tally.labels[others[0]], train.at("label", others[0]))
            for j in known:  # whoever picks an item that has a label sees the label, and corrects it
                tally.labels[j] = label
            earlier.places[keys[i], kind.label_key(label)] = found.at("label", i)
            earlier.by_hand.add(keys[i])
        elif others and by != HAND and keys[i] in earlier.by_hand:  # whichever table comes first
            tally.overruled[i] = place(i, tally.labels[others[0]], train.at("label", others[0]))
        elif others:
            tally.torn[i] = place(i, tally.labels[others[0]], train.at("label", others[0]))
            earlier.places.setdefault((keys[i], kind.label_key(label)), found.at("label", i))
        elif before is not None and kind.label_key(found.labels[before]) != kind.label_key(label):
            tally.torn[i] = place(i, found.labels[before], found.at("label", before))
            earlier.places.setdefault((keys[i], kind.label_key(label)), found.at("label", i))
        elif known or before is not None:
            tally.again += 1
            earlier.by_hand |= {keys[i]} if by == HAND else set()
            if known:
                tally.asked[known[0]] = RANDOM if by == RANDOM else tally.asked[known[0]] or by
        else:
            for k, j in enumerate(places):
                tally.labels[j], tally.asked[j] = label, by if not k else None
            tally.moved |= {int(j): i for j in there[i]} if not places else {}
            of_pool |= {int(there[i][0]): i} if not places else {}
            tally.by[by or ""] += 1
            earlier.places[keys[i], kind.label_key(label)] = found.at("label", i)
            earlier.by_hand |= {keys[i]} if by == HAND else set()
            if classes and kind.writes_table and isinstance(label, str) and label.casefold() not in classes:
                tally.fresh[label] += 1
    return tally


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
    kind: Kind, train: Entries, more: Entries, moved: dict[int, int], found: Entries, files: Files
) -> tuple[Entries, Entries]:
    """The training entries with those of the pool that were labelled, and the pool without them.

    Args:
        kind: kind of the data.
        train, more: the training entries, and the pool's.
        moved: number of the answer to each entry of the pool that has one, by the entry's number.
        found: the answers.
        files: files of the fit.
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
    first = {i: k for k, i in reversed(list(enumerate(answers)))}  # of equal items one counts as asked for
    asked = [found.asked[i] if first[i] == k else None for k, i in enumerate(answers)]
    taken = kind.relabelled(taken, [found.labels[i] for i in answers], asked)
    if kind.group is not None and files.unlabelled is not None:
        if not isinstance(taken.places, InTable):
            taken = with_groups_of_files(kind, taken, files.how)
        else:
            taken = with_groups(kind, taken, files.unlabelled, files.how)
    both = one_after_other(train, taken)
    return kind.relabelled(both, both.labels, list(both.asked)), more.where(~mask)


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


def _say(kind: Kind, tally: _Tally, found: Entries, path: Path, notes: Notes) -> None:
    """Note what the answers of a table are."""
    says = {RANDOM: "drawn at random", "": "nobody said by what"}
    told = ", ".join(f"{number:,} {says.get(by, f'by {by}')}" for by, number in tally.by.items())
    again = f"; {tally.again:,} had the same label already" if tally.again else ""
    asked = f" (asked for: {told})" if told else ""
    notes.fact(f"answers {path}", f"Answers of {path.name}: {len(found):,} labels{asked}{again}.", dict(tally.by))
    if tally.fresh:
        named = ", ".join(f"{label} ({number:,})" for label, number in tally.fresh.items())
        notes.say(f"{path}: of classes that no label had before: {named}. Those with two labels are learnt as well.")
    if tally.mended:
        first, other = next(iter(tally.mended.items()))
        others = f", and {len(tally.mended) - 1:,} more like it" if len(tally.mended) > 1 else ""
        notes.say(
            f"{_with_label(kind, found, first)} was picked by hand and corrects {other}{others}: the answer counts."
        )
    if tally.overruled:
        first, other = next(iter(tally.overruled.items()))
        others = f", and {len(tally.overruled) - 1:,} more like it" if len(tally.overruled) > 1 else ""
        notes.say(f"{other} was picked by hand and corrects {_with_label(kind, found, first)}{others}: it counts.")
    if tally.torn:
        first, other = next(iter(tally.torn.items()))
        others = f", and {len(tally.torn) - 1:,} more like it" if len(tally.torn) > 1 else ""
        notes.say(
            f"{_with_label(kind, found, first)} contradicts {other}{others}: both labels count half; "
            "correct the one that is wrong.",
            page="copies",
        )


def _with_label(kind: Kind, found: Entries, i: int) -> str:
    """Place of an answer, and the label that it gives."""
    return f"{found.at('label', i)} ({brief(kind.label_in_words(found.labels[i]))})"
