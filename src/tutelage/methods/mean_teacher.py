"""Mean Teacher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch

from tutelage.game import Ema, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import NonNegative, PositiveShare, Share, left_open
from tutelage.ops.labels import certainty, sharpen
from tutelage.ops.losses import kl, mean, sigmoid_ramp
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class MeanTeacher(Method):
    """The student learns to agree with the moving average of its own past.

    L = L_sup(S) + weight * (1/|B_u|) sum_u w d(p(x; T), f(x; S)),  T <- decay * T + (1 - decay) * S

    Source: Tarvainen and Valpola, NeurIPS 2017 (consistency "mse", temperature 1, weights "none").

    Args:
        temperature: sharpens the teacher's prediction, in (0, 1]; 1 leaves it as it is.
        consistency: d: "kl" or "mse", the squared distance of probabilities.
        weights: w: "entropy", 1 - H(p) / log C, or "none", 1.
        decay: share of its own weights that the teacher keeps at each step, in [0, 1]; left open (None) it is 0.9,
            after weak tags 0.99.
        weight: factor on the pool's loss, at least 0.
        ramp: share of training in which the pool's loss grows to its full weight, in [0, 1].

    >>> MeanTeacher(decay=0.9).rule.interaction
    0.0
    """

    name: ClassVar[str] = "mean_teacher"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    anchored: ClassVar[bool] = False
    temperature: PositiveShare = 0.5
    consistency: Literal["kl", "mse"] = "kl"
    weights: Literal["entropy", "none"] = "entropy"
    decay: Share = left_open(0.9)
    weight: NonNegative = 1.0
    ramp: Share = 0.2

    def settled(self, task: Task, weak: bool = False) -> Self:
        return self.filled({"decay": 0.99} if weak and task.sequential else {})

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Ema(self.decay), interaction=0.0)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        u = task.units(play["teacher"](batch.unlabelled["weak"]))
        z = task.units(play["student"](batch.unlabelled["weak"]))
        log_y = sharpen(u, self.temperature)
        w = certainty(u) if self.weights == "entropy" else torch.ones_like(u[:, 0])
        distance = kl(log_y, z) if self.consistency == "kl" else (log_y.exp() - z.softmax(-1)).square().sum(-1)
        scale = self.weight * sigmoid_ramp(batch.progress, self.ramp)
        confidence, label = torch.softmax(u, dim=-1).max(dim=-1)
        return Terms(
            {"supervised": on_labels(play["student"], batch, task), "pool": scale * mean(distance, w)},
            {"label": label, "confidence": confidence, "weight": w},
        )
