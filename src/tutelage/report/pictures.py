"""Images in the report: small, and with the classes of their pixels laid over them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import matplotlib.colors
import numpy as np
from PIL import Image

from tutelage.kinds.tallies import Tally
from tutelage.modalities.images.decoding import Source, decode, inspect
from tutelage.model import Model
from tutelage.tasks.segmentation import mean_iou, overlaps

THUMBNAIL = 80
"""Pixels of its longer side."""
SHOWN = 6
OVER = 0.55
"""How much of an overlay is its colour."""


def thumbnail(source: Source) -> str:
    """A small PNG of an image, in base64."""
    (h, w), _ = inspect(source)
    shrunk = THUMBNAIL / max(h, w)
    return _png(decode(source, (max(round(h * shrunk), 1), max(round(w * shrunk), 1))))


def overlay(pixels: np.ndarray, labels: np.ndarray, classes: int) -> str:
    """A PNG, in base64, of an image (h, w, 3) with the colours of its pixels' classes (h, w) over it; void is plain."""
    wash = (255 * colours(classes))[labels.clip(min=0)]
    mixed = np.where(labels[..., None] >= 0, (1 - OVER) * pixels + OVER * wash, pixels)
    return _png(mixed.round().astype(np.uint8))


def colours(classes: int) -> np.ndarray:
    """One colour for each class, (c, 3) in [0, 1]."""
    if classes <= 20:
        return np.asarray(matplotlib.colormaps["tab20"](np.arange(classes)))[:, :3]
    return np.asarray(matplotlib.colormaps["hsv"](np.linspace(0, 1, classes, endpoint=False)))[:, :3]


def hex_colours(classes: int) -> list[str]:
    """The same as style sheets have them."""
    return [matplotlib.colors.to_hex(colour) for colour in colours(classes)]


def beside_truth(
    sources: Sequence[Source],
    guess: np.ndarray,
    truth: np.ndarray,
    classes: int,
    rows: str,
    numbers: Sequence[int] | None = None,
) -> list[dict[str, Any]]:
    """Some images from the worst to the best: plain, as predicted and as they are.

    Args:
        guess, truth: class numbers of the pixels, -1 = void, (n, h, w).
        rows: says which images these are.
        numbers: of the images to show; by default spread over all by their mean IoU.
    """
    size = (guess.shape[1], guess.shape[2])
    found = overlaps(guess.ravel(), truth.ravel(), np.full(len(guess), size[0] * size[1]), classes)
    scores = [mean_iou(one[None]) for one in found]
    shown = []
    for i in spread(np.array(scores)):
        pixels = decode(sources[i], size)
        shown.append(
            {
                "name": f"{rows} image {(numbers[i] if numbers is not None else i) + 1}", "miou": scores[i],
                "image": _png(pixels), "guess": overlay(pixels, guess[i], classes),
                "truth": overlay(pixels, truth[i], classes),
            }
        )  # fmt: skip
    return shown


def spread(scores: np.ndarray) -> np.ndarray:
    """The numbers of some of the scores, from the lowest to the highest at equal distances.

    >>> spread(np.array([0.3, 0.1, 0.2])).tolist()
    [1, 2, 0]
    """
    order = scores.argsort(kind="stable")
    places = np.unique(np.linspace(0, len(order) - 1, min(SHOWN, len(order))).round().astype(int))
    return np.asarray(order[places])


def of_test(
    model: Model, images: Sequence[Source], truth: np.ndarray
) -> tuple[np.ndarray, Tally, list[dict[str, Any]]]:
    """Overlaps of all images (n, c, 2), the tally of their pixels, and some of them beside their truth."""
    classes = len(model.classes)
    found, tally = np.zeros((len(images), classes, 2), dtype=np.int64), Tally(classes)
    guess = np.empty(truth.shape, dtype=np.int16)
    for part in model.maps(images):
        y = truth[part.numbers]
        pixels = np.full(len(y), y[0].size)
        found[part.numbers] = overlaps(part.labels.ravel(), y.ravel(), pixels, classes)
        tally.add(y.ravel(), part.labels.ravel(), part.probability.ravel())
        guess[part.numbers] = part.labels
    chosen = spread(np.array([mean_iou(one[None]) for one in found]))
    some = [images[i] for i in chosen]
    return found, tally, beside_truth(some, guess[chosen], truth[chosen], classes, "test", chosen.tolist())


def of_pool(
    model: Model, images: Sequence[Source], names: Sequence[str], classes: Sequence[str], most: int
) -> dict[str, Any]:
    """The share of the pixels of each class, and the images whose mean probability is lowest, some at a time."""
    sure, share = np.empty(len(images)), np.zeros(len(classes))
    for part in model.maps(images):
        sure[part.numbers] = part.probability.mean((1, 2))
        share += np.bincount(part.labels.ravel(), minlength=len(classes))
    rows = np.argsort(sure, kind="stable")[:most]
    some = [images[i] for i in rows]
    least = {}
    for part in model.maps(some):
        for number, labels in zip(part.numbers, part.labels, strict=True):
            least[int(rows[number])] = overlay(decode(some[number], labels.shape), labels, len(classes))
    return {
        "least_sure": [
            {
                "pieces": [(names[int(i)], None)],
                "label": None,
                "image": least[int(i)],
                "probability": float(sure[i]),
            }
            for i in rows
        ],
        "pool_classes": dict(zip(classes, map(float, share / share.sum()), strict=True)),
    }


def _png(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()
