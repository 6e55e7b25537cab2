"""Places of sentences and their tags, for messages, and the faults found there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from tutelage.modalities.sentences.how import TagsAs
from tutelage.tables import Notes

T = TypeVar("T")
"""Type of a result."""

NAMED = 8
"""Rows that a message names, at most."""


@dataclass(frozen=True)
class Place:
    """A column of a file with the numbers of its rows, or an argument of a function with those of its elements.

    Attributes:
        source: name of the file; empty for an argument.
        name: name of the column or argument.
        rows: number of each row, from 1 in files and from 0 in arguments.

    >>> Place("a.csv", "tags", [6, 7]).at(1), Place("", "y", [0, 1]).at(1)
    ("a.csv, row 7, column 'tags'", 'y[1]')
    """

    source: str
    name: str
    rows: Sequence[int]

    def at(self, i: int) -> str:
        """Name of the i-th row's place."""
        return f"{self.source}, row {self.rows[i]}, column {self.name!r}" if self.source else f"{self.name}[{i}]"

    @property
    def whole(self) -> str:
        """Name of all rows' place."""
        return f"{self.source}, column {self.name!r}" if self.source else self.name

    def row(self, i: int) -> str:
        """Name of the i-th row within the place."""
        return f"row {self.rows[i]}" if self.source else f"{self.name}[{i}]"

    def named(self, which: Sequence[int]) -> str:
        """Names of rows, the first few of them.

        >>> Place("a.csv", "tags", range(1, 99)).named(range(20))
        'rows 1, 2, 3, 4, 5, 6, 7, 8 and 12 more'
        """
        numbers = ", ".join(str(self.rows[i]) for i in which[:NAMED])
        more = f" and {len(which) - NAMED} more" if len(which) > NAMED else ""
        return f"{'row' if len(which) == 1 else 'rows'} {numbers}{more}"

    def option(self, name: str, value: str) -> str:
        """An option as it is typed, on the command line or in Python.

        >>> Place("a.csv", "tags", []).option("tags_are", "types"), Place("", "y", []).option("tags_are", "types")
        ('--tags-are types', "tags_are='types'")
        """
        return f"--{name.replace('_', '-')} {value}" if self.source else f"{name}={value!r}"


@dataclass
class Faults:
    """Faults of single rows, gathered so that all are named at once.

    Attributes:
        notes: takes the faults, unless bad rows are left out.
        skip: whether bad rows are left out.
        found: sentence on the first fault of each bad row, by the row's number from 0.
    """

    notes: Notes
    skip: bool = False
    found: dict[int, str] = field(default_factory=dict)

    def each(self, at: Place, read: Callable[..., T], *columns: Iterable[object], other: T) -> list[T]:
        """Results of ``read`` for each row's cells; rows for which it raises a ValueError are bad and get ``other``."""
        results, bad = [], {}
        for i, cells in enumerate(zip(*columns, strict=True)):
            try:
                results.append(read(*cells) if i not in self.found else other)
            except ValueError as e:
                bad[i] = str(e)
                results.append(other)
        self.note(at, bad)
        return results

    def note(self, at: Place, bad: dict[int, str]) -> None:
        """Note bad rows.

        Args:
            at: their column.
            bad: what is wrong with each, by the row's number from 0.
        """
        if not bad:
            return
        self.found = {i: f"{at.at(i)}: {said}" for i, said in bad.items()} | self.found
        if not self.skip:
            first, *others = sorted(bad)
            also = f"; {len(others)} more cannot be read: {at.named(others)}" if others else ""
            advice = "; --skip-bad leaves such rows out" if at.source and len(bad) < len(at.rows) else ""
            self.notes.fault(f"{at.at(first)}: {bad[first]}{also}{advice}")

    def kept(self, count: int, source: str) -> np.ndarray:
        """Mask of the rows that stay, (count,). The number of the others is said.

        Args:
            count: number of rows.
            source: name of the file.
        """
        keep = np.ones(count, dtype=bool)
        if self.skip and self.found:
            keep[list(self.found)] = False
            first = self.found[min(self.found)]
            if not keep.any():
                self.notes.fault(f"{source}: no row can be read, the first of {count} for this: {first}")
            cut = (
                "1 row cannot be read and is"
                if len(self.found) == 1
                else f"{len(self.found)} rows cannot be read and are"
            )
            self.notes.say(f"{source}: {cut} left out{', the first' * (len(self.found) > 1)}: {first}.")
        return keep


@dataclass(frozen=True)
class Reading:
    """What every step of reading tags needs.

    Attributes:
        how: how tags are read, as far as the user says it.
        faults: takes the rows that cannot be read.
    """

    how: TagsAs
    faults: Faults

    @property
    def notes(self) -> Notes:
        """Notes that take what is noticed."""
        return self.faults.notes
