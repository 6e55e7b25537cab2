"""Rounds of fresh networks that learn the labels and what the last network said of the pool."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Blocks, Method, on_labels
from tutelage.methods.fields import Count, NonNegative
from tutelage.methods.views import recall
from tutelage.tasks import Task
from tutelage.types import Batch, Probs, Terms


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
