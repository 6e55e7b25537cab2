"""The Pi-model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import NonNegative, Share
from tutelage.methods.views import again, between
from tutelage.ops.losses import mean, sigmoid_ramp
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class PiModel(Method):
    """The student learns to say the same of a unit twice, each time with other dropout and in another weak view.

    L = L_sup + weight * ramp * (1/|B_u|) sum_u |p(weak u) - p(again u)|^2, with a gradient through both.

    Features have one weak view, where dropout alone makes the difference: without it this is `supervised`.

    Source: Laine and Aila, Temporal Ensembling for Semi-Supervised Learning, ICLR 2017, Section 2.1. There the labelled
    units are in the second term too, and the distance is a mean over classes, whose weight is 100 times the share of
    labels.

    Args:
        weight: factor on the pool's loss, at least 0.
        ramp: share of training in which the pool's loss grows to its full weight, in [0, 1].

    >>> PiModel().views
    ('weak', 'again')
    """

    name: ClassVar[str] = "pi_model"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    views: ClassVar[tuple[str, ...]] = ("weak", "again")
    weight: NonNegative = 2.0
    ramp: Share = 0.2

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        student, pool = play["student"], batch.unlabelled
        p = task.units(student(pool["weak"])).softmax(-1)
        q = task.units(student(again(pool))).softmax(-1)
        moved, inside = between(p, pool, task, "weak", "again")
        scale = self.weight * sigmoid_ramp(batch.progress, self.ramp)
        confidence, label = p.detach().max(dim=-1)
        return Terms(
            {
                "supervised": on_labels(student, batch, task),
                "pool": scale * mean((moved - q).square().sum(-1), inside),
            },
            {"label": label, "confidence": confidence, "weight": torch.ones_like(confidence)},
        )
