"""Spans as tools write them: lists of two ends and a type, or dicts with names of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tutelage.tables.exports.made import is_whole

STARTS, ENDS, TYPES = ("start", "start_offset"), ("end", "end_offset"), ("label", "type")
"""Names that tools give to the parts of a span."""


def span_of(item: Any) -> list[Any] | None:
    """Span as [start, end, type], in the tool's units; None where an item is no span.

    A list may have the type first or last. A type that is a number becomes text.

    >>> span_of([0, 3, "PER"]), span_of({"start_offset": 0, "end_offset": 3, "label": 7}), span_of("PER")
    ([0, 3, 'PER'], [0, 3, '7'], None)
    """
    if isinstance(item, dict):
        found = [next((item[name] for name in names if name in item), None) for names in (STARTS, ENDS, TYPES)]
    elif isinstance(item, (list, tuple)) and len(item) >= 3:
        found = [item[1], item[2], item[0]] if isinstance(item[0], str) else list(item[:3])
    else:
        return None
    start, end, kind = found
    if not is_whole(start) or not is_whole(end) or not (isinstance(kind, str) or is_whole(kind)):
        return None
    return [start, end, str(kind)]


def spans_of(cell: Any) -> list[list[Any]] | None:
    """Spans of a cell, sorted; None where the cell is no list.

    Raises:
        ValueError: an item of the list is no span.
    """
    if not isinstance(cell, (list, tuple)):
        return None
    found = []
    for item in cell:
        span = span_of(item)
        if span is None:
            raise ValueError(f"{str(item)[:60]} is no span: it must have a whole start and end, and a label")
        found.append(span)
    return sorted(found)


def are_spans(cells: Iterable[Any]) -> bool:
    """Whether cells hold spans: the items of at least one are spans.

    >>> are_spans([[], None, [[0, 3, "PER"]]]), are_spans([[]]), are_spans([["food"]])
    (True, False, False)
    """
    full = (cell for cell in cells if isinstance(cell, (list, tuple)) and len(cell))
    return any(all(span_of(item) is not None for item in cell) for cell in full)
