"""Classic self-training: rounds of hard labels above a threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch

from tutelage.game import Frozen, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Blocks, Method, on_labels
from tutelage.methods.fields import Count, NonNegative, Share
from tutelage.methods.views import recall
from tutelage.ops.thresholds import above, least_error, top_of_each_class
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class SelfTraining(Method):
    """Round 0 learns from the labels; each later round from them and the last round's sure guesses.

    y(x) = argmax_j p_j(x; T), kept where max_j p_j >= threshold, T = the student of the last round;
    L = L_sup(S) + weight * (1/|B_u|) sum_u kept(x) CE(y(x), f(x; S)). Each round starts afresh.

    Source: Scudder, 1965; Yarowsky, ACL 1995; balanced: Zou et al., CBST, ECCV 2018; criteria: the survey of Amini et
    al., Self-Training, Neurocomputing 2025, whose transductive threshold follows Feofanov et al., AAAI 2019;
    `tutelage.ops.thresholds.least_error` is our reading of it.

    Args:
        rounds: number of times that the pool is labelled, at least 1.
        threshold: least probability at which a pseudo-label is kept, in [0, 1].
        balanced: whether, in place of the threshold, the surest share of each predicted class is kept, which grows to
            all.
        weight: factor on the pool's loss, at least 0.
        criterion: what must reach the threshold: the "confidence" max_j p_j, or the "margin" between the two likeliest
            classes' probabilities; or "transductive", where the confidence must reach the threshold of least estimated
            error, which is found anew in each round.

    Raises:
        ValueError: a share is kept, and a threshold is to be found.

    >>> SelfTraining(rounds=4).training_rounds
    5
    """

    name: ClassVar[str] = "self_training"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("threshold",)
    anchored: ClassVar[bool] = False
    represents: ClassVar[bool] = False
    rounds: Count = 4
    threshold: Share = 0.8
    balanced: bool = False
    weight: NonNegative = 1.0
    criterion: Literal["confidence", "margin", "transductive"] = field(default="confidence", metadata={"later": True})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.balanced and self.criterion == "transductive":
            raise ValueError("criterion must be confidence or margin where balanced keeps a share, got 'transductive'")

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Frozen(), interaction=0.0)

    @property
    def training_rounds(self) -> int:
        return 1 + self.rounds

    @property
    def surveys(self) -> bool:
        return self.criterion == "margin" or type(self).survey is not SelfTraining.survey

    def survey(self, who: str, said: Blocks, memory: Memory, task: Task) -> None:
        margin = memory.between["margin"] = torch.empty_like(memory.confidence)
        for units, logits, _ in said:
            first, second = logits.softmax(-1).topk(2, dim=-1).values.unbind(-1)
            margin[units.to(margin.device)] = (first - second).to(margin)

    def keep(self, memory: Memory) -> None:
        sure = memory.between["margin"] if self.criterion == "margin" else memory.confidence
        label, share = memory.label, memory.round / self.rounds
        threshold = least_error(sure) if self.criterion == "transductive" else self.threshold
        memory.weight.copy_(top_of_each_class(sure, label, share) if self.balanced else above(sure, threshold))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        terms = {"supervised": on_labels(play["student"], batch, task)}
        if memory.round > 0:
            label, _, kept = recall(memory, batch.unlabelled, task)
            terms["pool"] = self.weight * task.fit(play["student"](batch.unlabelled["weak"]), label, kept)
        return Terms(terms)
