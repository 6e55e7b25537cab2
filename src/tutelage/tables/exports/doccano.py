"""Exports of doccano: JSONL, JSON and CSV of texts or images with classes, and JSONL with spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tutelage.tables.exports.made import Annotation, Item, Made, Told, each, have, is_whole, made_of, many, one_label
from tutelage.tables.exports.spans import are_spans, spans_of

TOOL = "doccano"
"""Name of the tool."""
MARKS = ("Comments", "annotation_approver")
"""Columns of which every version of the tool writes one."""
LABELS = ("label", "labels", "cats", "entities", "annotations")
"""Columns of labels, by version and project."""
FILE = "filename"
"""Column of the images."""
SHAPES = ("bbox", "segmentation")
"""Columns of shapes in images, which are not read."""
SPANS, CLASSES = "spans", "classes"
"""Words for what a column of labels holds."""


def may_be(columns: frozenset[str], nested: bool) -> bool:
    """Whether columns may be the tool's."""
    items = columns & {"text", FILE}
    marked = "id" in columns and bool(columns & set(MARKS))
    return bool(items and columns & {*LABELS, *SHAPES}) and (nested or marked)


def is_export(rows: Sequence[Any]) -> bool:
    """Whether rows are the tool's: they have a column of its own, or spans whose ends have its names."""
    if not all(isinstance(row, dict) for row in rows):
        return False
    if all("id" in row and any(mark in row for mark in MARKS) for row in rows):
        return True
    names = [name for name in LABELS if name in rows[0]]
    cells = (row.get(name) for row in rows for name in names)
    return any(_has_offsets(item) for cell in cells if isinstance(cell, list) for item in cell)


def _has_offsets(item: Any) -> bool:
    return isinstance(item, dict) and {"start_offset", "end_offset", "label"} <= item.keys()


def of_rows(rows: Sequence[Mapping[str, Any]]) -> Made:
    """Table of the tool's rows, whose columns of labels keep their names."""
    kinds = {name: _kind([row.get(name) for row in rows]) for name in LABELS if any(name in row for row in rows)}
    joined = joined_labels(rows)
    items = each(lambda row: _item(row, kinds, joined), rows)
    return made_of(items, Told(TOOL, "row", "rows", kinds, _phrases(rows, kinds, joined)))


def _kind(cells: Sequence[Any]) -> str:
    return SPANS if are_spans(cells) else CLASSES


def _item(row: Mapping[str, Any], kinds: Mapping[str, str], joined: Mapping[str, list[str]]) -> Item:
    cells = {name: cell for name, cell in row.items() if name not in kinds}
    users = list(dict.fromkeys(_user(one) for one in _list(row.get("annotations")))) or [None]
    found = [
        Annotation(user, {name: _label(_of_user(row.get(name), user), kind, joined) for name, kind in kinds.items()})
        for user in users
    ]
    empty = all(label is None for one in found for label in one.labels.values())
    return Item(cells, () if empty else found)


def _list(cell: Any) -> list[Any]:
    return cell if isinstance(cell, list) else []


def _user(one: Any) -> str | None:
    user = one.get("user") if isinstance(one, dict) else None
    return None if user is None else str(user)


def _of_user(cell: Any, user: str | None) -> Any:
    """Those labels of a cell that a user gave, where labels have users."""
    return cell if user is None else [one for one in _list(cell) if _user(one) in (None, user)]


def _label(cell: Any, kind: str, joined: Mapping[str, list[str]]) -> Any:
    if kind == SPANS:
        return spans_of(cell)
    if isinstance(cell, list):
        return one_label([one.get("label") if isinstance(one, dict) else one for one in cell])
    return one_label(joined.get(cell, [cell])) if isinstance(cell, str) and cell else None


def joined_labels(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Parts of each label of a csv file that joins several by "#", where each part is a label of its own elsewhere."""
    labels = {row.get("label") for row in rows if isinstance(row.get("label"), str)}
    parts = {label: label.split("#") for label in labels if isinstance(label, str) and "#" in label}
    return {label: names for label, names in parts.items() if set(names) <= labels - {""}}


def _phrases(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, str], joined: Mapping[str, Any]) -> list[str]:
    said = [f"not read: {name}" for name in ("relations", *SHAPES) if any(_list(row.get(name)) for row in rows)]
    for name, kind in kinds.items():
        empty = sum(row.get(name) == [] for row in rows)
        if kind == SPANS and empty:
            said.append(f"{have(empty, 'row', 'rows')} an empty list in {name}: a text without an entity")
        if any(is_whole(one.get("label")) for row in rows for one in _list(row.get(name)) if isinstance(one, dict)):
            said.append(f"labels in {name} are numbers, whose names this form of the export lacks")
    if joined:
        said.append(f"several labels in one cell: {many(len(joined), 'combination', 'combinations')} joined by #")
    if any("annotation_approver" in row for row in rows):
        without = sum(not row.get("annotation_approver") for row in rows)
        said += [f"{have(without, 'row', 'rows')} no approver, and {_counts(without)} all the same"] if without else []
    return said


def _counts(number: int) -> str:
    return "counts" if number == 1 else "count"
