"""FPL, IFPL and GRIP: the same number of pseudo-labels for each class, from the teacher and then from the student."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.base import Blocks
from tutelage.methods.fields import Count
from tutelage.methods.from_teacher import FromTeacher
from tutelage.ops.losses import cross_entropy
from tutelage.tasks import Task
from tutelage.types import Labels, Params, Probs, Views, Weight


@dataclass(frozen=True)
class Grip(FromTeacher):
    """Round after round the student learns the k surest units of each class: the teacher's, then its own.

    L = L_sup(S) + weight * (1/n) sum_kept CE(y_u, f(x_u; S)),  n units kept in all, so that both sets count the same

    Each class has a board of k units. Each unit offers itself to its likeliest class, and where k others are surer, to
    its next one, so that each board has k units as far as the pool has any. The first round takes the teacher's
    probabilities, each later one those of the last student. "fpl" is one round with k units; "ifpl" goes on with k
    units; "grip" begins with a share 1 / rounds of the pool, and takes as much more in each round, until all classes
    have the same share of the whole pool.

    Source: Menghini, Delworth and Bach, Enhancing CLIP with CLIP: Exploring Pseudolabeling for Limited-Label Prompt
    Tuning, NeurIPS 2023. There ten rounds tune prompts that begin each round as the teacher's; five, in which the
    student goes on, were better on three sets of texts in draws that no table uses. A unit that is displaced offers
    itself again, so that the order of the units tells nothing.

    Args:
        weight: factor on the pool's loss, at least 0.
        form: "fpl", "ifpl" or "grip".
        each: k of "fpl" and "ifpl", at least 1; more than the pool has for each class is that.
        rounds: number of rounds of "ifpl" and "grip", at least 1.
        fresh: whether each round begins at random weights; else the student goes on, which a round of few steps needs.

    >>> Grip().training_rounds, Grip(form="fpl").training_rounds
    (5, 1)
    """

    name: ClassVar[str] = "grip"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    labeller: ClassVar[str] = "the teacher that was brought, and then the student of the last round"
    represents: ClassVar[bool] = False
    form: Literal["grip", "ifpl", "fpl"] = "grip"
    each: Count = 16
    rounds: Count = 5
    fresh: bool = False

    @property
    def restarts(self) -> bool:
        return self.fresh

    @property
    def training_rounds(self) -> int:
        return 1 if self.form == "fpl" else self.rounds

    def seats(self, turn: int, units: int, classes: int) -> int:
        """Number of units a class that round ``turn``, from 0, learns of ``units`` units, at least 1."""
        return self.each if self.form != "grip" else max((turn + 1) * units // (self.rounds * classes), 1)

    def remembers(self, loader: Loader, task: Task) -> Params:
        return self.learnt(self.table(loader), 0)

    def learnt(self, said: Tensor, turn: int) -> Params:
        """What a round learns: one-hot labels, "said", (units, c), and their weights, "counts", (units,).

        Args:
            said: probabilities, (units, c); rows of NaN are silent.
            turn: number of the round, from 0.
        """
        speaks = int((~said.isnan().any(-1)).sum())
        label = boards(said, self.seats(turn, speaks, said.shape[1]))
        kept = (label >= 0).to(said.dtype)
        hot = torch.nn.functional.one_hot(label.clamp(min=0), said.shape[1]).to(said.dtype)
        return {"said": hot, "counts": kept * len(kept) / kept.sum().clamp(min=1)}

    @property
    def surveys(self) -> bool:
        return self.training_rounds > 1

    def survey(self, who: str, said: Blocks, memory: Memory, task: Task) -> None:
        p = torch.empty_like(memory.kept["said"])
        for units, logits, _ in said:
            p[units.to(p.device)] = logits.softmax(-1).to(p)
        for name, found in self.learnt(p, memory.round).items():
            memory.kept[name].copy_(found)

    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        return cross_entropy(said, task.units(student(pool["weak"])))


def boards(said: Probs, seats: int) -> Labels:
    """Class on whose board each unit is, (n,); -1 for a unit that is on none.

    Units offer themselves to classes from their likeliest one on, and a class keeps the surest of all that it was
    offered: no unit would rather be on a board that would rather have it (Gale and Shapley, 1962). Of units that are
    equally sure the first one is kept.

    Args:
        said: probabilities, (n, c); rows of NaN are on no board.
        seats: number of units on each board, at least 1.

    >>> boards(torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]), 1).tolist()
    [0, -1, 1]
    """
    n, c = said.shape
    order, speaks = said.nan_to_num(-1.0).argsort(dim=-1, descending=True, stable=True), ~said.isnan().any(-1)
    turn = torch.zeros(n, dtype=torch.int64, device=said.device)  # how many classes have refused a unit
    while True:
        asks = order.gather(1, turn.clamp(max=c - 1)[:, None])[:, 0]
        asks = asks.masked_fill((turn >= c) | ~speaks, -1)
        refused = torch.zeros(n, dtype=torch.bool, device=said.device)
        for k in range(c):
            offers = torch.nonzero(asks == k).flatten()
            if len(offers) > seats:
                refused[offers[said[offers, k].argsort(descending=True, stable=True)[seats:]]] = True
        if not refused.any():
            return asks
        turn += refused
