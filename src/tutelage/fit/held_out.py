"""Held-out predictions: the folds of a cross-validation, and what was predicted of the labels each holds out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import RepeatedStratifiedKFold

from tutelage.ops.checks import in_range
from tutelage.tasks import Task

Folds = list[tuple[np.ndarray, np.ndarray]]
"""(units to train on, units held out) of each fold."""


Parts = list[tuple[np.ndarray, np.ndarray]]
"""(units held out, their probabilities (units, c)) of each fold."""


@dataclass(frozen=True)
class HeldOut:
    """Cross-validated predictions: probabilities (units, c), and the score of each example, (n,)."""

    probabilities: np.ndarray
    right: np.ndarray

    @staticmethod
    def average(task: Task, y: np.ndarray, counts: np.ndarray, parts: Parts) -> HeldOut:
        """Average over the repeats, each of which holds every unit out once.

        Args:
            y: class numbers, (units,).
            counts: units of each example, (n,).
        """
        total, right, repeats = np.zeros((len(y), task.classes), parts[0][1].dtype), np.zeros(len(counts)), 0
        once = np.zeros_like(total)
        filled = 0
        for index, p in parts:
            once[index] = p
            filled += len(index)
            if filled == len(y):
                total, right, repeats = total + once, right + task.right(once.argmax(1), y, counts), repeats + 1
                filled = 0
        return HeldOut(total / repeats, right / repeats)


def choose(tried: dict[str, Parts], y: np.ndarray) -> tuple[str, Parts]:
    """The contender of the best held-out accuracy, then likelihood; and honest predictions of the choice.

    The predictions of each fold are those of the contender that is best on the other folds' units, so
    they do not flatter the choice by its luck on the very labels that it is judged on.
    """
    found = {name: _scored(parts, y) for name, parts in tried.items()}

    def best(keep: np.ndarray) -> str:
        return max(found, key=lambda name: tuple(round(float(v[keep].mean()), 9) for v in found[name]))

    honest = []
    for i, (out, _) in enumerate(next(iter(tried.values()))):
        keep = np.ones(len(y), dtype=bool)
        keep[out] = False
        honest.append(tried[best(keep)][i])
    return best(np.ones(len(y), dtype=bool)), honest


def _scored(parts: Parts, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of right answers and mean log-likelihood of each unit; 0 where its class is not known."""
    right, likelihood, times = np.zeros(len(y)), np.zeros(len(y)), np.zeros(len(y))
    for index, p in parts:
        known = y[index] >= 0
        right[index] += known & (p.argmax(1) == y[index])
        likelihood[index] += known * np.log(p[np.arange(len(index)), y[index]].clip(1e-12))
        times[index] += 1
    return right / times, likelihood / times


def folds(y: np.ndarray, wanted: int, repeats: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Repeated stratified folds: (train, held out) indices, ``repeats`` times over.

    No more folds than labels in the smallest class there is, so that every fold trains on every class.
    """
    count = int(min(wanted, np.unique(y, return_counts=True)[1].min()))
    in_range("labels in the smallest class", count, 2)
    splitter = RepeatedStratifiedKFold(n_splits=count, n_repeats=repeats, random_state=seed)
    return list(splitter.split(np.zeros(len(y)), y))
