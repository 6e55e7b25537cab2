"""Numbers with a decimal comma, or a per cent sign, in columns of texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tutelage.data.errors import DataError
from tutelage.tables.notes import Notes

COMMA = re.compile(r"\s*[-+]?\d+,\d+(?:[eE][-+]?\d+)?\s*")
"""Pattern of a number with a decimal comma."""
PERCENT = re.compile(r"\s*[-+]?[\d.,]+\s*%\s*")
"""Pattern of a number with a per cent sign."""
WHOLE = re.compile(r"\s*(?:[-+]?\d+|(?i:nan|na|n/a|null|none|[-+]?inf)|[-?])?\s*")
"""Pattern of a whole number, of a word for none, and of an empty cell."""
THOUSANDS = re.compile(r"\s*[-+]?[1-9]\d{0,2},\d{3}\s*")
"""Pattern of a number whose comma may also part thousands."""


def with_points(
    table: pd.DataFrame, names: Sequence[str], path: str | Path, notes: Notes, lists: bool = True
) -> pd.DataFrame:
    """The table, with decimal points in place of the commas of numbers, and without per cent signs.

    A column is read so where each of its cells is a number with a comma, or a whole number. A single column may hold
    lists of numbers instead; then a question asks.

    Args:
        table: the table.
        names: columns of numbers.
        path: file of the table, for messages.
        notes: takes what is noticed.
        lists: whether a single column may hold lists of numbers.

    Raises:
        DataError: a column has commas and points, or its commas may part thousands.
    """
    table, given = _without_percents(table, names, path, notes), table
    lists = lists and table is given
    found = {name: table[name] for name in names if _has(",", table[name]) and table[name].map(_comma).any()}
    found = {name: cells for name, cells in found.items() if _all_alike(cells, name, path, len(names) > 1 or not lists)}
    if not found:
        return table
    name, cells = next(iter(found.items()))
    first = int(np.argmax(cells.map(_comma).to_numpy(dtype=bool)))
    place, cell = f"row {first + 1}, column {name!r}", cells.iloc[first].strip()
    if lists and len(names) == 1 and cells.map(_comma).all():
        notes.ask(
            f"{path}, {place}: {cell!r} is read as a list of two numbers",
            "write a decimal point in the file, if it is one number",
            page="decimals",
        )
        return table
    if all(THOUSANDS.fullmatch(cell) for each in found.values() for cell in each if _comma(cell)):
        point, none = cell.replace(",", "."), cell.replace(",", "")
        raise DataError(f"{path}, {place}: {cell!r} may be {point} or {none}; write numbers without commas")
    columns = f"column {name!r}" if len(found) == 1 else f"{len(found)} columns"
    notes.say(f"{path}: {columns} with decimal commas, as in {cell!r} ({place}), read as numbers.", page="decimals")
    return table.assign(**{name: cells.str.replace(",", ".") for name, cells in found.items()})


def _without_percents(table: pd.DataFrame, names: Sequence[str], path: str | Path, notes: Notes) -> pd.DataFrame:
    """The table, without the per cent signs of columns in which each number has one."""
    signed = {name: table[name] for name in names if _has("%", table[name])}
    found = {
        name: cells
        for name, cells in signed.items()
        if all(PERCENT.fullmatch(cell) or not cell.strip() for cell in cells.fillna(""))
    }
    if not found:
        return table
    name, cells = next(iter(found.items()))
    first = int(np.argmax(cells.str.contains("%", regex=False)))
    columns = f"column {name!r}" if len(found) == 1 else f"{len(found)} columns"
    notes.say(
        f"{path}: {columns} with per cent signs, as in {cells.iloc[first].strip()!r} (row {first + 1}, column "
        f"{name!r}), read as the numbers before them."
    )
    return table.assign(**{name: cells.str.replace("%", "").str.strip() for name, cells in found.items()})


def _has(sign: str, cells: pd.Series) -> bool:
    """Whether a column is of texts, some of which hold a sign."""
    if isinstance(cells.dtype, pd.StringDtype):
        return bool(pc.any(pc.match_substring(pa.array(cells.array), sign)).as_py())
    if cells.dtype != object or not any(isinstance(cell, str) and sign in cell for cell in cells):
        return False
    return all(isinstance(cell, str) for cell in cells)


def _comma(cell: object) -> bool:
    return isinstance(cell, str) and COMMA.fullmatch(cell) is not None


def _whole(cell: object) -> bool:
    """Whether a cell is a whole number, or empty."""
    return not isinstance(cell, str) or WHOLE.fullmatch(cell) is not None


def _all_alike(cells: pd.Series, name: str, path: str | Path, several: bool) -> bool:
    """Whether each cell is a number with a decimal comma, or a whole one.

    Raises:
        DataError: others have points, and the column holds a number in each row.
    """
    other = [cell for cell in cells if not (_comma(cell) or _whole(cell))]
    if not other:
        return True
    if several and (points := [cell for cell in other if "." in cell and _is_number(cell)]):
        row, point = cells.tolist().index(points[0]) + 1, points[0].strip()
        at = int(np.argmax(cells.map(_comma).to_numpy(dtype=bool)))
        comma = f"row {at + 1} has a decimal comma, {cells.iloc[at].strip()!r}"
        raise DataError(f"{path}, column {name!r}: {comma}, but row {row} a point, {point!r}; write all numbers alike")
    return False


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
