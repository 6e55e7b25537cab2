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
from tutelage.train.prediction import blocks
from tutelage.train.run import Run
from tutelage.types import Labels, Logits


def between_rounds(method: Method, task: Task, run: Run, loader: Loader, at: int, path: Path | None) -> None:
    """Movers label the pool and judge the labels, before one moves; followers take the first mover's place.

    Args:
        at: number of the round that begins, from 1.
        path: checkpoint of the run; None where it has none.
    """
    if run.memory.mapped and path is not None:
        run.save(path, relabels=True)  # files that are written from here on are those of no older checkpoint
    run.memory.round = at
    surveys, kept = type(method).survey is not Method.survey, labels_kept(method)
    for who, stored in run.memory.of.items() if surveys or kept else ():
        network = run.network(who)
        said = blocks(network, task, loader.unlabelled, rows=surveys)
        said = _writing(said, stored) if kept else said
        method.survey(who, said, run.memory, task)
        deque(said, maxlen=0)  # to its end, wherever the survey stopped
    if kept:
        method.keep(run.memory)
    for who in run.rule.movers:
        method.judge(who, blocks(run.network(who), task, loader.labelled), loader.target, run.memory, task)
    for who in run.rule.followers:
        run.seats[who].module.load_state_dict(run.seats[run.rule.movers[0]].module.state_dict())


def _writing(said: Blocks, stored: Stored) -> Iterator[tuple[Labels, Logits, Tensor]]:
    """The same blocks; the labels of each are stored as it passes."""
    for units, logits, rows in said:
        confidence, label = logits.softmax(-1).max(-1)
        stored.write(units, label, confidence, torch.ones_like(confidence))
        yield units, logits, rows
