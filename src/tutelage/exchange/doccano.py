"""Files of doccano: JSONL of texts or images with classes, or of texts with spans, of all versions, and CSV.

The page counts offsets in UTF-16 units, as its browser does (doccano issue 2290), unless the project counts grapheme
clusters, which is not read. An export has no annotators, times or suggestions; what a row brought along comes back with
it, so that these stand in columns of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tutelage.data.errors import DataError
from tutelage.exchange.items import item_key, record_of
from tutelage.exchange.offsets import UTF_16, Counted, in_text, in_utf16
from tutelage.exchange.records import (
    GIVEN,
    STATES,
    UNSURE,
    Answer,
    Label,
    Question,
    Record,
    Span,
    Suggestion,
    Together,
)
from tutelage.exchange.rows import (
    USUAL,
    How,
    Row,
    id_in,
    name_in,
    names_in,
    probability_in,
    seconds_in,
    time_in,
    write_lines,
)
from tutelage.tables.cells import brief
from tutelage.tables.exports.doccano import FILE, LABELS, MARKS, SHAPES, joined_labels
from tutelage.tables.exports.made import have
from tutelage.tables.exports.spans import are_spans, span_of
from tutelage.tables.notes import UNHEARD, Notes

TEXT, LABEL, ROW = "text", "label", "row"
"""Columns of the texts, of the labels as they are written now, and of the rows of the table that items come from."""
STATE, ANNOTATOR, SECONDS, TIME, NOTE, GUESS, SCORE = (
    "state", "annotator", "seconds", "time", "note", "guess", "guess_probability"
)  # fmt: skip
"""Columns for which the tool has no place of its own."""
TOGETHER = ("all", "unknown")
"""Names of files in a zip that are of no user: those of a project whose users share labels, and of rows without any."""
COMMENTS = "Comments"
"""Column of the comments in an export."""


def is_row(row: Mapping[str, Any]) -> bool:
    """Whether a row is the tool's: it has an item, and labels or another column of the tool."""
    return bool(row.keys() & {TEXT, FILE}) and bool(row.keys() & {*LABELS, *SHAPES, *MARKS})


def read(rows: Sequence[Row], path: Path, how: How = USUAL, notes: Notes = UNHEARD) -> list[Record]:
    """Records of an export.

    Args:
        rows: rows of the file.
        path: the file, for messages.
        how: how it is read, where it does not tell.
        notes: takes what is noticed.

    Raises:
        DataError: a row cannot be read; the message names it.
    """
    for row in rows:
        if not is_row(row.value):
            there = brief(", ".join(map(repr, row.value))) or "nothing"
            raise row.fault(f"a row of doccano has {TEXT!r} or {FILE!r} and its labels, but this has {there}")
    labels = _column(rows, path, how)
    key = item_key(path, [row.value for row in rows], {labels, ROW}, how)
    cells = [_cell(row, labels) for row in rows]
    guesses = [_guess(row) for row in rows]
    of_spans = are_spans([*cells, *guesses]) or (how.spans and not any([*cells, *guesses]))
    parts = joined_labels([row.value for row in rows]) if rows[0].flat else {}
    items = [record_of(row, row.value, key, id_in(row.value.get(ROW))) for row in rows]
    counted = Counted(UTF_16, how.offsets)
    if of_spans:
        for row, item, cell, guess in zip(rows, items, cells, guesses, strict=True):
            counted.see(item.item, [*_raw(row, cell), *_raw(row, guess)])
        counted.say(path, notes)
    together, empty = Together(), 0
    for row, item, cell, guess in zip(rows, items, cells, guesses, strict=True):
        reader = _Reader(row, item, of_spans, counted.unit, parts)
        empty += cell == [] and STATE not in row.value
        score = probability_in(row.value.get(SCORE))
        suggestion = None if guess is None else Suggestion(reader.label(guess) or (), score)
        together.add(row.place, Record(item.text, item.image, item.id, tuple(reader.answers(cell)), suggestion))
    if empty:
        notes.say(
            f"{path}: {have(empty, 'row', 'rows')} an empty list of labels, and doccano does not tell whether somebody "
            "looked: such a row counts as not answered."
        )
    return together.all()


def _column(rows: Sequence[Row], path: Path, how: How) -> str:
    """Name of the column of labels."""
    there = [name for name in LABELS if any(row.value.get(name) for row in rows)]
    there = there or [name for name in LABELS if any(name in row.value for row in rows)]
    named = ", ".join(map(repr, there)) or "none"
    if how.question is not None:
        if there and how.question not in there:
            raise DataError(f"{path}: no column {how.question!r} of labels; it has {named}")
        return how.question
    if not there and any(row.value.get(name) for row in rows for name in SHAPES):
        raise DataError(f"{path}: boxes and segments of images are not exchanged; classes and spans are")
    if len(there) > 1:
        raise DataError(f"{path}: it has the columns of labels {named}; name the one to read by --question")
    return there[0] if there else LABEL


def _cell(row: Row, name: str) -> Any:
    cell = row.value.get(name)
    if cell is None or (row.flat and cell == ""):
        return None
    if not isinstance(cell, list) and not (row.flat and isinstance(cell, str)):
        raise row.fault(f"{name!r} must be a list of labels, got {brief(json.dumps(cell))}")
    return cell


def _guess(row: Row) -> Any:
    found = row.value.get(GUESS)
    return found if isinstance(found, list) else None


def _raw(row: Row, cell: Any) -> list[Span]:
    """Spans as the file counts them."""
    found = [(part, span_of(part)) for part in cell] if isinstance(cell, list) else []
    for part, span in found:
        if span is None:
            raise row.fault(f"a span is [start, end, label] or an object with these, got {brief(json.dumps(part))}")
    return [Span(span[0], span[1], name_in(row, span[2])) for _, span in found if span is not None]


class _Reader:
    """Reads the answers of one row."""

    def __init__(self, row: Row, item: Record, of_spans: bool, unit: str, parts: Mapping[str, list[str]]) -> None:
        self.row, self.item, self.of_spans, self.unit, self.parts = row, item, of_spans, unit, parts

    @property
    def member(self) -> str:
        """Name of the user whose labels alone are in the row's file: doccano's zip has a file for each."""
        return "" if self.row.member in TOGETHER else self.row.member

    def label(self, cell: Any) -> Label:
        """Label of a cell; empty where there is none."""
        if self.of_spans:
            return in_text(self.row, self.item.item, _raw(self.row, cell), self.unit)
        if isinstance(cell, str):
            return names_in(self.row, self.parts.get(cell, [cell]))
        return names_in(self.row, [_named(self.row, part) for part in cell])

    def answers(self, cell: Any) -> Iterator[Answer]:
        """Answers of all users, where the labels have users; else one."""
        about = self.row.value
        state = about.get(STATE) or ""
        if state and state not in STATES:
            raise self.row.fault(f"{STATE!r} must be one of {', '.join(STATES)}, got {state!r}")
        users = list(dict.fromkeys(_user(part) for part in cell)) if isinstance(cell, list) else [""]
        for user in users or [""]:
            own = [part for part in cell if _user(part) == user] if isinstance(cell, list) else cell
            label = self.label(own) if own else () if self.of_spans and state == GIVEN else None
            if label is None and state in ("", GIVEN):
                continue
            said = state if label is None or state == UNSURE else GIVEN
            yield Answer(
                label, user or str(about.get(ANNOTATOR) or self.member), said,
                seconds_in(self.row, about.get(SECONDS)), time_in(self.row, about.get(TIME)), self._note(),
            )  # fmt: skip

    def _note(self) -> str:
        comments = self.row.value.get(COMMENTS)
        lines = comments if isinstance(comments, list) else [comments]
        texts = [line.get("text") if isinstance(line, dict) else line for line in lines]
        return "\n".join(str(line) for line in [*texts, self.row.value.get(NOTE)] if line)


def _named(row: Row, part: Any) -> Any:
    """Name of a label, which has a number alone in the oldest form."""
    name = part.get("label") if isinstance(part, dict) else part
    if isinstance(name, int) and not isinstance(name, bool) and isinstance(part, dict):
        raise row.fault(
            f"the label {name} is a number, whose name this form of the export lacks; export JSONL (Text-Labels)"
        )
    return name


def _user(part: Any) -> str:
    user = part.get("user") if isinstance(part, dict) else None
    return "" if user is None else str(user)


# writing


def write(records: Sequence[Record], path: Path, question: Question | None = None, notes: Notes = UNHEARD) -> None:
    """Write JSONL, as the tool's import of a dataset takes it; an item with several answers has a row for each.

    Args:
        records: the records.
        path: file to write, which must not be there.
        question: the question; None is that which the records answer.
        notes: takes what is noticed.

    Raises:
        FileExistsError: the file is there.
        ValueError: the records are not of one project.
    """
    question = question or Question.of(records)
    if question.image:
        notes.say(
            f"{path}: doccano takes in images as files alone: upload these; its export is read by the files' names."
        )
    write_lines((row for record in records for row in _rows(record)), path)


def _rows(record: Record) -> Iterator[dict[str, Any]]:
    about: dict[str, Any] = {ROW: record.id} if record.id else {}
    if record.suggestion is not None:
        about |= {GUESS: _value(record.suggestion.label, record), SCORE: record.suggestion.probability}
    item = {FILE: record.image} if record.image is not None else {TEXT: record.text}
    for answer in record.answers or (None,):
        label = () if answer is None or answer.label is None else answer.label
        yield item | {LABEL: _value(label, record)} | about | ({} if answer is None else _about(answer))


def _about(answer: Answer) -> dict[str, Any]:
    time = None if answer.time is None else answer.time.isoformat()
    known = {ANNOTATOR: answer.annotator, SECONDS: answer.seconds, TIME: time, NOTE: answer.note}
    return {STATE: answer.state} | {name: value for name, value in known.items() if value not in (None, "")}


def _value(label: Label, record: Record) -> list[Any]:
    parts = [in_utf16(record.item, part) if isinstance(part, Span) else part for part in label]
    return [[part.start, part.end, part.type] if isinstance(part, Span) else part for part in parts]


def settings(question: Question) -> str:
    r"""The names of the labels, as the tool's import of labels takes them.

    >>> settings(Question(("food",)))
    '[{"text": "food"}]\n'
    """
    return json.dumps([{"text": name} for name in question.names]) + "\n"
