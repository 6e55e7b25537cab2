"""A data set read from files: entries of each file, their labels settled together, and all that is odd noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tutelage.kinds.dataset import Dataset, Files
from tutelage.kinds.entries import LEARNT, POOL, SCORED, WEAK, Entries
from tutelage.tables import UNHEARD, DataError, Notes

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

LISTED = 8
"""Number of columns that are listed at most."""


def read_files(kind: Kind, files: Files, notes: Notes = UNHEARD) -> Dataset:
    """Data set read from files and checked.

    Args:
        kind: kind of the data, with its options.
        files: the files.
        notes: takes what is noticed.

    Raises:
        DataError: a file cannot be learnt from; the message names file, row and column.
    """
    train, more, test = _sources(kind, files, notes)
    notes.settle()  # what is wrong with one file is told together with what is wrong with another
    train, more, test = kind.settled_labels(train, more, test, notes)
    kind.note(train, more, test, notes)
    notes.settle()
    test = None if test is None else kind.labelled_only(test, notes)
    left_out: list[str] = []
    parts: list[Entries | None] = []
    for part in (train, more, test):  # a missing column is found before a million images are looked at
        good, faults = (None, ()) if part is None else kind.checked(part, notes)
        parts.append(good)
        left_out += faults
    notes.settle()  # before a rule about labels, which they may break, is said to be broken
    assert parts[0] is not None
    found = kind.learn(parts[0], parts[1], parts[2], files.evidence, notes)
    notes.settle()  # what a mask to test on may mean is asked only there
    return replace(found, left_out=(*left_out, *found.left_out)) if left_out else found


def _sources(kind: Kind, files: Files, notes: Notes) -> tuple[Entries, Entries | None, Entries | None]:
    """Entries of the three files; what is wrong with a file is noted, and its entries are then none."""
    found: list[Entries | None] = []
    for path, sought in (
        (files.train, WEAK if kind.weak and files.test is not None else LEARNT),
        (files.unlabelled, POOL),
        (files.test, SCORED),
    ):
        try:
            found.append(None if path is None else kind.entries(path, files.how, notes, sought))
        except DataError as fault:
            if not fault.noted:
                notes.fault(str(fault))
            found.append(None)
    train, more, test = found
    return train, more, test  # type: ignore[return-value] # without a train, `settle` raises


def columns_in_words(taken: Mapping[str, str], notes: Notes) -> str:
    """Sentence that says what columns are taken for, and which are not used.

    Args:
        taken: what each column is taken for, by its name.
        notes: has the columns of the files.
    """
    there = dict.fromkeys(column for file in notes.files for column in file.columns)
    others = [column for column in there if column not in taken]
    unused = f"; not used: {', '.join(others[:LISTED])}{', ...' * (len(others) > LISTED)}" if others else ""
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
