"""Faulty inputs of all kinds and formats, as users have them, and what must hold of each."""

from __future__ import annotations

import random
from collections.abc import Callable

from faulty import exports, images, masks, rows, sentences, texts
from faulty.case import Case, Draw

KINDS: dict[str, Callable[[Draw], Case]] = {
    "texts": texts.drawn,
    "sentences": sentences.drawn,
    "images": images.drawn,
    "masks": masks.drawn,
    "rows": rows.drawn,
}
"""Functions that draw an input, by kind."""
EXPORTED = ("texts", "sentences", "images")
"""Kinds of which tools export."""


def drawn(kind: str, rng: random.Random) -> Case:
    """A faulty input of a kind."""
    draw = Draw(rng)
    return exports.drawn(draw, kind) if kind in EXPORTED and draw.chance(20) else KINDS[kind](draw)
