"""Items to label: read from a table or a folder, each known by the hash of its contents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tutelage.data.columns import OnDisk
from tutelage.kinds.asked_labels import ASKED_BY, GUESS, WHY, as_table, marks_in
from tutelage.kinds.base import Kind
from tutelage.kinds.entries import ITEMS, LEARNT, Entries, InTable
from tutelage.kinds.faces import Face
from tutelage.kinds.stored import is_stored, stored_pool
from tutelage.tables import UNHEARD, DataError, Notes, ReadAs

EXCERPT = 160
"""Characters of an item that a list shows, at most."""

BLOCK = 8192
"""Items that are searched at once."""


@dataclass(frozen=True)
class Marks:
    """What a table that `tutelage next` wrote says beside its items.

    Attributes:
        asked: by which selector each item was asked for, (n,); empty where it does not say.
        guess: label that a model gives each item, in words, (n,); empty where there is none.
        why: why each was asked for, (n,).
    """

    asked: Sequence[str] = ()
    guess: Sequence[str] = ()
    why: Sequence[str] = ()


@dataclass(frozen=True)
class Items:
    """Items to label, which may lie on disk.

    Attributes:
        kind: kind of the items, with its options completed.
        path: file or folder that they come from.
        entries: the items, with the labels that are there already.
        keys: hash of each item, equal for equal ones, (n,), uint64.
        marks: what the table says beside them.
        later: what a model says of some items, and why these are asked for, since the page was opened.
    """

    kind: Kind
    path: Path
    entries: Entries
    keys: np.ndarray
    marks: Marks = field(default_factory=Marks)
    later: dict[int, tuple[str, str]] = field(default_factory=dict)

    @staticmethod
    def read(kind: Kind, path: Path, how: ReadAs, notes: Notes = UNHEARD) -> Items:
        """The items of a table or a folder. Those of a table of very many rows lie on disk.

        Args:
            kind: kind of the items, with its options.
            path: the table or folder.
            how: how it is read.
            notes: takes what is noticed.

        Raises:
            DataError: it cannot be read, or has no items.
        """
        if is_stored(kind, path, how):
            entries = stored_pool(kind, path, how, notes, 0)
        else:
            kind = as_table(kind) if path.is_file() and _names_labels(kind) else kind
            entries = _of_folder(kind, path, how, notes) if path.is_dir() else kind.entries(path, how, notes, ITEMS)
        notes.settle()
        keys = entries.stored.keys if entries.stored is not None else kind.pool_keys(entries.items)
        return Items(kind, path, entries, keys, _marks(entries))

    def __len__(self) -> int:
        return len(self.entries)

    def key(self, i: int) -> str:
        """Hash of an item, 16 hexadecimal digits."""
        return f"{int(self.keys[i]):016x}"

    def place(self, i: int) -> str:
        """Name of an item's place, such as "row 7"."""
        return self.entries.places.short(i)

    def face(self, i: int) -> Face:
        """What a person sees of an item."""
        return self.kind.face(self.entries.items[i], self.name(i))

    def name(self, i: int) -> str:
        """Name of an item; empty where it has none."""
        if isinstance(self.entries.places, InTable) and not self.entries.places.files:
            return ""
        return str(self.entries.names[i]) if len(self.entries.names) else ""

    def given(self, i: int) -> str:
        """Label that the table holds for an item, in words; empty where it holds none."""
        label = self.entries.labels[i]
        return "" if label is None else self.kind.label_in_words(label)

    def guess(self, i: int) -> str:
        """Label that a model gives an item; empty where there is none."""
        if i in self.later:
            return self.later[i][0]
        return self.marks.guess[i] if self.marks.guess else ""

    def why(self, i: int) -> str:
        """Why an item is asked for; empty where nobody says."""
        if i in self.later:
            return self.later[i][1]
        return self.marks.why[i] if self.marks.why else ""

    def excerpt(self, i: int) -> str:
        """An item in a line."""
        return " ".join(self._words(self.entries.items[i], i).split())[:EXCERPT]

    def find(self, words: str) -> Iterator[int]:
        """Numbers of the items that hold some words, each of them anywhere; case does not count.

        Args:
            words: the words, with blanks between them.
        """
        sought, items = words.casefold().split(), self.entries.items
        for start in range(0, len(self), BLOCK):
            part = items[start : start + BLOCK]
            for i, item in enumerate(part, start):
                text = self._words(item, i).casefold()
                if all(word in text for word in sought):
                    yield i

    def holds(self, i: int, words: str) -> bool:
        """Whether an item holds some words, see `find`."""
        text = self._words(self.entries.items[i], i).casefold()
        return all(word in text for word in words.casefold().split())

    def _words(self, item: Any, i: int) -> str:
        """What can be searched of an item: its text, its words, or its name."""
        if isinstance(item, str) and not self.kind.reads_folders:
            return item
        if isinstance(item, str | Path | bytes | np.ndarray):
            return self.name(i) or self.kind.in_a_word(item) or self.place(i)
        return " ".join(map(str, item))

    @property
    def on_disk(self) -> bool:
        """Whether the items lie on disk."""
        return isinstance(self.entries.items, OnDisk)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits; empty of a folder, and where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_folder(kind: Kind, path: Path, how: ReadAs, notes: Notes) -> Entries:
    """Entries of a folder, with the labels that its folders name, where they name some."""
    try:
        return kind.entries(path, how, UNHEARD, LEARNT)
    except DataError:
        return kind.entries(path, how, notes, ITEMS)


def _names_labels(kind: Kind) -> bool:
    """Whether the options name a column of labels."""
    return all(getattr(kind, name) not in (None, ()) for name in kind.label_columns)


def _marks(entries: Entries) -> Marks:
    """What the table of some entries says beside them."""
    table, places = entries.table, entries.places
    if table is None or not isinstance(places, InTable) or (column := marks_in(table)) is None:
        return Marks()
    ending = column.removeprefix(ASKED_BY)
    if len(table) != len(entries):
        return Marks()

    def cells(name: str) -> list[str]:
        found = table.get(f"{name}{ending}")
        return [] if found is None else ["" if pd.isna(cell) else str(cell) for cell in found.tolist()]

    return Marks(cells(ASKED_BY), cells(GUESS), cells(WHY))
