"""Noisy student."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch

from tutelage.game import Frozen, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import Count, NonNegative, Share
from tutelage.methods.views import recall, to_strong
from tutelage.ops.checks import Range
from tutelage.ops.losses import cross_entropy, mean
from tutelage.ops.thresholds import above, blocks, class_counts
from tutelage.tasks import Task
from tutelage.types import Batch, Labels, Terms, Weight


@dataclass(frozen=True)
class NoisyStudent(Method):
    """Round after round a fresh student learns, under noise, the soft labels that the last one gives without noise.

    Round 0: L = L_sup(S).  Then L = L_sup(S) + weight * (1/|B_u|) sum_u b(x) CE(p(weak; T), f(strong; S)),
    T = the student of the last round, dropout off; S sees the strong view, dropout on. With c(x) the class that T
    predicts and n_c the units of class c among the N that T is sure of, max p >= threshold, of K classes,

        b(x) = min(N / (K n_c(x)), most)  for these units, else 0; without ``most`` its mean is 1 for them.

    The paper balances by copying and leaving out images, and its students grow; here all are of one size.
    After weak labels the network that learnt them is the first teacher; its sure labels have weight 1 in round 0.

    Source: Xie et al., Self-training with Noisy Student, CVPR 2020.

    Args:
        rounds: number of times that the pool is labelled, at least 1.
        threshold: least probability at which a pseudo-label counts, in [0, 1].
        hard: whether the student learns the teacher's likeliest class alone, in place of its probabilities.
        most: largest weight of a unit of a rare class, at least 1; with 1, units of frequent classes are weakened and
            none is strengthened.
        weight: factor on the pool's loss, at least 0.

    >>> NoisyStudent().training_rounds
    4
    """

    name: ClassVar[str] = "noisy_student"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("threshold", "most")
    anchored: ClassVar[bool] = False
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    reseeds: ClassVar[bool] = True
    rounds: Count = 3
    threshold: Share = 0.3
    hard: bool = False
    most: Annotated[float, Range(1)] = 10.0
    weight: NonNegative = 1.0

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Frozen(), interaction=0.0)

    @property
    def training_rounds(self) -> int:
        return 1 + self.rounds

    def keep(self, memory: Memory) -> None:
        class_balance(memory.confidence, memory.label, self.threshold, self.most, memory.weight)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        terms, pool = {"supervised": on_labels(play["student"], batch, task)}, batch.unlabelled
        if memory.round == 0 and len(batch.labelled):  # the teacher knows nothing yet
            return Terms(terms)
        p = task.units(play["teacher"](pool["weak"])).softmax(-1)
        sure, label = p.max(dim=-1)
        balance = recall(memory, pool, task)[2] if memory.round else above(sure, self.threshold)
        y = task.target(label)[0] if self.hard else p
        seen, inside = to_strong(torch.cat([y, balance[:, None]], 1), pool, task)
        z = task.units(play["student"](pool["strong"]))
        terms["pool"] = self.weight * mean(cross_entropy(seen[:, :-1], z), inside * seen[:, -1])
        return Terms(terms)


def class_balance(confidence: Weight, label: Labels, threshold: float, most: float, out: Weight) -> Weight:
    """``min(N / (K n_c), most)`` for kept units, else 0, of N kept units of K classes, n_c of them of the unit's class.

    Args:
        confidence, label: probability of the predicted class, (n,), and its number.
        threshold: least confidence of a unit that is kept.
        most: largest weight, at least 1.
        out: tensor to write to, (n,), block by block.

    >>> label = torch.tensor([0, 0, 0, 1, 1])
    >>> class_balance(torch.tensor([0.9, 0.9, 0.9, 0.9, 0.1]), label, 0.5, 10.0, torch.empty(5))
    tensor([0.6667, 0.6667, 0.6667, 2.0000, 0.0000])
    """
    counts = class_counts(confidence, label, threshold)
    fair = counts.sum() / (counts > 0).sum().clamp(min=1)
    weight = (fair / counts.clamp(min=1)).clamp(max=most).to(out)
    for at in blocks(label):
        out[at] = weight[label[at].long()] * above(confidence[at], threshold)
    return out
