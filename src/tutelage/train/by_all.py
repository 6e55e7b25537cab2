"""A training by several processes, which is that of one process, each of them computing a part of every batch.

The first process plays the game as it would alone: it alone has the examples, draws the batches, labels the pool
between rounds, and writes. The others follow it: they get networks, batches and states from it, compute their parts of
each network's outputs (see `game.shared`), average gradients, and step as it does. So what is remembered, counted or
averaged over the batches is the same in each process, whatever the method.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.comm import Comm, joined
from tutelage.data import Examples, Features, Loader
from tutelage.data.drawn_ahead import drawn_ahead
from tutelage.data.examples import WordFeatures
from tutelage.game import Move, Player, Shared, Way
from tutelage.memory import NAMES, Memory
from tutelage.methods import Method
from tutelage.ops import own
from tutelage.tasks import Task
from tutelage.train.loop import Frugal, Networks, Told, Training, Watch, optimiser_of, play, train
from tutelage.train.run import Run
from tutelage.types import Batch, Params

BEGIN, STATE, STEP, NOTE, END = "begin", "state", "step", "note", "end"
"""What the first process tells the others to do."""

UNEQUAL = (
    "was given other data than the first: all must train the same method on the same files, as they are in the first"
)
"""What is said of a process whose own examples differ from those of the first process."""


def train_by_all(
    method: Method, task: Task, network: Networks, loader: Loader, training: Training, comm: Comm | None = None, *,
    path: Path | None = None, tick: Told | None = None, watch: Watch | None = None, best: Sequence[str] = (),
) -> Run:  # fmt: skip
    """Train as `train` does, by all processes; each of them calls this, or `follow`.

    Args:
        comm: the processes. The first one's other arguments count. None are those that have joined where the loader is
            `worth_sharing`, else this one alone.

    Raises:
        ValueError: the training can be done by one process alone, or another process was given other data.
    """
    comm = comm or (joined() if worth_sharing(loader) else None)
    if comm is None:
        with drawn_ahead(loader, training.steps) as ahead:
            return train(method, task, network, ahead, training, path=path, tick=tick, watch=watch, best=best)
    method = method.settled(task)
    require_shareable(training)
    if comm.rank:
        run = follow(comm, _seen(method, task, loader, training))
        if run is None:
            raise RuntimeError("the first process ended its work before this training began")
        return run
    reserving = loader.reserving(method.reserve)
    game = Leader(method, task, network, reserving, training, comm, watch, best)
    with drawn_ahead(reserving, training.steps) as ahead:
        run = play(replace(game, loader=cast(Loader, _Relay(ahead, comm))), path, tick)
    comm.share((END, *_state(run)))
    return run


def follow(comm: Comm, seen: int | None = None) -> Run | None:
    """Follow the first process through one training; the run at its end, or None where it has no more work.

    Args:
        comm: the processes.
        seen: checksum of what this process would train on; None where it has nothing of its own.

    Raises:
        ValueError: the first process has seen other data.
    """
    run: Run | None = None
    game: Frugal | None = None
    move: Move | None = None
    while (order := comm.share()) is not None:
        what, *more = order
        if what == BEGIN:
            game, run = _begun(comm, seen, *more)
        assert run is not None and game is not None
        if what in (STATE, END):
            run.fill(*_here(run, *more))
        elif what == STEP:
            progress, cast(Any, game.loader).now = more
            move = game.step(run, progress)
            run.step += 1
        elif what == NOTE:
            assert move is not None
            _averaged(move, comm)
        if what == END:
            return run
    return None


def worth_sharing(loader: Loader) -> bool:
    """Whether the networks of a training compute enough for several processes: they read more than rows of features."""
    return any(len(e) and not _are_rows(e) for e in (loader.labelled, loader.unlabelled))


def _are_rows(examples: Examples) -> bool:
    return isinstance(examples, (Features, WordFeatures)) and examples.rows.ndim == 2


def require_shareable(training: Any) -> None:
    """Check that a training can be done by several processes.

    Args:
        training: how it is trained, or the options that say so.

    Raises:
        ValueError: it cannot.
    """
    for name in ("compile", "checkpoint_activations"):
        if getattr(training, name):
            raise ValueError(f"{name} is for one device: leave it out, or leave out devices")


@dataclass(frozen=True)
class Leader(Frugal):
    """The game as the first process plays it: it tells the others what it does."""

    fresh: list[bool] = field(default_factory=list)

    def begin(self, path: Path | None = None) -> Run:
        """Seat the players here and in the other processes."""
        run, comm = super().begin(path), self.processes
        modules = {who: player.module for who, player in run.seats.items()}
        comm.share((BEGIN, _code(self.method, modules)))
        seen = _seen(self.method, self.task, self.loader, self.training)
        comm.share((self.method, self.task, self.training, modules, seen))
        _require_equal(comm, True)
        _share_calls(run, comm, self.training)
        self.fresh[:] = [True]
        return run

    @property
    def processes(self) -> Comm:
        """The processes."""
        assert self.comm is not None
        return self.comm

    def step(self, run: Run, progress: float) -> Move:
        """One step, after the others know the state from which it is taken."""
        if self.fresh:
            self._tell(run)
        return super().step(run, progress)  # its batch tells the others

    def note(self, run: Run, move: Move) -> None:
        """Add a point to the history, of gradients on whole batches."""
        self.processes.share((NOTE,))
        super().note(run, _averaged(move, self.processes))

    def next_round(self, run: Run, at: int, progress: float, path: Path | None) -> None:
        """Begin a round; the others get what has become of the players."""
        super().next_round(run, at, progress, path)
        self._tell(run)

    def _tell(self, run: Run) -> None:
        self.fresh.clear()
        self.processes.share((STATE, *_state(run)))


def _begun(comm: Comm, seen: int | None, code: Sequence[dict[str, str]]) -> tuple[Frugal, Run]:
    """The game and the run of a process that follows, as the first process has begun them."""
    for about in code:
        own.imported(about)
    method, task, training, modules, theirs = comm.share()
    _require_equal(comm, seen in (None, theirs))
    seats = {who: Player(module.to(comm.device)) for who, module in modules.items()}
    movers, device = method.rule.movers, comm.device
    run = Run(method, method.rule, seats, {w: optimiser_of(seats[w], training) for w in movers}, Memory(0, device))
    game = Frugal(method, task, nn.Identity(), cast(Loader, _Received(comm)), training, comm)
    _share_calls(run, comm, training)
    return game, run


def _share_calls(run: Run, comm: Comm, training: Training) -> None:
    way = Way(None if training.amp == "float32" else torch.bfloat16)
    for who, player in run.seats.items():
        exact = who in run.rule.followers and getattr(run.rule, "curved", False)
        run.seats[who] = Shared(player.module, way, comm, exact=exact)


def _state(run: Run) -> tuple[Params, dict[str, Any], list[str]]:
    """All that a process must know to go on as the first one: tensors, plain values, and names of labellers."""
    tensors = {n: t for n, t in run.tensors().items() if not n.startswith(("best.", "beside."))}
    if run.memory.mapped:
        tensors |= {f"memory.{who}.{n}": getattr(s, n) for who, s in run.memory.of.items() for n in NAMES}
    return tensors, run.counts(), list(run.memory.of)


def _here(run: Run, tensors: Params, meta: dict[str, Any], labellers: Sequence[str]) -> tuple[Params, dict[str, Any]]:
    """The state of the first process, for whose memory room was made here."""
    device, first = next(run.seats[run.rule.movers[0]].module.parameters()).device, run.rule.movers[0]
    size = len(tensors[f"memory.{first}.label"])
    if (not run.memory.kept and len(run.memory.label) != size) or set(run.memory.of) != set(labellers):
        run.memory = Memory(size, device, [first, *(who for who in labellers if who != first)])
    kept = {n.removeprefix("memory.kept."): t for n, t in tensors.items() if n.startswith("memory.kept.")}
    run.memory.kept = {n: t.to(device).clone() for n, t in kept.items()}
    return tensors, meta


def _averaged(move: Move, comm: Comm) -> Move:
    """The same move with gradients on the whole batch."""
    direct, through = (None if part is None else comm.mean(part) for part in (move.direct, move.through))
    return replace(
        move, grads={who: comm.mean(grads) for who, grads in move.grads.items()}, direct=direct, through=through
    )  # fmt: skip


def _code(method: Method, modules: dict[str, nn.Module]) -> list[dict[str, str]]:
    """Addresses of the user's own code, of the method and of the networks.

    Raises:
        ValueError: some of it cannot be imported by another process.
    """
    kinds = {type(method), *(type(m) for module in modules.values() for m in module.modules())}
    try:
        return [own.described(k) for k in sorted(kinds, key=repr) if own.digest_of(k) or k.__module__ == "__main__"]
    except TypeError as e:
        raise ValueError(f"several processes cannot train together: {e}") from e


def _seen(method: Method, task: Task, loader: Loader, training: Training) -> int:
    """Checksum of a training: of its settings, its labels, and its first batch."""
    loader = loader.reserving(method.reserve)
    crc = zlib.crc32(repr((method, type(task), training, len(loader.labelled), len(loader.unlabelled))).encode())
    batch = loader.batch(0, 0.0, method.uses_pool)
    for t in (loader.target, *_tensors(batch.labelled.at), *_tensors(batch.unlabelled.at)):
        crc = zlib.crc32(np.ascontiguousarray(t.detach().cpu().numpy()).data, crc)
    return crc


def _tensors(views: Any) -> Iterator[Tensor]:
    for inputs in views.values():
        yield from (inputs,) if isinstance(inputs, Tensor) else inputs.values()


def _require_equal(comm: Comm, equal: bool) -> None:
    """Check that every process has seen what the first one has.

    Raises:
        ValueError: one has not, which each process is told.
    """
    other = [str(rank) for rank, flag in enumerate(comm.counts(int(equal))) if not flag]
    if other:
        raise ValueError(f"process {' and '.join(other)} of {comm.size}, counted from 0, {UNEQUAL}")


@dataclass(frozen=True)
class _Relay:
    """A loader whose batches the other processes get, too."""

    loader: Loader
    comm: Comm

    def batch(self, step: int, progress: float, with_pool: bool = True) -> Batch:
        found = self.loader.batch(step, progress, with_pool)
        self.comm.share((STEP, progress, found))
        return found

    def parts(self, whole: Batch, step: int, count: int) -> list[Batch]:
        found: list[Batch] = self.comm.share(self.loader.parts(whole, step, count))
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)


@dataclass
class _Received:
    """The batches of the first process's loader, of which one is there at a time."""

    comm: Comm
    now: Batch | None = None

    def batch(self, step: int, progress: float, with_pool: bool = True) -> Batch:
        assert self.now is not None
        return self.now

    def parts(self, whole: Batch, step: int, count: int) -> list[Batch]:
        found: list[Batch] = self.comm.share()
        return found
