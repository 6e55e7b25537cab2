"""Quotation marks that are not around whole cells: which open a cell that may span lines, and which are characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

import numpy as np

from tutelage.tables.layout import Layout

SAMPLE = 5000
"""Number of lines by which the values of a column are known, at most."""
FEW = 50
"""Number of values of a column that has few of them, as labels have, at most."""
MANY = 5
"""Number of lines from which on most of them decide, where a cell spans them."""
MOST, LEAST = 0.8, 0.2
"""Shares of lines, or of values, from which on most of them agree, and up to which hardly any does."""


class Reading(Enum):
    """What a quotation mark is that opens a cell."""

    QUOTE = "the mark is around a cell"
    CHARACTER = "the mark is a character of the cell"
    DOUBT = "both are possible"


@dataclass
class Mended:
    """A text whose quotation marks are around whole cells, and what was found while it was mended.

    Attributes:
        data: the text; its lines are those of the text before.
        characters: numbers of the lines, from 0, with a mark that opens a cell and was read as a character.
        doubts: first and last lines, from 0, of the cells each line of which could also be a row.
        open: numbers of the lines, from 0, with a mark that is never closed, though the user says that marks quote.
        quoted: number of cells that are in quotation marks.
        needed: whether one of them holds a separator, a mark or a line's end, so that the marks are needed.
    """

    data: bytes
    characters: list[int] = field(default_factory=list)
    doubts: list[tuple[int, int]] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    quoted: int = 0
    needed: bool = False


@dataclass
class Mender:
    r"""Reads the lines of a text that hold quotation marks, one by one.

    Args:
        layout: layout of the text; its rows are not used, since they depend on the marks.
        width: number of cells of a row.
        forced: whether the user says that marks quote.

    >>> from tutelage.tables.dialects import Dialect
    >>> text = b'text,label\n"Hello there,ham\nBye,spam\n'
    >>> Mender(Layout.of(text, Dialect(","), True), 2).mended().characters
    [1]
    """

    layout: Layout
    width: int
    forced: bool = False

    def __post_init__(self) -> None:
        dialect = self.layout.dialect
        self.separator, self.quote = dialect.separator.encode(), dialect.quote.encode()
        self.found = Mended(self.layout.data)

    def judged(self, lines: Sequence[int]) -> Mended:
        """What is found in the rows that begin in some lines; the text stays as it is.

        Args:
            lines: numbers of the lines, from 0.
        """
        for line in lines:
            self._row(line)
        return self.found

    def mended(self) -> Mended:
        """The text, in which each cell with a mark is in quotation marks and its own marks are doubled."""
        layout, data = self.layout, self.layout.data
        lines, parts, done, i = layout.marked, [], 0, 0
        while i < len(lines):
            line = int(lines[i])
            cells, last = self._row(line)
            begin, end = int(layout.starts[line]), int(layout.ends[last])
            parts += [data[done:begin], self.separator.join(cells)]
            done = end
            i = int(np.searchsorted(lines, last, side="right"))
        self.found.data = b"".join([*parts, data[done:]])
        return self.found

    def _row(self, line: int) -> tuple[list[bytes], int]:
        """Mended cells of the row that begins in a line, and its last line."""
        cells: list[bytes] = []
        place: int | None = int(self.layout.starts[line])
        while place is not None:
            cell, place, line = self._cell(place, line, len(cells))
            cells.append(cell)
        return cells, line

    def _cell(self, begin: int, line: int, before: int) -> tuple[bytes, int | None, int]:
        """A mended cell, the place where the next one begins, if any, and the line that it ends in.

        Args:
            begin: place of its first byte.
            line: line that it begins in.
            before: number of cells before it in the row.
        """
        data, stop = self.layout.data, int(self.layout.ends[line])
        if begin == stop or data[begin : begin + 1] != self.quote:
            return self._plain(begin, line)
        close = self._closing(begin)
        if close < 0 or close > stop:
            last = line if close < 0 else int(np.searchsorted(self.layout.starts, close, side="right")) - 1
            reading = self._spanning(begin, close, line, last, before)
            if reading is Reading.DOUBT:
                self.found.doubts.append((line, last))
            if reading is Reading.CHARACTER:
                return self._character(begin, line)
            return self._quoted(begin, close, last)
        if close + 1 == stop or data[close + 1 : close + 2] == self.separator:
            return self._quoted(begin, close, line)
        if self.forced or self.layout.in_lines[line] != self.width - 1:
            return self._quoted(begin, close, line)
        return self._character(begin, line)

    def _plain(self, begin: int, line: int) -> tuple[bytes, int | None, int]:
        data, stop = self.layout.data, int(self.layout.ends[line])
        end = data.find(self.separator, begin, stop)
        cell = data[begin : stop if end < 0 else end]
        return (self._wrapped(cell) if self.quote in cell else cell), (None if end < 0 else end + 1), line

    def _character(self, begin: int, line: int) -> tuple[bytes, int | None, int]:
        self.found.characters.append(line)
        return self._plain(begin, line)

    def _quoted(self, begin: int, close: int, line: int) -> tuple[bytes, int | None, int]:
        """A quoted cell; letters behind its closing mark are taken into it."""
        data, stop = self.layout.data, int(self.layout.ends[line])
        self.found.quoted += 1
        end = data.find(self.separator, close, stop)
        end = stop if end < 0 else end
        cell = data[begin : close + 1]
        within = cell[1:-1]
        self.found.needed |= any(mark in within for mark in (self.separator, self.quote, b"\n", b"\r"))
        if end > close + 1:
            within = cell[1:-1].replace(2 * self.quote, self.quote)
            cell = self._wrapped(within + data[close + 1 : end])
        return cell, (None if end == stop else end + 1), line

    def _wrapped(self, cell: bytes) -> bytes:
        return self.quote + cell.replace(self.quote, 2 * self.quote) + self.quote

    def _closing(self, begin: int) -> int:
        """Place of the mark that closes the cell that a mark opens: the next one that is not doubled; -1 for none."""
        data = self.layout.data
        close = data.find(self.quote, begin + 1)
        while close >= 0 and data[close + 1 : close + 2] == self.quote:
            close = data.find(self.quote, close + 2)
        return close

    def _spanning(self, begin: int, close: int, line: int, last: int, before: int) -> Reading:
        """What a mark is that is not closed in its line."""
        if self.forced:
            if close < 0:
                self.found.open.append(line)
            return Reading.CHARACTER if close < 0 else Reading.QUOTE
        if close < 0 or self.layout.data[close + 1 : close + 2] not in (self.separator, b"\n", b"\r", b""):
            return Reading.CHARACTER
        blank = (self.layout.starts == self.layout.ends)[line : last + 1]
        rows = (self.layout.in_lines[line : last + 1] == self.width - 1)[~blank | (self.width == 1)]
        if not rows.all():
            return Reading.DOUBT if len(rows) >= MANY and self.width > 1 and rows.mean() >= MOST else Reading.QUOTE
        if self.width == 1:
            return Reading.QUOTE if blank.any() or self.used else Reading.DOUBT
        behind = self.layout.data[close + 1 : self.layout.ends[last]]
        if self.quote not in behind and before + 1 + behind.count(self.separator) != self.width:
            return Reading.CHARACTER
        return self._by_values(line, last, before)

    def _by_values(self, line: int, last: int, before: int) -> Reading:
        """What a mark is, by whether the lines hold the values of other rows in columns of few values."""
        hits = []
        for i in range(line, min(last, line + SAMPLE)):
            values = [cell.strip(b" " + self.quote) for cell in self.layout.line(i).split(self.separator)]
            if not any(values):
                continue
            behind = before if i == line else -1
            told = [(values[c], known) for c, known in self.values.items() if c > behind]
            hits += [value in known for value, known in told if value or b"" not in known]  # an empty cell tells little
        if not hits and self.used:
            return Reading.QUOTE
        if not hits:  # texts hardly hold a tab in each of many lines
            return Reading.CHARACTER if self.separator in b"\t|" and last - line >= MANY else Reading.DOUBT
        if np.mean(hits) >= MOST:
            return Reading.DOUBT if self.used else Reading.CHARACTER
        return Reading.QUOTE if np.mean(hits) <= LEAST else Reading.DOUBT

    @cached_property
    def values(self) -> dict[int, set[bytes]]:
        """Values of each column that has few of them, by the number of the column, from 0."""
        layout = self.layout
        plain = layout.in_lines == self.width - 1
        plain[layout.marked] = False
        able = np.flatnonzero(plain)[1:]
        some = able[np.linspace(0, len(able) - 1, min(SAMPLE, len(able))).astype(np.int64)] if len(able) else able
        rows = [layout.line(i).split(self.separator) for i in some.tolist()]
        found = {c: {row[c].strip() for row in rows} for c in range(self.width)}
        return {c: known for c, known in found.items() if len(known) <= min(FEW, len(rows) / 4)}

    @cached_property
    def used(self) -> bool:
        """Whether a cell within a line is quoted because it holds a separator or a mark, as a program quotes it."""
        separator, quote = re.escape(self.separator), re.escape(self.quote)
        within = b"((?:[^" + quote + b"]|" + quote + quote + b")*)"
        cell = re.compile(b"(?:^|" + separator + b")" + quote + within + quote + b"(?=" + separator + b"|$)")
        for i in self.layout.marked[:SAMPLE].tolist():
            for match in cell.finditer(self.layout.line(i)):
                if self.separator in match[1] or 2 * self.quote in match[1]:
                    return True
        return False
