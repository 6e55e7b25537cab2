"""Debiased self-training: guessed labels are learnt by a head that gives none, and a worst-case head is resisted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from tutelage.game import Copy, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method
from tutelage.methods.fields import NonNegative, Share
from tutelage.methods.views import to_strong
from tutelage.ops.losses import cross_entropy, mean
from tutelage.ops.thresholds import above
from tutelage.tasks import Task
from tutelage.types import Batch, Labels, Logits, Terms, Weight


@dataclass(frozen=True)
class Debiased(Method):
    """`FixMatch` whose guesses train a head of their own, on features in which no head can err much on them.

    y(x) = argmax p(weak), sure where max p(weak) >= threshold, p of the network's own head, which learns labels alone:

        L = L_sup + weight * (1/|B_u|) sum_sure CE(y, h(strong)) + worst * W,
        W = L_sup(h_w) - (1/|B_u|) sum_sure log(1 - h_w(strong)_y).

    h, for guesses, and h_w, for the worst case, are perceptrons on the last layer's inputs. h_w descends W: it fits the
    labels and errs on the guesses as far as these features let it. The features ascend W, by a reversed gradient, so
    that a head that fits the labels cannot err there. Both heads are left out of the network that is kept.

    Source: Chen et al., Debiased Self-Training for Semi-Supervised Learning, NeurIPS 2022 (DST there; `Dst` is
    another one). That the worst case counts from the first step on is our reading: the authors let it grow in.

    Args:
        threshold: least probability at which a guess counts, in [0, 1].
        weight: factor on the guesses' loss, at least 0.
        worst: factor on the worst case, at least 0.

    >>> from tutelage.tasks import Classification
    >>> sorted(Debiased().brings(4, Classification(3)))
    ['guesses', 'worst']
    """

    name: ClassVar[str] = "debiased"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    of_labels: ClassVar[tuple[str, ...]] = ("supervised", "worst on labels")
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    threshold: Share = 0.95
    weight: NonNegative = 1.0
    worst: NonNegative = 1.0

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Copy(), interaction=0.0)

    def brings(self, width: int, task: Task) -> nn.ModuleDict:
        guesses, worst = (
            nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, task.classes)) for _ in range(2)
        )
        return nn.ModuleDict({"guesses": guesses, "worst": nn.Sequential(Reversed(), worst)})

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        student, pool = play["student"], batch.unlabelled
        label, confidence = task.say(play["teacher"](pool["weak"]))
        seen, inside = to_strong(torch.stack([label.to(confidence.dtype), confidence], 1), pool, task)
        guess, sure = seen[:, 0].long(), inside * above(seen[:, 1], self.threshold)
        _, strong = student.aside(pool["strong"])
        terms = {
            "pool": self.weight * mean(cross_entropy(task.target(guess)[0], strong["guesses"]), sure),
            "worst on guesses": self.worst * mean(off(strong["worst"], guess), sure),
        }
        if len(batch.labelled):
            out, beside = student.aside(batch.labelled["weak"])
            y, known = task.target(batch.target)
            terms["supervised"] = task.fit(out, batch.target)
            terms["worst on labels"] = self.worst * mean(cross_entropy(y, beside["worst"]), known)
        return Terms(terms, {"label": label, "confidence": confidence, "weight": above(confidence, self.threshold)})


class Reversed(nn.Module):
    """The rows as they are, whose gradient is turned round.

    Source: Ganin and Lempitsky, ICML 2015 (gradient reversal).

    >>> rows = torch.ones(2, requires_grad=True)
    >>> Reversed()(rows).sum().backward()
    >>> rows.grad.tolist()
    [-1.0, -1.0]
    """

    def forward(self, rows: Tensor) -> Tensor:
        """The rows, (n, d)."""
        return 2 * rows.detach() - rows


def off(logits: Logits, label: Labels) -> Weight:
    """``- log (1 - p_y)`` with ``p = softmax(logits)``, (n,): 0 where a prediction excludes the label.

    >>> off(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).tolist()
    [0.6931471824645996]
    """
    others = logits.scatter(-1, label[:, None], -torch.inf)
    found: Weight = logits.logsumexp(-1) - others.logsumexp(-1)
    return found
