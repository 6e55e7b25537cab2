"""COSINE: contrastive self-training on weak labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import torch

from tutelage.game import Frozen, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import Count, NonNegative, Share
from tutelage.ops.checks import Range
from tutelage.ops.labels import certainty, soft_frequency
from tutelage.ops.losses import contrast, kl
from tutelage.ops.thresholds import above
from tutelage.tasks import Task
from tutelage.types import Batch, Logits, Terms, Weight


@dataclass(frozen=True)
class Cosine(Method):
    """Self-training on sure pseudo-labels, kept apart by their features and kept from overconfidence.

    L = L_sup + (1/|B|) sum_kept w KL(y || f(x; S)) + contrastive * R1 + confidence * R2,
    y_j proportional to p_j^2 / f_j,  w = 1 - H(p) / log C,  kept: w > threshold,  p = p(x; T);
    R1 = mean over pairs of kept examples of d^2 where their labels agree, max(0, margin - d)^2 where not,
    d = 1 - cos(v_i, v_j), v = the student's features;  R2 = (1/|B|) sum_kept KL(uniform || f(x; S)).
    Stage I, learning the weak labels, comes before.

    Source: Yu et al., COSINE, NAACL 2021 (eqs. 4 to 9). The options "batch", "sum" and "teacher" do what the
    released code does.

    Args:
        rounds: number of teachers, at least 1: in all rounds but the first the student takes the teacher's place.
        threshold: weight w above which a pseudo-label counts, in [0, 1].
        confidence: factor on R2, at least 0.
        contrastive: factor on R1, at least 0.
        margin: least distance d between examples of different labels, in [0, 2].
        entropy_by: H is divided by the log of the number of "classes", or of the "batch" size: then even a uniform
            prediction has a large weight.
        reduction: "mean" over the batch, or "sum": then the learning rate that fits depends on the batch size.
        contrast_on: features of the "student", or of the still "teacher", which gives no gradient.

    >>> Cosine().training_rounds
    5
    """

    name: ClassVar[str] = "cosine"
    stackable: ClassVar[bool] = True
    anchored: ClassVar[bool] = False
    rounds: Count = 5
    threshold: Share = 0.0
    confidence: NonNegative = 0.1
    contrastive: NonNegative = 0.1
    margin: Annotated[float, Range(0, 2)] = 1.0
    entropy_by: Literal["classes", "batch"] = "classes"
    reduction: Literal["mean", "sum"] = "mean"
    contrast_on: Literal["student", "teacher"] = "student"

    def settled(self, task: Task, weak: bool = False) -> Self:
        if task.dense:
            raise ValueError("cosine compares the features of whole examples: it cannot learn pixels")
        return super().settled(task, weak)

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Frozen(), interaction=0.0)

    @property
    def restarts(self) -> bool:
        return False

    @property
    def training_rounds(self) -> int:
        return self.rounds

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        terms = {"supervised": on_labels(play["student"], batch, task)}
        if memory.round == 0 and len(batch.labelled):  # clean labels come first: the teacher knows nothing yet
            return Terms(terms)
        out, still = play["teacher"].represent(batch.unlabelled["weak"])
        guess, features = play["student"].represent(batch.unlabelled["weak"])
        u, z = task.units(out), task.units(guess)
        log_y, w = soft_frequency(u), self._weight(u)
        kept = above(w, self.threshold)
        share = 1.0 if self.reduction == "sum" else 1 / len(u)
        uniform = torch.full_like(z, -math.log(task.classes))
        v = features if self.contrast_on == "student" else still.detach()
        label = log_y.argmax(dim=-1)
        terms["pool"] = share * (kept * w * kl(log_y, z)).sum()  # eq. 6
        terms["contrastive"] = self.contrastive * contrast(v, label, kept, self.margin)  # R1, eqs. 7 and 8
        terms["confidence"] = self.confidence * share * (kept * kl(uniform, z)).sum()  # R2, eq. 9
        return Terms(terms, {"label": label, "confidence": torch.softmax(u, -1).max(-1)[0], "weight": kept * w})

    def _weight(self, u: Logits) -> Weight:
        w = certainty(u)
        if self.entropy_by == "classes":
            return w
        return 1 - (1 - w) * math.log(u.shape[1]) / math.log(max(len(u), 2))
