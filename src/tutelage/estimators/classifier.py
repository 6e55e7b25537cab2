"""A classifier of texts, images or rows of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
from torch import nn

from tutelage.estimators.base import Estimator
from tutelage.kinds.base import Kind
from tutelage.kinds.entries import unknown


@dataclass(eq=False, repr=False)
class Classifier(ClassifierMixin, Estimator):
    """A classifier from a few labels and a large unlabelled pool.

    Each fit also trains the labels-only reference and returns it when the pool more probably
    hurt than helped; see ``evidence_``.

    Args:
        method: a name, such as "drift", "mean_teacher" or "supervised" (`tutelage methods` lists them), a method with
            its own hyper-parameters, such as ``Drift(decay=0.9)``; or "auto", which tries many by cross-validation.
        encoder: of texts "minilm" (the default), a folder, or a name on the Hub; of images "efficientnet-lite0". Not
            used for rows of numbers.
        finetune: train the encoder too, not only a head on its features.
        network: a module (copied) or a function that makes one, giving logits (n, c): of rows, or of images,
            (n, 3, h, w) in [0, 1]; of images also "small_cnn" or "wide_resnet", trained from nothing.
        size: height and width that images are brought to; None takes their own, but not more than is fast.
        flip: a mirrored image is of the same class; False for digits and letters.
        label_model: how votes become labels, "majority", "weighted", "data_programming" and others; None takes
            the default.
        augment: makes disturbed copies of a list of texts (or rows), such as back-translations, for
            methods that compare views; None drops words (or numbers) at random.
        max_length: tokens read of each text.
        steps, lr, folds, repeats, evidence, device, cache, random_state: as of every estimator, see
            `tutelage.estimators.base.Estimator`.

    Attributes:
        classes_: the labels, sorted, (c,).
        transduction_: label of every row of X, then of X_unlabelled: as given where known.
        evidence_: what the pool changed, with interval; None where not gathered.
        returned_: "candidate" or "reference".
        method_: the method with nothing left open; of "auto" the one it chose.
        tried_: what "auto" tried, best first.
        history_: losses and pseudo-label counts over the candidate's training.
        votes_: of the rules, where there were votes: coverage, overlap, conflict, accuracies.

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
        """Fit on labelled and unlabelled rows, or on rows that rules have voted on.

        Args:
            X: features (n, ...); n texts as a list, an array or a data frame's column; or n images, as a list of
                encoded ones (bytes) or of `Path`, or as an array of uint8, (n, h, w, 3) or (n, h, w).
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
        kind: Any = self._kind(X)
        items = self._items(kind, X)
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
        self.transduction_ = np.empty(len(labels) + (0 if more is None else len(more)), dtype=self.classes_.dtype)
        open_rows = np.ones(len(self.transduction_), dtype=bool)
        open_rows[: len(labels)] = ~train.known
        self.transduction_[~open_rows] = given
        if open_rows.any():
            self.transduction_[open_rows] = self.classes_[self._model.probabilities(data.items.pool).argmax(1)]
        return self

    def _items(self, kind: Kind, X: Any, argument: str = "X") -> Any:
        """Python values as items of a kind.

        Raises:
            ValueError: they are not.
        """
        if not kind.of_numbers:
            items: Any = kind.given(X, argument)
            return items
        first = argument == "X" and not hasattr(self, "_fitted_kind")
        return validate_data(
            self, X, dtype=np.float32, allow_nd=self.network is not None, ensure_min_samples=2 if first else 1,
            reset=first,
        )  # fmt: skip

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of each class, (n, c), columns as in ``classes_``."""
        check_is_fitted(self)
        return self._model.probabilities(self._items(self._fitted_kind, X))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row, (n,)."""
        check_is_fitted(self)
        labels: np.ndarray = self.classes_[self.predict_proba(X).argmax(1)]
        return labels


def labels_of(y: Any) -> list[Any]:
    """Labels as a list, None where unknown: -1, "-1", None or NaN.

    >>> labels_of(["spam", -1, None, "ham"])
    ['spam', None, None, 'ham']
    """
    if not isinstance(y, (list, tuple)):
        y = column_or_1d(y, warn=True)
        if y.dtype.kind == "f":
            assert_all_finite(y, allow_nan=True, input_name="y")
    return [None if unknown(v) else v for v in y]
