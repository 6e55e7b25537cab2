"""What is written for other programs, held against the model that it was written of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tutelage.data.cards import Use
from tutelage.modalities.exported import Exported, Exports
from tutelage.modalities.head import Head
from tutelage.model import Model

NEAR = 1e-5
"""Largest difference of a probability from the model's own, in [0, 1], with which something counts as written."""


def exported(model: Model, things: str) -> Exported:
    """The model's network with what reads items before it.

    Args:
        model: fitted model.
        things: word for the items, in the plural.

    Raises:
        ValueError: such a model cannot be written for other programs.
    """
    reader = model.reader
    if not isinstance(reader, Exports):
        raise ValueError(
            f"a model of {things} that reads with {reader.says} cannot be exported: there are models of texts with one "
            "transformer, frozen or trained, and of rows of numbers with a head"
        )
    return reader.exported(model.network, isinstance(model.body, Head))


def difference(model: Model, items: Sequence[Any], answer: Callable[[Any], np.ndarray]) -> float:
    """Largest difference of a probability on items, each answered alone, from the model's own, in [0, 1].

    Args:
        model: fitted model.
        items: the items, of each of which something can be read.
        answer: gives the probabilities of one item, (c,), by what was written.

    Raises:
        ValueError: it is larger than `NEAR`; or nothing can be read of any item.
    """
    unread = model.unread(items)
    read = [item for item, nothing in zip(items, unread, strict=True) if not nothing]
    if not read:
        raise ValueError("what is written cannot be checked: the model reads nothing of any text of a sample")
    kept, model.cache = model.cache, False  # computed anew, as whoever predicts with what is written does
    try:
        own = model.probabilities(np.stack(read) if isinstance(read[0], np.ndarray) else read)
    finally:
        model.cache = kept
    found = float(np.abs(np.stack([answer(item) for item in read]) - own).max())
    if not found <= NEAR:  # NaN, too
        raise ValueError(f"what was written answers otherwise than the model, by up to {found:.2g}; nothing is kept")
    return found


def bare(use: Use, things: str) -> str:
    """Page on a model of which no run is known: how it is used, in Markdown.

    Args:
        use: how its folder is used.
        things: word for the items, in the plural.
    """
    near = f"Its answers differ from the model's by {use.difference:.1g} at most, on {use.items} {things}."
    notes = "\n".join(f"- {line}" for line in (*use.notes, near))
    return f"# A classifier of {things}\n\n```python\n{use.code}\n```\n\n{notes}\n"
