"""Distillation: the student learns what a teacher that was brought said of the pool, and the labels beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import torch
from torch import Tensor

from tutelage.data import Loader
from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels, require_own_units
from tutelage.methods.fields import NonNegative, Positive
from tutelage.ops.checks import Range
from tutelage.ops.losses import cross_entropy, jensen_shannon, kl, mean, reverse_kl
from tutelage.tasks import Task
from tutelage.types import Batch, Logits, LogProbs, Params, Terms, Weight

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
class Distil(Method):
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
    needs_teacher: ClassVar[bool] = True
    labeller: ClassVar[str] = "the teacher that was brought"
    still: ClassVar[tuple[str, ...]] = ("temperature", "most")
    divergence: Divergence = "ce"
    temperature: Positive = 1.0
    most: Annotated[int, Range(0, whole=True)] = 0
    weight: NonNegative = 1.0

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def table(self, loader: Loader) -> Tensor:
        """Probabilities of the pool's units by the teacher, (units, c); rows of NaN where it is silent.

        Raises:
            ValueError: no teacher was brought.
        """
        if loader.said is None:
            raise ValueError(no_teacher(self.name))
        return loader.said

    def remembers(self, loader: Loader, task: Task) -> Params:
        said = self.table(loader)
        speaks = ~said.isnan().any(-1)
        answers = said.clamp(min=torch.finfo(said.dtype).tiny).log() / self.temperature
        counts = speaks.to(said.dtype) * (surest(said, self.most) if self.most else 1)
        even = torch.full_like(said, 1 / task.classes)
        return {"said": torch.where(speaks[:, None], answers.softmax(-1), even), "counts": counts}

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        student, pool = play["student"], batch.unlabelled
        said, counts = memory.kept["said"][pool.index], memory.kept["counts"][pool.index]
        confidence, label = said.max(-1)
        log_said = said.clamp(min=torch.finfo(said.dtype).tiny).log()
        apart = DIVERGENCES[self.divergence](log_said, task.units(student(pool["weak"])))
        return Terms(
            {"supervised": on_labels(student, batch, task), "pool": self.weight * mean(apart, counts)},
            {"label": label, "confidence": confidence, "weight": counts},
        )


def no_teacher(method: str) -> str:
    """Message for a method that learns from a teacher where none was brought."""
    return (
        f"{method} learns what a teacher said, but none was brought: describe the classes, or name columns of its "
        "answers, a run that labels the rows, or rules"
    )


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
