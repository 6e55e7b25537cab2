"""The file of a saved model that holds the marks of the items whose labels it learnt."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tutelage.files import read_json, write_json
from tutelage.files.described import Learnt

FILE = "learnt.json"
"""Name of the file in the model's folder."""


def write_marks(folder: Path, seen: Collection[str]) -> None:
    """Write the marks of the items whose labels a model learnt into the model's folder."""
    write_json(folder / FILE, {"items": sorted(seen)})


def read_marks(folder: Path) -> frozenset[str]:
    """Marks of the items whose labels the model of a folder learnt; none of a model of an older version."""
    return frozenset(read_json(folder / FILE, Learnt)["items"]) if (folder / FILE).is_file() else frozenset()
