"""Texts that hold other than a row in each line: odd marks, rows of several lines, odd rows, and blank lines."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa

from tutelage.data.errors import DataError
from tutelage.tables.charsets import UNREADABLE
from tutelage.tables.dialects import Dialect, cells_of
from tutelage.tables.how import ReadAs
from tutelage.tables.layout import Layout, quoting
from tutelage.tables.notes import Notes
from tutelage.tables.odd import counted, odd_rows, places, say_blank, say_marks
from tutelage.tables.parsing import Cells, parsed
from tutelage.tables.quotes import Mender

NOWHERE = "\x1f"
"""Character that separates the cells of a file whose lines are one cell each, since no line has it."""
QUOTED = re.compile(rb'"((?:[^"]|"")*)"')
"""Pattern of a cell in quotation marks."""
SPANS = 100
"""Number of rows longer than a line that are named, at most."""


class Careful:
    """Reads a text that holds other than a row in each line: line by line where marks are odd, and as a whole.

    Args:
        data: the text.
        dialect: what separates and quotes its cells.
        state: how quotation marks are used, see `quoting`.
        how: how files are read.
        path: the file, for messages.
        notes: takes what is noticed.
    """

    def __init__(self, data: bytes, dialect: Dialect, state: str, how: ReadAs, path: str, notes: Notes) -> None:
        self.data, self.how, self.path, self.notes = data, how, path, notes
        self.before = int(dialect.named)
        self.layout = Layout.of(data, dialect, quoted=state != "none")
        self.state, self.quoted = state, state == "strict"

    def shown(self) -> Dialect:
        """Dialect that was read; without quotation marks where all of them are characters."""
        return self.layout.dialect if self.quoted else replace(self.layout.dialect, quote="")

    def cells(self) -> Cells:
        """Cells of the text."""
        self._mend()
        self._one_column()
        layout, names = self.layout, self.how.names
        full = np.flatnonzero(~layout.blank)
        header = None if names is not None else self._header(int(full[0]))
        width = len(header or names or ())
        rows = full if header is None else full[1:]
        if names is not None and (layout.cells[rows] == layout.cells[rows[0]]).all() and layout.cells[rows[0]] != width:
            has = counted(int(layout.cells[rows[0]]), "cell")
            raise DataError(f"{self.path}: --columns names {counted(width, 'column')}, but each row has {has}")
        if self._has_row_names(rows, width) and header is not None:
            header, width = ["", *header], width + 1
        good = odd_rows(layout, rows, width, self.how.skip_bad, self.path, self.notes, self.before)
        good &= self._readable(rows)
        say_blank(layout, self.path, self.notes, self.before)
        return self._parsed(header, rows, good, width)

    def _header(self, row: int) -> list[str]:
        """Cells of the header; that it is longer than a line is said."""
        layout = self.layout
        begin, end = int(layout.first[row]) + 1 + self.before, int(layout.last[row]) + 1 + self.before
        if end > begin:
            self.notes.say(f"{self.path}: the header is longer than a line (lines {begin} to {end}).")
        return cells_of(layout.row(row).decode(), self._dialect())

    def _dialect(self) -> Dialect:
        return self.layout.dialect if len(self.layout.marks) else replace(self.layout.dialect, quote="")

    def _mend(self) -> None:
        """Settle what the quotation marks are, where they are not around whole cells, or around what could be rows."""
        layout = self.layout
        width = len(self.how.names) if self.how.names is not None else self._width()
        forced = self.how.quote is not None
        doubtful = layout.first[layout.swallowed(width)].tolist() if self.state == "strict" and not forced else []
        if self.state != "loose" and not doubtful:
            return
        header = int(self.how.names is None)
        if doubtful and not (judged := Mender(layout, width).judged(doubtful)).characters:
            say_marks(judged, layout, layout, header, self.path, self.notes, self.before)
            return
        mended = Mender(layout, width, forced).mended()
        if mended.characters and not mended.needed and not forced:  # then all marks are
            mended = replace(mended, data=layout.data, quoted=0)
        self.layout = Layout.of(mended.data, layout.dialect, quoted=mended.quoted > 0)
        self.quoted = mended.quoted > 0
        say_marks(mended, self.layout, layout, header, self.path, self.notes, self.before)

    def _width(self) -> int:
        """Number of cells of the header."""
        layout = self.layout
        if self.state != "loose":
            return int(layout.cells[np.argmin(layout.blank)])
        first = next(line for i in range(len(layout.starts)) if (line := layout.line(i)).strip(b" "))
        if first.count(layout.dialect.quote.encode()) % 2:  # not closed in the line
            return first.count(layout.dialect.separator.encode()) + 1
        return len(cells_of(first.decode(), layout.dialect))

    def _one_column(self) -> None:
        """Take each line for one cell, where the header has one, and separators are no reason to quote cells."""
        cells = self.layout.cells[~self.layout.blank]
        below = cells[1:] if self.how.names is None else cells
        width = int(cells[0]) if self.how.names is None else len(self.how.names)
        if width > 1 or self.how.separator is not None or not (below > 1).any():
            return
        dialect = replace(self.layout.dialect, separator=NOWHERE)
        state = quoting(self.data, dialect)
        if state == "loose" or NOWHERE.encode() in self.data:
            return
        self.notes.say(f"{self.path}: the file has one column, so each line is one cell, with what it holds.")
        self.state, self.quoted = state, state == "strict"
        self.layout = Layout.of(self.data, dialect, self.quoted)
        self._mend()

    def _has_row_names(self, rows: np.ndarray, width: int) -> bool:
        """Whether each row begins with its number or its own name, which the header lacks, as R writes tables."""
        layout = self.layout
        if not len(rows) or (layout.cells[rows] != width + 1).any():
            return False
        firsts = [first_of(layout.row(int(i)), layout.dialect.separator.encode()) for i in rows]
        numbered = [name for name, _ in firsts] == [str(i).encode() for i in range(1, len(rows) + 1)]
        named = all(quoted for _, quoted in firsts) and len({name for name, _ in firsts}) == len(firsts)
        if not numbered and not (named and layout.row(int(layout.blank.argmin())).startswith(b'"')):
            return False
        what = "number" if numbered else "name"
        self.notes.say(f"{self.path}: each row begins with its {what}, which the header does not name, as R writes it.")
        return True

    def _readable(self, rows: np.ndarray) -> np.ndarray:
        """Mask of the rows all bytes of which are in the charset, (n,); the others are said."""
        layout, mark = self.layout, UNREADABLE.encode()
        if mark not in layout.data:
            return np.ones(len(rows), dtype=bool)
        found = np.array([mark not in layout.row(int(i)) for i in rows], dtype=bool)
        bad = (np.flatnonzero(~found) + 1).tolist()
        if bad:
            self.notes.say(
                f"Left out of {self.path}: {counted(len(bad), 'row')} with bytes that cannot be "
                f"read (first: row {bad[0]}{places(bad)})."
            )
        return found

    def _parsed(self, header: list[str] | None, rows: np.ndarray, good: np.ndarray, width: int) -> Cells:
        layout = self.layout
        keep = np.zeros(len(layout), dtype=bool)
        keep[rows[good]] = True
        body = layout.of_rows(keep)
        longest = int((layout.ends[layout.last] - layout.starts[layout.first]).max()) if len(layout) else 0
        try:
            frame = parsed(pa.py_buffer(body), width, self._dialect(), longest)
        except pa.ArrowInvalid as e:
            raise DataError(f"{self.path}: not readable ({str(e).strip()})") from e
        if len(frame) != good.sum():
            raise DataError(f"{self.path}: not readable: {good.sum()} rows were found, but {len(frame)} were read")
        numbers = None if good.all() else np.flatnonzero(good) + 1
        lines = (layout.last - layout.first)[rows]
        spans = self._spans(rows[good], np.flatnonzero(good) + 1)
        blank = len(layout) - len(rows) - (header is not None)
        return Cells(header, frame, numbers, spans, int(lines[good].sum()), blank, int((~good).sum()))

    def _spans(self, rows: np.ndarray, numbers: np.ndarray) -> tuple[tuple[int, int, int], ...]:
        """Rows that are longer than a line: number, first and last line, from 1; their count is said."""
        first, last = self.layout.first[rows] + 1 + self.before, self.layout.last[rows] + 1 + self.before
        long = np.flatnonzero(last > first)
        found = [(int(numbers[i]), int(first[i]), int(last[i])) for i in long[:SPANS]]
        if found:
            row, begin, end = found[0]
            are = "1 row is" if len(long) == 1 else f"{len(long)} rows are"
            self.notes.say(f"{self.path}: {are} longer than a line (first: row {row}, lines {begin} to {end}).")
        return tuple(found)


def first_of(row: bytes, separator: bytes) -> tuple[bytes, bool]:
    """First cell of a row, and whether it is in quotation marks.

    >>> first_of(b'"Mazda RX4" 21 6', b" "), first_of(b"1,21,6", b",")
    ((b'Mazda RX4', True), (b'1', False))
    """
    quoted = QUOTED.match(row)
    return (row.split(separator, 1)[0], False) if quoted is None else (quoted[1], True)
