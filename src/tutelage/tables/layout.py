"""Where the lines, rows and cells of a text are, found without a loop over its rows. Places are counted in bytes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tutelage.tables.dialects import Dialect

BLOCK = 1 << 24
"""Number of bytes that are compared at once."""
NEWLINE, RETURN, SPACE = 10, 13, 32
"""Bytes that end lines, alone or as a pair, and that of a space."""

Places = np.ndarray
"""Whole numbers: places in a text, numbers of lines, or counts."""


def places_of(data: bytes, character: str) -> Places:
    """Places of an ASCII character in a text, (n,).

    >>> places_of(b"a,b,c", ",").tolist()
    [1, 3]
    """
    held, byte = np.frombuffer(data, dtype=np.uint8), ord(character)
    parts = [np.flatnonzero(held[begin : begin + BLOCK] == byte) + begin for begin in range(0, len(held), BLOCK)]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def line_count(data: bytes) -> int:
    r"""Number of lines of a text. A line ends in "\n", "\r\n" or "\r"; the last may lack its end.

    >>> line_count(b"a\r\nb\rc\n"), line_count(b"a\nb")
    (3, 2)
    """
    ends = data.count(b"\n")
    if b"\r" in data:
        ends += data.count(b"\r") - data.count(b"\r\n")
    return ends + (not data.endswith((b"\n", b"\r")) and bool(data))


def quoting(data: bytes, dialect: Dialect) -> str:
    r"""How quotation marks are used in a text.

    Returns:
        "none" where no cell begins with a mark; "strict" where marks are around whole cells, doubled within them, and
        nowhere else; "loose" where there are others, too.

    >>> [quoting(text, Dialect(",")) for text in (b'a,"b ""c"" d"\n', b'5" pipe\n', b'"a" b\n')]
    ['strict', 'none', 'loose']
    """
    marks = places_of(data, dialect.quote) if dialect.quote else np.empty(0, dtype=np.int64)
    if not len(marks):
        return "none"
    begins, ends = _edge(data, marks - 1, dialect), _edge(data, marks + 1, dialect)
    if not begins.any():
        return "none"
    pairs = np.diff(marks) == 1  # doubled, if the first of them would close a cell
    opened, closed = begins[::2].copy(), ends[1::2].copy()
    opened[1:] |= pairs[1::2]
    closed[: len(pairs[1::2])] |= pairs[1::2]
    return "strict" if len(marks) % 2 == 0 and opened.all() and closed.all() else "loose"


def _edge(data: bytes, places: Places, dialect: Dialect) -> np.ndarray:
    """Whether there is a separator, a line's end, or the text's begin or end at each place, (n,)."""
    within = (places >= 0) & (places < len(data))
    there = np.frombuffer(data, dtype=np.uint8)[np.where(within, places, 0)]
    found: np.ndarray = (there == ord(dialect.separator)) | (there == NEWLINE) | (there == RETURN) | ~within
    return found


@dataclass(frozen=True)
class Layout:
    """Lines and rows of a text whose quotation marks are around whole cells, or nowhere.

    Attributes:
        data: the text.
        dialect: what separates and quotes its cells.
        marks: places of the quotation marks, (q,); empty where marks are characters like others.
        starts, ends: first byte of each line, and the byte behind its last, without the line's end, (m,).
    """

    data: bytes
    dialect: Dialect
    marks: Places
    starts: Places
    ends: Places

    @staticmethod
    def of(data: bytes, dialect: Dialect, quoted: bool) -> Layout:
        """Layout of a text.

        Args:
            data: the text.
            dialect: what separates and quotes its cells.
            quoted: whether there are quoted cells; all marks are then around cells or doubled within them.
        """
        ends, last = places_of(data, "\n"), 1
        if b"\r" in data:
            returns = places_of(data, "\r")
            held = np.frombuffer(data + b" ", dtype=np.uint8)
            ends = np.sort(np.concatenate([ends[held[ends - 1] != RETURN] if len(ends) else ends, returns]))
            last = 1 + (held[ends + 1] == NEWLINE) * (held[ends] == RETURN)
        starts = np.concatenate([[0], ends + last]).astype(np.int64)
        if starts[-1] == len(data):
            starts = starts[:-1]
        else:
            ends = np.concatenate([ends, [len(data)]])
        marks = places_of(data, dialect.quote) if quoted and dialect.quote else np.empty(0, dtype=np.int64)
        return Layout(data, dialect, marks, starts, ends)

    def __len__(self) -> int:
        return len(self.first)

    @cached_property
    def last(self) -> Places:
        """Number of the last line of each row, from 0, (n,)."""
        outside = np.searchsorted(self.marks, self.ends) % 2 == 0
        outside[-1:] = True
        return np.flatnonzero(outside)

    @cached_property
    def first(self) -> Places:
        """Number of the first line of each row, from 0, (n,)."""
        return np.concatenate([[0], self.last[:-1] + 1])[: len(self.last)].astype(np.int64)

    @cached_property
    def separators(self) -> Places:
        """Places of the separators, also of those within quotation marks, (s,)."""
        return places_of(self.data, self.dialect.separator)

    @cached_property
    def marked(self) -> Places:
        """Numbers of the lines with quotation marks, from 0."""
        lines = np.searchsorted(self.starts, self.marks, side="right") - 1
        new: Places = lines[np.append(True, lines[1:] != lines[:-1])] if len(lines) else lines
        return new

    @cached_property
    def in_lines(self) -> Places:
        """Number of separators in each line, also of those within quotation marks, (m,)."""
        return np.searchsorted(self.separators, self.ends) - np.searchsorted(self.separators, self.starts)

    @cached_property
    def cells(self) -> Places:
        """Number of cells of each row, (n,)."""
        outside = self.separators[np.searchsorted(self.marks, self.separators) % 2 == 0]
        begin, end = self.starts[self.first], self.ends[self.last]
        found: Places = np.searchsorted(outside, end) - np.searchsorted(outside, begin) + 1
        return found

    @cached_property
    def blank(self) -> np.ndarray:
        """Mask of the rows without a character other than spaces, (n,)."""
        begin, end = self.starts[self.first], self.ends[self.last]
        found: np.ndarray = begin == end
        first = np.frombuffer(self.data, dtype=np.uint8)[begin.clip(max=len(self.data) - 1)]
        for i in np.flatnonzero(~found & (first == SPACE)).tolist():
            found[i] = not self.data[begin[i] : end[i]].strip(b" ")
        return found

    def row(self, i: int) -> bytes:
        """Text of the i-th row, without its line's end."""
        return self.data[self.starts[self.first[i]] : self.ends[self.last[i]]]

    def line(self, i: int) -> bytes:
        """Text of the i-th line, without its end."""
        return self.data[self.starts[i] : self.ends[i]]

    def of_rows(self, keep: np.ndarray) -> bytes:
        """Text of the rows that the mask ``keep``, (n,), selects, with their lines' ends."""
        bounds = np.append(self.starts[self.first], len(self.data))
        change = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]]).astype(np.int8)))
        parts = [self.data[bounds[a] : bounds[b]] for a, b in change.reshape(-1, 2).tolist()]
        joined = [part if part.endswith((b"\n", b"\r")) else part + b"\n" for part in parts]
        return b"".join(joined)

    def swallowed(self, width: int) -> np.ndarray:
        """Mask of the rows, (n,), that are longer than a line, and each line of which could be a row of ``width``.

        Blank lines, as between sentences of a word a row, may be among them.
        """
        fits = np.concatenate([[0], np.cumsum((self.in_lines == width - 1) | (self.starts == self.ends))])
        lines = self.last - self.first + 1
        found: np.ndarray = (lines > 1) & (fits[self.last + 1] - fits[self.first] == lines)
        return found
