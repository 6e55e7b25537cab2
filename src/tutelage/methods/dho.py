"""DHO: one head learns the labels, another the teacher, and both answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.fields import Positive, Share
from tutelage.methods.from_teacher import FromTeacher, heard_of, logs, spoken
from tutelage.ops.losses import kl, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Logits, Params, Probs, Terms, Views, Weight

SHARES = tuple(np.linspace(0, 1, 11).round(1).tolist())
"""Shares of the labels' head from which `chosen` takes one."""

SHARPNESSES = 0.25, 0.5, 1.0, 2.0
"""Temperatures of the teacher's head from which `chosen` takes one."""


@dataclass(frozen=True)
class Dho(FromTeacher):
    """Two heads on one network: its own learns the labels alone, the other the teacher alone, and both answer.

    L = L_sup(S) + weight * (T^2 / |B|) sum_x w_x KL(softmax(log t_x / T) || softmax(k(x) / T))

    k is the teacher's head. The sum is over the pool, and one more over the labelled units that the teacher speaks of.
    The model that is kept answers by ``share`` softmax(f) + (1 - ``share``) softmax(k / ``sharpness``). Which share is
    right depends on how many labels there are: `chosen` finds it by held-out labels, without training again.

    Source: Kang et al., Simple yet Effective Semi-supervised Knowledge Distillation from Vision-Language Models via
    Dual-Head Optimization, arXiv 2505.07675, 2025; its defaults.

    Args:
        weight: factor on the teacher's loss, at least 0.
        temperature: T, above 0.
        share: share of the labels' head in the answer, in [0, 1]; 1 is that head alone.
        sharpness: temperature of the teacher's head in the answer, above 0.

    >>> from tutelage.tasks import Classification
    >>> sorted(Dho().brings(4, Classification(3)))
    ['teacher']
    """

    name: ClassVar[str] = "dho"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    of_labels: ClassVar[tuple[str, ...]] = ("supervised", "teacher on labels")
    still: ClassVar[tuple[str, ...]] = ("share", "sharpness")
    temperature: Positive = 2.0
    share: Share = 0.5
    sharpness: Positive = 0.5

    def brings(self, width: int, task: Task) -> nn.ModuleDict:
        return nn.ModuleDict({"teacher": nn.Linear(width, task.classes)})

    def answer(self, logits: Logits, beside: Mapping[str, Tensor]) -> Logits:
        if self.share == 1:
            return logits
        k = beside["teacher"] / self.sharpness
        if self.share == 0:
            return k
        own, other = math.log(self.share) + logits.log_softmax(-1), math.log(1 - self.share) + k.log_softmax(-1)
        return torch.logaddexp(own, other)

    def remembers(self, loader: Loader, task: Task) -> Params:
        kept, labelled = super().remembers(loader, task), heard_of(loader).labelled
        if labelled is None:
            return kept
        said, counts = spoken(labelled())
        return kept | {"said of labels": said, "counts of labels": counts}

    def taught(self, said: Probs, head: Logits) -> Weight:
        """``T^2 KL`` of what the teacher said, (n, c), and its head's logits, (n, c), at temperature T; (n,)."""
        t = self.temperature
        return t**2 * kl((logs(said) / t).log_softmax(-1), head / t)

    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        return self.taught(said, student.aside(pool["weak"])[1]["teacher"])

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        found = super().loss(who, batch, play, task, memory)
        if "said of labels" not in memory.kept or not len(batch.labelled):
            return found
        said, counts = (memory.kept[f"{name} of labels"][batch.labelled.index] for name in ("said", "counts"))
        head = play["student"].aside(batch.labelled["weak"])[1]["teacher"]
        on_labelled = self.weight * mean(self.taught(said, head), counts)
        return Terms(found.terms | {"teacher on labels": on_labelled}, found.seen)


def chosen(own: np.ndarray, teacher: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Share and sharpness under which both heads together find held-out labels likeliest.

    Args:
        own: logits of the labels' head of units whose labels it has not learnt, (n, c).
        teacher: logits of the teacher's head of the same units, (n, c).
        y: their class numbers, (n,).

    >>> own, teacher = np.array([[4.0, 0.0], [0.0, 4.0]]), np.array([[0.0, 4.0], [4.0, 0.0]])
    >>> chosen(own, teacher, np.array([0, 1]))[0]
    1.0
    """
    logits, other, rows = torch.as_tensor(own), torch.as_tensor(teacher), torch.arange(len(y))
    return max(
        ((share, sharpness) for share in SHARES for sharpness in SHARPNESSES),
        key=lambda pair: float(
            Dho(share=pair[0], sharpness=pair[1])
            .answer(logits, {"teacher": other})
            .log_softmax(-1)[rows, torch.as_tensor(y)]
            .sum()
        ),
    )
