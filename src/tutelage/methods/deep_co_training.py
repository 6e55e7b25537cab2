"""Deep co-training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import NonNegative, Share
from tutelage.methods.vat import lengths, of_length
from tutelage.ops.losses import cross_entropy, kl, sigmoid_ramp
from tutelage.tasks import Task
from tutelage.types import Batch, Inputs, Logits, Probs, Scalar, Terms, Weight


@dataclass(frozen=True)
class DeepCoTraining(Method):
    """Two networks agree on the pool, and each withstands what deceives the other, so that they stay different.

    L = L_sup(f) + L_sup(g) + agreement * (1/|B_u|) sum_u JS(x) + difference * (1/|B|) sum_x L_dif(x),
    JS(x) = H((p_f + p_g) / 2) - (H(p_f) + H(p_g)) / 2,   L_dif(x) = CE(p_f(x), g(a_f)) + CE(p_g(x), f(a_g)),
    a_f = x + epsilon |x| s / |s|,  s = sign grad_x CE(y, f(x)),  y = the label, in the pool the class f predicts.

    B is labels and pool together; a_f and a_g are held still. Each network descends L; the student is returned. For
    texts trained whole, x are the token embeddings.

    Source: Qiao et al., Deep Co-Training for Semi-Supervised Image Recognition, ECCV 2018.

    Args:
        agreement: factor on JS, at least 0.
        difference: factor on L_dif, at least 0.
        epsilon: length of the adversarial step, as a share of the length of x, at least 0.
        ramp: share of training in which both terms grow to their full weight, in [0, 1].

    >>> DeepCoTraining().rule.movers
    ('student', 'partner')
    """

    name: ClassVar[str] = "deep_co_training"
    reseeds: ClassVar[bool] = True
    agreement: NonNegative = 1.0
    difference: NonNegative = 0.5
    epsilon: NonNegative = 0.1
    ramp: Share = 0.2

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student", "partner"))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        f, g = play["student"], play["partner"]
        scale = sigmoid_ramp(batch.progress, self.ramp)
        z_f, z_g, apart = self._both(f, g, batch.unlabelled["weak"], None, task)
        supervised: Scalar = on_labels(f, batch, task) + on_labels(g, batch, task)
        *_, on_y = self._both(f, g, batch.labelled["weak"], task.target(batch.target), task)
        return Terms(
            {
                "supervised": supervised,
                "pool": scale * self.agreement * jensen_shannon(z_f, z_g).mean(),
                "difference": scale * self.difference * torch.cat([on_y, apart]).mean(),
            }
        )

    def _both(
        self, f: Player, g: Player, x: Inputs, labels: tuple[Probs, Weight] | None, task: Task
    ) -> tuple[Logits, Logits, Weight]:
        """Logits of f and g, and L_dif of each unit."""
        z_f, r_f = self._deceive(f, x, labels, task)
        z_g, r_g = self._deceive(g, x, labels, task)
        g_on_f = task.units(g.near(x, partial(torch.add, r_f)))
        f_on_g = task.units(f.near(x, partial(torch.add, r_g)))
        return z_f, z_g, cross_entropy(z_f.softmax(-1), g_on_f) + cross_entropy(z_g.softmax(-1), f_on_g)

    def _deceive(
        self, player: Player, x: Inputs, labels: tuple[Probs, Weight] | None, task: Task
    ) -> tuple[Logits, Tensor]:
        """The player's logits, and the step a - x that leads it astray."""
        at: list[Tensor] = []
        step: list[Tensor] = []

        def stay(h: Tensor) -> Tensor:
            at.append(h)
            step.append(torch.zeros_like(h, requires_grad=True))
            return h + step[0]

        z = task.units(player.near(x, stay))
        y, _ = task.target(z.argmax(-1))
        if labels is not None:
            y = torch.where(labels[1][:, None] > 0, labels[0], y)
        (slope,) = torch.autograd.grad(cross_entropy(y, z).sum(), step, retain_graph=True)
        return z, of_length(slope.sign(), self.epsilon * lengths(at[0]))


def jensen_shannon(u: Logits, v: Logits) -> Weight:
    """``H((p + q) / 2) - (H(p) + H(q)) / 2`` of ``p = softmax(u)``, ``q = softmax(v)``: 0 where they agree.

    >>> jensen_shannon(torch.tensor([[0.0, -99.0]]), torch.tensor([[-99.0, 0.0]])).tolist()
    [0.6931471824645996]
    """
    log_p, log_q = u.log_softmax(-1), v.log_softmax(-1)
    middle = torch.logaddexp(log_p, log_q) - math.log(2)
    return (kl(log_p, middle) + kl(log_q, middle)) / 2
