"""Tools whose exports are recognised, by the structure of what they write and never by a file's name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tutelage.data.errors import DataError
from tutelage.tables.exports import argilla, doccano, label_studio, prodigy, spacy_docs
from tutelage.tables.exports.made import Made, rows_of
from tutelage.tables.exports.unread import of_value, refuse


@dataclass(frozen=True)
class Tool:
    """A form in which a tool exports.

    Attributes:
        name: name of the tool.
        may_be: whether columns, or the keys of the first row, may be of this form, given whether cells may hold dicts;
            it costs nothing.
        is_export: whether all rows are of this form.
        made: table made of the rows.
    """

    name: str
    may_be: Callable[[frozenset[str], bool], bool]
    is_export: Callable[[Sequence[Any]], bool]
    made: Callable[[Sequence[Any]], Made]


TOOLS = (
    Tool(label_studio.TOOL, label_studio.may_be_tasks, label_studio.are_tasks, label_studio.of_tasks),
    Tool(label_studio.TOOL, label_studio.may_be_flat, label_studio.are_flat, label_studio.of_flat),
    Tool(prodigy.TOOL, prodigy.may_be, prodigy.is_export, prodigy.of_rows),
    Tool(argilla.TOOL, argilla.may_be, argilla.is_export, argilla.of_rows),
    Tool(doccano.TOOL, doccano.may_be, doccano.is_export, doccano.of_rows),
    Tool(spacy_docs.TOOL, spacy_docs.may_be, spacy_docs.is_export, spacy_docs.of_rows),
)
"""Forms of export that are recognised, in the order in which they are tried."""


def recognised(table: pd.DataFrame | Sequence[Any], path: str | Path = "") -> Made | None:
    """Table made of an export of another tool; None where a table or rows are none.

    Args:
        table: a table of a file, or the rows of a file of JSON, of any type.
        path: the file, for messages.

    Raises:
        DataError: the rows are an export that cannot be read, or of a form that is not; the message says how to convert
            it.

    >>> rows = [{"data": {"text": "a"}, "annotations": []}, {"text": "b"}]
    >>> recognised(rows) is None, recognised(rows[:1]).tool
    (True, 'Label Studio')
    """
    if not isinstance(table, pd.DataFrame):
        refuse(of_value(table), path)
    keys, nested = _keys(table)
    likely = [tool for tool in TOOLS if len(table) and tool.may_be(keys, nested)]
    if not likely:
        return None
    rows: Sequence[Any] = rows_of(table) if isinstance(table, pd.DataFrame) else table
    found = next((tool for tool in likely if tool.is_export(rows)), None)
    try:
        return None if found is None else found.made(rows)
    except DataError as error:
        raise DataError(f"{path}{', ' if str(error).startswith('row ') else ': '}{error}") from error


def _keys(table: pd.DataFrame | Sequence[Any]) -> tuple[frozenset[str], bool]:
    """Names of columns or of the first row's keys, of which a list has none, and whether cells may hold dicts."""
    if isinstance(table, pd.DataFrame):
        return frozenset(map(str, table.columns)), any(_is_nested(table[name]) for name in table)
    return frozenset(table[0] if len(table) and isinstance(table[0], dict) else ()), True


def _is_nested(cells: pd.Series) -> bool:
    """Whether the first full cell of a column is a dict, or a list of dicts."""
    if cells.dtype != object:
        return False
    full = (cell for cell in cells if isinstance(cell, dict) or (isinstance(cell, (list, np.ndarray)) and len(cell)))
    first = next(full, None)
    return isinstance(first if isinstance(first, dict) or first is None else first[0], dict)
