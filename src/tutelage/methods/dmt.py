"""DMT: two models label the pool for each other; where they disagree the labels count less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, half_first, on_labels
from tutelage.methods.fields import Count, NonNegative, left_open
from tutelage.methods.views import recall
from tutelage.ops.labels import agreement
from tutelage.ops.losses import cross_entropy, sigmoid_ramp
from tutelage.ops.mix import mixing
from tutelage.ops.mix import mixup as mixup_of
from tutelage.ops.thresholds import top_of_all, top_of_each_class
from tutelage.tasks import Task
from tutelage.types import Batch, Inputs, Labels, Logits, Terms, Weight

OF_PIXELS = {"partners": "mutual", "ranking": "class", "mixup": 0.0, "grows": False}
"""What open fields become where units are pixels, as in the paper."""


@dataclass(frozen=True)
class Dmt(Method):
    """Rounds over hard labels that another model gave to the pool's surest share, which grows from 1/rounds to all.

    L = (1/N) (sum_l CE(y_l, f(x_l)) + sum_u w(x_u) CE(y_u, f(x_u))),   N = labelled and kept units,
    y_u = the other model's label of the last round, w = how far this model agrees (`ops.labels.agreement`).

    Source: Feng et al., DMT: Dynamic Mutual Training, Pattern Recognition 130, 2022. Fields that are left open
    (None) are set for the task as in the paper: for images "chain", "all", mixup 0.75 and a growing exponent; for
    pixels "mutual" and "class".

    Args:
        rounds: number of times that the pool is labelled, at least 1; round 0 learns the labels alone.
        gamma: exponent of the weight, at least 0; with 0 every kept label has weight 1.
        grows: whether the exponent grows in, gamma exp(-5 (1 - t)^2): within each round of a chain, else over all
            steps.
        partners: "mutual" (two models train at once, each on the labels of the *old* other, and go on from round to
            round; the first round takes half of the steps), "chain" (each round trains a new network, from weights of
            its own, on the labels of the last one) or "self" (one model goes on, on its own old labels).
        ranking: whether the surest share is taken of "all" the pool, or of each predicted "class".
        mixup: parameter of mixup's Beta distribution, at least 0; 0 for no mixup, as of inputs that cannot be averaged.

    >>> Dmt(partners="mutual").rule.movers
    ('student', 'partner')
    """

    name: ClassVar[str] = "dmt"
    stackable: ClassVar[bool] = True
    reseeds: ClassVar[bool] = True
    rounds: Count = 5
    gamma: NonNegative = 4.0
    grows: bool = left_open(True)
    partners: Literal["mutual", "chain", "self"] = left_open("chain")
    ranking: Literal["all", "class"] = left_open("all")
    mixup: NonNegative = left_open(0.75)

    def settled(self, task: Task, weak: bool = False) -> Self:
        return self.filled(OF_PIXELS if task.dense else {})

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student", "partner") if self.partners == "mutual" else ("student",))

    @property
    def training_rounds(self) -> int:
        return 1 + self.rounds

    @property
    def restarts(self) -> bool:
        return self.partners == "chain"

    def starts(self, steps: int) -> list[int]:
        return super().starts(steps) if self.restarts else half_first(steps, self.training_rounds)

    def keep(self, memory: Memory) -> None:
        share, by_class = memory.round / self.rounds, self.ranking == "class"
        for s in memory.of.values():
            if by_class:
                top_of_each_class(s.confidence, s.label, share, s.weight)
            else:
                top_of_all(s.confidence, share, s.weight)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        student, x = play[who], batch.unlabelled["weak"] if len(batch.unlabelled) else None
        if memory.round == 0 or x is None:
            return Terms({"supervised": on_labels(student, batch, task)})
        other = {"student": "partner", "partner": "student"}[who] if len(play) > 1 else "student"
        label, confidence, kept = recall(memory.of[other], batch.unlabelled, task)
        mixup = self.mixup if isinstance(x, Tensor) and len(x) == len(label) else 0.0
        with torch.set_grad_enabled(not mixup):
            z = task.units(student(x))
        w = kept * self._agreement(z, label, confidence, batch.progress)
        guess, _ = task.target(label)
        y, known = task.target(batch.target)
        count = (known.sum() + kept.sum()).clamp(min=1)
        if not mixup:
            on_y = cross_entropy(y, task.units(student(batch.labelled["weak"])))
            pool = (w * cross_entropy(guess, z)).sum()
            return Terms({"supervised": (known * on_y).sum() / count, "pool": pool / count})
        x = _both(batch.labelled["weak"], x)
        share, perm = mixing(x, mixup)
        x, y, w = (mixup_of(t, share, perm) for t in (x, torch.cat([y, guess]), torch.cat([known, w])))
        return Terms({"mixed": (w * cross_entropy(y, task.units(student(x)))).sum() / count})

    def _agreement(self, z: Logits, label: Labels, confidence: Weight, progress: float) -> Weight:
        if self.gamma == 0:
            return torch.ones_like(confidence)
        gamma = self.gamma * (sigmoid_ramp(progress, 1.0) if self.grows else 1.0)
        return agreement(z, label, confidence, gamma, gamma)


def _both(labelled: Inputs, pool: Inputs) -> Tensor:
    if not (isinstance(labelled, Tensor) and isinstance(pool, Tensor)):
        raise TypeError("labelled and unlabelled inputs must both be tensors to be mixed")
    return torch.cat([labelled, pool])
