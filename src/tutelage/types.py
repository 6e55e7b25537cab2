"""Types of values that many modules share, with their shapes; imports nothing of the library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

Logits = Float[Tensor, "n c"]
"""Logits of n units for c classes."""

LogProbs = Float[Tensor, "n c"]
"""Logarithms of probabilities, at most 0; the probabilities of a row sum to 1."""

Probs = Float[Tensor, "n c"]
"""Probabilities, in [0, 1]; each row sums to 1."""

Labels = Int[Tensor, " n"]
"""Class numbers, or numbers of units."""

Weight = Float[Tensor, " n"]
"""Weights or confidences of n units, at least 0."""

Scalar = Float[Tensor, ""]
"""A tensor of one number, such as a loss."""

Params = dict[str, Tensor]
"""Parameters (or gradients) of one player, by name."""

Inputs = Tensor | Mapping[str, Tensor]
"""Inputs of a network: one tensor whose first dimension counts examples, or named tensors."""

Say = Callable[[str], None]
"""Function that shows the user a sentence."""

Tick = Callable[[str, int, int], None]
"""Function that shows progress: called with the name of the work, the steps that are done, and all steps."""


@dataclass(frozen=True)
class Views:
    """Named views of the same examples.

    Attributes:
        at: inputs of the examples in each view, by the view's name.
        index: numbers of the examples' units in the data set, (n,).
        geometry: homographies from points of the original images to each view, (b, 3, 3), by the view's name; empty
            where the examples are no images.
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
        images: pixels of the view, (b, 3, h, w).
        geometry: homography of each image, from points (x, y, 1) of the original to points of the view, (b, 3, 3).
    """

    images: Float[Tensor, "b 3 h w"]
    geometry: Float[Tensor, "b 3 3"]


@dataclass(frozen=True)
class Batch:
    """One step's data: labelled examples with their targets, and unlabelled examples of the pool.

    Attributes:
        labelled: examples whose labels are learnt.
        target: targets of their units: class numbers, (n,), -1 is unknown; or probabilities, (n, c).
        unlabelled: examples of the pool.
        progress: share of the steps that are done, in [0, 1]: of the round where each round begins afresh, else of all.
        reserved: held-back labelled examples, for losses that look ahead; empty unless the method asks for a
            `Method.reserve`. They are never among ``labelled``.
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
    """The terms of a loss.

    Attributes:
        terms: weighted terms of the loss, by name; their sum is minimised.
        seen: values for the memory and the report, by name: one for each of the batch's pool units, or a scalar. They
            have no gradient.
    """

    terms: dict[str, Scalar]
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> Scalar:
        """The loss: the sum of the terms."""
        return reduce(add, self.terms.values())
