"""Partial labels: one student of its teacher's two likeliest classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor

from tutelage.game import Frozen, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Blocks, Method, on_labels
from tutelage.ops.labels import two_hot
from tutelage.ops.losses import generalised_cross_entropy, mean
from tutelage.ops.said import warn
from tutelage.tasks import Task
from tutelage.types import Batch, Terms

RELEASED = 0.7
"""The exponent q of the authors' loss."""
TIED = 0.95
"""A class ties with another that comes second in more than this share of its units."""
LEAST_UNITS = 20
"""Least number of units of a class that may be said to tie."""


@dataclass(frozen=True)
class PartialLabel(Method):
    """Noisy labels: the student learns that either of its teacher's two likeliest classes is right.

    Round 0: L = L_sup(S).  Then L = (1/|B_l|) sum_l l(p_a, p_b),  a, b: the two largest of p(x; T),  p = f(x; S),
    T = the student of round 0. It needs three classes or more. After round 0 it warns of classes whose units
    nearly all have the same second class: they tie.

    Source: Jeong and Chung, Rethinking Self-Distillation, ICLR 2025; "union": Jin and Ghahramani, NIPS 2002.

    Args:
        form: the loss l. "paper": - (log p_a + log p_b) / 2, by which a fresh student learns to give each class one
            half. "released": (2 - p_a^q - p_b^q) / 2q with q = 0.7, as in the authors' code; the student begins as its
            teacher. "union": - log(p_a + p_b); the student begins as its teacher and chooses between the two classes.

    >>> PartialLabel().training_rounds
    2
    """

    name: ClassVar[str] = "partial_label"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    of_labels: ClassVar[tuple[str, ...]] = ("supervised", "partial")
    uses_pool: ClassVar[bool] = False
    form: Literal["union", "paper", "released"] = "union"

    def settled(self, task: Task, weak: bool = False) -> Self:
        if task.classes < 3:
            raise ValueError(f"{self.name} needs at least 3 classes, got {task.classes}: one of two is always right")
        return super().settled(task, weak)

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Frozen(), interaction=0.0)

    @property
    def training_rounds(self) -> int:
        return 2

    @property
    def restarts(self) -> bool:
        return self.form == "paper"

    def judge(self, who: str, said: Blocks, target: Tensor, memory: Memory, task: Task) -> None:
        pairs = torch.zeros(task.classes, task.classes, dtype=torch.int64)
        for _, logits, _ in said:
            first, second = logits.topk(2, dim=-1).indices.cpu().unbind(-1)
            pairs += torch.bincount(first * task.classes + second, minlength=pairs.numel()).view_as(pairs)
        most, with_which = pairs.max(1)
        tied = (most > TIED * pairs.sum(1)) & (pairs.sum(1) >= LEAST_UNITS)
        if tied.any():
            found = ", ".join(f"{i} with {int(with_which[i])}" for i in tied.nonzero().flatten().tolist())
            warn(
                f"these classes come together in nearly every unit, and tie: {found}", stacklevel=2, page="tied-classes"
            )

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        if memory.round == 0:
            return Terms({"supervised": on_labels(play["student"], batch, task)})
        x, (_, known) = batch.labelled["weak"], task.target(batch.target)
        either, z = two_hot(task.units(play["teacher"](x))), task.units(play["student"](x))
        if self.form == "union":
            loss = -z.log_softmax(-1).masked_fill(either == 0, -torch.inf).logsumexp(-1)
        else:
            loss = generalised_cross_entropy(either, z, RELEASED if self.form == "released" else 0.0)
        return Terms({"partial": mean(loss, known)})
