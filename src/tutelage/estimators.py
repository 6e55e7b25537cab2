"""The scikit-learn face."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
from torch import nn

from tutelage import problems, saving
from tutelage.data import Features
from tutelage.data.sources import cache_folder
from tutelage.evidence import Evidence, recorded_prior
from tutelage.fitting import Problem, fit, without_pool
from tutelage.methods import METHODS, Method
from tutelage.models.text import Encoder, load_encoder
from tutelage.ops.checks import one_of
from tutelage.saving import Model


class Classifier(ClassifierMixin, BaseEstimator):
    """A classifier from a few labels and a large unlabelled pool.

    Each fit also trains the labels-only reference and returns it when the pool more probably
    hurt than helped; see ``evidence_``.

    Args:
        method: "drift", "mean_teacher", "self_training", "supervised", or a method with its own
            hyper-parameters, such as ``Drift(decay=0.9)``.
        encoder: what reads texts: "minilm", a folder, or a name on the Hub. Not used for arrays.
        finetune: train the encoder too, not only a head on its features.
        network: for arrays, a module (copied) or a function that makes one, giving logits (n, c).
        steps: optimiser steps of each training; None takes the default of the kind of input.
        lr: peak learning rate; None takes the default.
        folds, repeats: of the cross-validation behind the evidence; None takes the default.
        evidence: False skips it and returns the method's model unasked.
        max_length: tokens read of each text.
        device: "auto", or as torch names it.
        cache: folder for features of texts; None takes the user's cache folder.
        random_state: seed, a whole number.

    Attributes:
        classes_: the labels, sorted, (c,).
        transduction_: label of every row of X, then of X_unlabelled: as given where known.
        evidence_: what the pool changed, with interval; None where not gathered.
        returned_: "candidate" or "reference".
        history_: losses and pseudo-label counts over the candidate's training.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> y[100:] = -1
    >>> model = Classifier("mean_teacher", steps=50, folds=2, repeats=1).fit(X, y)
    >>> model.predict(X[:3]).tolist()
    [0, 1, 2]
    """

    def __init__(
        self,
        method: str | Method = "drift",
        *,
        encoder: str = "minilm",
        finetune: bool = False,
        network: nn.Module | Callable[[], nn.Module] | None = None,
        steps: int | None = None,
        lr: float | None = None,
        folds: int | None = None,
        repeats: int | None = None,
        evidence: bool = True,
        max_length: int = 128,
        device: str = "auto",
        cache: str | None = None,
        random_state: int = 0,
    ) -> None:
        self.method = method
        self.encoder = encoder
        self.finetune = finetune
        self.network = network
        self.steps = steps
        self.lr = lr
        self.folds = folds
        self.repeats = repeats
        self.evidence = evidence
        self.max_length = max_length
        self.device = device
        self.cache = cache
        self.random_state = random_state

    def fit(self, X: Any, y: Any, X_unlabelled: Any = None) -> Classifier:
        """Fit on labelled and unlabelled rows.

        Args:
            X: features (n, ...), or n texts as a list, an array or a data frame's column.
            y: n labels; -1 (or None) = unlabelled.
            X_unlabelled: more rows without labels.

        Raises:
            ValueError: no labels, one class only, a class with one label, or features that are not finite.
        """
        texts = is_text(X)
        if texts:
            X = as_texts(X)
            y = labels_of(y)
            if len(X) != len(y):
                raise ValueError(f"X has {len(X)} texts, but y has {len(y)} labels")
        else:
            dims = self.network is not None
            X = validate_data(self, X, dtype=np.float32, allow_nd=dims, ensure_min_samples=2)
            y = labels_of(y)
            if len(X) != len(y):
                raise ValueError(f"X has {len(X)} rows, but y has {len(y)} labels")
        known = np.array([v is not None for v in y])
        given = np.array([v for v in y if v is not None])
        if len(given) == 0:
            raise ValueError("y has no label: all are -1 or None")
        check_classification_targets(given)
        self.classes_, coded = np.unique(given, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y needs labels of at least 2 classes, got 1 class: {self.classes_.tolist()[0]!r}")
        if self.evidence and (counts := np.bincount(coded)).min() < 2:
            lonely = self.classes_.tolist()[counts.argmin()]
            raise ValueError(
                f"class {lonely!r} has one label; the evidence needs two of each class: "
                "label one more, or set evidence=False"
            )
        pool = self._pool(X, known, X_unlabelled, texts)
        labelled = [X[i] for i in np.flatnonzero(known)] if texts else X[known]
        method = without_pool(as_method(self.method), pool)
        problem, encoder = self._problem(labelled, coded, pool, texts)
        whole = texts and self.finetune
        training, plan = problems.how(
            whole, int(self.random_state), self.steps, self.lr, self.folds, self.repeats, self.evidence
        )
        outcome = fit(problem, method, training, recorded_prior(method.name, "text" if texts else "array"), plan)
        self._model = Model(list(self.classes_), outcome.network.cpu(), encoder, self._cache())
        self.evidence_: Evidence | None = outcome.evidence
        self.returned_ = outcome.returned
        self.history_ = outcome.history
        self.transduction_ = np.empty(len(y) + len(pool) - int((~known).sum()), dtype=self.classes_.dtype)
        unknown = np.append(~known, np.ones(len(self.transduction_) - len(y), dtype=bool))
        self.transduction_[~unknown] = given
        if unknown.any():
            self.transduction_[unknown] = self.predict(pool)
        return self

    def _pool(self, X: Any, known: np.ndarray, more: Any, texts: bool) -> Any:
        if texts:
            return [X[i] for i in np.flatnonzero(~known)] + (as_texts(more) if more is not None else [])
        if more is None:
            return X[~known]
        more = validate_data(self, more, dtype=np.float32, allow_nd=self.network is not None, reset=False)
        return np.concatenate([X[~known], more])

    def _problem(self, labelled: Any, y: np.ndarray, pool: Any, texts: bool) -> tuple[Problem, Encoder | None]:
        device, c = problems.pick_device(self.device), len(self.classes_)
        if not texts:
            if self.finetune:
                raise ValueError("finetune=True needs texts; for arrays give a network")
            rows, rest = torch.as_tensor(labelled).to(device), torch.as_tensor(pool).to(device)
            make = None
            if self.network is not None:
                own = self.network
                make = (lambda: copy.deepcopy(own)) if isinstance(own, nn.Module) else own
            data = problems.Data(Features(rows), y, Features(rest), c, device=device)
            return problems.on_features(data, per_feature=True, network=make), None
        encoder = load_encoder(self.encoder, self.max_length)
        encoder.model.to(device)
        if self.finetune:
            features = problems.feature_data(encoder, labelled, y, [], c, self._cache()).labelled
            assert isinstance(features, Features)
            data = problems.text_data(encoder, labelled, y, pool, c, device=device)
            return problems.whole_text(data, encoder, features.rows.numpy()), encoder
        data = problems.feature_data(encoder, labelled, y, pool, c, self._cache(), device=device)
        return problems.on_features(data, per_feature=False), encoder

    def _cache(self) -> Path:
        return Path(self.cache) if self.cache else cache_folder() / "features"

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of each class, (n, c), columns as in ``classes_``."""
        check_is_fitted(self)
        if self._model.encoder is not None:
            return self._model.probabilities(as_texts(X))
        X = validate_data(self, X, dtype=np.float32, allow_nd=self.network is not None, reset=False)
        return self._model.probabilities(X)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row, (n,)."""
        check_is_fitted(self)
        labels: np.ndarray = self.classes_[self.predict_proba(X).argmax(1)]
        return labels

    def save(self, folder: str | Path) -> None:
        """Write the fitted model into a folder that `tutelage.load` reads."""
        check_is_fitted(self)
        saving.save(self._model, Path(folder))


def as_method(method: str | Method) -> Method:
    """A method by name with its defaults, or the method itself."""
    if isinstance(method, Method):
        return method
    one_of("method", method, tuple(METHODS))
    return METHODS[method]()


def is_text(X: Any) -> bool:
    """Whether X holds texts: its first element is a string."""
    if isinstance(X, pd.DataFrame):
        X = X.iloc[:, 0] if X.shape[1] == 1 else []
    first = next(iter(np.asarray(X, dtype=object).ravel()[:1]), None) if not isinstance(X, torch.Tensor) else None
    return isinstance(first, str)


def as_texts(X: Any) -> list[str]:
    """Texts as a list; ValueError names the first row that is not a string."""
    if isinstance(X, pd.DataFrame):
        if X.shape[1] != 1:
            raise ValueError(f"X must be one column of texts, got {X.shape[1]} columns")
        X = X.iloc[:, 0]
    if isinstance(X, str):
        raise ValueError("X must be a list of texts, got one string")
    texts = list(np.asarray(X, dtype=object).ravel())
    for i, t in enumerate(texts):
        if not isinstance(t, str):
            raise ValueError(f"X[{i}] must be a string, got {t!r}")
    return texts


def labels_of(y: Any) -> list[Any]:
    """Labels as a list, None where unknown: -1, "-1", None or NaN.

    >>> labels_of(["spam", -1, None, "ham"])
    ['spam', None, None, 'ham']
    """
    if y is None:
        raise ValueError("this Classifier requires y to be passed, but the target y is None")
    if not isinstance(y, (list, tuple)):
        y = column_or_1d(y, warn=True)
        if y.dtype.kind == "f":
            assert_all_finite(y, allow_nan=True, input_name="y")
    return [None if _unknown(v) else v for v in y]


def _unknown(value: Any) -> bool:
    if value is None or value is pd.NA:
        return True
    if isinstance(value, str):
        return value == "-1"
    return bool(value == -1) or bool(pd.isna(value))
