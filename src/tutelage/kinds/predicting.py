"""Predictions of a table that is read, labelled and written block by block."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tutelage.files.tensors import hash_of_tensors
from tutelage.fit import abstention
from tutelage.fit.abstention import Promise
from tutelage.kinds.answers import beside_own, drawn_otherwise
from tutelage.kinds.stored import ROWS_IN_MEMORY
from tutelage.model import Model
from tutelage.tables import FILE, PREDICTED, PROBABILITY, DataError, Notes, ReadAs, holds_table
from tutelage.tables.blocks import Block, OfBlocks, count_of_rows, in_blocks
from tutelage.tables.parts import Parts, in_folder
from tutelage.tables.several import files_of, is_several, known_by
from tutelage.types import Tick

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

PLAIN = ("csv", "tsv", "txt", "jsonl", "parquet", "arrow", "datasets")
"""Formats of the tables that are no exports of a tool, whose predictions are written in its own form."""


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
    """

    kind: Kind
    model: Model
    path: Path
    output: Path
    how: ReadAs
    notes: Notes
    promised: Promise | None
    resume: bool

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
            "output": self.output.name,
        }  # fmt: skip


def in_parts(kind: Kind, path: Path, how: ReadAs) -> bool:
    """Whether items are read, labelled and written block by block: those of several files, or of very many rows.

    Args:
        kind: kind of the data.
        path: file, folder or pattern of the items.
        how: how files are read.

    Raises:
        DataError: a file is damaged.
    """
    if not kind.stores:
        return False
    if is_several(path):
        return True
    return path.exists() and holds_table(path) and count_of_rows(path, how) > ROWS_IN_MEMORY


def predict_in_parts(task: InParts, tick: Tick) -> str:
    """Write the predictions of a table block by block, and return a sentence about it.

    Memory is that of a block. All rows are in one file in the end, those of several files one behind the other, with a
    column that names the file of each. A command that was stopped goes on behind the last part that it wrote.

    Args:
        task: what is to be predicted.
        tick: called with the number of rows that are done, and of all.

    Raises:
        DataError: a file cannot be read, changes meanwhile, or cannot be written in parts.
        OSError: the disk is full; the parts that are written stay.
    """
    files = files_of(task.path)
    inside = [file for file in files if file.resolve() == task.output.resolve()]
    if inside:
        raise DataError(f"--output would overwrite {inside[0]}, which --input names, too; name another file")
    with in_folder(task.output, task.about(), task.resume) as parts:
        return _predicted(task, files, parts, tick)


def _predicted(task: InParts, files: list[Path], parts: Parts, tick: Tick) -> str:
    """Write what is missing of the parts, join them, and return a sentence; see `predict_in_parts`."""
    total = sum(count_of_rows(file, task.how) for file in files)
    if parts.done:
        task.notes.say(f"{task.output}: {sum(parts.done):,} rows were labelled before; the others follow.")
    given, number, rows = np.zeros(len(task.model.classes), dtype=np.int64), 0, 0
    code = {str(c): i for i, c in enumerate(task.model.classes)}
    called = _names(files)
    for file in files:
        heard = OfBlocks(file, task.notes)
        for table in in_blocks(file, task.how, task.notes):
            if table.seen.format not in PLAIN:
                raise DataError(
                    f"{file}: an export of {table.seen.format} of so many rows, or beside others; predict each file "
                    "by itself, in parts of its own"
                )
            if number >= len(parts.done):
                made, labels = _labelled(task, file, table, heard, called.get(file))
                found = [code[str(label)] for label in labels if label is not None]
                parts.add(made, np.bincount(found, minlength=len(code)).tolist() if found else [0] * len(code))
            given += np.array(parts.counts[number], dtype=np.int64)
            number, rows = number + 1, rows + len(table.frame)
            tick("predicting", min(rows, total), total)
    parts.join()
    if task.promised is not None:
        task.notes.say(task.promised.words())
        apart = abstention.differs(task.model.held_out, np.repeat(np.arange(len(code)), given), len(code))
        if apart:
            task.notes.say(drawn_otherwise(apart))
    count = int(given.sum())
    if task.promised is None and count == rows:
        return f"{rows} rows labelled: {task.output}"
    return f"{count} of {rows} rows labelled ({100 * count / max(rows, 1):.1f} %): {task.output}"


def _names(files: list[Path]) -> dict[Path, str]:
    """What a column calls each of several files: its name, or its path where two have one name; empty for one file."""
    if len(files) < 2:
        return {}
    alike = len({file.name for file in files}) < len(files)
    return {file: str(file) if alike else file.name for file in files}


def _labelled(
    task: InParts, file: Path, table: Any, heard: OfBlocks, called: str | None
) -> tuple[pd.DataFrame, list[Any]]:
    """The rows of a block with columns of predictions, of several files also their file's name, and the labels."""
    notes = Notes()
    frame, added = task.kind.answered(task.model, Block.of(file, table), task.how, notes, _silent, encoded=True)
    notes.settle()
    if task.promised is not None:
        sure = task.promised.answers(np.asarray(added[PROBABILITY], dtype=np.float64))
        added = added | {PREDICTED: [label if g else None for label, g in zip(added[PREDICTED], sure, strict=True)]}
    if called is not None:
        added = {FILE: [called] * len(frame)} | added
    made = beside_own(frame, added, task.output, notes)
    heard.take(notes, int(table.rows[0]) - 1)
    return made, added[PREDICTED]


def _silent(what: str, done: int, total: int) -> None:
    """Show no progress within a block."""
