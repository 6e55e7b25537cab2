"""Items of a pool that are not to be learnt from, in words: how many, where the first are, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

SHOWN = 4
"""Number of places that are named, at most."""


@dataclass
class LeftOut:
    """Items that are left out, counted block by block.

    Attributes:
        count: number of them.
        places: places of the first ones, at most SHOWN.
        fault: what is wrong with the first one.
        other: place and fault of the first one with which something else is wrong; empty where there is none.

    >>> left = LeftOut()
    >>> left.add({1: "the text is empty"}, lambda i: f"a.csv, row {i + 1}")
    >>> left.add({0: "the text is empty"}, lambda i: f"b.csv, row {i + 1}")
    >>> left.in_words(60, "texts", "parts")
    '2 of 60 texts of parts (first: a.csv, row 2, the text is empty; then b.csv, row 1)'
    """

    count: int = 0
    places: list[str] = field(default_factory=list)
    fault: str = ""
    other: str = ""

    def add(self, bad: Mapping[int, str], short: Callable[[int], str]) -> None:
        """Count the items of a block.

        Args:
            bad: what is wrong with each, by its number in the block, ascending.
            short: function that names the place of an item.
        """
        for i, fault in bad.items():
            self.fault = self.fault or fault
            if len(self.places) < SHOWN:
                self.places.append(short(i))
            if not self.other and fault != self.fault:
                self.other = f"{short(i)}: {fault}"
        self.count += len(bad)

    def in_words(self, count: int, things: str, source: str) -> str:
        """How many of all items are left out, and the first of them.

        Args:
            count: number of all items.
            things: word for the items.
            source: name of their source.
        """
        first, *others = self.places
        then = f"; then {', '.join(others)}" if others else ""
        more = f" and {self.count - len(self.places)} more" if self.count > len(self.places) else ""
        also = f"; {self.other}" if self.other else ""
        return f"{self.count} of {count} {things} of {source} (first: {first}, {self.fault}{then}{more}{also})"
