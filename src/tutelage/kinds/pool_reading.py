"""A pool on its way from files: read block by block, and then held in memory or written to disk."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tutelage.data.columns import TEXTS, Columns, Form
from tutelage.data.errors import NoRowsError
from tutelage.kinds.entries import POOL, Entries
from tutelage.kinds.left_out import LeftOut
from tutelage.kinds.on_disk import FILE, KEY, LABEL, ROW, InFiles, Stored, blank
from tutelage.ops.pages import on_page
from tutelage.tables import DataError, Notes, ReadAs
from tutelage.tables.blocks import NEW_LINES, Block, Whole, in_blocks
from tutelage.tables.notes import Question
from tutelage.tables.odd import counted
from tutelage.tables.seen import FileSeen, Table

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

ON_LEFT_OUT = on_page("", "left-out")
"""End of the sentences that say what is left out of a table."""


@dataclass
class Passed:
    """What is passed on of the notes on blocks: of sentences that differ by their numbers alone the first.

    Attributes:
        notes: notes that it is passed on to.
        rows: number of rows that were read.
        lost: number of them that hold no entry, since they cannot be read.
        blocks: number of blocks.
        place: place of the first row that is lost.
    """

    notes: Notes
    rows: int = 0
    lost: int = 0
    blocks: int = 0
    place: str = ""
    known: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)

    def take(self, heard: Notes, file: Path) -> None:
        """Pass on what was noticed of some blocks of a file."""
        for line in heard.lines:
            if line.endswith(ON_LEFT_OUT):
                self.left.append(line)
            elif self._new(line, file):
                self.notes.lines.append(line)
                if self.notes.tell is not None:
                    self.notes.tell(line)
        for asked in heard.questions:
            if self._new(asked.asks, file):
                self.notes.ask(asked.asks, *asked.options, page=asked.page, halts=asked.halts)
        for fault in heard.faults:
            self.notes.fault(fault)

    def _new(self, line: str, file: Path) -> bool:
        key = re.sub(r"[\d,.]+", "#", line.replace(str(file), ""))
        new = key not in self.known and len(self.known) < NEW_LINES
        self.known.add(key)
        return new

    def count(self, block: Table, found: Entries, short: str) -> None:
        """Count the rows of a block, of which entries were made.

        Args:
            block: the block.
            found: its entries.
            short: beginning of the name of a place in its file.
        """
        self.rows, self.blocks = self.rows + len(block.frame), self.blocks + 1
        if len(found) < len(block.frame):
            self.lost += len(block.frame) - len(found)
            there = set(_rows([found]).tolist())
            self.place = self.place or f"{short}row {next(row for row in block.rows if row not in there)}"

    def settle(self, path: Path) -> None:
        """Say how many rows are left out of all files together."""
        if self.left and self.blocks == 1:
            self.notes.say(self.left[0].removesuffix(ON_LEFT_OUT), page="left-out")
        elif self.lost:
            self.notes.say(
                f"Left out of {path}: {self.lost:,} of {self.rows:,} rows, which cannot be read (first: {self.place}).",
                page="left-out",
            )


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
        """Number of the file, and entries, of each block; files without rows are passed over, and said.

        Raises:
            DataError: a file cannot be read, or none has a row.
        """
        passed, empty = Passed(self.notes), list[Path]()
        first: tuple[Path, Sequence[str]] | None = None
        for number, file in enumerate(self.files):
            heard = Notes()
            whole = Whole(partial(in_blocks, file, self.how, Notes(), self._needed()))
            try:
                for block in in_blocks(file, self.how, self.notes, self._needed()):
                    names = sorted(block.seen.columns)
                    first = first or (file, names)
                    self._require_alike(names, *first, file)
                    found = self.kind.entries(Block.of(file, block, whole), self.how, heard, POOL)
                    passed.count(block, found, f"{file.name}, " if len(self.files) > 1 else "")
                    yield number, found
            except NoRowsError:
                if len(self.files) == 1:
                    raise
                empty.append(file)
            finally:
                passed.take(heard, file)
        passed.settle(self.path)
        if len(empty) == len(self.files):
            raise DataError(f"{self.path}: none of its {len(empty):,} files has a row (first: {empty[0]})")
        if empty:
            have = "file has" if len(empty) == 1 else "files have"
            others = f" (first: {empty[0]})" if len(empty) > 1 else f" ({empty[0]})"
            self.notes.say(
                f"{self.path}: {len(empty):,} of its {len(self.files):,} {have} no rows{others}; passed over."
            )

    def _needed(self) -> list[str]:
        return list(self.kind.columns())

    def _require_alike(self, names: Sequence[str], first: Path, those: Sequence[str], file: Path) -> None:
        """Check that a file has the columns of the first one that has rows, as far as they are read.

        Raises:
            DataError: it has not; the message has both lists.
        """
        needed = set(self._needed())
        lacking = sorted((needed & set(those)) - set(names))
        if lacking:
            raise DataError(
                f"{file}: no column {lacking[0]!r}, which {first} has; its columns are {', '.join(names)}, and "
                f"those of {first.name} are {', '.join(those)}: files of one pool have the same columns"
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

    def on_disk(self, folder: Path, before: int, hold: object = None) -> Entries:
        """All entries that can be learnt from, on disk.

        Args:
            folder: folder of the columns.
            before: number of items, at most, that are to come before these.
            hold: what has to live as long as the entries, such as the lock of the folder.
        """
        about = {"before": before}
        held = Columns.there(folder, hold)
        if held is None or held.about != about or not held.finished:
            held = self._read(folder, about, 0 if held is None else held.torn, hold)
        else:
            self._say_again(held.told["notes"])
        told, things = held.told, self.kind.words.things
        free, left = told["free"], LeftOut(**told["left"])
        if left.count:
            self.notes.say(
                f"Left out of the pool: {left.in_words(told['rows'], things, str(self.path))}.", page="left-out"
            )
        if len(held) == free:
            raise DataError(f"{self.path}: nothing can be learnt from any of its {told['rows']:,} {things}")
        places = InFiles(
            str(self.path), self.files, held[FILE][free:], held[ROW][free:], told["columns"], chosen=True
        )  # fmt: skip
        return Stored(held, places, told["named"], free).entries()

    def _say_again(self, told: dict[str, Any]) -> None:
        """Note what was noticed when the files were read, which need not be read again."""
        for file in told["files"]:
            self.notes.saw(FileSeen(**file))
        for line in told["lines"]:
            self.notes.lines.append(line)
            if self.notes.tell is not None:
                self.notes.tell(line)
        for asked in told["questions"]:
            question = Question(**asked | {"options": tuple(asked["options"]), "answers": ()})
            self.notes.ask(question.asks, *question.options, page=question.page, halts=question.halts)

    def _read(self, folder: Path, about: dict[str, Any], torn: int, hold: object) -> Columns:
        """The columns, read from the files; blocks that are there already stay."""
        if torn:
            self.notes.say(f"{self.path}: on disk {counted(torn, 'block')} of it was damaged: read again.")
        notes = self.notes
        marks = len(notes.files), len(notes.lines), len(notes.questions)
        held: Columns | None = None
        rows, left, named, columns, free = 0, LeftOut(), False, dict[str, Any](), 0
        for block, (number, found) in enumerate(self.blocks(), start=1):
            good = self._good(number, found, left)
            rows += len(found)
            form = self.kind.stored_form(found.items)
            if held is None:
                named, columns = bool(len(found.names)), dict(getattr(found.places, "columns", {}))
                free = about["before"] if form.dtype != "text" else 0
                forms = {"item": form, LABEL: TEXTS, FILE: Form("<i4"), ROW: Form("<i8"), KEY: Form("<u8")}
                held = Columns(folder, forms, about, hold)
                if not held.blocks:
                    held.append(blank(forms, free))
            if form != held.forms["item"]:
                has = f"{form.width} numbers in each row, but {held.forms['item'].width} in those before"
                raise DataError(f"{self.files[number]}: {has}")
            if block >= held.blocks:
                held.append({
                    "item": good.items, LABEL: [label or "" for label in good.labels],
                    FILE: np.full(len(good), number), ROW: _rows([good]), KEY: self.kind.stored_keys(good.items),
                })  # fmt: skip
        assert held is not None  # a pool without rows is refused
        notes.settle()
        said = {
            "files": [seen.as_dict() for seen in notes.files[marks[0] :]], "lines": notes.lines[marks[1] :],
            "questions": [asdict(question) for question in notes.questions[marks[2] :]],
        }  # fmt: skip
        facts = {"rows": rows, "left": asdict(left), "named": named, "columns": columns, "free": free, "notes": said}
        held.finish(facts)
        return held

    def _good(self, number: int, found: Entries, left: LeftOut) -> Entries:
        """Entries of a block that can be learnt from; the others are counted."""
        bad = self.kind.bad_in_pool(found)
        if not bad:
            return found
        file = f"{self.files[number].name}, " if len(self.files) > 1 else ""
        left.add(bad, lambda i: f"{file}{found.places.short(i)}")
        return found.where(~np.isin(np.arange(len(found)), list(bad)))


def _rows(parts: Sequence[Entries]) -> np.ndarray:
    """Number of the row of each entry of tables, (n,)."""
    rows: list[int] = [row for part in parts for row in getattr(part.places, "rows", ())]
    return np.array(rows, dtype=np.int64)
