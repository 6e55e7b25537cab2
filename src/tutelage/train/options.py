"""How long and how fast a network is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from torch import nn

from tutelage.ops.checks import in_range, one_of

Networks = nn.Module | Callable[[int], nn.Module]
"""A network to start from, or a function that makes one from a seed."""


@dataclass(frozen=True)
class Training:
    """How long and how fast a network is trained.

    Args:
        steps: optimiser steps in all, shared by a method's rounds; at least 1.
        lr: peak learning rate, above 0. It falls to 0 along half a cosine over all steps, or over each round where the
            rounds begin afresh.
        lr_scale: factors on the learning rate, by the beginning of a parameter's name. Modules that a method brings
            get the largest factor, unless "brought." is named.
        weight_decay: decoupled weight decay, at least 0.
        optimiser: "adamw", or "sgd" with momentum 0.9.
        clip: largest norm of a player's gradient, above 0.
        seed: seed of random weights, of dropout and of the batches, at least 0.
        records: number of points of history.
        checkpoint_every: seconds between two checkpoints.

    Raises:
        ValueError: a value is out of its range.
    """

    steps: int = 400
    lr: float = 1e-3
    lr_scale: dict[str, float] = field(default_factory=dict)
    weight_decay: float = 1e-2
    optimiser: Literal["adamw", "sgd"] = "adamw"
    clip: float = 1.0
    seed: int = 0
    records: int = 20
    checkpoint_every: float = 30.0

    def __post_init__(self) -> None:
        in_range("steps", self.steps, 1)
        in_range("seed", self.seed, 0)
        in_range("lr", self.lr, 0, low_open=True)
        in_range("weight_decay", self.weight_decay, 0)
        one_of("optimiser", self.optimiser, ("adamw", "sgd"))
        in_range("clip", self.clip, 0, low_open=True)
