"""Rows that are not like the header, and lines that are no rows: all of them are named at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tutelage.tables.dialects import in_words
from tutelage.tables.layout import Layout
from tutelage.tables.notes import Notes
from tutelage.tables.quotes import Mended

SHOWN = 40
"""Characters of a row that a message shows, at most."""
TYPOGRAPHIC = ("“", "”", "„", "«", "»")
"""Quotation marks of print, which quote no cells."""
LOOKED_AT = 100
"""Number of odd rows, at most, in which a common cause is sought."""
FEW = 0.5
"""Share of the rows that may be left out, at most; where more are odd, the file is read in a wrong way."""


def places(numbers: Sequence[int]) -> str:
    """Phrase that lists the places behind the first one; empty where there is no other.

    >>> places([7]), places([7, 8]), places(range(1, 9))
    ('', '; then 8', '; then 2, 3, 4 and 4 more')
    """
    others = list(numbers[1:4])
    more = f" and {len(numbers) - 4} more" if len(numbers) > 4 else ""
    return f"; then {', '.join(map(str, others))}{more}" if others else ""


def counted(number: int, thing: str, things: str = "") -> str:
    """A number with its thing.

    >>> counted(1, "row"), counted(2, "row")
    ('1 row', '2 rows')
    """
    return f"{number} {thing if number == 1 else things or thing + 's'}"


def excerpt(row: bytes) -> str:
    """Beginning of a row, for messages."""
    text = row.decode("utf-8", "ignore")
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def odd_rows(
    layout: Layout, rows: np.ndarray, width: int, skip: bool, path: str, notes: Notes, before: int
) -> np.ndarray:
    """Mask of the rows that have as many cells as the header, (n,); the others are a fault, or left out and said.

    Args:
        layout: layout of the text.
        rows: numbers of the rows in the layout, from 0, without the header, (n,).
        width: number of cells of the header.
        skip: whether odd rows are left out.
        path: the file, for messages.
        notes: takes what is noticed.
        before: number of lines before the layout's first one.
    """
    cells = layout.cells[rows]
    few = (cells != width).mean() <= FEW if len(cells) else True
    for wrong, than in ((cells > width, "more"), (cells < width, "fewer")):
        if not wrong.any():
            continue
        odd = np.flatnonzero(wrong)
        first = int(rows[odd[0]])
        line = int(layout.first[first]) + 1 + before
        have = "has" if len(odd) == 1 else "have"
        what = (
            f"{counted(len(odd), 'row')} {have} {than} cells than the {width} of the header (first: row {odd[0] + 1}, "
            f"line {line}, {counted(int(cells[odd[0]]), 'cell')}, {excerpt(layout.row(first))}"
            f"{places((odd + 1).tolist())})"
        )
        if skip and few:
            notes.say(f"Left out of {path}: {what}.", page="left-out")
        else:
            notes.fault(f"{path}: {what}; {_advice(layout, rows[odd], width, few)}")
    good: np.ndarray = cells == width
    return good


def _advice(layout: Layout, odd: np.ndarray, width: int, few: bool) -> str:
    """What a user can do about odd rows, by their numbers in the layout, (n,)."""
    separator = in_words(layout.dialect.separator)
    than = "more" if layout.cells[odd[0]] > width else "fewer"
    shown = [layout.row(int(i)) for i in odd[:LOOKED_AT]]
    end = layout.dialect.separator.encode()
    if than == "more" and (layout.cells[odd] == width + 1).all() and all(row.rstrip().endswith(end) for row in shown):
        return "each of these rows ends in a separator behind its last cell: take it out, or name its column, too"
    typographic = next((mark for mark in TYPOGRAPHIC if all(mark in row.decode() for row in shown)), "")
    if typographic and than == "more":
        return f'typographic marks ({typographic}) quote no cell: write " in their place around texts with {separator}'
    if not few:
        return f"are its cells separated by {separator}? --separator names another character"
    if than == "more":
        return f"put texts that hold {separator} in quotation marks, or --skip-bad leaves these rows out"
    return "write empty cells, too, and texts of several lines in quotation marks; or --skip-bad leaves these rows out"


def say_marks(
    mended: Mended, layout: Layout, before: Layout, header: int, path: str, notes: Notes, skipped: int
) -> None:
    """Note which quotation marks were read as characters, and ask about those that may be either.

    Args:
        mended: the mended text.
        layout: its layout.
        before: layout of the text before it was mended.
        header: number of header rows, 0 or 1.
        path: the file, for messages.
        notes: takes what is noticed.
        skipped: number of lines before the layout's first one.
    """
    number = np.cumsum(~layout.blank) - header  # of each row

    def rows(lines: Sequence[int]) -> list[int]:
        found: list[int] = number[np.searchsorted(layout.first, lines, side="right") - 1].tolist()
        return found

    def place(line: int) -> str:
        return f"row {rows([line])[0]}, line {line + 1 + skipped}, {excerpt(before.line(line))}"

    if mended.open:
        others = places([line + 1 + skipped for line in mended.open])
        notes.fault(
            f"{path}: a quotation mark is never closed (first: {place(mended.open[0])}{others}); close it, or pass "
            "--quote none, if marks are characters"
        )
    elif lines := list(dict.fromkeys(mended.characters)):
        others = places(rows(lines))
        notes.say(
            f"{path}: in {counted(len(lines), 'row')} a quotation mark opens a cell and none closes it at the cell's "
            f"end (first: {place(lines[0])}{others}); these marks are read as characters.",
            page="quotes",
        )
    if mended.doubts:
        line, last = mended.doubts[0]
        more = f" ({len(mended.doubts)} such rows)" if len(mended.doubts) > 1 else ""
        notes.ask(
            f"{path}: a quotation mark opens in {place(line)}, and closes in line {last + 1 + skipped}, but each of "
            f"these lines could be a row{more}",
            "--quote double, if these lines are one row",
            "--quote none, if each line is a row and marks are characters",
            halts=True,
            page="quotes",
        )


def say_blank(layout: Layout, path: str, notes: Notes, before: int) -> None:
    """Say how many blank lines are between the rows; those behind the last one are usual."""
    full = np.flatnonzero(~layout.blank)
    between = np.flatnonzero(layout.blank[: full[-1]]) if len(full) else full
    if len(between):
        first = int(layout.first[between[0]]) + 1 + before
        are = "1 line is" if len(between) == 1 else f"{len(between)} lines are"
        notes.say(f"{path}: {are} blank and passed over (first: line {first}).")
