"""What was found of labelled items that occur several times, in words, and those whose labels contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage.files import write_atomically
from tutelage.tables.cells import quoted

SHOWN = 3
"""Number of contradictions that a sentence names at most."""

PLACES = 4
"""Number of places of one item that a sentence names at most."""


@dataclass(frozen=True)
class Contradiction:
    """An item that occurs several times, with different labels.

    Attributes:
        rows: places of the item, within its source.
        item: the item, in words; empty where it has none.
        labels: its labels, in the order of the places.
    """

    rows: tuple[str, ...]
    item: str
    labels: tuple[str, ...]

    def words(self) -> str:
        """The first places and labels, in words."""
        more = f" and {len(self.rows) - PLACES} more" if len(self.rows) > PLACES else ""
        return f"{', '.join(self.rows[:PLACES])}{more}: {', '.join(map(quoted, self.labels[:PLACES]))}"


@dataclass(frozen=True)
class Copied:
    """What was found of labelled items that occur several times.

    Attributes:
        thing, things: words for the items.
        rows: number of labelled rows.
        items: number of different items among them.
        several: number of items that occur several times.
        contradictions: those of them that have different labels.
        kappa: Fleiss' kappa of the labels of the items that occur several times; None where nothing contradicts itself.
        each: whether each copy has a vote of its own.
        called: what the labels are grouped by, such as "author"; empty where by nothing but copies.
        groups: number of its values.
        without: number of rows without a value, each of which is by itself.
        near: sentence on nearly equal items that are no copies, see `nearness`; empty where there are none.
        facts: plain values beside it.
    """

    thing: str
    things: str
    rows: int
    items: int
    several: int
    contradictions: tuple[Contradiction, ...] = ()
    kappa: float | None = None
    each: bool = False
    called: str = ""
    groups: int | None = None
    without: int = 0
    near: str = ""
    facts: dict[str, Any] | None = None

    @property
    def votes(self) -> str:
        """Sentence on the number of votes; empty where there are no copies."""
        if not self.several:
            return ""
        are = f"{self.thing} occurs" if self.several == 1 else f"{self.things} occur"
        how = "each copy has a vote, and all of them lie in one fold" if self.each else "each has one vote"
        rows = f"{self.rows:,} rows are {self.items:,} {self.thing if self.items == 1 else self.things}"
        return f"{self.several:,} labelled {are} more than once: {rows}; {how}."

    @property
    def torn(self) -> str:
        """Sentence on the contradictions; empty where there are none."""
        if not self.contradictions:
            return ""
        count = len(self.contradictions)
        have = "has" if count == 1 else "have"
        named = "; ".join(one.words() for one in self.contradictions[:SHOWN])
        more = f"; and {count - SHOWN} more" if count > SHOWN else ""
        kappa = "" if self.kappa is None else f"; Fleiss' kappa of the labels is {self.kappa:.2f}"
        return f"{self._of_several(count)} {have} different labels ({named}{more}){kappa}. They are learnt as shares."

    def _of_several(self, count: int) -> str:
        if self.several == 1:
            return f"The {self.thing} that occurs more than once"
        return f"{count:,} of the {self.several:,} {self.things} that occur more than once"

    @property
    def grouped(self) -> str:
        """Sentence on the user's groups; empty where there are none."""
        if not self.called:
            return ""
        if not self.groups:
            return f"{self.called}: no labelled {self.thing} has a value, so that nothing is grouped."
        rest = f"; {self.without:,} rows have none, and each is by itself" if self.without else ""
        value = "1 value, which" if self.groups == 1 else f"{self.groups:,} values, each of which"
        return f"{self.called}: the labels are of {value} lies in one fold{rest}."

    def lines(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """The sentences by name, empty where there is nothing to say, each with its plain values."""
        return {
            "votes": (self.votes, {"rows": self.rows, "items": self.items, "several": self.several}),
            "contradictions": (self.torn, {"items": len(self.contradictions), "kappa": self.kappa}),
            "nearly": (self.near, self.facts or {}),
            "groups": (self.grouped, {"group": self.called, "values": self.groups, "without": self.without}),
        }

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a summary."""
        by = {"group": self.called, "groups": self.groups} if self.called else {}
        return {
            "rows": self.rows, "items": self.items, "several": self.several,
            "contradictions": len(self.contradictions), "kappa": self.kappa, **by,
            "words": [line for line in (self.votes, self.torn, self.near, self.grouped) if line],
        }  # fmt: skip

    def table(self) -> pd.DataFrame:
        """The contradictions, one a row, with the columns "rows", "item" and "labels"."""
        each = self.contradictions
        return pd.DataFrame(
            {
                "rows": ["; ".join(one.rows) for one in each], "item": [one.item for one in each],
                "labels": ["; ".join(one.labels) for one in each],
            }
        )  # fmt: skip


def write_contradictions(found: Copied | None, out: Path) -> None:
    """Write the contradictions into the folder of a run as ``contradictions.csv``; nothing where there are none.

    Args:
        found: what was found; None where there was nothing.
        out: folder of the run.
    """
    if found is not None and found.contradictions:
        write_atomically(out / "contradictions.csv", found.table().to_csv(index=False).encode(errors="replace"))
