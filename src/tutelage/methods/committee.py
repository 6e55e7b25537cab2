"""A committee: one student of several teachers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

import torch
from torch import Tensor

from tutelage.data import Loader
from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels, require_own_units
from tutelage.methods.fields import NonNegative
from tutelage.ops.losses import cross_entropy
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Terms


@dataclass(frozen=True, eq=False)
class Committee(Method):
    """The student learns the labels, and the mean prediction of methods trained before on the pool.

    L = L_sup(S) + weight * (1/|B_u|) sum_u CE(sum_m s_m p_m(x_u), f(x_u; S)),  sum_m s_m = 1

    Source: Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015, for the ensembles of
    Section 3, at temperature 1.

    Args:
        members: names of those methods.
        said: their probabilities of the pool's units, a weighted mean, (units, c).
        weight: factor on the pool's loss, at least 0.

    >>> Committee(("drift", "mixmatch"), torch.full((5, 2), 0.5)).members
    ('drift', 'mixmatch')
    """

    name: ClassVar[str] = "committee"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    labeller: ClassVar[str] = "the mean of methods that were trained before"
    members: tuple[str, ...]
    said: Tensor = field(repr=False)
    weight: NonNegative = 3.0

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def remembers(self, loader: Loader, task: Task) -> Params:
        return {"said": self.said}

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        student, pool = play["student"], batch.unlabelled
        said = memory.kept["said"][pool.index]
        confidence, label = said.max(-1)
        of_pool = cross_entropy(said, task.units(student(pool["weak"]))).mean()
        return Terms(
            {"supervised": on_labels(student, batch, task), "pool": self.weight * of_pool},
            {"label": label, "confidence": confidence, "weight": torch.ones_like(confidence)},
        )
