"""What every method is: a frozen dataclass whose fields are its hyper-parameters, and one loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tutelage.game import Player, Rule
from tutelage.memory import Memory
from tutelage.tasks import Task
from tutelage.types import Batch, Logits, Terms


@dataclass(frozen=True)
class Method(ABC):
    """A teacher-student method. Its loss is pure: it never steps, writes or logs.

    ``name`` is what the command line calls it; ``uses_pool`` says whether the loss reads
    ``batch.unlabelled``. A method with more than one round has its followers renewed, its mover
    restarted and `relabel` called between rounds.
    """

    name: ClassVar[str] = ""
    uses_pool: ClassVar[bool] = True

    @property
    @abstractmethod
    def rule(self) -> Rule:
        """Who moves, and which gradient flows."""

    @property
    def training_rounds(self) -> int:
        """How many rounds share the steps."""
        return 1

    @abstractmethod
    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        """What player ``who`` minimises on this batch."""

    def relabel(self, logits: Logits, memory: Memory) -> None:
        """Between rounds: label the whole pool from the renewed follower's logits, (pool, c)."""

    def observe(self, batch: Batch, terms: Terms, memory: Memory) -> None:
        """After a step: remember the pseudo-labels that the loss has seen. Only here is state written."""
        if "label" in terms.seen:
            memory.write(batch.unlabelled.index, *(terms.seen[k] for k in ("label", "confidence", "weight")))
