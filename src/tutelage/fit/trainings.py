"""What trainings cost: the one place that knows how several of them are done, one after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from tutelage.data import Loader
from tutelage.fit.problem import Problem
from tutelage.fit.rehearsal import Rehearsal
from tutelage.methods import Method
from tutelage.methods.base import labels_kept
from tutelage.ops.meter import now
from tutelage.train import Training, predict, time_a_training
from tutelage.train.loop import Game

SAMPLE = 256
"""Examples, at most, whose prediction is timed."""

LOOKS = 3
"""Looks at held-out labels that are timed."""

BYTES_OF_A_UNIT = 12
"""Bytes that a training remembers of a unit of the pool, for each mover."""


@dataclass(frozen=True)
class Cost:
    """What trainings take.

    Attributes:
        seconds: seconds.
        ticks: steps that progress is told of.
        passing: bytes of memory that they fill and give back.
        once: seconds of what is computed once for all of them.
    """

    seconds: float = 0.0
    ticks: float = 0.0
    passing: float = 0.0
    once: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        passing, once = max(self.passing, other.passing), self.once + other.once
        return Cost(self.seconds + other.seconds, self.ticks + other.ticks, passing, once)

    def times(self, count: float) -> Cost:
        """What so many of them take, one after another."""
        return Cost(count * self.seconds, count * self.ticks, self.passing, self.once)


NOTHING = Cost()
"""Cost of no training."""


def on_folds(one: Cost, folds: int) -> Cost:
    """Cost of the trainings on the parts of the labels, of which each is like one on all labels.

    Args:
        one: cost of one training.
        folds: number of the folds.
    """
    return one.times(folds)


def one_training(method: Method, rehearsed: Rehearsal, training: Training, folds: int, repeated: int) -> Cost:
    """Cost of one training, by a few of its steps: what it begins with, its steps, its looks and its labellings.

    Args:
        method: settled method.
        rehearsed: small problem like the real one.
        training: how long and how fast it is trained.
        folds: number of the folds; 0 looks at no held-out label.
        repeated: number of the folds of one repeat, each of which holds out its share of the labels.
    """
    problem = rehearsed.problem
    network = problem.network(0).to(problem.device)
    loader = loader_of(method, problem)
    took = time_a_training(method, problem.task, network, loader, training)
    again = time_of_begin(method, problem, training) if took.begin > 0.02 else took.begin
    points = min(training.records, training.steps)
    looks = points if folds and len(problem.labelled) else 0
    labellings = (method.training_rounds - 1) * len(method.rule.movers) * labels_kept(method)
    pool = _prediction(network, problem, pool=True) * len(problem.pool) * rehearsed.pool if labellings else 0.0
    looking = _look(network, problem, round(len(problem.labelled) / max(repeated, 1))) * looks if looks else 0.0
    looking *= rehearsed.labelled
    grows = rehearsed.pool if method.uses_pool else 1.0
    begin, once = min(again, took.begin) * grows, max(took.begin - again, 0.0) * grows
    units = rehearsed.units[1] * len(method.rule.movers)
    seconds = begin + took.step * training.steps + took.record * points + looking + pool * labellings
    return Cost(seconds, training.steps, BYTES_OF_A_UNIT * units, once)


def loader_of(method: Method, problem: Problem) -> Loader:
    """The loader of a training on all labels; beside a teacher alone that of the game, or of stage I."""
    if problem.weak is None or len(problem.labelled):
        return problem.loader()
    return problem.game(method.anchored) if method.uses_pool else problem.stage_one()


def time_of_begin(method: Method, problem: Problem, training: Training) -> float:
    """Seconds until the first step of a training, where what depends on the pool alone is there already."""
    start = now()
    Game(method, problem.task, problem.network(0).to(problem.device), loader_of(method, problem), training).begin()
    return now() - start


def _look(network: nn.Module, problem: Problem, count: int) -> float:
    """Seconds in which so many labelled examples are predicted and scored."""
    some = problem.labelled.subset(np.arange(max(min(count, len(problem.labelled)), 1)))
    predict(network, problem.task, some)
    start = now()
    for _ in range(LOOKS):
        predict(network, problem.task, some).argmax(1).cpu().numpy()
    return (now() - start) / LOOKS


def _prediction(network: nn.Module, problem: Problem, pool: bool) -> float:
    """Seconds in which an example is predicted, of the pool or of the labelled ones."""
    examples = problem.pool if pool else problem.labelled
    some = examples.subset(np.arange(min(len(examples), SAMPLE)))
    predict(network, problem.task, some.subset(np.arange(min(len(some), 2))))
    start = now()
    predict(network, problem.task, some)
    return (now() - start) / max(len(some), 1)
