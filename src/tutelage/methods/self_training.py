"""Classic self-training: rounds of hard labels above a threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tutelage.game import Frozen, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import Count, NonNegative, Share
from tutelage.methods.views import recall
from tutelage.ops.thresholds import above, top_of_each_class
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class SelfTraining(Method):
    """Round 0 learns from the labels; each later round from them and the last round's sure guesses.

    y(x) = argmax_j p_j(x; T), kept where max_j p_j >= threshold, T = the student of the last round;
    L = L_sup(S) + weight * (1/|B_u|) sum_u kept(x) CE(y(x), f(x; S)). Each round starts afresh.

    Source: Scudder, 1965; Yarowsky, ACL 1995; balanced: Zou et al., CBST, ECCV 2018.

    Args:
        rounds: number of times that the pool is labelled, at least 1.
        threshold: least probability at which a pseudo-label is kept, in [0, 1].
        balanced: whether, in place of the threshold, the surest share of each predicted class is kept, which grows to
            all.
        weight: factor on the pool's loss, at least 0.

    >>> SelfTraining(rounds=4).training_rounds
    5
    """

    name: ClassVar[str] = "self_training"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("threshold",)
    anchored: ClassVar[bool] = False
    rounds: Count = 4
    threshold: Share = 0.8
    balanced: bool = False
    weight: NonNegative = 1.0

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Frozen(), interaction=0.0)

    @property
    def training_rounds(self) -> int:
        return 1 + self.rounds

    def keep(self, memory: Memory) -> None:
        confidence, label, share = memory.confidence, memory.label, memory.round / self.rounds
        kept = top_of_each_class(confidence, label, share) if self.balanced else above(confidence, self.threshold)
        memory.weight.copy_(kept)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        terms = {"supervised": on_labels(play["student"], batch, task)}
        if memory.round > 0:
            label, _, kept = recall(memory, batch.unlabelled, task)
            terms["pool"] = self.weight * task.fit(play["student"](batch.unlabelled["weak"]), label, kept)
        return Terms(terms)
