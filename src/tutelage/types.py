"""The values that travel through the library, shape-typed; imports nothing of the project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor

Logits = Float[Tensor, "n c"]
LogProbs = Float[Tensor, "n c"]
Probs = Float[Tensor, "n c"]
Labels = Int[Tensor, " n"]
Weight = Float[Tensor, " n"]
Scalar = Float[Tensor, ""]

Params = dict[str, Tensor]
"""Parameters (or gradients) of one player, by name."""

Inputs = Tensor | Mapping[str, Tensor]
"""What a network eats: one tensor whose first dimension counts examples, or named tensors."""

Say = Callable[[str], None]
"""Told a sentence for the user."""

Tick = Callable[[str, int, int], None]
"""Told what is being done, and how many of how many steps of it are done."""


@dataclass(frozen=True)
class Views:
    """Named views of the same examples, and the numbers of their units in the data set.

    ``geometry``: of views of images, the homographies (b, 3, 3) from points of the original to the view.
    """

    at: Mapping[str, Inputs]
    index: Int[Tensor, " n"]
    geometry: Mapping[str, Tensor] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Inputs:
        return self.at[name]

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class View:
    """Images as seen, and ``geometry``: the homography from a point (x, y, 1) of the original to the view."""

    images: Float[Tensor, "b 3 h w"]
    geometry: Float[Tensor, "b 3 3"]


@dataclass(frozen=True)
class Batch:
    """One step's data: labelled examples with targets, and examples from the pool without.

    ``target`` holds class numbers with -1 for unknown, or rows of probabilities.
    ``progress`` is the share that is done, in [0, 1]: of the round where each begins afresh, else of all steps.
    """

    labelled: Views
    target: Tensor
    unlabelled: Views
    progress: float = 0.0


@dataclass(frozen=True)
class Terms:
    """A loss, taken apart.

    ``terms`` are named and already weighted: their sum is what is minimised. ``seen`` holds
    values for memory and report, one entry per pool example or a scalar; never differentiated.
    """

    terms: dict[str, Scalar]
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> Scalar:
        values = list(self.terms.values())
        return sum(values[1:], start=values[0])
