"""Sources of sentences: CoNLL files, and tables with a sentence or a word a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from tutelage.modalities.sentences.cells import decoded, given
from tutelage.modalities.sentences.conll import CONLL, TAG, column_of_tags, column_of_words, read_conll, with_values
from tutelage.modalities.sentences.how import TagsAs
from tutelage.modalities.sentences.place import Faults, Place
from tutelage.modalities.sentences.word_rows import gathered
from tutelage.tables import FORMATS, DataError, Notes, ReadAs, column, ending_of, read
from tutelage.tables.endings import packing_of, readable
from tutelage.tables.exports.unread import of_file, refuse

Columns = tuple[str | None, str | None]
"""Names of the columns of tags, and of distant tags; None where none is read."""
OF_TEXT = ("csv", "tsv", "spreadsheet")
"""Formats whose cells are texts, in which a list is written as one."""


@dataclass(frozen=True)
class Source:
    """A table of sentences.

    Attributes:
        path: the file.
        table: the table, whose index numbers its rows.
        tokens: column of the sentences.
        columns: columns of tags, and of distant tags; None where none is read.
        names: names of the classes by column, as the file's own metadata have them.
        of_text: whether lists are written as texts.
        gathered: whether a row was made of several rows or lines of the file.
    """

    path: Path
    table: pd.DataFrame
    tokens: str
    columns: Columns
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    of_text: bool = False
    gathered: bool = False

    @property
    def rows(self) -> list[int]:
        """Number of each sentence's row, or of the first one."""
        numbers: list[int] = self.table.index.tolist()
        return numbers

    @property
    def cells(self) -> list[object]:
        """Cells of the sentences."""
        found: list[object] = column(self.table, self.tokens, self.path).tolist()
        return found

    def place(self, name: str | None = None) -> Place:
        """Place of a column; by default that of the sentences."""
        return Place(str(self.path), self.tokens if name is None else name, self.rows)

    def cells_of(self, name: str | None, faults: Faults) -> list[object]:
        """Cells of a column of tags, as lists; they are empty where the table lacks the column.

        Args:
            name: name of the column.
            faults: takes the rows whose cells are no lists.
        """
        if name is None or name not in self.table.columns:
            return [None] * len(self.table)
        return faults.each(self.place(name), decoded, self.table[name].tolist(), other=None)


def source_of(
    path: Path, tokens: str, columns: Columns | None, how: ReadAs, notes: Notes, needed: Sequence[str] | None,
    tags_as: TagsAs,
) -> Source:  # fmt: skip
    """The table of a file, with a row for each sentence.

    Args:
        path: the file.
        tokens: column of the sentences.
        columns: columns of tags, and of distant tags, of which None reads none, but the last one of a CoNLL file; None
            reads no tags at all.
        how: how the file is read.
        notes: takes what is noticed.
        needed: columns of tags that must exist; None needs all.
        tags_as: how tags are read.

    Raises:
        DataError: the file cannot be read, or there is no such column.
    """
    if _is_conll(path) and path.exists():
        found = _of_lines(path, tokens, columns, how, notes)
    elif ending_of(path) in FORMATS or path.is_dir() or not path.exists():
        file = read(path, how, notes)
        table, seen = file.frame, file.seen
        table.index = pd.Index(list(file.rows))
        found = Source(path, table, tokens, columns or (None, None), seen.classes, seen.format in OF_TEXT)
    else:
        refuse(of_file(path), path)
        raise DataError(f"{path}: file name must end in one of {', '.join(CONLL)}, {readable()}")
    asked = zip(columns or (None, None), found.columns, strict=True)
    _require_columns(found, [there for name, there in asked if needed is None or name in needed])
    if found.gathered:
        return found
    there = [name for name in found.columns if name is not None and name in found.table]
    made = gathered(found.table, tokens, there, path, tags_as.sentence_id, notes)
    return found if made is None else replace(found, table=made, of_text=False, gathered=True)


def _is_conll(path: Path) -> bool:
    """Whether a file's name ends as that of a CoNLL file, also with the ending of a compression behind it."""
    named = path.with_suffix("") if packing_of(path) else path
    return named.suffix.lower() in CONLL


def _of_lines(path: Path, tokens: str, columns: Columns | None, how: ReadAs, notes: Notes) -> Source:
    """The table of a CoNLL file, whose columns have numbers."""
    table = read_conll(path, how, notes)
    tokens = tokens if tokens.isdigit() else column_of_words(table, path, notes)
    if columns is None:
        return Source(path, table, tokens, (None, None), gathered=True)
    tags, distant = columns
    if distant is None and not (tags and tags.isdigit()):
        tags = column_of_tags(table, tokens, path, notes)
    for name in (tags, distant):
        table = with_values(table, name, path, notes)
    if tokens in table.columns:
        _note_columns(table, path, tokens, (tags, distant), notes)
    return Source(path, table, tokens, (tags, distant), gathered=True)


def _note_columns(table: pd.DataFrame, path: Path, tokens: str, columns: Columns, notes: Notes) -> None:
    """Note how many sentences a CoNLL file has, and which of its columns are read."""
    words = int(table[tokens].map(len).sum())
    taken = {"words": tokens, "tags": columns[0], "distant tags": columns[1]}
    each = ", ".join(f"{what} in column {name}" for what, name in taken.items() if name is not None)
    there = ", ".join(map(str, table.columns))
    says = f"{path}: CoNLL, {len(table):,} sentences of {words:,} words; {each}, of the columns {there}."
    notes.fact(f"columns of {path}", says, {"sentences": len(table), "words": words, "columns": taken})


def _require_columns(source: Source, needed: Sequence[str | None]) -> None:
    """Check that a table has the columns that are read.

    Raises:
        DataError: a column is missing.
    """
    for name in (source.tokens, *needed):
        if name is None or name in source.table.columns:
            continue
        header = list(map(str, source.table.columns))
        if not source.gathered and any(TAG.fullmatch(each) or each == "O" for each in header):
            raise DataError(
                f"{source.path}: no column {name!r}; its first row is {', '.join(map(repr, header))}, so it seems to "
                "have no names of columns: a CoNLL file must end in .conll"
            )
        column(source.table, name, source.path)


def are_texts(source: Source, tags: Sequence[Sequence[object]]) -> bool:
    """Whether the sentences are texts whose tags are spans; else they are lists of words.

    Args:
        source: table of the sentences.
        tags: cells of the columns of tags.
    """
    first = next(filter(given, source.cells), None)
    if source.gathered or not isinstance(first, str):
        return False
    return not source.of_text or any(map(_have_spans, tags))


def _have_spans(cells: Sequence[object]) -> bool:
    """Whether the first cell with an element is a list of spans."""
    for cell in cells:
        if isinstance(cell, dict):
            return True
        if isinstance(cell, (list, tuple)) and len(cell):
            return isinstance(cell[0], (list, tuple, dict))
    return False
