"""Columns beside the labels that say what these are: names of class numbers, and marks of the other classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tutelage.tables import Notes, as_label
from tutelage.tables.cells import brief, quoted

SHOWN = 5
"""Number of names that a sentence lists at most."""
MARKED = 0.5
"""Share of the rows with a mark in one of several columns, from which on these are taken for marks of classes."""

NEARLY_ALL = 0.95
"""Share of the rows with a mark, from which on features of zeros and ones beside the label mark the other classes."""


def say_of_columns_beside(
    table: pd.DataFrame, labels: Sequence[str | None], used: Collection[str], place: str, notes: Notes
) -> None:
    """Say which column names the class numbers, and ask where the labels are the marks of one class among several.

    Args:
        table: the table, of n rows.
        labels: label of each row, (n,); None where there is none.
        used: columns that the options name, the one of the labels among them.
        place: file and column of the labels, for messages.
        notes: takes what is noticed.
    """
    rows = [i for i, label in enumerate(labels) if label is not None]
    found = [str(labels[i]) for i in rows]
    counts = Counter(found)
    if len(counts) < 2 or 2 * len(counts) > len(rows) or not all(label.isdecimal() for label in counts):
        return
    others = {str(name): table[name].iloc[rows] for name in table.columns if str(name) not in used}
    for name, cells in others.items():
        names = _names(found, cells)
        if names:
            listed = ", ".join(f"{number} {quoted(names[number])}" for number in sorted(names)[:SHOWN])
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            notes.say(
                f"{place}: the column {name!r} has a name for each of these numbers, {listed}{more}; --label {name} "
                "takes the names for the classes."
            )
    if counts.keys() == {"0", "1"}:
        _ask_of_marks(found, _marked(others), place, notes)


def ask_of_sisters(
    table: pd.DataFrame, labels: Sequence[str | None], used: Collection[str], place: str, notes: Notes
) -> None:
    """Ask whether the label of rows of numbers and several features are the marks of one class each.

    Args:
        table: the table, of n rows.
        labels: label of each row, (n,); None where there is none.
        used: columns that are no features, the one of the labels among them.
        place: file and column of the labels, for messages.
        notes: takes the question.
    """
    rows = [i for i, label in enumerate(labels) if label is not None]
    found = [str(labels[i]) for i in rows]
    if set(found) != {"0", "1"}:
        return
    here = np.array(found) == "1"
    others = {str(name): table[name].iloc[rows] for name in table.columns if str(name) not in used}
    sisters = {name: cells for name, cells in _marked(others).items() if not (cells[here] == 1).any()}
    if len(sisters) > 1:  # one alone may be a feature like others
        _ask_of_marks(found, sisters, place, notes, NEARLY_ALL)


def _names(found: Sequence[str], cells: pd.Series) -> dict[str, str]:
    """Name of each label in another column; empty where a label has several, or two have the same, or numbers."""
    names: dict[str, str] = {}
    for label, cell in zip(found, cells, strict=True):
        name = as_label(cell) if isinstance(cell, str) else None
        if name is None or names.setdefault(label, name) != name:
            return {}
    alone = len(set(names.values())) == len(names)
    return names if alone and not any(any(map(str.isdigit, name)) for name in names.values()) else {}


def _ask_of_marks(
    found: Sequence[str], columns: dict[str, np.ndarray], place: str, notes: Notes, least: float = MARKED
) -> None:
    """Ask whether columns of zeros and ones, of which no row has two ones, are the classes together.

    Args:
        found: labels of n rows, "0" or "1" each.
        columns: zeros and ones of columns beside them, (n,) each.
        place: file and column of the labels, for messages.
        notes: takes the question.
        least: share of the rows with a one, from which on it is asked.
    """
    sums = np.array(list(map(int, found)))
    for cells in columns.values():
        sums += cells
    if not columns or sums.max() > 1 or sums.sum() < least * len(sums):
        return
    listed = ", ".join(brief(name) for name in list(columns)[:SHOWN])
    more = f" and {len(columns) - SHOWN} more" if len(columns) > SHOWN else ""
    without = int((sums == 0).sum())
    none = f"; {without:,} of {len(sums):,} rows have none in any of them, and are taken for 0" if without else ""
    notes.ask(
        f"{place}: no row has a 1 here and in one of the columns {listed}{more}, which hold 0 and 1, too, as where "
        f"each column marks one class; only this one is learnt{none}",
        "a column with the name of each row's class, and --label with its name (pandas.from_dummies makes one)",
        "--classes 0,1, if nothing but this column is meant",
        page="hardly-classes",
    )


def _marked(columns: dict[str, pd.Series]) -> dict[str, np.ndarray]:
    """The columns that hold zeros and ones, as numbers, (n,) each."""
    found = {name: _marks(cells) for name, cells in columns.items() if _mark(cells.iloc[0]) is not None}
    return {name: cells for name, cells in found.items() if cells is not None}


def _marks(cells: pd.Series) -> np.ndarray | None:
    """0 or 1 in each cell of a column, (n,); None where it has others, or one of the two alone."""
    if cells.dtype == object and any(isinstance(cell, (list, dict, np.ndarray)) for cell in cells):
        return None
    numbers, different = pd.factorize(cells)
    known = [_mark(cell) for cell in different]
    if numbers.min() < 0 or None in known or len(set(known)) < 2:
        return None
    return np.array(known)[numbers]


def _mark(cell: Any) -> int | None:
    """0 or 1 in a cell; None where it holds something else."""
    return {"0": 0, "1": 1, "False": 0, "True": 1}.get(str(as_label(cell)))
