"""VERIPS: a second network, which saw the labels alone, verifies the pseudo-labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Blocks, on_labels
from tutelage.methods.fields import Count, Share
from tutelage.methods.fresh_rounds import OneSet
from tutelage.ops.labels import certainty
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class Verips(OneSet):
    """A fresh network learns its sure labels of the pool, but those that one of the labels alone does not confirm.

    y(x) = argmax_j p_j(x; S) of the last round, kept where H(p) / log C <= ``entropy`` and the verifier, a network that
    learns L_sup alone, says y(x), too. In each round both begin afresh, from weights of their own, and the student
    learns the N labels and the M kept units as one set, L = (sum_l CE + weight sum_kept CE) / (N + weight M).

    Source: Gilhuber et al., VERIPS, ICDM 2022; ``entropy`` as in Schroeder and Heyer, EMNLP 2024, who compare with it.

    Args:
        rounds: number of times that the pool is labelled, at least 1.
        weight: weight of a pseudo-label beside a label's 1, at least 0.
        entropy: greatest entropy of a prediction that is learnt, over log C, in [0, 1].

    >>> Verips().rule.movers
    ('student', 'verifier')
    """

    name: ClassVar[str] = "verips"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    reseeds: ClassVar[bool] = True
    represents: ClassVar[bool] = False
    still: ClassVar[tuple[str, ...]] = ("entropy", "weight")
    rounds: Count = 1
    entropy: Share = 0.1

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student", "verifier"))

    @property
    def teaching(self) -> tuple[str, ...]:
        return ("student",)

    def survey(self, who: str, said: Blocks, memory: Memory, task: Task) -> None:
        if who == "student":
            sure = torch.empty_like(memory.confidence)
            for units, logits, _ in said:
                sure[units.to(sure.device)] = certainty(logits).to(sure)
            memory.between["sure"] = sure

    def keep(self, memory: Memory) -> None:
        kept = memory.label == memory.of["verifier"].label
        self.weigh(memory, (kept & (memory.between["sure"] >= 1 - self.entropy)).double())

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        if who == "verifier":
            return Terms({"supervised": on_labels(play[who], batch, task)})
        return super().loss(who, batch, play, task, memory)
