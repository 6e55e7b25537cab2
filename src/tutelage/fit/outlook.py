"""What a fit is about to do, and about how long that takes, in sentences for the user."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tutelage.fit.auto import Auto
from tutelage.fit.build import Building
from tutelage.fit.fit import threads
from tutelage.fit.problem import Plan, Problem
from tutelage.methods import METHODS, Method
from tutelage.methods.base import labels_kept
from tutelage.train import Training, predict, time_a_step
from tutelage.types import Tick

STANDARD = "drift"
"""Method whose step is timed for all methods that "auto" may try."""

SAMPLE = 64
"""Items of the pool whose prediction is timed."""


def of_reading(building: Building, things: str) -> str:
    """How the items are read; for an encoder how many are to be encoded, and about how long that takes."""
    reader, device, encoding = building.build.reader, building.build.device, building.encoding
    if encoding is None:
        h, w = getattr(reader, "size", (0, 0))
        return f"Training {reader.says} from nothing on images of {w} x {h} pixels, on {device}."
    if not getattr(reader, "encodes", False):
        return f"Reading {things} as they are, on {device}."
    count = encoding.missing
    left = f"{count} {things} to encode, about {duration(encoding.seconds())}" if count else ""
    return f"Reading with {reader.says} on {device}: {left or 'all features are in the cache'}."


def of_training(method: Method | Auto, problem: Problem, training: Training, plan: Plan, tick: Tick) -> str:
    """The trainings that a fit takes, and about how long they take together."""
    if isinstance(method, Auto):
        return _of_auto(method, problem, training)
    method.ready(problem.pool, tick)  # a step is timed
    return _of_one(method, problem, training, plan)


def _of_auto(auto: Auto, problem: Problem, training: Training) -> str:
    with threads(problem.threads):
        method, network = METHODS[STANDARD](), problem.network(0).to(problem.device)
        standard: Any = method.settled(problem.task, False)
        seconds = time_a_step(standard, problem.task, network, problem.loader(), training) * training.steps
    return (
        f"Choosing a method for {len(problem.labelled)} labels and a pool of {len(problem.pool)}: at most "
        f"{auto.budget:g} trainings of {training.steps} steps, about {duration(seconds * auto.budget)}."
    )


def _of_one(method: Method, problem: Problem, training: Training, plan: Plan) -> str:
    network = problem.network(0).to(problem.device)
    with threads(problem.threads):
        loader = (
            problem.loader() if problem.weak is None
            else problem.game(method.anchored) if method.uses_pool
            else problem.stage_one()
        )  # fmt: skip
        per_step = time_a_step(method, problem.task, network, loader, training)
        start = time.perf_counter()
        predict(network, problem.task, problem.pool.subset(np.arange(min(len(problem.pool), SAMPLE))))
        per_row = (time.perf_counter() - start) / SAMPLE
    labellings = (method.training_rounds - 1) * len(method.rule.movers) * labels_kept(method)
    relabelling = per_row * len(problem.pool) * labellings
    count, weak = len(problem.labelled), problem.weak is not None
    folds = len(problem.folds(plan, training.seed))
    fits = 1 + folds * (not weak)
    check = f"{folds} of them on parts of the labels, for the evidence" if folds else "no evidence gathered"
    if weak:
        check = "stage I comes before; the clean labels are only looked at"
    contenders = 1 + len(problem.decays) * (folds > 0)
    seconds = (per_step * training.steps + relabelling) * fits * contenders * (1 + weak)
    each = np.unique(problem.y, return_counts=True)[1]
    spread = f"{each.min()} to {each.max()} a class, " if len(problem.y) == count > 0 else ""
    return (
        f"Training {method.name} on {count} labels ({spread}{problem.task.classes} classes) and a pool of "
        f"{len(problem.pool)}: {fits} training{'s' * (fits > 1)} of {training.steps} steps ({check}), "
        f"about {duration(seconds)}."
    )


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(4), duration(100), duration(7000)
    ('4 seconds', '2 minutes', '1.9 hours')
    """
    if seconds < 90:
        count = max(round(seconds), 1)
        return f"{count} second{'s' * (count > 1)}"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
