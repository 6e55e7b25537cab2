"""What every method is: a frozen dataclass whose fields are its hyper-parameters, and one loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from tutelage.game import Player, Rule
from tutelage.memory import Memory
from tutelage.ops.losses import cross_entropy, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Logits, Scalar, Terms


@dataclass(frozen=True)
class Method(ABC):
    """A teacher-student method. Its loss is pure: it never steps, writes or logs.

    Attributes:
        name: what the command line calls it.
        uses_pool: the loss reads ``batch.unlabelled``.
        views: of the pool that the loss reads: "weak" (as it is), "strong" (disturbed).
        restarts: with more than one round, the mover begins each round afresh; else it goes on.
    """

    name: ClassVar[str] = ""
    uses_pool: ClassVar[bool] = True
    views: ClassVar[tuple[str, ...]] = ("weak",)
    restarts: ClassVar[bool] = True

    @property
    @abstractmethod
    def rule(self) -> Rule:
        """Who moves, and which gradient flows."""

    @property
    def training_rounds(self) -> int:
        """How many rounds share the steps; between two, the followers take the mover's place."""
        return 1

    @abstractmethod
    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        """What player ``who`` minimises on this batch."""

    def settled(self, task: Task, weak: bool) -> Method:
        """The same method with what it leaves open, its fields that are None, set for this task.

        ``weak``: it plays after weak labels were learnt, without a labelled batch.
        """
        return self

    def relabel(self, predict: Callable[[], Logits], memory: Memory) -> None:
        """Between rounds: ``predict()`` gives the renewed follower's logits of the whole pool, (units, c)."""

    def observe(self, batch: Batch, terms: Terms, memory: Memory) -> None:
        """After a step: remember the pseudo-labels that the loss has seen. Only here is state written."""
        if "label" in terms.seen:
            memory.write(batch.unlabelled.index, *(terms.seen[k] for k in ("label", "confidence", "weight")))


def on_labels(player: Player, batch: Batch, task: Task) -> Scalar:
    """``L_sup = (1/|B_l|) sum_l CE(y, f(x))``: 0 in a batch without labels, unknown ones weigh nothing."""
    y, known = task.target(batch.target)
    if not len(batch.labelled):
        return torch.zeros((), dtype=y.dtype, device=y.device)
    return mean(cross_entropy(y, task.units(player(batch.labelled["weak"]))), known)
