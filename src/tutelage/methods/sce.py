"""Symmetric cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method
from tutelage.methods.fields import NonNegative
from tutelage.ops.checks import Range
from tutelage.ops.losses import cross_entropy, mean, reverse_cross_entropy
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class Sce(Method):
    """Noisy labels: cross-entropy both ways; the reverse one bounds what a wrong label can cost.

    L = (1/|B_l|) sum_l [forward CE(y, p) + reverse CE(p, y)],  log 0 = floor,  p = f(x; S)

    Source: Wang et al., Symmetric Cross Entropy for Robust Learning with Noisy Labels, ICCV 2019 (alpha, beta, A).

    Args:
        forward: alpha, the factor on the usual cross-entropy, at least 0.
        reverse: beta, the factor on the reverse one, at least 0.
        floor: A, the number that stands for log 0, in [-100, 0].

    >>> Sce().floor
    -4.0
    """

    name: ClassVar[str] = "sce"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    of_labels: ClassVar[tuple[str, ...]] = ("supervised", "reverse")
    uses_pool: ClassVar[bool] = False
    forward: NonNegative = 0.1
    reverse: NonNegative = 1.0
    floor: Annotated[float, Range(-100, 0)] = -4.0

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        y, known = task.target(batch.target)
        z = task.units(play["student"](batch.labelled["weak"]))
        back = self.reverse * mean(reverse_cross_entropy(y, z, self.floor), known)
        return Terms({"supervised": self.forward * mean(cross_entropy(y, z), known), "reverse": back})
