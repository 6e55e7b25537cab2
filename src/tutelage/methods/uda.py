"""UDA: unsupervised data augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from tutelage.game import Copy, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, to_strong
from tutelage.ops.checks import in_range, one_of
from tutelage.ops.labels import sharpen
from tutelage.ops.losses import cross_entropy, kl, mean
from tutelage.ops.schedules import signal_annealing
from tutelage.ops.thresholds import above
from tutelage.tasks import Task
from tutelage.types import Batch, Scalar, Terms


@dataclass(frozen=True)
class Uda(Method):
    """The prediction on a text teaches the prediction on a disturbed copy of it.

    L = L_sup + weight * (1/|B_u|) sum_u 1[max p(x) > threshold] KL(p(x)^(1/temperature) || f(strong x)),
    the target held still. Training signal annealing leaves labels out of L_sup that are learnt already:
    those with p(y) above a level that grows from 1/C to 1.

    Source: Xie et al., Unsupervised Data Augmentation for Consistency Training, NeurIPS 2020.

    Args:
        threshold: least probability of a target that counts, in [0, 1].
        temperature: sharpening of the target, in (0, 1].
        annealing: "none", "linear", "log" (many labels) or "exp" (very few).
        weight: of the pool's loss, at least 0.

    >>> Uda().views
    ('weak', 'strong')
    """

    name: ClassVar[str] = "uda"
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    threshold: float = 0.8
    temperature: float = 0.4
    annealing: Literal["none", "linear", "log", "exp"] = "none"
    weight: float = 1.0

    def __post_init__(self) -> None:
        in_range("threshold", self.threshold, 0, 1)
        in_range("temperature", self.temperature, 0, 1, low_open=True)
        one_of("annealing", self.annealing, ("none", "linear", "log", "exp"))
        in_range("weight", self.weight, 0)

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Copy(), interaction=0.0)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        u = task.units(play["teacher"](batch.unlabelled["weak"]))
        z = task.units(play["student"](batch.unlabelled["strong"]))
        confidence, label = torch.softmax(u, dim=-1).max(dim=-1)
        kept = above(confidence, self.threshold)
        log_y = sharpen(u, self.temperature)
        seen, inside = to_strong(torch.cat([log_y, kept[:, None]], 1), batch.unlabelled, task)
        pool = self.weight * mean(kl(seen[:, :-1], z), inside * seen[:, -1])
        return Terms(
            {"supervised": self._on_labels(play["student"], batch, task), "pool": pool},
            {"label": label, "confidence": confidence, "weight": kept},
        )

    def _on_labels(self, student: Player, batch: Batch, task: Task) -> Scalar:
        """L_sup over the labels whose probability is still below the level."""
        y, known = task.target(batch.target)
        if not len(batch.labelled):
            return torch.zeros((), dtype=y.dtype, device=y.device)
        s = task.units(student(batch.labelled["weak"]))
        right = (s.detach().softmax(-1) * y).sum(-1)
        level = signal_annealing(batch.progress, task.classes, self.annealing)
        m = known * (right <= level)
        return (m * cross_entropy(y, s)).sum() / m.sum().clamp(min=1)
