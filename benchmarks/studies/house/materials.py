"""Small inputs of the walks, all made here: texts of four subjects, and pictures of coloured squares."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

SUBJECTS = {
    "food": ("soup", "bread", "cheese", "salad", "pepper", "butter", "onion", "cake"),
    "sport": ("goal", "match", "coach", "league", "runner", "medal", "tennis", "team"),
    "money": ("bank", "market", "share", "price", "loan", "profit", "budget", "trade"),
    "weather": ("rain", "storm", "cloud", "frost", "wind", "thunder", "snow", "heat"),
}
FRAMES = (
    "the {} was near the {} today, said {} people",
    "a {} and a {} again, number {}",
    "they like this {} more than that {}, as {} of them say",
    "my {} or your {}: page {}",
)


def texts(count: int, seed: int) -> list[tuple[str, str]]:
    """Different texts with their subjects, in turn."""
    draw, found = random.Random(seed), {}
    while len(found) < count:
        subject = list(SUBJECTS)[len(found) % len(SUBJECTS)]
        words = draw.sample(SUBJECTS[subject], 2)
        found.setdefault(draw.choice(FRAMES).format(*words, f"{seed}{draw.randrange(10**6)}"), subject)
    return list(found.items())


def mislabelled(rows: list[tuple[str, str]], every: int = 10) -> list[tuple[str, str]]:
    """The same rows, but every so many have the label of the row before."""
    return [(text, rows[i - 1][1] if i % every == 0 else label) for i, (text, label) in enumerate(rows)]


def write_texts(path: Path, rows: list[tuple[str, str]], labelled: int) -> Path:
    """A csv file of texts, of which the first ones have labels."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("text", "label"))
        out.writerows((text, label if i < labelled else "") for i, (text, label) in enumerate(rows))
    return path


def pictures(count: int, seed: int, side: int = 32) -> list[tuple[bytes, bytes]]:
    """Pictures (JPEG) of a bright square on dark noise, and masks (PNG): 2 where the square is, else 0, and never 1."""
    draw, found = np.random.default_rng(seed), []
    for _ in range(count):
        pixels = draw.integers(0, 80, (side, side, 3), dtype=np.uint8)
        mask = np.zeros((side, side), dtype=np.uint8)
        top, left = draw.integers(0, side // 2, 2)
        mask[top : top + side // 2, left : left + side // 2] = 2
        pixels[mask == 2] += 150
        found.append((_encoded(pixels, "jpeg"), _encoded(mask, "png")))
    return found


def _encoded(pixels: np.ndarray, how: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, how)
    return file.getvalue()


def write_pictures(path: Path, found: list[tuple[bytes, bytes]], labelled: int) -> Path:
    """A parquet file of encoded pictures, of which the first ones have masks."""
    rows = [{"image": image, "mask": mask if i < labelled else None} for i, (image, mask) in enumerate(found)]
    pd.DataFrame(rows).to_parquet(path)
    return path
