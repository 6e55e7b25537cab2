"""What a fit will do and about how long it takes, said before it begins."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tutelage.fit.auto import Auto
from tutelage.fit.build import Building
from tutelage.fit.comparison import STANDARD
from tutelage.fit.fit import threads
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.teacher_paths import learnable
from tutelage.fit.together import PATIENCE
from tutelage.methods import METHODS, Committee, Distil, Method
from tutelage.methods.base import labels_kept
from tutelage.train import Training, predict, time_a_step
from tutelage.types import Tick

SAMPLE = 64
"""Items of the pool whose prediction is timed."""


def about_reading(building: Building, things: str, later: int = 0) -> str:
    """How the items are read; for an encoder how many are to be encoded, and about how long that takes.

    Args:
        building: the items, on their way to a problem.
        things: word for the items, in the plural.
        later: number of test items, which are read at the end.
    """
    reader, device, encoding = building.build.reader, building.build.device, building.encoding
    if encoding is None:
        h, w = getattr(reader, "size", (0, 0))
        return f"Training {reader.says} from nothing on images of {w} x {h} pixels, on {device}."
    if not getattr(reader, "encodes", False):
        return f"Reading {things} as they are, on {device}."
    count = encoding.missing
    left = f"{count} {things} to encode, about {duration(encoding.seconds())}" if count else ""
    left += f", then {later} to test" if count and later else ""
    precision = getattr(reader, "precision", "")
    within = f" in {precision}" if precision else ""
    return f"Reading with {reader.says}{within} on {device}: {left or 'all features are in the cache'}."


@dataclass(frozen=True)
class AdaptingCost:
    """Seconds that adapting the encoder takes.

    Attributes:
        each: seconds of one adaptation.
        row: seconds in which an adapted encoder encodes an item, beside others of its length.
        rows_of_a_fold: items of the pool that a fold's encoder encodes, at most.
        readings: distinct items that are encoded for an item of the pool, with its disturbed copies.
    """

    each: float
    row: float
    rows_of_a_fold: int
    readings: float = 1.0

    def seconds(self, folds: int, labels: int, pool: int) -> tuple[float, float]:
        """Seconds of the adaptations with the labelled items, and of the pool's encoding where adapting is worth it.

        Args:
            folds: number of folds; one adaptation more learns all labels.
            labels, pool: numbers of labelled items and of the pool's.
        """
        first = (folds + 1) * (self.each + labels * self.row)
        return first, (folds * min(pool, self.rows_of_a_fold) + pool) * self.readings * self.row


def about_training(
    method: Method | Auto, problem: Problem, training: Training, plan: Plan, tick: Tick,
    adapting: AdaptingCost | None = None,
) -> str:  # fmt: skip
    """The trainings that a fit takes, and about how long they take together.

    Args:
        method: settled method, or the automatic choice.
        problem: the problem.
        training: training of a network.
        plan: plan of the evidence.
        tick: called with the progress.
        adapting: cost of adapting the encoder; None does not adapt it.
    """
    if isinstance(method, Auto):
        return _about_auto(method, problem, training, plan, adapting)
    method.ready(problem.pool, tick)  # a step is timed
    return _about_one(method, problem, training, plan, adapting)


def _about_auto(auto: Auto, problem: Problem, training: Training, plan: Plan, adapting: AdaptingCost | None) -> str:
    with threads(problem.threads):
        method: Any = METHODS[STANDARD]().settled(problem.task, False)
        seconds = _a_training(method, problem.without_teacher(), training)
    folds = len(problem.folds(auto.plan(plan), training.seed))
    total = seconds * auto.budget
    if adapting:
        total += seconds * (folds + 1) + _together(problem, training)
    if problem.weak is not None:
        total += _with_teacher(method, problem, training, folds, 1 if adapting is None else 2)
    said, more = _said_of_adapting(adapting, problem, folds, pool=True)
    return (
        f"Choosing a method for {problem.labels} labels and a pool of {len(problem.pool)}: at most "
        f"{auto.budget:g} trainings of {training.steps} steps, about {duration(total + more)}{said}."
    )


def _about_one(method: Method, problem: Problem, training: Training, plan: Plan, adapting: AdaptingCost | None) -> str:
    learns, weak = learnable(problem), problem.weak is not None
    folds = 0 if weak and not learns else len(problem.folds(plan, training.seed))
    with threads(problem.threads):
        if weak:
            seconds = _with_teacher(method, problem, training, folds, 1 if adapting is None else 2)
        else:
            seconds = _a_training(method, problem, training) * (1 + folds) * (1 + len(problem.decays) * (folds > 0))
            if adapting and folds:
                seconds += _a_training(method, problem, training) * (1 + folds)
                seconds += _together(problem, training) * method.uses_pool
    said, more = _said_of_adapting(adapting, problem, folds, method.uses_pool)
    check = f"{folds} of them on parts of the labels, for the evidence" if folds else "no evidence gathered"
    fits = 1 + folds
    if weak:
        check = (
            "stage I comes before; then clean labels looked at, or learnt beside: the folds choose" if learns
            else "stage I comes before; the clean labels are only looked at, since a class has fewer than two"
            if len(problem.labelled) else "stage I comes before"
        )  # fmt: skip
    single = len(problem.y) == len(problem.labelled)
    first = problem.y if problem.groups is None or not single else problem.y[problem.groups.first(problem.y)]
    each, count = np.unique(first, return_counts=True)[1], problem.labels
    some = f"{each.min()} to {each.max()}" if count and each.min() < each.max() else each.max(initial=0)
    spread = f"{some} a class, " if single and count else ""
    return (
        f"Training {method.name} on {count} labels ({spread}{problem.task.classes} classes) and a pool of "
        f"{len(problem.pool)}: {fits} training{'s' * (fits > 1)} of {training.steps} steps ({check}), "
        f"about {duration(seconds + more)}{said}."
    )


def _said_of_adapting(
    adapting: AdaptingCost | None, problem: Problem, folds: int, pool: bool
) -> tuple[str, float]:  # fmt: skip
    """Words on adapting the encoder, and its seconds; ``pool`` tells whether anything learns from the pool."""
    if adapting is None or not folds:
        return "", 0.0
    first, then = adapting.seconds(folds, len(problem.labelled), len(problem.pool) * pool)
    said = f"; of these {duration(first)} for {folds + 1} adaptations of the encoder"
    anew = f", and {duration(then)} to encode the pool anew where adapting is worth it"
    return said + anew * (then > 0), first + then


def _with_teacher(method: Method, problem: Problem, training: Training, folds: int, encoders: int) -> float:
    """Seconds of a fit after a brought teacher: stage I and the game, and with labels learnt beside in each fold.

    Labels are learnt beside it on the features of each encoder: the one as it is, and the adapted one.
    """
    first = _a_training(Distil().settled(problem.task, True), problem, training)
    game = _a_training(method, problem, training)
    beside = encoders * (folds + 1) * (first + 2 * game) + game * len(problem.decays) * folds
    beside += _together(problem, training)
    return first + game + beside * (folds > 0)


def _together(problem: Problem, training: Training) -> float:
    """Seconds of the one student of several models; where there is no pool, or it is dense, there is none."""
    if not len(problem.pool) or problem.task.dense:
        return 0.0
    units, classes = int(problem.pool.counts().sum()), problem.task.classes
    method = Committee(("several",), torch.full((units, classes), 1 / classes)).settled(problem.task)
    return PATIENCE * _a_training(method, problem.without_teacher(), training)


def _a_training(method: Method, problem: Problem, training: Training) -> float:
    """Seconds of one training: a step's, timed, and the labelling of the pool between rounds."""
    network = problem.network(0).to(problem.device)
    with_labels = len(problem.labelled) > 0
    loader = (
        problem.loader() if problem.weak is None or with_labels
        else problem.game(method.anchored) if method.uses_pool
        else problem.stage_one()
    )  # fmt: skip
    per_step = time_a_step(method, problem.task, network, loader, training)
    start = time.perf_counter()
    sample = np.arange(min(len(problem.pool), SAMPLE))
    predict(network, problem.task, problem.pool.subset(sample))
    per_row = (time.perf_counter() - start) / max(len(sample), 1)
    labellings = (method.training_rounds - 1) * len(method.rule.movers) * labels_kept(method)
    return per_step * training.steps + per_row * len(problem.pool) * labellings


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(4), duration(100), duration(200), duration(7000)
    ('4 seconds', '100 seconds', '3 minutes', '1.9 hours')
    """
    if seconds < 150:  # below, whole minutes would be too coarse
        count = max(round(seconds), 1)
        return f"{count} second{'s' * (count > 1)}"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
