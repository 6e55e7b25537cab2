"""One training of a method, from a network and a loader to a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tutelage.comm import Comm
from tutelage.data import Loader
from tutelage.methods import Method
from tutelage.tasks import Task
from tutelage.train.frugal import Frugal
from tutelage.train.loop import Game, Networks, Told, Training, Watch, play
from tutelage.train.run import Run


def game_of(method: Method, task: Task, network: Networks, loader: Loader, training: Training) -> Game:
    """The game of a settled method, as `train` plays it."""
    make = Game if training.plain else Frugal
    return make(method, task, network, loader.reserving(method.reserve), training)


def train(
    method: Method, task: Task, network: Networks, loader: Loader, training: Training, *, comm: Comm | None = None,
    path: Path | None = None, tick: Told | None = None, watch: Watch | None = None, best: Sequence[str] = (),
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
    make = Game if training.plain else Frugal
    return play(make(method, task, network, loader.reserving(method.reserve), training, comm, watch, best), path, tick)
