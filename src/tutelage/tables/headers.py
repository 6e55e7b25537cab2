"""Names of the columns of a table: the first row, unless it looks like data, or names that the user gives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from tutelage.data.errors import DataError
from tutelage.tables.how import HEADER, ReadAs
from tutelage.tables.notes import Notes

SAMPLE = 1000
"""Number of rows by which a header is told from a row, at most."""
MOST = 0.5
"""Share of the cells below that are numbers, at least, where a number in the header is taken for one of them."""
WORDS = 3
"""Number of words from which on a cell is rather a text than a name."""
FRACTION = re.compile(r"\s*(?:[-+]?\d*[.,]\d+(?:[eE][-+]?\d+)?|-\d+)\s*")
"""Pattern of a number that hardly names a column: a fraction, or one below zero."""


def names_of(cells: Sequence[str], path: str) -> list[str]:
    """Names of the columns in a header; a column without a name gets one of pandas' kind.

    Args:
        cells: cells of the header.
        path: the file, for messages.

    Raises:
        DataError: columns have the same name.

    >>> names_of(["", "text"], "t.csv")
    ['Unnamed: 0', 'text']
    """
    twice = [name for name, count in Counter(cells).items() if name and count > 1]
    if twice:
        more = f" (so are {', '.join(map(repr, twice[1:5]))})" if twice[1:] else ""
        raise DataError(
            f"{path}: {cells.count(twice[0])} columns are named {twice[0]!r}; each needs its own name{more}; give one "
            "another name, or take it out"
        )
    return [name or f"Unnamed: {i}" for i, name in enumerate(cells)]


def ask_of_header(cells: Sequence[str], frame: pd.DataFrame, how: ReadAs, path: str, notes: Notes) -> None:
    """Ask whether a header is one, where it looks like a row of data; nothing else is then read.

    Args:
        cells: cells of the header.
        frame: rows below it.
        how: how files are read.
        path: the file, for messages.
        notes: takes the question.

    Raises:
        DataError: it looks like a row, and the user says nothing of it.
    """
    if how.columns == HEADER or not (why := looks_like_data(cells, frame)):
        return
    names = ",".join(f"NAME{i}" for i in range(1, min(len(cells), 3) + 1)) + (",..." if len(cells) > 3 else "")
    columns = "column" if len(cells) == 1 else f"{len(cells)} columns"
    notes.halt(
        f"{path}: the first line looks like a row of data, since {why}",
        f"--columns {names} names the {columns}, and the first line is a row",
        "--columns header, if the first line names them",
        page="header",
    )


def looks_like_data(cells: Sequence[str], frame: pd.DataFrame) -> str:
    """Why a header looks like a row of data; empty where it does not.

    Args:
        cells: cells of the header.
        frame: rows below it.

    >>> looks_like_data(["a good film", "pos"], pd.DataFrame([["bad", "neg"], ["fine", "pos"], ["so", "pos"]]))
    "its cell 'pos' is also a value of 2 rows below"
    """
    found = []
    for i in _in_question(cells, frame):
        cell, values = cells[i], frame.iloc[:SAMPLE, i].astype(str)
        if FRACTION.fullmatch(cell) and _numbers(values) > MOST:
            return f"its cell {cell!r} is a number, as those below it"
        same = int((values == cell).sum())
        if cell.strip() and same >= 2 and values.nunique() < len(values):
            found.append(f"its cell {cell!r} is also a value of {same} rows below")
    # a column may be named like one of its values, such as "spam", beside names, but hardly beside a text
    beside_text = any(len(cell.split()) >= WORDS or FRACTION.fullmatch(cell) for cell in cells)
    return found[0] if found and (len(cells) == 1 or len(found) > 1 or beside_text) else ""


def _in_question(cells: Sequence[str], frame: pd.DataFrame) -> Sequence[int]:
    """Numbers of the columns whose cell in the header may be one of their values; the others need no closer look."""
    if not all(isinstance(dtype, pd.StringDtype) for dtype in frame.dtypes):
        return range(len(cells))
    block = frame.iloc[:SAMPLE].to_numpy(dtype=object, na_value="")
    return [i for i, cell in enumerate(cells) if FRACTION.fullmatch(cell) or block[:, i].tolist().count(cell) >= 2]


def _numbers(values: pd.Series) -> float:
    """Share of the values that are numbers, also with a decimal comma."""
    return float(pd.to_numeric(values.str.replace(",", "."), errors="coerce").notna().mean())


def without_repeats(cells: Sequence[str], frame: pd.DataFrame, path: str, notes: Notes) -> np.ndarray:
    """Mask of the rows, (n,), that do not repeat the header, as where files were joined; the others are said."""
    again = np.ones(len(frame), dtype=bool)
    for i, cell in enumerate(cells):
        again &= (frame.iloc[:, i] == cell).to_numpy(dtype=bool)
        if not again.any():
            return ~again
    rows = (np.flatnonzero(again) + 1).tolist()
    them = "1 row repeats" if len(rows) == 1 else f"{len(rows)} rows repeat"
    notes.say(
        f"{path}: {them} the names of the columns (first: row {rows[0]}), as where files were joined; left out.",
        page="header",
    )
    return ~again
