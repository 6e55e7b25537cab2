"""Files of Prodigy: JSONL with a task a line, and its answer: accept, reject or ignore. Offsets count characters."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tutelage.data.errors import DataError
from tutelage.exchange.items import item_key, record_of
from tutelage.exchange.offsets import CHARACTERS, in_text
from tutelage.exchange.records import (
    GIVEN,
    NONE,
    SKIPPED,
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
from tutelage.tables.exports.prodigy import ANSWERS, CHOSEN, HASHES, LABEL, SPANS
from tutelage.tables.exports.spans import span_of
from tutelage.tables.notes import UNHEARD, Notes

ANSWER, OPTIONS, META, VIEW = "answer", "options", "meta", "_view_id"
"""Keys of a task: the answer, what may be chosen, what the card shows in its corner, and the interface."""
WHO, SESSION, TIME, INPUT = "_annotator_id", "_session_id", "_timestamp", "_input_hash"
"""Keys that the tool gives to an answered task: the annotator, the session, seconds since 1970, and the item's hash."""
ROW, SECONDS, STATE, NOTE, GUESS, SCORE = "row", "seconds", "state", "note", "guess", "score"
"""Keys of ours, for which the tool has none; it keeps what a task brings along."""
ACCEPT, REJECT, IGNORE = ANSWERS
"""The answers."""


def is_row(row: Mapping[str, Any]) -> bool:
    """Whether a row is a task of the tool: it is answered, has a hash or a view, or options."""
    return row.get(ANSWER) in ANSWERS or bool(row.keys() & {*HASHES, VIEW, OPTIONS})


def read(rows: Sequence[Row], path: Path, how: How = USUAL, notes: Notes = UNHEARD) -> list[Record]:
    """Records of a data set, in which the tasks of one input come together.

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
            raise row.fault(
                f"a task of Prodigy has {ANSWER!r}, a hash or {OPTIONS!r}, as the first has; this has {there}"
            )
        if row.value.get(ANSWER) is not None and row.value[ANSWER] not in ANSWERS:
            raise row.fault(f"{ANSWER!r} must be {', '.join(ANSWERS)}, got {brief(json.dumps(row.value[ANSWER]))}")
    held = _held(rows, path, how)
    key = item_key(path, [row.value for row in rows], _BESIDE, how)
    together, binary = Together(), _Binary()
    for row in rows:
        meta = row.value.get(META)
        name = id_in(meta.get(ROW)) if isinstance(meta, dict) else ""
        item = record_of(row, row.value, key, name)
        answer = _answer(row, item, held)
        if held == LABEL and answer is not None:
            binary.add(row, item, answer)
            answer = None
        answers = () if answer is None else (answer,)
        together.add(row.place, Record(item.text, item.image, item.id, answers, _suggestion(row, item, held)))
    for place, record in binary.records():
        together.add(place, record)
    return together.all()


_BESIDE = {
    ANSWER, OPTIONS, META, VIEW, WHO, SESSION, LABEL, CHOSEN, SPANS, NOTE, STATE, "html", "_block_type"
}  # fmt: skip
"""Keys of a task that hold no item."""


def _held(rows: Sequence[Row], path: Path, how: How) -> str:
    """Which key holds the labels: that of the choices, of the spans, or of the one label that was asked for."""
    allowed = (CHOSEN, SPANS, LABEL)
    if how.question is not None:
        if how.question not in allowed:
            raise DataError(f"{path}: --question of a file of Prodigy must be one of {', '.join(allowed)}")
        return how.question
    if any(OPTIONS in row.value or isinstance(row.value.get(CHOSEN), list) for row in rows):
        return CHOSEN
    if any(isinstance(row.value.get(LABEL), str) for row in rows):
        return LABEL
    if any(_is_shape(span) for row in rows for span in _list(row.value.get(SPANS))):
        raise DataError(f"{path}: shapes in images are not exchanged; classes and spans of texts are")
    return SPANS


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_shape(span: Any) -> bool:
    return isinstance(span, dict) and "points" in span and "start" not in span


def _answer(row: Row, item: Record, held: str) -> Answer | None:
    """Answer of a task; None where it has none. A rejected choice is none of those that were offered."""
    given = row.value.get(ANSWER)
    if given is None:
        return None
    label = _label(row, item, held) if given == ACCEPT else None
    state = _state(row, given, held, label)
    who = row.value.get(WHO) or row.value.get(SESSION)
    note = row.value.get(NOTE)
    return Answer(
        label if state == GIVEN else label or None, "" if who is None else str(who), state,
        seconds_in(row, row.value.get(SECONDS)), time_in(row, row.value.get(TIME)),
        note if isinstance(note, str) else "",
    )  # fmt: skip


def _state(row: Row, given: str, held: str, label: Label | None) -> str:
    if row.value.get(STATE) == UNSURE:
        return UNSURE
    if given == IGNORE:
        return SKIPPED
    if given == REJECT or label is None:
        return SKIPPED if held == SPANS else NONE
    return GIVEN


def _label(row: Row, item: Record, held: str) -> Label | None:
    """Label that a task holds; None where it has none."""
    found = row.value.get(held)
    if held == SPANS:
        return in_text(row, item.item, _raw(row, found or []), CHARACTERS)
    if held == LABEL:
        return None if found is None else (name_in(row, found),)
    if found is not None and not isinstance(found, list):
        raise row.fault(f"{CHOSEN!r} must be a list of choices, got {brief(json.dumps(found))}")
    return names_in(row, [_named(row, chosen) for chosen in found]) if found else None


def _named(row: Row, chosen: Any) -> Any:
    """Name of a chosen option: its id, where that is a text, else the text that the option shows."""
    if isinstance(chosen, str):
        return chosen
    options = _list(row.value.get(OPTIONS))
    return next((one.get("text") for one in options if isinstance(one, dict) and one.get("id") == chosen), chosen)


def _raw(row: Row, found: Any) -> list[Span]:
    if not isinstance(found, list):
        raise row.fault(f"{SPANS!r} must be a list, got {brief(json.dumps(found))}")
    spans = []
    for part in found:
        span = span_of(part)
        if span is None:
            raise row.fault(f"a span has start, end and label, got {brief(json.dumps(part))}")
        spans.append(Span(span[0], span[1], name_in(row, span[2])))
    return spans


def _suggestion(row: Row, item: Record, held: str) -> Suggestion | None:
    """Our key of it; else what a task without an answer holds already."""
    guess = row.value.get(GUESS)
    if isinstance(guess, dict):
        label = _label(Row(row.place, {**row.value, held: guess.get(held)}), item, held)
        return None if label is None else Suggestion(label, probability_in(guess.get(SCORE)))
    if row.value.get(ANSWER) is not None or row.value.get(held) is None:
        return None
    label = _label(row, item, held)
    meta = row.value.get(META)
    score = probability_in(meta.get(SCORE)) if isinstance(meta, dict) else None
    return None if label is None else Suggestion(label, score)


class _Binary:
    """Answers to tasks that ask for one label each, of which those of an annotator to one input make one answer."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], tuple[Row, Record, list[Answer]]] = {}

    def add(self, row: Row, item: Record, answer: Answer) -> None:
        """Add the answer to a task."""
        key = str(row.value.get(INPUT) or item.item), answer.annotator
        self.found.setdefault(key, (row, item, []))[2].append(answer)

    def records(self) -> Iterator[tuple[str, Record]]:
        """Records of the answers, each with the place of its first task."""
        for row, item, answers in self.found.values():
            names = tuple(sorted({str(name) for one in answers if one.state == GIVEN for name in one.label or ()}))
            first = answers[0]
            state = GIVEN if names else next((s for s in (UNSURE, NONE) if any(a.state == s for a in answers)), SKIPPED)
            seconds = [one.seconds for one in answers if one.seconds is not None]
            answer = Answer(
                names or None, first.annotator, state, sum(seconds) if seconds else None, answers[-1].time,
                "\n".join(one.note for one in answers if one.note),
            )  # fmt: skip
            yield row.place, Record(item.text, item.image, item.id, (answer,))


# writing


def write(records: Sequence[Record], path: Path, question: Question | None = None, notes: Notes = UNHEARD) -> None:
    """Write tasks of the interface choice or ner_manual; an item with several answers has a task for each.

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
    write_lines((task for record in records for task in _tasks(record, question)), path)


def _tasks(record: Record, question: Question) -> Iterator[dict[str, Any]]:
    held = SPANS if question.spans else CHOSEN
    task: dict[str, Any] = {"image": record.image} if record.image is not None else {"text": record.text}
    if not question.spans:
        task[OPTIONS] = [{"id": name, "text": name} for name in question.names]
        task["config"] = {"choice_style": "multiple" if question.several else "single"}
    meta: dict[str, Any] = {ROW: record.id} if record.id else {}
    guess = record.suggestion
    if guess is not None:
        score = {} if guess.probability is None else {SCORE: guess.probability}
        task[GUESS] = {held: _value(guess.label), **score}
        meta |= score if not record.answers else {}
    task |= {META: meta} if meta else {}
    task[VIEW] = "ner_manual" if question.spans else "choice"
    if not record.answers:
        yield task if guess is None else {**task, held: _value(guess.label)}
    for answer in record.answers:
        yield {**task, held: _value(answer.label or ()), **_about(answer)}


def _value(label: Label) -> list[Any]:
    return [
        {"start": part.start, "end": part.end, "label": part.type} if isinstance(part, Span) else part for part in label
    ]


def _about(answer: Answer) -> dict[str, Any]:
    known = {GIVEN: ACCEPT, NONE: REJECT, SKIPPED: IGNORE, UNSURE: IGNORE if answer.label is None else ACCEPT}
    found: dict[str, Any] = {ANSWER: known[answer.state]}
    if answer.state == UNSURE:
        found[STATE] = UNSURE
    if answer.annotator:
        found |= {WHO: answer.annotator, SESSION: answer.annotator}
    if answer.time is not None:
        seconds = answer.time.timestamp()
        found[TIME] = int(seconds) if seconds.is_integer() else seconds
    if answer.seconds is not None:
        found[SECONDS] = answer.seconds
    return found | ({NOTE: answer.note} if answer.note else {})


def settings(question: Question) -> str:
    r"""The command that asks the question, with the names of the labels, for a shell.

    >>> settings(Question(("PER", "LOC"), spans=True))
    'prodigy ner.manual DATASET blank:en TASKS.jsonl --label PER,LOC\n'
    """
    if question.spans:
        return f"prodigy ner.manual DATASET blank:en TASKS.jsonl --label {shlex.quote(','.join(question.names))}\n"
    return "prodigy mark DATASET TASKS.jsonl --view-id choice\n"
