"""One label for each example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tutelage.types import Logits, Probs, Weight


@runtime_checkable
class Task(Protocol):
    """Turns outputs and targets into units: rows of class logits, of probabilities, of weights."""

    @property
    def classes(self) -> int: ...
    def units(self, out: Tensor) -> Logits: ...
    def target(self, y: Tensor) -> tuple[Probs, Weight]: ...


@dataclass(frozen=True)
class Classification:
    """Each example is one unit.

    >>> Classification(2).target(torch.tensor([1, -1]))[1].tolist()
    [1.0, 0.0]
    """

    classes: int

    def units(self, out: Tensor) -> Logits:
        """Give the logits, (n, c): the output itself."""
        return out

    def target(self, y: Tensor) -> tuple[Probs, Weight]:
        """Rows of probabilities and weights: class numbers one-hot, -1 = unknown weighs 0."""
        if y.is_floating_point():
            return y, torch.ones(len(y), dtype=y.dtype, device=y.device)
        dtype = torch.get_default_dtype()
        return one_hot(y.clamp(min=0), self.classes).to(dtype), (y >= 0).to(dtype)
