"""Held-out predictions: the folds of a cross-validation, and what was said of the labels that each fold holds out."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedGroupKFold

from tutelage.data import Groups
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
        right: the score of each example, (n,), averaged over the repeats, see `Task.right`; of a problem with copies
            the score of each item, (items,).
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


def choose(
    tried: dict[str, FoldPredictions], y: np.ndarray, weight: np.ndarray | None = None
) -> tuple[str, FoldPredictions]:
    """The contender of the best held-out accuracy (of equals that of the highest likelihood), and honest predictions.

    The predictions of each fold are those of the contender that is best on the other folds' units, so that the choice
    is not flattered by its luck on the very labels that it is judged on.

    Args:
        tried: predictions of the folds by each contender, by its name; all have the same folds.
        y: class numbers of all units, (units,), -1 = unknown.
        weight: weight of each unit, (units,), above 0; None weighs all alike.

    Returns:
        The name of the best contender on all units, and the honest predictions.
    """
    found = {name: _scored(parts, y) for name, parts in tried.items()}

    def best(keep: np.ndarray) -> str:
        def mean(values: np.ndarray) -> float:
            return float(values[keep].mean() if weight is None else np.average(values[keep], weights=weight[keep]))

        return max(found, key=lambda name: tuple(round(mean(v), 9) for v in found[name]))

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


DEALT = 20
"""How often folds of clusters are dealt, at most, until every fold trains on every class."""


def grouped_folds(y: np.ndarray, groups: Groups, wanted: int, repeats: int, seed: int) -> Folds:
    """Stratified folds of examples of which copies of an item, and items of a cluster, are held out together.

    Where copies alone are grouped, the folds are those of one example of each item by `repeated_folds`, so that an item
    lies in the fold in which it would lie without its copies. Where clusters hold several items, these are dealt by
    scikit-learn's `StratifiedGroupKFold`, again until every fold trains on every class.

    Args:
        y: class of each example, (n,).
        groups: which examples are copies of an item, and which items belong together.
        wanted: folds of a repeat, at least 2; there are fewer where the labels of a class are of fewer clusters.
        repeats: how often the folds are dealt.
        seed: seed of the deals.

    Raises:
        ValueError: the labels of a class are all of one cluster.

    >>> twice = Groups.of(np.array([0, 1, 2, 3, 0, 1, 2, 3]))
    >>> grouped_folds(np.array([0, 0, 1, 1, 0, 0, 1, 1]), twice, wanted=2, repeats=1, seed=0)[0][1].tolist()
    [1, 2, 5, 6]
    """
    first = groups.first(y)
    if groups.clusters == groups.items:
        dealt = repeated_folds(y[first], wanted, repeats, seed)
    else:
        dealt = _of_clusters(y[first], groups, wanted, repeats, seed)
    return [(groups.examples_of(index), groups.examples_of(out)) for index, out in dealt]


def _of_clusters(y: np.ndarray, groups: Groups, wanted: int, repeats: int, seed: int) -> Folds:
    """Folds of items whose clusters are held out together; ``y`` is the class of each item, (items,)."""
    several = [len(np.unique(groups.cluster[y == k])) for k in np.unique(y)]
    if min(several) < 2:
        word = groups.called or "group"
        raise ValueError(
            f"the labels of a class are all of one {word}, so that none of it is left to learn when that {word} is "
            "held out: label items of another one, or gather no evidence"
        )
    count = min(wanted, *several)
    found: Folds = []
    for repeat in range(repeats):
        for dealt in range(DEALT):
            draw = int(np.random.SeedSequence([seed, repeat, dealt]).generate_state(1)[0])
            splitter = StratifiedGroupKFold(count, shuffle=True, random_state=draw)
            parts = list(splitter.split(np.zeros(len(y)), y, groups.cluster))
            if all(len(np.unique(y[index])) == len(several) for index, _ in parts):
                break
        found += parts
    return found
