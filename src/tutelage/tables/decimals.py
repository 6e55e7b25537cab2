"""Numbers with a decimal comma, or a per cent sign, in columns of texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tutelage.data.errors import DataError
from tutelage.tables.blocks import Block
from tutelage.tables.notes import Notes

COMMA = re.compile(r"\s*[-+]?\d+,\d+(?:[eE][-+]?\d+)?\s*")
"""Pattern of a number with a decimal comma."""
PERCENT = re.compile(r"\s*[-+]?[\d.,]+\s*%\s*")
"""Pattern of a number with a per cent sign."""
WHOLE = re.compile(r"\s*(?:[-+]?\d+|(?i:nan|na|n/a|null|none|[-+]?inf)|[-?])?\s*")
"""Pattern of a whole number, of a word for none, and of an empty cell."""
THOUSANDS = re.compile(r"\s*[-+]?[1-9]\d{0,2},\d{3}\s*")
"""Pattern of a number whose comma may also part thousands."""


@dataclass
class Signs:
    """How the cells of a column write numbers, gone through block by block.

    Attributes:
        rows: number of cells.
        texts: whether each cell is a text.
        comma: place, from 0, and text of the first number with a comma; None where there is none.
        all_commas: whether each cell is one.
        thousands: whether each comma may also part thousands.
        alike: whether each cell is a number with a comma, or a whole one.
        point: place and text of the first number with a point; None where there is none.
        percent: place and text of the first cell with a per cent sign; None where there is none.
        all_percents: whether each cell is a number with a per cent sign, or empty.
    """

    rows: int = 0
    texts: bool = True
    comma: tuple[int, str] | None = None
    all_commas: bool = True
    thousands: bool = True
    alike: bool = True
    point: tuple[int, str] | None = None
    percent: tuple[int, str] | None = None
    all_percents: bool = True

    def add(self, cells: pd.Series) -> None:
        """Go through the cells of a block."""
        self.texts = self.texts and _of_texts(cells)
        signs = self.texts and (_has(",", cells) or _has("%", cells))
        known = not signs and not self.alike and self.point is not None  # there is no more to learn of such a block
        for row, cell in enumerate(cells if self.texts and not known else (), start=self.rows):
            self._add_number(row, cell)
            if signs:
                self._add_percent(row, cell)
        if len(cells) and not signs:
            self.all_commas = False
            self.all_percents = self.all_percents and not any(isinstance(cell, str) and cell.strip() for cell in cells)
        self.rows += len(cells)

    def _add_number(self, row: int, cell: object) -> None:
        if isinstance(cell, str) and _comma(cell):
            self.comma = self.comma or (row, cell.strip())
            self.thousands = self.thousands and THOUSANDS.fullmatch(cell) is not None
            return
        self.all_commas = False
        if isinstance(cell, str) and not _whole(cell):
            self.alike = False
            if self.point is None and "." in cell and _is_number(cell):
                self.point = row, cell.strip()

    def _add_percent(self, row: int, cell: object) -> None:
        text = cell if isinstance(cell, str) else ""
        if "%" in text:
            self.percent = self.percent or (row, text.strip())
        if self.all_percents and text.strip() and not PERCENT.fullmatch(text):
            self.all_percents = False

    @property
    def percents(self) -> bool:
        """Whether the per cent signs of the column are left out."""
        return self.texts and self.percent is not None and self.all_percents


def with_points(
    table: pd.DataFrame, names: Sequence[str], path: str | Path, notes: Notes, lists: bool = True
) -> pd.DataFrame:
    """The table, with decimal points in place of the commas of numbers, and without per cent signs.

    A column is read so where each of its cells is a number with a comma, or a whole number: in the whole file, where
    the table is a block of one. A single column may hold lists of numbers instead; then a question asks.

    Args:
        table: the table.
        names: columns of numbers.
        path: file of the table, for messages.
        notes: takes what is noticed.
        lists: whether a single column may hold lists of numbers.

    Raises:
        DataError: a column has commas and points, or its commas may part thousands.
    """
    signed = [name for name in names if _has(",", table[name]) or _has("%", table[name])]
    if not signed:
        return table
    whole = path.whole if isinstance(path, Block) else None
    if whole is None:
        signs, bare = _signs([table], signed)
    else:
        key = "numbers of " + ", ".join(names)
        signs, bare = whole.told[key] = whole.told.get(key) or _signs((each.frame for each in whole.again()), names)
    percents = {name: each for name, each in signs.items() if each.percents}
    if percents:
        _say_percents(percents, path, notes)
        table = table.assign(**{name: table[name].str.replace("%", "").str.strip() for name in percents})
    lists = lists and not percents
    of = {name: bare[name] if name in percents else each for name, each in signs.items()}
    found = {name: each for name, each in of.items() if each.texts and each.comma is not None}
    found = {name: each for name, each in found.items() if _all_alike(each, name, path, len(names) > 1 or not lists)}
    if not found:
        return table
    name, first = next(iter(found.items()))
    assert first.comma is not None
    place, cell = f"row {first.comma[0] + 1}, column {name!r}", first.comma[1]
    if lists and len(names) == 1 and first.all_commas:
        notes.ask(
            f"{path}, {place}: {cell!r} is read as a list of two numbers",
            "write a decimal point in the file, if it is one number",
            page="decimals",
        )
        return table
    if all(each.thousands for each in found.values()):
        point, none = cell.replace(",", "."), cell.replace(",", "")
        raise DataError(f"{path}, {place}: {cell!r} may be {point} or {none}; write numbers without commas")
    columns = f"column {name!r}" if len(found) == 1 else f"{len(found)} columns"
    notes.say(f"{path}: {columns} with decimal commas, as in {cell!r} ({place}), read as numbers.", page="decimals")
    return table.assign(**{name: table[name].str.replace(",", ".") for name in found})


def _signs(tables: Iterable[pd.DataFrame], names: Sequence[str]) -> tuple[dict[str, Signs], dict[str, Signs]]:
    """How the columns of all blocks write numbers, and how they do without per cent signs."""
    signs, bare = {name: Signs() for name in names}, {name: Signs() for name in names}
    for table in tables:
        for name in names:
            signs[name].add(table[name])
            if signs[name].percents:
                bare[name].add(table[name].str.replace("%", "").str.strip())
            elif signs[name].all_percents:  # empty until now
                bare[name].rows = signs[name].rows
                bare[name].all_commas = bare[name].all_commas and not len(table)
    return signs, bare


def _say_percents(found: Mapping[str, Signs], path: str | Path, notes: Notes) -> None:
    """Say which columns have per cent signs that are left out."""
    name, first = next(iter(found.items()))
    assert first.percent is not None
    columns = f"column {name!r}" if len(found) == 1 else f"{len(found)} columns"
    notes.say(
        f"{path}: {columns} with per cent signs, as in {first.percent[1]!r} (row {first.percent[0] + 1}, column "
        f"{name!r}), read as the numbers before them."
    )


def _has(sign: str, cells: pd.Series) -> bool:
    """Whether a column is of texts, some of which hold a sign."""
    if isinstance(cells.dtype, pd.StringDtype):
        return bool(pc.any(pc.match_substring(pa.array(cells.array), sign)).as_py())
    if cells.dtype != object or not any(isinstance(cell, str) and sign in cell for cell in cells):
        return False
    return _of_texts(cells)


def _of_texts(cells: pd.Series) -> bool:
    """Whether each cell of a column is a text, or none in a column of texts."""
    if isinstance(cells.dtype, pd.StringDtype):
        return True
    return cells.dtype == object and all(isinstance(cell, str) for cell in cells)


def _comma(cell: object) -> bool:
    return isinstance(cell, str) and COMMA.fullmatch(cell) is not None


def _whole(cell: object) -> bool:
    """Whether a cell is a whole number, or empty."""
    return not isinstance(cell, str) or WHOLE.fullmatch(cell) is not None


def _all_alike(column: Signs, name: str, path: str | Path, several: bool) -> bool:
    """Whether each cell is a number with a decimal comma, or a whole one.

    Raises:
        DataError: others have points, and the column holds a number in each row.
    """
    if several and not column.alike and column.point is not None and column.comma is not None:
        (row, point), (at, comma) = column.point, column.comma
        both = f"row {at + 1} has a decimal comma, {comma!r}, but row {row + 1} a point, {point!r}"
        raise DataError(f"{path}, column {name!r}: {both}; write all numbers alike")
    return column.alike


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
