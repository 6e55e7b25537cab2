"""Between two rounds: the pool is labelled anew, labels are judged, and players change places."""

from __future__ import annotations

from pathlib import Path

import torch

from tutelage.data import Loader
from tutelage.methods import Method
from tutelage.methods.base import labels_kept
from tutelage.tasks import Task
from tutelage.train.predict import predictions
from tutelage.train.run import Run


def between_rounds(method: Method, task: Task, run: Run, loader: Loader, at: int, path: Path | None) -> None:
    """Movers label the pool and judge the labels, before one moves; followers take the first mover's place.

    Args:
        at: number of the round that begins.
        path: checkpoint of the run, where it has one.
    """
    if run.memory.mapped and path is not None:
        run.save(path)  # files that are written from here on are those of no older checkpoint
    run.memory.round = at
    if labels_kept(method):
        for who, stored in run.memory.of.items():
            for units, logits in predictions(run.network(who), task, loader.unlabelled):
                confidence, label = logits.softmax(-1).max(-1)
                stored.write(units, label, confidence, torch.ones_like(confidence))
        method.keep(run.memory)
    for who in run.rule.movers:
        said = predictions(run.network(who), task, loader.labelled)
        method.judge(who, said, loader.target, run.memory, task)
    for who in run.rule.followers:
        run.seats[who].module.load_state_dict(run.seats[run.rule.movers[0]].module.state_dict())
