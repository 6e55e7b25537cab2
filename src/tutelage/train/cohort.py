"""A cohort: trainings of one method that differ in seed, labels and weights, done together as one batch of networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.func import vmap

from tutelage.data import Features, Loader
from tutelage.data.loader import batches
from tutelage.game import Loss, Move, Seats
from tutelage.memory import NAMES, UNITS_IN_MEMORY, Stored
from tutelage.methods import Method
from tutelage.ops.draws import of_members
from tutelage.ops.stacks import gathered
from tutelage.tasks import Task
from tutelage.train.each import clip_each, optimiser_of_each, share
from tutelage.train.loop import Game, Networks, Told, Training, Watch, descend, game_of, play
from tutelage.train.run import Run
from tutelage.train.runs import Runs
from tutelage.train.stacks import (
    leave_standardising,
    stack,
    stacked_player,
    standardise,
    tensors_of,
    with_tensors,
)
from tutelage.types import Batch, Params, Scalar, Terms

SEEN = ("label", "confidence", "weight")
"""What `Method.observe` remembers of a loss."""

MOST_BYTES = 2**29
"""Bytes that what a cohort remembers of the pool takes, at most; more members are trained in several cohorts."""


@dataclass(frozen=True)
class Member:
    """One of several trainings of a method on a task.

    Attributes:
        network: where it starts, see `train`.
        loader: its examples.
        seed: its seed, in place of the training's.
        watch: gives more numbers for each point of its history.
        weight_decay: its weight decay, at least 0, in place of the training's; None is that.
    """

    network: Networks
    loader: Loader
    seed: int
    watch: Watch | None = None
    weight_decay: float | None = None

    def alone(self, training: Training) -> Training:
        """How it is trained by itself."""
        decay = training.weight_decay if self.weight_decay is None else self.weight_decay
        return replace(training, seed=self.seed, weight_decay=decay)


def train_together(
    method: Method, task: Task, members: Sequence[Member], training: Training, *,
    path: Path | None = None, tick: Told | None = None,
) -> list[Run]:  # fmt: skip
    """Train the members of a cohort as one batch of networks, each as `train` does; the runs, in their order.

    What a member becomes differs by rounding alone from what `train` makes of it, and is the same bits whenever the
    same members are trained together.

    Args:
        members: trainings that can be done together, see `cohorts`.
        path: checkpoint file of the cohort; the trainings go on from it where it exists.
        tick: called with the number of steps done.

    Raises:
        ValueError: the method cannot learn this task, or the members cannot be trained together.
    """
    method = method.settled(task)
    if not training.plain:
        raise ValueError("trainings that are done together go through whole batches in float32, and are not compiled")
    if len(cohorts(method, task, members)) != 1:
        raise ValueError(f"{len(members)} trainings of {method.name} cannot be done together: ask cohorts() which can")
    runs = play(Cohort(method, task, members, training), path, tick).runs
    for run in runs:
        for player in run.seats.values():
            for p in player.params.values():
                p.data = p.data.clone()  # it outlives the cohort
    return runs


def cohorts(method: Method, task: Task, members: Sequence[Member]) -> list[list[int]]:
    """Numbers of the members that can be trained together, a list for each cohort; one that cannot be is alone.

    Members of a cohort have a pool in common, rows of features on a CPU, and networks and batches of the same shapes;
    method and network say that they can be stacked.

    Args:
        method: settled method.
        task: task.
        members: trainings that differ in seed, labels and weights.
    """
    found: dict[Any, list[int]] = {}
    for i, member in enumerate(members):
        found.setdefault(_shape(method, member) or i, []).append(i)
    parts = []
    for part in found.values():
        most = most_members(method, task, members[part[0]].loader.pool_units)
        parts += [part[at : at + most] for at in range(0, len(part), most)]
    return parts


def _shape(method: Method, member: Member) -> Any:
    """What must be alike in a cohort; None where the member cannot be in one."""
    loader = member.loader
    parts = [loader.labelled, loader.unlabelled, *loader.strong]
    if not method.stackable or type(loader) is not Loader or not all(isinstance(p, Features) for p in parts):
        return None
    if loader.target.device.type != "cpu":
        return None
    network = member.network if isinstance(member.network, torch.nn.Module) else member.network(member.seed)
    if not getattr(network, "stackable", False):
        return None
    pool = (id(loader.unlabelled), *map(id, loader.strong))
    tensors = tuple((n, tuple(t.shape), t.dtype) for n, t in network.state_dict().items())
    buffers = tuple((n, t.cpu().numpy().tobytes()) for n, t in network.named_buffers())  # members have them in common
    sizes, target = loader.reserving(method.reserve).sizes, loader.target
    return tensors, buffers, sizes, pool, tuple(target.shape[1:]), target.dtype


def most_members(method: Method, task: Task, units: int) -> int:
    """Number of members of a cohort whose memories of a pool are at most MOST_BYTES, at least 1.

    Args:
        method: settled method.
        task: task.
        units: number of the pool's units; more than are held in memory are remembered by one training at a time.
    """
    if units > UNITS_IN_MEMORY:
        return 1
    return max(MOST_BYTES // max(units * (12 * len(method.rule.movers) + 4 * task.classes), 1), 1)


@dataclass(frozen=True)
class Cohort:
    """Several trainings of a settled method as one batch of networks, whose parameters are stacks, (k, ...).

    The rule is that of one training: it gets the sum of the members' losses, whose gradient in a member's parameters is
    that of the member's own loss. Each member draws from a generator of its own and has its own gradient's norm.
    """

    method: Method
    task: Task
    members: Sequence[Member]
    training: Training
    games: list[Game] = field(init=False, default_factory=list)
    anew: ClassVar[str] = "these trainings begin anew"

    def __post_init__(self) -> None:
        for m in self.members:
            of = game_of(self.method, self.task, m.network, m.loader, m.alone(self.training), watch=m.watch)
            self.games.append(of)

    @cached_property
    def loaders(self) -> list[Loader]:
        """Loaders of the members."""
        return [game.loader for game in self.games]

    def begin(self, path: Path | None = None) -> Runs:
        """Seat the players of all members at their first weights; each member's tensors are views of the stacks."""
        runs = [game.begin() for game in self.games]
        seats = {who: stacked_player([run.seats[who] for run in runs]) for who in runs[0].seats}
        leave_standardising(seats)
        kept = [run.memory.tensors() for run in runs]
        memory = {name: stack([of[name] for of in kept]) for name in kept[0]}
        for k, run in enumerate(runs):
            views = {n: t[k][: len(kept[k][n])] if t.ndim > 1 else t[k] for n, t in memory.items()}
            run.memory = run.memory.holding(views)
        generators = [torch.Generator().manual_seed(m.seed) for m in self.members]
        return Runs(runs, seats, memory, generators, self._optimisers(seats))

    def next_round(self, run: Runs, at: int, progress: float, path: Path | None) -> None:
        """Begin round ``at`` for each member, see `Game.next_round`."""
        for game, one in zip(self.games, run.runs, strict=True):
            game.next_round(one, at, progress, None)
        if self.method.restarts:
            run.optimisers = self._optimisers(run.seats)

    def step(self, run: Runs, progress: float) -> Move:
        """One step of all members: draw their batches, move, descend, observe."""
        method = self.method.at(progress)
        rule = run.runs[0].rule if method is self.method else method.rule
        batch = batches(self.loaders, run.step, progress, method.uses_pool, method.views)
        standardise(batch, run.seats)
        with of_members(run.generators):
            move = rule.move(self._loss(method, batch, run), run.seats, run.step)
        clip = partial(clip_each, most=self.training.clip)
        for who, grads in move.grads.items():
            for name, p in run.seats[who].params.items():
                if grads[name].stride() != p.stride():  # the fused optimiser takes both as they lie in memory
                    grads[name] = torch.empty_like(p).copy_(grads[name])
            share(grads, run.optimisers[who])
            descend(run.seats[who], run.optimisers[who], grads, clip, progress)
        for k, one in enumerate(run.runs):
            one.step = run.step + 1
            if type(method).observe is not Method.observe:
                mine = with_tensors(batch, {n: t[k] for n, t in tensors_of(batch).items()})
                method.observe(mine, _of(move.terms, k), one.memory, self.task)
        if type(method).observe is Method.observe and "label" in move.terms.seen:
            self._remember(batch, move.terms, run)
        return move

    def _remember(self, batch: Batch, terms: Terms, run: Runs) -> None:
        """Write the pseudo-labels of all members, as `Method.observe` does of one, at once."""
        whole, who = Stored(0), next(w for w, stored in run.runs[0].memory.of.items() if stored is run.runs[0].memory)
        for name in NAMES:
            setattr(whole, name, run.memory[f"{who}.{name}"].flatten())
        first = torch.arange(len(run.runs))[:, None] * len(run.runs[0].memory.label)
        whole.write((batch.unlabelled.index + first).flatten(), *(terms.seen[k].flatten() for k in SEEN))

    def note(self, run: Runs, move: Move) -> None:
        """Add a point to the history of each member."""
        for k, (game, one) in enumerate(zip(self.games, run.runs, strict=True)):
            direct, through = (part and {n: g[k] for n, g in part.items()} for part in (move.direct, move.through))
            grads = {who: {n: g[k] for n, g in found.items()} for who, found in move.grads.items()}
            game.note(one, Move(grads, _of(move.terms, k), direct, through, move.scale))

    def _optimisers(self, seats: Seats) -> dict[str, torch.optim.Optimizer]:
        trainings = [m.alone(self.training) for m in self.members]
        return {who: optimiser_of_each(seats[who], trainings) for who in self.method.rule.movers}

    def _loss(self, method: Method, batch: Batch, run: Runs) -> Loss:
        """The losses of all members, (k,) for each term."""
        data, memory, task = tensors_of(batch), run.runs[0].memory, self.task

        def loss(who: str, seats: Seats) -> Terms:
            seen: dict[str, Any] = {}

            def one(params: Mapping[str, Params], data: Params, kept: Params) -> tuple[Params, Params]:
                players = {name: seats[name].seat(params[name]) for name in seats}
                terms = method.loss(who, with_tensors(batch, data), players, task, memory.holding(kept))
                return terms.terms, {n: v for n, v in terms.seen.items() if isinstance(v, Tensor)}

            params = {name: gathered(player.params) for name, player in seats.items()}
            found, seen = vmap(one)(params, data, run.memory)
            return _OfMembers(found, seen)

        return loss


class _OfMembers(Terms):
    """Terms of all members' losses, (k,) each."""

    @property
    def total(self) -> Scalar:
        """The sum over terms and members, whose gradient in a member's parameters is that of the member's loss."""
        return super().total.sum()


def _of(terms: Terms, k: int) -> Terms:
    """The terms of a member."""
    return Terms({n: t[k] for n, t in terms.terms.items()}, {n: t[k] for n, t in terms.seen.items()})
