"""What every method is: a frozen dataclass whose fields are its hyper-parameters, and one loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from tutelage.data import Examples, Loader
from tutelage.game import Player, Rule
from tutelage.memory import Memory, Stored
from tutelage.ops.losses import cross_entropy, mean
from tutelage.tasks import Segmentation, Task
from tutelage.types import Batch, Inputs, Labels, Logits, Params, Scalar, Terms, Tick, Views, Weight

Says = Iterable[tuple[Labels, Logits]]


@dataclass(frozen=True)
class Method(ABC):
    """A teacher-student method. Its loss is pure: it never steps, writes or logs.

    Attributes:
        name: what the command line calls it.
        uses_pool: the loss reads ``batch.unlabelled``.
        anchored: after weak labels were learnt it goes on learning them beside the pool, since nothing else keeps its
            loss from being least where all rows get one class; False where a slow teacher does, who knows them.
        views: of the pool that the loss reads: "weak" (as it is), "again" (the same drawn anew), "strong" (disturbed).
        restarts: each round begins with a fresh network, optimiser and schedule of the learning rate.
        reseeds: each mover, and each network that begins afresh, has initial weights of its own.
    """

    name: ClassVar[str] = ""
    uses_pool: ClassVar[bool] = True
    anchored: ClassVar[bool] = True
    views: ClassVar[tuple[str, ...]] = ("weak",)
    reseeds: ClassVar[bool] = False

    @property
    @abstractmethod
    def rule(self) -> Rule:
        """Who moves, and which gradient flows."""

    @property
    def restarts(self) -> bool:
        return True

    @property
    def training_rounds(self) -> int:
        """How many rounds share the steps; between two, the followers take the mover's place."""
        return 1

    def starts(self, steps: int) -> list[int]:
        """The step at which each round begins, and the last one's end."""
        each = -(-steps // self.training_rounds)
        return [i * each for i in range(self.training_rounds + 1)]

    @abstractmethod
    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        """What player ``who`` minimises on this batch."""

    def settled(self, task: Task, weak: bool) -> Method:
        """The same method with what it leaves open, its fields that are None, set for this task.

        ``weak``: it plays after weak labels were learnt.
        """
        return self

    def keep(self, memory: Memory) -> None:
        """Between rounds, after every mover has labelled the pool: say by their weights which labels count."""

    def ready(self, pool: Examples, tick: Tick) -> None:
        """Before a fit: compute, once for all its trainings, what depends on the pool alone."""

    def remembers(self, loader: Loader, task: Task) -> Params:
        """What ``memory.kept`` holds at first, by name, in a training on what the loader draws from."""
        return {}

    def judge(self, who: str, said: Says, target: Tensor, memory: Memory, task: Task) -> None:
        """Between rounds: look at what mover ``who`` says of the labelled units, and write it into ``memory.kept``.

        ``said``: numbers of units and their logits, a batch at a time, made when asked for;
        ``target``: of all units, as in `Batch`.
        """

    def observe(self, batch: Batch, terms: Terms, memory: Memory, task: Task) -> None:
        """After a step: remember the pseudo-labels that the loss has seen. Only here is state written."""
        if "label" in terms.seen and len(memory.label):
            pool, seen = batch.unlabelled, [terms.seen[k] for k in ("label", "confidence", "weight")]
            memory.write(*(to_original(seen, pool, task) if pool.geometry else (pool.index, *seen)))


def again(pool: Views) -> Inputs:
    """The weak view drawn anew; itself where it is always the same, as of features: then dropout alone differs."""
    return pool.at.get("again", pool["weak"])


def on_labels(player: Player, batch: Batch, task: Task) -> Scalar:
    """``L_sup = (1/|B_l|) sum_l CE(y, f(x))``: 0 in a batch without labels, unknown ones weigh nothing."""
    y, known = task.target(batch.target)
    if not len(batch.labelled):
        return torch.zeros((), dtype=y.dtype, device=y.device)
    return mean(cross_entropy(y, task.units(player(batch.labelled["weak"]))), known)


def half_first(steps: int, rounds: int) -> list[int]:
    """Where rounds begin of which the first, on the labels alone, takes half of the steps: poor labels teach badly.

    >>> half_first(12, 4)
    [0, 6, 8, 10, 12]
    """
    first = -(-steps // 2)
    return [0, *(first + i * (steps - first) // (rounds - 1) for i in range(rounds))]


def require_own_units(method: Method, task: Task) -> None:
    """Raise ValueError for pixels: another view of an image shows others, so nothing can be remembered of each."""
    if isinstance(task, Segmentation):
        raise ValueError(f"{method.name} remembers each unit from step to step: it cannot learn pixels")


def labels_kept(method: Method) -> bool:
    """Whether the pool is labelled and stored between rounds."""
    return method.training_rounds > 1 and type(method).keep is not Method.keep


def recall(stored: Stored, pool: Views, task: Task) -> tuple[Labels, Weight, Weight]:
    """Stored labels of a batch's units as its weak view shows them, their confidence and weight."""
    i = pool.index.to(stored.label.device)  # of a large pool they lie in files, not on a GPU
    label, confidence, weight = (t[i].to(pool.index.device) for t in (stored.label, stored.confidence, stored.weight))
    label = label.long()
    if "weak" not in pool.geometry:
        return label, confidence, weight
    values = torch.stack([label.to(weight.dtype), confidence, weight], dim=1)
    moved, inside = task.carry(values, pool["weak"], None, pool.geometry["weak"])
    return moved[:, 0].long(), moved[:, 1], moved[:, 2] * inside


def to_original(seen: list[Tensor], pool: Views, task: Task) -> list[Tensor]:
    """The numbers of a batch's units that its weak view shows, and their labels, confidence and weight."""
    values = torch.stack([t.to(seen[1].dtype) for t in seen], dim=1)
    moved, inside = task.carry(values, pool["weak"], pool.geometry["weak"], None)
    return [t[inside > 0] for t in (pool.index, moved[:, 0].long(), moved[:, 1], moved[:, 2])]


def to_strong(values: Tensor, pool: Views, task: Task) -> tuple[Tensor, Weight]:
    """Values of the weak view's units as the strong view shows them, and 1 where it shows them."""
    return between(values, pool, task, "weak", "strong")


def between(values: Tensor, pool: Views, task: Task, source: str, to: str) -> tuple[Tensor, Weight]:
    """Values of one view's units as another shows them, and 1 where it shows them; a view that is not made moves none.

    >>> from tutelage.tasks import Classification
    >>> between(torch.ones(2, 3), Views({}, torch.arange(2)), Classification(3), "weak", "again")[1]
    tensor([1., 1.])
    """
    if not {source, to} <= pool.geometry.keys():
        return values, values.new_ones(len(values))
    return task.carry(values, pool["weak"], pool.geometry[source], pool.geometry[to])
