"""UST: self-training by the uncertainty that dropout shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

import torch
from torch import Tensor

from tutelage.memory import Memory
from tutelage.methods.base import Blocks, require_own_units
from tutelage.methods.fields import NonNegative, PositiveShare
from tutelage.methods.fresh_rounds import FreshRounds, all_of, of_kept
from tutelage.ops.checks import Range
from tutelage.tasks import Task
from tutelage.types import Labels, Probs, Weight

LEAST_VARIANCE = 1e-8
"""Variance that is added to each one, as in the released code, so that its logarithm is finite."""


@dataclass(frozen=True)
class Ust(FreshRounds):
    """Round after round a fresh network learns labels of the pool on which passes with dropout were of one mind.

    p_1 .. p_M are a unit's probabilities in M passes with dropout, and p their mean; y = argmax_j p_j,

        B = H(p) - mean_m H(p_m)  (BALD),   w = alpha log(1 / var_m p_m(y)),

    and of each class as many units are drawn, without replacement, with chances in proportion to max(1 - B, 0): a
    ``share`` of the pool in all. L = L_sup + weight * mean over the drawn units of w CE(y, f(x)).

    Source: Mukherjee and Awadallah, Uncertainty-aware Self-training, NeurIPS 2020. That it is drawn anew from all of
    the pool in each round, and once each, is our reading.

    Args:
        rounds: number of times that the pool is labelled, at least 1.
        weight: factor on the pool's loss, at least 0.
        passes: M, at least 2: the variance of one pass is 0.
        share: share of the pool that is drawn, in (0, 1]; the paper draws 4,096 of 16,384.
        alpha: factor on the logarithm, at least 0.

    >>> Ust().dropout_passes
    10
    """

    name: ClassVar[str] = "ust"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    represents: ClassVar[bool] = False
    still: ClassVar[tuple[str, ...]] = ("share", "alpha")
    passes: Annotated[int, Range(2, whole=True)] = 10
    share: PositiveShare = 0.25
    alpha: NonNegative = 0.1

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    @property
    def dropout_passes(self) -> int:
        return self.passes

    def doubt(self, who: str, said: Blocks, memory: Memory, task: Task) -> None:
        between, p = memory.between, all_of(said, len(memory.label), task)[0].double()
        for name, value in (("sum", p), ("squares", p.square()), ("entropy", entropy(p))):
            between[name] = between[name] + value if name in between else value
        if "draw" not in between:
            between["draw"] = torch.rand(len(p), dtype=torch.float64)

    def keep(self, memory: Memory) -> None:
        total, squares, entropies = (memory.between[n] / self.passes for n in ("sum", "squares", "entropy"))
        label = total.argmax(1)
        of_label = label[:, None]
        variance = (squares.gather(1, of_label) - total.gather(1, of_label).square()).squeeze(1).clamp(min=0)
        chance = (1 - (entropy(total) - entropies)).clamp(min=0)
        drawn = draw_of_each_class(label, chance, self.share, memory.between["draw"].to(chance.device))
        memory.label.copy_(label)
        memory.confidence.copy_(total.max(1).values)
        memory.weight.copy_(of_kept(drawn * by_variance(variance, self.alpha)))


def entropy(p: Probs) -> Weight:
    """Entropy of each row of probabilities, (n,), in nats.

    >>> entropy(torch.tensor([[1.0, 0.0], [0.5, 0.5]])).tolist()
    [-0.0, 0.6931471824645996]
    """
    found: Weight = -torch.special.xlogy(p, p).sum(-1)
    return found


def by_variance(variance: Weight, alpha: float) -> Weight:
    """Weights ``alpha log(1 / (variance + LEAST_VARIANCE))``, (n,); variances of numbers in [0, 1] are at most 1/4.

    >>> by_variance(torch.tensor([0.25, 0.0]), 0.1).mul(1000).round().tolist()
    [139.0, 1842.0]
    """
    return -alpha * (variance + LEAST_VARIANCE).log()


def draw_of_each_class(label: Labels, chance: Weight, share: float, draw: Tensor) -> Weight:
    """1 for units that are drawn, else 0, (n,): of each class as many, in all a share, by their chances.

    Args:
        label: classes of the units, (n,).
        chance: weights of the units in their class, (n,), at least 0; those of weight 0 are drawn last.
        share: share of all units that is drawn, in (0, 1]: less where a class has too few.
        draw: random numbers in [0, 1), (n,).

    Source: Efraimidis and Spirakis, Information Processing Letters 97, 2006: the greatest ``draw ** (1 / chance)``.

    >>> label = torch.tensor([0, 0, 0, 0, 1, 1])
    >>> draw_of_each_class(label, torch.ones(6), 0.67, torch.tensor([0.1, 0.9, 0.5, 0.2, 0.3, 0.8])).tolist()
    [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]
    """
    found, classes = torch.zeros_like(chance), torch.bincount(label).nonzero()[:, 0]
    count = max(round(share * len(label) / max(len(classes), 1)), 1)
    key = draw.log() / chance.clamp(min=torch.finfo(chance.dtype).tiny)
    for c in classes:
        units = (label == c).nonzero()[:, 0]
        found[units[key[units].argsort(descending=True, stable=True)[:count]]] = 1.0
    return found
