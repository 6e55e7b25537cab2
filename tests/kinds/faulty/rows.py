"""Faulty inputs of rows of numbers: tables with a column for each number or one of lists, and npz files."""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from faulty.case import Case, Draw
from faulty.columns import in_order, with_weak
from faulty.formats import FORMATS, damaged, put
from faulty.labels import CLASSES, label_options, labels, reading_options
from faulty.texts import sources

ODD: tuple[Any, ...] = (
    "", None, "nan", float("nan"), float("inf"), "x", "1,5", "1.234,5", "1,234", "12 %", True, "1e400", "0x1f", " 3 ",
    [1, 2], "2024-01-02", datetime.date(2024, 1, 2), "-", "?", "١", "1_000", b"1", {"a": 1},
)  # fmt: skip
"""Cells that are no good numbers."""
ODD_LISTS: tuple[Any, ...] = (
    [], "[]", "", None, [1], [1, 2, 3, 4, 5], "[1, 2", "1;2;3", [[1, 2, 3]], ["a", "b", "c"], "[1. 2. 3.]",
    [1, None, 3],
    "nan nan nan", [float("inf"), 0, 0], "array([1, 2, 3])", 3, "(1, 2, 3)", {"a": [1]}, True,
)  # fmt: skip


def numbers(draw: Draw, case: Case, count: int, width: int) -> dict[str, list[Any]]:
    """Columns of numbers, or one of lists of numbers, some cells of which may be odd."""
    rng = draw.numpy()
    table: list[list[Any]] = rng.normal(size=(count, width)).round(3).tolist()
    style = draw.one(["plain", "plain", "text", "comma", "whole"])
    write = {"plain": float, "text": str, "comma": lambda v: str(v).replace(".", ","), "whole": lambda v: int(10 * v)}[
        style
    ]
    of_lists = draw.chance(25)
    odd, share = draw.one(ODD_LISTS if of_lists else ODD), draw.one([0] * 8 + [5, 30])
    if share:
        case.fault("numbers")
    if of_lists:
        case.options["features"] = ("x",)
        form = draw.one([list, str, lambda row: " ".join(map(str, row)), lambda row: ",".join(map(str, row))])
        return {"x": [odd if draw.chance(share) else form(row) for row in table]}
    case.options["features"] = draw.rarely(("x",), [("all",), ("x0", "x1"), ("x0,x1",), ("x9",), ("x0", "x0"), ()])
    return {
        f"x{j}": [odd if draw.chance(share) else write(row[j]) for row in table] for j in range(width)
    }  # fmt: skip


def drawn(draw: Draw) -> Case:
    """A faulty input of rows of numbers."""
    if draw.chance(15):
        return of_arrays(draw)
    ending, names, width = draw.one(FORMATS), draw.one(CLASSES), draw.whole(1, 4)
    case = Case("rows", ending, {"label": "label"})
    label_options(draw, case, names)
    for source, count in sources(draw):
        columns = numbers(draw, case, count, width if draw.chance(95) else width + 1)
        if source != "unlabelled" or draw.chance(20):
            cells = labels(draw, case, count, names, 70 if source == "train" else 95) if count else []
            columns |= with_weak(draw, case, cells, names) if source == "train" and count else {}
            columns["label"] = cells
        put(draw, case, source, ending, in_order(draw, case, columns))
    reading_options(draw, case)
    return case


def _array(draw: Draw, cells: Sequence[Any]) -> np.ndarray:
    """Labels as an array of texts, numbers or objects."""
    kind = draw.rarely(draw.one(["text", "number", "float"]), ["object", "column", "short", "scores"])
    if kind == "text":
        return np.array([str(cell) for cell in cells])
    codes = np.unique([str(cell) for cell in cells], return_inverse=True)[1]
    return {
        "object": np.array([*cells, None], dtype=object)[:-1], "number": codes,
        "float": np.where(codes > 1, np.nan, codes),
        "column": codes[:, None], "short": codes[:-1], "scores": np.eye(max(codes, default=0) + 1)[codes],
    }[kind]  # fmt: skip


def of_arrays(draw: Draw) -> Case:
    """Arrays in npz files."""
    names = draw.one(CLASSES)
    case = Case("rows", "npz", {"label": "y", "features": ("x",)})
    label_options(draw, case, names)
    for source, count in sources(draw):
        x: np.ndarray = draw.numpy().normal(size=(count, 3))
        odd = [x.astype(np.float16), x[:, 0], x[None], x + 1j, (9 * abs(x)).astype(np.uint8), np.full_like(x, np.inf)]
        x = draw.rarely(x, odd)
        arrays = {draw.rarely("x", ["X", "arr_0"]): x}
        if source != "unlabelled" or draw.chance(20):
            y = _array(draw, labels(draw, case, count, names) if count else [])
            case.name(*(str(v) for v in range(20)))  # of class numbers
            arrays["y"] = y
        held = io.BytesIO()
        np.savez(held, **arrays)
        data, rows = damaged(draw, held.getvalue(), case, count)
        case.content[f"{source}.npz"] = data
        case.sources[source] = f"{source}.npz"
        case.counts(rows)
    case.faults.append("arrays")
    return case
