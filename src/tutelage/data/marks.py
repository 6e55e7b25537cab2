"""Marks of items: hashes by which a model remembers the items whose labels it has learnt."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np


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


def _marked(item: Any) -> bool:
    return isinstance(item, str) or (isinstance(item, (list, tuple)) and all(isinstance(word, str) for word in item))
