"""What every method is: a frozen dataclass whose fields are its hyper-parameters, and one loss."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from tutelage.data import Examples, Loader
from tutelage.game import Ema, Player, Rule
from tutelage.memory import Memory
from tutelage.methods.fields import Open, Ramp
from tutelage.methods.views import to_original
from tutelage.ops.checks import checks_of
from tutelage.tasks import Task
from tutelage.types import Batch, Labels, Logits, Params, Scalar, Terms, Tick

Blocks = Iterable[tuple[Labels, Logits, Tensor]]
"""Units a block at a time: their numbers, (n,), their logits, (n, c), and the last layer's inputs, (n, d)."""


@dataclass(frozen=True)
class Method(ABC):
    """A teacher-student method. Its loss is pure: it never steps, writes or logs.

    Attributes:
        name: the method's name on the command line and in the catalogue; by default that of its class.
        uses_pool: whether the loss reads ``batch.unlabelled``.
        anchored: whether, after weak labels were learnt, they stay in the loss beside the pool. Without them most
            losses are least where all rows get one class; a slow teacher that knows them prevents that, too (False).
        needs_labels: whether the method needs clean labels also where a teacher was brought, as graphs do.
        needs_teacher: whether the method learns from a teacher that was brought, and cannot do without.
        spares_tested: whether units of the pool that are copies of items to score on, where these are known, are left
            out: the teacher is silent on them.
        views: the pool's views that the loss reads: "weak" (hardly disturbed), "again" (a second draw of the weak one),
            "strong" (disturbed).
        reseeds: whether each mover, and each network that begins afresh, has initial weights of its own.
        stackable: whether trainings that differ in seed, labels and weights can be done together as one batch of
            networks (`torch.func.vmap` of the loss). A class says it of itself: its subclasses must say it again.
        parted: whether the loss is a sum of means over the labelled and over the pool's units, so that a batch can be
            gone through in parts. A class says it of itself, as ``stackable``; see `couples`.
        of_labels: names of the terms that are means over the labelled units, as the others are over the pool's.
        represents: whether `survey` reads the last layer's inputs. A class says of itself that it does not.
        still: names of the numbers that are read before training, or only where a round begins: these cannot be ramps.
        labeller: who gives the pseudo-labels that are remembered, in words; empty: `labeller_of` says it by the rule.
        version: number of the code's version, raised by hand when a change alters results, so that recorded results no
            longer count. A class declares its own; that of `Method` is raised when the code of all methods changes.
    """

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    uses_pool: ClassVar[bool] = True
    anchored: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = False
    needs_teacher: ClassVar[bool] = False
    spares_tested: ClassVar[bool] = False
    views: ClassVar[tuple[str, ...]] = ("weak",)
    reseeds: ClassVar[bool] = False
    stackable: ClassVar[bool] = False
    parted: ClassVar[bool] = False
    of_labels: ClassVar[tuple[str, ...]] = ("supervised",)
    represents: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ()
    labeller: ClassVar[str] = ""

    def __init_subclass__(cls, **more: Any) -> None:
        """Name a class that names itself not, by its class: ``MyMethod`` is "my_method"; see `stackable`."""
        super().__init_subclass__(**more)
        cls.stackable = vars(cls).get("stackable", False)
        cls.parted = vars(cls).get("parted", False)
        cls.represents = vars(cls).get("represents", True)
        if "name" not in vars(cls):
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    def __post_init__(self) -> None:
        checks = checks_of(type(self))
        for f in fields(self):
            value = getattr(self, f.name)
            if value is None and isinstance(f.default, Open):
                object.__setattr__(self, f.name, f.default)  # None, as an open field is shown, leaves it open
            elif isinstance(value, Ramp) and (f.name in self.still or f.name not in checks):
                raise TypeError(f"{f.name} is no number that is read while {self.name} trains: it cannot be a ramp")
            elif f.name in checks:
                for end in (value.begin_value, value.end_value) if isinstance(value, Ramp) else (value,):
                    checks[f.name](f.name, end)

    @property
    @abstractmethod
    def rule(self) -> Rule:
        """Who moves, and which gradient flows."""

    @property
    def named_classes(self) -> tuple[str, ...]:
        """Names of classes that the method's fields name: the data must have them."""
        return ()

    @property
    def restarts(self) -> bool:
        """Whether each round begins with a fresh network, optimiser and schedule of the learning rate."""
        return True

    @property
    def reserve(self) -> float:
        """Share of the labels that are held back as ``batch.reserved``, for losses that look ahead, in [0, 1)."""
        return 0.0

    @property
    def couples(self) -> str:
        """What couples the units of a batch in the loss, in words; empty where it can be gone through in parts."""
        return "" if self.parted else "its loss is no sum of means over the units of a batch"

    @property
    def teaching(self) -> tuple[str, ...]:
        """Names of the movers whose remembered pseudo-labels are learnt by somebody."""
        return self.rule.movers

    @property
    def training_rounds(self) -> int:
        """Number of rounds that share the steps; between two of them the followers become copies of the mover."""
        return 1

    def starts(self, steps: int) -> list[int]:
        """The step at which each round begins, and last the step at which the last one ends."""
        each = -(-steps // self.training_rounds)
        return [i * each for i in range(self.training_rounds + 1)]

    @abstractmethod
    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        """What player ``who`` minimises on this batch."""

    def settled(self, task: Task, weak: bool = False) -> Self:
        """The same method with the fields that are left open set for this task.

        Args:
            weak: whether the method is trained after weak labels were learnt.

        Raises:
            ValueError: the method cannot learn this task, or not after weak labels.
        """
        return self.filled({})

    def filled(self, values: Mapping[str, Any]) -> Self:
        """The same method with no field left open: an open field gets its value from ``values``, or its usual one."""
        found = {n: values.get(n, v.usual) for n, v in vars(self).items() if isinstance(v, Open)}
        return replace(self, **found) if found else self

    def at(self, progress: float) -> Self:
        """The method when this share of training is done, in [0, 1]: numbers in place of ramps; itself without any."""
        now = {name: value.at(progress) for name, value in vars(self).items() if isinstance(value, Ramp)}
        return replace(self, **now) if now else self

    def keep(self, memory: Memory) -> None:
        """Between rounds, after every mover has labelled the pool: set the weights of the stored labels."""

    def ready(self, pool: Examples, tick: Tick) -> None:
        """Before a fit: compute once, for all its trainings, the things that depend on the pool alone."""

    def brings(self, width: int, task: Task) -> nn.ModuleDict:
        """Modules by name that each player gets beside the network, as heads; `Player.aside` gives their outputs.

        They are trained, averaged and kept in checkpoints with the network.

        Args:
            width: number of features of a unit before the network's last layer: each module gets these, (units, width).
        """
        return nn.ModuleDict()

    def furnishes(self, brought: nn.ModuleDict, loader: Loader, task: Task) -> None:
        """Before training, and where a round begins afresh: set what the brought modules hold that is not learnt.

        Args:
            brought: the modules that `brings` gave.
            loader: loader of the training's examples.
        """

    def answer(self, logits: Logits, beside: Mapping[str, Tensor]) -> Logits:
        """Logits of the network that is kept, (units, c). By default the network's own: then no brought module is kept.

        Args:
            logits: the network's own logits, (units, c).
            beside: the brought modules' outputs, by name, each (units, ...).
        """
        return logits

    def remembers(self, loader: Loader, task: Task) -> Params:
        """Initial tensors of ``memory.kept``, by name, for a training on this loader's examples."""
        return {}

    def survey(self, who: str, said: Blocks, memory: Memory, task: Task) -> None:
        """Between rounds, before `keep`: read mover ``who``'s predictions on the pool.

        What it finds it writes to ``memory.kept``, or to ``memory.between``, which lasts until the round begins.

        Args:
            said: all units of the pool, block by block, in the same pass that stores their labels; in a network that
                ends in no linear layer the last layer's inputs have no columns.
        """

    @property
    def surveys(self) -> bool:
        """Whether `survey` is to be shown the pool between rounds; by default where a class defines one."""
        return type(self).survey is not Method.survey

    @property
    def dropout_passes(self) -> int:
        """Number of passes over the pool with dropout on, after `survey`, of which each is shown to `doubt`."""
        return 0

    def doubt(self, who: str, said: Blocks, memory: Memory, task: Task) -> None:
        """Between rounds, after `survey`: read one pass of mover ``who`` over the pool with dropout on.

        Args:
            said: all units of the pool, as in `survey`, without the last layer's inputs; no label is stored.
        """

    def judge(self, who: str, said: Blocks, target: Tensor, memory: Memory, task: Task) -> None:
        """Between rounds, before `keep`: read mover ``who``'s predictions on the labelled units.

        What it finds it writes to ``memory.kept``, or to ``memory.between`` for `keep`.

        Args:
            said: all labelled units, as in `survey`; a block is computed when it is asked for.
            target: labels of all these units, as in `Batch`.
        """

    def observe(self, batch: Batch, terms: Terms, memory: Memory, task: Task) -> None:
        """After a step: write to the memory, by default the pseudo-labels that the loss has seen."""
        if "label" in terms.seen and len(memory.label):
            pool, seen = batch.unlabelled, [terms.seen[k] for k in ("label", "confidence", "weight")]
            memory.write(*(to_original(seen, pool, task) if pool.geometry else (pool.index, *seen)))


def on_labels(player: Player, batch: Batch, task: Task) -> Scalar:
    """``L_sup``, the task's loss on the labels; 0 in a batch without labels."""
    if not len(batch.labelled):
        return torch.zeros((), device=batch.target.device)
    return task.fit(player(batch.labelled["weak"]), batch.target)


def half_first(steps: int, rounds: int) -> list[int]:
    """Steps at which rounds begin if the first, on the labels alone, takes half of all steps.

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


def labeller_of(method: Method, who: str, turn: int) -> str:
    """Who gave the pseudo-labels that are remembered of a mover in a round, in words.

    Args:
        method: settled method.
        who: name of the mover, see `Memory.of`.
        turn: number of the round in which they are learnt, from 0.

    >>> from tutelage.methods import Drift, FixMatch, SelfTraining
    >>> labeller_of(Drift(), "student", 0), labeller_of(FixMatch(), "student", 0)
    ('the moving average of the student', 'the student itself, at that step')
    >>> labeller_of(SelfTraining(), "student", 2)
    'the student of round 2'
    """
    if method.labeller:
        return method.labeller
    if labels_kept(method) and turn:
        return f"the {who} of round {turn}"
    if isinstance(getattr(method.rule, "response", None), Ema):
        return f"the moving average of the {who}"
    return f"the {who} itself, at that step"
