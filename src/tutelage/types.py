"""The values that travel through the library, shape-typed; imports nothing of the project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
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
"""Inputs of a network: one tensor whose first dimension counts examples, or named tensors."""

Say = Callable[[str], None]
"""Called with a sentence for the user."""

Tick = Callable[[str, int, int], None]
"""Called with what is being done, how many steps of it are done, and how many there are."""


@dataclass(frozen=True)
class Views:
    """Named views of the same examples.

    Attributes:
        at: the inputs of the examples in each view, by its name.
        index: numbers of the examples' units in the data set, (n,).
        geometry: of views of images, by name, the homographies from points of the originals to the view, (b, 3, 3).
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
    """A view of images.

    Attributes:
        images: the images as the view shows them.
        geometry: of each image the homography from a point (x, y, 1) of the original to the view.
    """

    images: Float[Tensor, "b 3 h w"]
    geometry: Float[Tensor, "b 3 3"]


@dataclass(frozen=True)
class Batch:
    """One step's data: labelled examples with targets, and examples from the pool without.

    Attributes:
        labelled: examples whose labels are learnt.
        target: targets of their units: class numbers with -1 for unknown, or rows of probabilities.
        unlabelled: examples from the pool.
        progress: share of the steps that are done, in [0, 1]: of the round where each round begins afresh, else of all.
        reserved: other labelled examples, for losses that look ahead; empty unless the method asks for a
            `Method.reserve`. None of them is ever among those whose labels are learnt.
        reserved_target: targets of their units, as ``target``.
    """

    labelled: Views
    target: Tensor
    unlabelled: Views
    progress: float = 0.0
    reserved: Views = field(default_factory=lambda: Views({}, torch.empty(0, dtype=torch.int64)))
    reserved_target: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))


@dataclass(frozen=True)
class Terms:
    """A loss, taken apart.

    Attributes:
        terms: the parts of the loss by name, already weighted; their sum is minimised.
        seen: values for the memory and the report, by name: one for each unit of the pool, or a scalar. No gradient.
    """

    terms: dict[str, Scalar]
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> Scalar:
        """The sum of the terms."""
        values = list(self.terms.values())
        return sum(values[1:], start=values[0])
