"""MixMatch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from tutelage.game import Copy, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method
from tutelage.methods.fields import NonNegative, Positive, PositiveShare, Share
from tutelage.methods.views import again, between
from tutelage.ops.labels import sharpen
from tutelage.ops.losses import cross_entropy, linear_ramp, mean
from tutelage.ops.mix import mix_weights, mixing, mixup
from tutelage.tasks import Task
from tutelage.types import Batch, Inputs, Logits, Probs, Terms, Weight


@dataclass(frozen=True)
class MixMatch(Method):
    """Labelled units and guessed ones are mixed with each other; a guess is the mean prediction on two weak views.

    q = sharpened mean of p(weak u) and p(again u), held still; of X = (labelled, weak, again) and its labels,
    x' = r x + (1 - r) x[perm],   y' likewise,   r = max(l, 1 - l),   l ~ Beta(alpha, alpha),
    L = (1/|B_l|) sum_l CE(y', f(x')) + weight * ramp * (1/2|B_u|) sum_u |y' - p(x')|^2 / c.

    A mixture with an unknown label has no loss. Pixels, and inputs that are no tensor, such as tokens, are not mixed.

    Source: Berthelot et al., MixMatch, NeurIPS 2019, algorithm 1 (there weight 75 to 150, of very long training).

    Args:
        temperature: sharpens the pseudo-labels, in (0, 1]; 1 leaves them as they are.
        alpha: parameter of the Beta distribution that mixup draws its shares from, above 0.
        weight: lambda_u, the factor on the second term, at least 0.
        ramp: share of training in which that factor grows in, in [0, 1].

    >>> MixMatch().views
    ('weak', 'again')
    """

    name: ClassVar[str] = "mixmatch"
    stackable: ClassVar[bool] = True
    views: ClassVar[tuple[str, ...]] = ("weak", "again")
    temperature: PositiveShare = 0.5
    alpha: Positive = 0.75
    weight: NonNegative = 25.0
    ramp: Share = 0.5

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Copy(), interaction=0.0)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        pool, x = batch.unlabelled, [batch.unlabelled["weak"], again(batch.unlabelled)]
        p, q = (task.units(play["teacher"](i)).softmax(-1) for i in x)
        q, both = between(q, pool, task, "again", "weak")
        p = (p + both[:, None] * q) / (1 + both[:, None])
        guess = sharpen(p.clamp(min=torch.finfo(p.dtype).tiny).log(), self.temperature).exp()
        moved, inside = between(guess, pool, task, "weak", "again")
        labels, known = task.target(batch.target)
        x = [batch.labelled["weak"], *x]
        y, w = torch.cat([labels, guess, moved]), torch.cat([known, torch.ones_like(inside), inside])
        z, y, w = mixed(play["student"], x, y, w, self.alpha, task)
        n, apart = len(labels), (y - z.softmax(-1)).square().mean(-1)
        scale = self.weight * linear_ramp(batch.progress, self.ramp)
        confidence, label = guess.max(dim=-1)
        return Terms(
            {"supervised": mean(cross_entropy(y[:n], z[:n]), w[:n]), "pool": scale * mean(apart[n:], w[n:])},
            {"label": label, "confidence": confidence, "weight": torch.ones_like(confidence)},
        )


def mixed(
    student: Player, x: Sequence[Inputs], y: Probs, w: Weight, alpha: float, task: Task
) -> tuple[Logits, Probs, Weight]:
    """The student's logits of all inputs, mixed with each other, and their labels and weights mixed likewise.

    Inputs that are no tensors, or have not one row for each unit, are not mixed, nor are their labels and weights.
    """
    rows = [i for i in x if isinstance(i, Tensor)]
    if len(rows) < len(x) or sum(map(len, rows)) != len(y):
        return torch.cat([task.units(student(i)) for i in x]), y, w
    share, perm = mixing(y, alpha)
    y, w = mix_weights(y, w, share, perm)
    return task.units(student(mixup(torch.cat(rows), share, perm))), y, w
