"""What trainings cost: the one place that knows how several of them are done, together or one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from torch import nn

from tutelage.data import Loader
from tutelage.fit.held_out import Folds
from tutelage.fit.problem import Problem
from tutelage.fit.rehearsal import Rehearsal
from tutelage.methods import Method
from tutelage.methods.base import labels_kept
from tutelage.ops.meter import now
from tutelage.train import Member, Training, TrainingTime, cohorts, predict, time_a_training
from tutelage.train.cohort import Cohort, most_members
from tutelage.train.loop import game_of
from tutelage.train.timing import time_a_game

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
    took = time_a_training(method, problem.task, network, loader_of(method, problem), training)
    again = time_of_begin(method, problem, training) if took.begin > 0.02 else took.begin
    once = max(took.begin - again, 0.0) * (rehearsed.pool if method.uses_pool else 1.0)
    took = replace(took, begin=min(again, took.begin))
    held = len(problem.labelled) / max(repeated, 1) if folds else 0.0
    return replace(_cost(method, rehearsed, training, took, 1, round(held)), once=once)


def on_folds(
    method: Method, rehearsed: Rehearsal, training: Training, one: Cost, folds: Folds, whole: bool = False,
    decays: Sequence[float] = (),
) -> Cost:  # fmt: skip
    """Cost of the trainings on the parts of the labels, which are done together where the method allows it.

    Args:
        method: settled method.
        rehearsed: small problem like the real one.
        training: how long and how fast each is trained.
        one: cost of one training.
        folds: folds of the small problem's labelled examples.
        whole: whether the training on all labels is done beside them.
        decays: weight decays with each of which the trainings are done; empty does them once, with the training's own.
    """
    problem, seed = rehearsed.problem, training.seed
    decays = decays or (training.weight_decay,)
    indices = [index for index, _ in folds] + [np.arange(len(problem.labelled))] * whole
    if not method.stackable or problem.by_fold is not None or not indices:
        return one.times(len(indices) * len(decays))
    members = [
        Member(problem.network, problem.loader(index, seed), seed + k, weight_decay=decay)
        for decay in decays for k, index in enumerate(indices)
    ]  # fmt: skip
    most = most_members(method, problem.task, rehearsed.units[1])
    groups = [g[at : at + most] for g in cohorts(method, problem.task, members) for at in range(0, len(g), most)]
    held, sizes, total = round(np.mean([len(out) for _, out in folds])), dict[int, Cost](), NOTHING
    for group in groups:
        size = len(group)
        if size > 1 and size not in sizes:
            some = [members[i] for i in group]
            took = time_a_game(partial(Cohort, method, problem.task, some, training))
            sizes[size] = _cost(method, rehearsed, training, took, size, held)
        total += sizes[size] if size > 1 else one
    return replace(total, once=one.once)


def _cost(
    method: Method, rehearsed: Rehearsal, training: Training, took: TrainingTime, members: int, held: int
) -> Cost:
    """Cost of trainings that are done together, by the time of their parts.

    Args:
        method: settled method.
        rehearsed: small problem like the real one.
        training: how long they are trained.
        took: seconds of a step of all of them, and of what comes beside.
        members: number of the trainings.
        held: number of held-out labelled examples that each of them looks at; 0 looks at none.
    """
    problem = rehearsed.problem
    network = problem.network(0).to(problem.device)
    points = min(training.records, training.steps)
    labellings = (method.training_rounds - 1) * len(method.rule.movers) * labels_kept(method)
    pool = _prediction(network, problem, pool=True) * len(problem.pool) * rehearsed.pool if labellings else 0.0
    looking = _look(network, problem, held) * points * rehearsed.labelled if held else 0.0
    begin = took.begin * (rehearsed.pool if method.uses_pool else 1.0)
    seconds = begin + took.step * training.steps + took.record * points + (looking + pool * labellings) * members
    units = rehearsed.units[1] * len(method.rule.movers) * members
    return Cost(seconds, training.steps, BYTES_OF_A_UNIT * units)


def loader_of(method: Method, problem: Problem) -> Loader:
    """The loader of a training on all labels; beside a teacher alone that of the game, or of stage I."""
    if problem.weak is None or len(problem.labelled):
        return problem.loader()
    return problem.game(method.anchored) if method.uses_pool else problem.stage_one()


def time_of_begin(method: Method, problem: Problem, training: Training) -> float:
    """Seconds until the first step of a training, where what depends on the pool alone is there already."""
    start = now()
    network = problem.network(0).to(problem.device)
    game_of(method, problem.task, network, loader_of(method, problem), training).begin()
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
