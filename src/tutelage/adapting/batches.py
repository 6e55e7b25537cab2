"""Batches of labelled examples in which classes have pairs, as a function of the seed and the step."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from tutelage.data import Loader
from tutelage.data.loader import Stream
from tutelage.types import Batch, Views

LABELS_A_CLASS = 4
"""Number of examples of a class in a batch, at least, where there are too many classes for all to be in it."""

UNITS_A_BATCH = 256
"""Number of units of a batch that are in pairs, about at most, where an example has several units."""


@dataclass
class ClassLoader(Loader):
    """Draws batches of labelled examples in which every class that is there has pairs.

    Where all examples fit into a batch, every batch is all of them. Else classes are drawn in turn, so many that each
    brings at least `LABELS_A_CLASS` examples, and of each class its examples in turn; a class with fewer brings all.
    The memory grows with the number of labels, not with that of their pairs.

    Where an example has several units, as a sentence has words, it counts for every class that one of its units has.
    Of the units of a batch each of c classes then keeps at most ``UNITS_A_BATCH / c``, drawn at random; the others get
    the target -1, which is unknown. Else the words outside of entities would be in nearly all pairs.
    """

    _of_class: list[np.ndarray] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        y = self.target.cpu().numpy()
        example = np.repeat(np.arange(len(self.labelled)), self.labelled.counts())
        self._of_class = [np.unique(example[y == k]) for k in np.unique(y[y >= 0])]
        self._several = len(y) != len(self.labelled)
        shown = min(len(self._of_class), max(self.batch_labelled // LABELS_A_CLASS, 1))
        each = self.batch_labelled // max(shown, 1)
        self._classes = Stream(len(self._of_class), shown, 2 * self.seed, 2)
        self._streams = [
            Stream(len(of), min(each, len(of)), 2 * self.seed, 3, k) for k, of in enumerate(self._of_class)
        ]

    def batch(self, step: int, progress: float, with_pool: bool = True) -> Batch:
        """The batch of a step, counted from 0."""
        i = self.drawn(step)
        units = self.labelled.units(i)
        target = self.target[self._tensor(units)]
        if self._several:
            target = self._thinned(target.cpu().numpy(), step)
        labelled = Views({"weak": self.labelled.take(i)}, self._tensor(units))
        return Batch(labelled, target, Views({}, self._tensor(np.arange(0))), progress)

    def drawn(self, step: int) -> np.ndarray:
        """Numbers of the examples in the batch of a step, each once, in rising order."""
        if len(self.labelled) <= self.batch_labelled:
            return np.arange(len(self.labelled))
        first = step * self._classes.batch
        drawn = [
            self._of_class[k][self._streams[k].at((first + place) // self._classes.size)]  # so often k was drawn before
            for place, k in enumerate(self._classes.at(step))
        ]
        return np.unique(np.concatenate(drawn))

    def _thinned(self, y: np.ndarray, step: int) -> torch.Tensor:
        """Targets of a batch's units, of which each class keeps an equal number at most; the others are -1."""
        present = np.unique(y[y >= 0])
        most = max(-(-UNITS_A_BATCH // max(len(present), 1)), 2)
        draws, kept = np.random.default_rng((2 * self.seed, step, 4)), np.full_like(y, -1)
        for k in present:
            of = np.flatnonzero(y == k)
            kept[draws.permutation(of)[:most]] = k
        return self._tensor(kept)
