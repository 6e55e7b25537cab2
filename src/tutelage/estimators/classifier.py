"""The scikit-learn face."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from tutelage import model as saving
from tutelage.data import Features
from tutelage.data.sources import cache_folder
from tutelage.data.tables import as_label
from tutelage.fit import build, defaults
from tutelage.fit.build import Items
from tutelage.fit.evidence import Evidence
from tutelage.fit.fit import fit, without_pool
from tutelage.fit.problem import Problem
from tutelage.fit.recorded import Gains, recorded_prior
from tutelage.kinds.arguments import Kind, as_method, as_pictures, as_texts, as_votes, joined, kind_of, labels_of, where
from tutelage.methods import Method
from tutelage.modalities.base import Reader
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.images.networks import load_backbone
from tutelage.modalities.images.reader import BACKBONE, ImageReader, PixelReader, size_for
from tutelage.modalities.text.reader import TextReader
from tutelage.model import Model
from tutelage.ops.checks import one_of
from tutelage.tasks import Classification
from tutelage.weak import RawVotes, labels_of_votes


class Classifier(ClassifierMixin, BaseEstimator):
    """A classifier from a few labels and a large unlabelled pool.

    Each fit also trains the labels-only reference and returns it when the pool more probably
    hurt than helped; see ``evidence_``.

    Args:
        method: a name, such as "drift", "mean_teacher" or "supervised" (`tutelage methods` lists them), a method with
            its own hyper-parameters, such as ``Drift(decay=0.9)``; or "auto", which tries many by cross-validation.
        encoder: what reads texts: "minilm" (the default), a folder, or a name on the Hub; of images it is
            "efficientnet-lite0". Not used for arrays.
        finetune: train the encoder too, not only a head on its features.
        network: a module (copied) or a function that makes one, giving logits (n, c): of arrays, or of images,
            (n, 3, h, w) in [0, 1]; of images also "small_cnn" or "wide_resnet", trained from nothing.
        size: height and width that images are brought to; None takes their own, but not more than is fast.
        flip: a mirrored image is of the same class; False for digits and letters.
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
        method_: the method with nothing left open: of "auto" the one it chose; tried_: what that tried, best first.
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
        encoder: str | None = None,
        finetune: bool = False,
        network: str | nn.Module | Callable[[], nn.Module] | None = None,
        size: tuple[int, int] | None = None,
        flip: bool = True,
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
        self.size = size
        self.flip = flip
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
        kind = kind_of(X)
        X = self._read(X, kind)
        y = labels_of([-1] * len(X) if y is None else y)
        if len(X) != len(y):
            raise ValueError(f"X has {len(X)} {'rows' if kind == 'array' else f'{kind}s'}, but y has {len(y)} labels")
        raw = None if votes is None else as_votes(votes, len(X))
        known = np.array([v is not None for v in y])
        given = np.array([v for v in y if v is not None])
        coded = self._classes(given, raw)
        pool = where(X, ~known)
        if X_unlabelled is not None:
            pool = joined(pool, self._read(X_unlabelled, kind, again=True))
        method = without_pool(as_method(self.method), pool)
        items = Items(Classification(len(self.classes_)), where(X, known), coded, pool)
        if raw is not None:
            items = self._voted(items, raw, known)
        problem, reader = self._problem(items, method, kind)
        if self.network is not None:
            build.require_logits(problem)
        trained = "features" if reader is None or not self._whole(kind) else reader.kind
        counts = (self.steps, self.lr, self.folds, self.repeats, self.evidence)
        training, plan = defaults.how(trained, int(self.random_state), *counts)
        if self.steps is None:
            training = defaults.long_enough(training, method.settled(items.task, raw is not None), problem)
        named = self.network if isinstance(self.network, str) else None if self.network is None else "own"
        record = defaults.kind_of_record(kind, raw is not None, self.finetune, named if kind == "image" else None)
        gains = partial(Gains.recorded, kind=record)
        outcome = fit(problem, method, training, recorded_prior(method.name, record), plan, gains=gains)
        self._model = Model(list(self.classes_), outcome.network.cpu(), reader, self._cache())
        self.evidence_: Evidence | None = outcome.evidence
        self.returned_ = outcome.returned
        self.method_, self.tried_ = outcome.method, outcome.tried
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

    def _read(self, X: Any, kind: Kind, again: bool = False) -> Any:
        """X as a list of texts, or as images or rows; ValueError where it is not of the kind."""
        if kind == "text":
            return as_texts(X)
        if kind == "image":
            pictures, sizes = as_pictures(X)
            if not again:
                self._size = self.size or size_for(BACKBONE if self.network is None else "small_cnn", sizes)
            return pictures
        return validate_data(
            self, X, dtype=np.float32, allow_nd=self.network is not None, ensure_min_samples=1 if again else 2,
            reset=not again,
        )  # fmt: skip

    def _whole(self, kind: Kind) -> bool:
        """Whether a network is trained on the items themselves, not on an encoder's features."""
        return self.finetune or (kind == "image" and self.network is not None)

    def _problem(self, items: Items, method: Method, kind: Kind) -> tuple[Problem, Reader | None]:
        device = defaults.pick_device(self.device)
        if kind != "array":
            reader = (self._image_reader() if kind == "image" else self._text_reader()).to(device)
            problem = build.read(
                items, reader, method.views, self.finetune, self._cache(), device, disturb=self.augment
            )
            return problem, reader
        if self.finetune:
            raise ValueError("finetune=True needs texts or images; for arrays give a network")
        rows, rest = torch.as_tensor(items.labelled).to(device), torch.as_tensor(items.pool).to(device)
        strong = build.disturbed_rows(rest, self.augment) if "strong" in method.views else ()
        data = build.Data(
            items.task, Features(rows), items.y, Features(rest), strong=strong,
            covered=items.covered, target=items.target, device=device,
        )  # fmt: skip
        return build.on_features(data, per_feature=True, network=self._own()), None

    def _own(self) -> Callable[[], nn.Module] | None:
        """What makes the user's network, where there is one."""
        own = self.network
        if isinstance(own, str):
            raise ValueError(f"network={own!r} is for images, of uint8; for arrays give a module or a function")
        return partial(copy.deepcopy, own) if isinstance(own, nn.Module) else own

    def _text_reader(self) -> TextReader:
        if self.network is not None:
            raise ValueError("network is for arrays and images; for texts give an encoder")
        return TextReader(load_encoder(self.encoder or "minilm", self.max_length))

    def _image_reader(self) -> ImageReader | PixelReader:
        if self.augment is not None and (self.network is not None or self.finetune):
            raise ValueError("augment is not used where a network is trained on the images themselves; leave it out")
        if self.network is None:
            one_of("encoder", self.encoder or BACKBONE, (BACKBONE,))
            if self._size[0] != self._size[1]:
                raise ValueError(f"size must be a square for {BACKBONE}, got {self._size}")
            return ImageReader(load_backbone(self._size[0]), self.flip)
        if self.finetune:
            raise ValueError("finetune=True is of the encoder; a network is always trained whole")
        if isinstance(self.network, str):
            one_of("network", self.network, ("small_cnn", "wide_resnet"))
            return PixelReader(self.network, self._size, self.flip)
        return PixelReader("own", self._size, self.flip, make=self._own())

    def _cache(self) -> Path:
        return Path(self.cache) if self.cache else cache_folder() / "features"

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of each class, (n, c), columns as in ``classes_``."""
        check_is_fitted(self)
        reader = self._model.reader
        kind: Kind = "array" if reader is None else "text" if isinstance(reader, TextReader) else "image"
        return self._model.probabilities(self._read(X, kind, again=True))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row, (n,)."""
        check_is_fitted(self)
        labels: np.ndarray = self.classes_[self.predict_proba(X).argmax(1)]
        return labels

    def save(self, folder: str | Path) -> None:
        """Write the fitted model into a folder that `tutelage.load` reads."""
        check_is_fitted(self)
        saving.save(self._model, Path(folder))
