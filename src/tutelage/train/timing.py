"""Seconds that trainings take, by a few of their steps."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from tutelage.data import Loader
from tutelage.methods import Method
from tutelage.ops.meter import now
from tutelage.ops.said import silence
from tutelage.tasks import Task
from tutelage.train.loop import Networks, P, Plays, Training, game_of

STEPS_TIMED = 3, 40
"""Steps, at least and at most, by which the time of a step is told."""

FIRST_STEPS = 3
"""Steps at the beginning that are slower than the rest, and do not count where there are many others."""

TIME_OF_STEPS = 0.15
"""Seconds after which no further step is timed."""


@dataclass(frozen=True)
class TrainingTime:
    """Seconds that a training takes.

    Attributes:
        begin: seconds until its first step, in which a method may compute what it remembers.
        step: seconds of a step in its last round.
        record: seconds of a point of history.
    """

    begin: float
    step: float
    record: float


def time_a_game(make: Callable[[], Plays[P]]) -> TrainingTime:
    """Seconds of the parts of a game, that of one network or of several, in silence.

    Those of a step are the mean of some steps in the last round, after the first ones, which do not count. No
    garbage is collected meanwhile: a collection takes as long as many steps, and a training has few of them.

    Args:
        make: makes the game.
    """
    start, seconds = now(), list[float]()
    with torch.random.fork_rng(), silence(), _no_collection():
        game = make()
        run = game.begin()
        begin = now() - start
        for memory in run.memories:
            memory.round = game.method.training_rounds - 1
            for stored in memory.of.values():
                stored.label.zero_()
        while len(seconds) < STEPS_TIMED[0] or (len(seconds) < STEPS_TIMED[1] and sum(seconds) < TIME_OF_STEPS):
            start = now()
            move = game.step(run, 0.5)
            run.step += 1
            seconds.append(now() - start)
        start = now()
        game.note(run, move)
        record = now() - start
    counted = seconds[FIRST_STEPS:] if len(seconds) > 2 * FIRST_STEPS else seconds[1:]
    return TrainingTime(begin, statistics.mean(counted), record)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Context in which no garbage is collected, as where `timeit` measures."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def time_a_training(method: Method, task: Task, network: Networks, loader: Loader, training: Training) -> TrainingTime:
    """Seconds of the parts of a training, see `time_a_game`."""
    method = method.settled(task)
    return time_a_game(lambda: game_of(method, task, network, loader, training))


def ready_to_train() -> None:
    """Let torch import what its optimisers need, which takes seconds the first time, so that no probe counts it."""
    _ = torch.optim.AdamW([torch.zeros(1, requires_grad=True)])


def time_a_step(method: Method, task: Task, network: Networks, loader: Loader, training: Training) -> float:
    """Seconds of one step in the last round, see `time_a_training`."""
    return time_a_training(method, task, network, loader, training).step
