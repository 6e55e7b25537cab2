"""Exports of Argilla: records with fields, responses and suggestions, nested or flat, of versions 1 and 2."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from tutelage.tables.exports.made import Annotation, Item, Made, Told, each, made_of, many, one_label
from tutelage.tables.exports.spans import are_spans, spans_of

TOOL = "Argilla"
"""Name of the tool."""
RENAMED = "_labels"
"""End of the name of a question's column where a field has its name."""
NESTED = {"fields", "responses", "suggestions"}
"""Keys of a nested record."""
ANSWERS, PROPOSED = ".responses", ".suggestion"
"""Ends of the names of flat columns."""
PRINTED = re.compile(r"\barray\((.*?), dtype=\w+\)", re.DOTALL)
"""Pattern of an array in a list, as NumPy prints it."""
LONG = 20_000
"""Number of characters of a cell, at most, in which arrays as numpy prints them are looked for."""
BETWEEN = re.compile(r"('|\")\s+(?=['\"])")
"""Pattern of the blanks between texts of an array, which NumPy prints without commas."""
OLD = {"annotation", "prediction", "status"}
"""Keys of a record of version 1 that has one annotation."""
STATES = {"Default", "Edited", "Discarded", "Validated"}
"""States of such a record."""


@dataclass(frozen=True)
class Response:
    """What a person answered to one question.

    Attributes:
        question: name of the question.
        value: the answer.
        user: name or number of the person; None where the record has none.
        status: "submitted", "discarded" or "draft"; None where the record has none.
    """

    question: str
    value: Any
    user: str | None
    status: str | None


def may_be(columns: frozenset[str], nested: bool) -> bool:
    """Whether columns may be the tool's."""
    flat = any(name.endswith((f"{ANSWERS}.users", f"{PROPOSED}.agent", "-suggestion-metadata")) for name in columns)
    return columns >= NESTED or columns >= OLD or flat


def is_export(rows: Sequence[Any]) -> bool:
    """Whether rows are records: every one has the keys of one form, with values of the right types."""
    return all(isinstance(row, dict) and may_be(frozenset(row), True) and _is_sound(row) for row in rows)


def _is_sound(row: Mapping[str, Any]) -> bool:
    if row.keys() >= NESTED:
        return all(isinstance(row[key], dict) for key in NESTED)
    return not row.keys() >= OLD or str(row["status"]) in STATES


def of_rows(rows: Sequence[Mapping[str, Any]]) -> Made:
    """Table of records: their fields and metadata, and a column for each question that was answered."""
    rows = [listed(row) for row in rows]
    read = [list(responses(row)) for row in rows]
    taken = [[one for one in answers if (one.status or "submitted") == "submitted"] for answers in read]
    kinds = _kinds(read, taken)
    cells = [_cells(row) for row in rows]
    names = {name: f"{name}{RENAMED}" if any(name in row for row in cells) else name for name in kinds}
    items = each(lambda parts: _item(*parts, kinds, names), zip(cells, read, taken, strict=True))
    left = Counter(one.status for one in chain(*read)) - Counter(one.status for one in chain(*taken))
    more = [f"not taken: {many(n, f'{status} answer', f'{status} answers')}" for status, n in left.items()]
    unread = sorted({one.question for one in chain(*taken)} - kinds.keys())
    more += [f"not read: {', '.join(unread)}"] if unread else []
    if any(name.endswith(PROPOSED) for row in cells for name in row):
        more.append(f"suggestions are no labels; they are in the columns that end in {PROPOSED}")
    return made_of(items, Told(TOOL, "record", "records", {names[q]: kind for q, kind in kinds.items()}, more))


def listed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Row whose cells of answers are lists, also where a csv file writes them as texts."""
    return {name: _listed(name, cell) for name, cell in row.items()}


def responses(row: Mapping[str, Any]) -> Iterator[Response]:
    """Answers in a row, nested or flat."""
    if row.keys() >= NESTED:
        for question, answers in row["responses"].items():
            yield from _of_dicts(question, answers)
    elif row.keys() >= OLD and row["annotation"] is not None:
        status = "discarded" if row["status"] == "Discarded" else None
        yield Response("annotation", row["annotation"], _text(row.get("annotation_agent")), status)
    for name, answers in row.items():
        if name.endswith(ANSWERS) and isinstance(answers, list):
            people = _padded(row.get(f"{name}.users"), len(answers)), _padded(row.get(f"{name}.status"), len(answers))
            for value, user, status in zip(answers, *people, strict=True):
                yield Response(name.removesuffix(ANSWERS), value, _text(user), _text(status))
        elif f"{name}-suggestion" in row:
            yield from _of_dicts(name, answers)


def _of_dicts(question: str, answers: Any) -> Iterator[Response]:
    for one in answers if isinstance(answers, list) else []:
        if isinstance(one, dict):
            yield Response(question, one.get("value"), _text(one.get("user_id")), _text(one.get("status")))


def _listed(name: str, cell: Any) -> Any:
    """Cell of answers as a list, where a csv file writes it as Python and NumPy print it; other cells as they are.

    >>> _listed("topic.responses", "['food']"), _listed("ner.responses", "[array([{'start': 0}], dtype=object)]")
    (['food'], [[{'start': 0}]])
    """
    if not (isinstance(cell, str) and name.endswith((ANSWERS, f"{ANSWERS}.users", f"{ANSWERS}.status"))):
        return cell
    text = PRINTED.sub(r"\1", cell) if "array(" in cell and len(cell) <= LONG else BETWEEN.sub(r"\1, ", cell)
    try:
        found = ast.literal_eval(text.strip() or "[]")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return cell
    return found if isinstance(found, list) else cell


def _padded(cell: Any, length: int) -> list[Any]:
    given = cell[:length] if isinstance(cell, list) else []
    return given + [None] * (length - len(given))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _kinds(read: Sequence[Sequence[Response]], taken: Sequence[Sequence[Response]]) -> dict[str, str]:
    """What the answers to each question are; questions whose answers are rankings are not among them."""
    values: dict[str, list[Any]] = {one.question: [] for one in chain(*read)}
    for one in chain(*taken):
        values[one.question].append(one.value)
    spans = {question for question, found in values.items() if are_spans(found)}
    ranked = {question for question, found in values.items() if any(map(_has_dicts, found))} - spans
    return {question: "spans" if question in spans else "answers" for question in values if question not in ranked}


def _has_dicts(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(part, dict) for part in value))


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """Cells of a record that are no answers: fields and metadata; of a suggestion its value."""
    if row.keys() >= NESTED:
        suggested = {question: one for question, one in row["suggestions"].items() if isinstance(one, dict)}
        proposed = {f"{question}{PROPOSED}": one.get("value") for question, one in suggested.items()}
        about = {name: row[name] for name in ("id", "status") if name in row}
        metadata = row["metadata"] if isinstance(row.get("metadata"), dict) else {}
        return {**about, **row["fields"], **metadata, **proposed}
    answers = {name for name in row if name.endswith((ANSWERS, f"{ANSWERS}.users", f"{ANSWERS}.status"))}
    answers |= {name for name in row if f"{name}-suggestion" in row} | ({"annotation"} if row.keys() >= OLD else set())
    within = row["inputs"] if row.keys() >= OLD and isinstance(row.get("inputs"), dict) else {}
    return within | {
        name: cell for name, cell in row.items() if name not in answers and not (within and name == "inputs")
    }


def _item(
    cells: Mapping[str, Any], read: Sequence[Response], taken: Sequence[Response], kinds: Mapping[str, str],
    names: Mapping[str, str],
) -> Item:  # fmt: skip
    by_user: dict[str | None, dict[str, Any]] = {}
    for one in taken:
        if one.question in kinds and one.value is not None:
            labels = by_user.setdefault(one.user, dict.fromkeys(names.values()))
            labels[names[one.question]] = _label(one.value, kinds[one.question])
    refused = next((f"{one.status} answer" for one in read if one not in taken), "")
    return Item(cells, [Annotation(*each) for each in by_user.items()], "" if by_user else refused)


def _label(value: Any, kind: str) -> Any:
    if kind == "spans":
        return spans_of(value)
    return one_label(value if isinstance(value, list) else [value])
