"""DivideMix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from tutelage.data import Loader
from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Blocks, Method, on_labels, require_own_units
from tutelage.methods.fields import Count, NonNegative, Positive, PositiveShare, Share
from tutelage.ops.labels import sharpen
from tutelage.ops.losses import cross_entropy
from tutelage.ops.mix import mixing
from tutelage.ops.mix import mixup as mixup_of
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Probs, Scalar, Terms, Weight


@dataclass(frozen=True)
class DivideMix(Method):
    """Noisy labels: two networks tell each other which labels are wrong, and learn those units as if unlabelled.

    Round 0: L = L_sup. Between rounds each network fits two Gaussians to its losses of all labels; w is the
    probability of the lower one, as the *other* network found it. A unit with w > threshold is clean; it learns
    w y + (1 - w) p, any other the mean of what both networks say, all sharpened and mixed up:
    L = (1/|clean|) sum CE(t, p) + weight * ramp * (1/|others|) sum |t - p|^2 / c + KL(uniform || mean p).

    Each unit is seen in one view a step, and the student alone is returned, where the authors average two views and
    both networks.

    Source: Li, Socher and Hoi, DivideMix, ICLR 2020.

    Args:
        rounds: number of times that the labels are judged, at least 1.
        warm_up: share of training before the labels are first judged, in (0, 1].
        threshold: probability w above which a label counts as clean, in [0, 1].
        temperature: sharpens the pseudo-labels, in (0, 1]; 1 leaves them as they are.
        alpha: parameter of the Beta distribution that mixup draws its shares from, above 0; inputs
            that are no tensor, such as tokens, are not mixed.
        weight: lambda_u, the factor on the second term, at least 0.
        ramp: share of training after the warm-up in which that factor grows in, in (0, 1].

    >>> DivideMix().starts(100)[:4]
    [0, 20, 30, 40]
    """

    name: ClassVar[str] = "dividemix"
    stackable: ClassVar[bool] = True
    uses_pool: ClassVar[bool] = False
    reseeds: ClassVar[bool] = True
    rounds: Count = 8
    warm_up: PositiveShare = 0.2
    threshold: Share = 0.5
    temperature: PositiveShare = 0.5
    alpha: Positive = 4.0
    weight: NonNegative = 25.0
    ramp: PositiveShare = 0.2

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student", "partner"))

    @property
    def training_rounds(self) -> int:
        return 1 + self.rounds

    @property
    def restarts(self) -> bool:
        return False

    def starts(self, steps: int) -> list[int]:
        first = round(self.warm_up * steps)
        return [0, *(first + i * (steps - first) // self.rounds for i in range(self.rounds + 1))]

    def remembers(self, loader: Loader, task: Task) -> Params:
        return {who: torch.ones(len(loader.target)) for who in self.rule.movers}

    def judge(self, who: str, said: Blocks, target: Tensor, memory: Memory, task: Task) -> None:
        clean = memory.kept[who]
        for units, logits, _ in said:
            y, known = task.target(target[units])
            clean[units] = cross_entropy(y, logits).masked_fill(known == 0, torch.nan).to(clean)
        clean.copy_(torch.as_tensor(clean_probability(clean.cpu().numpy())))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        student, other = play[who], "partner" if who == "student" else "student"
        if memory.round == 0:
            return Terms({"supervised": on_labels(student, batch, task)})
        x, (y, known) = batch.labelled["weak"], task.target(batch.target)
        w = memory.kept[other][batch.labelled.index].to(y)
        clean = known * (w > self.threshold)
        with torch.no_grad():
            mine, theirs = (task.units(play[i](x)).softmax(-1) for i in (who, other))
        label = torch.where(clean[:, None] > 0, w[:, None] * y + (1 - w[:, None]) * mine, (mine + theirs) / 2)
        label = sharpen(label.clamp(min=torch.finfo(label.dtype).tiny).log(), self.temperature).exp()
        if isinstance(x, Tensor) and len(x) == len(y):
            share, perm = mixing(x, self.alpha)
            x, label = mixup_of(x, share, perm), mixup_of(label, share, perm)
        z = task.units(student(x))
        apart = (label - z.softmax(-1)).square().mean(-1)
        scale = self.weight * min(max(batch.progress - self.warm_up, 0) / self.ramp, 1.0)
        return Terms({
            "clean": _over(cross_entropy(label, z), clean),
            "others": scale * _over(apart, known - clean),
            "even": _from_even(z.softmax(-1)),
        })  # fmt: skip


def _over(loss: Weight, chosen: Weight) -> Scalar:
    """The mean loss of the chosen units; 0 where none is."""
    return (chosen * loss).sum() / chosen.sum().clamp(min=1)


def _from_even(p: Probs) -> Scalar:
    """``KL(uniform || mean of p)``: keeps all units from becoming one class."""
    even: Scalar = -p.mean(0).clamp(min=torch.finfo(p.dtype).tiny).log().mean() - math.log(p.shape[1])
    return even


def clean_probability(losses: np.ndarray) -> np.ndarray:
    """The probability that each loss, (n,), is from the lower of two Gaussians; 1 for NaN, and where all are equal.

    >>> clean_probability(np.array([0.1, 0.2, 0.15, 2.0, 2.2, np.nan])).round(3).tolist()
    [1.0, 1.0, 1.0, 0.0, 0.0, 1.0]
    """
    found, known = np.ones(len(losses)), np.isfinite(losses)
    values = losses[known, None].astype(float)
    if len(values) < 2 or np.ptp(values) == 0:
        return found
    values = (values - values.min()) / np.ptp(values)
    mixture = GaussianMixture(2, max_iter=10, tol=1e-2, reg_covar=5e-4, random_state=0).fit(values)
    found[known] = mixture.predict_proba(values)[:, mixture.means_.argmin()]
    return found
