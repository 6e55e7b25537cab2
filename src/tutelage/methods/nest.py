"""NeST: pseudo-labels that agree with the nearest labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from tutelage.data import Loader
from tutelage.graph.neighbours import nearest_among
from tutelage.memory import Memory
from tutelage.methods.base import Blocks, require_own_units
from tutelage.methods.fields import Count, NonNegative, Share
from tutelage.methods.fresh_rounds import FreshRounds, all_of, of_kept, require_rows
from tutelage.methods.pool_teacher import flat
from tutelage.ops.thresholds import above
from tutelage.tasks import Task
from tutelage.types import Params, Probs, Weight


@dataclass(frozen=True)
class Nest(FreshRounds):
    """Round after round a fresh network learns labels of the pool that agree with the nearest given ones.

    y_1 .. y_k are the labels of the labelled units that are nearest to x, by the cosine of the last layer's inputs, and
    m their mean. In round t

        D_t = mean_i KL(y_i || p(x)) + spread * mean_i KL(y_i || m),   mu_t = (1 - momentum) mu_{t-1} + momentum D_t,

    mu_1 = D_1; of the pool the ``factor`` times as many units as there are labels are kept whose mu_t is least, where
    max p >= threshold, too. L = L_sup + weight * (mean over the kept units of CE(argmax p, f(x))).

    Source: Xu et al., Neighborhood-Regularized Self-Training, AAAI 2023. That y_i are the given labels, where the
    released code takes the network's predictions on them, and that each round begins afresh, is our reading.

    Args:
        rounds: number of times that the pool is labelled, at least 1.
        weight: factor on the pool's loss, at least 0.
        neighbours: k, at least 1; all labels where there are fewer.
        spread: factor on how far the neighbours' labels are apart, at least 0.
        momentum: share of the present round in the divergence, in [0, 1]; 1 is the last round alone.
        factor: number of units that are kept, as a multiple of the number of labels, at least 1.
        threshold: least probability of a label that is kept, in [0, 1].

    >>> Nest().training_rounds
    4
    """

    name: ClassVar[str] = "nest"
    needs_labels: ClassVar[bool] = True
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("spread", "momentum", "threshold")
    rounds: Count = 3
    neighbours: Count = 7
    spread: NonNegative = 0.1
    momentum: Share = 0.5
    factor: Count = 10
    threshold: Share = 0.9

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    def remembers(self, loader: Loader, task: Task) -> Params:
        return {"divergence": torch.zeros(loader.pool_units)}

    def survey(self, who: str, said: Blocks, memory: Memory, task: Task) -> None:
        memory.between["p"], memory.between["rows"] = all_of(said, len(memory.label), task)
        require_rows(memory.between["rows"], self.name)

    def judge(self, who: str, said: Blocks, target: Tensor, memory: Memory, task: Task) -> None:
        _, rows = all_of(said, len(target), task)
        y, known = task.target(target)
        there = known > 0
        memory.between |= {"labelled": rows[there], "y": y[there]}

    def keep(self, memory: Memory) -> None:
        p, rows, labelled, y = (memory.between[n] for n in ("p", "rows", "labelled", "y"))
        apart = divergence(p, flat(rows), flat(labelled), y, self.neighbours, self.spread)
        mean = memory.kept["divergence"]
        mean.copy_(apart if memory.round == 1 else (1 - self.momentum) * mean + self.momentum * apart.to(mean))
        least = mean.argsort(stable=True)[: self.factor * len(y)].to(memory.weight.device)
        kept = torch.zeros_like(memory.weight)
        kept[least] = above(memory.confidence[least], self.threshold)
        memory.weight.copy_(of_kept(kept))


def divergence(
    p: Probs, rows: Float[np.ndarray, "n d"], labelled: Float[np.ndarray, "l d"], y: Probs, k: int, spread: float
) -> Weight:
    """``mean_i KL(y_i || p) + spread * mean_i KL(y_i || m)`` over the labels of the k nearest labelled rows, (n,).

    Args:
        p: probabilities of n units.
        rows, labelled: features of these and of the labelled units.
        y: labels of the latter, as rows of probabilities, (l, c).
        k: number of neighbours.
        spread: factor on the second term.

    >>> one_hot, rows = torch.eye(2), np.array([[1.0, 0.1], [0.1, 1.0]])
    >>> divergence(torch.tensor([[0.5, 0.5], [0.0, 1.0]]), rows, np.eye(2), one_hot, 1, 1.0).tolist()
    [0.6931471824645996, 0.0]
    """
    near = torch.as_tensor(nearest_among(rows, labelled, k).index, device=p.device).long()
    around = y[near].to(p)
    own, m = torch.special.xlogy(around, around).sum(-1).mean(1), around.mean(1)
    tiny = torch.finfo(p.dtype).tiny
    from_p, from_m = (-(m * q.clamp(min=tiny).log()).sum(-1) for q in (p, m))
    found: Weight = own + from_p + spread * (own + from_m)
    return found
