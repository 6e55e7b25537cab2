"""Co-teaching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method
from tutelage.methods.fields import Share
from tutelage.ops.losses import cross_entropy
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class CoTeaching(Method):
    """Noisy labels: each of two networks learns the labels of a batch that the other finds easiest.

    L(S) = mean over the share r of the batch's units with the least CE(y, f(x; partner)) of CE(y, f(x; S)),
    r = 1 - forget * min(progress / ramp, 1); and the other way round. The student is what is returned.

    Source: Han et al., Co-teaching, NeurIPS 2018, algorithm 1.

    Args:
        forget: share of the labels that are left out in the end, in [0, 1]; best about the share that is wrong.
        ramp: share of training in which the share left out grows to ``forget``, in [0, 1].

    >>> CoTeaching(forget=0.4).rule.movers
    ('student', 'partner')
    """

    name: ClassVar[str] = "co_teaching"
    uses_pool: ClassVar[bool] = False
    reseeds: ClassVar[bool] = True
    forget: Share = 0.2
    ramp: Share = 0.05

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student", "partner"))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        y, known = task.target(batch.target)
        x, partner = batch.labelled["weak"], play["partner" if who == "student" else "student"]
        mine = cross_entropy(y, task.units(play[who](x)))
        with torch.no_grad():
            theirs = cross_entropy(y, task.units(partner(x))).masked_fill(known == 0, torch.inf)
        left_out = self.forget * min(batch.progress / self.ramp, 1.0) if self.ramp else self.forget
        count = round((1 - left_out) * int(known.sum()))
        return Terms({"supervised": mine[theirs.argsort()[:count]].sum() / max(count, 1)})
