"""A cohort: trainings of one method that differ in seed, labels and weights, done together as one batch of networks."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap

from tutelage.data import Features, Loader
from tutelage.data.loader import batches
from tutelage.files import BadFileError, set_aside
from tutelage.files.tensors import read_tensors, write_tensors
from tutelage.game import Loss, Move, Player, Seats
from tutelage.memory import NAMES, UNITS_IN_MEMORY, Memory, Stored
from tutelage.methods import Method
from tutelage.ops.draws import of_members
from tutelage.ops.layers import for_cohort
from tutelage.ops.said import warn
from tutelage.tasks import Task
from tutelage.train.loop import Game, Networks, Told, Training, Watch, descend, optimiser_of, play
from tutelage.train.run import Run
from tutelage.types import Batch, Params, Scalar, Terms, Views

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
    """

    network: Networks
    loader: Loader
    seed: int
    watch: Watch | None = None


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
    sizes, target = loader.reserving(method.reserve).sizes, loader.target
    return tensors, sizes, pool, tuple(target.shape[1:]), target.dtype


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


@dataclass
class Runs:
    """Several runs that are at the same step, and the stacks of which their tensors are views.

    Attributes:
        runs: a run for each member.
        seats: players whose parameters are stacks, (k, ...), by name.
        memory: stacks of what is remembered, (k, ...), by the names of `Memory.tensors`.
        generators: source of random numbers of each member.
        optimisers: optimisers of the stacks, by the mover's name.
        step: number of steps that are done.
    """

    runs: list[Run]
    seats: dict[str, Player]
    memory: Params
    generators: list[torch.Generator]
    optimisers: dict[str, torch.optim.Optimizer]
    step: int = 0

    @property
    def memories(self) -> list[Memory]:
        """What each run remembers, whose tensors are views of the stacks."""
        return [run.memory for run in self.runs]

    def tensors(self) -> Params:
        """All tensors that a resumed cohort needs, by name."""
        state = {f"memory.{n}": t for n, t in self.memory.items()}
        state |= {f"rng.{k}": g.get_state() for k, g in enumerate(self.generators)}
        for who, player in self.seats.items():
            state |= {f"player.{who}.{n}": t for n, t in player.params.items()}
        for who, optimiser in self.optimisers.items():
            for i, slots in optimiser.state_dict()["state"].items():
                state |= {f"optimiser.{who}.{i}.{k}": torch.as_tensor(v) for k, v in slots.items()}
        return state

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        first = self.runs[0]
        meta = {"step": self.step, "round": first.memory.round, "histories": [run.history for run in self.runs]}
        write_tensors(path, self.tensors(), meta)

    @torch.no_grad()
    def load(self, path: Path) -> None:
        """Fill these runs from a checkpoint; they must be freshly made for the same cohort.

        Raises:
            BadFileError: it is damaged, of another cohort, or written by a newer version.
        """
        tensors, meta = read_tensors(path)
        if set(tensors) < set(self.tensors()) or len(meta["histories"]) != len(self.runs):
            raise BadFileError(f"{path}: a checkpoint of other trainings")
        self.step = meta["step"]
        for run, history, k in zip(self.runs, meta["histories"], range(len(self.runs)), strict=True):
            run.step, run.memory.round, run.history = meta["step"], meta["round"], history
            self.generators[k].set_state(tensors[f"rng.{k}"])
        for name, stack in self.memory.items():
            stack.copy_(tensors[f"memory.{name}"])
        for who, player in self.seats.items():
            player.install({n: tensors[f"player.{who}.{n}"] for n in player.params})
        for who, optimiser in self.optimisers.items():
            state: dict[int, dict[str, Any]] = {}
            for key, value in tensors.items():
                if key.startswith(f"optimiser.{who}."):
                    i, slot = key.removeprefix(f"optimiser.{who}.").split(".", 1)
                    state.setdefault(int(i), {})[slot] = value
            optimiser.load_state_dict(optimiser.state_dict() | {"state": state})


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

    def __post_init__(self) -> None:
        for m in self.members:
            alone = replace(self.training, seed=m.seed)
            loader = m.loader.reserving(self.method.reserve)
            self.games.append(Game(self.method, self.task, m.network, loader, alone, watch=m.watch))

    @cached_property
    def loaders(self) -> list[Loader]:
        """Loaders of the members."""
        return [game.loader for game in self.games]

    def begin(self, path: Path | None = None) -> Runs:
        """Seat the players of all members at their first weights; each member's tensors are views of the stacks."""
        runs = [game.begin() for game in self.games]
        seats = {who: _stacked_player([run.seats[who] for run in runs]) for who in runs[0].seats}
        kept = [run.memory.tensors() for run in runs]
        memory = {name: _stack([of[name] for of in kept]) for name in kept[0]}
        for k, run in enumerate(runs):
            views = {n: t[k][: len(kept[k][n])] if t.ndim > 1 else t[k] for n, t in memory.items()}
            run.memory = run.memory.holding(views)
        generators = [torch.Generator().manual_seed(m.seed) for m in self.members]
        return Runs(runs, seats, memory, generators, self._optimisers(seats))

    def resumed(self, run: Runs, path: Path) -> Runs:
        """The runs of a checkpoint; where that is damaged it is set aside, and the runs begin anew."""
        try:
            run.load(path)
        except BadFileError as e:
            says = f"{e}. It is set aside as {set_aside(path).name}, and these trainings begin anew"
            warn(says, stacklevel=3, page="damaged")
            return self.begin(path)
        return run

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
        batch = batches(self.loaders, run.step, progress, method.uses_pool)
        with of_members(run.generators):
            move = rule.move(self._loss(method, batch, run), run.seats, run.step)
        clip = partial(clip_each, most=self.training.clip)
        for who, grads in move.grads.items():
            for name, p in run.seats[who].params.items():
                if grads[name].stride() != p.stride():  # the fused optimiser takes both as they lie in memory
                    grads[name] = torch.empty_like(p).copy_(grads[name])
            descend(run.seats[who], run.optimisers[who], grads, clip, progress)
        for k, one in enumerate(run.runs):
            one.step = run.step + 1
            if type(method).observe is not Method.observe:
                mine = _with(batch, {n: t[k] for n, t in _tensors(batch).items()})
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
            direct = None if move.direct is None else {n: g[k] for n, g in move.direct.items()}
            grads = {who: {n: g[k] for n, g in found.items()} for who, found in move.grads.items()}
            game.note(one, Move(grads, _of(move.terms, k), direct))

    def _optimisers(self, seats: Seats) -> dict[str, torch.optim.Optimizer]:
        movers = self.method.rule.movers
        return {who: optimiser_of(seats[who], self.training, fused=True) for who in movers}

    def _loss(self, method: Method, batch: Batch, run: Runs) -> Loss:
        """The losses of all members, (k,) for each term."""
        data, memory, task = _tensors(batch), run.runs[0].memory, self.task

        def loss(who: str, seats: Seats) -> Terms:
            seen: dict[str, Any] = {}

            def one(params: Mapping[str, Params], data: Params, kept: Params) -> tuple[Params, Params]:
                players = {name: seats[name].seat(params[name]) for name in seats}
                terms = method.loss(who, _with(batch, data), players, task, memory.holding(kept))
                return terms.terms, {n: v for n, v in terms.seen.items() if isinstance(v, Tensor)}

            params = {name: dict(player.params) for name, player in seats.items()}
            found, seen = vmap(one)(params, data, run.memory)
            return _OfMembers(found, seen)

        return loss


class _OfMembers(Terms):
    """Terms of all members' losses, (k,) each."""

    @property
    def total(self) -> Scalar:
        """The sum over terms and members, whose gradient in a member's parameters is that of the member's loss."""
        return super().total.sum()


def _stacked_player(players: Sequence[Player]) -> Player:
    """A player of the stacked parameters of several; theirs become views of the stacks."""
    first, stacks = Player(for_cohort(copy.deepcopy(players[0].module))), {}
    for name, p in first.params.items():
        stack = torch.stack([player.params[name].detach() for player in players])
        for player, part in zip(players, stack, strict=True):
            player.params[name].data = part
        stacks[name] = stack.requires_grad_(p.requires_grad)
    return first.seat(stacks)


def _stack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors stacked, (k, ...); of labelled units, of which members have different numbers, filled up with 0."""
    if not tensors[0].ndim:
        return torch.stack(list(tensors))
    return torch.nn.utils.rnn.pad_sequence(list(tensors), batch_first=True)


def clip_each(stacks: Iterable[Tensor], most: float) -> None:
    """Scale the gradients of each member's parameters, in place, so that the norm of all together is at most ``most``.

    Args:
        stacks: stacked parameters with their gradients, (k, ...) each.
        most: largest norm of a member's gradient, above 0.

    >>> stacks = [torch.zeros(2, 1), torch.zeros(2, 1)]
    >>> stacks[0].grad, stacks[1].grad = torch.tensor([[3.0], [0.3]]), torch.tensor([[4.0], [0.4]])
    >>> clip_each(stacks, 1.0)
    >>> [p.grad.mul(10).round().flatten().tolist() for p in stacks]
    [[6.0, 3.0], [8.0, 4.0]]
    """
    grads = [p.grad for p in stacks if p.grad is not None]
    norms = torch.stack([torch.linalg.vector_norm(g.flatten(1), dim=1) for g in grads])
    scale = (most / (torch.linalg.vector_norm(norms, dim=0) + 1e-6)).clamp(max=1)
    for g in grads:
        g.mul_(scale.view(-1, *[1] * (g.ndim - 1)))


def _of(terms: Terms, k: int) -> Terms:
    """The terms of a member."""
    return Terms({n: t[k] for n, t in terms.terms.items()}, {n: t[k] for n, t in terms.seen.items()})


def _tensors(batch: Batch) -> Params:
    """The tensors of a batch by name."""
    found = {"target": batch.target, "reserved_target": batch.reserved_target}
    for part in ("labelled", "unlabelled", "reserved"):
        views: Views = getattr(batch, part)
        at = {f"{part}.at.{n}": t for n, t in views.at.items() if isinstance(t, Tensor)}
        found |= {f"{part}.index": views.index} | at
    return found


def _with(batch: Batch, tensors: Params) -> Batch:
    """The batch with other tensors, by the names of `_tensors`."""
    views = {
        part: replace(
            getattr(batch, part), index=tensors[f"{part}.index"],
            at={n: tensors[f"{part}.at.{n}"] for n in getattr(batch, part).at},
        )
        for part in ("labelled", "unlabelled", "reserved")
    }  # fmt: skip
    return replace(batch, target=tensors["target"], reserved_target=tensors["reserved_target"], **views)
