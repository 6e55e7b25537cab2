"""Labels only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class Supervised(Method):
    """Cross-entropy on the labels; the pool is not used.

    L = (1/|B_l|) sum_l CE(y, f(x; S))

    >>> Supervised().rule.movers
    ('student',)
    """

    name: ClassVar[str] = "supervised"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    uses_pool: ClassVar[bool] = False

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        return Terms({"supervised": on_labels(play["student"], batch, task)})
