"""The tools whose files are exchanged, and which of them wrote a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.data.errors import DataError
from tutelage.exchange import argilla, doccano, label_studio, prodigy
from tutelage.exchange.offsets import overlap
from tutelage.exchange.records import Question, Record, Span
from tutelage.exchange.rows import USUAL, How, Row, rows_in
from tutelage.tables.cells import brief
from tutelage.tables.notes import UNHEARD, Notes


@dataclass(frozen=True)
class Format:
    """The files of a tool.

    Attributes:
        title: name of the tool.
        ending: ending of the file that is written.
        is_row: whether a row is the tool's.
        of_rows: records that rows of a file make.
        write: function that writes records to a new file.
        settings: settings of the tool that ask the question.
        beside: end of the name of the file of these settings.
        needs: what a row of the tool has, for messages.
        needs_people: whether it takes in answers of annotators alone whom it knows.
    """

    title: str
    ending: str
    is_row: Callable[[Mapping[str, Any]], bool]
    of_rows: Callable[[Sequence[Row], Path, How, Notes], list[Record]]
    write: Callable[[Sequence[Record], Path, Question | None, Notes], None]
    settings: Callable[[Question], str]
    beside: str
    needs: str
    needs_people: bool = False


FORMATS: Mapping[str, Format] = {
    "label-studio": Format(
        "Label Studio", ".json", label_studio.is_row, label_studio.read, label_studio.write, label_studio.settings,
        ".xml", "'data' with 'annotations', or 'annotation_id' and 'lead_time'",
    ),
    "argilla": Format(
        "Argilla", ".json", argilla.is_row, argilla.read, argilla.write, argilla.settings, ".settings.json",
        "'fields', 'responses' and 'suggestions', or columns that end in '.responses.users'", needs_people=True,
    ),
    "prodigy": Format(
        "Prodigy", ".jsonl", prodigy.is_row, prodigy.read, prodigy.write, prodigy.settings, ".command.txt",
        "'answer', '_input_hash' or 'options'",
    ),
    "doccano": Format(
        "doccano", ".jsonl", doccano.is_row, doccano.read, doccano.write, doccano.settings, ".labels.json",
        "'text' or 'filename' with 'label', 'labels' or 'entities'",
    ),
}  # fmt: skip
"""Files of tools by name, in the order in which they are tried."""


@dataclass(frozen=True)
class Found:
    """What a tool's file holds.

    Attributes:
        format: the tool's files.
        records: the records, of which each item has one.
        question: the question that they answer.
    """

    format: Format
    records: Sequence[Record]
    question: Question


def read(path: Path, how: How = USUAL, notes: Notes = UNHEARD) -> Found:
    """What a tool's file holds; which tool's it is, its first row tells.

    Args:
        path: the file.
        how: how it is read, where it does not tell by itself.
        notes: takes what is noticed.

    Raises:
        DataError: the file is of no tool, or broken; the message names the line or record, what was found and what is
            allowed.
        FileNotFoundError: there is no such file.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if not path.is_file():
        raise DataError(f"{path}: it is no file; name the file that the tool exported")
    rows = rows_in(path)
    if not rows:
        raise DataError(f"{path}: the list is empty; it holds no record")
    known = next((each for each in FORMATS.values() if each.is_row(rows[0].value)), None)
    if known is None:
        needs = "; ".join(f"{each.title}: {each.needs}" for each in FORMATS.values())
        there = brief(", ".join(map(repr, rows[0].value))) or "nothing"
        raise DataError(f"{rows[0].place}: no tool's file is known by its names {there}. Known are {needs}")
    records = known.of_rows(rows, path, how, notes)
    _say_overlaps(records, path, notes)
    try:
        return Found(known, records, Question.of(records, spans=how.spans and not any(r.labels for r in records)))
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def _say_overlaps(records: Sequence[Record], path: Path, notes: Notes) -> None:
    """Say how many answers have spans that overlap."""
    found = [
        record for record in records for answer in record.answers
        if overlap([part for part in answer.label or () if isinstance(part, Span)])
    ]  # fmt: skip
    if found:
        name = f"row {found[0].id}" if found[0].id else f"the text {brief(found[0].item)!r}"
        are = "answer has" if len(found) == 1 else "answers have"
        notes.say(f"{path}: {len(found):,} {are} spans that overlap, the first is on {name}.")
