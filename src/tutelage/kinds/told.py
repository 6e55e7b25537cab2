"""Which kind of data a table holds, and in which columns, told by the cells where nobody says it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage.data.errors import DataError
from tutelage.data.how import ReadAs
from tutelage.kinds import KINDS, TABLE
from tutelage.kinds.asked_labels import GUESS, MARKS, ROW, SOURCE, WHY
from tutelage.tables import read

LOOKED_AT = 500
"""Rows that are looked at, at most."""

LABELS = (
    "label", "labels", "class", "classes", "category", "categories", "topic", "target", "tag", "tags", "ner_tags",
    "sentiment", "species", "y", "klasse", "kategorie", "thema", "etiqueta", "categoria",
)  # fmt: skip
"""Usual names of a column of labels, the likelier first."""

FEWEST, MANY = 20, 0.8
"""Cells from which on a column of labels is looked at, and share of different ones beyond which it holds none."""

NUMBERED = re.compile(rf"({GUESS}|{WHY}|{ROW}|{SOURCE})(_\d+)?")
"""Pattern of the names of the columns that `tutelage next` writes, beside those that say by which selector."""


@dataclass(frozen=True)
class Told:
    """What a table seems to hold.

    Attributes:
        kind: name of the kind of data.
        options: options of the kind that name its columns; that of the labels is left out where there are none.
        others: columns that neither hold the items nor their labels.
    """

    kind: str
    options: dict[str, Any]
    others: Sequence[str] = ()

    def words(self) -> str:
        """What was taken for what, as options of the command line."""
        shown = [
            f"--{name.replace('_', '-')} {value if isinstance(value, str) else ' '.join(value)}"
            for name, value in self.options.items()
        ]
        return " ".join(shown)


def told(path: Path, how: ReadAs) -> Told:
    """The kind of data in a table, and its columns, by the first rows.

    The column of the texts is the one whose cells are longest, that of the labels has a usual name, is empty, or holds
    few different words.

    Args:
        path: the table.
        how: how it is read.

    Raises:
        DataError: the table cannot be read, or no column looks like items.
    """
    table = read(path, how).frame.head(LOOKED_AT)
    columns = [str(c) for c in table.columns if not MARKS.fullmatch(str(c)) and not NUMBERED.fullmatch(str(c))]
    label = _label(table, columns)
    left = [c for c in columns if c != label]
    cells = {c: [plain(cell) for cell in table[c].tolist() if not _empty(cell)] for c in left}
    filled = {c: found for c, found in cells.items() if found}
    for name in reversed(TABLE):
        kind = KINDS[name]
        taken = kind.told_by_cells(filled)
        if taken:
            (items,), (labels,) = kind.item_columns[:1], kind.label_columns
            options = {items: taken[0] if isinstance(getattr(kind, items, None), str | None) else taken}
            return Told(name, options | ({} if label is None else {labels: label}), [c for c in left if c not in taken])
    raise DataError(f"{path}: no column looks like items to label; name it, as by --text COLUMN")


def _label(table: pd.DataFrame, columns: Sequence[str]) -> str | None:
    """Column that looks like labels; None where there is none."""
    if len(columns) < 2:
        return None
    for name in LABELS:
        for c in (c for c in columns if c.casefold() == name):
            cells = [str(cell) for cell in table[c].tolist() if not _empty(cell)]
            if len(cells) < FEWEST or len(set(cells)) <= MANY * len(cells):  # else it numbers the rows
                return c
    empty = [c for c in columns if all(_empty(v) for v in table[c].tolist())]
    return empty[-1] if empty else None


def _empty(cell: Any) -> bool:
    return cell is None or cell is pd.NA or str(cell).strip() in ("", "nan")


def plain(cell: Any) -> Any:
    """A cell, where it is an array, or a list written as JSON, as a list."""
    if hasattr(cell, "tolist"):
        return cell.tolist()
    if not isinstance(cell, str) or not cell.startswith("["):
        return cell
    try:
        return json.loads(cell)
    except ValueError:
        return cell
