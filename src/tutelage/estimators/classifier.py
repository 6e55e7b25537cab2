"""A classifier of texts, images or rows of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data
from torch import nn

from tutelage.estimators.base import Estimator
from tutelage.kinds.base import Kind
from tutelage.kinds.entries import unknown


@dataclass(eq=False, repr=False)
class Classifier(ClassifierMixin, Estimator):
    """A classifier of texts, images or rows of numbers, from a few labels and a large unlabelled pool.

    Each fit also trains a reference on the labels alone, and returns it where the pool more probably hurt than helped;
    see ``evidence_``.

    Args:
        method: name of a method, such as "drift", "mean_teacher" or "supervised" (`tutelage methods` lists them); a
            method with its own hyper-parameters, such as ``Drift(decay=0.9)``; or "auto", which tries many by
            cross-validation.
        encoder: encoder of texts, "minilm", a folder of a saved model, or a name on the Hub; None is "minilm". Encoder
            of images, "efficientnet-lite0", which None is, too. Rows of numbers have none.
        finetune: whether the encoder is trained, too; else a head is trained on its features.
        network: network in place of the encoder, trained whole: a module, which is copied, or a function that makes
            one. It gives logits, (n, c), of rows of numbers, or of images, (n, 3, h, w), in [0, 1]. For images also
            "small_cnn" or "wide_resnet", with random weights. None takes the encoder, or a perceptron for rows.
        size: height and width that images are resized to, in pixels, at least 8; for the encoder a square of at least
            32. None takes that of the images, capped for speed.
        flip: whether images are mirrored at random; False for digits and letters.
        label_model: label model, which turns votes into labels: "majority", "weighted", "data_programming" or others;
            None takes the default one.
        augment: function that makes a disturbed copy of each of a list of texts (or rows), such as back-translations,
            for methods that compare views; None drops words (or replaces numbers) at random.
        max_length: tokens read of each text, at least 2.
        steps: optimiser steps of each training, at least 1; None takes the network's default.
        lr: peak learning rate, above 0; None takes the network's default.
        folds: folds of the cross-validation, at least 2; None is 5 for a head on features, else 2.
        repeats: repeats of the cross-validation, at least 1; None is 2 for a head on features, else 1.
        evidence: whether cross-validation measures the gain from the pool; False returns the method's model unchecked.
        device: device to train on, as torch names it; "auto" is a GPU where there is one, else the CPU.
        cache: folder of the feature cache; None is a folder in the user's cache folder.
        random_state: random seed, a whole number in [0, 2**32).

    Attributes:
        classes_: classes, sorted, (c,).
        transduction_: labels of the rows of X, then of X_unlabelled, (n,): the given label, or the predicted one.
        evidence_: change of the accuracy by the pool, with its interval; None where it was not measured.
        returned_: model that was returned: "candidate", trained by the method, or "reference".
        method_: method of the candidate, with its hyper-parameters; for "auto" the method that was chosen.
        tried_: attempts of "auto", the best first; empty for other methods.
        history_: points of the candidate's training, by step: losses, and statistics of the pseudo-labels.
        votes_: statistics of the rules: coverage, overlap, conflict, accuracies; only where votes were given.

    In a `GridSearchCV` a parameter of the method is searched by giving methods, such as
    ``{"method": [Drift(decay=0.9), Drift(decay=0.99)]}``, and unlabelled items have -1.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> y[100:] = -1
    >>> model = Classifier("mean_teacher", steps=50, folds=2, repeats=1).fit(X, y)
    >>> model.predict(X[:3]).tolist()
    [0, 1, 2]
    """

    _: KW_ONLY
    encoder: str | None = None
    finetune: bool = False
    network: str | nn.Module | Callable[[], nn.Module] | None = None
    size: tuple[int, int] | None = None
    flip: bool = True
    label_model: str | None = None
    augment: Callable[[list[Any]], list[Any]] | None = None
    max_length: int = 128

    def fit(self, X: Any, y: Any = None, X_unlabelled: Any = None, votes: Any = None) -> Classifier:
        """Fit on labelled and unlabelled items, or on items that rules have voted on.

        Args:
            X: n items: rows of numbers, (n, d), or (n, ...) with a network of the user's; texts, as a list, an array
                or a data frame's column; or images, as a list of encoded images (bytes) or of `Path`, or as an array
                of uint8, (n, h, w, 3) or (n, h, w).
            y: labels, (n,); -1 or None is unlabelled. With votes, these clean labels are not learnt: they choose the
                stopping point and give the evidence.
            X_unlabelled: further items without labels, as X.
            votes: labels that rules vote for, (n, rules); -1 or None abstains.

        Raises:
            ValueError: there is no label and no vote, or only one class; a class has one label; or features are not
                finite.
        """
        if y is None and votes is None:
            raise ValueError("this Classifier requires y to be passed, but the target y is None")
        kind: Any = self._kind(X)
        items = self._items(kind, X, reset=True)
        labels = labels_of([-1] * len(items) if y is None else y)
        if len(items) != len(labels):
            raise ValueError(f"X has {len(items)} {kind.words.things}, but y has {len(labels)} labels")
        given = np.array([label for label in labels if label is not None])
        if len(given):
            check_classification_targets(given)
        train, more = kind.values(items, labels, votes), None
        if X_unlabelled is not None:
            rest = self._items(kind, X_unlabelled, "X_unlabelled")
            more = kind.values(rest, [None] * len(rest), argument="X_unlabelled")
        data = kind.learn(train, more, None, self.evidence)
        self.classes_ = np.unique(given) if len(given) else np.array(data.classes)
        self._fit(kind, data, self.augment)
        if votes is not None:
            self.votes_ = data.weak
        elif hasattr(self, "votes_"):
            del self.votes_  # of an earlier fit
        self.transduction_ = np.empty(len(labels) + (0 if more is None else len(more)), dtype=self.classes_.dtype)
        open_rows = np.ones(len(self.transduction_), dtype=bool)
        open_rows[: len(labels)] = ~train.known
        self.transduction_[~open_rows] = given
        if open_rows.any():
            self.transduction_[open_rows] = self.classes_[self._model.probabilities(data.items.pool).argmax(1)]
        return self

    def _items(self, kind: Kind, X: Any, argument: str = "X", reset: bool = False) -> Any:
        """Items of a kind made of Python values.

        Raises:
            ValueError: a value is no item of this kind.
        """
        if not kind.of_numbers:
            items: Any = kind.given(X, argument)
            return items
        return validate_data(
            self, X, dtype=np.float32, allow_nd=self.network is not None, ensure_min_samples=2 if reset else 1,
            reset=reset,
        )  # fmt: skip

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of each class, (n, c), with columns in the order of ``classes_``."""
        check_is_fitted(self)
        return self._model.probabilities(self._items(self._fitted_kind, X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy on the labelled items, in [0, 1].

        Args:
            X: items, as in `fit`.
            y: labels, (n,); items of label -1 or None are left out.
            sample_weight: weights of the items, (n,).

        Raises:
            ValueError: no item has a label, or X and y differ in length.
        """
        predicted, labels = self.predict(X), labels_of(y)
        check_consistent_length(predicted, labels, sample_weight)
        known = np.array([label is not None for label in labels], dtype=bool)
        if not known.any():
            raise ValueError("y has no label to score on: every one is -1 or None")
        given = np.array([label for label in labels if label is not None])
        weight = None if sample_weight is None else np.asarray(sample_weight)[known]
        return float(accuracy_score(given, predicted[known], sample_weight=weight))

    def predict(self, X: Any) -> np.ndarray:
        """Most probable class of each item, (n,)."""
        check_is_fitted(self)
        labels: np.ndarray = self.classes_[self.predict_proba(X).argmax(1)]
        return labels


def labels_of(y: Any) -> list[Any]:
    """List of labels, (n,); None where a label is missing: -1, "-1", None or NaN.

    >>> labels_of(["spam", -1, None, "ham"])
    ['spam', None, None, 'ham']
    """
    if not isinstance(y, (list, tuple)):
        y = column_or_1d(y, warn=True)
        if y.dtype.kind == "f":
            assert_all_finite(y, allow_nan=True, input_name="y")
    return [None if unknown(v) else v for v in y]
