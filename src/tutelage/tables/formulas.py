"""Cells that a spreadsheet would take for formulas, made harmless in written tables where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pandas as pd

BEGINS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""Characters with which a formula begins in some spreadsheet, also of full width, and those that it passes over."""
TEXT = "'"
"""Character before a cell by which spreadsheets take it for a text."""

_ASKED: ContextVar[bool] = ContextVar("safe_cells", default=False)


@contextmanager
def safe_cells(asked: bool = True) -> Iterator[None]:
    """Context in which csv and tsv tables are written with an apostrophe before what looks like a formula.

    Args:
        asked: whether they are; else nothing changes.
    """
    token = _ASKED.set(asked)
    try:
        yield
    finally:
        _ASKED.reset(token)


def asked() -> bool:
    """Whether tables are written so, see `safe_cells`.

    >>> with safe_cells():
    ...     asked()
    True
    """
    return _ASKED.get()


def harmless(table: pd.DataFrame) -> pd.DataFrame:
    """The table as it is written: within `safe_cells`, with an apostrophe before cells and names like formulas.

    Numbers stay as they are, also those below zero.

    Args:
        table: the table.

    >>> with safe_cells():
    ...     harmless(pd.DataFrame({"text": ["=1+1", "-2", "soup"]}))["text"].tolist()
    ["'=1+1", '-2', 'soup']
    """
    if not _ASKED.get():
        return table
    safe = table.copy(deep=False)
    for name in table.select_dtypes(exclude="number"):
        safe[name] = table[name].map(_harmless)
    return safe.rename(columns=_harmless)


def _harmless(cell: Any) -> Any:
    if not isinstance(cell, str) or not cell.startswith(BEGINS):
        return cell
    try:
        float(cell)
    except ValueError:
        return TEXT + cell
    return cell


def as_given(cell: str) -> str:
    """A cell without the apostrophe that `harmless` put before it.

    >>> as_given("'=1+1"), as_given("'tis")
    ('=1+1', "'tis")
    """
    return cell[1:] if cell.startswith(TEXT) and cell[1:].startswith(BEGINS) else cell
