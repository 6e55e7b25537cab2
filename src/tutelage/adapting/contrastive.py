"""Texts of one class are pulled together, texts of two classes are pushed apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method
from tutelage.tasks import Task
from tutelage.types import Batch, Labels, Scalar, Terms


def pairs(features: Tensor, label: Labels) -> tuple[Scalar, Scalar]:
    """Losses of all pairs of units: of those of one class, and of those of two classes.

        P = mean over pairs i < j with y_i = y_j of (1 - cos(z_i, z_j))^2
        N = mean over pairs i < j with y_i != y_j of cos(z_i, z_j)^2

    Either is 0 where there is no such pair.

    Args:
        features: features z of n units, (n, d).
        label: class numbers y of the units, (n,); units whose class is -1, unknown, are in no pair.

    Returns:
        The losses P in [0, 4] and N in [0, 1].

    >>> [loss.item() for loss in pairs(torch.eye(2).repeat(2, 1), torch.tensor([0, 1, 1, 1]))]
    [0.6666666865348816, 0.3333333432674408]
    """
    z, y = torch.nn.functional.normalize(features[label >= 0], dim=1), label[label >= 0]
    cos = z @ z.T
    above = torch.ones_like(cos, dtype=torch.bool).triu(1)
    same = (y[:, None] == y) & above
    other = above & ~same
    together = ((1 - cos).square() * same).sum() / same.sum().clamp(min=1)
    apart = (cos.square() * other).sum() / other.sum().clamp(min=1)
    return together, apart


@dataclass(frozen=True)
class Contrastive(Method):
    """The encoder learns that units of one class are alike and that units of two classes are not.

    L = P / 2 + N / 2, see `pairs`, over all pairs of the batch's labelled units

    This is the expectation of SetFit's cosine loss, which draws as many pairs of one class as of two. One pass of n
    texts gives n (n - 1) / 2 pairs. The network gives the units' features, not logits, so this method makes no
    classifier and is none of `METHODS`.

    Source: Tunstall et al., SetFit, 2022, section 3.

    >>> Contrastive().rule.movers
    ('student',)
    """

    name: ClassVar[str] = "contrastive"
    uses_pool: ClassVar[bool] = False

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        together, apart = pairs(play["student"](batch.labelled["weak"]), batch.target)
        return Terms({"together": together / 2, "apart": apart / 2})
