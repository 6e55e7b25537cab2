"""Parts of JSON that are gone or odd."""

from __future__ import annotations

import copy
from typing import Any

from faulty.case import Case, Draw

ODD: tuple[Any, ...] = (
    None, "", [], {}, -1, 0, "x", [None], {"a": 1}, [[]], "nan", True, 3.5, "[]", [{"a": []}], ["food", "sport"],
)  # fmt: skip
"""Values in place of a part of an export."""


def _nodes(value: Any) -> list[tuple[Any, Any]]:
    """Containers of a value with each of their keys."""
    found = []
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []:
        found += [(value, key), *_nodes(value[key])]
    return found


def mutated(draw: Draw, case: Case, rows: list[Any]) -> list[Any]:
    """Rows of JSON of which some parts are gone, or are odd values; each row stays one."""
    for _ in range(draw.one([0, 0, 0, 1, 2, 4])):
        nodes = _nodes(rows[draw.whole(0, len(rows) - 1)]) if rows else []
        if nodes:
            case.fault("mutated")
            case.classes = None
            held, key = draw.one(nodes)
            if isinstance(held, dict) and draw.chance(40):
                del held[key]
            else:
                held[key] = copy.deepcopy(draw.one(ODD))
    return rows
