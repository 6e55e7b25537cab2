"""The table that the answers are written into, and the one that is made of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage.ask import RANDOM
from tutelage.files import write_atomically
from tutelage.kinds.answers import beside_own
from tutelage.kinds.asked_labels import ASKED_BY, HAND, ROW, as_table, marks_in
from tutelage.kinds.entries import InTable
from tutelage.label.campaign import Campaign
from tutelage.label.items import digest
from tutelage.tables import DataError, Notes, ReadAs, as_label, read
from tutelage.tables.write import writable, write_table

TOOL = "tutelage"
"""Column that tables for other tools have, by which their answers are told again."""

WRITTEN = "written.json"
"""File beside the journal that holds what the table of the labels was when it was written last."""


class ChangedError(DataError):
    """The table was changed or removed by another program; nothing is written over it."""


@dataclass
class Filled:
    """A table of questions whose empty column gets the labels.

    A table is filled in place only where it is as it was left, and where writing it again would change no other cell.

    Attributes:
        campaign: the campaign.
        path: the table.
        how: how it is read.
        was: hash of the file as it was read or written last.
    """

    campaign: Campaign
    path: Path
    how: ReadAs
    was: str

    @staticmethod
    def of(campaign: Campaign, path: Path, how: ReadAs) -> Filled:
        """The table of a campaign, as it is now.

        Args:
            campaign: the campaign, whose items are those of the table.
            path: the table.
            how: how it is read.

        Raises:
            DataError: the table would be changed elsewhere where it was written again.
        """
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tutelage-") as folder:
            again = Path(folder) / path.name
            write_table(read(path, how).frame, again)
            if digest(again) != digest(path):
                raise DataError(
                    f"{path}: not written as tutelage writes tables, as by a spreadsheet, so that other cells could be "
                    "changed by writing it again"
                )
        return Filled(campaign, path, how, digest(path))

    def write(self) -> int:
        """Write the labels into the table; returns their number, equal items counted once.

        Raises:
            ChangedError: it was changed or removed meanwhile.
            OSError: it cannot be written; it stays as it was.
        """
        if not self.path.exists():
            raise ChangedError(f"{self.path} was removed; the answers are kept in the journal")
        if digest(self.path) != self.was:
            raise ChangedError(
                f"{self.path} was changed by another program; nothing is written over it, and the answers are kept in "
                "the journal"
            )
        held, items = read(self.path, self.how), self.campaign.items
        table = held.frame
        (label,) = (str(getattr(items.kind, name)) for name in items.kind.label_columns)
        places = items.entries.places
        assert isinstance(places, InTable)
        cells: dict[int, Any] = {}
        for i, row in enumerate(places.rows):
            key = items.key(i)
            if (found := self.campaign.labelled.get(key)) is not None or key in self.campaign.ever:
                cells[row] = found
        keys = {row: items.key(i) for i, row in enumerate(places.rows) if row in cells}
        table[label] = [
            self._cell(keys[row], cells[row], cell) if row in cells else cell
            for row, cell in zip(held.rows, table[label].tolist(), strict=True)
        ]
        write_table(table, self.path)
        self.was = digest(self.path)
        return len({keys[row] for row, value in cells.items() if value is not None})

    def _cell(self, key: str, label: str | None, cell: Any) -> Any:
        """Cell of an item's label: the one that counts; else what the table had before this page gave it one.

        Args:
            key: hash of the item.
            label: label that counts; None where none does.
            cell: what the table holds.
        """
        if label is not None:
            return label
        return self.campaign.was.get(key) if as_label(cell) in self.campaign.ever[key] else cell


@dataclass
class Made:
    """A table that is made of the answers to items of a table or folder, which stays as it is.

    Attributes:
        campaign: the campaign.
        path: file to write.
        was: hash of the file as it was written last; empty where it was not yet.
    """

    campaign: Campaign
    path: Path
    was: str = ""

    @property
    def kept(self) -> Path:
        """File that holds the hash of the table as it was written last."""
        return self.campaign.journal.path.with_name(WRITTEN)

    def take_over(self) -> None:
        """Go on with a table that an earlier page of the same campaign wrote: one that holds its answers and no other.

        Any other table that is there is told of where it is to be written.
        """
        writable(self.path)
        try:
            held = json.loads(self.kept.read_text())
        except (OSError, ValueError):
            return
        if isinstance(held, dict) and held.get("path") == str(self.path.resolve()):
            self.was = digest(self.path) if held.get("writing") else str(held.get("hash", ""))

    def write(self) -> int:
        """Write the table; returns the number of labels.

        Raises:
            ChangedError: it was changed by another program meanwhile.
            OSError: it cannot be written.
        """
        there = digest(self.path)
        if there and there != self.was:
            raise ChangedError(
                f"{self.path} was changed by another program, or is none of this campaign; nothing is written over it, "
                "and the answers are kept in the journal"
            )
        table = answered(self.campaign, self.path, corrects=True)
        self._keep(writing=True)
        write_table(table, self.path)
        self.was = digest(self.path)
        self._keep(writing=False)
        return len(table)

    def _keep(self, writing: bool) -> None:
        """Keep the hash of the table, and whether it is being written: after a kill then, it is this campaign's too."""
        held = {"path": str(self.path.resolve()), "hash": self.was, "writing": writing}
        write_atomically(self.kept, json.dumps(held).encode())


def answered(campaign: Campaign, path: Path, corrects: bool = False) -> pd.DataFrame:
    """Table of the items that have a label, in the form of `tutelage next`, for `tutelage fit --answers`.

    Args:
        campaign: the campaign.
        path: file that the table is for, for messages.
        corrects: whether the items' own table is learnt, too, so that a label that takes the place of its label is
            marked as picked by hand, which corrects it. One that may be older than what was typed there is not.
    """
    items = campaign.items
    numbers = sorted(row for key in campaign.labelled if (row := campaign.row_of(key)) is not None)
    labels = [campaign.labelled[items.key(i)] for i in numbers]
    asked = _asked(campaign, numbers)
    if corrects:
        asked = [HAND if _replaced(campaign, i) else by for i, by in zip(numbers, asked, strict=True)]
    places = items.entries.places
    at = [places.rows[i] if isinstance(places, InTable) and not places.files else places.short(i) for i in numbers]
    return _filled(campaign, numbers, labels, asked, path, at)


def _replaced(campaign: Campaign, row: int) -> bool:
    """Whether the label of an item replaces one that its own table has, and that the annotators knew."""
    key, there = campaign.items.key(row), campaign.items.given(row)
    known = there in campaign.ever[key] or campaign.was.get(key) == there
    return bool(there) and there != campaign.labelled[key] and known


def given_table(campaign: Campaign, numbers: list[int], path: Path) -> pd.DataFrame:
    """Table of items with the labels that their own table has, in the form of `answered`.

    Args:
        campaign: the campaign.
        numbers: numbers of the items.
        path: file that the table is for, for messages.
    """
    items = campaign.items
    asked = [items.marks.asked[i] if items.marks.asked else "" for i in numbers]
    return _filled(campaign, numbers, [items.given(i) for i in numbers], asked, path)


def _filled(
    campaign: Campaign, numbers: list[int], labels: list[str], asked: list[str], path: Path,
    rows: Sequence[Any] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Table of items with labels, and by which selector each was asked for; columns of the user's stay.

    The place of each item comes first; the label, and by which selector it was asked for, come last.

    Args:
        campaign: the campaign.
        numbers: numbers of the items.
        labels: label of each.
        asked: by which selector each was asked for.
        path: file that the table is for, for messages.
        rows: place of each item in its file; None leaves it out.
    """
    items = campaign.items
    kind: Any = as_table(items.kind)
    found = kind.table_to_ask([items.entries.items[i] for i in numbers], _frame(campaign, numbers), path)
    found = found.reset_index(drop=True)
    (label,) = (str(getattr(kind, name)) for name in kind.label_columns)
    named = [getattr(kind, name) for name in kind.item_columns]
    own = {column for value in named for column in ([value] if isinstance(value, str) else value or ())}
    ours = {label, TOOL} | ({marks, f"{ROW}{marks.removeprefix(ASKED_BY)}"} if (marks := marks_in(found)) else set())
    found = found[[name for name in found if name not in ours - own]].assign(**{label: labels})
    added: dict[str, Any] = {ASKED_BY: asked} | ({} if rows is None else {ROW: list(rows)})
    found = beside_own(found, added, path, Notes())
    names = list(found)
    return found if rows is None else found[[names[-1], *names[:-1]]]


def _frame(campaign: Campaign, numbers: list[int]) -> pd.DataFrame | None:
    """Rows of the table of the items; None where it is not in memory, or is none."""
    table = campaign.items.entries.table
    if table is None or len(table) != len(campaign.items):
        return None
    return table.iloc[numbers]


def _asked(campaign: Campaign, numbers: list[int]) -> list[str]:
    """By which selector each item was asked for, as the answer that counts says."""
    found, drawn = [], campaign.drawn_so_far()
    for i in numbers:
        key = campaign.items.key(i)
        answer = campaign.answer_of(key)
        found.append(RANDOM if key in drawn else "" if answer is None else answer.asked)
    return found


def last_written(campaign: Campaign) -> Path | None:
    """Table that an earlier page of the campaign wrote last; None where there is none any more.

    Args:
        campaign: the campaign.
    """
    try:
        held = json.loads(campaign.journal.path.with_name(WRITTEN).read_text())
        path = Path(held["path"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return path if path.is_file() else None


def free_name(path: Path) -> Path:
    """Name of a file beside one that is not there yet, such as "ask-2.csv".

    Args:
        path: the file.
    """
    number = 2
    while (found := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
        number += 1
    return found
