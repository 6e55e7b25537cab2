"""Generalised cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method
from tutelage.methods.fields import Share
from tutelage.ops.losses import generalised_cross_entropy, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class Gce(Method):
    """Noisy labels: a label counts the less, the less probable the model finds it.

    L = (1/|B_l|) sum_l (1 - p_y(x; S)^q) / q

    Source: Zhang and Sabuncu, Generalized Cross Entropy Loss, NeurIPS 2018, eq. 6, without its pruning of labels.

    Args:
        power: q in [0, 1]; 0 is cross-entropy, 1 half the absolute error.

    >>> Gce().power
    0.7
    """

    name: ClassVar[str] = "gce"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    uses_pool: ClassVar[bool] = False
    power: Share = 0.7

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        y, known = task.target(batch.target)
        z = task.units(play["student"](batch.labelled["weak"]))
        return Terms({"supervised": mean(generalised_cross_entropy(y, z, self.power), known)})
