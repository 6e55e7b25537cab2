"""What most cells of a column look like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

MOSTLY = 0.9
"""Share of the cells, at least, that must look alike."""


def mostly(is_one: Callable[[Any], bool], cells: Sequence[Any]) -> bool:
    """Whether nearly all cells of a column are of one sort.

    Args:
        is_one: says it of a cell.
        cells: cells of the column, at least one.

    >>> mostly(is_number, ["1", "2,5", "3"]), mostly(is_number, ["1", "two"])
    (True, False)
    """
    return sum(map(is_one, cells)) >= MOSTLY * len(cells)


def is_number(cell: Any) -> bool:
    """Whether a cell is a number, or a list of them, also with a comma in place of the point."""
    if isinstance(cell, list):
        return bool(cell) and all(map(is_number, cell))
    try:
        float(str(cell).replace(",", "."))
    except ValueError:
        return False
    return True
