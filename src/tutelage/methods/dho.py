"""DHO: one head learns the labels, another the teacher, and both answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.fields import Open, Positive, Share, left_open
from tutelage.methods.from_teacher import FromTeacher, heard_of, logs, spoken
from tutelage.ops.losses import kl, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Logits, Params, Probs, Terms, Views, Weight

SHARES = tuple(np.linspace(0, 1, 11).round(1).tolist())
"""Shares of the labels' head from which held-out labels choose."""

SHARPNESSES = 0.25, 0.5, 1.0, 2.0
"""Temperatures of the teacher's head from which held-out labels choose."""


@dataclass(frozen=True)
class Dho(FromTeacher):
    """Two heads on one network: its own learns the labels alone, the other the teacher alone, and both answer.

    L = L_sup(S) + weight * (T^2 / |B|) sum_x w_x KL(softmax(log t_x / T) || softmax(k(x) / T))

    k is the teacher's head. The sum is over the pool, and one more over the labelled units that the teacher speaks of.
    The model that is kept answers by ``share`` softmax(f) + (1 - ``share``) softmax(k / ``sharpness``). Which share is
    right depends on how many labels there are: where it is left open, the folds of a fit choose it and the sharpness by
    the likelihood of held-out labels; without folds it is a half.

    Source: Kang et al., Simple yet Effective Semi-supervised Knowledge Distillation from Vision-Language Models via
    Dual-Head Optimization, arXiv 2505.07675, 2025; its defaults.

    Args:
        weight: factor on the teacher's loss, at least 0.
        temperature: T, above 0.
        share: share of the labels' head in the answer, in [0, 1]; 1 is that head alone.
        sharpness: temperature of the teacher's head in the answer, above 0; chosen with an open share.

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
    share: Share = left_open(0.5)
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

    @property
    def chooses(self) -> bool:
        return isinstance(self.share, Open)

    def chosen(self, logits: Logits, beside: Mapping[str, Tensor], y: np.ndarray) -> Self:
        known = torch.as_tensor(np.flatnonzero(y >= 0))
        tried = [replace(self, share=a, sharpness=b) for a in SHARES for b in SHARPNESSES]

        def likelihood(method: Dho) -> float:
            said = method.answer(logits, beside).double().log_softmax(-1)[known]
            return float(said.gather(1, torch.as_tensor(y)[known][:, None]).sum())

        return max(tried, key=likelihood) if len(known) else self

    def settled(self, task: Task, weak: bool = False) -> Self:
        return super().settled(task, weak).filled({})

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
