"""Distillation: the student learns what a teacher that was brought said of the pool, and the labels beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.fields import Positive
from tutelage.methods.from_teacher import FromTeacher, logs, spoken
from tutelage.ops.checks import Range
from tutelage.ops.losses import cross_entropy, jensen_shannon, kl, reverse_kl
from tutelage.tasks import Task
from tutelage.types import Logits, LogProbs, Params, Probs, Views, Weight

DIVERGENCES: dict[str, Callable[[LogProbs, Logits], Weight]] = {
    "ce": lambda log_target, logits: cross_entropy(log_target.exp(), logits),
    "kl": kl,
    "reverse_kl": reverse_kl,
    "js": jensen_shannon,
}
"""Losses by name: each takes log-probabilities of the teacher and logits of the student, (n, c), and gives (n,)."""

Divergence = Literal["ce", "kl", "reverse_kl", "js"]
"""Name of a divergence."""


@dataclass(frozen=True)
class Distil(FromTeacher):
    """The student learns what a teacher that was brought said of the pool, and the labels beside it.

    L = L_sup(S) + weight * (1/|B_u|) sum_u w_u D(t_u, p(x_u; S)),  t_u = softmax(log said_u / temperature)

    w_u = 0 where the teacher is silent, else 1. The teacher is a table of probabilities: columns that were brought,
    classes described in words, rules, or another run.

    Source: Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015, for cross-entropy with a
    temperature; here the temperature is the teacher's alone.

    Args:
        divergence: divergence D: cross-entropy, "ce"; KL(t || p), "kl"; KL(p || t), "reverse_kl"; or the Jensen-Shannon
            divergence, "js". "ce" and "kl" have the same gradient.
        temperature: temperature of the teacher's answers, above 0; a smaller one makes them surer.
        most: number of units a class that are learnt, those whose answer the teacher is surest of; 0 takes all.
        weight: factor on the pool's loss, at least 0.

    >>> Distil(divergence="js").rule.movers
    ('student',)
    """

    name: ClassVar[str] = "distil"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("temperature", "most")
    divergence: Divergence = "ce"
    temperature: Positive = 1.0
    most: Annotated[int, Range(0, whole=True)] = 0

    def remembers(self, loader: Loader, task: Task) -> Params:
        told = self.table(loader)
        said, counts = spoken(told, self.temperature)
        return {"said": said, "counts": counts * (surest(told, self.most) if self.most else 1)}

    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        return DIVERGENCES[self.divergence](logs(said), task.units(student(pool["weak"])))


def surest(said: Tensor, most: int) -> Tensor:
    """1 for the units of each predicted class that are surest, at most ``most`` a class, else 0, (units,).

    Args:
        said: probabilities, (units, c); rows of NaN are never among them.
        most: number of units a class, at least 1.

    >>> surest(torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]), 1).tolist()
    [1.0, 0.0, 1.0]
    """
    confidence, label = said.nan_to_num(-1.0).max(-1)
    kept = torch.zeros_like(confidence)
    for c in range(said.shape[1]):
        of_class = torch.nonzero((label == c) & (confidence >= 0)).flatten()
        kept[of_class[confidence[of_class].argsort(descending=True, stable=True)[:most]]] = 1.0
    return kept
