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
    """Try methods by cross-validation on the labels, drop the worse early; the best few together teach one student.

    Successive halving: all candidates with a third of the steps; the best eight with all steps, on the same folds,
    which are not repeated.
    What the labels say is weighed against what the methods gained on recorded benchmarks (Bayes' rule on all gains at
    once, see `tutelage.gains`), since few labels say little; and since they cannot tell the best apart, the student
    learns what these say of the pool together, each with the probability that it is the best (see `Committee`).

    All candidates take the same number of steps, which those with rounds share among them.

    Source: Jamieson and Talwalkar, Non-stochastic best arm identification, AISTATS 2016 (successive halving).

    Args:
        budget: all may take as long as so many trainings, at least 40, the labels-only model beside it: of the
            candidates those that promise most are tried.

    >>> Auto(budget=60).budget
    60
    """

    name: ClassVar[str] = "auto"
    views: ClassVar[tuple[str, ...]] = ("weak", "again", "strong")
    budget: float = 80

    def __post_init__(self) -> None:
        in_range("budget", self.budget, 40)

    def settled(self, task: Task, weak: bool = False) -> Auto:
        if weak:
            raise ValueError("auto chooses by cross-validation on what is learnt: after weak labels name a method")
        return self

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        raise NotImplementedError("auto chooses a method; it has no loss of its own")
