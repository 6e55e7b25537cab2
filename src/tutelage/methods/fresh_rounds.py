"""Rounds of fresh networks that learn the labels and what the last network said of the pool."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tutelage.data import Loader
from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Blocks, Method, on_labels
from tutelage.methods.fields import Count, NonNegative
from tutelage.methods.views import recall
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Probs, Terms, Weight


@dataclass(frozen=True)
class FreshRounds(Method, ABC):
    """Round 0 learns the labels; each later round begins afresh and learns what the last one said of the pool, too.

    L = L_sup(S) + weight * (1/|B_u|) sum_u w(x) CE(y(x), f(x; S)),  y and w as `keep` left them.

    Args:
        rounds: number of times that the pool is labelled, at least 1.
        weight: factor on the pool's loss, at least 0.
    """

    rounds: Count = 4
    weight: NonNegative = 1.0

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    @property
    def training_rounds(self) -> int:
        return 1 + self.rounds

    @abstractmethod
    def keep(self, memory: Memory) -> None: ...

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        terms = {"supervised": on_labels(play[who], batch, task)}
        if memory.round > 0:
            label, _, kept = recall(memory, batch.unlabelled, task)
            terms["pool"] = self.weight * task.fit(play[who](batch.unlabelled["weak"]), label, kept)
        return Terms(terms)


@dataclass(frozen=True)
class OneSet(FreshRounds, ABC):
    """`FreshRounds` where labels and kept units of the pool are one set, in whose mean each counts by its weight.

    L = (1/Z) (sum_l CE(y_l, f(x_l)) + weight * sum_u w(x) CE(y(x), f(x))),   Z = N + weight * sum_u w(x),

    of N labels, so that all weights sum to 1.
    """

    def remembers(self, loader: Loader, task: Task) -> Params:
        return {"share of labels": torch.ones(())}

    def judge(self, who: str, said: Blocks, target: Tensor, memory: Memory, task: Task) -> None:
        memory.between["labels"] = task.target(target)[1].sum()

    def weigh(self, memory: Memory, w: Weight) -> None:
        """Store the weights w of the pool's units, (n,), at least 0, and how much the labels count beside them."""
        labels = float(memory.between["labels"])
        total = max(labels + self.weight * float(w.sum()), 1.0)  # Z
        memory.weight.copy_(w * (len(w) / total))  # the loss is a mean over the pool
        memory.kept["share of labels"].fill_(labels / total)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        terms = super().loss(who, batch, play, task, memory).terms
        return Terms(terms | {"supervised": memory.kept["share of labels"] * terms["supervised"]})


def of_kept(w: Weight) -> Weight:
    """Weights (n,) whose mean over all units is that over the kept ones, those of weight above 0.

    >>> of_kept(torch.tensor([0.0, 0.5, 1.0, 0.0])).tolist()
    [0.0, 1.0, 2.0, 0.0]
    """
    found: Weight = w * (len(w) / (w > 0).sum().clamp(min=1))
    return found


def all_of(said: Blocks, units: int, task: Task) -> tuple[Probs, Tensor]:
    """Probabilities of all units, (units, c), and the last layer's inputs, (units, d), from what a survey shows."""
    p, rows = torch.empty(units, task.classes), torch.empty(units, 0)
    for number, (index, logits, seen) in enumerate(said):
        if number == 0:
            p, rows = logits.new_empty(units, logits.shape[1]), seen.new_empty(units, seen.shape[1])
        p[index], rows[index] = logits.softmax(-1), seen
    return p, rows


def require_rows(rows: Tensor, name: str) -> None:
    """Raise ValueError where a network gives no features of units, by which ``name`` finds neighbours."""
    if not rows.shape[1]:
        raise ValueError(f"{name} finds neighbours by the inputs of the last layer: the network has no linear layer")
