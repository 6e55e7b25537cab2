"""Cells of features that hold no number: all of them are named together, or their rows are left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tutelage.tables import DataError, Notes

COLUMNS = 5
"""Number of columns that a message names at most."""
ADVICE = "--skip-bad leaves out such rows, or fill in their numbers beforehand, such as the median of the column"
"""Words on what a user can do where numbers are missing."""


MONTH = r"(?i:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*\.?"
"""Pattern of a month in words."""
FORMS = {
    rf"\d{{1,4}}[-./ ]+(?:\d{{1,2}}|{MONTH})(?:[-./ ]+\d{{1,4}})?": "it looks like a date; say in numbers what matters",
    r"[-+]?\d{1,3}(?:([., '\u00a0\u202f])\d{3})+(?:[.,]\d+)?": "write numbers without signs between the thousands",
    r"[-+]?[\d.,]+\s*%": "write percentages as numbers, without %",
    r"[\u2212\u2013\u2014]\s*[\d.,]+": "its minus is another sign than -; write - in its place",
    r"[<>≤≥~±]\s*[\d.,]+": "write the number alone, without the sign before it",
    r"[-+]?[\d.,]+\s*[A-Za-zµ°€$£][\w/°²³%]*": "write units into the header, and numbers alone into the cells",
    r"[€$£]\s*[\d.,]+": "write numbers alone, without the currency",
}
"""What to do about cells that are nearly numbers, by a pattern of the cells."""


def likely_form(what: str) -> str:
    """Phrase on what to do about a cell that is nearly a number; empty where it is not.

    Args:
        what: what is wrong with the cell, as `Faults.add` takes it.

    >>> likely_form("not a number but '2.640,42'"), likely_form("not a number but 'x'")
    ('; write numbers without signs between the thousands', '')
    """
    cell = what.removeprefix("not a number but ").strip("'\"")
    return next((f"; {advice}" for pattern, advice in FORMS.items() if re.fullmatch(pattern, cell.strip())), "")


@dataclass
class Faults:
    """Cells of features that hold no number, by column.

    Args:
        path: file of the table, for messages.
        rows: number of each row in the file, from 1, (n,).
        skip_bad: whether rows that cannot be read may be left out.

    Attributes:
        cells: what is wrong with each cell, by its row in the table, from 0, for each column.
    """

    path: str | Path
    rows: Sequence[int]
    skip_bad: bool = False
    cells: dict[str, dict[int, str]] = field(default_factory=dict)

    def add(self, column: str, row: int, what: str) -> None:
        """Add a cell, with what is wrong with it, such as "not a number but ''"."""
        self.cells.setdefault(column, {})[row] = what

    def good(self) -> np.ndarray:
        """Mask of the rows in which every cell holds numbers, (n,)."""
        mask = np.ones(len(self.rows), dtype=bool)
        mask[sorted({row for found in self.cells.values() for row in found})] = False
        return mask

    def settle(self, notes: Notes) -> None:
        """Say which rows are left out, or refuse them.

        Args:
            notes: takes what is said.

        Raises:
            DataError: a row cannot be read, and none may be left out, or each row is such a one.
        """
        if not self.cells:
            return
        none = [column for column, found in self.cells.items() if len(found) == len(self.rows)]
        good = self.good()
        if none and len(self.rows) > 1:
            first = self.cells[none[0]][0]
            out = likely_form(first) or ": leave out of --features what is none"
            raise DataError(f"{self._place(none[0], 0)}: {first}; no row of {_columns(none)} holds a number{out}")
        if self.skip_bad and good.any():
            notes.say(f"Left out of {self.path}: {self._in_words(good)}.", page="left-out")
            return
        (column, found), *others = self.cells.items()
        advice = f"{likely_form(next(iter(found.values())))}; {ADVICE}" if good.any() else ""
        if others or len(found) > 1:
            raise DataError(f"{self.path}: {self._in_words(good)}{advice}")
        (row, what), *_ = found.items()
        raise DataError(f"{self._place(column, row)}: {what}{advice}")

    def _place(self, column: str, row: int) -> str:
        return f"{self.path}, row {self.rows[row]}, column {column!r}"

    def _in_words(self, good: np.ndarray) -> str:
        """How many rows cannot be read, and the first of them, for each column."""
        each = "; ".join(
            f"column {column!r}: {self._listed(found)}" for column, found in list(self.cells.items())[:COLUMNS]
        )
        more = f"; and {len(self.cells) - COLUMNS} more columns" if len(self.cells) > COLUMNS else ""
        return f"{int((~good).sum())} of {len(good)} rows lack a number ({each}{more})"

    def _listed(self, found: Mapping[int, str]) -> str:
        (first, what), *others = found.items()
        then = f"; then {', '.join(str(self.rows[row]) for row, _ in others[:3])}" if others else ""
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        return f"row {self.rows[first]}, {what}{then}{more}"


def _columns(names: Sequence[str]) -> str:
    more = f" and {len(names) - COLUMNS} more" if len(names) > COLUMNS else ""
    return f"column{'s' * (len(names) > 1)} {', '.join(map(repr, names[:COLUMNS]))}{more}"
