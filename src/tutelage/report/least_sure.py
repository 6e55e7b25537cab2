"""The items of the pool that the model is least sure of, as a table to be labelled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage import files
from tutelage.tables.formulas import harmless

NAME = "least_sure.csv"
"""Name of the file within the folder of a run."""


def write_least_sure(record: Mapping[str, Any], folder: Path) -> bool:
    """Write the least sure items into a file of the run's folder, the least sure first; whether there are any.

    Columns are "item" (a whole text, a sentence with its entities in brackets, or the name of an image or a row),
    "guess" where the model gives one class, "probability", and "label", which is empty, to be filled in.

    Args:
        record: records of the run.
        folder: folder of the run.
    """
    rows = record.get("least_sure") or []
    if not rows:
        return False
    table = pd.DataFrame(
        {
            "item": [row.get("whole") or in_a_line(row["pieces"]) for row in rows],
            "guess": [row["label"] for row in rows],
            "probability": [round(row["probability"], 4) for row in rows],
            "label": None,
        }
    )
    if table["guess"].isna().all():
        table = table.drop(columns="guess")
    files.write_atomically(folder / NAME, harmless(table).to_csv(index=False, lineterminator="\n").encode())
    return True


def in_a_line(pieces: list[tuple[str, str | None]]) -> str:
    """Pieces of an item as text, those with a name in brackets.

    >>> in_a_line([("my", None), ("soup", "FOOD")])
    'my [soup: FOOD]'
    """
    return " ".join(f"[{text}: {name}]" if name else text for text, name in pieces)
