"""What a person sees of an item who is to label it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Face:
    """An item as a person sees it: a text, the words of a sentence, a picture, or numbers by their names.

    Attributes:
        text: whole text; empty of other items.
        words: words of a sentence, each of which gets a label; empty of items with one label.
        picture: PNG or JPEG, at most `SIDE` pixels wide and high; None of other items.
        numbers: numbers of a row, in words, by the names of their columns.
        name: name of the item, such as the path of its file; empty where it has none.
    """

    text: str = ""
    words: Sequence[str] = ()
    picture: bytes | None = None
    numbers: Mapping[str, str] = field(default_factory=dict)
    name: str = ""


SIDE = 1600
"""Width and height of a picture, in pixels, at most."""
