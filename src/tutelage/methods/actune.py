"""AcTune: what was said of the pool is averaged over the rounds, and learnt as soft labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from jaxtyping import Float
from torch import Tensor

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.base import Blocks, on_labels, require_own_units
from tutelage.methods.fields import Share
from tutelage.methods.fresh_rounds import FreshRounds, all_of
from tutelage.methods.views import recall
from tutelage.ops.labels import ema
from tutelage.ops.losses import cross_entropy, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Probs, Terms


@dataclass(frozen=True)
class AcTune(FreshRounds):
    """Round after round a fresh network learns soft labels: what all networks before it said of the pool, averaged.

    In round r of R the pool's probabilities are g_r = m_r p_r + (1 - m_r) g_{r-1}, g_1 = p_1, with m_r on the line from
    ``momentum`` to ``last_momentum``; units with max_j g_j > threshold are kept, and

        L = L_sup + weight * (1/|B_u|) sum_kept CE(t, f(x)),   t_j proportional to g_j^2 / f_j,  f_j = sum of g_j.

    This is its training; its questions are asked of regions of unsure rows. The released code sums f over a batch and
    takes the likeliest class of t; that f is summed over the pool, and t learnt as it is, is our reading.

    Source: Yu et al., AcTune, NAACL 2022 (eqs. 7 to 11).

    Args:
        rounds: number of times that the pool is labelled, at least 1.
        weight: factor on the pool's loss, at least 0; the code weighs both terms alike.
        threshold: probability g above which a label is kept, in [0, 1].
        momentum: share of the present network in g in the first round, in [0, 1]; 1 is the last network alone.
        last_momentum: the same as training ends, in [0, 1].

    >>> AcTune(rounds=2).training_rounds
    3
    """

    name: ClassVar[str] = "actune"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    represents: ClassVar[bool] = False
    still: ClassVar[tuple[str, ...]] = ("threshold", "momentum", "last_momentum")
    threshold: Share = 0.6
    momentum: Share = 0.8
    last_momentum: Share = 0.9

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    def remembers(self, loader: Loader, task: Task) -> Params:
        return {"g": torch.zeros(loader.pool_units, task.classes), "frequency": torch.zeros(task.classes)}

    def survey(self, who: str, said: Blocks, memory: Memory, task: Task) -> None:
        g, (p, _) = memory.kept["g"], all_of(said, len(memory.label), task)
        done = (memory.round - 1) / self.rounds
        present = (1 - done) * self.momentum + done * self.last_momentum
        g.copy_(p if memory.round == 1 else ema(g, p.to(g), 1 - present))

    def keep(self, memory: Memory) -> None:
        g = memory.kept["g"]
        memory.kept["frequency"].copy_(g.sum(0))
        confidence, label = g.max(1)
        memory.label.copy_(label)
        memory.confidence.copy_(confidence)
        memory.weight.copy_(confidence > self.threshold)

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        terms, pool = {"supervised": on_labels(play[who], batch, task)}, batch.unlabelled
        if memory.round > 0:
            t = over_frequency(memory.kept["g"][pool.index], memory.kept["frequency"])
            kept = recall(memory, pool, task)[2]
            terms["pool"] = self.weight * mean(cross_entropy(t, task.units(play[who](pool["weak"]))), kept)
        return Terms(terms)


def over_frequency(g: Probs, frequency: Float[Tensor, " c"]) -> Probs:
    """Soft labels in proportion to ``g_j^2 / frequency_j``, (n, c), whose rows sum to 1.

    Args:
        g: probabilities of n units.
        frequency: sum of the probabilities of each class over all units.

    >>> over_frequency(torch.tensor([[0.5, 0.5]]), torch.tensor([3.0, 1.0])).tolist()
    [[0.25, 0.75]]
    """
    t = g.square() / frequency.clamp(min=torch.finfo(g.dtype).tiny)
    found: Probs = t / t.sum(-1, keepdim=True).clamp(min=torch.finfo(g.dtype).tiny)
    return found
