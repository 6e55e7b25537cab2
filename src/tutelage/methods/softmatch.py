"""SoftMatch: FixMatch that weighs labels where it would leave them out."""

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
from tutelage.ops.labels import align, ema
from tutelage.ops.losses import cross_entropy, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Scalar, Terms, Weight


@dataclass(frozen=True)
class SoftMatch(Method):
    """`FixMatch` with a weight in place of the threshold: a label less sure than the average counts less.

    L = L_sup + weight * (1/|B_u|) sum_u w CE(argmax p(weak), f(strong)),   p held still,
    w = exp(-min(max q - mean, 0)^2 / (2 var)),   q proportional to p / m  (uniform alignment).

    m, mean and var are running averages, renewed before they are used, of p and of the mean and the unbiased variance
    of max q over the pool's batches; they begin at 1/c, 1/c and 1.

    Source: Chen et al., SoftMatch, ICLR 2023, Section 3 (there decay 0.999, of very long training). Mean and
    variance are those of the aligned q, since they weigh q.

    Args:
        decay: share that a running average keeps of its old value at each step, in [0, 1].
        weight: factor on the pool's loss, at least 0.

    >>> SoftMatch().views
    ('weak', 'strong')
    """

    name: ClassVar[str] = "softmatch"
    stackable: ClassVar[bool] = True
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    decay: Share = 0.9
    weight: NonNegative = 1.0

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Copy(), interaction=0.0)

    def remembers(self, loader: Loader, task: Task) -> Params:
        even = torch.full((task.classes,), 1 / task.classes)
        return {"mean": even[0].clone(), "var": torch.ones(()), "p": even}

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        pool = batch.unlabelled
        u = task.units(play["teacher"](pool["weak"]))
        p = u.softmax(-1)
        m = ema(memory.kept["p"], p.mean(0), self.decay)
        sure = align(u, torch.ones_like(m), m).exp().amax(-1)
        var, average = torch.var_mean(sure, correction=min(1, len(sure) - 1))
        kept = {n: ema(memory.kept[n], value, self.decay) for n, value in (("mean", average), ("var", var))}
        w = truncated_gaussian(sure, kept["mean"], kept["var"])
        confidence, label = p.max(dim=-1)
        seen, inside = to_strong(torch.stack([label.to(w), w], 1), pool, task)
        y, _ = task.target(seen[:, 0].long())
        z = task.units(play["student"](pool["strong"]))
        return Terms(
            {
                "supervised": on_labels(play["student"], batch, task),
                "pool": self.weight * mean(cross_entropy(y, z), inside * seen[:, 1]),
            },
            {"label": label, "confidence": confidence, "weight": w, "p": m, **kept},
        )

    def observe(self, batch: Batch, terms: Terms, memory: Memory, task: Task) -> None:
        super().observe(batch, terms, memory, task)
        for name, kept in memory.kept.items():
            kept.copy_(terms.seen[name])


def truncated_gaussian(confidence: Weight, mean: Scalar, var: Scalar) -> Weight:
    """``exp(-min(confidence - mean, 0)^2 / (2 var))``: 1 from the mean on, below it falling like a Gaussian.

    >>> truncated_gaussian(torch.tensor([0.9, 0.5]), torch.tensor(0.7), torch.tensor(0.02)).tolist()
    [1.0, 0.3678794...]
    """
    below = (confidence - mean).clamp(max=0)
    return (-below.square() / (2 * var).clamp(min=torch.finfo(var.dtype).eps)).exp()
