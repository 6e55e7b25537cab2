"""What every method is: a frozen dataclass whose fields are its hyper-parameters, and one loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from tutelage.data import Examples, Loader
from tutelage.game import Player, Rule
from tutelage.memory import Memory
from tutelage.methods.fields import Open, Ramp
from tutelage.methods.views import to_original
from tutelage.ops.checks import checks_of
from tutelage.tasks import Task
from tutelage.types import Batch, Labels, Logits, Params, Scalar, Terms, Tick

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
        version: of the code; raised by hand when a change of it alters results, so that recorded ones no longer count.
            A method's own is declared in its class; that of `Method` is of what all methods share.
    """

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    uses_pool: ClassVar[bool] = True
    anchored: ClassVar[bool] = True
    views: ClassVar[tuple[str, ...]] = ("weak",)
    reseeds: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checks = checks_of(type(self))
        for f in fields(self):
            value = getattr(self, f.name)
            if value is None and isinstance(f.default, Open):
                object.__setattr__(self, f.name, f.default)  # None, as an open field is shown, leaves it open
            elif f.name in checks:
                for end in (value.begin_value, value.end_value) if isinstance(value, Ramp) else (value,):
                    checks[f.name](f.name, end)
            elif isinstance(value, Ramp):
                raise TypeError(f"{f.name} is no number: it cannot be a ramp")

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

    def settled(self, task: Task, weak: bool = False) -> Self:
        """The same method with the fields that are left open set for this task.

        Args:
            weak: it plays after weak labels were learnt.

        Raises:
            ValueError: the method cannot learn this task, or not after weak labels.
        """
        return self.filled({})

    def filled(self, values: Mapping[str, Any]) -> Self:
        """The same method with no field left open: those that were get these values, or their usual ones."""
        found = {n: values.get(n, v.usual) for n, v in vars(self).items() if isinstance(v, Open)}
        return replace(self, **found) if found else self

    def at(self, progress: float) -> Self:
        """The method as it is when this share of training is done: numbers in place of ramps; itself without any.

        The loop asks once a step, and hands the answer to the loss, the rule and all that is called between rounds.
        """
        now = {name: value.at(progress) for name, value in vars(self).items() if isinstance(value, Ramp)}
        return replace(self, **now) if now else self

    def keep(self, memory: Memory) -> None:
        """Between rounds, after every mover has labelled the pool: say by their weights which labels count."""

    def ready(self, pool: Examples, tick: Tick) -> None:
        """Before a fit: compute, once for all its trainings, what depends on the pool alone."""

    def brings(self, width: int, task: Task) -> nn.ModuleDict:
        """Modules that every player gets beside the network: heads, projectors; `Player.aside` gives what they say.

        They are trained, averaged and kept in checkpoints with the network.

        Args:
            width: numbers of the network's last representation of a unit, (units, width), which each of them gets.
        """
        return nn.ModuleDict()

    def answer(self, logits: Logits, beside: Mapping[str, Tensor]) -> Logits:
        """What the network that is kept says: by default what the network alone does, and nothing brought is kept.

        Args:
            beside: what the brought modules say, by name.
        """
        return logits

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


def on_labels(player: Player, batch: Batch, task: Task) -> Scalar:
    """``L_sup``, the task's loss on the labels; 0 in a batch without labels."""
    if not len(batch.labelled):
        return torch.zeros((), device=batch.target.device)
    return task.fit(player(batch.labelled["weak"]), batch.target)


def half_first(steps: int, rounds: int) -> list[int]:
    """Where rounds begin of which the first, on the labels alone, takes half of the steps: poor labels teach badly.

    >>> half_first(12, 4)
    [0, 6, 8, 10, 12]
    """
    first = -(-steps // 2)
    return [0, *(first + i * (steps - first) // (rounds - 1) for i in range(rounds))]


def require_own_units(method: Method, task: Task) -> None:
    """Raise ValueError where views move units, as they do pixels: then nothing can be remembered of each."""
    if task.moves:
        raise ValueError(f"{method.name} remembers each unit from step to step: it cannot learn pixels")


def labels_kept(method: Method) -> bool:
    """Whether the pool is labelled and stored between rounds."""
    return method.training_rounds > 1 and type(method).keep is not Method.keep
