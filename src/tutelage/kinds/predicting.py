"""Predictions of a table that is read, labelled and written block by block."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tutelage import engines
from tutelage.engines import USUAL, Engine, Wanted
from tutelage.files.tensors import hash_of_tensors
from tutelage.fit import abstention
from tutelage.fit.abstention import Promise
from tutelage.fit.machine import free_memory, resident
from tutelage.kinds.answers import drawn_otherwise
from tutelage.kinds.known_answers import Knowing
from tutelage.kinds.labelling import Cutting, Labelled, Labelling
from tutelage.kinds.stored import ROWS_IN_MEMORY
from tutelage.modalities.base import Encodes
from tutelage.model import Model
from tutelage.tables import DataError, Notes, ReadAs, column_names, formulas, holds_table
from tutelage.tables.blocks import OfBlocks, Size, count_of_rows
from tutelage.tables.endings import ending_of
from tutelage.tables.parts import Parts, in_folder
from tutelage.tables.several import files_of, is_several, known_by
from tutelage.tables.to_sheet import require_fits
from tutelage.types import Tick

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

WORTH_ENCODED, WORTH_READ = 20_000, 400_000
"""Rows from which on processes are taken by themselves: of items that an encoder reads, and of those that are features.

The start of a process takes up to seven seconds of a core (docs: scale), as long as an encoder takes for some hundred
texts, and as some ten thousand rows of features take: both are then below a tenth of the work.
"""

FORM = 2
"""Number of the way in which a table is cut into parts, raised where it changes: none goes on with those of another."""


@dataclass(frozen=True)
class InParts:
    """What is to be predicted, and where it is written.

    Attributes:
        kind: kind of the data, with its options.
        model: fitted model.
        path: file, folder or pattern of the items.
        output: file to write.
        how: how files are read.
        notes: takes what is noticed.
        promised: what is promised of the labels that are given; None labels every row.
        resume: go on behind the parts that a stopped command wrote.
        wanted: engine that is wanted.
    """

    kind: Kind
    model: Model
    path: Path
    output: Path
    how: ReadAs
    notes: Notes
    promised: Promise | None
    resume: bool
    wanted: Wanted = USUAL

    def about(self) -> dict[str, Any]:
        """Plain values by which a stopped command goes on only where all of them are the same."""
        promised = None if self.promised is None else self.promised.words()
        how = {f.name: getattr(self.how, f.name) for f in fields(ReadAs)}
        learnt = hash_of_tensors(self.model.network.state_dict())
        named = [f.name for f in fields(self.kind) if f.metadata.get("command_line", True)]
        options = {name: str(getattr(self.kind, name)) for name in named}
        return {
            "input": known_by(self.path), "read": how, "options": options,
            "model": [learnt, self.model.temperature, [str(c) for c in self.model.classes]], "abstain": promised,
            "output": self.output.name, "parts": FORM, "safe cells": formulas.asked(),
        }  # fmt: skip


def in_parts(kind: Kind, path: Path, how: ReadAs, wanted: Wanted) -> bool:
    """Whether items are read, labelled and written block by block.

    Those of several files are, those of very many rows, and all where other processes are wanted.

    Args:
        kind: kind of the data.
        path: file, folder or pattern of the items.
        how: how files are read.
        wanted: engine that is wanted.

    Raises:
        DataError: a file is damaged.
        ValueError: other processes are wanted, and these items cannot be read in blocks.
    """
    if wanted.forced and not kind.stores:
        raise ValueError(f"--engine and --workers are for texts and rows, not for {kind.words.things}; leave them out")
    if not kind.stores:
        return False
    if is_several(path):
        return True
    count = count_of_rows(path, how) if path.exists() and holds_table(path) else 0
    if wanted.forced and path.exists() and not count:
        raise ValueError(f"{path}: such a file is read as a whole, by one process; leave out --engine and --workers")
    return count > 0 if wanted.forced else count > ROWS_IN_MEMORY


def require_room(path: Path, how: ReadAs, output: Path) -> None:
    """Check, before the work, that the file to write has room for the rows, which a spreadsheet may not have.

    Args:
        path: file, folder or pattern of the items.
        how: how files are read.
        output: file to write.

    Raises:
        DataError: it has not; the message names what is too many or too long.
    """
    if ending_of(output) == ".xlsx" and (is_several(path) or (path.exists() and holds_table(path))):
        require_fits(files_of(path), how, output)


def predict_in_parts(task: InParts, tick: Tick) -> str:
    """Write the predictions of a table block by block, and return a sentence about it.

    Memory is that of a few blocks for each worker. All rows are in one file in the end, those of several files one
    behind the other, with a column that names the file of each. A command that was stopped goes on behind the last part
    that it wrote, whichever engine wrote it.

    Args:
        task: what is to be predicted.
        tick: called with the number of rows that are done, and of all.

    Raises:
        DataError: a file cannot be read, changes meanwhile, or cannot be written in parts.
        OSError: the disk is full, or worker processes end; the parts that are written stay.
        ImportError: the engine that is wanted is not installed.
    """
    files = files_of(task.path)
    inside = [file for file in files if file.resolve() == task.output.resolve()]
    if inside:
        raise DataError(f"--output would overwrite {inside[0]}, which --input names, too; name another file")
    total = sum(count_of_rows(file, task.how) for file in files)
    engine = _engine(task, total)
    with in_folder(task.output, task.about(), task.resume) as parts:
        return _Writing(task, files, parts, engine, total, tick).written()


def _engine(task: InParts, total: int) -> Engine:
    """The engine for so many rows; that there is memory for fewer workers than are wanted is said."""
    encoded = isinstance(task.model.reader, Encodes) and task.model.reader.encodes
    each, free = resident(), free_memory()
    room = None if free is None or not each else free // each
    found = engines.chosen(
        task.wanted.name, task.wanted.workers, total >= (WORTH_ENCODED if encoded else WORTH_READ), room
    )
    if room is not None and task.wanted.workers and found.workers < task.wanted.workers:
        task.notes.say(
            f"{found.workers} of {task.wanted.workers} workers: each takes {each / 1e9:.1f} GB of memory, and "
            f"{(free or 0) / 1e9:.1f} GB are free."
        )
    return found


class _Writing:
    """Predictions as they are written, in the order of the rows.

    Args:
        task: what is predicted.
        files: files of the items.
        parts: parts of the output.
        engine: engine that labels them.
        total: number of rows, about.
        tick: called with the number of rows that are done, and of all.
    """

    def __init__(
        self, task: InParts, files: list[Path], parts: Parts, engine: Engine, total: int, tick: Tick
    ) -> None:  # fmt: skip
        self.task, self.files, self.parts, self.engine, self.total, self.tick = task, files, parts, engine, total, tick
        names, apart = _names(files), engine.name != "one"
        self.cutting = Cutting(files, task.how, len(parts.done), Size.usual())
        self.labelling = Labelling(
            task.kind, task.model, task.how, task.output, task.promised, names, columns_of_all(files, task.how),
            formulas.asked(), apart,
        )  # fmt: skip
        self.apart, self.warned = apart, set[str]()
        self.given, self.rows = np.zeros(len(task.model.classes), dtype=np.int64), 0

    def written(self) -> str:
        """Write what is missing of the parts, join them, and return a sentence."""
        task, parts = self.task, self.parts
        if parts.done:
            task.notes.say(f"{task.output}: {sum(parts.done):,} rows were labelled before; the others follow.")
        if self.apart:
            task.notes.say(f"{self.engine.workers} workers label the rows ({self.engine.name}).")
        file, behind, rows = -1, 0, 0
        heard = OfBlocks(task.path, task.notes)
        for found in self.engine.each(self.labelling, self.cutting):
            if found.file != file:
                self._require_rows(file, rows)
                file, behind, rows = found.file, 0, 0
                heard = OfBlocks(self.files[file], task.notes)
            made = self._told(found, heard, behind)
            self._take(made, heard)
            behind, rows = behind + made.count, rows + made.rows
        self._require_rows(file, rows)
        parts.join()
        return self._sentence()

    def _require_rows(self, file: int, rows: int) -> None:
        if file >= 0 and not rows:
            raise DataError(f"{self.files[file]}: the file has no rows")

    def _told(self, found: Labelled, heard: OfBlocks, behind: int) -> Labelled:
        """A labelled piece, whose remarks and faults name the rows by their true numbers.

        A worker counts the rows before a piece by its lines, so that numbers in its remarks may be wrong. Where it has
        any that are new, and a wrong count, it is done again here.
        """
        if found.behind == behind:
            return found
        news = any(heard.has_news(notes, found.behind) for notes in (found.read, found.said))
        if found.fault is None and not news:
            found.first += behind - found.behind
            return found
        cut = next(cut for cut in self.cutting() if cut.number == found.number)
        again = replace(self.labelling, apart=True).label(replace(cut, behind=behind))
        again.data, again.known = found.data, found.known
        return again

    def _take(self, made: Labelled, heard: OfBlocks) -> None:
        """Pass on what was noticed of a labelled piece, and write its part."""
        for line in made.warned:
            if line not in self.warned:
                warnings.warn(line, stacklevel=2)
            self.warned.add(line)
        heard.take(made.read, made.behind)
        if made.fault is not None:
            raise made.fault
        heard.take(made.said, made.first)
        if made.number >= len(self.parts.done):
            self.parts.put(made.data or b"", made.rows, made.given)
            if isinstance(self.task.model, Knowing) and self.apart:
                self.task.model.count(*made.known)
        self.given += np.array(self.parts.counts[made.number], dtype=np.int64)
        self.rows += made.rows
        self.tick("predicting", min(self.rows, self.total), self.total)

    def _sentence(self) -> str:
        task, classes = self.task, len(self.given)
        if task.promised is not None:
            task.notes.say(task.promised.words())
            apart = abstention.differs(task.model.held_out, np.repeat(np.arange(classes), self.given), classes)
            if apart:
                task.notes.say(drawn_otherwise(apart))
        count = int(self.given.sum())
        if task.promised is None and count == self.rows:
            return f"{self.rows} rows labelled: {task.output}"
        return f"{count} of {self.rows} rows labelled ({100 * count / max(self.rows, 1):.1f} %): {task.output}"


def columns_of_all(files: Sequence[Path], how: ReadAs) -> list[str] | None:
    """Columns of several files, in the order of the first; None of one file.

    Raises:
        DataError: a file has others than the first; the message has both lists.
    """
    if len(files) < 2:
        return None
    first = column_names(files[0], how)
    for file in files[1:]:
        here = column_names(file, how)
        if sorted(here) != sorted(first):
            raise DataError(
                f"{file}: its columns are {', '.join(here)}, and those of {files[0].name} are {', '.join(first)}: such "
                "files are not written into one; predict it by itself"
            )
    return first


def _names(files: list[Path]) -> list[str] | None:
    """What a column calls each of several files: its name, or its path where two have one name; None for one file."""
    if len(files) < 2:
        return None
    alike = len({file.name for file in files}) < len(files)
    return [str(file) if alike else file.name for file in files]
