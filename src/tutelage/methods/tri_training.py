"""Tri-training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tutelage.methods.by_classifiers import ByClassifiers, fitted, probabilities
from tutelage.methods.fields import Count

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class TriTraining(ByClassifiers):
    """Three classifiers: where two agree on rows of the pool, the third learns them, while its error must fall.

    Each begins with a bootstrap sample of the labels. L_t, what two say alike in round t, is learnt by the third where

        e_t |L_t| < e_{t-1} |L_{t-1}|,

    with e_t their error on the labels where they agree. Where L_t is too large, a part of it is drawn for which that
    holds. The student
    learns the mean of what the three say of the pool.

    Source: Zhou and Li, Tri-training, IEEE TKDE 17(11), 2005.

    Args:
        base: "logistic_regression" (its penalty chosen on the labels), "random_forest", "knn", "svc", or a
            scikit-learn classifier.
        rounds: the most rounds, at least 1.
        weight: factor on the pool's loss, at least 0.
        confidence: how much a row of the pool counts: "entropy", 1 - H / log C, or "none", all alike.

    >>> TriTraining(base="knn").rounds
    30
    """

    name: ClassVar[str] = "tri_training"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    base: Any = "logistic_regression"
    rounds: Count = 30

    def opinion(self, x: np.ndarray, y: np.ndarray, pool: np.ndarray, classes: int, seed: int) -> np.ndarray:
        draws = np.random.default_rng(seed)
        base = self.classifier(x, y, seed)
        models = [fitted(base, x[i], y[i]) for i in (bootstrap(y, draws) for _ in range(3))]
        before, counts = [0.5] * 3, [0] * 3
        for _ in range(self.rounds):
            on_labels, on_pool = ([m.predict(rows) for m in models] for rows in (x, pool))
            taken: dict[int, Arrays] = {}
            for i in range(3):
                j, k = (i + 1) % 3, (i + 2) % 3
                error, agreed = error_where_agreed(on_labels[j], on_labels[k], y), on_pool[j] == on_pool[k]
                count = admitted(error, before[i], int(agreed.sum()), counts[i])
                if count:
                    rows = np.sort(draws.choice(np.flatnonzero(agreed), count, replace=False))
                    taken[i] = rows, on_pool[j][rows]
                    before[i], counts[i] = error, count
            for i, (rows, said) in taken.items():
                models[i] = fitted(base, np.vstack([x, pool[rows]]), np.concatenate([y, said]))
            if not taken:
                break
        found: np.ndarray = np.mean([probabilities(m, pool, classes) for m in models], axis=0)
        return found


def bootstrap(y: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Numbers of rows drawn with repetition, of each class as many as it has."""
    return np.concatenate([draws.choice(np.flatnonzero(y == c), (y == c).sum()) for c in np.unique(y)])


def error_where_agreed(one: np.ndarray, other: np.ndarray, y: np.ndarray) -> float:
    """Share of the rows on which two classifiers agree where they are wrong; 1 where they never agree.

    >>> error_where_agreed(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]), np.array([0, 1, 1, 1]))
    0.3333333333333333
    """
    agreed = one == other
    return float((one != y)[agreed].mean()) if agreed.any() else 1.0


def admitted(error: float, before: float, agreed: int, count: int) -> int:
    """How many of the ``agreed`` rows the third may learn, 0 for none; in the round before it was ``count``.

    >>> admitted(0.1, 0.5, 100, 0), admitted(0.1, 0.2, 100, 30), admitted(0.2, 0.2, 100, 30)
    (4, 59, 0)
    """
    if error >= before:
        return 0
    enough = error / (before - error)
    count = count or math.floor(enough + 1)
    if count >= agreed:
        return 0
    if error * agreed < before * count:
        return agreed
    return min(math.ceil(before * count / error - 1), agreed) if count > enough else 0
