"""CBST: class-balanced self-training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, half_first, on_labels
from tutelage.methods.fields import Count
from tutelage.methods.views import recall
from tutelage.ops.losses import cross_entropy
from tutelage.ops.thresholds import top_of_each_class
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class Cbst(Method):
    """Rounds over the model's own hard labels of the surest share of each class, which grows from 1/rounds to all.

    L = (1/N) (sum_l CE(y_l, f(x_l)) + sum_kept CE(y_u, f(x_u))),   N = labelled and kept units.
    The model goes on from round to round; the first one, on the labels alone, takes half of the steps.

    Source: Zou et al., Unsupervised Domain Adaptation for Semantic Segmentation via Class-Balanced Self-Training,
    ECCV 2018.

    Args:
        rounds: number of times that the pool is labelled, at least 1; round 0 learns the labels alone.

    >>> Cbst().training_rounds
    6
    """

    name: ClassVar[str] = "cbst"
    stackable: ClassVar[bool] = True
    rounds: Count = 5

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    @property
    def training_rounds(self) -> int:
        return 1 + self.rounds

    @property
    def restarts(self) -> bool:
        return False

    def starts(self, steps: int) -> list[int]:
        return half_first(steps, self.training_rounds)

    def keep(self, memory: Memory) -> None:
        top_of_each_class(memory.confidence, memory.label, memory.round / self.rounds, memory.weight)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        if memory.round == 0 or not len(batch.unlabelled):
            return Terms({"supervised": on_labels(play[who], batch, task)})
        label, _, kept = recall(memory, batch.unlabelled, task)
        z = task.units(play[who](batch.unlabelled["weak"]))
        y, known = task.target(batch.target)
        count = (known.sum() + kept.sum()).clamp(min=1)
        on_y = (known * cross_entropy(y, task.units(play[who](batch.labelled["weak"])))).sum()
        pool = (kept * cross_entropy(task.target(label)[0], z)).sum()
        return Terms({"supervised": on_y / count, "pool": pool / count})
