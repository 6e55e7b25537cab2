"""Stage I and the game after weak labels; clean labels only choose the stopping point and give the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from tutelage.data import Loader
from tutelage.fit.contender import precision, slug
from tutelage.fit.held_out import FoldPredictions
from tutelage.fit.problem import Problem
from tutelage.fit.setup import Setup, StoredPart
from tutelage.methods import Method, Supervised
from tutelage.train import Run, predict, train
from tutelage.train.run import restored

HALVES = ("first_half", "second_half")
"""Names of the scores on two halves of the clean labels: the point chosen on one is scored on the other."""


@dataclass(frozen=True)
class WatchedTraining:
    """A training that was watched on clean labels, which it does not learn.

    Attributes:
        network: the student at the point of its history that is best on the clean labels; at the end without any.
        history: see `train`, with "held_out", the score on the clean labels.
        predictions: of each half of the clean labels, by the student at the point that is best on the other half, so
            that the choice of the point does not flatter the score.
    """

    network: nn.Module
    history: list[dict[str, float]]
    predictions: FoldPredictions


def train_watched(name: str, setup: Setup, method: Method, start: nn.Module, loader: Loader) -> WatchedTraining:
    """Train from ``start`` on what the loader draws, and score the student on the clean labels at each point.

    Args:
        name: of the part in the store and in what is told of progress.
        start: network to begin from.
    """
    p, training, labels = setup.problem, setup.training, len(setup.problem.labelled)
    halves = dict(zip(HALVES, split(p), strict=True)) if labels > 1 else {}
    numbers = ("held_out", *halves) if labels else ()

    def watch(run: Run) -> dict[str, float]:
        seen = precision(run.memory, p.truth) if method.uses_pool and p.truth is not None else {}
        if not labels:
            return seen
        guess = predict(run.network(), p.task, p.labelled).argmax(1).cpu().numpy()
        right = p.task.right(guess, p.y, p.labelled.counts())
        return seen | {"held_out": float(right.mean())} | {k: float(right[i].mean()) for k, i in halves.items()}

    def compute(path: Path | None) -> StoredPart:
        run = train(
            method, p.task, start.to(p.device), loader, training, path=path, watch=watch,
            tick=lambda done: setup.tick(name, done, training.steps), best=numbers,
        )  # fmt: skip
        kept = run.best or {"held_out": run.seats["student"].module.state_dict()}
        history = [{k: v for k, v in point.items() if k not in HALVES} for point in run.history]
        return {f"{k}.{n}": t for k, state in kept.items() for n, t in state.items()}, history

    tensors, history = setup.store.once(slug(name), compute)
    network = p.network(training.seed).to(p.device)

    def at(point: str) -> nn.Module:
        state = {n.removeprefix(f"{point}."): t for n, t in tensors.items() if n.startswith(f"{point}.")}
        return restored(method, network, p.task, state)

    predictions = []
    for half, other in zip(HALVES, reversed(HALVES), strict=True) if halves else ():
        logits = predict(at(other), p.task, p.labelled.subset(halves[half]))
        said = {name: t.cpu().numpy() for name, t in p.task.predictions(logits).items()}
        predictions.append((p.labelled.units(halves[half]), said))
    return WatchedTraining(at("held_out"), history, predictions)


def stage_one(setup: Setup, method: Method) -> WatchedTraining:
    """Learn the weak labels, by `Supervised`; by the method itself where the method learns from labels alone."""
    setup = setup.trained(seed=setup.training.seed * 1000)
    seed, problem = setup.training.seed, setup.problem
    learner = Supervised() if method.uses_pool else method
    return train_watched("stage I: weak labels", setup, learner, problem.network(seed), problem.stage_one(seed))


def game(setup: Setup, method: Method, start: nn.Module) -> WatchedTraining:
    """Play the method's game on the pool, beginning with the stage I network ``start``."""
    setup = setup.trained(seed=setup.training.seed * 1000)
    return train_watched("candidate", setup, method, start, setup.problem.game(method.anchored, setup.training.seed))


def split(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the labelled examples in two halves, with equal shares of the classes where an example has one."""
    single = bool((problem.labelled.counts() == 1).all())
    order = problem.y.argsort(kind="stable") if single else np.arange(len(problem.labelled))
    return np.sort(order[::2]), np.sort(order[1::2])
