"""Teachers made of scikit-learn classifiers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from torch import Tensor

from tutelage.methods.pool_teacher import FixedRows, Opinion, PoolTeacher, flat

Probabilities = Float[np.ndarray, "n c"]

BASES = ("logistic_regression", "random_forest", "knn", "svc")
"""Names of classifiers that a method may be given as its ``base``."""

C_GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Values of logistic regression's C, the inverse strength of its penalty, that the labels choose from."""


@dataclass(frozen=True)
class ByClassifiers(PoolTeacher, ABC):
    """A teacher made of scikit-learn classifiers of rows that are centred and divided by one scale.

    The scale is the pool's; where its rows are all equal, that of the labelled ones.

    Args:
        base: a scikit-learn classifier, or the name of one, of BASES.
    """

    labeller: ClassVar[str] = "classifiers that learnt the labels"
    base: Any = "logistic_regression"

    def __post_init__(self) -> None:
        super().__post_init__()
        named = isinstance(self.base, str) and self.base in BASES
        if not named and not (isinstance(self.base, BaseEstimator) and is_classifier(self.base)):
            got = (
                f"the class {self.base.__name__}, not one made of it"
                if isinstance(self.base, type)
                else repr(self.base)
            )
            raise ValueError(f"base must be one of {', '.join(BASES)}, or a scikit-learn classifier, got {got}")

    @abstractmethod
    def opinion(self, x: np.ndarray, y: np.ndarray, pool: np.ndarray, classes: int, seed: int) -> Probabilities:
        """Probabilities of the pool's rows, (n, c), after learning the rows x, (l, d), with classes y, (l,)."""

    def teach(self, x: Tensor, y: np.ndarray, pool: FixedRows, classes: int, seed: int) -> Opinion:
        rows, labelled = flat(pool.rows), flat(x)
        centre, apart = rows.mean(0), rows if (rows != rows[0]).any() else labelled
        scale = max(float(np.sqrt(np.mean([np.square(r - centre).mean() for r in apart]))), 1e-12)
        found = self.opinion((labelled - centre) / scale, y, (rows - centre) / scale, classes, seed)
        return found, np.ones(len(rows))

    def classifier(self, x: np.ndarray, y: np.ndarray, seed: int) -> BaseEstimator:
        """A classifier for these labels, not yet fitted: the given one, or the named one with its penalty chosen."""
        if not isinstance(self.base, str):
            free = [k for k, v in self.base.get_params().items() if k.endswith("random_state") and v is None]
            return clone(self.base).set_params(**dict.fromkeys(free, seed))
        if self.base == "logistic_regression":
            base, deal = LogisticRegression(C=C_GRID[2], max_iter=1000), stratified(y, seed)
            if deal is None:
                return base
            found = GridSearchCV(base, {"C": C_GRID}, scoring="neg_log_loss", cv=deal, refit=False).fit(x, y)
            return base.set_params(**found.best_params_)
        if self.base == "random_forest":
            return RandomForestClassifier(200, random_state=seed)
        return SVC() if self.base == "svc" else KNeighborsClassifier(max(min(5, len(y) // 2), 1))


def stratified(y: np.ndarray, seed: int) -> StratifiedKFold | None:
    """Two to five folds that each hold every class; None where a class has a single label."""
    fewest = np.unique(y, return_counts=True)[1].min()
    several = len(np.unique(y)) > 1 and fewest > 1
    return StratifiedKFold(min(5, fewest), shuffle=True, random_state=seed % 2**32) if several else None


def fitted(base: BaseEstimator, x: np.ndarray, y: np.ndarray, **weights: np.ndarray) -> BaseEstimator:
    """A fitted copy of the classifier; where y holds one class alone, a classifier that always says it."""
    model = clone(base) if len(np.unique(y)) > 1 else DummyClassifier()
    return model.fit(x, y, **weights)


def probabilities(model: BaseEstimator, x: np.ndarray, classes: int) -> Probabilities:
    """Probabilities from a fitted classifier, (n, c); one-hot where it gives classes alone."""
    found = np.zeros((len(x), classes))
    if hasattr(model, "predict_proba"):
        found[:, model.classes_] = model.predict_proba(x)
    else:
        found[np.arange(len(x)), model.predict(x)] = 1
    return found
