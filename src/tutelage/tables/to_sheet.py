"""Tables written as spreadsheets: every text stays the text that it is, and no number is rounded."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tutelage.data.errors import DataError
from tutelage.tables.blocks import in_blocks
from tutelage.tables.how import ReadAs
from tutelage.tables.notes import Notes
from tutelage.tables.sheets import Placed, typed
from tutelage.tables.streamed import is_streamed

LONGEST = 32_767
"""Number of characters of a cell of a sheet, at most, counted as spreadsheets do: in units of UTF-16, once escaped."""
ROWS = 1_048_576
"""Number of rows of a sheet, at most, its header included."""
DIGITS = 15
"""Digits of a number that spreadsheets keep; a longer whole number is written as a text."""
FIRST_YEAR = 1900
"""Year in which the dates of spreadsheets begin; an earlier date is written as a text."""

_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
MARKED = ("=", "#")
"""Beginnings of the texts that openpyxl would take for formulas and errors."""


def escaped(text: str) -> str:
    r"""A text whose characters that the XML of a sheet cannot hold are written as ``_xHHHH_``, as ECMA-376 says.

    So is the line break ``\r``, which XML reads as ``\n``, and the beginning of what looks so already. Programs that
    read sheets give back the characters.

    Args:
        text: text of a cell.

    >>> escaped("a\x01b"), escaped("a_x0001_b"), escaped("a_b\n")
    ('a_x0001_b', 'a_x005F_x0001_b', 'a_b\n')
    """
    return _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def cell_of(value: Any) -> Any:
    """What is written into a cell: None, a truth value, a number, a date, or a text that is `escaped`.

    Args:
        value: cell of a table.

    >>> cell_of(12345678901234567), cell_of(0.5), cell_of(float("nan")), cell_of(["a"])
    ('12345678901234567', 0.5, None, '["a"]')
    """
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, list | tuple | dict | np.ndarray):
        return escaped(json.dumps(value, default=_plain, ensure_ascii=False))
    if value is None or pd.isna(value):
        return None
    value = value.item() if isinstance(value, np.generic) else value
    return value if _holds(value) else escaped(value.isoformat() if isinstance(value, datetime.date) else str(value))


def _holds(value: Any) -> bool:
    """Whether a sheet holds a value that is no text as it is."""
    if isinstance(value, datetime.date):
        return value.year >= FIRST_YEAR and getattr(value, "tzinfo", None) is None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        digits = str(value).lstrip("-").replace(".", "", 1)
        return digits.isdigit() and len(digits) <= DIGITS
    return isinstance(value, bool | datetime.time | datetime.timedelta) or (
        isinstance(value, float) and math.isfinite(value)
    )


def _plain(value: Any) -> Any:
    """A numpy value, or another that JSON has no form of, as one that JSON can hold."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def write_sheet(header: Sequence[Any], rows: Iterable[Sequence[Any]], path: Path, says: str) -> None:
    """Write a spreadsheet of one sheet, in which no text is a formula. Lists and dicts are written as JSON.

    Args:
        header: names of the columns.
        rows: cells of each row.
        path: file to write.
        says: what it is called in messages.

    Raises:
        DataError: there are more rows than a sheet has, or a text is longer than a cell of it may be.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("table")
    try:
        for number, row in enumerate(chain([list(map(str, header))], rows)):
            if number >= ROWS:
                raise DataError(_too_many(says, "more"))
            cells = [cell_of(value) for value in row]
            for place, text in enumerate(cells):
                if isinstance(text, str):
                    _require_room(text, f"{says}, row {number}" if number else f"{says}, column {place + 1}")
                    if text.startswith(MARKED):
                        cells[place] = WriteOnlyCell(sheet, text)
                        cells[place].data_type = "s"
            sheet.append(cells)
        book.save(path)
    finally:
        if not sheet.closed:
            sheet.close()


def write_beside(source: Path, placed: Placed, table: pd.DataFrame, path: Path) -> bool:
    """Write a spreadsheet again with columns behind all cells of one of its sheets; all else in it stays as it was.

    Numbers, dates, formulas and other sheets are kept; charts are not, which openpyxl does not read.

    Args:
        source: the spreadsheet.
        placed: the rows, by their places in the sheet.
        table: columns to add, with a row for each row of ``placed``, (n, k).
        path: file to write.

    Returns:
        Whether it was written: not where the sheet has no row with the names of its columns, or where a text in it is
        not that of the row.
    """
    from openpyxl import load_workbook

    book = load_workbook(source, keep_vba=False)
    try:
        page = book[placed.member]
        if placed.header is None or not hasattr(page, "iter_rows") or not _agrees(page, placed):
            return False
        filled = [j for row in page.iter_rows(values_only=True) for j, value in enumerate(row, 1) if _shown(value)]
        behind = max([*filled, *(area.max_col for area in page.merged_cells.ranges)]) + 1
        for place, name in enumerate(table.columns, start=behind):
            for row, value in ((placed.header, str(name)), *zip(placed.rows, table[name].tolist(), strict=True)):
                cell, found = page.cell(row, place), cell_of(value)
                if isinstance(found, str):
                    _require_room(found, f"{source.name}, row {row}, column {str(name)!r}")
                cell.value = found
                if isinstance(found, str):
                    cell.data_type = "s"
        book.save(path)
    finally:
        book.close()
    return True


def _agrees(page: Any, placed: Placed) -> bool:
    """Whether each text in a sheet, as openpyxl reads it, is that of the row which was found there."""
    merged = {(row, column) for area in page.merged_cells.ranges for row, column in area.cells}
    for j, column in enumerate(placed.columns):
        for row, text in zip(placed.rows, placed.frame.iloc[:, j].tolist(), strict=True):
            cell = page.cell(row, column)
            is_text = cell.data_type == "s" and isinstance(cell.value, str) and (row, column) not in merged
            if is_text and cell.value != text and _plainly(cell.value) != _plainly(text):
                return False
    return True


def _plainly(text: str) -> str:
    """A text without what programs read in ways of their own: escapes, line breaks, and blanks around it."""
    return " ".join(re.sub(r"_x[0-9A-Fa-f]{4}_|[\x00-\x1f]", " ", text).split())


def _shown(value: Any) -> str:
    return "" if value is None else str(value).strip()


def write_typed(source: Path, placed: Placed, table: pd.DataFrame, path: Path) -> None:
    """Write a spreadsheet of the rows of another, whose numbers and dates stay what they are, and of more columns.

    Args:
        source: the spreadsheet.
        placed: its rows, by their places in the sheet.
        table: columns to add, (n, k).
        path: file to write.

    Raises:
        DataError: there are more rows than a sheet has, or a text is longer than a cell of it may be.
    """
    values = typed(source.read_bytes(), placed)
    added = table.astype(object).to_numpy().tolist()
    header = [*placed.frame.columns, *table.columns]
    write_sheet(header, ([*row, *more] for row, more in zip(values, added, strict=True)), path, path.name)


def require_fits(files: Sequence[Path], how: ReadAs, output: Path) -> None:
    """Check, before the work, that a sheet has room for the rows of tables and for each of their texts.

    Args:
        files: files of the rows; one of a data set that is streamed is not gone through.
        how: how they are read.
        output: file to write, for messages.

    Raises:
        DataError: a file cannot be read, there are more rows than a sheet has, or a text is longer than a cell of it
            may be; the message names its place.
    """
    count = 0
    for file in files:
        if is_streamed(file):
            continue
        for table in in_blocks(file, how, Notes()):
            count += len(table.frame)
            for name in table.frame.select_dtypes(exclude="number"):
                for row, cell in zip(table.rows, table.frame[name], strict=True):
                    if isinstance(cell, str) and len(cell) > LONGEST // 8:
                        _require_room(escaped(cell), f"{file}, row {row}, column {str(name)!r}")
    if count >= ROWS:
        raise DataError(_too_many(str(output), f"{count:,}"))


def _too_many(says: str, count: str) -> str:
    return f"{says}: {count} rows do not fit in a sheet, which has {ROWS:,} with its header; name a csv file"


def _require_room(text: str, says: str) -> None:
    """Check that a cell has room for a text.

    Raises:
        DataError: it has none.
    """
    length = len(text) if len(text) <= LONGEST // 2 else len(text.encode("utf-16-le")) // 2
    if length > LONGEST:
        raise DataError(
            f"{says}: a text of {length:,} characters, and a cell of a sheet holds {LONGEST:,}; name a csv file"
        )
