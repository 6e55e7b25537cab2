"""What a worker does of a prediction: it reads a piece of a table, labels its rows, and gives the bytes of their part.

It may be another process than the one that cuts the table and writes the parts, see `tutelage.engines`.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tutelage.fit.abstention import Promise
from tutelage.kinds.answers import beside_own
from tutelage.model import Model
from tutelage.tables import FILE, PREDICTED, PROBABILITY, DataError, Notes, ReadAs, formulas, write_table
from tutelage.tables.blocks import Block, Size, pieces_of
from tutelage.tables.parts import ending_of_part
from tutelage.tables.pieces import Piece
from tutelage.tables.seen import Table

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

PLAIN = ("csv", "tsv", "txt", "jsonl", "parquet", "arrow", "datasets")
"""Formats of the tables that are no exports of a tool, whose predictions are written in its own form."""


@dataclass(frozen=True)
class Cut:
    """A piece of a table that is to be labelled.

    Attributes:
        number: number of the piece among all, which is that of its part.
        file: number of its file.
        piece: the piece.
        behind: number of rows before it in its file, as far as it is known before they are read.
        done: whether its part is written already, so that it is only read.
    """

    number: int
    file: int
    piece: Piece
    behind: int
    done: bool

    @property
    def says(self) -> str:
        """Words on where it lies."""
        return f"the block {self.number + 1:,} ({self.piece.path}, behind row {self.behind:,} or so)"


@dataclass(frozen=True)
class Cutting:
    """What cuts the files of a table.

    Attributes:
        files: the files.
        how: how they are read.
        done: number of parts that are written already.
        size: how much a piece holds.
    """

    files: Sequence[Path]
    how: ReadAs
    done: int
    size: Size

    def __call__(self) -> Iterator[Cut]:
        """The pieces of all files, in order."""
        number = 0
        for place, file in enumerate(self.files):
            behind = 0
            for piece in pieces_of(file, self.how, self.size):
                yield Cut(number, place, piece, behind, number < self.done)
                number, behind = number + 1, behind + piece.rows


@dataclass
class Labelled:
    """A piece whose rows are labelled.

    Attributes:
        number, file, behind: as those of the `Cut`.
        count: number of its rows, with those that are left out.
        first: number of rows before its first row, in its file.
        rows: number of rows of its part.
        data: bytes of its part; None where it was written already, or has no rows.
        given: number of labels of each class.
        read: what was noticed as it was read.
        said: what was noticed as it was labelled.
        known: numbers of rows whose labels were known before, and of rows that were asked about.
        warned: warnings that were raised in another process.
        fault: why it cannot be read or labelled; None where it can.
    """

    number: int
    file: int
    behind: int
    count: int = 0
    first: int = 0
    rows: int = 0
    data: bytes | None = None
    given: list[int] = field(default_factory=list)
    read: Notes = field(default_factory=Notes)
    said: Notes = field(default_factory=Notes)
    known: tuple[int, int] = (0, 0)
    warned: list[str] = field(default_factory=list)
    fault: DataError | None = None


@dataclass(frozen=True)
class Labelling:
    """What labels pieces.

    Attributes:
        kind: kind of the data, with its options.
        model: fitted model.
        how: how files are read.
        output: file that the parts are joined to.
        promised: what is promised of the labels that are given; None labels every row.
        names: what a column calls each file; None where there is one file.
        columns: columns of the first file, in whose order those of all are written; None where there is one file.
        safe: whether cells that look like formulas are made harmless.
        apart: whether it is done in another process, whose warnings nobody sees.
    """

    kind: Kind
    model: Model
    how: ReadAs
    output: Path
    promised: Promise | None
    names: Sequence[str] | None
    columns: Sequence[str] | None
    safe: bool
    apart: bool

    def __call__(self) -> Callable[[Cut], Labelled]:
        """What does the work in a process."""
        return self.label

    def label(self, cut: Cut) -> Labelled:
        """The labelled piece; of one that cannot be labelled its fault."""
        made = Labelled(cut.number, cut.file, cut.behind)
        with ExitStack() as within:
            heard = within.enter_context(warnings.catch_warnings(record=True)) if self.apart else None
            if heard is not None:
                warnings.simplefilter("always")
            try:
                self._label(cut, made)
            except DataError as e:
                made.fault = e
            made.warned = list(dict.fromkeys(str(each.message) for each in heard or ()))
        return made

    def _label(self, cut: Cut, made: Labelled) -> None:
        table, made.count = cut.piece.table(cut.behind, made.read)
        if made.read.unsettled:
            return
        if table is not None and table.seen.format not in PLAIN:
            raise DataError(
                f"{cut.piece.path}: an export of {table.seen.format} of so many rows, or beside others; predict each "
                "file by itself, in parts of its own"
            )
        if table is None:
            made.given = [0] * len(self.model.classes)
            return
        made.rows, made.first = len(table.frame), int(table.rows[0]) - 1
        if cut.done:
            return
        before = _known(self.model)
        frame, labels = self._answered(table, cut, made.said)
        made.known = _known(self.model)[0] - before[0], _known(self.model)[1] - before[1]
        code = {str(c): i for i, c in enumerate(self.model.classes)}
        found = [code[str(label)] for label in labels if label is not None]
        made.given = np.bincount(found, minlength=len(code)).tolist() if found else [0] * len(code)
        made.data = self._written(frame)

    def _answered(self, table: Table, cut: Cut, notes: Notes) -> tuple[pd.DataFrame, list[Any]]:
        """The rows with columns of predictions, of several files also their file's name, and the labels."""
        own = Notes()
        block = Block.of(cut.piece.path, table)
        frame, added = self.kind.answered(self.model, block, self.how, own, _silent, encoded=True)
        own.settle()
        if self.columns is not None:
            frame = frame[list(self.columns)]
        if self.promised is not None:
            sure = self.promised.answers(np.asarray(added[PROBABILITY], dtype=np.float64))
            added = added | {PREDICTED: [label if g else None for label, g in zip(added[PREDICTED], sure, strict=True)]}
        if self.names is not None:
            added = {FILE: [self.names[cut.file]] * len(frame)} | added
        made = beside_own(frame, added, self.output, own)
        notes.lines, notes.questions = own.lines, own.questions
        return made, added[PREDICTED]

    def _written(self, frame: pd.DataFrame) -> bytes:
        """Bytes of the part that holds the rows."""
        with tempfile.TemporaryDirectory(prefix="tutelage-") as folder, formulas.safe_cells(self.safe):
            path = Path(folder) / f"part{ending_of_part(self.output)}"
            write_table(frame, path)
            return path.read_bytes()


def _known(model: Model) -> tuple[int, int]:
    """Numbers of rows whose labels a model knew, and of rows that it was asked about; 0 of a model that knows none."""
    return getattr(model, "taken", 0), getattr(model, "asked", 0)


def _silent(what: str, done: int, total: int) -> None:
    """Show no progress within a block."""
