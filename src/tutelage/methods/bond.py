"""BOND: self-training on distant labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from tutelage.game import Frozen, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import Count, Share
from tutelage.ops.labels import soft_frequency
from tutelage.ops.losses import cross_entropy, kl
from tutelage.ops.thresholds import above
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class Bond(Method):
    """A still teacher labels each batch anew; now and then the student takes its place and goes on.

    L = L_sup + (1/|kept|) sum_kept KL(y || f(x; S)),  y_j proportional to p_j^2 / f_j,  p = p(x; T),
    kept: max_j y_j > threshold. Stage I, learning the distant labels, comes before (BOND's first stage).

    Source: Liang et al., BOND, KDD 2020 (Section 3.2).

    Args:
        rounds: number of teachers, at least 1: in all rounds but the first the student takes the teacher's place.
        threshold: least value of the likeliest class in y at which a unit is kept, in [0, 1].
        labels: "soft" (y) or "hard" (its argmax; the released scripts for Twitter and OntoNotes).
        divergence: "kl", or "released": what the released code minimises, raw logits handed over as if they
            were log-probabilities and averaged over all N C elements, so that the gradient is -y / (N C).

    >>> Bond().rule.interaction
    0.0
    """

    name: ClassVar[str] = "bond"
    stackable: ClassVar[bool] = True
    anchored: ClassVar[bool] = False
    rounds: Count = 2
    threshold: Share = 0.9
    labels: Literal["soft", "hard"] = "soft"
    divergence: Literal["kl", "released"] = "kl"

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
        u = task.units(play["teacher"](batch.unlabelled["weak"]))
        z = task.units(play["student"](batch.unlabelled["weak"]))
        log_y = soft_frequency(u)
        confidence, label = log_y.exp().max(dim=-1)
        kept = above(confidence, self.threshold)
        if self.divergence == "released":
            terms["pool"] = (kept[:, None] * log_y.exp() * (log_y - z)).sum() / (kept.sum() * task.classes).clamp(min=1)
        else:
            hard, _ = task.target(label)
            fit = kl(log_y, z) if self.labels == "soft" else cross_entropy(hard, z)
            terms["pool"] = (kept * fit).sum() / kept.sum().clamp(min=1)
        return Terms(terms, {"label": label, "confidence": torch.softmax(u, -1).max(-1)[0], "weight": kept})
