"""Texts are told apart from each other, each recognised by what dropout leaves of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method
from tutelage.ops.checks import Range
from tutelage.tasks import Task
from tutelage.types import Batch, Scalar, Terms


def told_apart(first: Tensor, second: Tensor, temperature: float) -> Scalar:
    """Cross-entropy of recognising each text by its second representation, among all of the batch.

        L = -(1/n) sum_i log( exp(cos(z_i, z'_i) / t) / sum_j exp(cos(z_i, z'_j) / t) )          (SimCSE, eq. 4)

    Args:
        first, second: representations z and z' of the same n texts, (n, d).
        temperature: t, above 0.

    >>> round(told_apart(torch.eye(2), torch.eye(2), 1.0).item(), 4)  # log(1 + 1/e)
    0.3133
    """
    z, other = (torch.nn.functional.normalize(rows, dim=1) for rows in (first, second))
    return torch.nn.functional.cross_entropy(z @ other.T / temperature, torch.arange(len(z), device=z.device))


@dataclass(frozen=True)
class SimCse(Method):
    """The encoder learns from texts without labels: two passes with other dropout are alike, other texts are not.

    L = `told_apart` of two passes over the batch's unlabelled texts

    The network gives features, not logits, so this method makes no classifier and is none of `METHODS`.

    Args:
        temperature: temperature of the cosines, above 0.

    Source: Gao et al., SimCSE, EMNLP 2021, the unsupervised form.

    >>> SimCse().temperature
    0.05
    """

    name: ClassVar[str] = "simcse"
    temperature: Annotated[float, Range(0, low_open=True)] = 0.05

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        first, second = (play["student"](batch.unlabelled["weak"]) for _ in range(2))
        return Terms({"told_apart": told_apart(first, second, self.temperature)})
