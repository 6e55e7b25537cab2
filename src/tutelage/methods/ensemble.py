"""An ensemble that labels the pool for its members, also with "none of these"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Blocks, Method, half_first, on_labels, require_own_units
from tutelage.methods.fields import Count, NonNegative
from tutelage.methods.fresh_rounds import all_of
from tutelage.methods.views import recall
from tutelage.ops.labels import certainty
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class Ensemble(Method):
    """Several networks learn the labels, then also what they say of the pool together, the surer the more.

    p = mean_e softmax f(x; S_e) of the last round,  y = argmax_j p_j,  w = 1 - H(p) / log C;
    L(S_e) = L_sup(S_e) + weight * (1/|B_u|) sum_u w(x) CE(y(x), f(x; S_e)).

    The first round, on the labels alone, takes half of the steps; all networks go on from round to round. The student,
    the first of them, is what is returned, as in the paper. One of the C classes may mean "none of these": it is learnt
    as the others are, since the paper labels rows of it, too; questions leave out the rows that are guessed to be of
    it. The paper's test has no such rows and does not let the network say it; here it may.

    Source: Stojnic et al., Training Ensembles with Inliers and Outliers for Semi-supervised Active Learning, WACV 2024.

    Args:
        rounds: number of times that the pool is labelled, at least 1.
        weight: factor on the pool's loss, at least 0.
        members: number of networks, at least 1.
        other: name of the class that means "none of these"; empty for none. The training is the same with it.

    >>> Ensemble(members=3).rule.movers
    ('student', 'member 1', 'member 2')
    """

    name: ClassVar[str] = "ensemble"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    reseeds: ClassVar[bool] = True
    represents: ClassVar[bool] = False
    labeller: ClassVar[str] = "the mean of all networks"
    rounds: Count = 1
    weight: NonNegative = 1.0
    members: Count = 5
    other: str = ""

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student", *(f"member {e}" for e in range(1, self.members))))

    @property
    def teaching(self) -> tuple[str, ...]:
        return ("student",)  # its memory holds what all networks say together

    @property
    def training_rounds(self) -> int:
        return 1 + self.rounds

    @property
    def named_classes(self) -> tuple[str, ...]:
        return (self.other,) if self.other else ()

    @property
    def restarts(self) -> bool:
        return False

    def starts(self, steps: int) -> list[int]:
        return half_first(steps, self.training_rounds)

    def survey(self, who: str, said: Blocks, memory: Memory, task: Task) -> None:
        p = all_of(said, len(memory.label), task)[0] / self.members
        memory.between["p"] = memory.between["p"] + p if "p" in memory.between else p

    def keep(self, memory: Memory) -> None:
        p = memory.between["p"]
        confidence, label = p.max(1)
        memory.label.copy_(label)
        memory.confidence.copy_(confidence)
        memory.weight.copy_(certainty(p.clamp(min=1e-30).log()).clamp(0, 1))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        terms = {"supervised": on_labels(play[who], batch, task)}
        if memory.round > 0:
            label, _, weight = recall(memory, batch.unlabelled, task)
            terms["pool"] = self.weight * task.fit(play[who](batch.unlabelled["weak"]), label, weight)
        return Terms(terms)
