"""Batches of views of images, each a function of the seed and the step like the batches themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from torch import Tensor

from tutelage.data.loader import Loader
from tutelage.types import Batch, Inputs, View, Views

Augmentation = Callable[[Tensor, int], View]
"""Makes a view of images (b, 3, h, w), drawn by a seed."""

Carry = Callable[[Tensor, Inputs, Tensor], Tensor]
"""Brings targets of units, (n,), from the original into a view: target, the view's images and geometry (b, 3, 3)."""


@dataclass
class ViewLoader(Loader):
    """As `Loader`, for images (b, 3, h, w) in [0, 1]: each batch is seen anew.

    Args:
        views: by name; "weak" is the labelled images' too, and "again" is drawn by itself.
        carry: of targets, where the unit is not the image.
    """

    views: Mapping[str, Augmentation] = field(default_factory=dict)
    carry: Carry | None = None

    def batch(self, step: int, progress: float, with_pool: bool = True) -> Batch:
        """The batch of one step; without the pool, an empty unlabelled part."""
        raw = super().batch(step, progress, with_pool)
        labelled, target = self._labels_seen(raw.labelled, raw.target, 2 * step)
        reserved, reserved_target = self._labels_seen(raw.reserved, raw.reserved_target, 2 * step, 1)
        return replace(
            raw, labelled=labelled, target=target, reserved=reserved, reserved_target=reserved_target,
            unlabelled=self._seen(raw.unlabelled, list(self.views), 2 * step + 1),
        )  # fmt: skip

    def _labels_seen(self, raw: Views, target: Tensor, *draw: int) -> tuple[Views, Tensor]:
        """The weak view of labelled images, and their targets as it shows them."""
        seen = self._seen(raw, ["weak"], *draw)
        if self.carry and len(target):
            target = self.carry(target, seen["weak"], seen.geometry["weak"])
        return seen, target

    def _seen(self, raw: Views, names: Sequence[str], *draw: int) -> Views:
        if not len(raw):
            return raw
        images = raw["weak"]
        assert isinstance(images, Tensor)
        seeds = [int(s) for s in np.random.SeedSequence([self.seed, *draw]).generate_state(2)]
        made = {name: self.views[name](images, seeds[name == "again"]) for name in names}
        return Views({n: v.images for n, v in made.items()}, raw.index, {n: v.geometry for n, v in made.items()})
