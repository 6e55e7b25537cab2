"""Virtual adversarial training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import NonNegative, Positive, Share
from tutelage.ops.draws import drawn, normal
from tutelage.ops.losses import cross_entropy, kl, sigmoid_ramp
from tutelage.tasks import Task
from tutelage.types import Batch, Inputs, Logits, Terms


@dataclass(frozen=True)
class Vat(Method):
    """The prediction may not change in the direction in which it changes most.

    L = L_sup + weight * ramp(t) * (1/|B_u|) sum_u [KL(p(x) || f(x + r)) + entropy * H(f(x))],
    r = epsilon |x| g / |g|,  g = grad_r KL(p(x) || f(x + r)) at a small random r (one power iteration);
    p(x) held still. For texts trained whole, x are the token embeddings.

    Source: Miyato et al., Virtual Adversarial Training, TPAMI 2019 (Algorithm 1); for texts Miyato, Dai
    and Goodfellow, ICLR 2017.

    Args:
        epsilon: length of the adversarial step, as a share of the length of x, at least 0.
        xi: length of the random step before it, also as a share of the length of x, above 0.
        entropy: factor on the entropy of the pool's predictions within the pool's loss, at least 0.
        weight: factor on the pool's loss, at least 0.
        ramp: share of training in which the pool's loss grows to its full weight, in [0, 1].

    >>> Vat().rule.movers
    ('student',)
    """

    name: ClassVar[str] = "vat"
    epsilon: NonNegative = 0.1
    xi: Positive = 1e-2
    entropy: NonNegative = 0.3
    weight: NonNegative = 0.3
    ramp: Share = 0.2

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        student, x = play["student"], batch.unlabelled["weak"]
        z = task.units(student(x))
        p = z.detach().log_softmax(-1)
        smooth = kl(p, self._adversarial(student, x, p, task)).mean()
        unsure = cross_entropy(z.softmax(-1), z).mean()
        scale = self.weight * sigmoid_ramp(batch.progress, self.ramp)
        confidence, label = p.exp().max(dim=-1)
        return Terms(
            {
                "supervised": on_labels(student, batch, task),
                "pool": scale * smooth,
                "entropy": scale * self.entropy * unsure,
            },
            {"label": label, "confidence": confidence, "weight": torch.ones_like(confidence)},
        )

    def _adversarial(self, student: Player, x: Inputs, p: Tensor, task: Task) -> Logits:
        """f(x + r)."""
        start: list[Tensor] = []

        def random(h: Tensor) -> Tensor:
            start.append(of_length(drawn(h, normal), self.xi * lengths(h)).requires_grad_())
            return h.detach() + start[0]

        (g,) = torch.autograd.grad(kl(p, task.units(student.near(x, random))).sum(), start)
        return task.units(student.near(x, lambda h: h + of_length(g, self.epsilon * lengths(h))))


def lengths(x: Tensor) -> Tensor:
    """Euclidean length of each example of x, (n,), over all its dimensions; not differentiated."""
    length: Tensor = torch.linalg.vector_norm(x.detach().flatten(1), dim=1)
    return length


def of_length(x: Tensor, length: Tensor) -> Tensor:
    """Each example of x scaled to its length in ``length``, (n,)."""
    scale = length / lengths(x).clamp(min=1e-12)
    return x * scale.reshape(-1, *[1] * (x.ndim - 1))
