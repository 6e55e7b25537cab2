"""What all methods have in common that learn from a teacher that was brought."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from tutelage.data import Features, Loader, WordFeatures
from tutelage.data.heard import Heard
from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels, require_own_units
from tutelage.methods.fields import NonNegative
from tutelage.ops.losses import mean
from tutelage.tasks import Task
from tutelage.types import Batch, Logits, LogProbs, Params, Probs, Scalar, Terms, Views, Weight


@dataclass(frozen=True)
class FromTeacher(Method, ABC):
    """The student learns what a teacher that was brought said of the pool, and the labels beside it.

    L = L_sup(S) + weight * (1/|B_u|) sum_u w_u l(x_u, t_u; S),  w_u = 0 where the teacher is silent, else 1

    A method says `apart`, the loss l. `remembers` gives what it learns from: "said", the targets t, (units, c), and
    "counts", the weights w, (units,). A method may keep more there, and learn labels in its own way, `of_labelled`.

    Args:
        weight: factor on the pool's loss, at least 0.
    """

    needs_teacher: ClassVar[bool] = True
    labeller: ClassVar[str] = "the teacher that was brought"
    weight: NonNegative = 1.0

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    @property
    def chooses(self) -> bool:
        """Whether held-out labels are to choose how the method answers, see `chosen`; asked before it is settled."""
        return False

    def chosen(self, logits: Logits, beside: Mapping[str, Tensor], y: np.ndarray) -> Self:
        """The method that answers as held-out units choose, without training again; by default itself.

        Args:
            logits: the network's own logits of units whose labels it has not learnt, (n, c).
            beside: what the brought modules say of them, by name, each (n, ...).
            y: their class numbers, (n,); -1 is unknown.
        """
        return self

    def table(self, loader: Loader) -> Tensor:
        """Probabilities of the pool's units by all teachers together, (units, c); rows of NaN where they are silent.

        Raises:
            ValueError: no teacher was brought.
        """
        if loader.said is None:
            raise ValueError(no_teacher(self.name))
        return loader.said

    def seen(self, loader: Loader) -> tuple[Tensor, Tensor]:
        """What the teacher sees of the pool's units, (units, d), and of the labelled ones, (l, d).

        That is its last representation; where none was brought, the units' own fixed features.

        Raises:
            ValueError: there is neither.
        """
        if loader.heard is not None and loader.heard.features is not None:
            return loader.heard.features()
        pool, labelled = loader.unlabelled, loader.labelled
        if not (isinstance(pool, Features | WordFeatures) and isinstance(labelled, Features | WordFeatures)):
            raise ValueError(
                f"{self.name} needs what the teacher sees of each item: rows of fixed features; leave out finetune, or "
                "give an encoder"
            )
        return pool.rows.flatten(1), labelled.rows.flatten(1)

    def remembers(self, loader: Loader, task: Task) -> Params:
        said, counts = spoken(self.table(loader))
        return {"said": said, "counts": counts}

    def of_labelled(self, student: Player, batch: Batch, task: Task, memory: Memory) -> Scalar:
        """The loss on the labels; 0 in a batch without any."""
        return on_labels(student, batch, task)

    @abstractmethod
    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        """How far the student is from what the teacher said of a batch of the pool, (b,), at weight 1.

        Args:
            student: the student.
            pool: the batch's examples, and the numbers of their units.
            said: the targets of these units, (b, c), as `remembers` keeps them; of silent ones any.
            task: what is answered of each unit.
            memory: what is kept of each unit.
        """

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        student, pool = play["student"], batch.unlabelled
        said, counts = memory.kept["said"][pool.index], memory.kept["counts"][pool.index]
        confidence, label = said.max(-1)
        of_pool = self.weight * mean(self.apart(student, pool, said, task, memory), counts)
        return Terms(
            {"supervised": self.of_labelled(student, batch, task, memory), "pool": of_pool},
            {"label": label, "confidence": confidence, "weight": counts},
        )


def no_teacher(method: str) -> str:
    """Message for a method that learns from a teacher where none was brought."""
    return (
        f"{method} learns what a teacher said, but none was brought: describe the classes, or name columns of its "
        "answers, a run that labels the rows, or rules"
    )


def logs(said: Probs) -> LogProbs:
    """Logarithms of probabilities, (n, c), finite also where these are 0."""
    return said.clamp(min=torch.finfo(said.dtype).tiny).log()


def spoken(said: Tensor, temperature: float = 1.0) -> tuple[Probs, Weight]:
    """Probabilities at a temperature, (units, c), even where the teacher is silent; and 1 where it speaks, else 0.

    Args:
        said: probabilities, (units, c); rows of NaN are silent.
        temperature: temperature of the answers, above 0; a smaller one makes them surer.

    >>> spoken(torch.tensor([[0.9, 0.1], [torch.nan, torch.nan]]))[1].tolist()
    [1.0, 0.0]
    """
    speaks = ~said.isnan().any(-1)
    even = torch.full_like(said, 1 / said.shape[-1])
    return torch.where(speaks[:, None], (logs(said) / temperature).softmax(-1), even), speaks.to(said.dtype)


def heard_of(loader: Loader) -> Heard:
    """What teachers said beyond the table of the pool; nothing where the loader has no more."""
    return Heard() if loader.heard is None else loader.heard
