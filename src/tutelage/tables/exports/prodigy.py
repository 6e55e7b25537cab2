"""Exports of Prodigy: JSONL with an answer for each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tutelage.data.errors import DataError
from tutelage.tables.exports.made import Annotation, Item, Made, Told, each, made_of, many, one_label
from tutelage.tables.exports.spans import are_spans, spans_of

TOOL = "Prodigy"
"""Name of the tool."""
ANSWERS = ("accept", "reject", "ignore")
"""Answers that the tool knows."""
HASHES = {"_input_hash", "_task_hash"}
"""Keys that the tool gives to every task."""
LABEL, CHOSEN, SPANS = "label", "accept", "spans"
"""Keys that hold labels: the one that was asked for, those that were chosen among options, and spans."""
Row = Mapping[str, Any]
"""A task with its answer."""


def may_be(columns: frozenset[str], nested: bool) -> bool:
    """Whether columns may be the tool's."""
    return "answer" in columns or columns >= HASHES


def is_export(rows: Sequence[Any]) -> bool:
    """Whether rows are tasks: most have the tool's hashes, or each has one of its three answers and its labels."""
    if not all(isinstance(row, dict) for row in rows):
        return False
    known = [_is_answer(row.get("answer")) for row in rows]
    hashed = sum(row.keys() >= HASHES for row in rows)
    if 2 * hashed > len(rows) and 2 * sum(known) > len(rows):
        return True
    if not any(known) or not all(row.get("answer") is None or k for row, k in zip(rows, known, strict=True)):
        return False
    return hashed == len(rows) or all(row.get("answer") and row.keys() & {LABEL, CHOSEN, SPANS} for row in rows)


def _is_answer(answer: Any) -> bool:
    return isinstance(answer, str) and answer in ANSWERS


def of_rows(rows: Sequence[Row]) -> Made:
    """Table of tasks, in which those of one input come together, and only accepted ones have labels.

    Raises:
        DataError: an answer is none of the tool's; the message names its row.
    """
    for number, row in enumerate(rows, start=1):
        if row.get("answer") is not None and not _is_answer(row["answer"]):
            got = str(row["answer"])[:40]
            raise DataError(f"row {number}: an answer of {TOOL} is {' or '.join(ANSWERS)}, got {got!r}")
    kinds = _kinds(rows)
    two = _opposites(rows)
    inputs = _grouped(rows)
    items = each(lambda same: _item([rows[number] for number in same], kinds, two, same), inputs)
    return made_of(items, Told(TOOL, "input", "inputs", kinds, _phrases(rows, kinds, two, len(inputs))))


def _kinds(rows: Sequence[Row]) -> dict[str, str]:
    """What each key of labels holds."""
    found = {}
    if any(isinstance(row.get(LABEL), str) for row in rows):
        found[LABEL] = "the label that was accepted"
    if any(isinstance(row.get(CHOSEN), list) for row in rows):
        found[CHOSEN] = "choices"
    if are_spans([row.get(SPANS) for row in rows]):
        found[SPANS] = "spans"
    return found


def _opposites(rows: Sequence[Row]) -> tuple[str, ...]:
    """The two labels of which the answers show that one is right where the other is wrong; else empty.

    Inputs that were asked for both show it: each has one label accepted and the other rejected.
    """
    asked = _labels(rows, *ANSWERS)
    if len(asked) != 2:
        return ()
    by_input = [[rows[number] for number in same] for same in _grouped(rows)]
    answers = [(_labels(same, "accept"), _labels(same, "reject")) for same in by_input]
    both = [(right, wrong) for right, wrong in answers if {*right, *wrong} == set(asked)]
    opposite = all(len(right) == len(wrong) == 1 for right, wrong in both)
    return tuple(sorted(asked)) if both and opposite else ()


def _grouped(rows: Sequence[Row]) -> list[list[int]]:
    """Numbers of the tasks of each input, in the order of the inputs; a task without a hash is its own input."""
    found: dict[Any, list[int]] = {}
    for number, row in enumerate(rows):
        key = row.get("_input_hash")
        found.setdefault(number if key is None else str(key), []).append(number)
    return list(found.values())


def _labels(rows: Sequence[Row], *answers: str) -> list[str]:
    """Labels that got one of some answers, each once."""
    given = [row.get(LABEL) for row in rows if row.get("answer") in answers]
    return list(dict.fromkeys(label for label in given if isinstance(label, str) and label))


def _item(rows: Sequence[Row], kinds: Mapping[str, str], two: Sequence[str], numbers: Sequence[int]) -> Item:
    by_person: dict[str | None, list[Row]] = {}
    for row in rows:
        by_person.setdefault(_who(row), []).append(row)
    found = [Annotation(who, _labels_of(own, kinds, two)) for who, own in by_person.items()]
    given = [one for one in found if any(label is not None for label in one.labels.values())]
    answers = {row.get("answer") for row in rows}
    refused = next((f"answer {answer!r}" for answer in ("reject", "ignore") if answer in answers), "")
    cells = {name: cell for name, cell in rows[0].items() if name not in kinds}
    if "answer" in cells:
        cells["answer"] = next((answer for answer in ("accept", "reject") if answer in answers), None)
    return Item(cells, given, "" if given else refused, numbers)


def _who(row: Row) -> str | None:
    who = row.get("_annotator_id") or row.get("_session_id")
    return None if who is None else str(who)


def _labels_of(rows: Sequence[Row], kinds: Mapping[str, str], two: Sequence[str]) -> dict[str, Any]:
    """Labels that one person gave an input."""
    accepted = [row for row in rows if row.get("answer") == "accept"]
    labels: dict[str, Any] = {}
    for name in kinds:
        if name == LABEL:
            labels[name] = one_label(_labels(rows, "accept") or _other(rows, two))
        elif name == CHOSEN:
            chosen = [choice for row in accepted if isinstance(row.get(name), list) for choice in row[name]]
            labels[name] = one_label(list(dict.fromkeys(map(str, chosen))))
        else:
            spans = [span for row in accepted for span in spans_of(row.get(name)) or []]
            labels[name] = sorted({tuple(span): span for span in spans}.values()) if accepted else None
    return labels


def _other(rows: Sequence[Row], two: Sequence[str]) -> list[str]:
    """The other of two labels, where one was rejected."""
    rejected = _labels(rows, "reject")
    return [label for label in two if label not in rejected] if len(rejected) == 1 else []


def _phrases(rows: Sequence[Row], kinds: Mapping[str, str], two: Sequence[str], inputs: int) -> list[str]:
    said = []
    if inputs < len(rows):
        said.append(f"{many(len(rows), 'row', 'rows')} of the file are of {many(inputs, 'input', 'inputs')}")
    labels = {row[LABEL] for row in rows if isinstance(row.get(LABEL), str)}
    if len(labels) == 1 and any(row.get("answer") == "reject" for row in rows):
        said.append(f"{LABEL} is {labels.pop()!r} alone: to learn whether it is right, take --label answer")
    if two and any(_labels([row], "reject") for row in rows):
        said.append(f"a rejected {LABEL} counts as the other of {' and '.join(two)}, as inputs asked for both show")
    if SPANS in kinds and any(row.get("_view_id") == "ner" for row in rows):
        said.append("spans of the view ner were judged one by one: what lies outside them counts as no entity")
    if SPANS not in kinds and any(row.get(SPANS) for row in rows):
        said.append("not read: spans that are shapes in images")
    return said
