"""What is made of another tool's export: plain columns, and a sentence on how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from tutelage.data.errors import DataError

ANNOTATOR = "annotator"
"""Name of the column of those who annotated."""
NAMES = 8
"""Number of names that a sentence lists, at most."""

T = TypeVar("T")
"""Type of a row."""


@dataclass(frozen=True)
class Made:
    """Table that was made of another tool's export.

    Attributes:
        frame: columns of plain cells. ``frame.attrs["offsets"]`` is "utf-16" where spans count UTF-16 units.
        tool: name of the tool.
        sentence: what was made of what, and what was not read.
        places: row that was made of each row of the file, or the first of several, from 0.
        labels: what each column of labels holds, such as "choices" or "spans", by its name.
        refused: why a row has no label though somebody looked at it, by the row's number, from 1.
        classes: names of the classes of masks by column, in the order of their numbers.
    """

    frame: pd.DataFrame
    tool: str
    sentence: str
    places: Sequence[int]
    labels: Mapping[str, str]
    refused: Mapping[int, str] = field(default_factory=dict)
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Annotation:
    """What one annotator said of an item.

    Attributes:
        annotator: name or number of the annotator; None where the export has none.
        labels: labels by column; None is no label.
    """

    annotator: str | None
    labels: Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """An item of an export.

    Attributes:
        cells: cells of the columns that hold no labels, by name.
        annotations: annotations that count.
        refused: why no annotation counts; empty where nobody refused the item.
        rows: rows of the file that the item has, from 0; empty where items and rows are the same.
    """

    cells: Mapping[str, Any]
    annotations: Sequence[Annotation] = ()
    refused: str = ""
    rows: Sequence[int] = ()


@dataclass(frozen=True)
class Told:
    """Words on an export.

    Attributes:
        tool: name of the tool.
        thing, things: word for an item, in the singular and in the plural.
        columns: what each column of labels holds, by its name.
        more: further phrases.
    """

    tool: str
    thing: str
    things: str
    columns: Mapping[str, str]
    more: Sequence[str] = ()


def made_of(items: Sequence[Item], told: Told, classes: Mapping[str, Sequence[str]] | None = None) -> Made:
    """Table of items, with a row for each, or for each annotation where the annotations of an item differ.

    Args:
        items: items of the export.
        told: words on it.
        classes: names of the classes of masks by column.

    >>> both = [Annotation("ann", {"label": "food"}), Annotation("bob", {"label": "sport"})]
    >>> made = made_of([Item({"text": "a"}, both)], Told("A tool", "task", "tasks", {"label": "choices"}))
    >>> made.frame.to_dict("list")
    {'text': ['a', 'a'], 'label': ['food', 'sport'], 'annotator': ['ann', 'bob']}
    >>> made.sentence
    'A tool export: 1 task in 2 rows; labels: label (choices); 1 task has annotations that differ: a row for each.'
    """
    rows: list[dict[str, Any]] = []
    places: dict[int, int] = {}
    refused: dict[int, str] = {}
    for number, item in enumerate(items):
        places.update(dict.fromkeys(item.rows or (number,), len(rows)))
        for one in _distinct(item.annotations) or [Annotation(None, {})]:
            rows.append({**item.cells, **{name: one.labels.get(name) for name in told.columns}})
            if one.annotator is not None:
                rows[-1].setdefault(ANNOTATOR, one.annotator)
            if item.refused:
                refused[len(rows)] = item.refused
    frame = framed(rows, told.columns)
    phrases = [*_counts(items, rows, told), *told.more]
    at = [places[number] for number in sorted(places)]
    return Made(frame, told.tool, "; ".join(phrases) + ".", at, dict(told.columns), refused, classes or {})


def framed(rows: Sequence[Mapping[str, Any]], labels: Mapping[str, Any]) -> pd.DataFrame:
    """Table of rows in which an absent cell is None, so that whole numbers stay whole.

    Args:
        rows: rows, each with its cells by column.
        labels: names of columns that exist in any case.
    """
    columns = list(dict.fromkeys([*(name for row in rows for name in row), *labels]))
    cells = {name: _column([row.get(name) for row in rows]) for name in columns}
    return pd.DataFrame(cells, index=pd.RangeIndex(len(rows)))


def _column(cells: list[Any]) -> pd.Series:
    if any(cell is None or isinstance(cell, (str, bytes, list, dict)) for cell in cells):
        found = np.empty(len(cells), dtype=object)  # filled one by one: lists of one length would become a table
        for i, cell in enumerate(cells):
            found[i] = cell
        return pd.Series(found)
    return pd.Series(cells)


def _distinct(annotations: Sequence[Annotation]) -> list[Annotation]:
    """Annotations of an item with a label, or one with the names of all annotators where they say the same."""
    full = [one for one in annotations if any(label is not None for label in one.labels.values())] or [*annotations]
    if len(full) < 2 or any(one.labels != full[0].labels for one in full):
        return full
    who = list(dict.fromkeys(one.annotator for one in full if one.annotator is not None))
    return [Annotation(", ".join(who) or None, full[0].labels)]


def _counts(items: Sequence[Item], rows: Sequence[Mapping[str, Any]], told: Told) -> list[str]:
    """Phrases on how many rows and labels there are."""
    words = told.thing, told.things
    of_labels = ", ".join(f"{name} ({kind})" for name, kind in told.columns.items()) or "none"
    in_rows = "" if len(rows) == len(items) else f" in {many(len(rows), 'row', 'rows')}"
    phrases = [f"{told.tool} export: {many(len(items), *words)}{in_rows}", f"labels: {of_labels}"]
    without = sum(not item.annotations and not item.refused for item in items)
    if without:
        phrases.append(f"{have(without, *words)} no annotation")
    for why in dict.fromkeys(item.refused for item in items if item.refused):
        phrases.append(f"{have(sum(item.refused == why for item in items), *words)} no label ({why})")
    several = [item for item in items if len(item.annotations) > 1]
    differ = sum(len(_distinct(item.annotations)) > 1 for item in several)
    if len(several) > differ:
        phrases.append(f"{have(len(several) - differ, *words)} several annotations that agree: one row")
    if differ:
        phrases.append(f"{have(differ, *words)} annotations that differ: a row for each")
    return phrases


def each(make: Callable[[T], Item], rows: Iterable[T]) -> list[Item]:
    """Items made of rows.

    Args:
        make: function that makes an item of a row.
        rows: rows of the export.

    Raises:
        DataError: ``make`` raised a ValueError; the message names the row, from 1.
    """
    found = []
    for number, row in enumerate(rows, start=1):
        try:
            found.append(make(row))
        except ValueError as error:
            raise DataError(f"row {number}: {error}") from error
    return found


def many(number: int, one: str, more: str) -> str:
    """Number with its word.

    >>> many(1, "task", "tasks"), many(2000, "task", "tasks")
    ('1 task', '2,000 tasks')
    """
    return f"{number:,} {one if number == 1 else more}"


def have(number: int, one: str, more: str) -> str:
    """Number with its word and verb.

    >>> have(1, "task", "tasks"), have(2, "task", "tasks")
    ('1 task has', '2 tasks have')
    """
    return f"{many(number, one, more)} {'has' if number == 1 else 'have'}"


def listed(names: Sequence[str]) -> str:
    """Names in one phrase: the first, and how many others there are.

    >>> listed(["a", "b"]), listed([str(i) for i in range(10)])
    ('a, b', '0, 1, 2, 3, 4, 5, 6, 7 and 2 more')
    """
    rest = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + rest


def one_label(names: Sequence[Any]) -> Any:
    """Label of a list of names: the name where there is one, the list where there are several, None where none is.

    >>> one_label(["food"]), one_label(["food", "sport"]), one_label([])
    ('food', ['food', 'sport'], None)
    """
    given = [str(name) for name in names if name is not None]
    return given[0] if len(given) == 1 else given or None


def plain(value: Any) -> Any:
    """Value of a table's cell as JSON has it: arrays are lists, and NaN is None."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is pd.NA or (isinstance(value, float) and np.isnan(value)) else value


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table, with cells as JSON has them."""
    return [{str(k): plain(v) for k, v in row.items()} for row in frame.to_dict("records")]


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, and not True or False."""
    return isinstance(value, int) and not isinstance(value, bool)
