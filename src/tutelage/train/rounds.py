"""Between two rounds: the pool is labelled anew, labels are judged, and players change places."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from tutelage.data import Loader
from tutelage.memory import Stored
from tutelage.methods import Method
from tutelage.methods.base import Blocks, labels_kept
from tutelage.tasks import Task
from tutelage.train.prediction import DROPOUTS, blocks
from tutelage.train.run import Run
from tutelage.types import Labels, Logits

MOST_ROUNDS = 2**16
"""Rounds of a training, at most, of which each has random numbers of its own in passes with dropout."""


def between_rounds(method: Method, task: Task, run: Run, loader: Loader, at: int, path: Path | None) -> None:
    """Movers label the pool and judge the labels, before one moves; followers take the first mover's place.

    Args:
        at: number of the round that begins, from 1.
        path: checkpoint of the run; None where it has none.
    """
    if run.memory.mapped and path is not None:
        run.save(path, relabels=True)  # files that are written from here on are those of no older checkpoint
    run.memory.round = at
    surveys, kept = method.surveys, labels_kept(method)
    for who, stored in run.memory.of.items() if surveys or kept else ():
        network = run.network(who)
        said = blocks(network, task, loader.unlabelled, rows=surveys and method.represents)
        said = _writing(said, stored) if kept else said
        if surveys:
            method.survey(who, said, run.memory, task)
        deque(said, maxlen=0)  # to its end, wherever the survey stopped
        if method.dropout_passes:
            _with_dropout(method, task, who, run, loader, at)
    for who in run.rule.movers:
        method.judge(who, blocks(run.network(who), task, loader.labelled), loader.target, run.memory, task)
    if kept:
        method.keep(run.memory)
    run.memory.between.clear()
    for who in run.rule.followers:
        run.seats[who].module.load_state_dict(run.seats[run.rule.movers[0]].module.state_dict())


def _writing(said: Blocks, stored: Stored) -> Iterator[tuple[Labels, Logits, Tensor]]:
    """The same blocks; the labels of each are stored as it passes."""
    for units, logits, rows in said:
        confidence, label = logits.softmax(-1).max(-1)
        stored.write(units, label, confidence, torch.ones_like(confidence))
        yield units, logits, rows


def _with_dropout(method: Method, task: Task, who: str, run: Run, loader: Loader, at: int) -> None:
    """Show the method a mover's passes with dropout, whose draws depend on the loader's seed and the round alone.

    Raises:
        ValueError: the network has no dropout.
    """
    if not any(isinstance(m, DROPOUTS) and m.p > 0 for m in run.network(who).modules()):
        raise ValueError(f"{method.name} needs a network with dropout, since it compares passes with it; this has none")
    with torch.random.fork_rng():
        torch.manual_seed(MOST_ROUNDS * loader.seed + at)
        for _ in range(method.dropout_passes):
            said = blocks(run.network(who), task, loader.unlabelled, rows=False, dropout=True)
            method.doubt(who, said, run.memory, task)
