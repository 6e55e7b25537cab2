"""A segmenter of images: a class for each pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted
from torch import nn

from tutelage.estimators.base import Estimator
from tutelage.fit.auto import Auto
from tutelage.methods import Method


@dataclass(eq=False, repr=False)
class Segmenter(Estimator):
    """Gives each pixel of an image a class, from a few masks and a large pool of images.

    Each fit also trains the labels-only reference and returns it when the pool more probably hurt than
    helped; see ``evidence_``.

    Args:
        method: a name, such as "dmt" or "cutmix_mean_teacher" (`tutelage methods` lists them), or a method with its
            own hyper-parameters.
        network: None is a U-Net; or a module (copied), or a function that makes one, giving logits (n, c, h, w) of
            images (n, 3, h, w) in [0, 1].
        size: height and width that images are brought to; None takes their own, but not more than is fast.
        flip: a mirrored image is as likely as the image.
        void: values of masks where nothing is known, besides -1.
        classes: number of the classes; None is one more than the largest value.
        steps, lr, folds, repeats, evidence, device, cache, random_state: as of every estimator, see
            `tutelage.estimators.base.Estimator`.

    Attributes:
        classes_: the class numbers, (c,).
        evidence_: what the pool changed in mean IoU, with interval; None where not gathered.
        returned_: "candidate" or "reference".
        method_, tried_: the method with nothing left open; what "auto" tried, best first.
        history_: losses and pseudo-label counts over the candidate's training.

    >>> X = np.zeros((4, 16, 16, 3), dtype=np.uint8)
    >>> X[:, 4:9] = 255
    >>> segmenter = Segmenter("mean_teacher", steps=40, lr=0.01, evidence=False)
    >>> segmenter.fit(X[:2], X[:2, ..., 0] // 255, X[2:]).predict(X[:1])[0, ::3, 0].tolist()
    [0, 0, 1, 0, 0, 0]
    """

    method: str | Method | Auto = "dmt"
    _: KW_ONLY
    network: nn.Module | Callable[[], nn.Module] | None = None
    size: tuple[int, int] | None = None
    flip: bool = True
    void: Sequence[int] = ()
    classes: int | None = None

    def fit(self, X: Any, y: Any, X_unlabelled: Any = None) -> Segmenter:
        """Fit on images with masks and images without.

        Args:
            X: n images: encoded (bytes), `Path`, or an array of uint8, (n, h, w, 3) or (n, h, w).
            y: their masks: an array of class numbers (n, h, w), -1 = nothing is known; or a list of PNG files (bytes
                or `Path`) or arrays (h, w), None for an image without one.
            X_unlabelled: more images without masks.

        Raises:
            ValueError: no mask, a mask of another size than its image, a value outside the classes, or one class.
        """
        if y is None:
            raise ValueError("y must be masks, got None")
        kind: Any = self._kind(X)
        train, more = kind.values(kind.given(X), y), None
        if X_unlabelled is not None:
            more = kind.values(kind.given(X_unlabelled, "X_unlabelled"), None, argument="X_unlabelled")
        data = kind.learn(train, more, None, self.evidence)
        self.classes_ = np.arange(len(data.classes))
        self._fit(kind, data)
        return self

    def predict(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """The class of each pixel, (n, h, w), as large as the images; a list of (h, w) where their sizes differ."""
        check_is_fitted(self)
        kind: Any = self._fitted_kind
        maps: list[np.ndarray] = kind.labels_of(self._model, kind.values(kind.given(X), None))
        return np.stack(maps) if len({labels.shape for labels in maps}) == 1 else maps

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of each pixel's classes, (n, h, w, c), at the size that the images are brought to."""
        check_is_fitted(self)
        pictures: Any = self._fitted_kind.given(X)
        size = self._model.reader.size  # type: ignore[attr-defined]
        return self._model.probabilities(pictures).reshape(len(pictures), *size, -1)

    def score(self, X: Any, y: Any) -> float:
        """Mean IoU over the classes that occur, in [0, 1], at the size that the images are brought to."""
        check_is_fitted(self)
        if y is None:
            raise ValueError("y must be masks, got None")
        kind: Any = self._fitted_kind
        test = kind.values(kind.given(X), y)
        items, truth = kind.truth(test, self._model)
        return float(kind.measured(self._model, self._model.examples(items), items, truth).scores["miou"])
