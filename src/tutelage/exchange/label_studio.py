"""Files of Label Studio: tasks in JSON, and the flat exports JSON_MIN, CSV and TSV, which have a row an annotation.

Offsets count characters; older versions counted UTF-16 units, and a span's own text then shows it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from xml.sax.saxutils import quoteattr

from tutelage.data.errors import DataError
from tutelage.exchange.items import item_key, record_of
from tutelage.exchange.offsets import CHARACTERS, UTF_16, in_text
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
from tutelage.tables.exports.label_studio import ABOUT, FLAT
from tutelage.tables.exports.label_studio import SKIPPED as CANCELLED
from tutelage.tables.exports.label_studio_values import CHOICES, SPANS, TEXT, kind_of, unit_of
from tutelage.tables.exports.write import MODEL
from tutelage.tables.notes import UNHEARD, Notes

LABEL, STATE, NOTE, ROW = "label", "state", "note", "row"
"""Names of our controls, of the label, of the answer's state and of the note; and the key of an item's row in data."""
LOCAL = "/data/local-files/"
"""Beginning of the address of a file on the tool's own machine."""
Values = list[Mapping[str, Any]]
"""Values of an annotation in one control."""


def is_row(row: Mapping[str, Any]) -> bool:
    """Whether a row is a task, or one of a flat export."""
    return isinstance(row.get("data"), dict) or row.keys() >= FLAT


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
    flat = rows[0].value.keys() >= FLAT
    return (_of_flat if flat else _of_tasks)(rows, path, how, notes)


def _of_tasks(rows: Sequence[Row], path: Path, how: How, notes: Notes) -> list[Record]:
    for row in rows:
        _require_task(row)
    controls = _controls([result for row in rows for one in _every(row) for result in one["result"] or []])
    control = _chosen(controls, path, how, notes)
    of_spans = controls.get(control) == SPANS or (control not in controls and how.spans)
    key = item_key(path, [row.value["data"] for row in rows], {ROW}, how)
    counts: Counter[str] = Counter()
    together = Together()
    for row in rows:
        data = row.value["data"]
        plain = record_of(row, data, key, id_in(data.get(ROW)), _path)
        given = [one for one in _annotations(row) if isinstance(one, dict)]
        true = [one for one in given if one.get("ground_truth") and not _cancelled(one)]
        counts["beside a ground truth"] += len(given) - len(true or given)
        answers = tuple(_answer(row, one, control, of_spans, plain) for one in true or given)
        suggestion = _suggestion(row, control, of_spans, plain)
        together.add(row.place, _with(plain, answers, suggestion))
    for why, number in counts.items():
        if number:
            notes.say(f"{path}: not taken: {number:,} annotations {why}.")
    return together.all()


def _require_task(row: Row) -> None:
    if not isinstance(row.value.get("data"), dict):
        raise row.fault(f"a task of Label Studio has 'data', an object, as the first has, but this has {_keys(row)}")
    for one in _every(row):
        results = one.get("result")
        if not isinstance(results, list | None) or not all(isinstance(result, dict) for result in results or []):
            raise row.fault("'result' of an annotation must be a list of objects")


def _keys(row: Row) -> str:
    return brief(", ".join(map(repr, row.value))) or "nothing"


def _annotations(row: Row) -> Sequence[Any]:
    return row.value.get("annotations") or row.value.get("completions") or []


def _every(row: Row) -> Iterator[Mapping[str, Any]]:
    """Annotations and predictions of a task, of which some exports have numbers alone."""
    for key in ("annotations", "completions", "predictions"):
        found = row.value.get(key) or []
        if not isinstance(found, list):
            raise row.fault(f"{key!r} must be a list")
        for one in found:
            if isinstance(one, dict):
                yield one if "result" in one else {**one, "result": []}


def _controls(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What each control holds, by its name, without those of states and notes."""
    found: dict[str, str] = {}
    for result in results:
        value, name = result.get("value"), str(result.get("from_name"))
        if isinstance(value, dict) and not result.get("parentID") and not _is_beside(name, value):
            found.setdefault(name, kind_of(value))
    return found


def _is_beside(name: str, value: Mapping[str, Any]) -> bool:
    """Whether a value is a state or a note beside the label."""
    states = value.get("choices")
    return kind_of(value) == TEXT or (name == STATE and isinstance(states, list) and set(states) <= {UNSURE, NONE})


def _chosen(controls: Mapping[str, str], path: Path, how: How, notes: Notes) -> str:
    """Name of the control whose values are the labels."""
    read = [name for name, kind in controls.items() if kind in (CHOICES, SPANS)]
    for name, kind in controls.items():
        if name not in read:
            notes.say(f"{path}: not read: values of {name!r} ({kind}).")
    if how.question is not None:
        if how.question not in read and controls:
            raise DataError(f"{path}: no control {how.question!r} with choices or spans; it has {_listed(read)}")
        return how.question
    if len(read) > 1:
        raise DataError(f"{path}: it has the controls {_listed(read)}; name the one to read by --question")
    return read[0] if read else LABEL


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names)) or "none"


def _cancelled(one: Mapping[str, Any]) -> bool:
    return any(one.get(key) for key in CANCELLED)


def _answer(row: Row, one: Mapping[str, Any], control: str, of_spans: bool, item: Record) -> Answer:
    results = [result for result in one.get("result") or [] if isinstance(result.get("value"), dict)]
    values = [result["value"] for result in results if result.get("from_name") == control]
    states = [result["value"].get("choices") for result in results if result.get("from_name") == STATE]
    lines = [line for result in results if _is_note(result) for line in _lines(result["value"]["text"])]
    abouts = [result["meta"] for result in results if isinstance(result.get("meta"), dict)]
    lines += [line for about in abouts for line in _lines(about.get("text"))]
    label = _label(row, values, of_spans, item)
    return _made(row, label, "" if not states else "".join(states[0] or []), {
        "annotator": _who(one.get("completed_by")), "seconds": seconds_in(row, one.get("lead_time")),
        "time": time_in(row, one.get("created_at")), "note": "\n".join(lines),
    }, _cancelled(one), of_spans)  # fmt: skip


def _is_note(result: Mapping[str, Any]) -> bool:
    return kind_of(result["value"]) == TEXT and not result.get("parentID")


def _made(
    row: Row, label: Label | None, state: str, rest: Mapping[str, Any], cancelled: bool, of_spans: bool
) -> Answer:  # fmt: skip
    """An answer, whose state is told by a control of ours, or by what is missing."""
    if cancelled:
        return Answer(None, state=SKIPPED, **rest)
    if state == UNSURE:
        return Answer(label or None, state=UNSURE, **rest)
    if state == NONE or (not label and not of_spans):
        return Answer(None, state=NONE, **rest)
    return Answer(label or (), state=GIVEN, **rest)


def _lines(found: Any) -> list[str]:
    return [str(line) for line in (found if isinstance(found, list) else [found]) if line is not None]


def _who(annotator: Any) -> str:
    if isinstance(annotator, dict):
        annotator = annotator.get("email") or annotator.get("id")
    return "" if annotator is None else str(annotator)


def _label(row: Row, values: Sequence[Mapping[str, Any]], of_spans: bool, item: Record) -> Label:
    """Label that values of a control make; empty where there is none."""
    if not of_spans:
        return tuple(sorted({name for value in values for name in _choices(row, value)}))
    return tuple(sorted({span for value in values for span in _spans(row, value, item)}))


def _choices(row: Row, value: Mapping[str, Any]) -> tuple[str, ...]:
    found = value.get("choices", value.get("taxonomy"))
    parts = found if isinstance(found, list) else [found]
    return names_in(row, ["/".join(map(str, part)) if isinstance(part, list) else part for part in parts])


def _spans(row: Row, value: Mapping[str, Any], item: Record) -> tuple[Span, ...]:
    if kind_of(value) != SPANS or not isinstance(value["labels"], list):
        raise row.fault(f"a span needs a whole start and end and labels, got {brief(json.dumps(value))}")
    unit = UTF_16 if unit_of(value, {"text": item.item}) == "utf-16" else CHARACTERS
    spans = [Span(value["start"], value["end"], name_in(row, name)) for name in value["labels"]]
    return in_text(row, item.item, spans, unit)


def _suggestion(row: Row, control: str, of_spans: bool, item: Record) -> Suggestion | None:
    """The last prediction of a task; None where it has none in the control, or only numbers of some."""
    for one in reversed([one for one in row.value.get("predictions") or [] if isinstance(one, dict)]):
        results = [result for result in one.get("result") or [] if isinstance(result.get("value"), dict)]
        values = [result["value"] for result in results if result.get("from_name") == control]
        if values or of_spans:
            return Suggestion(_label(row, values, of_spans, item), probability_in(one.get("score")))
    return None


def _with(record: Record, answers: tuple[Answer, ...], suggestion: Suggestion | None = None) -> Record:
    return Record(record.text, record.image, record.id, answers, suggestion)


# flat exports


def _of_flat(rows: Sequence[Row], path: Path, how: How, notes: Notes) -> list[Record]:
    for row in rows:
        if not row.value.keys() >= FLAT:
            missing = ", ".join(map(repr, sorted(FLAT - row.value.keys())))
            raise row.fault(f"a row of this export of Label Studio has {missing}, as the first has; this has not")
    cells = [{name: _decoded(row, cell) for name, cell in row.value.items() if name not in ABOUT} for row in rows]
    control = _flat_control(cells, path, how)
    known = {ROW, "id", "source", STATE, NOTE, control}
    key = item_key(path, [{k: v for k, v in row.items() if k not in known} for row in cells], set(), how)
    values = [value for row in cells for value in _values(row.get(control))]
    of_spans = any(kind_of(value) == SPANS for value in values) or (not values and how.spans)
    together = Together()
    for row, cell in zip(rows, cells, strict=True):
        plain = record_of(row, cell, key, id_in(cell.get(ROW)), _path)
        together.add(row.place, _with(plain, tuple(_flat_answer(row, cell, control, of_spans, plain))))
    return together.all()


def _decoded(row: Row, cell: Any) -> Any:
    """Values that a cell of CSV holds as JSON; else the cell, and None for an empty one."""
    if row.flat and isinstance(cell, str) and cell[:1] in ("[", "{") and cell[-1:] in ("]", "}"):
        try:
            found = json.loads(cell)
        except (ValueError, RecursionError):
            return cell
        return found if _values(found) else cell
    return None if cell == "" else cell


def _values(cell: Any) -> Values:
    """Values that a cell holds; none where it holds anything else."""
    parts = cell if isinstance(cell, list) else [cell]
    return parts if parts and all(isinstance(part, dict) for part in parts) else []


def _flat_control(cells: Sequence[Mapping[str, Any]], path: Path, how: How) -> str:
    names = list(dict.fromkeys(name for row in cells for name in row))
    if how.question is not None:
        if how.question not in names:
            raise DataError(f"{path}: no column {how.question!r}; it has {_listed(names)}")
        return how.question
    found = [
        name for name in names
        if any(kind_of(value) in (CHOICES, SPANS) for row in cells for value in _values(row.get(name)))
    ]  # fmt: skip
    if not found and LABEL in names:
        return LABEL
    if len(found) != 1:
        which = f"the controls {_listed(found)}" if found else f"the columns {_listed(names)}"
        raise DataError(f"{path}: it has {which}; name the one that holds the labels by --question")
    return found[0]


def _flat_answer(
    row: Row, cells: Mapping[str, Any], control: str, of_spans: bool, item: Record
) -> Iterator[Answer]:  # fmt: skip
    if row.value["annotation_id"] in (None, ""):
        return
    cell, state = cells.get(control), cells.get(STATE)
    values = [{"choices": [cell]}] if cell is not None and not _values(cell) else _values(cell)
    label = _label(row, values, of_spans, item)
    note = cells.get(NOTE)
    yield _made(row, label, state if isinstance(state, str) else "", {
        "annotator": _who(row.value["annotator"] or None), "seconds": seconds_in(row, row.value["lead_time"]),
        "time": time_in(row, row.value["created_at"]), "note": note if isinstance(note, str) else "",
    }, False, of_spans)  # fmt: skip


# writing


def write(records: Sequence[Record], path: Path, question: Question | None = None, notes: Notes = UNHEARD) -> None:
    """Write tasks, as the tool's Import takes them.

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
    write_json((_task(record, question) for record in records), path)


def _task(record: Record, question: Question) -> dict[str, Any]:
    data = {"image": _address(record.image)} if record.image is not None else {"text": record.text}
    task: dict[str, Any] = {"data": data | ({ROW: record.id} if record.id else {})}
    if record.answers:
        task["annotations"] = [_annotation(answer, record, question) for answer in record.answers]
    if record.suggestion is not None:
        result = _results(record.suggestion.label, record, question)
        score = {} if record.suggestion.probability is None else {"score": record.suggestion.probability}
        task["predictions"] = [{"model_version": MODEL, **score, "result": result}]
    return task


def _annotation(answer: Answer, record: Record, question: Question) -> dict[str, Any]:
    to = "image" if question.image else "text"
    results = _results(answer.label or (), record, question)
    if answer.state in (UNSURE, NONE):
        results.append(_result("choices", {"choices": [answer.state]}, STATE, to))
    if answer.note:
        results.append(_result("textarea", {"text": [answer.note]}, NOTE, to))
    found: dict[str, Any] = {"result": results, "was_cancelled": answer.state == SKIPPED, "ground_truth": False}
    if answer.annotator:
        found["completed_by"] = _user(answer.annotator)
    if answer.seconds is not None:
        found["lead_time"] = answer.seconds
    if answer.time is not None:
        found["created_at"] = answer.time.isoformat()
    return found


def _user(name: str) -> int | dict[str, str]:
    """A user as the tool's import takes it: a number, or an object with the e-mail address."""
    return int(name) if name.isascii() and name.isdigit() and str(int(name)) == name else {"email": name}


def _results(label: Label, record: Record, question: Question) -> list[dict[str, Any]]:
    to = "image" if question.image else "text"
    if not question.spans:
        return [_result("choices", {"choices": list(label)}, LABEL, to)] if label else []
    spans = [part for part in label if isinstance(part, Span)]
    return [
        _result("labels", {"start": span.start, "end": span.end, "text": record.item[span.start : span.end],
                           "labels": [span.type]}, LABEL, to) | {"id": f"{number}"}
        for number, span in enumerate(spans)
    ]  # fmt: skip


def _result(kind: str, value: Mapping[str, Any], name: str, to: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": to, "type": kind, "value": value}


def _address(image: str | None) -> str | None:
    """Address by which the tool shows a file of its machine; other paths and addresses stay.

    The part behind ``?d=`` is below the folder LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT, which is then "/".
    """
    if image is None or not Path(image).is_absolute():
        return image
    return f"{LOCAL}?d={quote(Path(image).as_posix().lstrip('/'))}"


def _path(address: str) -> str:
    """Path that an address of a file on the tool's machine stands for; other addresses stay.

    >>> _path("/data/local-files/?d=pets/a%20b.png"), _path("https://example.org/a.png")
    ('/pets/a b.png', 'https://example.org/a.png')
    """
    if not address.startswith(LOCAL):
        return address
    found = parse_qs(urlsplit(address).query).get("d", [""])[0]
    return found if found[1:2] == ":" else f"/{found}"


def settings(question: Question) -> str:
    """The labelling interface in XML, for the project's settings.

    >>> print(settings(Question(("food", "sport"))))
    <View>
      <Text name="text" value="$text"/>
      <Choices name="label" toName="text" choice="single" showInline="true">
        <Choice value="food"/>
        <Choice value="sport"/>
      </Choices>
      <Choices name="state" toName="text" choice="single" showInline="true">
        <Choice value="unsure"/>
        <Choice value="none of these"/>
      </Choices>
      <TextArea name="note" toName="text" placeholder="note"/>
    </View>
    <BLANKLINE>
    """
    to = "image" if question.image else "text"
    item = '<Image name="image" value="$image"/>' if question.image else '<Text name="text" value="$text"/>'
    choice = f'toName="{to}" choice="{"multiple" if question.several else "single"}" showInline="true"'
    opened = f'<Labels name="{LABEL}" toName="{to}">' if question.spans else f'<Choices name="{LABEL}" {choice}>'
    outer, inner = ("Labels", "Label") if question.spans else ("Choices", "Choice")
    states = (UNSURE,) if question.spans else (UNSURE, NONE)
    lines = [
        item, opened, *(f"  <{inner} value={quoteattr(name)}/>" for name in question.names), f"</{outer}>",
        f'<Choices name="{STATE}" toName="{to}" choice="single" showInline="true">',
        *(f'  <Choice value="{state}"/>' for state in states), "</Choices>",
        f'<TextArea name="{NOTE}" toName="{to}" placeholder="note"/>',
    ]  # fmt: skip
    return "\n".join(["<View>", *(f"  {line}" for line in lines), "</View>", ""])
