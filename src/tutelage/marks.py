"""Marks of items: hashes by which a model remembers the items whose labels it has learnt."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.files import read_json, write_json

FILE = "learnt.json"
"""File of a saved model that holds the marks of the items whose labels it learnt."""


def mark(item: str | Sequence[str]) -> str:
    """Mark of a text, or of a sentence of words; case and white space do not matter.

    >>> mark("Good  soup ") == mark("good soup"), mark(["good", "soup"]) == mark("good soup")
    (True, False)
    """
    words = item.split() if isinstance(item, str) else ["", *item]
    text = "\x1f".join(word.casefold().strip() for word in words)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def marks(items: Iterable[Any]) -> frozenset[str]:
    """Marks of items; those that are neither texts nor sentences have none."""
    return frozenset(mark(item) for item in items if _marked(item))


def learnt(items: Sequence[Any], seen: Collection[str]) -> np.ndarray:
    """Mask of the items whose marks are among those seen, (n,)."""
    if not seen:
        return np.zeros(len(items), dtype=bool)
    return np.array([_marked(item) and mark(item) in seen for item in items], dtype=bool)


def write_marks(folder: Path, seen: Collection[str]) -> None:
    """Write the marks of the items whose labels a model learnt into the model's folder."""
    write_json(folder / FILE, {"items": sorted(seen)})


def read_marks(folder: Path) -> frozenset[str]:
    """Marks of the items whose labels the model of a folder learnt; none of a model of an older version."""
    return frozenset(map(str, read_json(folder / FILE, "items")["items"])) if (folder / FILE).is_file() else frozenset()


def _marked(item: Any) -> bool:
    return isinstance(item, str) or (isinstance(item, (list, tuple)) and all(isinstance(word, str) for word in item))
