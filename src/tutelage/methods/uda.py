"""UDA: unsupervised data augmentation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor

from tutelage.game import Copy, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method
from tutelage.methods.fields import NonNegative, PositiveShare, Share
from tutelage.methods.views import recall, to_strong
from tutelage.ops.labels import sharpen
from tutelage.ops.losses import cross_entropy, kl, mean
from tutelage.ops.thresholds import above, top_of_each_class
from tutelage.tasks import Task
from tutelage.types import Batch, Logits, Scalar, Terms, Views, Weight


@dataclass(frozen=True)
class Uda(Method):
    """The prediction on a text teaches the prediction on a disturbed copy of it.

    L = L_sup + weight * (1/|B_u|) sum_u 1[max p(x) > threshold] KL(p(x)^(1/temperature) || f(strong x))
        + entropy * (1/|B_u|) sum_u H(f(x)),
    the target held still. Training signal annealing leaves labels out of L_sup that are learnt already: those with
    p(y) above a level that grows from 1/C to 1. The strong view of texts drops words; the paper's view by TF-IDF is
    ``Classifier("uda", augment=TfidfReplacement(texts))``, and back-translations are given likewise.

    Of a pool from another domain only the texts near the labels' domain help. With relevance < 1 the labels alone are
    learnt first; then the pool is labelled once, and from there on both sums are over the surest share of each
    predicted class (the paper takes as many of each). The same network goes on.

    Source: Xie et al., Unsupervised Data Augmentation for Consistency Training, NeurIPS 2020.

    Args:
        threshold: probability above which a target counts, in [0, 1].
        temperature: sharpens the target, in (0, 1]; 1 leaves it as it is.
        annealing: how the level grows: "none", "linear", "log" (for many labels) or "exp" (for very few).
        weight: factor on the pool's loss, at least 0.
        entropy: factor on the entropy of the pool's predictions, at least 0.
        relevance: share of each predicted class of the pool that is learnt from, in (0, 1]; 1 takes all.
        warm_up: share of the steps on the labels alone where relevance < 1, in [0, 1]; at least one step. After weak
            labels, which the network has learnt by then, it becomes 0.

    >>> Uda().views
    ('weak', 'strong')
    """

    name: ClassVar[str] = "uda"
    stackable: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("warm_up",)
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    threshold: Share = 0.8
    temperature: PositiveShare = 0.4
    annealing: Literal["none", "linear", "log", "exp"] = "none"
    weight: NonNegative = 1.0
    entropy: NonNegative = 0.0
    relevance: PositiveShare = 1.0
    warm_up: Share = 0.5

    def settled(self, task: Task, weak: bool = False) -> Self:
        return replace(self, warm_up=0.0) if weak else self

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Copy(), interaction=0.0)

    @property
    def training_rounds(self) -> int:
        return 1 + (self.relevance < 1)

    @property
    def restarts(self) -> bool:
        return self.relevance == 1

    def starts(self, steps: int) -> list[int]:
        return super().starts(steps) if self.restarts else [0, max(math.ceil(self.warm_up * steps), 1), steps]

    def keep(self, memory: Memory) -> None:
        top_of_each_class(memory.confidence, memory.label, self.relevance, memory.weight)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        student, pool = play["student"], batch.unlabelled
        if memory.round == 0 and self.relevance < 1:
            return Terms({"supervised": self._on_labels(student, batch, task)})
        u, z = task.units(play["teacher"](pool["weak"])), task.units(student(pool["strong"]))
        relevant = recall(memory, pool, task)[2] if self.relevance < 1 else 1.0
        agree, seen = consistency(u, z, pool, task, self.threshold, self.temperature, relevant)
        terms = {"supervised": self._on_labels(student, batch, task), "pool": self.weight * agree}
        if self.entropy:
            s = task.units(student(pool["weak"]))
            terms["entropy"] = self.entropy * (relevant * cross_entropy(s.softmax(-1), s)).mean()
        return Terms(terms, seen if self.relevance == 1 else {})  # what is stored says which units are relevant

    def _on_labels(self, student: Player, batch: Batch, task: Task) -> Scalar:
        """L_sup over the labels whose probability is still below the level."""
        y, known = task.target(batch.target)
        s = task.units(student(batch.labelled["weak"]))
        right = (s.detach().softmax(-1) * y).sum(-1)
        level = signal_annealing(batch.progress, task.classes, self.annealing)
        m = known * (right <= level)
        return (m * cross_entropy(y, s)).sum() / m.sum().clamp(min=1)


def consistency(
    u: Logits, z: Logits, pool: Views, task: Task, threshold: float, temperature: float, relevant: Weight | float = 1.0
) -> tuple[Scalar, dict[str, Tensor]]:
    """The mean KL of the weak view's sharpened, sure predictions u to the strong view's z, and the values to remember.

    ``relevant``: how much each unit counts, as the weak view shows it.
    """
    confidence, label = torch.softmax(u, dim=-1).max(dim=-1)
    kept = relevant * above(confidence, threshold)
    seen, inside = to_strong(torch.cat([sharpen(u, temperature), kept[:, None]], 1), pool, task)
    remembered = {"label": label, "confidence": confidence, "weight": kept}
    return mean(kl(seen[:, :-1], z), inside * seen[:, -1]), remembered


def signal_annealing(progress: float, classes: int, kind: str) -> float:
    """Level of p(y) above which a label is left out: ``g (1 - 1/C) + 1/C``; 1 for kind "none".

    ``g = t`` for "linear", ``1 - exp(-5 t)`` for "log", ``exp(5 (t - 1))`` for "exp", t the progress in [0, 1].

    Source: Xie et al., UDA, NeurIPS 2020, Section 3.2 of the preprint.

    >>> [round(signal_annealing(t, 2, "linear"), 2) for t in (0, 0.5, 1)]
    [0.5, 0.75, 1.0]
    """
    if kind == "none":
        return 1.0
    shapes = {"linear": progress, "log": 1 - math.exp(-5 * progress), "exp": math.exp(5 * (progress - 1))}
    return shapes[kind] * (1 - 1 / classes) + 1 / classes
