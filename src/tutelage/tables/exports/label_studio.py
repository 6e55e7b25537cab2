"""Exports of Label Studio: JSON with whole tasks, JSON_MIN, and CSV or TSV with a row for each annotation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tutelage.tables.exports.label_studio_values import CHOICES, HTML, Value, Values, text_of_html
from tutelage.tables.exports.made import Annotation, Item, Made, Told, made_of, many

TOOL = "Label Studio"
"""Name of the tool."""
BARE = {"id", "data", "meta"}
"""Keys of a task that nobody has annotated."""
FLAT = {"annotation_id", "annotator", "created_at", "updated_at", "lead_time"}
"""Columns that every row of a flat export has."""
ABOUT = {*FLAT, "agreement", "history"}
"""Columns of a flat export that speak of the annotation itself."""
RENAMED = "_labels"
"""End of the name of a control's column where data have its name."""
SKIPPED = ("was_cancelled", "skipped", "was_skipped")
"""Keys of an annotation that is none: its annotator skipped the task."""


def may_be_tasks(columns: frozenset[str], nested: bool) -> bool:
    """Whether columns may be those of whole tasks."""
    return nested and "data" in columns


def are_tasks(rows: Sequence[Any]) -> bool:
    """Whether rows are tasks: a dict of data each, with lists of annotations or predictions that have results."""
    return bool(rows) and all(isinstance(row, dict) and _is_task(row) for row in rows)


def _is_task(row: Mapping[str, Any]) -> bool:
    if not isinstance(row.get("data"), dict):
        return False
    keys = [key for key in ("annotations", "completions", "predictions") if key in row]
    lists = [row[key] for key in keys if row[key] is not None]
    if not keys:
        return row.keys() <= BARE
    return all(isinstance(each, list) and all(map(_is_annotation, each)) for each in lists)


def _is_annotation(one: Any) -> bool:
    return isinstance(one, dict) and "result" in one and isinstance(one["result"], (list, type(None)))


def of_tasks(rows: Sequence[Mapping[str, Any]]) -> Made:
    """Table of tasks: their data, and a column for each control that was annotated in a form that is read."""
    values, counts = Values(), Counter[tuple[str, str]]()
    taken = [_annotations_of(task, counts) for task in rows]
    for task, valid in zip(rows, taken, strict=True):
        for given in map(_by_control, valid):
            values.see(given, task["data"])
            values.empty += not given
    columns = _column_names(values, {name for task in rows for name in task["data"]})
    items = []
    for task, valid in zip(rows, taken, strict=True):
        answers = [_annotation(one, values, columns, task["data"]) for one in valid]
        skipped = not valid and (task.get("annotations") or task.get("completions"))
        items.append(Item(_cells(task, values), answers, "skipped by the annotator" if skipped else ""))
    return _made(items, values, columns, [f"not taken: {many(n, *words)}" for words, n in counts.items() if n])


def _annotations_of(task: Mapping[str, Any], counts: Counter[tuple[str, str]]) -> list[Mapping[str, Any]]:
    """Annotations of a task that count: none that was skipped, and only the true ones where some are marked so."""
    given = task.get("annotations") or task.get("completions") or []
    valid = [one for one in given if not any(one.get(key) for key in SKIPPED)]
    true = [one for one in valid if one.get("ground_truth")]
    counts["skipped annotation", "skipped annotations"] += len(given) - len(valid)
    counts["annotation beside a ground truth", "annotations beside a ground truth"] += len(valid) - len(true or valid)
    counts["prediction", "predictions"] += len(task.get("predictions") or [])
    return true or valid


def _by_control(annotation: Mapping[str, Any]) -> dict[str, list[Value]]:
    """Values of an annotation by the control that gave them; a relation between regions is under "relation"."""
    found: dict[str, list[Value]] = {}
    for result in annotation["result"] or []:
        if isinstance(result, dict):
            value = result["value"] if isinstance(result.get("value"), dict) else {str(result.get("type")): None}
            size = {key: result[key] for key in ("original_width", "original_height") if key in result}
            of_region = {"ranges": None} if result.get("parentID") else {}
            control = str(result.get("from_name") or result.get("type"))
            found.setdefault(control, []).append({**value, **size, **of_region})
    return found


def _annotation(
    one: Mapping[str, Any], values: Values, columns: Mapping[str, str], data: Mapping[str, Any]
) -> Annotation:
    given = _by_control(one)
    labels = {name: values.label(control, given.get(control, []), data) for control, name in columns.items()}
    return Annotation(_who(one.get("completed_by")), labels)


def _who(annotator: Any) -> str | None:
    if isinstance(annotator, dict):
        annotator = annotator.get("email", annotator.get("id"))
    return None if annotator in (None, "") else str(annotator)


def _column_names(values: Values, taken: set[str]) -> dict[str, str]:
    """Name of the column of each control: its own, unless data have it."""
    return {control: f"{control}{RENAMED}" if control in taken else control for control in values.columns}


def _cells(task: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """Cells of a task's data, its number, and of pages the text in which spans lie."""
    cells = _with_texts(task["data"], values)
    return ({"id" if "id" not in cells else "task": task["id"]} if "id" in task else {}) | cells


def _with_texts(data: Mapping[str, Any], values: Values) -> dict[str, Any]:
    pages = [name for name, cell in data.items() if isinstance(cell, str) and "<" in cell]
    texts = {f"{name}_text": text_of_html(data[name]) for name in pages if HTML in values.columns.values()}
    return {**data, **texts}


def _made(items: Sequence[Item], values: Values, columns: Mapping[str, str], more: Sequence[str]) -> Made:
    kinds = {columns[control]: kind for control, kind in values.columns.items()}
    if HTML in kinds.values():
        more = [*more, "texts of pages of HTML are in columns that end in _text"]
    classes = {columns[control]: names for control, names in values.classes().items()}
    made = made_of(items, Told(TOOL, "task", "tasks", kinds, [*more, *values.phrases()]), classes)
    if values.unread_in:
        made.frame.attrs["unread"] = dict(values.unread_in)
    if values.in_utf16:
        made.frame.attrs["offsets"] = "utf-16"
    return made


def may_be_flat(columns: frozenset[str], nested: bool) -> bool:
    """Whether columns are those of JSON_MIN, CSV or TSV."""
    return columns >= FLAT


def are_flat(rows: Sequence[Any]) -> bool:
    """Whether rows are those of JSON_MIN, CSV or TSV."""
    return all(isinstance(row, dict) and row.keys() >= FLAT for row in rows)


def of_flat(rows: Sequence[Mapping[str, Any]]) -> Made:
    """Table of a flat export, which has a row for each annotation; those of one task come together."""
    read = [{name: _decoded(cell) for name, cell in row.items()} for row in rows]
    tasks = _grouped(read)
    values = Values()
    for row in read:
        values.see({name: parts for name, cell in row.items() if (parts := _parts(cell))}, row)
    for name in _varying([[read[number] for number in numbers] for numbers in tasks]):
        values.columns.setdefault(name, CHOICES)
    items = []
    for numbers in tasks:
        same = [read[number] for number in numbers]
        cells = {name: cell for name, cell in same[0].items() if name not in {*ABOUT, *values.columns}}
        said = [_of_row(row, values) for row in same if row.get("annotation_id") is not None]
        items.append(Item(_with_texts(cells, values), said, rows=numbers))
    left = ", ".join(sorted(ABOUT & set(read[0]) - {"annotator"}))
    more = ["columns with one choice or one text each stay as they are", f"left out: the columns {left}"]
    return _made(items, values, {name: name for name in values.columns}, more)


def _decoded(cell: Any) -> Any:
    """Values that a cell of text holds as JSON; else the cell, or None for an empty one."""
    if isinstance(cell, str) and cell[:1] in ("[", "{") and cell[-1:] in ("]", "}"):
        try:
            found = json.loads(cell)
        except (ValueError, RecursionError):
            return cell
        return found if found and _parts(found) else cell
    return None if cell == "" else cell


def _parts(cell: Any) -> list[Value]:
    """Values that a cell holds; none where it holds text or data."""
    parts = cell if isinstance(cell, list) else [cell]
    return parts if all(isinstance(part, dict) for part in parts) else []


def _of_row(row: Mapping[str, Any], values: Values) -> Annotation:
    labels = {}
    for name in values.columns:
        cell = row.get(name)
        parts = [{"choices": [cell]}] if isinstance(cell, (str, int, float)) else _parts(cell)
        labels[name] = values.label(name, parts, row)
    return Annotation(_who(row.get("annotator")), labels)


def _grouped(rows: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Numbers of the rows of each task, in the order of the tasks; a row without a task's number is its own task."""
    found: dict[Any, list[int]] = {}
    for number, row in enumerate(rows):
        found.setdefault(number if row.get("id") is None else str(row["id"]), []).append(number)
    return list(found.values())


def _varying(tasks: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
    """Columns that differ between annotations of a task, which data do not."""
    names = {name for task in tasks for row in task for name in row} - ABOUT
    return [n for n in sorted(names) if any(row.get(n) != task[0].get(n) for task in tasks for row in task[1:])]
