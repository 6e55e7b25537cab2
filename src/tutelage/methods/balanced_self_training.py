"""Self-training of a classifier that is no network, with soft labels in fixed shares of the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.model_selection import cross_val_predict
from sklearn.utils.validation import has_fit_parameter

from tutelage.methods.by_classifiers import ByClassifiers, fitted, probabilities, stratified
from tutelage.methods.fields import Positive, PositiveShare
from tutelage.ops.checks import Range

COLDEST, HOTTEST = 0.25, 4.0
"""Bounds of the temperature."""

LEAST = 0.01
"""A soft label's probabilities below this are left out."""

MOST = 20_000
"""The most rows of the pool that are learnt in a round."""


@dataclass(frozen=True)
class BalancedSelfTraining(ByClassifiers):
    """A classifier learns the labels, then also what it said itself of the rows of the pool it was surest of.

    In round r of R the share r/R * share of the pool is learnt: of each class the surest rows, as many as its prior
    says. A row is learnt once for each class, weighted by the class's probability; by a classifier that takes no
    weights only as its likeliest class. Probabilities are p^(1/T), T fitted on the labels' cross-validated predictions
    by their likelihood, in [0.25, 4]. The student learns what the last classifier says of the pool.

    Sources: Zou et al., CBST, ECCV 2018 (shares of the classes); Guo et al., ICML 2017 (T).

    Args:
        base: "logistic_regression" (its penalty chosen on the labels), "random_forest", "knn", "svc", or a
            scikit-learn classifier.
        rounds: R, at least 0; with 0 the classifier of the labels teaches.
        share: share of the pool that is learnt in the last round, in (0, 1]; at most 20,000 rows are.
        prior: shares of the classes: "labels", those among the labels, or "uniform".
        of_pool: weight of the pool's rows together, as a multiple of that of the labels together, above 0.
        weight: factor on the pool's loss, at least 0.
        confidence: how much a row of the pool counts: "entropy", 1 - H / log C, or "none", all alike.

    >>> BalancedSelfTraining(rounds=3).rounds
    3
    """

    name: ClassVar[str] = "balanced_self_training"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("of_pool", "share")
    base: Any = "logistic_regression"
    rounds: Annotated[int, Range(0, whole=True)] = 5
    share: PositiveShare = 0.8
    prior: Literal["labels", "uniform"] = "labels"
    of_pool: Positive = 3.0

    def opinion(self, x: np.ndarray, y: np.ndarray, pool: np.ndarray, classes: int, seed: int) -> np.ndarray:
        base, deal = self.classifier(x, y, seed), stratified(y, seed)
        there, temperature = np.unique(y), 1.0
        if deal is not None and hasattr(base, "predict_proba"):
            held_out = cross_val_predict(base, x, y, cv=deal, method="predict_proba")
            temperature = temperature_of(np.log(held_out.clip(1e-12)), np.searchsorted(there, y))
        shares = np.bincount(y, minlength=classes) / len(y)
        if self.prior == "uniform":
            shares = (shares > 0) / len(there)

        def said(model: Any) -> np.ndarray:
            p = probabilities(model, pool, classes) ** (1 / temperature)
            found: np.ndarray = p / p.sum(1, keepdims=True)
            return found

        p = said(fitted(base, x, y))
        for turn in range(1, self.rounds + 1):
            count = min(round(turn / self.rounds * self.share * len(pool)), MOST)
            rows, label = surest(p, quotas(count, shares))
            p = said(self.learnt(base, (x, y), pool[rows], p[rows], label))
        return p

    def learnt(
        self, base: Any, given: tuple[np.ndarray, np.ndarray], rows: np.ndarray, p: np.ndarray, label: np.ndarray
    ) -> Any:
        """A classifier that has learnt the labels and soft labels p, or ``label`` where it takes no weights."""
        x, y = given
        if not has_fit_parameter(base, "sample_weight"):
            return fitted(base, np.vstack([x, rows]), np.concatenate([y, label]))
        row, c = np.nonzero(p >= LEAST)
        weight = p[row, c] * self.of_pool * len(y) / p[row, c].sum()
        weights = np.concatenate([np.ones(len(y)), weight])
        return fitted(base, np.vstack([x, rows[row]]), np.concatenate([y, c]), sample_weight=weights)


def temperature_of(logits: np.ndarray, y: np.ndarray) -> float:
    """The T in [0.25, 4] under which ``softmax(logits / T)`` gives the labels y the greatest likelihood."""

    def loss(log_t: float) -> float:
        return float(-log_softmax(logits / np.exp(log_t), axis=1)[np.arange(len(y)), y].mean())

    return float(np.exp(minimize_scalar(loss, bounds=np.log([COLDEST, HOTTEST]), method="bounded").x))


def quotas(total: int, shares: np.ndarray) -> np.ndarray:
    """How many of ``total`` rows each class gets by its share; the largest remainders get what is left over.

    >>> quotas(10, np.array([0.5, 0.24, 0.26])).tolist()
    [5, 2, 3]
    """
    exact = total * shares
    found: np.ndarray = np.floor(exact).astype(np.int64)
    found[np.argsort(found - exact, kind="stable")[: total - found.sum()]] += 1
    return found


def surest(p: np.ndarray, quota: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill each class's quota with the rows surest of it; a row whose class is full goes to its next likeliest.

    >>> rows, label = surest(np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]]), np.array([1, 1]))
    >>> rows.tolist(), label.tolist()
    ([0, 2], [0, 1])
    """
    label, left = np.full(len(p), -1), quota.copy()
    while left.any() and (label < 0).any():
        free = np.flatnonzero(label < 0)
        best = np.where(left > 0, p[free], -1).argmax(1)
        for c in np.flatnonzero(left):
            mine = free[best == c]
            mine = mine[np.argsort(-p[mine, c], kind="stable")[: left[c]]]
            label[mine] = c
            left[c] -= len(mine)
    rows = np.flatnonzero(label >= 0)
    return rows, label[rows]
