"""FreeMatch: FixMatch whose thresholds follow the student's own confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from tutelage.data import Loader
from tutelage.game import Copy, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import NonNegative, Share
from tutelage.methods.views import to_strong
from tutelage.ops.labels import ema
from tutelage.ops.losses import cross_entropy, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Probs, Scalar, Terms, Weight


@dataclass(frozen=True)
class FreeMatch(Method):
    """`FixMatch` without a threshold to choose: each class has its own, as high as the student is sure by now.

    L = L_sup + weight * (1/|B_u|) sum_u 1[max p(weak) >= T_c] CE(c, f(strong)) - fairness * H(a, b),
    T_c = tau * m_c / max_k m_k,   c = argmax p(weak), held still,
    H(a, b) = - sum_c a_c log b_c,   a = N(m / h),   b = N(m' / h'),   N(v) = v / sum(v).

    tau, m and h are running averages, renewed before they are used, of the pool's mean max p, mean p and shares of the
    predicted classes; m' and h' are the mean p and the shares of the strong views that count. Classes that are
    predicted for none of these are left out of H: they have no gradient.

    Source: Wang et al., FreeMatch, ICLR 2023, algorithm 1 (there decay 0.999, of very long training).

    Args:
        decay: share that a running average keeps of its old value at each step, in [0, 1].
        weight: factor on the pool's loss, at least 0.
        fairness: factor on H, at least 0.

    >>> FreeMatch().views
    ('weak', 'strong')
    """

    name: ClassVar[str] = "freematch"
    stackable: ClassVar[bool] = True
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    decay: Share = 0.9
    weight: NonNegative = 1.0
    fairness: NonNegative = 0.01

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Copy(), interaction=0.0)

    def remembers(self, loader: Loader, task: Task) -> Params:
        even = torch.full((task.classes,), 1 / task.classes)
        return {"tau": even[0].clone(), "p": even, "histogram": even.clone()}

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        pool = batch.unlabelled
        p = torch.softmax(task.units(play["teacher"](pool["weak"])), dim=-1)
        confidence, label = p.max(dim=-1)
        now = {"tau": confidence.mean(), "p": p.mean(0), "histogram": task.target(label)[0].mean(0)}
        kept = {name: ema(memory.kept[name], value, self.decay) for name, value in now.items()}
        least = kept["tau"] * kept["p"] / kept["p"].max()
        counts = (confidence >= least[label]).to(confidence)
        seen, inside = to_strong(torch.stack([label.to(confidence), counts], 1), pool, task)
        y, _ = task.target(seen[:, 0].long())
        z = task.units(play["student"](pool["strong"]))
        w = inside * seen[:, 1]
        return Terms(
            {
                "supervised": on_labels(play["student"], batch, task),
                "pool": self.weight * mean(cross_entropy(y, z), w),
                "fairness": -self.fairness * evenness(kept["p"], kept["histogram"], z.softmax(-1), w),
            },
            {"label": label, "confidence": confidence, "weight": counts, **kept},
        )

    def observe(self, batch: Batch, terms: Terms, memory: Memory, task: Task) -> None:
        super().observe(batch, terms, memory, task)
        for name, kept in memory.kept.items():
            kept.copy_(terms.seen[name])


def evenness(m: Weight, h: Weight, p: Probs, weight: Weight) -> Scalar:
    """``H(N(m / h), N(m' / h'))``, with m' and h' from the rows of p that have a weight; 0 where none has.

    >>> p, even = torch.tensor([[0.75, 0.25], [0.25, 0.75]]), torch.tensor([0.5, 0.5])
    >>> round(evenness(even, even, p, torch.ones(2)).item(), 4)
    0.6931
    """
    predicted = torch.zeros_like(p).scatter(-1, p.argmax(-1, keepdim=True), 1.0)
    a, b = _share(m, h), _share(weight @ p, weight @ predicted)
    there = b > 0
    return -(torch.where(there, a, 0.0) * torch.where(there, b, 1.0).log()).sum()


def _share(m: Weight, h: Weight) -> Weight:
    """``N(m / h)``; 0 for a class that is not predicted."""
    eps = torch.finfo(h.dtype).eps
    ratio = torch.where(h > eps, m / h.clamp(min=eps), 0.0)
    return ratio / ratio.sum().clamp(min=eps)
