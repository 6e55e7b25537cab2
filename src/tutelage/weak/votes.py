"""Votes of labelling functions, read from tables and checked."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from tutelage.data.nearest import SHORT, nearest
from tutelage.tables import DataError, as_label
from tutelage.tables.cells import brief, noun, python_value, quoted

ABSTAIN = "-1"
"""Text of a cell that is no vote; an empty cell is none either."""


@dataclass(frozen=True, eq=False)
class Votes:
    """Votes of m labelling functions on n rows, for c classes.

    Args:
        table: number of the class that a function votes for, (n, m), whole numbers in -1..c-1; -1 = it abstains.
        names: names of the m functions, each once.
        classes: names of the c classes, each once; at least 2.

    Raises:
        ValueError: an argument is not valid; for a vote, the message names its row (from 0) and function.

    >>> Votes(np.array([[0, -1], [-1, -1]]), ["short", "link"], ["ham", "spam"]).covered.tolist()
    [True, False]
    """

    table: np.ndarray
    names: list[str]
    classes: list[str]

    def __post_init__(self) -> None:
        table = np.asarray(self.table)
        if table.ndim != 2:
            raise ValueError(f"votes must have 2 dimensions, rows and functions, got shape {table.shape}")
        if not np.issubdtype(table.dtype, np.integer):
            raise ValueError(f"votes must be whole numbers, got {table.dtype}")
        if len(self.names) != table.shape[1]:
            raise ValueError(f"names must be {table.shape[1]}, one for each function, got {len(self.names)}")
        _each_once("names", self.names)
        _each_once("classes", self.classes)
        if len(self.classes) < 2:
            raise ValueError(f"classes must be at least 2, got {self.classes}")
        wrong = np.argwhere((table < -1) | (table >= len(self.classes)))
        if len(wrong):
            row, j = wrong[0]
            allowed = f"must be in -1..{len(self.classes) - 1}"
            raise ValueError(f"vote of function {self.names[j]!r} on row {row} {allowed}, got {table[row, j]}")
        object.__setattr__(self, "table", table.astype(np.int64))

    def __len__(self) -> int:
        return len(self.table)

    @property
    def covered(self) -> np.ndarray:
        """Whether at least one function votes on a row, (n,)."""
        return np.asarray((self.table >= 0).any(axis=1))

    def subset(self, index: np.ndarray) -> Votes:
        """Votes on the rows that ``index`` selects, a mask, (n,), or row numbers, (k,)."""
        return Votes(self.table[index], self.names, self.classes)


def _each_once(what: str, names: list[str]) -> None:
    """Check that no name is there twice; ``what`` names the argument in the message."""
    twice = next(((name, count) for name, count in Counter(names).items() if count > 1), None)
    if twice:
        raise ValueError(f"{what} must differ, got {twice[0]!r} {twice[1]} times")


@dataclass(frozen=True, eq=False)
class RawVotes:
    """Votes for labels as they are written, before the classes are known.

    Args:
        file: name of the votes' file, for messages.
        names: names of the m functions.
        table: number of the label in ``found`` that a function votes for, (n, m); -1 = it abstains.
        found: labels that are voted for.
        rows: numbers of the n rows in the file, from 1.
    """

    file: str
    names: list[str]
    table: np.ndarray
    found: list[str]
    rows: list[int]

    @staticmethod
    def of(file: str, names: list[str], cells: Iterable[Sequence[object]]) -> RawVotes:
        """Votes from cells as they are written.

        Args:
            file: name of the votes' file, for messages.
            names: names of the m functions.
            cells: n rows of m cells: -1, empty, None or NaN to abstain, or else a label as `as_label` reads it.

        Raises:
            DataError: a cell is no single value.

        >>> RawVotes.of("t.csv", ["a", "b"], [[0.0, None], ["-1", "spam"]]).labels()
        ['0', 'spam']
        """
        known: dict[tuple[type, object], int] = {}  # by type too: 1 == True, but they are two labels
        found: dict[str, int] = {}
        codes = []
        for row, votes in enumerate(cells, start=1):
            for name, cell in zip(names, votes, strict=True):
                try:
                    code = known.get((type(cell), cell))
                except TypeError:
                    shown = str(cell.tolist() if isinstance(cell, np.ndarray) else cell)
                    raise DataError(f"{file}, row {row}, function {name!r}: {brief(shown)} is no label") from None
                if code is None:
                    label = as_label(cell)
                    code = -1 if label in (None, ABSTAIN) else found.setdefault(label, len(found))
                    if label is not None:  # each NaN would be a key of its own
                        known[type(cell), cell] = code
                codes.append(code)
        table = np.array(codes, np.int64).reshape(-1, len(names))
        return RawVotes(file, names, table, list(found), list(range(1, len(table) + 1)))

    def where(self, keep: np.ndarray) -> RawVotes:
        """Votes on the rows that the mask ``keep``, (n,), selects."""
        rows = [self.rows[i] for i in np.flatnonzero(keep)]
        return RawVotes(self.file, self.names, self.table[keep], self.found, rows)

    def renamed(self, name: Callable[[str], str | None]) -> RawVotes:
        """The same votes, whose labels have other names; a vote whose name is None abstains.

        >>> RawVotes.of("t.csv", ["a"], [["Spam"], ["?"]]).renamed({"Spam": "spam", "?": None}.get).labels()
        ['spam']
        """
        names = [name(label) for label in self.found]
        found = {new: i for i, new in enumerate(dict.fromkeys(new for new in names if new is not None))}
        index = np.array([-1 if new is None else found[new] for new in names] + [-1])
        return replace(self, table=index[self.table], found=list(found))  # -1 finds the last

    def labels(self) -> list[str]:
        """Labels that are voted for, sorted."""
        return sorted(self.found[i] for i in np.unique(self.table) if i >= 0)

    def _other_column(self, wrong: np.ndarray, j: int) -> str:
        """What to do about the j-th column where others hold votes for the classes; empty where none does."""
        odd = len(np.unique(wrong))
        several = len(self.names) - odd >= 2 > odd
        return f"; if {self.names[j]!r} holds no votes, give it a name that begins otherwise" if several else ""

    def code(self, classes: list[str]) -> Votes:
        """Votes as class numbers, which are places in ``classes``.

        Raises:
            DataError: a vote is not among the classes.
        """
        places = {name: i for i, name in reversed(list(enumerate(classes)))}
        index = np.array([places.get(v, -2) for v in self.found] + [-1])
        table = index[self.table]  # -1 finds the last
        wrong = np.argwhere(table == -2)
        if len(wrong):
            i, j = wrong[0]
            raise DataError(
                f"{self.file}, row {self.rows[i]}, function {self.names[j]!r}: votes for "
                f"{quoted(self.found[self.table[i, j]])}, which is not among the classes "
                f"{', '.join(map(repr, classes))}"
                f"{self._other_column(wrong[:, 1], j) or _hint(self.labels(), classes)}"
            )
        return Votes(table, self.names, classes)


def _hint(voted: Sequence[str], classes: Sequence[str]) -> str:
    """What to do about votes that are not among the classes; empty where it is plain."""
    numbers = sorted(int(label) for label in voted if re.fullmatch("[0-9]{1,9}", label))
    if numbers and not any(label.isdecimal() for label in classes):
        ends = (
            f"; these end at {numbers[-1]}: if 0 means that a rule abstains, write -1 for it and 1 less for each class"
        )
        return (
            "; votes may be names, or numbers where --classes names the classes in their order, from 0 to "
            f"{len(classes) - 1}{ends if numbers[-1] == len(classes) else ''}"
        )
    declared = frozenset(classes)
    strange = next((label for label in voted if label not in declared), None)
    near = None if strange is None else nearest(strange, classes, SHORT)
    return f"; the nearest is {near!r}" if near else ""


def read_votes(table: pd.DataFrame, name: str, path: str | Path, others: Sequence[str | None] = ()) -> RawVotes:
    """Votes from a table, in one column of lists or in one column for each labelling function.

    Args:
        table: table from `tutelage.tables.read_table`.
        name: name of a column whose cells are lists of the same length (as text: a JSON list, or values separated by
            commas, | or ;, or else by spaces), or numbers, the votes of one function; where there is no such column,
            prefix of the names of the functions' columns.
        path: path of the table's file, for messages.
        others: columns that hold no votes although they have the prefix, such as those of texts and labels.

    Raises:
        DataError: there is no such column, a cell is not a list, or lists have different lengths.

    >>> read_votes(pd.DataFrame({"rule_a": ["", "spam"], "rule_b": ["ham", "-1"]}), "rule_", "t.csv").names
    ['rule_a', 'rule_b']
    """
    if name in table.columns and all(isinstance(cell, (int, float, np.number)) for cell in table[name]):
        return RawVotes.of(str(path), [name], [[cell] for cell in table[name]])
    if name in table.columns:
        rows = [_as_list(cell, row, name, path) for row, cell in enumerate(table[name], start=1)]
        for row, votes in enumerate(rows, start=1):
            if len(votes) != len(rows[0]):
                here = f"{path}, row {row}, column {name!r}: {len(votes)} votes"
                raise DataError(f"{here}, but {len(rows[0])} in row 1; each row needs one for each function")
        return RawVotes.of(str(path), [f"{name} {j + 1}" for j in range(len(rows[0]))], rows)
    names = [str(c) for c in table.columns if name and str(c).startswith(name) and c not in others]
    if not names:
        have = ", ".join(map(repr, table.columns))
        raise DataError(f"{path}: no column {name!r}, and none that begins with {name!r}; it has {have}")
    return RawVotes.of(str(path), names, zip(*(table[c].tolist() for c in names), strict=True))


def _as_list(cell: object, row: int, name: str, path: str | Path) -> list[object]:
    """The cell as a list of votes, or a DataError that names file, row and column."""
    if isinstance(cell, str) and cell.strip():
        cell = _parse(cell.strip())
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if not isinstance(cell, (list, tuple)) or not cell:
        shown = quoted(cell) if isinstance(cell, str) else "an empty list" if cell in ([], ()) else noun(cell)
        columns = "; write a list, or a column for each function" if isinstance(cell, Mapping) else ""
        raise DataError(f"{path}, row {row}, column {name!r}: not a list of votes but {shown}{columns}")
    return list(cell)


def _parse(text: str) -> object:
    """The list of votes in a cell of a csv file, written by JSON, Python or numpy, or as bare values."""
    if text[0] in "[(":
        for parse in (json.loads, python_value):
            try:
                return parse(text)
            except (ValueError, RecursionError):
                pass
        text = re.sub(r"(?<=[0-9])\.(?=\s|$)", "", text.strip("[]()"))  # numpy's 1. is 1
    sign = next((sign for sign in ",|;" if sign in text), None)
    parts = text.split(sign)
    return [None if part.strip() in ("nan", "None") else part.strip(" '\"") for part in parts]
