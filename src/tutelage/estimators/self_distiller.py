"""Self-distillation under label noise, as an estimator of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from tutelage.distil import partial
from tutelage.distil.choice import (
    GRID,
    KINDS,
    HeldOutRows,
    Students,
    StudentSetting,
    Trial,
    chosen,
    held_out_rows,
    trials,
)
from tutelage.distil.closed import decompose
from tutelage.distil.partial import leading
from tutelage.distil.rows import Rows, blocks, held
from tutelage.estimators.arguments import RandomState, seed_of
from tutelage.ops.checks import in_range, one_of

ROUNDS = 10
"""Number of rounds that are tried, at most."""


class SelfDistiller(ClassifierMixin, BaseEstimator):
    """A linear classifier of fixed features, for labels that are partly wrong.

    These students are tried, with each weight decay of a grid: a student of the given labels by cross-entropy (logistic
    regression), and one by a robust loss; rounds of self-distillation, in which each student learns the soft labels of
    the one before; and a student of its teacher's two likeliest classes. Rounds and two-hot labels are computed in
    closed form, all from one decomposition.

    Args:
        method: "auto" tries all students and keeps the simplest that is not behind another by more than half a standard
            error; "labels", "robust", "rounds" and "two_hot" (for 3 classes or more) try these students alone.
        rounds: number of rounds of "rounds", at least 1; None chooses among 1 to 10. One round is ridge regression.
        weight_decay: lambda, above 0, for rows that are centred and have mean squared length 1; None chooses it.
        random_state: seed of the folds, a whole number in [0, 2**32); a ``RandomState`` or a ``Generator`` of NumPy,
            from which each fit draws its seed; or None, for NumPy's own random state.

    Attributes:
        classes_: classes, sorted, (c,).
        chosen_: setting of the student that was chosen: kind, rounds and weight decay.
        rounds_: number of rounds of that student.
        labels_: refined labels of the training rows: the student's probabilities, (n, c), columns as in ``classes_``.
        tried_: students that were tried, the best first, with held-out accuracies; empty where there was no choice.
        coef_, intercept_: coefficients of the logits, (c, d), and intercepts, (c,).

    Sources: Jeong and Chung, ICLR 2025 (rounds and two-hot labels); Zhang and Sabuncu, NeurIPS 2018 (the robust loss).

    >>> from sklearn.datasets import load_digits
    >>> from tutelage.distil.noise import corrupt, symmetric
    >>> X, y = load_digits(return_X_y=True)
    >>> noisy = corrupt(y, symmetric(10, 0.4), seed=0)
    >>> model = SelfDistiller().fit(X, noisy)
    >>> bool((model.predict(X) == y).mean() > 0.9 > 0.7 > (noisy == y).mean())
    True
    """

    def __init__(
        self,
        method: str = "auto",
        *,
        rounds: int | None = None,
        weight_decay: float | None = None,
        random_state: RandomState = 0,
    ) -> None:
        self.method = method
        self.rounds = rounds
        self.weight_decay = weight_decay
        self.random_state = random_state

    def fit(self, X: Any, y: Any, X_clean: Any = None, y_clean: Any = None) -> SelfDistiller:
        """Fit on noisy labels.

        Args:
            X: features, (n, d), finite. They are read a block at a time: besides X, memory holds a few times (n, c).
            y: labels, (n,), some of them wrong.
            X_clean, y_clean: features, (m, d), and clean labels, (m,), of rows that are not learnt: they choose the
                student in place of held-out noisy labels.

        Raises:
            ValueError: there is only one class; features are not finite; y lacks a clean label; or two-hot labels are
                asked for with two classes.
        """
        one_of("method", self.method, ("auto", *KINDS))
        self._seed = seed_of(self.random_state)
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32], ensure_min_samples=2)
        if X_clean is None and y_clean is not None:
            raise ValueError("y_clean needs X_clean, but X_clean is None")
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y needs labels of at least 2 classes, got 1 class: {self.classes_.tolist()[0]!r}")
        kinds = (self.method,) if self.method != "auto" else KINDS if len(self.classes_) > 2 else KINDS[:-1]
        if self.method == "two_hot":
            partial.enough(len(self.classes_))
        rows = Rows.of(X)
        if X.shape[1] >= len(X):  # few rows lie in few directions
            rows = rows.onto(decompose(rows).basis)
        full = Students.of(held(rows), labels, len(self.classes_))
        held_out = None if X_clean is None else [self._clean(full, rows, X_clean, y_clean)]
        self.chosen_ = self._choose(full, kinds, held_out)
        self.rounds_ = self.chosen_.rounds
        weights = full.weights(self.chosen_)
        if self.chosen_.kind == "two_hot":
            self._warn(full)
        slopes, self.intercept_ = rows.affine(weights)
        self.coef_ = slopes.T
        self.labels_ = np.concatenate([softmax(x @ weights, axis=1) for _, x in blocks(full.rows)])
        return self

    def _clean(self, full: Students, rows: Rows, X: Any, y: Any) -> HeldOutRows:
        """Clean rows, on which students of all training rows are scored."""
        if y is None:
            raise ValueError("X_clean needs y_clean, but y_clean is None")
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32], reset=False)
        if not np.isin(y, self.classes_).all():
            raise ValueError(f"y_clean has labels that y has not: {np.setdiff1d(y, self.classes_).tolist()}")
        return HeldOutRows(full, rows.of_others(X), np.searchsorted(self.classes_, y))

    def _choose(self, full: Students, kinds: tuple[str, ...], held_out: list[HeldOutRows] | None) -> StudentSetting:
        """Setting of the best student; sets ``tried_``."""
        if self.weight_decay is not None:
            in_range("weight_decay", float(self.weight_decay), 0, low_open=True)
        if self.rounds is not None:
            in_range("rounds", self.rounds, 1)
            if int(self.rounds) != self.rounds:
                raise ValueError(f"rounds must be a whole number, got {self.rounds}")
        rounds = tuple(range(1, ROUNDS + 1)) if self.rounds is None else (self.rounds,)
        unit = 1 / (full.classes * len(full.decomposition.values))
        decays = tuple(GRID * unit) if self.weight_decay is None else (float(self.weight_decay),)
        self.tried_: list[Trial] = []
        if len(kinds) == len(decays) == 1 and (self.method != "rounds" or len(rounds) == 1):
            return StudentSetting(self.method, rounds[0] if self.method == "rounds" else 1, decays[0], decays[0])
        self.tried_ = trials(held_out or held_out_rows(full, self._seed), kinds, rounds, decays)
        return chosen(self.tried_)

    def _warn(self, full: Students) -> None:
        """Warn where two-hot labels cannot tell classes apart."""
        teacher = full.closed([StudentSetting("rounds", 1, self.chosen_.teacher, self.chosen_.teacher)])[0]
        first, second = zip(*(leading(x @ teacher) for _, x in blocks(full.rows)), strict=True)
        partial.warn_of_ties(np.concatenate(first), np.concatenate(second), self.classes_.tolist())

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of each class by the student, (n, c), with columns in the order of ``classes_``."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        probabilities: np.ndarray = softmax(X @ self.coef_.T + self.intercept_, axis=1)
        return probabilities

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of `predict_proba`, in nats, (n, c)."""
        found: np.ndarray = np.log(self.predict_proba(X))
        return found

    def predict(self, X: Any) -> np.ndarray:
        """Most probable class of each row, (n,)."""
        best = self.predict_proba(X).argmax(1)
        labels: np.ndarray = self.classes_[best]
        return labels
