"""A class for each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from tutelage.ops.warp import carry
from tutelage.tasks.classification import Classification
from tutelage.types import Inputs, Logits, Weight


@dataclass(frozen=True)
class Segmentation(Classification):
    """Each pixel is a unit, those of an image row by row; the score is the mean intersection over union.

    >>> import torch
    >>> Segmentation(2).units(torch.zeros(3, 2, 4, 5)).shape
    torch.Size([60, 2])
    """

    name: ClassVar[str] = "segmentation"
    measure: ClassVar[str] = "mean IoU"
    score: ClassVar[str] = "miou"
    binary: ClassVar[bool] = False
    labelled_by: ClassVar[str] = "masks"
    dense: ClassVar[bool] = True
    moves: ClassVar[bool] = True

    def disagreement(self, right: np.ndarray) -> float:
        """Standard deviation of the images' scores: two models never differ by a whole IoU."""
        return float(right.std())

    def units(self, out: Tensor) -> Logits:
        """Logits of all pixels, (b h w, c), of the output, (b, c, h, w)."""
        return out.movedim(1, -1).reshape(-1, out.shape[1])

    def carry(self, values: Tensor, images: Inputs, source: Tensor | None, to: Tensor | None) -> tuple[Tensor, Weight]:
        """Values of the nearest pixels, (b h w, ...), and 1 where the view ``source`` shows such a pixel, else 0.

        Raises:
            TypeError: ``images`` are no tensor.
        """
        if not isinstance(images, Tensor):
            raise TypeError(f"pixels are carried between images, (b, k, h, w), got a {type(images).__name__}")
        b, _, h, w = images.shape
        still = torch.eye(3, dtype=images.dtype, device=images.device).expand(b, 3, 3)
        maps = values.reshape(b, h, w, -1).movedim(-1, 1)
        moved, inside = carry(maps, still if source is None else source, still if to is None else to, "nearest")
        return moved.movedim(1, -1).reshape(values.shape), inside.flatten()

    def decode(
        self, guess: np.ndarray, classes: Sequence[Any], counts: np.ndarray, size: tuple[int, int] | None = None
    ) -> np.ndarray:
        """A map of class numbers for each image, (n, h, w)."""
        return guess.reshape(len(counts), *(size or (-1,)))

    def right(self, guess: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Each image's influence on the mean IoU, (n,), see `iou_influence`."""
        return iou_influence(overlaps(guess, y, counts, self.classes))


def overlaps(guess: np.ndarray, y: np.ndarray, counts: np.ndarray, classes: int) -> np.ndarray:
    """Pixels of each image that are of a class and predicted as it, and pixels that are either, (n, c, 2).

    Pixels whose class is unknown are left out.

    Args:
        guess: predicted class of every pixel, (pixels,).
        y: true class of every pixel, (pixels,), -1 = unknown.
        counts: number of pixels of each image, (n,).

    >>> overlaps(np.array([0, 0, 1]), np.array([0, 1, -1]), np.array([3]), 2).tolist()
    [[[1, 2], [0, 1]]]
    """
    ends = np.cumsum(counts)[:-1]
    found = []
    for g, t in zip(np.split(guess, ends), np.split(y, ends), strict=True):
        known = t >= 0
        pairs = np.bincount(t[known].astype(np.int64) * classes + g[known], minlength=classes**2)
        table = pairs.reshape(classes, classes)
        both = np.diag(table)
        found.append(np.stack([both, table.sum(0) + table.sum(1) - both], axis=1))
    return np.stack(found)


def mean_iou(found: np.ndarray) -> float:
    """Intersection over union of all images together, mean of the classes that occur; `overlaps` gives ``found``."""
    both, either = found.sum(0).T
    return float(np.mean(both[either > 0] / either[either > 0])) if (either > 0).any() else 0.0


def mean_dice(found: np.ndarray) -> float:
    """Dice's coefficient, 2 both / (both + either), of all images together, a mean over the classes that occur."""
    both, either = found.sum(0).T
    there = either > 0
    return float(np.mean(2 * both[there] / (both + either)[there])) if there.any() else 0.0


def iou_influence(found: np.ndarray) -> np.ndarray:
    """A score of each image, (n,), whose mean is the mean IoU of all images together.

    Args:
        found: counts of pixels, (n, c, 2), see `overlaps`.

    psi_i = mean_c IoU_c + n mean_c (both_ic - IoU_c either_ic) / either_c: the first-order effect of an image, so
    that its spread tells the standard error.

    >>> found = overlaps(np.array([0, 1, 1, 1]), np.array([0, 1, 0, 1]), np.array([2, 2]), 2)
    >>> round(float(iou_influence(found).mean()), 4), round(mean_iou(found), 4)
    (0.5833, 0.5833)
    """
    both, either = found.sum(0).T
    there = either > 0
    if not there.any():
        return np.zeros(len(found))
    iou = both[there] / either[there]
    effect = (found[:, there, 0] - iou * found[:, there, 1]) / either[there]
    influence: np.ndarray = iou.mean() + len(found) * effect.mean(axis=1)
    return influence
