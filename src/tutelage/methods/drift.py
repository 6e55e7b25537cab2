"""DRIFT: self-training with a differentiable teacher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

import torch

from tutelage.game import Ema, Player, Response, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import NonNegative, PositiveShare, Share, left_open
from tutelage.ops.labels import balanced, certainty, sharpen
from tutelage.ops.losses import cross_entropy, kl, mean, sigmoid_ramp
from tutelage.tasks import Task
from tutelage.types import Batch, Logits, LogProbs, Terms, Weight

AFTER_WEAK = {
    "labels": {"balance": 1.0, "decay": 0.99, "interaction": 20.0},
    "tags": {"balance": 0.2, "decay": 0.99, "interaction": 10.0},
}
"""What open fields become after weak labels; chosen on validation parts, see docs/anticipation.md."""


@dataclass(frozen=True)
class Drift(Method):
    """Self-training in which the student anticipates how its teacher will follow it.

    F(S, T) = L_sup(S) + weight * (1/|B_u|) sum_u w(x; T) l(y(x; T), f(x; S)),
    T(S) = decay * T_old + (1 - decay) * S; the student descends the total derivative of F(S, T(S)).

    Source: Zuo et al., Self-Training with Differentiable Teacher, Findings of NAACL 2022.

    With y proportional to p^(1/temperature) / f^balance, p = p(x; T), f_j = the batch's sum of p_j. Fields that are
    left open (None) are set for the task: balance, decay and interaction to 0, 0.9 and 1 beside labels; to 1, 0.99 and
    20 after weak labels; to 0.2, 0.99 and 10 after weak tags.

    Args:
        temperature: sharpens the teacher's labels, in (0, 1]; 1 leaves them as they are.
        balance: exponent of f, which balances the classes of a batch, in [0, 1]; 0 is the paper's form (a), 1 its form
            (b), "soft frequency".
        weights: w(x; T): "entropy", 1 - H(p) / log C, or "none", 1.
        divergence: l, "kl" or "ce": they differ in the gradient through the teacher alone.
        decay: share of its own weights that the teacher keeps at each step, in [0, 1].
        interaction: factor on the gradient through the teacher, at least 0; 0 is Mean Teacher.
        through: what the student anticipates: its teacher's "labels", its "weights", or "both".
        normalised: whether the weights are divided by their mean, so that a less certain teacher does not lower the
            loss.
        weight: factor on the pool's loss, at least 0.
        ramp: share of training in which the pool's loss grows to its full weight, in [0, 1].
        response: how the teacher follows, in place of the moving average, for example ``Unrolled(1)``.

    >>> from tutelage.tasks import Classification
    >>> Drift(decay=0.9).settled(Classification(2), weak=True).rule
    Stackelberg(leader='student', follower='teacher', response=Ema(decay=0.9), interaction=20.0)
    """

    name: ClassVar[str] = "drift"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    anchored: ClassVar[bool] = False
    temperature: PositiveShare = 0.5
    balance: Share = left_open(0.0)
    weights: Literal["entropy", "none"] = "entropy"
    divergence: Literal["kl", "ce"] = "kl"
    decay: Share = left_open(0.9)
    interaction: NonNegative = left_open(1.0)
    through: Literal["both", "labels", "weights"] = "both"
    normalised: bool = False
    weight: NonNegative = 1.0
    ramp: Share = 0.2
    response: Response | None = field(default=None, metadata={"command_line": False})

    def settled(self, task: Task, weak: bool = False) -> Self:
        values = AFTER_WEAK["tags" if task.sequential else "labels"] if weak else {}
        scale = {} if self.response is None else {"interaction": 1.0}  # 20 and 10 make up for the slow average
        return self.filled(values | scale)

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", self.response or Ema(self.decay), self.interaction)

    @property
    def couples(self) -> str:
        if max(self.at(0.0).balance, self.at(1.0).balance) > 0:
            return f"balance={self.balance:g} counts the classes of a batch, and balance=0 does not"
        return "normalised=True divides by the mean weight of a batch" if self.normalised else super().couples

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        u = task.units(play["teacher"](batch.unlabelled["weak"]))  # teacher's logits, f(x; T)
        z = task.units(play["student"](batch.unlabelled["weak"]))  # student's logits, f(x; S)
        if who == "teacher":  # asked only by a follower that takes gradient steps
            follow = kl(torch.log_softmax(z, dim=-1), u).mean()
            return Terms({"supervised": on_labels(play["teacher"], batch, task), "follow": follow})

        log_y, w = self.strategy(u)
        log_y = log_y.detach() if self.through == "weights" else log_y
        w = w.detach() if self.through == "labels" else w
        fit = kl(log_y, z) if self.divergence == "kl" else cross_entropy(log_y.exp(), z)  # (d)
        scale = self.weight * sigmoid_ramp(batch.progress, self.ramp)
        confidence, label = torch.softmax(u.detach(), dim=-1).max(dim=-1)
        return Terms(
            {
                "supervised": on_labels(play["student"], batch, task),
                "pool": scale * mean(fit, w / w.mean().clamp(min=1e-6) if self.normalised else w),  # eq. 2
            },
            {"label": label, "confidence": confidence, "weight": w.detach()},
        )

    def strategy(self, u: Logits) -> tuple[LogProbs, Weight]:
        """The follower's strategy: log-labels (a, b) and weights (c) from its logits u, differentiable."""
        log_y = balanced(u, self.temperature, self.balance) if self.balance else sharpen(u, self.temperature)
        return log_y, certainty(u) if self.weights == "entropy" else torch.ones_like(u[:, 0])
