"""Predictions on the pixels of images, their scores, and pictures of them beside the masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.data import Examples
from tutelage.fit.evidence import estimate
from tutelage.modalities.images.decoding import Source
from tutelage.modalities.images.pictures import overlay, pixels_of, png
from tutelage.modalities.images.reader import PixelReader
from tutelage.model import Model
from tutelage.tasks.segmentation import iou_influence, mean_dice, mean_iou, overlaps

SHOWN = 6
"""Number of images that a report shows beside their masks, at most."""


@dataclass(frozen=True)
class Maps:
    """Predictions on the pixels of some images.

    Attributes:
        numbers: numbers of the images, (b,).
        labels: predicted class number of each pixel, (b, h, w).
        probability: probability of this class, (b, h, w), in [0, 1].
    """

    numbers: np.ndarray
    labels: np.ndarray
    probability: np.ndarray


def maps(model: Model, images: Any) -> Iterator[Maps]:
    """Predictions on the pixels of images, some images at a time, so that memory does not grow with their number."""
    return maps_of(model, model.examples(images))


def maps_of(model: Model, examples: Examples) -> Iterator[Maps]:
    assert isinstance(model.reader, PixelReader)
    h, w = model.reader.size
    for units, probabilities in model.stream(examples):
        top, labels = probabilities.max(-1)
        numbers = units[:: h * w] // (h * w)  # an image's pixels are h w units in a row
        shape = (len(numbers), h, w)
        yield Maps(numbers.cpu().numpy(), labels.view(shape).cpu().numpy(), top.view(shape).cpu().numpy())


def mask_scores(found: np.ndarray) -> dict[str, Any]:
    """Mean IoU with its interval, mean Dice, and the IoU of each class, as plain values.

    The IoU of a class that does not occur is None.

    Args:
        found: overlaps of n images, (n, c, 2), see `tasks.segmentation.overlaps`.
    """
    interval = estimate(iou_influence(found))
    each = [float(both / either) if either else None for both, either in found.sum(0)]
    return {
        "rows": len(found), "measure": "mean IoU", "miou": mean_iou(found), "dice": mean_dice(found),
        "interval": [interval.low, interval.high], "iou_by_class": each,
    }  # fmt: skip


def beside_truth(
    sources: Sequence[Source], guess: np.ndarray, truth: np.ndarray, classes: int, rows: str,
    numbers: Sequence[int] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Pictures of some images from the worst to the best: plain, with the prediction, and with the mask.

    SHOWN of the images are shown, spread evenly over the ranking by mean IoU.

    Args:
        sources: n images.
        guess: predicted class numbers of the pixels, (n, h, w).
        truth: class numbers of the pixels, (n, h, w); -1 is void.
        classes: number of classes.
        rows: name of the set that the images are of, such as "held out".
        numbers: number of each image in that set, for its name; by default its place among these.
    """
    size = (guess.shape[1], guess.shape[2])
    found = overlaps(guess.ravel(), truth.ravel(), np.full(len(guess), size[0] * size[1]), classes)
    scores = [mean_iou(one[None]) for one in found]
    shown = []
    for i in spread(np.array(scores)):
        pixels = pixels_of(sources[i], size)
        shown.append(
            {
                "name": f"{rows} image {(numbers[i] if numbers is not None else i) + 1}", "miou": scores[i],
                "image": png(pixels), "guess": overlay(pixels, guess[i], classes),
                "truth": overlay(pixels, truth[i], classes),
            }
        )  # fmt: skip
    return shown


def spread(scores: np.ndarray) -> np.ndarray:
    """Numbers of at most SHOWN scores, evenly spread over their ranking, from the lowest score to the highest.

    >>> spread(np.array([0.3, 0.1, 0.2])).tolist()
    [1, 2, 0]
    """
    order = scores.argsort(kind="stable")
    places = np.unique(np.linspace(0, len(order) - 1, min(SHOWN, len(order))).round().astype(int))
    return np.asarray(order[places])
