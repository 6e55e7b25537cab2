"""Seconds of what a fit computes beside its trainings: the logistic regressions, and the weighing of what was found."""

from __future__ import annotations

import numpy as np

from tutelage.fit.class_bias import calibrate
from tutelage.fit.labels_only import Probe
from tutelage.fit.prevalence import LEAST_ROWS, MOST_ROWS, REDRAWN, expected_shares
from tutelage.ops.meter import now

MOST_NUMBERS_FITTED, LEAST_FITTED = 200_000, 300
"""Numbers, at most, on which a logistic regression is timed, but at least so many labels; more take longer in
proportion."""

MOST_CALIBRATED = 2000
"""Labels, at most, on which a calibration is timed."""

MOST_NUMBERS = 200_000
"""Probabilities, at most, of which a calibration, or an estimate of the shares, is timed."""

REFITTED = 0.5
"""Seconds after which no further logistic regression is timed."""


def labels_only_seconds(probe: Probe, folds: int, repeated: int, labels: int) -> float:
    """Seconds of the labels-only model: each strength of the penalty is fitted in each fold, the best on all labels.

    Args:
        probe: linear model of the labels of a small problem.
        folds: number of the folds; 0 fits one model.
        repeated: number of the folds of one repeat.
        labels: number of labelled units of the real problem.
    """
    learnt = labels * (1 - 1 / repeated) if folds else labels
    index = np.arange(len(probe.y))
    most = min(max(MOST_NUMBERS_FITTED // max(probe.x.shape[1], 1), LEAST_FITTED), max(round(learnt), 1))
    if len(index) > most:
        index = np.linspace(0, len(index) - 1, most).astype(np.int64)
    share, each = learnt / max(len(index), 1), list[float]()
    for choice in probe.choices[::-1]:  # from the weakest penalty on, which takes longest
        start = now()
        probe.fitted(index, choice)
        each.append(now() - start)
        if sum(each) > REFITTED:
            break
    everything = sum(each) + each[-1] * (len(probe.choices) - len(each)) / 2  # of those left out, at most half as long
    return share * everything * (folds + 1 / len(probe.choices)) if folds else share * everything / len(probe.choices)


def weighing_seconds(labels: int, pool: int, classes: int, repeats: float, folds: int, both: bool) -> float:
    """Seconds in which held-out predictions are calibrated, and the classes' shares in the pool are estimated.

    Args:
        labels, pool: numbers of labelled units and of the pool's; a pool of 0 is not looked at.
        classes: number of classes.
        repeats: how often each label is held out.
        folds: number of the folds.
        both: whether the student answers together with the labels-only model.
    """
    if not folds or not labels:
        return 0.0
    rng, n = np.random.default_rng(0), min(labels, MOST_CALIBRATED, max(MOST_NUMBERS // classes, 8))
    y = rng.integers(0, classes, n)
    said = np.exp(rng.normal(size=(max(round(repeats), 1), n, classes)) + 2 * np.eye(classes)[y])
    said /= said.sum(-1, keepdims=True)
    start = now()
    found = calibrate(said, y)
    once = (now() - start) * labels / n
    count = (2 * (folds + 1)) * both
    total = 0.0
    if pool >= LEAST_ROWS:
        rows = min(pool, MOST_ROWS)
        part = rng.dirichlet(np.ones(classes), min(rows, max(MOST_NUMBERS // classes, 8)))
        start = now()
        expected_shares(found.of(part), np.full(classes, 1 / classes))
        total, count = (now() - start) * REDRAWN * rows / len(part), count + REDRAWN + 1
    return total + count * once
