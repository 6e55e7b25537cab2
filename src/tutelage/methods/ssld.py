"""SSLD: distillation without labels, of the surest of each class first, and then at a hundredth of the rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.distil import Distil, Divergence, surest
from tutelage.methods.fields import Positive
from tutelage.methods.from_teacher import spoken
from tutelage.ops.checks import Range
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Probs, Scalar, Views, Weight

RATE = 0.01
"""Share of the peak of the learning rate at which the second stage begins."""


@dataclass(frozen=True)
class Ssld(Distil):
    """`Distil` by the Jensen-Shannon divergence, without labels: the surest of each class, then all, more slowly.

    L = weight * (1/|B_u|) sum_u w_u JS(t_u, p(x_u; S)) in both stages. In the first w_u = 1 for the ``most`` units of
    each class that the teacher is surest of; the second begins where the learning rate has fallen to a hundredth of its
    peak, and learns all units that the teacher speaks of. Clean labels are learnt only with ``labels``.

    Source: Cui et al., Beyond Self-Supervision: A Simple Yet Effective Network Distillation Alternative to Improve
    Backbones, arXiv 2103.05959, 2021, by its documentation. There the second stage has a schedule of its own and data
    of the target alone. Units of the pool that are copies of items to score on, or nearly, are left out where such are
    given.

    Args:
        divergence, temperature, most, weight: as of `Distil`; ``most`` 0 takes all in the first stage, too.
        labels: factor on the loss on the clean labels, at least 0; 0 learns none.

    >>> Ssld().starts(1000)
    [0, 937, 1000]
    """

    name: ClassVar[str] = "ssld"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    spares_tested: ClassVar[bool] = True
    divergence: Divergence = "js"
    temperature: Positive = 1.0
    most: Annotated[int, Range(0, whole=True)] = 200
    labels: Annotated[float, Range(0)] = 0.0

    @property
    def training_rounds(self) -> int:
        return 2

    @property
    def restarts(self) -> bool:
        return False

    def starts(self, steps: int) -> list[int]:
        slow = 1 - 2 / math.pi * math.asin(math.sqrt(RATE))  # the share of a half cosine that is done by then
        return [0, min(math.ceil(slow * steps), steps), steps]

    def remembers(self, loader: Loader, task: Task) -> Params:
        told = self.table(loader)
        said, speaks = spoken(told, self.temperature)
        return {"said": said, "counts": speaks, "first": surest(told, self.most) if self.most else speaks}

    def of_labelled(self, student: Player, batch: Batch, task: Task, memory: Memory) -> Scalar:
        if not self.labels:
            return torch.zeros((), device=batch.target.device)
        return self.labels * super().of_labelled(student, batch, task, memory)

    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        found = super().apart(student, pool, said, task, memory)
        return found if memory.round else found * memory.kept["first"][pool.index]
