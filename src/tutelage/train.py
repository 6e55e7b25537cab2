"""The only training loop."""

from __future__ import annotations

import copy
import statistics
import time
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from tutelage import files as checkpoint
from tutelage.comm import Comm, Solo
from tutelage.data import Examples, Loader
from tutelage.data.examples import cut
from tutelage.game import Move, Player
from tutelage.memory import Memory
from tutelage.methods import Method
from tutelage.methods.base import labels_kept
from tutelage.ops.checks import in_range, one_of
from tutelage.ops.schedules import cosine_decay
from tutelage.tasks import Task
from tutelage.types import Logits, Params

Networks = nn.Module | Callable[[int], nn.Module]
"""A network to start from, or what makes one from a seed."""

UNITS_IN_MEMORY = 2**22
"""Stored labels of a larger pool lie in memory-mapped files; methods that need none between rounds then store none."""

UNITS_A_BATCH = 16384
"""Padded tokens (or rows of features) that a network predicts at once."""


@dataclass(frozen=True)
class Training:
    """How long and how fast.

    Args:
        steps: optimiser steps in all, shared by a method's rounds; at least 1.
        lr: peak learning rate, above 0; it falls to 0 along half a cosine, in each round where that begins afresh.
        lr_scale: factors on it by the beginning of a parameter's name.
        weight_decay: decoupled, at least 0.
        optimiser: "adamw" or "sgd" (momentum 0.9).
        clip: largest norm of a player's gradient.
        seed: of weights kept random by the network, of dropout and of the batches.
        records: how many points of history to keep.
        checkpoint_every: seconds between checkpoints.
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

    def __post_init__(self) -> None:
        in_range("steps", self.steps, 1)
        in_range("seed", self.seed, 0)
        in_range("lr", self.lr, 0, low_open=True)
        in_range("weight_decay", self.weight_decay, 0)
        one_of("optimiser", self.optimiser, ("adamw", "sgd"))
        in_range("clip", self.clip, 0, low_open=True)


@dataclass
class Run:
    """A training run: players, their optimisers, what they remember, and how far it is.

    ``best`` is the student's state at the best point of history by each number that was asked for.
    """

    seats: dict[str, Player]
    optimisers: dict[str, torch.optim.Optimizer]
    memory: Memory
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Params] = field(default_factory=dict)

    def tensors(self) -> Params:
        """Everything a resumed run needs, by name."""
        state = {f"memory.{n}": t for n, t in self.memory.tensors().items()}
        state["rng.cpu"] = torch.get_rng_state()
        if torch.cuda.is_available():
            state |= {f"rng.cuda.{i}": s for i, s in enumerate(torch.cuda.get_rng_state_all())}
        for who, player in self.seats.items():
            state |= {f"player.{who}.{n}": t for n, t in player.module.state_dict().items()}
        for who, optimiser in self.optimisers.items():
            for i, slots in optimiser.state_dict()["state"].items():
                state |= {f"optimiser.{who}.{i}.{k}": torch.as_tensor(v) for k, v in slots.items()}
        return state | {f"best.{k}.{n}": t for k, kept in self.best.items() for n, t in kept.items()}

    def save(self, path: Path) -> None:
        meta = {"step": self.step, "round": self.memory.round, "history": self.history}
        checkpoint.write_tensors(path, self.tensors(), meta)

    def load(self, path: Path) -> None:
        """Fill this run, freshly made for the same method, network and data, from a checkpoint."""
        tensors, meta = checkpoint.read_tensors(path)
        self.step, self.memory.round, self.history = meta["step"], meta["round"], meta["history"]
        for name, own in self.memory.tensors().items():
            own.copy_(tensors[f"memory.{name}"])
        for who, player in self.seats.items():
            player.module.load_state_dict(_below(f"player.{who}.", tensors))
        for who, optimiser in self.optimisers.items():
            state: dict[int, dict[str, Any]] = {}
            for key, value in _below(f"optimiser.{who}.", tensors).items():
                i, slot = key.split(".", 1)
                state.setdefault(int(i), {})[slot] = value
            optimiser.load_state_dict(optimiser.state_dict() | {"state": state})
        names = {key.split(".", 1)[0] for key in _below("best.", tensors)}
        self.best = {k: _below(f"best.{k}.", tensors) for k in names}
        torch.set_rng_state(tensors["rng.cpu"])
        for i, state_i in _below("rng.cuda.", tensors).items():
            torch.cuda.set_rng_state(state_i, int(i))


def train(
    method: Method, task: Task, network: Networks, loader: Loader, training: Training, *,
    comm: Comm | None = None, path: Path | None = None, tick: Callable[[int], None] | None = None,
    watch: Callable[[Run], dict[str, float]] | None = None, best: Sequence[str] = (),
) -> Run:  # fmt: skip
    """Play the method's game for ``training.steps`` steps and return the run.

    Args:
        network: where every player starts, left as it is; or what makes it from a seed.
        path: checkpoint file, resumed from when it exists.
        watch: asked for extra numbers at each point of history.
        tick: told the number of steps done so far.
        best: numbers of history whose highest points, the earliest of equals, are kept in ``Run.best``.
    """
    comm, tick = comm or Solo(), tick or (lambda done: None)
    with torch.random.fork_rng():
        torch.manual_seed(training.seed)
        run = _begin(method, task, network, loader, training, path)
        if path is not None and path.exists():
            run.load(path)
        saved = time.monotonic()
        starts = method.starts(training.steps)
        every = max(training.steps // training.records, 1)
        while run.step < training.steps:
            at = bisect_right(starts, run.step) - 1
            if run.step == starts[at] > 0:
                _new_round(method, task, run, network, loader, training, at, path)
            begin, end = starts[at : at + 2] if method.restarts else (0, training.steps)
            progress = (run.step - begin) / (end - begin)
            move = _play(method, task, run, loader, training, comm, progress)
            run.step += 1
            if run.step % every == 0 or run.step == training.steps:
                run.history.append(_record(run, move) | (watch(run) if watch else {}))
                _warn_of_no_anticipation(run.history)
                _keep_best(run, best)
            tick(run.step)
            if path is not None and time.monotonic() - saved >= training.checkpoint_every:
                run.save(path)
                saved = time.monotonic()
    return run


def _play(
    method: Method, task: Task, run: Run, loader: Loader, training: Training, comm: Comm, progress: float
) -> Move:
    """One step: draw, move, descend, observe."""
    batch = loader.batch(run.step, progress, method.uses_pool)

    move = method.rule.move(lambda who, play: method.loss(who, batch, play, task, run.memory), run.seats, run.step)
    for who, grads in move.grads.items():
        _descend(run.seats[who], run.optimisers[who], comm.mean(grads), training, progress)
    method.observe(batch, move.terms, run.memory, task)
    return move


def time_a_step(method: Method, task: Task, network: Networks, loader: Loader, training: Training) -> float:
    """Seconds of one step in the last round: the median of three, after one that does not count."""
    seconds = []
    with torch.random.fork_rng():
        run = _begin(method, task, network, loader, training)
        run.memory.round = method.training_rounds - 1
        for stored in run.memory.of.values():
            stored.label.zero_()
        for _ in range(4):
            start = time.perf_counter()
            _play(method, task, run, loader, training, Solo(), 0.5)
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def _begin(
    method: Method, task: Task, network: Networks, loader: Loader, training: Training, path: Path | None = None
) -> Run:
    rule, seats = method.rule, {}
    for seat, who in enumerate((*rule.movers, *rule.followers)):
        seed = training.seed + seat * method.reseeds * (who in rule.movers)
        start = copy.deepcopy(network) if isinstance(network, nn.Module) else network(seed)
        seats[who] = Player(start.to(loader.target.device).train(who in rule.movers))
    optimisers = {who: _optimiser(seats[who], training) for who in rule.movers}
    size = int(loader.unlabelled.counts().sum())
    memory = Memory(size if size <= UNITS_IN_MEMORY else 0, loader.target.device, rule.movers)
    kept = method.remembers(loader, task)
    memory.kept = {n: t.to(loader.target.device) for n, t in kept.items()}
    if size > UNITS_IN_MEMORY and labels_kept(method):
        memory.keep_in_files(size, path)
    return Run(seats, optimisers, memory)


def _optimiser(player: Player, training: Training) -> torch.optim.Optimizer:
    groups: dict[float, list[torch.Tensor]] = {}
    for name, p in player.params.items():
        scales = [f for prefix, f in training.lr_scale.items() if name.startswith(prefix)]
        groups.setdefault(training.lr * (scales[0] if scales else 1), []).append(p)
    options = [{"params": ps, "lr": lr, "peak": lr} for lr, ps in groups.items()]
    if training.optimiser == "sgd":
        return torch.optim.SGD(options, momentum=0.9, weight_decay=training.weight_decay)
    return torch.optim.AdamW(options, weight_decay=training.weight_decay)


def _descend(
    player: Player, optimiser: torch.optim.Optimizer, grads: Params, training: Training, progress: float
) -> None:
    for name, p in player.params.items():
        p.grad = grads[name]
    torch.nn.utils.clip_grad_norm_(player.params.values(), training.clip)
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * cosine_decay(progress)
    optimiser.step()


def _new_round(
    method: Method, task: Task, run: Run, network: Networks, loader: Loader, training: Training, at: int,
    path: Path | None,
) -> None:  # fmt: skip
    """Movers label the pool and judge the labels, before one moves; followers take the first mover's place."""
    if run.memory.mapped and path is not None:
        run.save(path)  # files that are written from here on are those of no older checkpoint
    run.memory.round = at
    if labels_kept(method):
        for who, stored in run.memory.of.items():
            for units, logits in predictions(run.seats[who].module, task, loader.unlabelled):
                confidence, label = logits.softmax(-1).max(-1)
                stored.write(units, label, confidence, torch.ones_like(confidence))
        method.keep(run.memory)
    for who in method.rule.movers:
        said = predictions(run.seats[who].module, task, loader.labelled)
        method.judge(who, said, loader.target, run.memory, task)
    for who in method.rule.followers:
        run.seats[who].module.load_state_dict(run.seats[method.rule.movers[0]].module.state_dict())
    if not method.restarts:
        return
    for seat, who in enumerate(method.rule.movers, start=at * len(method.rule.movers)):
        seed = training.seed + seat * method.reseeds
        start = network if isinstance(network, nn.Module) else network(seed)
        run.seats[who].module.load_state_dict(start.state_dict())
    run.optimisers = {who: _optimiser(run.seats[who], training) for who in method.rule.movers}


def _record(run: Run, move: Move) -> dict[str, float]:
    seen = {"step": float(run.step), "round": float(run.memory.round)}
    seen |= {f"loss.{n}": float(t.detach()) for n, t in move.terms.terms.items()}
    if (run.memory.label >= 0).any():
        seen["coverage"] = int(run.memory.weight.count_nonzero()) / len(run.memory.weight)
        seen["weight"] = float(run.memory.weight.mean())
    if move.direct is not None:
        (total,) = move.grads.values()
        through = torch._foreach_sub([total[n] for n in move.direct], list(move.direct.values()))
        seen |= {"anticipating": _norm(through), "direct": _norm(list(move.direct.values()))}
    return seen


def _keep_best(run: Run, names: Sequence[str]) -> None:
    for name in names:
        if run.history[-1][name] > max((h[name] for h in run.history[:-1]), default=-1):
            state = run.seats["student"].module.state_dict()
            run.best[name] = {n: t.detach().clone() for n, t in state.items()}


def _norm(tensors: Iterable[torch.Tensor]) -> float:
    return float(torch.nn.utils.get_total_norm(tensors))


def _warn_of_no_anticipation(history: list[dict[str, float]]) -> None:
    """A stale or detached teacher, or hard labels, silently turn DRIFT into Mean Teacher: say so, once."""
    zeros = [h.get("anticipating") == 0 for h in history]
    if zeros[-1] and sum(zeros) == 1:
        warnings.warn("the anticipating term is exactly zero: the leader ignores its follower", stacklevel=3)


def _below(prefix: str, tensors: Params) -> Params:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def predictions(network: nn.Module, task: Task, examples: Examples) -> Iterator[tuple[torch.Tensor, Logits]]:
    """Numbers of units and their logits, (n,) and (n, c), a batch at a time: dropout off, a length together."""
    was_training = network.training
    network.eval()
    player, lengths = Player(network), examples.lengths()
    order = lengths.argsort(kind="stable")
    for part in cut(lengths[order], UNITS_A_BATCH):
        with torch.inference_mode():
            logits = task.units(player(examples.take(order[part])))
        yield torch.as_tensor(examples.units(order[part]), device=logits.device), logits
    network.train(was_training)


def predict(network: nn.Module, task: Task, examples: Examples) -> Logits:
    """Logits of all examples' units, (units, c), dropout off."""
    parts = list(predictions(network, task, examples))
    if not parts:
        return torch.empty(0, task.classes)
    with torch.inference_mode():
        units, logits = (torch.cat(t) for t in zip(*parts, strict=True))
        return logits[units.argsort()]
