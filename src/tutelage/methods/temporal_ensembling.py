"""Temporal ensembling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

import torch

from tutelage.data import Loader
from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels, require_own_units
from tutelage.methods.fields import NonNegative, Share
from tutelage.ops.checks import Range
from tutelage.ops.labels import ema
from tutelage.ops.losses import mean, sigmoid_ramp
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Terms


@dataclass(frozen=True)
class TemporalEnsembling(Method):
    """The student learns to agree with the average of what it said of the same unit before.

    L = L_sup + weight * ramp * (1/|B_u|) sum_u |z / (1 - decay^t) - p(x)|^2,   z <- decay * z + (1 - decay) * p(x)

    with z, (units, c), for every unit of the pool, 0 at first, and t the number of times that the unit was visited
    before. On its first visit a unit has weight 0.

    Source: Laine and Aila, Temporal Ensembling for Semi-Supervised Learning, ICLR 2017, Section 2.2. There the labelled
    units are in the second term too, and the distance is a mean over classes, whose weight is 30 times the share of
    labels.

    Args:
        decay: alpha, the share that z keeps of its old value, in [0, 1).
        weight: factor on the pool's loss, at least 0.
        ramp: share of training in which the pool's loss grows to its full weight, in [0, 1].

    >>> TemporalEnsembling(decay=0.0).weight
    1.0
    """

    name: ClassVar[str] = "temporal_ensembling"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    labeller: ClassVar[str] = "the mean of what the student said before"
    decay: Annotated[float, Range(0, 1, high_open=True)] = 0.6
    weight: NonNegative = 1.0
    ramp: Share = 0.2

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def remembers(self, loader: Loader, task: Task) -> Params:
        return {"sum": torch.zeros(loader.pool_units, task.classes), "seen": torch.zeros(loader.pool_units)}

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        z, t = (memory.kept[name][batch.unlabelled.index] for name in ("sum", "seen"))
        p = task.units(play["student"](batch.unlabelled["weak"])).softmax(-1)
        visited = (t > 0).to(p)
        target = z / (1 - self.decay ** t.clamp(min=1))[:, None]
        scale = self.weight * sigmoid_ramp(batch.progress, self.ramp)
        confidence, label = target.max(dim=-1)
        return Terms(
            {
                "supervised": on_labels(play["student"], batch, task),
                "pool": scale * mean((target - p).square().sum(-1), visited),
            },
            {"label": label, "confidence": confidence, "weight": visited, "sum": ema(z, p.detach(), self.decay)},
        )

    def observe(self, batch: Batch, terms: Terms, memory: Memory, task: Task) -> None:
        super().observe(batch, terms, memory, task)
        memory.kept["sum"][batch.unlabelled.index] = terms.seen["sum"]
        memory.kept["seen"][batch.unlabelled.index] += 1
