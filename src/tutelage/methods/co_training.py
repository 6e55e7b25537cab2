"""Co-training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from tutelage.methods.by_classifiers import ByClassifiers, fitted, probabilities
from tutelage.methods.fields import Count
from tutelage.ops.checks import Range


@dataclass(frozen=True)
class CoTraining(ByClassifiers):
    """Two classifiers, each of half of the features, label for each other the rows of the pool they are surest of.

    In each round both learn the labelled rows, each adds its surest rows of each class, and what the one adds the other
    learns too; a row that both add has the label of the surer one. The student learns the mean of what both say of the
    pool in the end. Rows are looked for in the whole pool, where the authors draw a small part of it.

    Source: Blum and Mitchell, Combining labeled and unlabeled data with co-training, COLT 1998, table 1.

    Args:
        base: "logistic_regression" (its penalty chosen on the labels), "random_forest", "knn", "svc", or a
            scikit-learn classifier.
        first: numbers of the features of the first half, separated by commas; empty for a random half.
        rounds: number of rounds, at least 1.
        added: number of rows of each class that each classifier adds in the first round, at least 1.
        growth: factor by which that number grows from round to round, at least 1.
        weight: factor on the pool's loss, at least 0.
        confidence: how much a row of the pool counts: "entropy", 1 - H / log C, or "none", all alike.

    >>> CoTraining(first="0,1").first
    '0,1'
    """

    name: ClassVar[str] = "co_training"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("growth",)
    base: Any = "logistic_regression"
    first: str = ""
    rounds: Count = 15
    added: Count = 1
    growth: Annotated[float, Range(1)] = 1.4

    def __post_init__(self) -> None:
        super().__post_init__()
        if not all(part.strip().isdecimal() for part in self.first.split(",") if self.first):
            raise ValueError(f"first must be numbers of features separated by commas, got {self.first!r}")

    def opinion(self, x: np.ndarray, y: np.ndarray, pool: np.ndarray, classes: int, seed: int) -> np.ndarray:
        halves = self.halves(x.shape[1], seed)
        bases = [self.classifier(x[:, v], y, seed) for v in halves]
        label = np.full(len(pool), -1)
        for turn in range(self.rounds + 1):
            rows = np.flatnonzero(label >= 0)
            z, target = np.vstack([x, pool[rows]]), np.concatenate([y, label[rows]])
            said = [
                probabilities(fitted(base, z[:, v], target), pool[:, v], classes)
                for base, v in zip(bases, halves, strict=True)
            ]
            if turn == self.rounds or len(rows) == len(pool):
                break
            label = taken(label, said, np.unique(y), round(self.added * self.growth**turn))
        found: np.ndarray = np.mean(said, axis=0)
        return found

    def halves(self, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the features of the first half, and of the second."""
        first = np.array([int(i) for i in self.first.split(",") if self.first], dtype=np.int64)
        if not self.first:
            first = np.sort(np.random.default_rng(seed).permutation(d)[: d // 2])
        other = np.setdiff1d(np.arange(d), first)
        if not len(other) or not len(first) or first.max() >= d:
            raise ValueError(f"first must leave both halves some of the {d} features, got {self.first!r}")
        return first, other


def taken(label: np.ndarray, said: list[np.ndarray], classes: np.ndarray, count: int) -> np.ndarray:
    """Labels of the pool after each of two classifiers has added, of each class, its ``count`` surest unlabelled rows.

    >>> one, other = np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([[0.2, 0.8], [0.3, 0.7]])
    >>> taken(np.array([-1, -1]), [one, other], np.array([0, 1]), 1).tolist()
    [0, 1]
    """
    free, label, sure = label < 0, label.copy(), np.zeros(len(label))
    for p in said:
        best = p.argmax(1)
        for c in classes:
            rows = np.flatnonzero(free & (best == c))
            rows = rows[np.argsort(-p[rows, c], kind="stable")[:count]]
            rows = rows[p[rows, c] > sure[rows]]
            label[rows], sure[rows] = c, p[rows, c]
    return label
