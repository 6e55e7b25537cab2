"""FedLabel: in a federation, the surer of a client's own model and the global one labels its rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch

from tutelage.game import Loss, Move, Player, Rule
from tutelage.game.player import Seats, gradient
from tutelage.memory import Memory
from tutelage.methods import Method
from tutelage.methods.base import on_labels
from tutelage.methods.fields import NonNegative, Share
from tutelage.ops.thresholds import above
from tutelage.tasks import Task
from tutelage.types import Batch, Probs, Terms, Weight

Confidence = Literal["probability", "entropy", "variance"]
"""How a prediction's confidence is measured, see `confidence`."""


@dataclass(frozen=True)
class TwoTeachers:
    """The student descends; "own" is the student as it is, without dropout, and "global" stays as it was received."""

    movers: tuple[str, ...] = field(default=("student",), init=False)
    followers: tuple[str, ...] = field(default=("own", "global"), init=False)

    def move(self, loss: Loss, seats: Seats, step: int) -> Move:
        student, own = seats["student"], seats["own"]
        own.adopt_buffers(student)
        own.install({name: p.detach() for name, p in student.params.items()})
        terms = loss("student", seats)
        return Move({"student": gradient(terms.total, student.params)}, terms)


@dataclass(frozen=True)
class FedLabel(Method):
    """Of two teachers, the client's own model and the global one, the surer labels each row.

        e = argmax_k h(p_k),   q = argmax p_e,   m = 1[max p_e >= threshold]              k in {own, global}
        L = L_sup + 1[t >= first] (1/|B_u|) sum_u m (weight CE(q, f(strong))
            + agreement min(h_own, h_global) 1[both sure and agreed] KL(p_global || p(strong)))

    The p_k are predictions on the weak view, without gradient. It is trained once a round, from the global model's
    weights, so that the global teacher is the network as it begins, and the own teacher is the network as it is.

    Source: FedLabel, "Local or Global", of which we know the abstract and accounts by others, no code: this is our
    reading. How the agreement's weight grows with the confidences, the view of its last term, and that labels stay
    in the loss while the pool is learnt, are ours.

    Args:
        threshold: least probability at which a pseudo-label counts, in [0, 1].
        weight: factor on the pseudo-labels' loss, at least 0.
        agreement: factor on the distance to the global model where both models are sure and agree, at least 0.
        first: share of a round's steps in which the labels alone are learnt, in [0, 1].
        confidence: h: the largest "probability", the negative "entropy", or the "variance" of the probabilities.
        teachers: "both", or one of them alone: "own" or "global".

    >>> FedLabel().rule.followers
    ('own', 'global')
    """

    name: ClassVar[str] = "fedlabel"
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    threshold: Share = 0.95
    weight: NonNegative = 1.0
    agreement: NonNegative = 1.0
    first: Share = 0.5
    confidence: Confidence = "probability"
    teachers: Literal["both", "own", "global"] = "both"

    @property
    def rule(self) -> Rule:
        return TwoTeachers()

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        pool, student = batch.unlabelled, play["student"]
        terms = {"supervised": on_labels(student, batch, task)}
        if batch.progress < self.first:
            return Terms(terms)
        with torch.no_grad():
            own, world = (task.units(play[k](pool["weak"])).softmax(-1) for k in ("own", "global"))
        top, label = self.surer(own, world).max(-1)
        kept = above(top, self.threshold)
        log_p = task.units(student(pool["strong"])).log_softmax(-1)
        wrong = -log_p.gather(-1, label[:, None]).squeeze(-1)  # CE(q, f(strong))
        terms["pool"] = self.weight * (kept * wrong).mean()
        if self.teachers == "both":
            agreed = self.agreed(own, world)
            h = torch.minimum(confidence(own, self.confidence), confidence(world, self.confidence))
            apart = (torch.special.xlogy(world, world) - world * log_p).sum(-1)  # KL(p_global || p(strong))
            terms["agreement"] = self.agreement * (agreed * h * apart).mean()
        return Terms(terms, {"label": label, "confidence": top, "weight": kept})

    def agreed(self, own: Probs, world: Probs) -> Weight:
        """1 where both teachers are sure and give the same label, else 0, (n,).

        Args:
            own: probabilities by the client's own model, (n, c).
            world: probabilities by the global model, (n, c).
        """
        (sure, label), (world_sure, world_label) = own.max(-1), world.max(-1)
        return above(torch.minimum(sure, world_sure), self.threshold) * (label == world_label)

    def surer(self, own: Probs, world: Probs) -> Probs:
        """The probabilities of the teacher that speaks of each unit, (n, c): of the surer one, of equals the own.

        Args:
            own: probabilities by the client's own model, (n, c).
            world: probabilities by the global model, (n, c).

        >>> FedLabel().surer(torch.tensor([[0.6, 0.4], [0.9, 0.1]]), torch.tensor([[0.2, 0.8], [0.3, 0.7]])).tolist()
        [[0.2..., 0.8...], [0.8..., 0.1...]]
        """
        if self.teachers != "both":
            return own if self.teachers == "own" else world
        global_speaks = confidence(world, self.confidence) > confidence(own, self.confidence)
        return torch.where(global_speaks[:, None], world, own)


def confidence(p: Probs, how: Confidence) -> Weight:
    """How sure predictions are, (n,), in [0, 1]: 0 where all classes are alike for the last two, 1 for one class alone.

    Args:
        p: probabilities, (n, c).
        how: "probability", ``max p``; "entropy", ``1 - H(p) / log c``; or "variance" of the c probabilities, as a share
            of its largest value, ``(c sum p^2 - 1) / (c - 1)``.

    >>> p = torch.tensor([[0.5, 0.5], [1.0, 0.0]])
    >>> [confidence(p, how).tolist() for how in ("probability", "entropy", "variance")]
    [[0.5, 1.0], [0.0, 1.0], [0.0, 1.0]]
    """
    classes = p.shape[-1]
    if how == "probability":
        return p.amax(-1)
    if how == "entropy":
        found: Weight = 1 + torch.special.xlogy(p, p).sum(-1) / math.log(classes)
        return found
    return (classes * p.square().sum(-1) - 1) / (classes - 1)
