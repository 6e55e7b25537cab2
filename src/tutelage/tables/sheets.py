"""Spreadsheets: the sheet that holds the table, its header, and its cells as texts like those of a csv file."""

from __future__ import annotations

import datetime
import functools
import io
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tutelage.data.errors import DataError, damage
from tutelage.tables import bounds
from tutelage.tables.headers import ask_of_header, names_of, without_repeats
from tutelage.tables.how import ReadAs
from tutelage.tables.notes import Notes
from tutelage.tables.odd import SHOWN, counted
from tutelage.tables.packed import DAMAGED
from tutelage.tables.seen import Found
from tutelage.tables.settling import as_word

TITLES = 10
"""Number of rows above the header that may be blank or hold a title, at most."""
LOST = (b't="e"', b"</f></c>", b"</f><v></v>", b"</f><v/>", b"</f><v />")
"""Marks in the XML of a sheet of a cell that holds an error, or a formula without its value."""
COLUMNS, ROWS = (
    re.compile(rb"""\br=["']([A-Za-z]{1,3})[0-9]"""),
    re.compile(rb"""\br=["'][A-Za-z]{0,3}([0-9]{1,8})["']"""),
)
"""Patterns of the columns, and of the rows, of the cells in the XML of a sheet."""
MERGED = b"<mergeCell "
"""Mark in the XML of a sheet of cells that are merged."""
Cell = str | int | float | bool | datetime.date | datetime.time | datetime.timedelta
"""Value of a cell."""


@dataclass(frozen=True)
class Placed:
    """The table in a sheet, with the place of each cell.

    Attributes:
        member: name of the sheet.
        frame: cells as texts, (n, k).
        header: number of the row of the sheet, from 1, that holds the names of the columns; None where none does.
        rows: number of the row of the sheet, from 1, in which each row of the frame is, (n,).
        columns: number of the column of the sheet, from 1, of each column of the frame, (k,).
        blank: number of blank rows between the rows.
    """

    member: str
    frame: pd.DataFrame
    header: int | None
    rows: Sequence[int]
    columns: Sequence[int]
    blank: int


def read_sheet(data: bytes, how: ReadAs, path: str, notes: Notes) -> Found:
    """The table in a sheet of a spreadsheet. Its cells become texts, as those of a csv file are.

    Args:
        data: bytes of the file.
        how: how files are read; its sheet names one of several.
        path: the file, for messages.
        notes: takes what is noticed.

    Raises:
        DataError: the file is no spreadsheet, there is no such sheet, or none holds a table.
    """
    found = placed(data, how, path, notes)
    return Found(found.frame, "spreadsheet", None, {"member": found.member, "blank": found.blank})


def placed(data: bytes, how: ReadAs, path: str, notes: Notes) -> Placed:
    """The table in a sheet of a spreadsheet, with the place of each cell; see `read_sheet`."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        marks = _marks(data, path)
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        name, cells = _sheet(book, len(data), how, path, notes)
    except (CalamineError, *DAMAGED) as e:
        if isinstance(e, DataError):
            raise
        raise DataError(f"{path}: not readable as a spreadsheet ({damage(e)}){_hint(data)}") from e
    _say_lost(sum(marks[mark] for mark in LOST), path, notes)
    sheet = book.get_sheet_by_name(name)
    if marks[MERGED]:
        _fill_merged(sheet, cells, path, notes)
    header, rows = _table(cells, how, path, notes)
    full = [i for i, row in enumerate(rows) if any(cell != "" for cell in row)]
    blank = sorted(set(range(full[-1] if full else 0)).difference(full))
    if blank:
        are = "1 row is" if len(blank) == 1 else f"{len(blank)} rows are"
        notes.say(f"{path}: {are} blank and passed over (first: behind row {blank[0]}).")
    kept = [j for j in range(len(header)) if header[j] or any(rows[i][j] != "" for i in full)]
    frame = pd.DataFrame([[rows[i][j] for j in kept] for i in full], columns=range(len(kept)), dtype=str)
    found, own = _named([header[j] for j in kept], frame, how, path, notes)
    top, left = sheet.start or (0, 0)
    first = top + len(cells) - len(rows) + 1
    return Placed(
        name, found, None if how.names is not None else first - 1, [first + full[i] for i in own],
        [left + j + 1 for j in kept], len(blank),
    )  # fmt: skip


def typed(data: bytes, found: Placed) -> list[list[Any]]:
    """The cells of a table that was read, (n, k), as the sheet has them: numbers and dates are no texts.

    Args:
        data: bytes of the file.
        found: the table.
    """
    from python_calamine import CalamineWorkbook

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(found.member)
    (top, left), cells = sheet.start or (0, 0), sheet.to_python(skip_empty_area=True)
    texts = found.frame.to_numpy().tolist()
    places = [[cells[row - top - 1][column - left - 1] for column in found.columns] for row in found.rows]
    return [[text if cell == "" else cell for cell, text in zip(*row, strict=True)]
            for row in zip(places, texts, strict=True)]  # fmt: skip


def text_of(cell: Cell) -> str:
    """Text of a cell: whole numbers have no ".0", and dates are written as in ISO 8601.

    >>> text_of(3.0), text_of(0.1), text_of(datetime.datetime(2024, 1, 2)), text_of(True)
    ('3', '0.1', '2024-01-02', 'True')
    """
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e22:
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, (datetime.date, datetime.time)):
        return cell.isoformat()
    return str(cell)


def _sheet(book: Any, size: int, how: ReadAs, path: str, notes: Notes) -> tuple[str, list[list[str]]]:
    """Name of the sheet that is read, and the texts of its cells."""
    from python_calamine import SheetVisibleEnum

    names = list(book.sheet_names)
    hidden = {sheet.name for sheet in book.sheets_metadata if sheet.visible != SheetVisibleEnum.Visible}
    if how.sheet is not None:
        name = how.sheet
        if name not in names and name.isdigit() and 1 <= int(name) <= len(names):
            name = names[int(name) - 1]
        if name not in names:
            raise DataError(f"{path}: no sheet {how.sheet!r}; it has {', '.join(map(repr, names))}")
        return name, _cells(book, name, size, path)
    cells = {name: _cells(book, name, size, path) for name in names}
    full = [name for name in names if len(cells[name]) > 1] or [name for name in names if cells[name]]
    shown = [name for name in full if name not in hidden] or full
    if not shown:
        raise DataError(f"{path}: the file has no rows")
    if others := [name for name in full if name != shown[0]]:
        listed = ", ".join(f"{name!r} ({counted(len(cells[name]), 'row')})" for name in others[:5])
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        notes.ask(
            f"{path}: sheet {shown[0]!r} ({counted(len(cells[shown[0]]), 'row')}) is read, but not {listed}{more}",
            f"--sheet={as_word(shown[0])} says so, and --sheet={as_word(others[0])} reads another",
            page="file-parts",
        )
    return shown[0], cells[shown[0]]


def _cells(book: Any, name: str, size: int, path: str) -> list[list[str]]:
    sheet = book.get_sheet_by_name(name)
    (top, left), (bottom, right) = sheet.start or (0, 0), sheet.end or (0, 0)
    _require_cells((bottom - top + 1) * (right - left + 1), f"row {bottom + 1}, column {right + 1}", size, path)
    rows = [[text_of(cell) for cell in row] for row in sheet.to_python(skip_empty_area=True)]
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def _table(cells: list[list[str]], how: ReadAs, path: str, notes: Notes) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a sheet. Blank rows and a title above the header are passed over and said."""
    if how.names is not None:
        width = max((len(row) for row in cells), default=0)
        if width != len(how.names):
            raise DataError(f"{path}: --columns names {counted(len(how.names), 'column')}, but the rows have {width}")
        return list(how.names), cells
    widest = max((_filled(row) for row in cells), default=0)
    above = next((i for i, row in enumerate(cells[: TITLES + 1]) if _filled(row) >= min(2, max(widest, 1))), 0)
    titles = [next(cell for cell in row if cell) for row in cells[:above] if any(row)]
    if titles:
        shown = titles[0] if len(titles[0]) <= SHOWN else titles[0][:SHOWN] + "…"
        notes.say(
            f"{path}: the header is row {above + 1} of the sheet, below the title {shown!r}; row 1 is row {above + 2} "
            "of the sheet."
        )
    return cells[above], cells[above + 1 :]


def _filled(row: Sequence[str]) -> int:
    return sum(cell.strip() != "" for cell in row)


def _named(
    header: list[str], frame: pd.DataFrame, how: ReadAs, path: str, notes: Notes
) -> tuple[pd.DataFrame, list[int]]:
    """The rows that do not repeat the header, with the names of their columns, and which of the rows they are."""
    own = list(range(len(frame)))
    if len(frame):
        single = without_repeats(header, frame, path, notes)
        own = [i for i in own if single[i]]
        frame = frame[single].reset_index(drop=True)
    if how.names is None:
        ask_of_header(header, frame, how, path, notes)
    frame.columns = pd.Index(names_of(header, path))
    return frame, own


def _marks(data: bytes, path: str) -> Counter[bytes]:
    """How often each of the marks LOST and MERGED is in the sheets of an xlsx file; empty for other formats.

    Raises:
        DataError: the file unpacks to more than it may, or a sheet reaches as far as would fill the memory.
        zipfile.BadZipFile: the file is a damaged zip.
    """
    found: Counter[bytes] = Counter()
    if not data.startswith(b"PK"):
        return found
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        bounds.require(sum(member.file_size for member in held.infolist()), len(data), path)
        for member in held.infolist():
            sheet = held.read(member)  # also of the others, so that none is larger than the zip says
            if b"sheetData" in sheet:
                _require_near(sheet, len(data), path)
                found.update({mark: sheet.count(mark) for mark in (*LOST, MERGED)})
    return found


def _require_near(sheet: bytes, size: int, path: str) -> None:
    """Check that the cells of a sheet are not so far apart that the empty ones between them would fill the memory.

    Args:
        sheet: XML of the sheet.
        size: bytes of the file.
        path: the file, for the message.

    Raises:
        DataError: they are, such as where one cell was filled by mistake.
    """
    rows = set(map(int, ROWS.findall(sheet)))
    columns = sorted(set(COLUMNS.findall(sheet)), key=lambda column: (len(column), column.upper())) or [b"A"]
    if rows:
        across = _number(columns[-1]) - _number(columns[0]) + 1
        _require_cells(across * (max(rows) - min(rows) + 1), f"{columns[-1].decode()}{max(rows)}", size, path)


def _number(column: bytes) -> int:
    """Number of a column, from 1, by its letters.

    >>> _number(b"A"), _number(b"AB")
    (1, 28)
    """
    return functools.reduce(lambda number, letter: 26 * number + letter - 64, column.upper(), 0)


def _require_cells(cells: int, last: str, size: int, path: str) -> None:
    if cells * bounds.CELL > bounds.most(size):
        raise DataError(
            f"{path}: its cells reach as far as {last}, which makes {cells:,} with the empty ones between; delete "
            "those that stand alone, and save it again"
        )


def _fill_merged(sheet: Any, cells: list[list[str]], path: str, notes: Notes) -> None:
    """Give the value of each cell that is merged with cells below it to these, too, and say it."""
    top, left = sheet.start or (0, 0)
    filled: list[int] = []
    for (first, column), (last, last_column) in sheet.merged_cell_ranges or ():
        rows, j = range(first - top + 1, min(last - top + 1, len(cells))), column - left
        if column == last_column and j >= 0 and first >= top and rows and (value := cells[first - top][j]):
            for i in rows:
                cells[i][j] = value
            filled += rows
    if filled:
        cell = "1 cell has" if len(filled) == 1 else f"{len(filled):,} cells have"
        notes.say(
            f"{path}: {cell} the value of the one above, with which it is merged (first: row "
            f"{min(filled) + top + 1} of the sheet)."
        )


def _say_lost(lost: int, path: str, notes: Notes) -> None:
    """Say how many cells of an xlsx file hold an error, or a formula without its value; they are read as empty."""
    if lost:
        of = "1 cell with an error, or with a formula" if lost == 1 else f"{lost} cells with errors, or with formulas"
        notes.say(
            f"{path}: read as empty: {of} without a value; open and save the file where it was made.", page="left-out"
        )


def _hint(data: bytes) -> str:
    head = data[:200].lstrip().lower()
    if head.startswith((b"<html", b"<!doctype", b"<table", b"<?xml")):
        return "; it is a web page or XML under a spreadsheet's name: open it and save it as xlsx or csv"
    if data.startswith(b"\xd0\xcf\x11\xe0") and "EncryptedPackage".encode("utf-16-le") in data:
        return "; it has a password: open it in a spreadsheet program, and save it without one"
    if data and b"\0" not in data[:1000] and not data.startswith(b"PK"):
        return "; it looks like text: let its name end in .csv or .tsv"
    return "; open it in a spreadsheet program, and save it again, as .xlsx or .csv"
