"""A pool that is read block by block, and lies on disk where it is too large for the memory."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tutelage.data.columns import TEXTS, Columns, Form, OnDisk, folder_of
from tutelage.data.sources import cache_folder
from tutelage.files import BusyError, one_writer
from tutelage.kinds.entries import POOL, Entries, InValues
from tutelage.tables import DataError, Notes, ReadAs, holds_table
from tutelage.tables.blocks import Block, count_of_rows, in_blocks
from tutelage.tables.odd import counted
from tutelage.tables.several import files_of, is_several, known_by

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

ROWS_IN_MEMORY = 200_000
"""Rows of the files of a pool, at most, that are held in memory; of more the items lie on disk.

A text of a pool takes some 3 KB while a fit holds it in memory, so that these are 600 MB.
"""

KEPT_FOR = 7 * 24 * 3600.0
"""Seconds after which a pool that lies on disk still, as that of a fit that was never finished, is removed."""

VALUES_A_BLOCK = 8192
"""Python values that are written to disk at once."""

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
        held = self.held.where(whole, self.held.folder.with_name("once"))
        return replace(self, held=held, places=self.places.where(keep)).entries()

    def after(self, items: Any) -> Any:
        """The items, and others before them: rows of numbers, which take the place that was kept free for them.

        Args:
            items: rows of numbers, (k, d).
        """
        found = self.held["item"][self.before - len(items) :]
        found[: len(items)] = items  # in memory alone: the file keeps what it has
        return found


def is_stored(kind: Kind, path: Path | None, how: ReadAs) -> bool:
    """Whether a pool is read block by block: several files, or one of more rows than are held in memory.

    Args:
        kind: kind of the data, with its options.
        path: file, folder or pattern; None where there is none.
        how: how files are read.
    """
    if path is None or not kind.stores:
        return False
    if is_several(path):
        return True
    return path.exists() and not kind.weak and holds_table(path) and count_of_rows(path, how) > ROWS_IN_MEMORY


def stored_pool(kind: Kind, path: Path, how: ReadAs, notes: Notes, before: int) -> Entries:
    """Entries of a pool that is read block by block.

    Args:
        kind: kind of the data, with its options.
        path: file, folder or pattern.
        how: how files are read.
        notes: takes what is noticed.
        before: number of items, at most, that are to come before these.

    Raises:
        DataError: a file cannot be read, has other columns than the first one, or changes meanwhile; or there is
            nothing to learn from in any of them.
        OSError: the disk is full; what was read stays, and the next time goes on behind it.
    """
    if kind.weak:
        raise DataError(
            f"{path}: votes, rules and a teacher speak of the rows of one file; join the files, or leave them out"
        )
    files = files_of(path)
    of = Reading(kind, path, files, how, notes)
    if sum(count_of_rows(file, how) for file in files) <= ROWS_IN_MEMORY:
        return of.in_memory()
    folder = folder_for(kind, path, how)
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        _remove_old(folder.parent, folder)
    try:
        with one_writer(folder):
            return of.on_disk(folder / "read", before)
    except BusyError:  # another fit reads the same pool
        own = folder.with_name(f"{folder.name}-{os.getpid()}")
        own.mkdir(parents=True, exist_ok=True)
        return of.on_disk(own / "read", before)


def stored_values(
    kind: Kind, values: Iterable[Any], argument: str, read: Callable[[list[Any]], Any], before: int
) -> Entries:  # fmt: skip
    """Entries of the items that a Python iterable gives, such as a streamed data set; it is gone through once.

    Up to ROWS_IN_MEMORY items are held in memory; more lie in a temporary folder, which is removed when Python ends.

    Args:
        kind: kind of the items.
        values: the items, one after the other; or records that hold one each.
        argument: name of the argument that they are given as, for messages.
        read: function that makes items of a list of values.
        before: number of items, at most, that are to come before these.

    Raises:
        ValueError: there is none, or a record holds several values of which none has the name of the kind's column.
    """
    places = {"item": argument, "label": "y", "votes": "votes"}
    given = (_value(kind, each, argument) for each in values)
    some = list(islice(given, ROWS_IN_MEMORY + 1))
    if len(some) <= ROWS_IN_MEMORY:
        items = read(some)
        return Entries(items, [None] * len(items), InValues(places, range(len(items))))
    folder = Path(tempfile.mkdtemp(prefix="tutelage-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    whole, held, free = chain(some, given), None, 0
    while block := list(islice(whole, VALUES_A_BLOCK)):
        items = read(block)
        if held is None:
            form = kind.stored_form(items)
            free = before if form.dtype != "text" else 0
            forms = {"item": form, KEY: Form("<u8"), LABEL: TEXTS}
            held = Columns(folder / "read", forms, {})
            held.append(_blank(forms, free))
        held.append({"item": items, KEY: kind.stored_keys(items), LABEL: [""] * len(items)})
    assert held is not None
    held.finish()
    return Stored(held, InValues(places, range(len(held) - free)), False, free).entries()


def _value(kind: Kind, given: Any, argument: str) -> Any:
    """The item of a record; other values are items themselves."""
    if not isinstance(given, Mapping):
        return given
    name = kind.words.column if kind.words.column in given else next(iter(given), "") if len(given) == 1 else ""
    if not name:
        raise ValueError(
            f"{argument} gives records of {', '.join(map(repr, given))}; give the items alone, such as "
            f"(record[{next(iter(given), 'text')!r}] for record in data)"
        )
    return given[name]


def folder_for(kind: Kind, path: Path, how: ReadAs) -> Path:
    """Folder in the user's cache in which a pool lies, so that a stopped fit, or one after `look`, finds it read."""
    read_as = {f.name: getattr(how, f.name) for f in fields(ReadAs)}
    told = {"kind": kind.name, "files": known_by(path), "columns": kind.columns(), "how": read_as}
    name = hashlib.blake2b(json.dumps(told, sort_keys=True).encode(errors="replace"), digest_size=8).hexdigest()
    return cache_folder() / "pools" / name


def in_files(items: Any, path: Path) -> bool:
    """Whether the items of a pool lie on disk, or come of several files, which are known by their beginnings."""
    return folder_of(items) is not None or is_several(path)


def release(items: Any) -> None:
    """Remove the folder of a pool that lies on disk, once it is not needed any more.

    Args:
        items: items of the pool.
    """
    if (folder := folder_of(items)) is not None and folder.parent.parent.name == "pools":
        shutil.rmtree(folder.parent, ignore_errors=True)


def _remove_old(root: Path, own: Path) -> None:
    """Remove pools that nobody has used for long."""
    for folder in root.iterdir():
        if folder != own and time.time() - folder.stat().st_mtime > KEPT_FOR:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Reading:
    """A pool on its way from files.

    Attributes:
        kind: kind of the data.
        path: the path that was given.
        files: the files, in order.
        how: how they are read.
        notes: takes what is noticed.
    """

    kind: Kind
    path: Path
    files: Sequence[Path]
    how: ReadAs
    notes: Notes

    def blocks(self) -> Iterator[tuple[int, Entries]]:
        """Number of the file, and entries, of each block."""
        first: list[str] | None = None
        for number, file in enumerate(self.files):
            heard = Notes()
            for block in in_blocks(file, self.how, self.notes, self._needed()):
                names = sorted(block.seen.columns)
                first = first or names
                self._require_alike(names, first, file)
                found = self.kind.entries(Block.of(file, block), self.how, heard, POOL)
                yield number, found
            if number == 0:
                for line in heard.lines:
                    self.notes.say(line)
            for fault in heard.faults:
                self.notes.fault(fault)

    def _needed(self) -> list[str]:
        return list(self.kind.columns())

    def _require_alike(self, names: Sequence[str], first: Sequence[str], file: Path) -> None:
        """Check that a file has the columns of the first one, as far as they are read.

        Raises:
            DataError: it has not; the message has both lists.
        """
        needed = set(self._needed())
        lacking = sorted((needed & set(first)) - set(names))
        if lacking:
            raise DataError(
                f"{file}: no column {lacking[0]!r}, which {self.files[0]} has; its columns are {', '.join(names)}, and "
                f"those of {self.files[0].name} are {', '.join(first)}: files of one pool have the same columns"
            )

    def in_memory(self) -> Entries:
        """All entries, in memory."""
        found = list(self.blocks())
        entries = [part for _, part in found]
        items: Any = [item for part in entries for item in part.items]
        if isinstance(entries[0].items, np.ndarray):
            items = np.concatenate([part.items for part in entries])
        file = np.concatenate([np.full(len(part), number, dtype=np.int32) for number, part in found])
        labels = [label for part in entries for label in part.labels]
        names = [name for part in entries for name in part.names]
        columns = getattr(entries[0].places, "columns", {})
        places = InFiles(str(self.path), self.files, file, _rows(entries), columns, chosen=False)
        return Entries(items, labels, places, names=names)

    def on_disk(self, folder: Path, before: int) -> Entries:
        """All entries that can be learnt from, on disk.

        Args:
            folder: folder of the columns.
            before: number of items, at most, that are to come before these.
        """
        about = {"before": before}
        held = Columns.there(folder)
        if held is None or held.about != about or not held.finished:
            held = self._read(folder, about, 0 if held is None else held.torn)
        told = held.told
        if told["left"]:
            self.notes.say(
                f"Left out of the pool: {told['left']:,} of the {told['rows']:,} {self.kind.words.things} of "
                f"{self.path}. {told['said']}".rstrip(),
                page="left-out",
            )
        free = told["free"]
        if len(held) == free:
            things = self.kind.words.things
            raise DataError(f"{self.path}: nothing can be learnt from any of its {told['rows']:,} {things}")
        places = InFiles(
            str(self.path), self.files, held[FILE][free:], held[ROW][free:], told["columns"], chosen=True
        )  # fmt: skip
        return Stored(held, places, told["named"], free).entries()

    def _read(self, folder: Path, about: dict[str, Any], torn: int) -> Columns:
        """The columns, read from the files; blocks that are there already stay."""
        if torn:
            self.notes.say(f"{self.path}: on disk {counted(torn, 'block')} of it was damaged: read again.")
        held: Columns | None = None
        rows, left, said, named, columns, free = 0, 0, "", False, {}, 0
        for block, (number, found) in enumerate(self.blocks(), start=1):
            good = self.kind.good_pool(found, heard := Notes())
            rows, left, said = rows + len(found), left + len(found) - len(good), said or " ".join(heard.lines)
            form = self.kind.stored_form(found.items)
            if held is None:
                named, columns = bool(len(found.names)), dict(getattr(found.places, "columns", {}))
                free = about["before"] if form.dtype != "text" else 0
                forms = {"item": form, LABEL: TEXTS, FILE: Form("<i4"), ROW: Form("<i8"), KEY: Form("<u8")}
                held = Columns(folder, forms, about)
                if not held.blocks:
                    held.append(_blank(forms, free))
            if form != held.forms["item"]:
                first = self.files[0]
                has = f"{form.width} numbers in each row, but {held.forms['item'].width} in {first}"
                raise DataError(f"{self.files[number]}: {has}")
            if block >= held.blocks:
                held.append({
                    "item": good.items, LABEL: [label or "" for label in good.labels],
                    FILE: np.full(len(good), number), ROW: _rows([good]), KEY: self.kind.stored_keys(good.items),
                })  # fmt: skip
        assert held is not None  # a file without rows is refused
        self.notes.settle()
        facts = {"rows": rows, "left": left, "said": said, "named": named, "columns": columns, "free": free}
        held.finish(facts)
        return held


def _rows(parts: Sequence[Entries]) -> np.ndarray:
    """Number of the row of each entry of tables, (n,)."""
    rows: list[int] = [row for part in parts for row in getattr(part.places, "rows", ())]
    return np.array(rows, dtype=np.int64)


def _blank(forms: Mapping[str, Form], count: int) -> dict[str, Any]:
    """A block that holds nothing yet."""
    blank: dict[str, Any] = {}
    for name, form in forms.items():
        shape = (count, form.width) if form.width else (count,)
        blank[name] = [""] * count if form.dtype == "text" else np.zeros(shape, dtype=form.dtype)
    return blank
