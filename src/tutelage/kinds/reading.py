"""A data set read from files: entries of each file, their labels settled together, and all that is odd noted."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tutelage.data import Groups
from tutelage.kinds.asked_labels import ASKED_BY, GUESS, ROW, SOURCE, WHY, with_answers, with_asked
from tutelage.kinds.dataset import Dataset, Files
from tutelage.kinds.entries import ITEMS, LEARNT, POOL, SCORED, WEAK, Entries
from tutelage.kinds.one_vote import with_groups
from tutelage.kinds.stored import is_stored, stored_pool
from tutelage.tables import UNHEARD, DataError, Notes
from tutelage.tables.cells import brief
from tutelage.tables.label_cells import some
from tutelage.tables.read import column_names
from tutelage.tables.text_folder import SPLITS

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

PREFIXED = ("votes", "teacher")
"""What columns are taken for whose names begin with an option's value."""

ASIDE = ("distant", "teacher_label", "teacher_confidence", "group")
"""Options besides those of the items and their labels that name one column."""

PARTS = ("split", "splits", "set", "subset", "fold", "part", "partition")
"""Names, in lower case, of columns that say which part of a data set a row belongs to."""

LISTED = 8
"""Number of columns that are listed at most."""

READ_FOR_A_MESSAGE = 50_000_000
"""Bytes of a table that is read for nothing but the names of its columns, at most."""


def read_files(kind: Kind, files: Files, notes: Notes = UNHEARD) -> Dataset:
    """Data set read from files and checked.

    Args:
        kind: kind of the data, with its options.
        files: the files.
        notes: takes what is noticed.

    Raises:
        DataError: a file cannot be learnt from; the message names file, row and column.
    """
    train, more, test, left_out = read_parts(kind, files, notes)
    found = kind.learn(train, more, test, files.evidence, notes)
    notes.settle()  # once for all kinds: what labels of pixels or words mean is asked as late as here
    return replace(found, left_out=(*left_out, *found.left_out)) if left_out else found


Parts = tuple[Entries, Entries | None, Entries | None, list[str]]
"""Entries to learn from, further ones for the pool, and those to score on, None where there are none; and sentences on
those that cannot be read."""


def read_parts(kind: Kind, files: Files, notes: Notes = UNHEARD, weak: bool = True) -> Parts:
    """Entries read from files, with labels that are names of classes; no rule says yet which of them must be there.

    Args:
        kind: kind of the data, with its options.
        files: the files.
        notes: takes what is noticed.
        weak: whether votes, rules and teachers are read; without them no file of rules is executed.

    Raises:
        DataError: a file cannot be read; the message names file, row and column.
    """
    _require_apart(kind)
    train, more, test = _sources(kind, files, notes, weak)
    notes.settle()  # what is wrong with one file is told together with what is wrong with another
    train, more, test = kind.settled_labels(train, more, test, notes)
    if files.answers:
        notes.settle()
        train, more = with_answers(kind, train, more, files, notes)
        notes.settle()
    kind.note(train, more, test, notes)
    _ask_of_parts(kind, train, notes)
    notes.settle()
    test = None if test is None else kind.labelled_only(test, notes)
    left_out: list[str] = []
    parts: list[Entries | None] = []
    for part in (train, more, test):  # a missing column is found before a million images are looked at
        good, faults = (None, ()) if part is None else kind.checked(part, notes)
        parts.append(good)
        left_out += faults
    if notes.unsettled:  # before a rule about labels, which they may break, is said to be broken
        for good in filter(None, parts):
            kind.note_bad_labels(good, notes)
        notes.settle()
    first, second, third = parts
    assert first is not None
    if left_out:
        kind.note_counts([part for part in (first, second) if part is not None], third, notes)
    return first, second, third, left_out


def _require_apart(kind: Kind) -> None:
    """Check that no two options name the same column.

    Raises:
        DataError: two options do.
    """
    names = (*kind.item_columns, *kind.label_columns, *ASIDE)
    options: dict[str, str] = {}
    for name in names:
        column = getattr(kind, name, None)
        if isinstance(column, str) and (other := options.setdefault(column, name)) != name:
            shown = " and ".join(f"--{each.replace('_', '-')}" for each in (other, name))
            raise DataError(f"{shown} name the same column, {column!r}; each is a column of its own")


def _sources(
    kind: Kind, files: Files, notes: Notes, weak: bool
) -> tuple[Entries, Entries | None, Entries | None]:  # fmt: skip
    """Entries of the three files; what is wrong with a file is noted, and its entries are then none."""
    found: list[Entries | None] = []
    learnt = WEAK if kind.weak and files.test is not None else LEARNT
    if not weak:
        learnt = ITEMS if kind.weak else SCORED
    pool = POOL if weak else ITEMS
    asked = learnt
    if (
        weak and files.unlabelled is not None
    ):  # a teacher that was asked about some rows speaks in the pool's table alone
        learnt = replace(learnt, weak=False)
    for path, sought in ((files.train, learnt), (files.unlabelled, pool), (files.test, SCORED)):
        try:
            if sought is pool and path is not None and is_stored(kind, path, files.how):
                before = len(found[0]) if found[0] is not None else 0
                found.append(stored_pool(kind, path, files.how, notes, before))
                continue
            part = None if path is None else kind.entries(path, files.how, notes, sought)
            if part is not None and sought is learnt and path == files.train:
                part = with_asked(with_groups(kind, part, path, files.how), path, files.how, notes)
            found.append(part)
        except DataError as fault:
            if not fault.noted:
                notes.fault(str(fault))
            found.append(None)
    train, more, test = found
    if (
        train is not None
        and kind.weak
        and learnt != asked
        and not any(p and (p.said or p.votes) for p in (train, more))
    ):
        try:
            kind.entries(files.train, files.how, notes, asked)  # raises what is missing, if anything is
        except DataError as fault:
            notes.fault(str(fault))
    return train, more, test  # type: ignore[return-value] # without a train, `settle` raises


def _ask_of_parts(kind: Kind, train: Entries, notes: Notes) -> None:
    """Ask about a column that says which rows are to learn from and which to score on, if it is not used."""
    table = pd.DataFrame() if train.table is None else train.table
    for name in table.columns:
        if str(name).strip().lower() not in PARTS or str(name) in kind.columns():
            continue
        counts = Counter(str(cell).strip().lower() for cell in table[name])
        if len(counts) < 2 or not set(counts) <= {*SPLITS, ""}:
            continue
        each = ", ".join(f"{part!r} {count:,}" for part, count in counts.most_common())
        notes.ask(
            f"{train.places.source}, column {str(name)!r}: it names parts of a data set ({each}), and the rows of all "
            "of them are learnt from",
            "a file of its own for each part, of which --test takes the one to score on",
            page="split-already",
        )


def counts_of(
    parts: Sequence[Entries], test: Entries | None, things: str, groups: Groups | None = None
) -> tuple[str, dict[str, int]]:
    """How many entries are labelled, in words and as plain values.

    Args:
        parts: training entries, and after them further entries for the pool.
        test: entries to score on; None where there are none.
        things: word for the items.
        groups: which of the labelled entries are copies of one item, which is counted once; None counts each.
    """
    known = int(parts[0].known.sum())
    pool = sum(map(len, parts)) - known
    known = known if groups is None else groups.items
    counts = {"labelled": known, "unlabelled": pool}
    says = f"Labelled {things}: {known:,}; unlabelled: {pool:,}"
    if test is not None:
        counts |= {"test": int(test.known.sum()), "test_without": int((~test.known).sum())}
        says += f"; to score on: {counts['test']:,}"
    return f"{says}.", counts


def columns_in_words(taken: Mapping[str, str], notes: Notes) -> str:
    """Sentence that says what columns are taken for, and which are not used.

    Args:
        taken: what each column is taken for, by its name.
        notes: has the columns of the files.
    """
    there = dict.fromkeys(column for file in notes.files for column in file.columns)
    begun = tuple(name.removesuffix("...") for name, what in taken.items() if what in PREFIXED and name not in there)
    ours = (ASKED_BY, WHY, GUESS, ROW, SOURCE) if ASKED_BY in there else ()
    others = [c for c in there if c not in taken and c not in ours and not (begun and c.startswith(begun))]
    unused = f"; not used: {', '.join(map(brief, others[:LISTED]))}{', ...' * (len(others) > LISTED)}" if others else ""
    by_use: dict[str, list[str]] = {}
    for column, what in taken.items():
        by_use.setdefault(what, []).append(column)
    each = [
        f"{names[0]} to {names[-1]} ({len(names)} of {what})"
        if len(names) > LISTED
        else ", ".join(f"{column} ({what})" for column in names)
        for what, names in by_use.items()
    ]
    return f"Columns: {', '.join(each) or 'none'}{unused}."


def columns_there(path: Path) -> str:
    """Words, for a message, that name the columns of a table; empty for a large one, and for what cannot be read."""
    with contextlib.suppress(Exception):  # what is wrong with the file is said once its columns are named
        if path.is_file() and path.stat().st_size < READ_FOR_A_MESSAGE:
            return f"; {path} has the columns {some(column_names(path))}"
    return ""
