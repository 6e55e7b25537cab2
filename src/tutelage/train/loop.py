"""The only training loop, and how long and how fast it trains."""

from __future__ import annotations

import copy
import math
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar, runtime_checkable

import torch
from torch import nn

from tutelage.comm import Comm
from tutelage.data import Loader
from tutelage.files import BadFileError, set_aside
from tutelage.game import Called, Loss, Move, Player, Way
from tutelage.memory import Memory
from tutelage.methods import Method
from tutelage.methods.base import labels_kept
from tutelage.ops.checks import in_range, one_of
from tutelage.ops.said import warn
from tutelage.tasks import Task
from tutelage.train.frugal import can_compile, in_parts, require_parted
from tutelage.train.rounds import between_rounds
from tutelage.train.run import Run, equipped
from tutelage.types import Batch, Params

Clip = Callable[[Iterable[torch.Tensor]], object]
"""Function that scales the gradients of parameters, in place, to a norm that is not too large."""

NO_ANTICIPATION = "the anticipating term is exactly zero: the leader ignores its follower"
"""What is said of a leader whose gradient does not flow through its follower."""

NOT_BOTH = "give compile or checkpoint_activations, not both: compiled blocks choose by themselves what they keep"
"""What is said of compiled blocks whose activations are to be computed again."""

Told = Callable[[int], None]
"""Function that is told the number of steps done."""

Watch = Callable[[Run], dict[str, float]]
"""Function that gives more numbers, by name, for a point of a run's history."""


@runtime_checkable
class BeforeRounds(Protocol):
    """A `Watch` that is also shown a run before its pseudo-labels are written anew, at the beginning of a round."""

    def before_round(self, run: Run) -> object:
        """Look at the run, which is as the last round left it."""


LATER = {"later": True}
"""Metadata of a field that a later version added: summaries and fingerprints leave it out while it has its default."""

Networks = nn.Module | Callable[[int], nn.Module]
"""A network to start from, or a function that makes one from a seed."""


@dataclass(frozen=True)
class Training:
    """How long and how fast a network is trained.

    Args:
        steps: optimiser steps in all, shared by a method's rounds; at least 1.
        lr: peak learning rate, above 0. It falls to 0 along half a cosine over all steps, or over each round where the
            rounds begin afresh.
        lr_scale: factors on the learning rate, by the beginning of a parameter's name. Modules that a method brings
            get the largest factor, unless "brought." is named.
        weight_decay: decoupled weight decay, at least 0.
        optimiser: "adamw", or "sgd" with momentum 0.9.
        clip: largest norm of a player's gradient, above 0.
        seed: seed of random weights, of dropout and of the batches, at least 0.
        records: number of points of history.
        checkpoint_every: seconds between two checkpoints.
        amp: precision of the products of matrices and of convolutions in forward passes, "float32" or "bfloat16";
            weights, outputs and losses stay in float32.
        accumulate: number of parts that a batch is gone through in, at least 1: their gradients are averaged as if
            they were one batch, and the activations of one part at a time are held. A method whose loss couples the
            units of a batch is refused; dropout draws other numbers, and batch norm sees one part.
        compile: whether the blocks of the network are compiled, which takes its time in the first steps.
        checkpoint_activations: whether blocks keep their inputs alone for the backward pass, in which the rest is
            computed again.

    Raises:
        ValueError: a value is out of its range, or two of them exclude each other.
    """

    steps: int = 400
    lr: float = 1e-3
    lr_scale: dict[str, float] = field(default_factory=dict)
    weight_decay: float = 1e-2
    optimiser: Literal["adamw", "sgd"] = "adamw"
    clip: float = 1.0
    seed: int = 0
    records: int = 20
    checkpoint_every: float = 30.0
    amp: Literal["float32", "bfloat16"] = field(default="float32", metadata=LATER)
    accumulate: int = field(default=1, metadata=LATER)
    compile: bool = field(default=False, metadata=LATER)
    checkpoint_activations: bool = field(default=False, metadata=LATER)

    def __post_init__(self) -> None:
        in_range("steps", self.steps, 1)
        in_range("seed", self.seed, 0)
        in_range("lr", self.lr, 0, low_open=True)
        in_range("weight_decay", self.weight_decay, 0)
        one_of("optimiser", self.optimiser, ("adamw", "sgd"))
        in_range("clip", self.clip, 0, low_open=True)
        one_of("amp", self.amp, ("float32", "bfloat16"))
        in_range("accumulate", self.accumulate, 1)
        if self.compile and self.checkpoint_activations:
            raise ValueError(NOT_BOTH)

    @property
    def plain(self) -> bool:
        """Whether networks are called as they are, on whole batches."""
        return (self.amp, self.accumulate, self.compile, self.checkpoint_activations) == ("float32", 1, False, False)


class Played(Protocol):
    """All that changes while one network is trained, or several together: it counts its steps and can be saved."""

    step: int

    @property
    def memories(self) -> Sequence[Memory]:
        """What each network's training remembers."""

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""

    def load(self, path: Path) -> None:
        """Fill what has just begun from a checkpoint."""


P = TypeVar("P", bound=Played)


class Plays(Protocol[P]):
    """What `play` asks of the game of one network, or of several."""

    @property
    def method(self) -> Method: ...
    @property
    def training(self) -> Training: ...
    @property
    def anew(self) -> str: ...
    def begin(self, path: Path | None = None) -> P: ...
    def step(self, run: P, progress: float) -> Move: ...
    def note(self, run: P, move: Move) -> None: ...
    def next_round(self, run: P, at: int, progress: float, path: Path | None) -> None: ...


def play(game: Plays[P], path: Path | None, tick: Told | None) -> P:
    """Play a game of a settled method to its end: steps, rounds, points of history and checkpoints, see `train`."""
    method, training = game.method, game.training
    with torch.random.fork_rng():
        torch.manual_seed(training.seed)
        run, saved = game.begin(path), time.monotonic()
        run = _resumed(game, run, path) if path is not None and path.exists() else run
        starts, every = method.starts(training.steps), max(training.steps // training.records, 1)
        while run.step < training.steps:
            at = bisect_right(starts, run.step) - 1
            begin, end = starts[at : at + 2] if method.restarts else (0, training.steps)
            progress = (run.step - begin) / (end - begin)
            if run.step == starts[at] > 0:
                game.next_round(run, at, progress, path)
            move = game.step(run, progress)
            run.step += 1
            if run.step % every == 0 or run.step == training.steps:
                game.note(run, move)
            if tick:
                tick(run.step)
            if path is not None and time.monotonic() - saved >= training.checkpoint_every:
                run.save(path)
                saved = time.monotonic()
    return run


def _resumed(game: Plays[P], run: P, path: Path) -> P:
    """What has just begun, filled from a checkpoint; where that is damaged it is set aside, and it begins anew."""
    try:
        run.load(path)
    except BadFileError as e:
        says = f"{e}. It is set aside as {set_aside(path).name}, and {game.anew}"
        warn(says, stacklevel=4, page="damaged")
        return game.begin(path)
    return run


@dataclass(frozen=True)
class Game:
    """The parts of a training that stay the same over its steps."""

    method: Method
    task: Task
    network: Networks
    loader: Loader
    training: Training
    comm: Comm | None = None
    watch: Watch | None = None
    best: Sequence[str] = ()
    anew: ClassVar[str] = "this training begins anew"

    def begin(self, path: Path | None = None) -> Run:
        """Seat the players at their first weights; a large memory lies beside the checkpoint ``path``."""
        method, rule, device, seats = self.method, self.method.rule, self.loader.target.device, dict[str, Player]()
        for seat, who in enumerate((*rule.movers, *rule.followers)):
            seed = self.training.seed + seat * method.reseeds * (who in rule.movers)
            seats[who] = Player(self.start(seed).to(device).train(who in rule.movers))
        memory = Memory.of_pool(self.loader.pool_units, device, rule.movers, labels_kept(method), path)
        memory.kept = {n: t.to(device) for n, t in method.remembers(self.loader, self.task).items()}
        return Run(method, rule, seats, {who: optimiser_of(seats[who], self.training) for who in rule.movers}, memory)

    def start(self, seed: int) -> nn.Module:
        """A network to start from, with what the method brings."""
        network = copy.deepcopy(self.network) if isinstance(self.network, nn.Module) else self.network(seed)
        bare = type(self.method).brings is Method.brings
        return network if bare else equipped(self.method, network, self.task, seed, self.loader)

    def step(self, run: Run, progress: float) -> Move:
        """One step: draw a batch, move, descend, observe."""
        method = self.method.at(progress)
        rule = run.rule if method is self.method else method.rule
        batch = self.loader.batch(run.step, progress, method.uses_pool)
        move = rule.move(self.loss(method, batch, run), run.seats, run.step)
        clip = partial(torch.nn.utils.clip_grad_norm_, max_norm=self.training.clip)
        for who, grads in move.grads.items():
            descend(run.seats[who], run.optimisers[who], self.comm.mean(grads) if self.comm else grads, clip, progress)
        method.observe(batch, move.terms, run.memory, self.task)
        return move

    def loss(self, method: Method, batch: Batch, run: Run) -> Loss:
        """What each player minimises on a batch."""
        return lambda who, play: method.loss(who, batch, play, self.task, run.memory)

    def note(self, run: Run, move: Move) -> None:
        """Add a point to the history, and keep the student where it is the best so far."""
        seen = {"step": float(run.step), "round": float(run.memory.round)}
        seen |= {f"loss.{n}": float(t.detach()) for n, t in move.terms.terms.items()}
        if (run.memory.label >= 0).any():
            seen["coverage"] = int(run.memory.weight.count_nonzero()) / len(run.memory.weight)
            seen["weight"] = float(run.memory.weight.mean())
        run.history.append(seen | move.norms() | (self.watch(run) if self.watch else {}))
        zeros = [h.get("anticipating") == 0 for h in run.history]
        if zeros[-1] and sum(zeros) == 1:  # a stale or detached teacher, or hard labels, turn DRIFT into Mean Teacher
            warn(NO_ANTICIPATION, stacklevel=3, page="no-anticipation")
        for name in self.best:
            _keep_best(run, name)

    def next_round(self, run: Run, at: int, progress: float, path: Path | None) -> None:
        """Begin round ``at``: label and judge by the last round's networks; start afresh where the method does."""
        if isinstance(self.watch, BeforeRounds):
            self.watch.before_round(run)
        between_rounds(self.method.at(progress), self.task, run, self.loader, at, path)
        for seat, who in enumerate(run.rule.movers if self.method.restarts else (), start=at * len(run.rule.movers)):
            seed = self.training.seed + seat * self.method.reseeds
            run.seats[who].module.load_state_dict(self.start(seed).state_dict())
            run.optimisers[who] = optimiser_of(run.seats[who], self.training)


@dataclass(frozen=True)
class Frugal(Game):
    """A game whose networks are called in some way, on parts of a batch, one after another, see `Training`."""

    def __post_init__(self) -> None:
        require_parted(self.method, self.training.accumulate)

    def begin(self, path: Path | None = None) -> Run:
        """Seat the players, whose networks are called as the training says."""
        run, t = super().begin(path), self.training
        compiled = t.compile and can_compile(self.method, run.rule)
        precision = None if t.amp == "float32" else torch.bfloat16
        for who, player in run.seats.items():
            run.seats[who] = Called(player.module, Way(precision, t.checkpoint_activations, compiled))
        return run

    def loss(self, method: Method, batch: Batch, run: Run) -> Loss:
        """What each player minimises on a batch, part by part."""
        if self.training.accumulate == 1:
            return super().loss(method, batch, run)
        parts = self.loader.parts(batch, run.step, self.training.accumulate)
        return in_parts(method, batch, parts, self.task, run.memory)


def game_of(method: Method, task: Task, network: Networks, loader: Loader, training: Training, **more: Any) -> Game:
    """The game of a settled method, as `train` plays it; ``more`` are other fields of `Game`."""
    make = Game if training.plain else Frugal
    return make(method, task, network, loader.reserving(method.reserve), training, **more)


def train(
    method: Method, task: Task, network: Networks, loader: Loader, training: Training, *,
    path: Path | None = None, tick: Told | None = None, watch: Watch | None = None, best: Sequence[str] = (),
) -> Run:  # fmt: skip
    """Play the method's game for ``training.steps`` steps and return the run.

    Args:
        method: where it leaves fields open, it is settled here as beside labels.
        network: the network that every player starts from, left as it is; or a function that makes it from a seed.
        path: checkpoint file; the training goes on from it where it exists.
        tick: called with the number of steps done.
        watch: gives more numbers for each point of history.
        best: names of numbers of history; ``Run.best`` keeps the student at the (first) highest point of each.

    Raises:
        ValueError: the method cannot learn this task.
    """
    method = method.settled(task)
    make = Game if training.plain else Frugal
    return play(make(method, task, network, loader.reserving(method.reserve), training, None, watch, best), path, tick)


def optimiser_of(player: Player, training: Training, fused: bool = False) -> torch.optim.Optimizer:
    """The optimiser of a player's parameters; ``fused`` computes AdamW in one pass, which rounds otherwise."""
    groups: dict[float, list[torch.Tensor]] = {}
    for name, p in player.params.items():
        scales = [f for prefix, f in training.lr_scale.items() if name.removeprefix("body.").startswith(prefix)]
        scales = scales or [max(training.lr_scale.values(), default=1.0)] * name.startswith("brought.")
        groups.setdefault(training.lr * (scales[0] if scales else 1), []).append(p)
    options = [{"params": ps, "lr": lr, "peak": lr} for lr, ps in groups.items()]
    if training.optimiser == "sgd":
        return torch.optim.SGD(options, momentum=0.9, weight_decay=training.weight_decay)
    return torch.optim.AdamW(options, weight_decay=training.weight_decay, fused=fused or None)


def descend(player: Player, optimiser: torch.optim.Optimizer, grads: Params, clip: Clip, progress: float) -> None:
    """Step a player down its gradient, with the learning rate of this share of the training, in [0, 1]."""
    for name, p in player.params.items():
        p.grad = grads[name]
    clip(player.params.values())
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * (1 + math.cos(math.pi * progress)) / 2
    optimiser.step()


def _keep_best(run: Run, name: str) -> None:
    if run.history[-1][name] > max((h[name] for h in run.history[:-1]), default=-1):
        run.best[name] = {n: t.detach().clone() for n, t in run.seats["student"].module.state_dict().items()}
