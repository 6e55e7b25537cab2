"""The method that a user's own labels speak for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method
from tutelage.ops.checks import in_range
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class Auto(Method):
    """Try methods by cross-validation on the labels, drop the worse ones early, and take the best.

    Successive halving: all candidates with a third of the steps on one set of folds; the better third with all steps;
    the best few on another set of folds. What the labels say is weighed against what the methods gained on recorded
    benchmarks (Bayes' rule on all gains at once, see `tutelage.gains`), since few labels say little.

    Source: Jamieson and Talwalkar, Non-stochastic best arm identification, AISTATS 2016 (successive halving).

    Args:
        budget: the search may take as long as so many trainings, at least 20: the candidates that promise most are
            tried.

    >>> Auto(budget=40).budget
    40
    """

    name: ClassVar[str] = "auto"
    views: ClassVar[tuple[str, ...]] = ("weak", "again", "strong")
    budget: float = 60

    def __post_init__(self) -> None:
        in_range("budget", self.budget, 20)

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        raise NotImplementedError("auto chooses a method; it has no loss of its own")
