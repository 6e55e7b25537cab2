"""Held-out predictions: the folds of a cross-validation, and what was said of the labels that each fold holds out."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import RepeatedStratifiedKFold

from tutelage.ops.checks import in_range
from tutelage.tasks import Task

Folds = list[tuple[np.ndarray, np.ndarray]]
"""Of each fold the numbers of the examples to train on and of the examples held out."""

Said = dict[str, np.ndarray]
"""What a model said of some units: arrays by name, see `Task.predictions`; of classes "probabilities", (units, c)."""

FoldPredictions = list[tuple[np.ndarray, Said]]
"""Of each fold the numbers of the units held out, and what was said of them."""


@dataclass(frozen=True)
class HeldOut:
    """Cross-validated predictions.

    Attributes:
        said: what was said of all units, averaged over the repeats.
        right: the score of each example, (n,), averaged over the repeats; see `Task.right`.
    """

    said: Said
    right: np.ndarray

    @property
    def probabilities(self) -> np.ndarray:
        """Probabilities of the units' classes, (units, c)."""
        return self.said["probabilities"]

    @staticmethod
    def average(task: Task, y: np.ndarray, counts: np.ndarray, parts: FoldPredictions) -> HeldOut:
        """Average over the repeats, each of which holds every unit out once.

        Args:
            task: says which labels the predictions mean, and what they score.
            y: class numbers of all units, (units,).
            counts: number of units of each example, (n,).
            parts: predictions of all folds, one repeat after the other.

        >>> from tutelage.tasks import Classification
        >>> said = {"probabilities": np.array([[0.9, 0.1]])}, {"probabilities": np.array([[0.8, 0.2]])}
        >>> folds = [(np.array([1]), said[0]), (np.array([0]), said[1])]
        >>> HeldOut.average(Classification(2), np.array([0, 1]), np.ones(2, dtype=int), folds).right.tolist()
        [1.0, 0.0]
        """
        empty = {name: np.zeros((len(y), *value.shape[1:]), value.dtype) for name, value in parts[0][1].items()}
        total, once, right, repeats = empty, copy.deepcopy(empty), np.zeros(len(counts)), 0
        filled = 0
        for index, said in parts:
            for name, value in said.items():
                once[name][index] = value
            filled += len(index)
            if filled == len(y):
                total = {name: total[name] + once[name] for name in total}
                right, repeats = right + task.right(task.labels_of(once), y, counts), repeats + 1
                filled = 0
        return HeldOut({name: value / repeats for name, value in total.items()}, right / repeats)


def choose(tried: dict[str, FoldPredictions], y: np.ndarray) -> tuple[str, FoldPredictions]:
    """The contender of the best held-out accuracy (of equals that of the highest likelihood), and honest predictions.

    The predictions of each fold are those of the contender that is best on the other folds' units, so that the choice
    is not flattered by its luck on the very labels that it is judged on.

    Args:
        tried: predictions of the folds by each contender, by its name; all have the same folds.
        y: class numbers of all units, (units,), -1 = unknown.

    Returns:
        The name of the best contender on all units, and the honest predictions.
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


def _scored(parts: FoldPredictions, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of right answers and mean log-likelihood of each unit over the repeats; 0 where its class is unknown."""
    right, likelihood, times = np.zeros(len(y)), np.zeros(len(y)), np.zeros(len(y))
    for index, said in parts:
        p, known = said["probabilities"], y[index] >= 0
        right[index] += known & (p.argmax(1) == y[index])
        likelihood[index] += known * np.log(p[np.arange(len(index)), y[index]].clip(1e-12))
        times[index] += 1
    return right / times, likelihood / times


def repeated_folds(y: np.ndarray, wanted: int, repeats: int, seed: int) -> Folds:
    """Stratified folds, dealt anew ``repeats`` times.

    There are no more folds than labels in the smallest class, so that every fold trains on every class.

    Args:
        y: class of each example, (n,).
        wanted: folds of a repeat, at least 2.

    Raises:
        ValueError: a class has one label only.
    """
    count = int(min(wanted, np.unique(y, return_counts=True)[1].min()))
    in_range("labels in the smallest class", count, 2)
    splitter = RepeatedStratifiedKFold(n_splits=count, n_repeats=repeats, random_state=seed)
    return list(splitter.split(np.zeros(len(y)), y))
