"""AdaMatch, on one domain."""

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
from tutelage.ops.labels import align
from tutelage.ops.losses import cosine_ramp, cross_entropy, mean, mean_where
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class AdaMatch(Method):
    """The predictions on the labelled units set the mean of the pool's labels, and their confidence the threshold.

    L = L_sup + weight * ramp * (1/|B_u|) sum_u 1[max q >= threshold * mean_l max p_l] CE(q, f(strong)),
    q proportional to p(weak) * mean_l p_l / mean_u p(weak), held still; the means are those of the batch.

    In a batch without labelled units nothing is aligned, and the threshold is tau itself. Random logit interpolation is
    left out: it serves networks with batch norm; the others give the same logits with and without it.

    Source: Berthelot et al., AdaMatch, ICLR 2022, as used for semi-supervised learning; labelled units have no strong
    view here.

    Args:
        threshold: tau, relative to the mean confidence in labelled units, in [0, 1].
        weight: factor on the pool's loss, at least 0.
        ramp: share of training over which the pool's loss grows in along half a cosine, in [0, 1].

    >>> AdaMatch().ramp
    0.5
    """

    name: ClassVar[str] = "adamatch"
    stackable: ClassVar[bool] = True
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    threshold: Share = 0.9
    weight: NonNegative = 1.0
    ramp: Share = 0.5

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Copy(), interaction=0.0)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        pool = batch.unlabelled
        u, known = task.units(play["teacher"](pool["weak"])), task.target(batch.target)[1]
        q, least = u.softmax(-1), u.new_tensor(self.threshold)
        if len(known):
            p, there = task.units(play["teacher"](batch.labelled["weak"])).softmax(-1), known.any()
            q = torch.where(there, align(u, mean_where(p, known), q.mean(0)).exp(), q)
            surest = mean_where(p.amax(-1), known).double()
            least = torch.where(there, (self.threshold * surest).to(least), least)
        confidence, label = q.max(dim=-1)
        kept = (confidence >= least).to(confidence)
        seen, inside = to_strong(torch.cat([q, kept[:, None]], 1), pool, task)
        z = task.units(play["student"](pool["strong"]))
        scale = self.weight * cosine_ramp(batch.progress, self.ramp)
        return Terms(
            {
                "supervised": on_labels(play["student"], batch, task),
                "pool": scale * mean(cross_entropy(seen[:, :-1], z), inside * seen[:, -1]),
            },
            {"label": label, "confidence": confidence, "weight": kept},
        )
