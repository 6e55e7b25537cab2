"""FixMatch: sure labels of a weak view teach a strong one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from tutelage.game import Copy, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import NonNegative, Share
from tutelage.methods.views import to_strong
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
        threshold: least probability at which a pseudo-label counts, in [0, 1].
        weight: factor on the pool's loss, at least 0.

    >>> FixMatch().views
    ('weak', 'strong')
    """

    name: ClassVar[str] = "fixmatch"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    threshold: Share = 0.95
    weight: NonNegative = 1.0

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Copy(), interaction=0.0)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        pool = batch.unlabelled
        label, confidence = task.say(play["teacher"](pool["weak"]))
        seen, inside = to_strong(torch.stack([label.to(confidence.dtype), confidence], 1), pool, task)
        kept = inside * above(seen[:, 1], self.threshold)
        strong = task.fit(play["student"](pool["strong"]), seen[:, 0].long(), kept)
        return Terms(
            {"supervised": on_labels(play["student"], batch, task), "pool": self.weight * strong},
            {"label": label, "confidence": confidence, "weight": above(confidence, self.threshold)},
        )
