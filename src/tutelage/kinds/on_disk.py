"""Entries of a pool that lie in several files, and those whose items lie on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tutelage.data.columns import Columns, Form, OnDisk
from tutelage.kinds.entries import Entries, InValues
from tutelage.tables import DataError, ReadAs, as_label, column, read

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

LABEL, FILE, ROW, KEY = "label", "file", "row", "key"
"""Names of the columns beside the items: the label or nothing, numbers of file and row, and the hash of the item."""


@dataclass(frozen=True)
class InFiles:
    """Places in several files, or in one that is not held in memory. Rows are counted from 1.

    Attributes:
        source: the path that was given.
        files: the files.
        file: number of the file of each entry, (n,).
        row: number of each entry's row in its file, (n,).
        columns: name of the column that holds each part of the entries, by part; None where none does.
        chosen: whether what cannot be learnt from is left out already.

    >>> InFiles("pool", [Path("pool/a.csv")], np.array([0]), np.array([7]), {"item": "text"}, False).at("item", 0)
    "pool/a.csv, row 7, column 'text'"
    """

    source: str
    files: Sequence[Path]
    file: np.ndarray
    row: np.ndarray
    columns: Mapping[str, str | None]
    chosen: bool
    empty = "empty"
    skip = "pass --no-evidence"
    no_copies = "pass --copies off"

    @property
    def keeps_all(self) -> bool:
        return self.chosen

    def short(self, i: int) -> str:
        row = f"row {int(self.row[i])}"
        return row if len(self.files) == 1 else f"{self.files[int(self.file[i])].name}, {row}"

    def at(self, what: str, i: int | None = None) -> str:
        column = self.columns.get(what)
        place = self.source if i is None else f"{self.files[int(self.file[i])]}, row {int(self.row[i])}"
        return f"{place}, column {column!r}" if column else place

    def where(self, keep: np.ndarray) -> InFiles:
        return replace(self, file=self.file[keep], row=self.row[keep])


class Names(OnDisk):
    """Names of entries in files: the file and the row, made when they are asked for.

    Args:
        places: places of the entries.
        folder: folder of the pool.
    """

    def __init__(self, places: InFiles, folder: Path) -> None:
        self.places, self.folder = places, folder

    def __len__(self) -> int:
        return len(self.places.row)

    def taken(self, start: int, stop: int) -> list[str]:
        at = self.places
        both = zip(at.file[start:stop].tolist(), at.row[start:stop].tolist(), strict=True)
        return [f"{at.files[file].name}, row {row}" for file, row in both]


KEPT = "once"
"""Name of the folder, beside that of all entries, of some of them; a number follows for some of these, and so on."""


@dataclass(frozen=True)
class Stored:
    """Entries of a pool that lie on disk.

    Attributes:
        held: their columns.
        places: place of each entry.
        named: whether the items have names.
        before: number of rows at the beginning that are kept free for items that come before, see `after`.
    """

    held: Columns = field(repr=False)
    places: InFiles | InValues = field(repr=False)
    named: bool
    before: int

    def entries(self) -> Entries:
        """The entries; their items and their names are read when they are asked for."""
        items, start = self.held["item"], self.before
        labels = self.held[LABEL]
        known: dict[str, str | None] = {"": None}
        found = [known.setdefault(label, label) for label in labels[start:]] if len(labels) > start else []
        items = items[start:] if isinstance(items, np.ndarray) else items
        at = self.places
        names = Names(at, self.held.folder) if self.named and isinstance(at, InFiles) else ()
        return Entries(items, found, self.places, names=names, stored=self)

    @property
    def keys(self) -> np.ndarray:
        """Hash of each item, by which equal ones are known, (n,), uint64."""
        found: np.ndarray = self.held[KEY][self.before :]
        return found

    def where(self, keep: np.ndarray) -> Entries:
        """Entries that the mask ``keep``, (n,), selects, as a copy on disk."""
        whole = np.concatenate([np.ones(self.before, dtype=bool), keep])
        folder = self.held.folder
        number = int(folder.name.removeprefix(KEPT) or 1) + 1 if folder.name.startswith(KEPT) else 1
        held = self.held.where(whole, folder.with_name(KEPT if number == 1 else f"{KEPT}{number}"))
        return replace(self, held=held, places=self.places.where(keep)).entries()

    def after(self, items: Any) -> Any:
        """The items, and others before them: rows of numbers, which take the place that was kept free for them.

        Args:
            items: rows of numbers, (k, d).
        """
        found = self.held["item"][self.before - len(items) :]
        found[: len(items)] = items  # in memory alone: the file keeps what it has
        return found


def blank(forms: Mapping[str, Form], count: int) -> dict[str, Any]:
    """A block that holds nothing yet.

    >>> blank({"item": Form("text"), "row": Form("<i8")}, 2)
    {'item': ['', ''], 'row': array([0, 0])}
    """
    found: dict[str, Any] = {}
    for name, form in forms.items():
        shape = (count, form.width) if form.width else (count,)
        found[name] = [""] * count if form.dtype == "text" else np.zeros(shape, dtype=form.dtype)
    return found


def with_groups_of_files(kind: Kind, found: Entries, how: ReadAs) -> Entries:
    """Entries of several files with the groups that the column of the option --group names.

    Args:
        kind: kind of the items, with the option.
        found: entries of the files.
        how: how the files are read.

    Raises:
        DataError: a file has no such column; or the entries are of no files.
    """
    places = found.places
    if not isinstance(places, InFiles):
        raise DataError(f"{places.source}: --group {kind.group} needs tables with this column")
    group: list[str | None] = [None] * len(found)
    for number in np.unique(places.file).tolist():
        path = places.files[number]
        table = read(path, how)
        cells = dict(zip(table.rows, column(table.frame, str(kind.group), path), strict=True))
        for i in np.flatnonzero(places.file == number).tolist():
            group[i] = as_label(cells.get(int(places.row[i])))
    return replace(found, group=group)
