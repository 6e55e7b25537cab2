"""Files of Argilla 2: records in JSON, nested as `to_json` writes them or flat as on the Hub, in CSV too.

The page counts offsets in UTF-16 units, as its browser does, and so do these files; the server refuses a span that ends
behind the number of characters of its text (argilla issue 5729).
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tutelage.data.errors import DataError
from tutelage.exchange.items import item_key, record_of
from tutelage.exchange.offsets import UTF_16, Counted, in_text, in_utf16
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
    write_json,
)
from tutelage.tables.cells import brief
from tutelage.tables.exports.argilla import ANSWERS, NESTED, PROPOSED, Response, listed, responses
from tutelage.tables.exports.spans import are_spans, span_of
from tutelage.tables.exports.write import MODEL
from tutelage.tables.notes import UNHEARD, Notes

LABEL, STATE, NOTE = "label", "state", "note"
"""Names of our questions."""
MORE = "tutelage"
"""Key of the metadata in which stands what a record has no place for, as JSON: who answered, when, and how long."""
SPACE = uuid.UUID("1b4e28ba-2fa1-11d2-883f-0016d3cca427")
"""Namespace of the numbers of annotators whose names are none that the tool knows."""
FLAT = (f"{ANSWERS}.users", f"{PROPOSED}.agent")
"""Ends of the names of flat columns."""


def is_row(row: Mapping[str, Any]) -> bool:
    """Whether a row is a record, nested or flat."""
    return row.keys() >= NESTED or any(str(name).endswith(FLAT) for name in row)


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
    values = [_record(row) for row in rows]
    said = [list(responses(value)) for value in values]
    proposed = [_suggestions(value) for value in values]
    question = _question(said, proposed, path, how)
    given = [value for value in _values(said, proposed, question) if value is not None]
    of_spans = are_spans(given) or (how.spans and all(value == [] for value in given))
    cells = [_cells(value) for value in values]
    key = item_key(path, cells, {"id", "status", "_server_id"}, how)
    items = [
        record_of(row, cell, key, id_in(value.get("id")))
        for row, value, cell in zip(rows, values, cells, strict=True)
    ]  # fmt: skip
    counted = Counted(UTF_16, how.offsets)
    if of_spans:
        for row, item, each, of_model in zip(rows, items, said, proposed, strict=True):
            for value in _values([each], [of_model], question):
                counted.see(item.item, _raw(row, value))
        counted.say(path, notes)
    together = Together()
    for row, value, item, each, of_model in zip(rows, values, items, said, proposed, strict=True):
        reader = _Reader(row, item, question, of_spans, counted.unit)
        together.add(row.place, Record(
            item.text, item.image, item.id, reader.answers(each, _more(row, value)), reader.suggestion(of_model)
        ))  # fmt: skip
    return together.all()


def _record(row: Row) -> dict[str, Any]:
    if not is_row(row.value):
        raise row.fault(
            "a record of Argilla has 'fields', 'responses' and 'suggestions', or columns that end in .responses.users, "
            f"as the first has, but this has {brief(', '.join(map(repr, row.value))) or 'nothing'}"
        )
    if row.value.keys() >= NESTED:
        for name in sorted(NESTED):
            if not isinstance(row.value[name], dict):
                raise row.fault(f"{name!r} must be an object, got {brief(json.dumps(row.value[name]))}")
    return listed(row.value)


def _suggestions(value: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Value and score of the suggestion to each question."""
    if value.keys() >= NESTED:
        found = {name: one for name, one in value["suggestions"].items() if isinstance(one, dict)}
        return {name: (one.get("value"), one.get("score")) for name, one in found.items()}
    names = [name.removesuffix(PROPOSED) for name in value if name.endswith(PROPOSED)]
    return {name: (value[f"{name}{PROPOSED}"], value.get(f"{name}{PROPOSED}.score")) for name in names}


def _cells(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Cells among which the item is."""
    if value.keys() >= NESTED:
        fields: Mapping[str, Any] = value["fields"]
        return fields
    return {name: cell for name, cell in value.items() if ANSWERS not in name and PROPOSED not in name}


def _more(row: Row, value: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """What our metadata tell of each answer, by the number of its annotator."""
    within = value.get("metadata")
    text = within.get(MORE) if isinstance(within, dict) else value.get(MORE)
    if not isinstance(text, str):
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise row.fault(f"the metadata {MORE!r} are no JSON") from error
    return {str(name): one for name, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}


def _values(
    said: Iterable[Sequence[Response]], proposed: Iterable[Mapping[str, tuple[Any, Any]]], question: str
) -> list[Any]:  # fmt: skip
    found = [one.value for each in said for one in each if one.question == question]
    return found + [each[question][0] for each in proposed if question in each]


def _question(
    said: Sequence[Sequence[Response]], proposed: Sequence[Mapping[str, Any]], path: Path, how: How
) -> str:  # fmt: skip
    """Name of the question whose answers are the labels."""
    names = list(dict.fromkeys([*(one.question for each in said for one in each), *(n for e in proposed for n in e)]))
    listed_names = ", ".join(map(repr, names)) or "none"
    if how.question is not None:
        if names and how.question not in names:
            raise DataError(f"{path}: no question {how.question!r}; it has {listed_names}")
        return how.question
    rest = [name for name in names if name not in (STATE, NOTE)]
    if LABEL in rest or not rest:
        return LABEL
    if len(rest) > 1:
        raise DataError(f"{path}: it has the questions {listed_names}; name the one to read by --question")
    return rest[0]


def _raw(row: Row, value: Any) -> list[Span]:
    """Spans as the file counts them."""
    if value is None:
        return []
    spans = [span_of(part) for part in value] if isinstance(value, list) else [None]
    if None in spans:
        raise row.fault(f"spans must be a list of objects with start, end and label, got {brief(json.dumps(value))}")
    return [Span(span[0], span[1], name_in(row, span[2])) for span in spans if span is not None]


class _Reader:
    """Reads the answers of one record."""

    def __init__(self, row: Row, item: Record, question: str, of_spans: bool, unit: str) -> None:
        self.row, self.item, self.question, self.of_spans, self.unit = row, item, question, of_spans, unit

    def label(self, value: Any) -> Label | None:
        """Label of an answer's value."""
        if value is None or (value in ("", []) and not self.of_spans):
            return None
        if not self.of_spans:
            return names_in(self.row, value)
        return in_text(self.row, self.item.item, _raw(self.row, value), self.unit)

    def answers(
        self, said: Sequence[Response], more: Mapping[str, Mapping[str, Any]]
    ) -> tuple[Answer, ...]:  # fmt: skip
        """Answers of all annotators; of drafts none."""
        by_user: dict[str, dict[str, Response]] = {}
        for one in said:
            if one.question in (self.question, STATE, NOTE):
                by_user.setdefault(one.user or "", {})[one.question] = one
        return tuple(
            self._answer(user, given, more.get(user, {}))
            for user, given in by_user.items()
            if not any(one.status == "draft" for one in given.values())
        )

    def _answer(self, user: str, given: Mapping[str, Response], more: Mapping[str, Any]) -> Answer:
        label = self.label(given[self.question].value) if self.question in given else None
        state = str(given[STATE].value) if STATE in given else ""
        rest: dict[str, Any] = {
            "annotator": str(more.get("annotator", user)), "seconds": seconds_in(self.row, more.get("seconds")),
            "time": time_in(self.row, more.get("time")),
            "note": str(given[NOTE].value or "") if NOTE in given else "",
        }  # fmt: skip
        if any(one.status == "discarded" for one in given.values()):
            return Answer(None, state=SKIPPED, **rest)
        if label == (NONE,):
            return Answer(None, state=NONE, **rest)
        if state == UNSURE or label is None:
            return Answer(label, state=UNSURE if state == UNSURE else SKIPPED, **rest)
        return Answer(label, state=GIVEN, **rest)

    def suggestion(self, proposed: Mapping[str, tuple[Any, Any]]) -> Suggestion | None:
        """Suggestion to the question; None where there is none."""
        value, score = proposed.get(self.question, (None, None))
        label = self.label(value)
        if label is None:
            return None
        return Suggestion(label, probability_in(score if not isinstance(score, list) else min(score, default=None)))


# writing


def write(records: Sequence[Record], path: Path, question: Question | None = None, notes: Notes = UNHEARD) -> None:
    """Write records, as ``dataset.records.from_json`` takes them.

    Args:
        records: the records.
        path: file to write, which must not be there.
        question: the question; None is that which the records answer.
        notes: takes what is noticed.

    Raises:
        FileExistsError: the file is there.
        ValueError: the records are not of one project, or a class is called "none of these".
    """
    question = question or Question.of(records)
    if NONE in question.names:
        raise ValueError(f"a class must not be called {NONE!r}, which stands for no class; call it otherwise")
    _say_refused(records, path, notes)
    write_json((_written(record, question) for record in records), path)


def _say_refused(records: Sequence[Record], path: Path, notes: Notes) -> None:
    """Say of how many records the tool's server refuses a span."""
    refused = sum(
        any(isinstance(part, Span) and in_utf16(record.item, part).end > len(record.item) for part in label)
        for record in records for label in record.labels
    )  # fmt: skip
    if refused:
        notes.say(
            f"{path}: Argilla counts offsets in UTF-16 units and refuses {refused:,} labels whose spans then end "
            "behind their texts, which have emoji or rare signs; leave these rows out, or take another tool for them."
        )


def _written(record: Record, question: Question) -> dict[str, Any]:
    suggestions = {}
    if record.suggestion is not None:
        score = record.suggestion.probability
        value = _value(record.suggestion.label, record, question)
        suggestions[LABEL] = {"value": value, "score": score, "agent": MODEL, "type": "model"}
    users = _users(record.answers)
    given: dict[str, list[dict[str, Any]]] = {}
    for user, answer in zip(users, record.answers, strict=True):
        status = "discarded" if answer.state == SKIPPED else "submitted"
        for name, value in _answered(answer, record, question).items():
            given.setdefault(name, []).append({"value": value, "user_id": user, "status": status})
    return {
        "id": record.id or None, "fields": {"image" if record.image is not None else "text": record.item},
        "metadata": _told(users, record.answers), "suggestions": suggestions, "responses": given, "vectors": {},
        "status": "completed" if record.answers else "pending",
    }  # fmt: skip


def _answered(answer: Answer, record: Record, question: Question) -> dict[str, Any]:
    """Values of an answer by question."""
    found: dict[str, Any] = {}
    if answer.label is not None:
        found[LABEL] = _value(answer.label, record, question)
    elif answer.state == NONE:
        found[LABEL] = _value((NONE,), record, question)
    elif answer.state == SKIPPED:
        found[LABEL] = None
    if answer.state == UNSURE:
        found[STATE] = UNSURE
    return found | ({NOTE: answer.note} if answer.note else {})


def _value(label: Label, record: Record, question: Question) -> Any:
    if question.spans:
        spans = [in_utf16(record.item, part) for part in label if isinstance(part, Span)]
        return [{"start": span.start, "end": span.end, "label": span.type} for span in spans]
    return list(label) if question.several else label[0]


def _users(answers: Sequence[Answer]) -> list[str]:
    """Number of each answer's annotator, (n,): the tool gives each one answer a record."""
    seen: Counter[str] = Counter()
    found = []
    for answer in answers:
        name = answer.annotator
        own = _is_number(name) and not seen[name]
        found.append(name if own else str(uuid.uuid5(SPACE, f"{name} {seen[name]}" if seen[name] else name)))
        seen[name] += 1
    return found


def _is_number(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


def _told(users: Sequence[str], answers: Sequence[Answer]) -> dict[str, str]:
    """Metadata on answers, where the tool's own form has no place for what is known of them."""
    found = {}
    for user, answer in zip(users, answers, strict=True):
        time = None if answer.time is None else answer.time.isoformat()
        about = {"annotator": answer.annotator, "seconds": answer.seconds, "time": time}
        if about != {"annotator": user, "seconds": None, "time": None}:
            found[user] = about
    return {MORE: json.dumps(found)} if found else {}


def settings(question: Question) -> str:
    """The settings of a dataset, as ``rg.Settings.from_json`` takes them.

    >>> [each["name"] for each in json.loads(settings(Question(("food", "sport"))))["questions"]]
    ['label', 'state', 'note']
    """
    names = (*question.names, *(() if question.spans else (NONE,)))
    kind = "span" if question.spans else "multi_label_selection" if question.several else "label_selection"
    asked: dict[str, Any] = {"type": kind, "options": [_option(name) for name in names]}
    if question.spans:
        asked |= {"field": "text", "allow_overlapping": False}
    states = {"type": "label_selection", "options": [_option(UNSURE)]}
    item = "image" if question.image else "text"
    field = {"type": item} if question.image else {"type": item, "use_markdown": False}
    return json.dumps({
        "guidelines": None, "allow_extra_metadata": True, "vectors": [], "metadata": [], "mapping": None,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "fields": [{"name": item, "title": item, "required": True, "settings": field}],
        "questions": [
            {"name": LABEL, "title": LABEL, "required": True, "settings": asked},
            {"name": STATE, "title": STATE, "required": False, "settings": states},
            {"name": NOTE, "title": NOTE, "required": False, "settings": {"type": "text", "use_markdown": False}},
        ],
    }, indent=1) + "\n"  # fmt: skip


def _option(name: str) -> dict[str, str]:
    return {"value": name, "text": name}
