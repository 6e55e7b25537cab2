"""How long a step takes."""

from __future__ import annotations

import statistics
import time

import torch

from tutelage.data import Loader
from tutelage.methods import Method
from tutelage.tasks import Task
from tutelage.train.loop import Game
from tutelage.train.options import Networks, Training


def time_a_step(method: Method, task: Task, network: Networks, loader: Loader, training: Training) -> float:
    """Seconds of one step in the last round: the median of three steps, after one that does not count."""
    method = method.settled(task)
    game, seconds = Game(method, task, network, loader.reserving(method.reserve), training), []
    with torch.random.fork_rng():
        run = game.begin()
        run.memory.round = method.training_rounds - 1
        for stored in run.memory.of.values():
            stored.label.zero_()
        for _ in range(4):
            start = time.perf_counter()
            game.step(run, 0.5)
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])
