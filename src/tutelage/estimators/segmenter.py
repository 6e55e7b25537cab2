"""The scikit-learn face for masks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import nn

from tutelage import model as saving
from tutelage.data.sources import cache_folder
from tutelage.fit import build, defaults
from tutelage.fit.build import Items
from tutelage.fit.evidence import Evidence
from tutelage.fit.fit import fit, without_pool
from tutelage.fit.recorded import Gains, recorded_prior
from tutelage.kinds.arguments import as_method, as_pictures, joined, where
from tutelage.methods import Method
from tutelage.modalities.images.decoding import Size
from tutelage.modalities.images.masks import nearest, read_masks
from tutelage.modalities.images.reader import PixelReader, size_for
from tutelage.model import Model
from tutelage.tasks import Segmentation
from tutelage.tasks.segmentation import mean_iou, overlaps


class Segmenter(BaseEstimator):
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
        classes: their number; None is one more than the largest value.
        steps, lr, folds, repeats, evidence, device, random_state: as of `Classifier`.

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

    def __init__(
        self,
        method: str | Method = "dmt",
        *,
        network: nn.Module | Callable[[], nn.Module] | None = None,
        size: tuple[int, int] | None = None,
        flip: bool = True,
        void: Sequence[int] = (),
        classes: int | None = None,
        steps: int | None = None,
        lr: float | None = None,
        folds: int | None = None,
        repeats: int | None = None,
        evidence: bool = True,
        device: str = "auto",
        random_state: int = 0,
    ) -> None:
        self.method = method
        self.network = network
        self.size = size
        self.flip = flip
        self.void = void
        self.classes = classes
        self.steps = steps
        self.lr = lr
        self.folds = folds
        self.repeats = repeats
        self.evidence = evidence
        self.device = device
        self.random_state = random_state

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
        pictures, sizes = as_pictures(X)
        size = self.size or size_for("unet", sizes)
        ids, classes = self._masks(y, sizes, size)
        known = np.asarray((ids >= 0).any((1, 2)))
        if known.sum() < 1 + self.evidence:
            few = "no mask" if not known.any() else "one mask; the evidence needs two: give one more, or evidence=False"
            raise ValueError(f"y has {few}")
        ids = ids[known]
        if len(there := np.unique(ids[ids >= 0])) < 2:
            raise ValueError(f"y must have pixels of two classes, got {there.tolist()}")
        pool = where(pictures, ~known)
        if X_unlabelled is not None:
            pool = joined(pool, as_pictures(X_unlabelled)[0])
        task = Segmentation(classes)
        items = Items(task, where(pictures, known), ids.ravel().astype(np.int64), pool)
        method = without_pool(as_method(self.method), pool)
        own = self.network
        make = partial(copy.deepcopy, own) if isinstance(own, nn.Module) else own
        reader = PixelReader("unet", size, self.flip, make=make)
        device = defaults.pick_device(self.device)
        problem = build.read(items, reader, method.views, False, cache_folder(), device)
        if self.network is not None:
            build.require_logits(problem)
        counts = (self.steps, self.lr, self.folds, self.repeats, self.evidence)
        training, plan = defaults.how("pixels", int(self.random_state), *counts)
        if self.steps is None:
            training = defaults.long_enough(training, method.settled(task, weak=False), problem)
        kind = defaults.kind_of_record("segmentation", network="unet")
        gains = partial(Gains.recorded, kind=kind)
        outcome = fit(problem, method, training, recorded_prior(method.name, kind), plan, gains=gains)
        self.classes_ = np.arange(classes)
        self._model = Model(self.classes_.tolist(), outcome.network.cpu(), reader)
        self.evidence_: Evidence | None = outcome.evidence
        self.returned_ = outcome.returned
        self.method_, self.tried_ = outcome.method, outcome.tried
        self.history_ = outcome.history
        return self

    def _masks(self, y: Any, sizes: np.ndarray, size: Size, classes: int | None = None) -> tuple[np.ndarray, int]:
        """Class numbers of masks at a size, -1 = void or no mask, (n, h, w), and the number of classes."""
        if y is None:
            raise ValueError("y must be masks, got None")
        if len(y) != len(sizes):
            raise ValueError(f"X has {len(sizes)} images, but y has {len(y)} masks")
        if all(mask is None for mask in y):
            raise ValueError("y has no mask")
        masks = [mask if mask is None or isinstance(mask, (bytes, Path)) else np.asarray(mask) for mask in y]
        classes = self.classes if classes is None else classes
        found = read_masks(masks, size, file="y", sizes=sizes, void=tuple(self.void), classes=classes)
        return found.ids, found.classes

    def predict(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """The class of each pixel, (n, h, w), as large as the images; a list of (h, w) where their sizes differ."""
        check_is_fitted(self)
        pictures, sizes = as_pictures(X)
        maps = [nearest(labels, size) for labels, size in zip(self._maps(pictures), sizes, strict=True)]
        return np.stack(maps) if len(np.unique(sizes, axis=0)) == 1 else maps

    def _maps(self, pictures: Any) -> np.ndarray:
        """The class of each pixel, (n, h, w), at the size that the images are brought to."""
        assert isinstance(self._model.reader, PixelReader)
        found = np.zeros((len(pictures), *self._model.reader.size), dtype=np.int64)
        for part in self._model.maps(pictures):
            found[part.numbers] = part.labels
        return found

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of each pixel's classes, (n, h, w, c), at the size that the images are brought to."""
        check_is_fitted(self)
        pictures, _ = as_pictures(X)
        assert isinstance(self._model.reader, PixelReader)
        return self._model.probabilities(pictures).reshape(len(pictures), *self._model.reader.size, -1)

    def score(self, X: Any, y: Any) -> float:
        """Mean IoU over the classes that occur, in [0, 1], at the size that the images are brought to."""
        check_is_fitted(self)
        pictures, sizes = as_pictures(X)
        guess = self._maps(pictures)
        ids, _ = self._masks(y, sizes, (guess.shape[1], guess.shape[2]), len(self.classes_))
        pixels = np.full(len(guess), guess[0].size)
        return mean_iou(overlaps(guess.ravel(), ids.ravel(), pixels, len(self.classes_)))

    def save(self, folder: str | Path) -> None:
        """Write the fitted model into a folder that `tutelage.load` reads."""
        check_is_fitted(self)
        saving.save(self._model, Path(folder))
