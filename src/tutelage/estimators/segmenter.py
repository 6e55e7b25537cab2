"""A segmenter of images: a class for each pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Annotated, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted
from torch import nn

from tutelage.estimators.base import Estimator
from tutelage.estimators.containers import apart, items_of
from tutelage.estimators.labels import groups_of
from tutelage.fit.auto import Auto
from tutelage.methods import Method
from tutelage.ops.checks import Range
from tutelage.ops.pages import Page, on_page
from tutelage.ops.said import warn
from tutelage.tables import Notes, Question

Side = Annotated[int, Range(16, 4096, whole=True)]
"""Height or width that images are resized to, in pixels."""


@dataclass(eq=False, repr=False)
class Segmenter(Estimator):
    """A segmenter, which gives each pixel of an image a class, from a few masks and a large pool of images.

    Each fit also trains a reference on the masks alone, and returns it where the pool more probably hurt than helped;
    see ``evidence_``.

    Args:
        method: name of a method, such as "dmt" or "cutmix_mean_teacher" (`tutelage methods` lists them); a method with
            its own hyper-parameters; or "auto", which tries many by cross-validation.
        network: module, which is copied, or function that makes one, which gives logits, (n, c, h, w), of images,
            (n, 3, h, w), in [0, 1]; None is a U-Net with random weights.
        size: height and width that images are resized to, in pixels, at least 16; None takes that of the images, capped
            for speed.
        flip: whether images are mirrored at random.
        void: mask values, besides -1, that mean an unknown class, in [0, 65535].
        classes: number of classes, at least 2; None is one more than the largest mask value.
        mask_values: mask values that mean the classes, in their order, such as (0, 255); other values are void. Empty
            takes values for class numbers.
        mask_colours: colours of the classes, in their order, such as ("#000000", "#ff0000"), where masks hold colours;
            other colours are void.
        masks_turned: whether masks of images that EXIF turns lie as the pixels are stored; None tells it by the sizes.
        steps: optimiser steps of each training, at least 1; None takes the network's default.
        lr: peak learning rate, above 0; None takes the network's default.
        folds: folds of the cross-validation, at least 2; None is 2.
        repeats: repeats of the cross-validation, at least 1; None is 1.
        evidence: whether cross-validation measures the gain from the pool; False returns the method's model unchecked.
        device: device to train on, as torch names it; "auto" is a GPU where there is one, else the CPU.
        amp: precision of products of matrices in a network trained whole: "float32", "bfloat16" or "auto", which a
            probe settles; None is float32.
        accumulate: number of parts of a step's batch, one after another, in a network that is trained whole, at least
            1; they save memory. A method whose loss couples the units of a batch is refused.
        compile: whether the blocks of a network that is trained whole are compiled.
        checkpoint_activations: whether the activations of a network that is trained whole are computed again in the
            backward pass, which saves memory.
        cache: folder of the feature cache, which a segmenter does not use.
        random_state: random seed, a whole number in [0, 2**32); a ``RandomState`` or a ``Generator`` of NumPy, from
            which each fit draws its seed; or None, for NumPy's own random state.
        copies: "once" gives equal items with equal labels one vote together; "each" gives each of them one; "off" takes
            nothing for a copy.
        verbose: True draws a bar while a fit goes on; or a function, called with the name of the work, the steps that
            are done, and all steps.

    Attributes:
        classes_: class numbers, (c,).
        evidence_: change of the mean IoU by the pool, with its interval; None where it was not measured.
        returned_: model that was returned: "candidate", trained by the method, or "reference".
        method_: method of the candidate, with its hyper-parameters; for "auto" the method that was chosen.
        tried_: attempts of "auto", the best first; empty for other methods.
        temperature_: 1; probabilities of pixels are the network's own.
        copies_: counts of labelled items that occur several times, of contradictions among their labels, and what the
            held-out score would have read with copies on both sides of a split; empty where there are none.
        partial_: whether the fit was stopped, by Ctrl-C: then the model is that of the labels alone, unchecked.
        history_: points of the candidate's training, by step: losses, and statistics of the pseudo-labels.
        warnings_: sentences that the fit warned with; `summary` holds them, too, with all that the fit compared.

    >>> X = np.zeros((4, 16, 16, 3), dtype=np.uint8)
    >>> X[:, 4:9] = 255
    >>> segmenter = Segmenter("mean_teacher", steps=40, lr=0.01, evidence=False)
    >>> segmenter.fit(X[:2], X[:2, ..., 0] // 255, X[2:]).predict(X[:1])[0, ::3, 0].tolist()
    [0, 0, 1, 0, 0, 0]
    """

    method: str | Method | Auto = "dmt"
    _: KW_ONLY
    network: nn.Module | Callable[[], nn.Module] | None = None
    size: tuple[Side, Side] | None = None
    flip: bool = True
    void: Sequence[int] = ()
    classes: Annotated[int, Range(2, 65536, whole=True)] | None = None
    mask_values: Sequence[int] = ()
    mask_colours: Sequence[str] = ()
    masks_turned: bool | None = None

    def fit(self, X: Any, y: Any = None, X_unlabelled: Any = None, groups: Any = None) -> Segmenter:
        """Fit on images with masks and images without.

        Args:
            X: n images: a list of encoded images (bytes) or of `Path`, or an array of uint8, (n, h, w, 3) or (n, h, w).
            y: n masks: an array of class numbers, (n, h, w), -1 is unknown; or a list of PNG files (bytes or `Path`) or
                arrays, (h, w), with None for an image without a mask.
            X_unlabelled: further images without masks, as X.
            groups: group of each image of X, (n,), such as a patient: images with masks of a group are held out
                together; None or NaN is a group of its own.

        Raises:
            ValueError: there is no mask, or only one class; a mask differs from its image in size; a value is none of
                the classes; or it is not clear what values or colours mean, and the message asks.
        """
        (X, y), X_unlabelled = apart(X, y), items_of(X_unlabelled)
        self._begin(X, y)
        with self._hearing():
            if y is None:
                raise ValueError("y must be masks, got None")
            kind: Any = self._kind(X)
            train, more = kind.values(kind.given(X), y), None
            train = replace(train, group=groups_of(groups, len(train)))
            if X_unlabelled is not None:
                more = kind.values(kind.given(X_unlabelled, "X_unlabelled"), None, argument="X_unlabelled")
            notes = _InPython()
            data = kind.learn(train, more, None, self.evidence, notes)
            notes.settle()
            for line in [*notes.lines, *(on_page(each.asks, each.page) for each in notes.questions)]:
                warn(line, stacklevel=2)
            self.classes_ = np.arange(len(data.classes))
            self._fit(kind, data)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        return tags

    def predict(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Class number of each pixel, (n, h, w), at the images' own size; a list of (h, w) where their sizes differ."""
        check_is_fitted(self)
        kind: Any = self._fitted_kind
        maps: list[np.ndarray] = kind.labels_of(self._model, kind.values(kind.given(items_of(X)), None))
        return np.stack(maps) if len({labels.shape for labels in maps}) == 1 else maps

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of each class for each pixel, (n, h, w, c), at the size that images are resized to."""
        check_is_fitted(self)
        pictures: Any = self._fitted_kind.given(items_of(X))
        size = self._model.reader.size  # type: ignore[attr-defined]
        return self._model.probabilities(pictures).reshape(len(pictures), *size, -1)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean IoU over the classes that occur, in [0, 1], at the size that images are resized to.

        Images without a mask, None in y, are left out.

        Raises:
            ValueError: no image has a mask.
        """
        check_is_fitted(self)
        X, y = apart(X, y)
        if y is None:
            raise ValueError("y must be masks, got None")
        kind: Any = self._fitted_kind
        test = kind.values(kind.given(X), y)
        if not test.known.any():
            raise ValueError("y has no mask to score on: every one is None")
        test = test.where(test.known)
        notes = _InPython()
        items, truth = kind.truth(test, self._model, notes)
        notes.settle()
        return float(kind.measured(self._model, self._model.examples(items), items, truth).scores["miou"])


class _InPython(Notes):
    """Notes whose questions name arguments of Python in place of options of the command line."""

    def ask(self, asks: str, *options: str, page: Page, halts: bool = False) -> None:
        """Note a question, unless it is noted already."""
        super().ask(asks, *Question(asks, options, page).in_python().options, page=page, halts=halts)
