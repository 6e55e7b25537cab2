"""The small data set: texts with a class, sentences with entities, images with a class and a mask, rows of numbers."""

from __future__ import annotations

import hashlib
from typing import Any

TEXTS: list[tuple[str, str, bool]] = [
    ('Bread with "salt", and butter; 3,50 each', "food", True),
    ("😀 The match ended 2:1", "sport", True),
    ("Two lines of soup,\nserved hot", "food", True),
    ("Žluťoučký kůň won the race", "sport", True),
    ("Crème brûlée isn't cheap", "food", True),
    ("A goal in the last minute", "sport", True),
    ("Rice; beans; rice", "food", True),
    ("The team's third loss", "sport", True),
    ("Nobody labelled this soup", "food", False),
    ("Nobody labelled this goal", "sport", False),
]
"""Texts with their classes, and whether they are labelled."""

SENTENCES: list[tuple[str, list[tuple[int, int, str]], bool]] = [
    ("Ada Lovelace left London", [(0, 12, "PER"), (18, 24, "LOC")], True),
    ("😀 Bob met Eve in Rome", [(2, 5, "PER"), (10, 13, "PER"), (17, 21, "LOC")], True),
    ("Nobody came", [], True),
    ("Paris is far from Oslo", [(0, 5, "LOC"), (18, 22, "LOC")], True),
    ("Eve likes Žižkov", [(0, 3, "PER"), (10, 16, "LOC")], True),
    ("Bob left Oslo", [(0, 3, "PER"), (9, 13, "LOC")], False),
]
"""Sentences with their entities as start, end and type, counted in characters, and whether they are tagged."""

ROWS: list[tuple[list[float], str, bool]] = [
    ([1.5, -2.25, 1000.125], "low", True), ([0.5, 3.75, -7.0], "high", True), ([2.0, 0.0, 12.5], "low", True),
    ([-1.25, 4.5, 0.0625], "high", True), ([3.5, 1.0, 2.5], "low", True), ([0.0, 2.0, 4.0], "high", False),
]  # fmt: skip
"""Rows of numbers with their classes, and whether they are labelled."""

COLUMNS = ("width", "height", "depth")
"""Names of the numbers of a row."""

PICTURES: list[tuple[str, bool]] = [("cat", True), ("dog", True), ("cat", True), ("dog", True), ("cat", False)]
"""Classes of the images, and whether they are labelled or have a mask."""

CLASSES = ("background", "cat", "dog")
"""Classes of the pixels of masks, in the order of their numbers."""

SIZE = (48, 64)
"""Height and width of the images."""


def tagged(text: str, spans: list[tuple[int, int, str]]) -> list[tuple[str, str]]:
    """Words of a sentence, cut at blanks, with their tags in BIO."""
    found, at = [], 0
    for word in text.split(" "):
        found.append((word, next((("B-" if a == at else "I-") + kind for a, b, kind in spans if a <= at < b), "O")))
        at += len(word) + 1
    return found


def picture(number: int) -> Any:
    """Pixels of an image, (h, w, 3), uint8."""
    import numpy as np

    return np.random.default_rng(number).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def mask(number: int) -> Any:
    """Class of each pixel of an image, (h, w), uint8: a background, a cat and a dog."""
    import numpy as np

    found = np.zeros(SIZE, dtype=np.uint8)
    found[4 : 20 + number, 5:30] = 1
    found[24:44, 34 : 50 + number] = 2
    return found


def digest(mask: Any) -> str:
    """Key of a mask, (h, w)."""
    return hashlib.sha256(mask.astype("uint8").tobytes()).hexdigest()[:12]
