"""One label for each example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tutelage.types import Inputs, Logits, Probs, Weight


@runtime_checkable
class Task(Protocol):
    """Turns outputs and targets into units: rows of class logits, of probabilities, of weights."""

    @property
    def classes(self) -> int: ...
    @property
    def measure(self) -> str: ...
    @property
    def score(self) -> str:
        """The measure as a key of summaries."""

    def units(self, out: Tensor) -> Logits: ...
    def target(self, y: Tensor) -> tuple[Probs, Weight]: ...

    def carry(self, values: Tensor, images: Inputs, source: Tensor | None, to: Tensor | None) -> tuple[Tensor, Weight]:
        """Bring values of units, (n, ...), from one view of images into another, each given by its geometry.

        Also 1 where the other view saw the unit, else 0, (n,). None is the original's geometry.
        """

    def right(self, guess: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Give the score of each example, (n,), whose mean is the task's.

        Args:
            guess, y: class numbers of the units, (units,).
            counts: units of each example, (n,).
        """


@dataclass(frozen=True)
class Classification:
    """Each example is one unit; the score is accuracy.

    >>> Classification(2).target(torch.tensor([1, -1]))[1].tolist()
    [1.0, 0.0]
    """

    classes: int
    measure: ClassVar[str] = "accuracy"
    score: ClassVar[str] = "accuracy"

    def units(self, out: Tensor) -> Logits:
        """Give the logits, (n, c): the output itself."""
        return out

    def target(self, y: Tensor) -> tuple[Probs, Weight]:
        """Rows of probabilities and weights: class numbers one-hot, -1 = unknown weighs 0."""
        if y.is_floating_point():
            return y, torch.ones(len(y), dtype=y.dtype, device=y.device)
        dtype = torch.get_default_dtype()
        return one_hot(y.clamp(min=0), self.classes).to(dtype), (y >= 0).to(dtype)

    def carry(self, values: Tensor, images: Inputs, source: Tensor | None, to: Tensor | None) -> tuple[Tensor, Weight]:
        """Leave the values alone: what an image shows does not depend on the view of it."""
        return values, torch.ones(len(values), dtype=torch.get_default_dtype(), device=values.device)

    def right(self, guess: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
        right: np.ndarray = (guess == y).astype(float)
        return right
