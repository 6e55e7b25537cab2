"""Batches as a function of the seed and the step: nothing to save, so a run resumes exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tutelage.data.examples import Examples
from tutelage.data.views import View
from tutelage.types import Batch, Views

Augmentation = Callable[[Any, int], View]
"""Makes a view of images (b, 3, h, w), drawn by a seed."""

Carry = Callable[[Tensor, Any, Tensor], Tensor]
"""Brings targets of units, (n,), from the originals into a view's images and geometry, (b, 3, 3)."""


class Stream:
    """An endless sequence of shuffles of ``range(size)``, cut into batches by step.

    >>> stream = Stream(3, batch=2, seed=0)
    >>> sorted([*stream.at(0).tolist(), *stream.at(1)[:1].tolist()])
    [0, 1, 2]
    """

    def __init__(self, size: int, batch: int, seed: int) -> None:
        self.size, self.batch, self.seed = size, batch, seed
        self._epochs: dict[int, np.ndarray] = {}

    def _epoch(self, number: int) -> np.ndarray:
        if number not in self._epochs:
            if len(self._epochs) > 1:
                del self._epochs[min(self._epochs)]
            self._epochs[number] = np.random.default_rng((self.seed, number)).permutation(self.size)
        return self._epochs[number]

    def at(self, step: int) -> np.ndarray:
        """Indices of batch ``step``, from 0; none where there is nothing to draw from."""
        parts, start, left = [np.arange(0)], step * self.batch, self.batch
        while left:
            epoch, offset = divmod(start, self.size)
            part = self._epoch(epoch)[offset : offset + left]
            parts.append(part)
            start, left = start + len(part), left - len(part)
        return np.concatenate(parts)


@dataclass
class Loader:
    """Draws labelled and unlabelled batches.

    Args:
        labelled: examples whose ``target`` is known; may be empty.
        target: class numbers or rows of probabilities, one per unit of the labelled examples.
        unlabelled: the pool; may be empty.
        batch_labelled, batch_unlabelled: examples a step; no more than there are.
        strong: other views of the pool's examples, taken in turn.
        views: of images, by name: what makes a view of a batch, drawn by a seed. "weak" is the labelled images' too.
        carry: brings targets (one per unit of the images) into a view's geometry; where a unit is not an image.
    """

    labelled: Examples
    target: Tensor
    unlabelled: Examples
    batch_labelled: int = 128
    batch_unlabelled: int = 256
    seed: int = 0
    strong: Sequence[Examples] = ()
    views: Mapping[str, Augmentation] = field(default_factory=dict)
    carry: Carry | None = None

    def __post_init__(self) -> None:
        n, pool = len(self.labelled), len(self.unlabelled)
        self._labelled = Stream(n, min(self.batch_labelled, n), 2 * self.seed)
        self._unlabelled = Stream(pool, min(self.batch_unlabelled, pool), 2 * self.seed + 1)

    def batch(self, step: int, progress: float, with_pool: bool = True) -> Batch:
        """The batch of one step; without the pool, an empty unlabelled part."""
        i = self._labelled.at(step)
        j = self._unlabelled.at(step) if with_pool else np.arange(0)
        labelled, pool = self._seen(self.labelled, i, 2 * step, ["weak"]), self._seen(self.unlabelled, j, 2 * step + 1)
        if len(j) and self.strong:
            pool = replace(pool, at={**pool.at, "strong": self.strong[step % len(self.strong)].take(j)})
        target = self.target[labelled.index]
        if self.carry and labelled.geometry:
            target = self.carry(target, labelled["weak"], labelled.geometry["weak"])
        return Batch(labelled, target, pool, progress)

    def _seen(self, examples: Examples, index: np.ndarray, draw: int, names: Sequence[str] = ()) -> Views:
        """The examples at ``index`` as they are, or in each of the loader's views of images."""
        units = self._tensor(examples.units(index))
        if not len(index):
            return Views({}, units)
        inputs = examples.take(index)
        if not self.views:
            return Views({"weak": inputs}, units)
        seed = int(np.random.SeedSequence([self.seed, draw]).generate_state(1)[0])
        made = {name: self.views[name](inputs, seed) for name in names or self.views}
        return Views({n: v.images for n, v in made.items()}, units, {n: v.geometry for n, v in made.items()})

    def _tensor(self, index: np.ndarray) -> Tensor:
        return torch.as_tensor(index, device=self.target.device)
