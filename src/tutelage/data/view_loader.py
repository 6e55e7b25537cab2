"""Batches of views of images. A view is a function of the seed and the step, as the batch itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from tutelage.data.examples import Examples
from tutelage.data.loader import Loader
from tutelage.types import Batch, Inputs, View, Views

Augmentation = Callable[[Tensor, int], View]
"""Function that makes a view of images, (b, 3, h, w), drawn by a seed."""

Carry = Callable[[Tensor, Inputs, Tensor], Tensor]
"""Function that brings targets of units, (n,), from the original images into a view.

It is called with the targets, the images of the view and the view's geometry, (b, 3, 3).
"""


@dataclass
class ViewLoader(Loader):
    """A `Loader` of images, (b, 3, h, w) in [0, 1], that draws new views of each batch.

    Args:
        views: augmentations by the view's name; "weak" is also the view of the labelled images, and "again" has a draw
            of its own.
        carry: function that brings targets into a view, where the units are pixels; else None.
    """

    views: Mapping[str, Augmentation] = field(default_factory=dict)
    carry: Carry | None = None

    def batch(self, step: int, progress: float, with_pool: bool = True) -> Batch:
        """The batch of one step, with views; see `Loader.batch`."""
        raw = super().batch(step, progress, with_pool)
        labelled, target = self._labels_seen(raw.labelled, raw.target, 2 * step)
        reserved, reserved_target = self._labels_seen(raw.reserved, raw.reserved_target, 2 * step, 1)
        return replace(
            raw, labelled=labelled, target=target, reserved=reserved, reserved_target=reserved_target,
            unlabelled=self._seen(raw.unlabelled, list(self.views), 2 * step + 1),
        )  # fmt: skip

    def parts(self, whole: Batch, step: int, count: int) -> list[Batch]:
        """The batch of a step in parts, which have its views; see `Loader.parts`."""
        i, j = zip(*self._pieces(whole, count), strict=True)
        labelled, pool = _cut(whole.labelled, self.labelled, i), _cut(whole.unlabelled, self.unlabelled, j)
        targets = _split(whole.target, [len(part) for part in labelled])
        return [Batch(*each, whole.progress) for each in zip(labelled, targets, pool, strict=True)]

    def _labels_seen(self, raw: Views, target: Tensor, *draw: int) -> tuple[Views, Tensor]:
        """Weak view of labelled images, and their targets in this view."""
        seen = self._seen(raw, ["weak"], *draw)
        if self.carry and len(target):
            target = self.carry(target, seen["weak"], seen.geometry["weak"])
        return seen, target

    def _seen(self, raw: Views, names: Sequence[str], *draw: int) -> Views:
        if not len(raw):
            return raw
        images = _images(raw["weak"])
        seeds = [int(s) for s in np.random.SeedSequence([self.seed, *draw]).generate_state(2)]
        made = {name: self.views[name](images, seeds[name == "again"]) for name in names}
        return Views({n: v.images for n, v in made.items()}, raw.index, {n: v.geometry for n, v in made.items()})


def _cut(whole: Views, examples: Examples, pieces: Sequence[np.ndarray]) -> list[Views]:
    """Views of images cut into pieces.

    Args:
        whole: the views.
        examples: examples that they show.
        pieces: numbers of the examples in each piece.
    """
    sizes, units = [len(piece) for piece in pieces], [len(examples.units(piece)) for piece in pieces]
    at = {name: _split(_images(images), sizes) for name, images in whole.at.items()}
    geometry = {name: _split(maps, sizes) for name, maps in whole.geometry.items()}
    return [
        Views({n: t[k] for n, t in at.items()}, index, {n: t[k] for n, t in geometry.items()})
        for k, index in enumerate(_split(whole.index, units))
    ]


def _split(rows: Tensor, sizes: Sequence[int]) -> tuple[Tensor, ...]:
    return torch.split(rows, list(sizes))


def _images(images: Inputs) -> Tensor:
    assert isinstance(images, Tensor)
    return images
