"""The scikit-learn face."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
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

from tutelage import recipes, saving
from tutelage.data import Features
from tutelage.data.sources import cache_folder
from tutelage.data.tables import as_label
from tutelage.evidence import Evidence, recorded_prior
from tutelage.fitting import fit, without_pool
from tutelage.methods import METHODS, Method
from tutelage.models.readers import Reader, TextReader
from tutelage.models.text import load_encoder
from tutelage.ops.checks import one_of
from tutelage.problem import Problem
from tutelage.recipes import Items
from tutelage.saving import Model
from tutelage.tasks import Classification
from tutelage.weak import RawVotes, labels_of_votes


class Classifier(ClassifierMixin, BaseEstimator):
    """A classifier from a few labels and a large unlabelled pool.

    Each fit also trains the labels-only reference and returns it when the pool more probably
    hurt than helped; see ``evidence_``.

    Args:
        method: a name, such as "drift", "mean_teacher" or "supervised" (`tutelage methods` lists them),
            or a method with its own hyper-parameters, such as ``Drift(decay=0.9)``.
        encoder: what reads texts: "minilm", a folder, or a name on the Hub. Not used for arrays.
        finetune: train the encoder too, not only a head on its features.
        network: for arrays, a module (copied) or a function that makes one, giving logits (n, c).
        steps: optimiser steps of each training; None takes the default of the kind of input.
        lr: peak learning rate; None takes the default.
        folds, repeats: of the cross-validation behind the evidence; None takes the default.
        evidence: False skips it and returns the method's model unasked.
        label_model: how votes become labels, "majority", "weighted", "data_programming" and others; None takes
            the default.
        augment: makes disturbed copies of a list of texts (or rows), such as back-translations, for
            methods that compare views; None drops words (or features) at random.
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
        votes_: of the rules, where there were votes: coverage, overlap, conflict, accuracies.

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
        label_model: str | None = None,
        augment: Callable[[list[Any]], list[Any]] | None = None,
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
        self.label_model = label_model
        self.augment = augment
        self.max_length = max_length
        self.device = device
        self.cache = cache
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, X_unlabelled: Any = None, votes: Any = None) -> Classifier:
        """Fit on labelled and unlabelled rows, or on rows that rules have voted on.

        Args:
            X: features (n, ...), or n texts as a list, an array or a data frame's column.
            y: n labels; -1 (or None) = unlabelled. With votes, these clean labels are not learnt from but
                looked at: to stop early and for the evidence.
            X_unlabelled: more rows without labels.
            votes: labels given by rules, (n, rules), -1 (or None) = abstains.

        Raises:
            ValueError: no labels, one class only, a class with one label, features that are not finite, or
                no vote on any row.
        """
        if y is None and votes is None:
            raise ValueError("this Classifier requires y to be passed, but the target y is None")
        texts = is_text(X)
        if texts:
            X = as_texts(X)
        else:
            X = validate_data(self, X, dtype=np.float32, allow_nd=self.network is not None, ensure_min_samples=2)
        y = labels_of([-1] * len(X) if y is None else y)
        if len(X) != len(y):
            raise ValueError(f"X has {len(X)} {'texts' if texts else 'rows'}, but y has {len(y)} labels")
        raw = None if votes is None else as_votes(votes, len(X))
        known = np.array([v is not None for v in y])
        given = np.array([v for v in y if v is not None])
        coded = self._classes(given, raw)
        pool = self._pool(X, known, X_unlabelled, texts)
        labelled = [X[i] for i in np.flatnonzero(known)] if texts else X[known]
        method = without_pool(as_method(self.method), pool)
        items = Items(Classification(len(self.classes_)), labelled, coded, pool)
        if raw is not None:
            items = self._voted(items, raw, known)
        problem, reader = self._problem(items, method, texts)
        training, plan = recipes.how(
            texts and self.finetune,
            int(self.random_state),
            self.steps,
            self.lr,
            self.folds,
            self.repeats,
            self.evidence,
        )
        kind = "weak " * (raw is not None) + ("text" if texts else "array")
        outcome = fit(problem, method, training, recorded_prior(method.name, kind), plan)
        self._model = Model(list(self.classes_), outcome.network.cpu(), reader, self._cache())
        self.evidence_: Evidence | None = outcome.evidence
        self.returned_ = outcome.returned
        self.history_ = outcome.history
        self.transduction_ = np.empty(len(known) + len(pool) - int((~known).sum()), dtype=self.classes_.dtype)
        unknown = np.append(~known, np.ones(len(self.transduction_) - len(known), dtype=bool))
        self.transduction_[~unknown] = given
        if unknown.any():
            self.transduction_[unknown] = self.predict(pool)
        return self

    def _classes(self, given: np.ndarray, votes: RawVotes | None) -> np.ndarray:
        """Set ``classes_`` from labels and votes, and give the labels' class numbers."""
        if votes is None and len(given) == 0:
            raise ValueError("y has no label: all are -1 or None")
        if len(given):
            check_classification_targets(given)
        self.classes_ = np.unique(given)
        if votes is not None and not len(given):  # no clean label: the rules say what there is
            voted = votes.labels()
            numbers = all(v.isascii() and v.isdigit() and v == str(int(v)) for v in voted)
            self.classes_ = np.unique([int(v) for v in voted] if numbers else voted)
        if not len(self.classes_):
            raise ValueError("y has no label and votes has no vote: nothing can be learnt")
        if len(self.classes_) < 2:
            raise ValueError(f"y needs labels of at least 2 classes, got 1 class: {self.classes_.tolist()[0]!r}")
        coded = np.searchsorted(self.classes_, given) if len(given) else np.empty(0, dtype=np.int64)
        if self.evidence and (1 in (counts := np.bincount(coded, minlength=len(self.classes_)))):
            lonely = self.classes_.tolist()[int(np.flatnonzero(counts == 1)[0])]
            raise ValueError(
                f"class {lonely!r} has one label; the evidence needs two of each class: "
                "label one more, or set evidence=False"
            )
        return coded

    def _voted(self, items: Items, raw: RawVotes, known: np.ndarray) -> Items:
        """The items with labels made of votes."""
        votes = raw.code([str(as_label(c)) for c in self.classes_])
        clean = np.full(len(known), -1)
        clean[known] = items.y
        probabilities, self.votes_ = labels_of_votes(votes, clean, self.label_model)
        covered = np.flatnonzero(votes.covered[~known])
        if not len(covered):
            raise ValueError("votes has no vote on any unlabelled row")
        return replace(items, covered=covered, target=probabilities[~known][covered])

    def _pool(self, X: Any, known: np.ndarray, more: Any, texts: bool) -> Any:
        if texts:
            return [X[i] for i in np.flatnonzero(~known)] + (as_texts(more) if more is not None else [])
        if more is None:
            return X[~known]
        more = validate_data(self, more, dtype=np.float32, allow_nd=self.network is not None, reset=False)
        return np.concatenate([X[~known], more])

    def _problem(self, items: Items, method: Method, texts: bool) -> tuple[Problem, Reader | None]:
        device = recipes.pick_device(self.device)
        if texts:
            encoder = load_encoder(self.encoder, self.max_length)
            encoder.model.to(device)
            reader = TextReader(encoder)
            return recipes.read(
                items, reader, method, self.finetune, self._cache(), device, disturb=self.augment
            ), reader
        if self.finetune:
            raise ValueError("finetune=True needs texts; for arrays give a network")
        rows, rest = torch.as_tensor(items.labelled).to(device), torch.as_tensor(items.pool).to(device)
        make = None
        if self.network is not None:
            own = self.network
            make = (lambda: copy.deepcopy(own)) if isinstance(own, nn.Module) else own
        strong = recipes.disturbed_rows(rest, self.augment) if "strong" in method.views else ()
        data = recipes.Data(
            items.task, Features(rows), items.y, Features(rest), strong=strong,
            covered=items.covered, target=items.target, device=device,
        )  # fmt: skip
        return recipes.on_features(data, per_feature=True, network=make), None

    def _cache(self) -> Path:
        return Path(self.cache) if self.cache else cache_folder() / "features"

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of each class, (n, c), columns as in ``classes_``."""
        check_is_fitted(self)
        if self._model.reader is not None:
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


def as_votes(votes: Any, rows: int) -> RawVotes:
    """Votes as a table of labels, None where a rule abstains; ValueError where they do not fit."""
    table = np.asarray(votes, dtype=object)
    if table.ndim != 2 or len(table) != rows or not table.size:
        raise ValueError(f"votes must be of shape ({rows}, rules), got {table.shape}")
    columns = votes.columns if isinstance(votes, pd.DataFrame) else range(table.shape[1])
    raw = RawVotes.of("votes", [str(c) for c in columns], table.tolist())
    for vote in pd.unique(table.ravel()):
        if isinstance(vote, float) and not vote.is_integer() and not np.isnan(vote):
            i, j = np.argwhere(table == vote)[0]
            raise ValueError(f"votes[{i}, {j}] must be a label or -1, got {vote}")
    return raw


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
    return [None if unknown(v) else v for v in y]


def unknown(value: Any) -> bool:
    """Whether a label says that there is none: -1, "-1", None or NaN."""
    if value is None or value is pd.NA:
        return True
    if isinstance(value, str):
        return value == "-1"
    return bool(value == -1) or bool(pd.isna(value))
