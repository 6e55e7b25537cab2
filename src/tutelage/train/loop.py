"""The only training loop."""

from __future__ import annotations

import copy
import math
import time
import warnings
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from tutelage.comm import Comm
from tutelage.data import Loader
from tutelage.game import Move, Player
from tutelage.memory import Memory
from tutelage.methods import Method
from tutelage.methods.base import labels_kept
from tutelage.methods.kept import equipped
from tutelage.tasks import Task
from tutelage.train.options import Networks, Training
from tutelage.train.rounds import between_rounds
from tutelage.train.run import Run
from tutelage.types import Params


def train(
    method: Method, task: Task, network: Networks, loader: Loader, training: Training, *,
    comm: Comm | None = None, path: Path | None = None, tick: Callable[[int], None] | None = None,
    watch: Callable[[Run], dict[str, float]] | None = None, best: Sequence[str] = (),
) -> Run:  # fmt: skip
    """Play the method's game for ``training.steps`` steps and return the run.

    Args:
        method: where it leaves fields open, it is settled here as beside labels.
        network: the network that every player starts from, left as it is; or a function that makes it from a seed.
        comm: the other processes that train together; None for one process.
        path: checkpoint file; the training goes on from it where it exists.
        tick: called with the number of steps done.
        watch: gives more numbers for each point of history.
        best: names of numbers of history; ``Run.best`` keeps the student at the (first) highest point of each.

    Raises:
        ValueError: the method cannot learn this task.
    """
    method = method.settled(task)
    game = Game(method, task, network, loader.reserving(method.reserve), training, comm)
    with torch.random.fork_rng():
        torch.manual_seed(training.seed)
        run, saved = game.begin(path), time.monotonic()
        if path is not None and path.exists():
            run.load(path)
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
                run.history.append(_record(run, move) | (watch(run) if watch else {}))
                _warn_of_no_anticipation(run.history)
                for name in best:
                    _keep_best(run, name)
            if tick:
                tick(run.step)
            if path is not None and time.monotonic() - saved >= training.checkpoint_every:
                run.save(path)
                saved = time.monotonic()
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

    def begin(self, path: Path | None = None) -> Run:
        """Seat the players at their first weights; a large memory lies beside the checkpoint ``path``."""
        method, rule, device, seats = self.method, self.method.rule, self.loader.target.device, dict[str, Player]()
        for seat, who in enumerate((*rule.movers, *rule.followers)):
            seed = self.training.seed + seat * method.reseeds * (who in rule.movers)
            seats[who] = Player(self.start(seed).to(device).train(who in rule.movers))
        optimisers = {who: _optimiser(seats[who], self.training) for who in rule.movers}
        memory = Memory.of_pool(self.loader.pool_units, device, rule.movers, labels_kept(method), path)
        memory.kept = {n: t.to(device) for n, t in method.remembers(self.loader, self.task).items()}
        return Run(method, rule, seats, optimisers, memory)

    def start(self, seed: int) -> nn.Module:
        """A network to start from, with what the method brings."""
        network = copy.deepcopy(self.network) if isinstance(self.network, nn.Module) else self.network(seed)
        bare = type(self.method).brings is Method.brings
        return network if bare else equipped(self.method, network, self.task, seed)

    def step(self, run: Run, progress: float) -> Move:
        """One step: draw a batch, move, descend, observe."""
        method, memory = self.method.at(progress), run.memory
        rule = run.rule if method is self.method else method.rule
        batch = self.loader.batch(run.step, progress, method.uses_pool)
        move = rule.move(lambda who, play: method.loss(who, batch, play, self.task, memory), run.seats, run.step)
        for who, grads in move.grads.items():
            mean = self.comm.mean(grads) if self.comm else grads
            _descend(run.seats[who], run.optimisers[who], mean, self.training.clip, progress)
        method.observe(batch, move.terms, memory, self.task)
        return move

    def next_round(self, run: Run, at: int, progress: float, path: Path | None) -> None:
        """Begin round ``at``: label and judge by the last round's networks; start afresh where the method does."""
        between_rounds(self.method.at(progress), self.task, run, self.loader, at, path)
        for seat, who in enumerate(run.rule.movers if self.method.restarts else (), start=at * len(run.rule.movers)):
            seed = self.training.seed + seat * self.method.reseeds
            run.seats[who].module.load_state_dict(self.start(seed).state_dict())
            run.optimisers[who] = _optimiser(run.seats[who], self.training)


def _optimiser(player: Player, training: Training) -> torch.optim.Optimizer:
    groups: dict[float, list[torch.Tensor]] = {}
    for name, p in player.params.items():
        scales = [f for prefix, f in training.lr_scale.items() if name.removeprefix("body.").startswith(prefix)]
        scales = scales or [max(training.lr_scale.values(), default=1.0)] * name.startswith("brought.")
        groups.setdefault(training.lr * (scales[0] if scales else 1), []).append(p)
    options = [{"params": ps, "lr": lr, "peak": lr} for lr, ps in groups.items()]
    if training.optimiser == "sgd":
        return torch.optim.SGD(options, momentum=0.9, weight_decay=training.weight_decay)
    return torch.optim.AdamW(options, weight_decay=training.weight_decay)


def _descend(player: Player, optimiser: torch.optim.Optimizer, grads: Params, clip: float, progress: float) -> None:
    for name, p in player.params.items():
        p.grad = grads[name]
    torch.nn.utils.clip_grad_norm_(player.params.values(), clip)
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * (1 + math.cos(math.pi * progress)) / 2
    optimiser.step()


def _record(run: Run, move: Move) -> dict[str, float]:
    """A point of history."""
    seen = {"step": float(run.step), "round": float(run.memory.round)}
    seen |= {f"loss.{n}": float(t.detach()) for n, t in move.terms.terms.items()}
    if (run.memory.label >= 0).any():
        seen["coverage"] = int(run.memory.weight.count_nonzero()) / len(run.memory.weight)
        seen["weight"] = float(run.memory.weight.mean())
    return seen | move.norms()


def _keep_best(run: Run, name: str) -> None:
    if run.history[-1][name] > max((h[name] for h in run.history[:-1]), default=-1):
        run.best[name] = {n: t.detach().clone() for n, t in run.seats["student"].module.state_dict().items()}


def _warn_of_no_anticipation(history: list[dict[str, float]]) -> None:
    """A stale or detached teacher, or hard labels, silently turn DRIFT into Mean Teacher: say so, once."""
    zeros = [h.get("anticipating") == 0 for h in history]
    if zeros[-1] and sum(zeros) == 1:
        warnings.warn("the anticipating term is exactly zero: the leader ignores its follower", stacklevel=3)
