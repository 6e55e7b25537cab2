"""Batches as a function of the seed and the step: nothing to save, so a run resumes exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tutelage.data.examples import Examples
from tutelage.types import Batch, Views


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
    """

    labelled: Examples
    target: Tensor
    unlabelled: Examples
    batch_labelled: int = 128
    batch_unlabelled: int = 256
    seed: int = 0
    strong: Sequence[Examples] = ()

    def __post_init__(self) -> None:
        n, pool = len(self.labelled), len(self.unlabelled)
        self._labelled = Stream(n, min(self.batch_labelled, n), 2 * self.seed)
        self._unlabelled = Stream(pool, min(self.batch_unlabelled, pool), 2 * self.seed + 1)

    def batch(self, step: int, progress: float, with_pool: bool = True) -> Batch:
        """The batch of one step; without the pool, an empty unlabelled part."""
        i = self._labelled.at(step)
        j = self._unlabelled.at(step) if with_pool else np.arange(0)
        labelled = {"weak": self.labelled.take(i)} if len(i) else {}
        pool = {"weak": self.unlabelled.take(j)} if len(j) else {}
        if len(j) and self.strong:
            pool["strong"] = self.strong[step % len(self.strong)].take(j)
        units = self._tensor(self.labelled.units(i))
        return Batch(
            Views(labelled, units), self.target[units], Views(pool, self._tensor(self.unlabelled.units(j))), progress
        )

    @property
    def pool_units(self) -> int:
        """How many units the pool has."""
        return int(self.unlabelled.counts().sum())

    def _tensor(self, index: np.ndarray) -> Tensor:
        return torch.as_tensor(index, device=self.target.device)
