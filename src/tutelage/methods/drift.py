"""DRIFT: self-training with a differentiable teacher."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import torch
from cyclopts import Parameter

from tutelage.game import Ema, Player, Response, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.ops.checks import in_range, one_of
from tutelage.ops.labels import balanced, sharpen
from tutelage.ops.losses import cross_entropy, kl, mean
from tutelage.ops.schedules import sigmoid_ramp
from tutelage.ops.weights import certainty
from tutelage.tasks import Tagging, Task
from tutelage.types import Batch, Logits, LogProbs, Terms, Weight

LEFT_OPEN = {
    "beside labels": {"balance": 0.0, "decay": 0.9, "interaction": 1.0},
    "after weak labels": {"balance": 1.0, "decay": 0.99, "interaction": 20.0},
    "after weak tags": {"balance": 0.2, "decay": 0.99, "interaction": 10.0},
}
"""What fields that are None become; chosen on validation parts, see docs/anticipation.md."""


@dataclass(frozen=True)
class Drift(Method):
    """Self-training in which the student anticipates how its teacher will follow it.

    F(S, T) = L_sup(S) + weight * (1/|B_u|) sum_u w(x; T) l(y(x; T), f(x; S)),
    T(S) = decay * T_old + (1 - decay) * S; the student descends the total derivative of F(S, T(S)).

    Source: Zuo et al., Self-Training with Differentiable Teacher, Findings of NAACL 2022.

    With y proportional to p^(1/temperature) / f^balance, p = p(x; T), f_j = the batch's sum of p_j. Fields that are
    None are set for the task: balance, decay and interaction to 0, 0.9 and 1 beside labels; to 1, 0.99 and 20 after
    weak labels; to 0.2, 0.99 and 10 after weak tags.

    Args:
        temperature: sharpening of the teacher's labels, in (0, 1].
        balance: of the classes within a batch, in [0, 1]; 0 is the paper's form (a), 1 its form (b), "soft frequency".
        weights: "entropy" (1 - H(p) / log C) or "none".
        divergence: "kl" or "ce"; the same direct gradient, another one through the teacher.
        decay: of the teacher, in [0, 1].
        interaction: scale of the anticipating gradient, at least 0; 0 is Mean Teacher.
        through: what the student anticipates: its teacher's "labels", its "weights", or "both".
        normalised: divide the weights by their mean, so that a less certain teacher is no way to a lower loss.
        weight: of the pool's loss, at least 0.
        ramp: share of training over which the pool's loss grows in, in [0, 1].
        response: another follower instead of the moving average, for example ``Unrolled(1)``.

    >>> Drift(decay=0.9).rule.interaction
    1.0
    """

    name: ClassVar[str] = "drift"
    anchored: ClassVar[bool] = False
    temperature: float = 0.5
    balance: float | None = None
    weights: Literal["entropy", "none"] = "entropy"
    divergence: Literal["kl", "ce"] = "kl"
    decay: float | None = None
    interaction: float | None = None
    through: Literal["both", "labels", "weights"] = "both"
    normalised: bool = False
    weight: float = 1.0
    ramp: float = 0.2
    response: Annotated[Response | None, Parameter(parse=False)] = None

    def __post_init__(self) -> None:
        in_range("temperature", self.temperature, 0, 1, low_open=True)
        one_of("weights", self.weights, ("entropy", "none"))
        one_of("divergence", self.divergence, ("kl", "ce"))
        for name, most in (("balance", 1), ("decay", 1), ("interaction", math.inf)):
            if getattr(self, name) is not None:
                in_range(name, getattr(self, name), 0, most)
        one_of("through", self.through, ("both", "labels", "weights"))
        in_range("weight", self.weight, 0)
        in_range("ramp", self.ramp, 0, 1)

    def settled(self, task: Task | None = None, weak: bool = False) -> Drift:
        where = "beside labels" if not weak else "after weak tags" if isinstance(task, Tagging) else "after weak labels"
        scale = {} if self.response is None else {"interaction": 1.0}  # 20 and 10 make up for the slow average
        left_open = {k: v for k, v in (LEFT_OPEN[where] | scale).items() if getattr(self, k) is None}
        return replace(self, **left_open)  # type: ignore[arg-type]

    @property
    def rule(self) -> Rule:
        it = self.settled()
        return Stackelberg("student", "teacher", it.response or Ema(it.decay), it.interaction)  # type: ignore[arg-type]

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
        """The follower's: log-labels (a, b) and weights (c) of its logits u, differentiable."""
        balance = self.settled().balance
        log_y = balanced(u, self.temperature, balance) if balance else sharpen(u, self.temperature)
        return log_y, certainty(u) if self.weights == "entropy" else torch.ones_like(u[:, 0])
