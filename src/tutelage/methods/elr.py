"""Early-learning regularisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import torch

from tutelage.data import Loader
from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, require_own_units
from tutelage.methods.fields import NonNegative, Share
from tutelage.ops.losses import cross_entropy, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Terms

NEARLY = 1e-4
"""Probabilities are kept at least this far from 0 and 1."""


@dataclass(frozen=True)
class Elr(Method):
    """Noisy labels: the model may not forget what it said of a unit before it learnt the unit's label by heart.

    L = L_sup(S) + weight * (1/|B_l|) sum_l log(1 - <t, p(x; S)>),  t <- decay * t + (1 - decay) * p(x; S)

    with t, (units, c), a moving average for each labelled unit: 0 at first, renewed before it is used.

    Source: Liu et al., Early-Learning Regularization Prevents Memorization of Noisy Labels, NeurIPS 2020, eqs. 6
    and 9, without the second network of "ELR+".

    Args:
        weight: lambda, the factor on the second term, at least 0.
        decay: beta, the share that t keeps of its old value at each step, in [0, 1].

    >>> Elr(decay=0.9).weight
    3.0
    """

    name: ClassVar[str] = "elr"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    of_labels: ClassVar[tuple[str, ...]] = ("supervised", "early")
    uses_pool: ClassVar[bool] = False
    weight: NonNegative = 3.0
    decay: Share = 0.7

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def remembers(self, loader: Loader, task: Task) -> Params:
        return {"target": torch.zeros(len(loader.target), task.classes)}

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        y, known = task.target(batch.target)
        z = task.units(play["student"](batch.labelled["weak"]))
        p = z.softmax(-1).clamp(NEARLY, 1 - NEARLY)
        now = p.detach() / p.detach().sum(-1, keepdim=True)
        target = self.decay * memory.kept["target"][batch.labelled.index] + (1 - self.decay) * now
        kept = (1 - (target * p).sum(-1)).log()
        terms = {"supervised": mean(cross_entropy(y, z), known), "early": self.weight * mean(kept, known)}
        return Terms(terms, {"target": target})

    def observe(self, batch: Batch, terms: Terms, memory: Memory, task: Task) -> None:
        memory.kept["target"][batch.labelled.index] = terms.seen["target"]
