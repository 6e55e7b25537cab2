"""FixMatch: sure labels of a weak view teach a strong one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from tutelage.game import Copy, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels, to_strong
from tutelage.ops.checks import in_range
from tutelage.ops.losses import cross_entropy, mean
from tutelage.ops.thresholds import above
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class FixMatch(Method):
    """The hard label of a weakly disturbed view, where it is sure, teaches a strongly disturbed view.

    L = L_sup + weight * (1/|B_u|) sum_u 1[max p(weak) >= threshold] CE(argmax p(weak), f(strong)); p held still.
    Labels of pixels are carried from the one view's geometry to the other's.

    Source: Sohn et al., FixMatch, NeurIPS 2020, eq. 4.

    Args:
        threshold: least probability of a label that counts, in [0, 1].
        weight: of the pool's loss, at least 0.

    >>> FixMatch().views
    ('weak', 'strong')
    """

    name: ClassVar[str] = "fixmatch"
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    threshold: float = 0.95
    weight: float = 1.0

    def __post_init__(self) -> None:
        in_range("threshold", self.threshold, 0, 1)
        in_range("weight", self.weight, 0)

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Copy(), interaction=0.0)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        pool = batch.unlabelled
        confidence, label = torch.softmax(task.units(play["teacher"](pool["weak"])), dim=-1).max(dim=-1)
        seen, inside = to_strong(torch.stack([label.to(confidence.dtype), confidence], 1), pool, task)
        kept = inside * above(seen[:, 1], self.threshold)
        y, _ = task.target(seen[:, 0].long())
        z = task.units(play["student"](pool["strong"]))
        return Terms(
            {
                "supervised": on_labels(play["student"], batch, task),
                "pool": self.weight * mean(cross_entropy(y, z), kept),
            },
            {"label": label, "confidence": confidence, "weight": above(confidence, self.threshold)},
        )
