"""ReMixMatch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from tutelage.data import Loader
from tutelage.game import Copy, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method
from tutelage.methods.fields import NonNegative, Positive, PositiveShare, Share
from tutelage.methods.mixmatch import mixed
from tutelage.methods.views import to_strong
from tutelage.ops.labels import align, ema, sharpen
from tutelage.ops.losses import cross_entropy, mean, mean_where
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Terms


@dataclass(frozen=True)
class ReMixMatch(Method):
    """`MixMatch` with guesses that keep the classes' shares, and with a strong view that learns them.

    q = sharpened, aligned p(weak), held still: proportional to (p * prior / m)^(1/temperature), where prior and m are
    running averages of labels and of predictions on the pool, renewed before they are used;
    L = (1/|B_l|) sum_l CE(y', f(x')) + weight * (1/2|B_u|) sum_u CE(y', f(x'))
        + strong * (1/|B_u|) sum_u CE(q, f(strong))

    with x' and y' of X = (labelled, strong, weak) mixed up as in `MixMatch`. Without labelled units nothing is aligned.

    The rotation loss is left out: it is for images alone, and needs a head of its own.

    Source: Berthelot et al., ReMixMatch, ICLR 2020, algorithm 1, with one strong view of a unit where the authors have
    up to 8. Their averages are those of 128 batches.

    Args:
        temperature: sharpens the pseudo-labels, in (0, 1]; 1 leaves them as they are.
        alpha: parameter of the Beta distribution that mixup draws its shares from, above 0.
        weight: lambda_U, the factor on the mixed pool's loss, at least 0.
        strong: lambda_U1, the factor on the loss of the strong view that is not mixed, at least 0.
        decay: share that a running average keeps of its old value at each step, in [0, 1].

    >>> ReMixMatch().views
    ('weak', 'strong')
    """

    name: ClassVar[str] = "remixmatch"
    stackable: ClassVar[bool] = True
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    temperature: PositiveShare = 0.5
    alpha: Positive = 0.75
    weight: NonNegative = 1.5
    strong: NonNegative = 0.5
    decay: Share = 0.99

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Copy(), interaction=0.0)

    def remembers(self, loader: Loader, task: Task) -> Params:
        even = torch.full((task.classes,), 1 / task.classes)
        return {"p": even, "prior": even.clone()}

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        pool, student = batch.unlabelled, play["student"]
        labels, known = task.target(batch.target)
        u = task.units(play["teacher"](pool["weak"]))
        p, prior = ema(memory.kept["p"], u.softmax(-1).mean(0), self.decay), memory.kept["prior"]
        if len(known):
            prior = torch.where(known.any(), ema(prior, mean_where(labels, known), self.decay), prior)
        guess = sharpen(align(u, prior, p), self.temperature).exp()
        moved, inside = to_strong(guess, pool, task)
        x = [batch.labelled["weak"], pool["strong"], pool["weak"]]
        y, w = torch.cat([labels, moved, guess]), torch.cat([known, inside.to(known), torch.ones_like(guess[:, 0])])
        z, y, w = mixed(student, x, y, w, self.alpha, task)
        n, each = len(labels), cross_entropy(y, z)
        unmixed = cross_entropy(moved, task.units(student(pool["strong"])))
        confidence, label = guess.max(dim=-1)
        return Terms(
            {
                "supervised": mean(each[:n], w[:n]),
                "pool": self.weight * mean(each[n:], w[n:]),
                "strong": self.strong * mean(unmixed, inside),
            },
            {"label": label, "confidence": confidence, "weight": torch.ones_like(confidence), "p": p, "prior": prior},
        )

    def observe(self, batch: Batch, terms: Terms, memory: Memory, task: Task) -> None:
        super().observe(batch, terms, memory, task)
        for name, kept in memory.kept.items():
            kept.copy_(terms.seen[name])
