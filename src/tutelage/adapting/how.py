"""How an encoder is adapted: what it is trained for, how long and how fast."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

import torch

from tutelage.ops.bfloat16 import multiplies_bfloat16
from tutelage.ops.checks import Range, checks_of, one_of

BY: Mapping[str, str] = {
    "contrastive": "items of one class are pulled together and of two classes apart; needs labels",
    "simcse": "texts are told apart, each recognised through other dropout; needs no label",
    "mlm": "masked tokens are guessed from those around them; needs no label",
}
"""What an encoder can be trained for, by name, in words."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "contrastive": {},
    "simcse": {"steps": 100, "lr": 3e-5},
    "mlm": {"steps": 200, "lr": 1e-4, "batch": 32},
}
"""Fields whose default is another one, by what is trained for."""

EPOCHS = 10
"""Times that each label is seen, about, unless the steps are given."""

LEAST_STEPS, MOST_STEPS = 20, 100
"""Optimiser steps, at least and at most, unless they are given."""


@dataclass(frozen=True)
class Adapting:
    """How an encoder is adapted. The defaults are those of "contrastive"; `of` gives those of the others.

    Args:
        by: what it is trained for: "contrastive", "simcse" or "mlm", see `BY`.
        steps: optimiser steps, at least 0; 0 leaves the encoder as it is. None takes as many as the labels need, see
            `settled`.
        lr: peak learning rate, above 0; it falls to 0 along half a cosine.
        batch: texts, or sentences, in a step, at least 2; all of them where there are fewer.
        frozen_layers: number of lowest layers that stay as they are, at least 0; None is a third of them, rounded down.
            The token embeddings always stay.
        fast: whether matrices are multiplied in bfloat16; None does so where the machine has instructions for it.

    Raises:
        ValueError: a value is out of its range.
    """

    by: Literal["contrastive", "simcse", "mlm"] = "contrastive"
    steps: Annotated[int | None, Range(0, whole=True)] = None
    lr: Annotated[float, Range(0, low_open=True)] = 1e-4
    batch: Annotated[int, Range(2, whole=True)] = 64
    frozen_layers: Annotated[int | None, Range(0, whole=True)] = None
    fast: bool | None = None

    def __post_init__(self) -> None:
        for name, check in checks_of(Adapting).items():
            if getattr(self, name) is not None or name not in ("steps", "frozen_layers"):
                check(name, getattr(self, name))

    @classmethod
    def of(cls, by: str, **given: Any) -> Self:
        """How an encoder is adapted by this name; fields that are not given, or None, have the defaults of the name.

        >>> Adapting.of("simcse", lr=None, batch=16)
        Adapting(by='simcse', steps=100, lr=3e-05, batch=16, frozen_layers=None, fast=None)
        """
        one_of("by", by, tuple(BY))
        return cls(**{"by": by} | dict(DEFAULTS[by]) | {name: v for name, v in given.items() if v is not None})

    @property
    def labelled(self) -> bool:
        """Whether it is trained on labels; else items alone are enough."""
        return self.by == "contrastive"

    @property
    def said(self) -> str:
        """How the encoder was adapted, in words.

        >>> Adapting(steps=30).said
        'contrastive, 30 steps'
        """
        return self.by if self.steps is None else f"{self.by}, {self.steps} steps"

    def settled(self, count: int) -> Self:
        """The same with a number of steps: where none was given, so many that each label is seen `EPOCHS` times.

        These are at least `LEAST_STEPS` and at most `MOST_STEPS`.

        Args:
            count: number of labelled items.

        >>> [Adapting().settled(n).steps for n in (60, 300, 5000)]
        [20, 47, 100]
        """
        needed = math.ceil(EPOCHS * count / self.batch)
        return self if self.steps is not None else replace(self, steps=min(max(needed, LEAST_STEPS), MOST_STEPS))

    def in_bfloat16(self, device: torch.device) -> bool:
        """Whether matrices are multiplied in bfloat16 on this device."""
        return multiplies_bfloat16(device) if self.fast is None else self.fast
