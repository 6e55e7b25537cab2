"""Rows of totals in a table: they are asked about, or left out."""

from __future__ import annotations

import re

import pandas as pd

from tutelage.tables.how import ReadAs
from tutelage.tables.notes import Notes
from tutelage.tables.seen import Found

TOTAL = re.compile(
    r"(?:grand |sub)?totals?|sums?|count|overall|all rows|summe|gesamt|gesamtsumme|insgesamt|anzahl|somme|"
    r"total général|totale|totali|totaal|totalt|suma|razem|ogółem|soma|итого|всего|合计|总计|合計|n ?= ?[\d.,']+",
    re.IGNORECASE,
)
"""Pattern of a cell that names a row of totals."""
NUMBER = re.compile(r"[-+]?[\d.,' \u00a0]*\d\s?%?")
"""Pattern of a cell that may hold a total."""
LONG = 60
"""Number of characters of a cell, at most, that names a row of totals; longer ones are texts."""
LEAST = 4
"""Rows, at least, of a table with a row of totals."""
LAST = 3
"""Number of rows at the end of a table among which a row of totals is known by its word alone; also of rows shown."""
LARGER = 1.5
"""Times that a number of a row of totals elsewhere is larger than those of all other rows of its column, at least."""


def without_totals(found: Found, how: ReadAs, path: str, notes: Notes) -> Found:
    """Rows without rows of totals, where bad rows may be left out; else these rows are asked about.

    Args:
        found: the rows.
        how: how the file is read.
        path: the file, for messages.
        notes: takes the question, or what was left out.
    """
    frame = found.frame
    if len(frame) < LEAST or frame.shape[1] < 2:
        return found
    totals = sorted({*_at_end(frame), *_larger(frame)})
    if not totals:
        return found
    rows = list(found.rows) if found.rows is not None else list(range(1, len(frame) + 1))
    one = len(totals) == 1
    named = ", ".join(str(rows[i]) for i in totals[:LAST]) + f" and {len(totals) - LAST} more" * (len(totals) > LAST)
    place = f"row{'' if one else 's'} {named}"
    shown = ", ".join(map(repr, _cells(frame, totals[0])[:LAST])) + ("" if one else " in the first")
    if not how.skip_bad:
        looks = "it looks like a row of totals" if one else "they look like rows of totals"
        are = "is read as a row like others" if one else "are read as rows like others"
        leaves = f"--skip-bad leaves {'it' if one else 'them'} out"
        notes.ask(f"{path}, {place}: {looks} ({shown}), and {are}", leaves, page="totals")
        return found
    look = "looks like a row of totals" if one else "look like rows of totals"
    notes.say(f"Left out of {path}: {place}, which {look} ({shown}).", page="totals")
    kept = [k for k in range(len(frame)) if k not in totals]
    attrs, cut = frame.attrs, frame.iloc[kept].reset_index(drop=True)
    cut.attrs = attrs
    facts = {**found.facts, "left_out": found.facts.get("left_out", 0) + len(totals)}
    return Found(cut, found.format, [rows[k] for k in kept], facts)


def _at_end(frame: pd.DataFrame) -> list[int]:
    """The last row with cells, where one of them names a row of totals and the others are numbers."""
    for i in range(len(frame) - 1, len(frame) - 1 - LAST, -1):
        cells = _cells(frame, i)
        if not cells:
            continue
        named = [cell for cell in cells if _is_total(cell)]
        if len(named) != 1 or not all(cell in named or NUMBER.fullmatch(cell) for cell in cells):
            return []
        above = (cell for name in frame.columns for cell in _texts(frame[name].iloc[:i]))
        return [] if any(str(cell).strip() == named[0] for cell in above) else [i]  # or a class of that name
    return []


def _larger(frame: pd.DataFrame) -> list[int]:
    """Rows that a cell names rows of totals, and of which a number is larger than all those of other rows."""
    named: set[int] = set()
    for name in frame.columns:
        cells = _texts(frame[name])
        rows = [i for i, cell in enumerate(cells) if isinstance(cell, str) and _is_total(cell.strip())]
        repeated = len(rows) > 1 and 2 * len({str(cell) for cell in cells}) <= len(cells)  # a class, or a usual value
        if not repeated and LEAST * len(rows) <= len(cells):
            named.update(rows)
    if not named:
        return []
    numbers = frame.astype(str).apply(pd.to_numeric, errors="coerce").abs()
    others = numbers[[i not in named for i in range(len(frame))]].max()
    larger = (numbers > LARGER * others).any(axis=1).tolist()
    return [i for i in named if larger[i]]


def _cells(frame: pd.DataFrame, i: int) -> list[str]:
    """The cells of a row that are not empty, as texts without blanks around them."""
    return [str(cell).strip() for cell in frame.iloc[i].tolist() if not _is_empty(cell)]


def _is_total(cell: str) -> bool:
    """Whether a cell names a row of totals."""
    return len(cell) <= LONG and TOTAL.fullmatch(cell.rstrip(" :")) is not None


def _texts(cells: pd.Series) -> pd.Series:
    """The cells of a column; none of one of numbers, which names nothing."""
    return cells.iloc[:0] if pd.api.types.is_numeric_dtype(cells.dtype) else cells


def _is_empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and pd.isna(cell)) or (isinstance(cell, str) and not cell.strip())
