"""What is fitted to record the estimators: which one, its options, and what it is given, without the library.

Options that must be made anew are functions; ENCODER stands for the folder that `worlds.write_encoder` wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from recorded import worlds

ENCODER = "ENCODER"
FOLDS: dict[str, Any] = {"folds": 2, "repeats": 1, "device": "cpu"}
ALONE: dict[str, Any] = {"evidence": False, "device": "cpu"}


@dataclass(frozen=True)
class Given:
    """What an estimator is fitted on, and new items, with their truth, to predict.

    Attributes:
        fit: arguments of its ``fit``.
    """

    fit: dict[str, Any]
    new: Any
    truth: Any


@dataclass(frozen=True)
class Case:
    """A fit of an estimator.

    Attributes:
        method: a name; with ``fields`` the method's class of that name has those.
        network: makes the option of that name.
        backbone: the packaged weights of the extra "images" are needed.
    """

    estimator: str
    given: Callable[[], Given]
    method: str = "drift"
    options: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    network: Callable[[], nn.Module] | None = None
    backbone: bool = False


def _some(y: np.ndarray, known: int) -> np.ndarray:
    """The first labels (or masks); -1 beyond."""
    return np.where((np.arange(len(y)) < known).reshape(-1, *[1] * (y.ndim - 1)), y, -1)


def rows() -> Given:
    d = worlds.digits()
    x, y = np.concatenate([d.labelled, d.pool[:100]]), np.append(d.y, np.full(100, -1))
    return Given({"X": x, "y": y, "X_unlabelled": d.pool[100:]}, d.new, d.new_y)


def rows_without_pool() -> Given:
    d = worlds.digits()
    return Given({"X": d.labelled, "y": d.y}, d.new, d.new_y)


def rows_with_votes() -> Given:
    d = worlds.digits()
    x, y = np.concatenate([d.labelled, d.pool]), np.append(d.y, np.full(len(d.pool), -1))
    return Given({"X": x, "y": y, "votes": worlds.votes_on(np.append(d.y, d.truth), 10)}, d.new, d.new_y)


def rows_with_votes_alone() -> Given:
    d = worlds.digits()
    return Given({"X": d.pool, "votes": worlds.votes_on(d.truth, 10)}, d.new, d.new_y)


def all_rows_noisy() -> Given:
    d = worlds.digits()
    rng = np.random.default_rng(4)
    y = np.where(rng.random(len(d.truth)) < 0.2, rng.integers(0, 10, len(d.truth)), d.truth)
    return Given({"X": d.pool, "y": y}, d.new, d.new_y)


def texts() -> Given:
    train, pool, new = worlds.texts(16, 1), worlds.texts(60, 2), worlds.texts(30, 3)
    fit = {"X": train.text.tolist(), "y": train.label.to_numpy(), "X_unlabelled": pool.text.tolist()}
    return Given(fit, new.text.tolist(), new.label.to_numpy())


def texts_with_votes() -> Given:
    pool, new = worlds.texts(60, 2), worlds.texts(30, 3)
    votes = worlds.votes_on((pool.label == "sport").to_numpy(dtype=int), 2)
    named = np.array(["food", "sport", None], dtype=object)[votes]
    return Given({"X": pool.text.tolist(), "votes": named}, new.text.tolist(), new.label.to_numpy())


def images() -> Given:
    drawn, new = worlds.squares(30, 0, 12, 12), worlds.squares(20, 1, 12, 12)
    return Given({"X": drawn.pixels, "y": _some(drawn.y, 12)}, new.pixels, new.y)


def encoded_images() -> Given:
    drawn, new = worlds.squares(30, 0, 20, 24), worlds.squares(20, 1, 24, 20)
    fit = {"X": [worlds.png(p) for p in drawn.pixels], "y": _some(drawn.y, 12)}
    return Given(fit, [worlds.png(p) for p in new.pixels], new.y)


def sentences() -> Given:
    train, new = worlds.tagged(52, 1), worlds.tagged(20, 2)
    y = [tags if i < 12 else None for i, tags in enumerate(train.tags)]
    return Given({"X": train.tokens.tolist(), "y": y}, new.tokens.tolist(), new.tags.tolist())


def sentences_with_distant_tags() -> Given:
    given, train = sentences(), worlds.tagged(52, 1)
    return Given(given.fit | {"distant": worlds.distant(train.tags.tolist())}, given.new, given.truth)


def sentences_with_distant_tags_alone() -> Given:
    given = sentences_with_distant_tags()
    return Given({k: v for k, v in given.fit.items() if k != "y"}, given.new, given.truth)


def scenes() -> Given:
    drawn, new = worlds.squares(24, 0, coloured=True), worlds.squares(10, 1, coloured=True)
    return Given({"X": drawn.pixels, "y": _some(drawn.masks, 8)}, new.pixels, new.masks)


def scenes_with_void() -> Given:
    """Encoded images, their masks' first rows void, of another size than they are shown in."""
    drawn, new = worlds.squares(24, 0, 20, 26), worlds.squares(10, 1, 20, 26)
    drawn.masks[:, :2] = 9
    masks = [worlds.png(m) if i < 8 else None for i, m in enumerate(drawn.masks)]
    return Given({"X": [worlds.png(p) for p in drawn.pixels], "y": masks}, new.pixels, new.masks)


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def perceptron() -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 10)))


def convolution() -> nn.Module:
    return seeded(
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.Flatten(),
            nn.Linear(72, 2),
        )
    )  # fmt: skip


def convolution_of_pixels() -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Conv2d(3, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1)))


_ROWS = {"steps": 24, **FOLDS}
_TEXTS = {"steps": 24, "encoder": ENCODER, **FOLDS}
_WHOLE = {"steps": 6, "lr": 1e-3, "encoder": ENCODER, "finetune": True, **FOLDS}
_SMALL = {"steps": 10, "lr": 0.003, "network": "small_cnn", **FOLDS}
_PIXELS = {"steps": 10, "lr": 0.003, **FOLDS}

CASES: dict[str, Case] = {
    "rows, drift": Case("Classifier", rows, options=_ROWS),
    "rows, drift, seed 3": Case("Classifier", rows, options=_ROWS | {"random_state": 3, "lr": 0.01}),
    "rows, drift, no evidence": Case("Classifier", rows, options=ALONE | {"steps": 24}),
    "rows, fixmatch": Case("Classifier", rows, "fixmatch", _ROWS, {"threshold": 0.3}),
    "rows, mean_teacher, own network": Case("Classifier", rows, "mean_teacher", _ROWS, network=perceptron),
    "rows, dmt, own network": Case("Classifier", rows, "dmt", ALONE | {"steps": 24}, {"rounds": 2}, perceptron),
    "rows, poisson_learning": Case("Classifier", rows, "poisson_learning", _ROWS),
    "rows, auto": Case("Classifier", rows, "auto", _ROWS, {"budget": 40}),
    "rows, no pool": Case("Classifier", rows_without_pool, options=_ROWS),
    "rows, steps by default": Case("Classifier", rows, "self_training", ALONE | {"lr": 1e-3}, {"rounds": 1}),
    "rows, votes": Case("Classifier", rows_with_votes, options=_ROWS),
    "rows, votes, gce": Case("Classifier", rows_with_votes, "gce", _ROWS | {"label_model": "weighted"}),
    "rows, votes alone": Case("Classifier", rows_with_votes_alone, "uda", _ROWS | {"label_model": "majority"}),
    "rows, all noisy": Case("Classifier", all_rows_noisy, "self_distillation", _ROWS, {"rounds": 2}),
    "texts, drift": Case("Classifier", texts, options=_TEXTS),
    "texts, uda": Case("Classifier", texts, "uda", _TEXTS, {"threshold": 0.52}),
    "texts, votes alone": Case("Classifier", texts_with_votes, "cosine", _TEXTS, {"rounds": 2}),
    "texts, whole, drift": Case("Classifier", texts, options=_WHOLE),
    "texts, whole, drift, no evidence": Case("Classifier", texts, options=_WHOLE | {"evidence": False}),
    "texts, whole, uda": Case("Classifier", texts, "uda", _WHOLE | {"max_length": 8}, {"threshold": 0.5}),
    "images, drift": Case("Classifier", images, options=_SMALL),
    "images, fixmatch": Case("Classifier", images, "fixmatch", _SMALL | {"flip": False}, {"threshold": 0.6}),
    "images, mean_teacher, own network": Case(
        "Classifier", encoded_images, "mean_teacher", _PIXELS | {"size": (12, 12)}, network=convolution
    ),
    "images, wide_resnet": Case(
        "Classifier", images, "supervised", ALONE | {"steps": 3, "lr": 0.001, "network": "wide_resnet"}
    ),
    "images, backbone, fixmatch": Case(
        "Classifier", encoded_images, "fixmatch", _ROWS | {"size": (32, 32)}, {"threshold": 0.6}, backbone=True
    ),
    "images, backbone, whole": Case(
        "Classifier", encoded_images, "mean_teacher", ALONE | {"size": (32, 32), "finetune": True, "steps": 2},
        backbone=True,
    ),
    "sentences, drift": Case("Tagger", sentences, options=_TEXTS | {"steps": 60}),
    "sentences, uda": Case("Tagger", sentences, "uda", _TEXTS | {"evidence": False}, {"threshold": 0.3}),
    "sentences, distant, drift": Case("Tagger", sentences_with_distant_tags, options=_TEXTS | {"steps": 60}),
    "sentences, distant, bond": Case("Tagger", sentences_with_distant_tags, "bond", _TEXTS | {"evidence": False}),
    "sentences, distant alone": Case("Tagger", sentences_with_distant_tags_alone, "supervised", _TEXTS),
    "sentences, whole, mean_teacher": Case("Tagger", sentences, "mean_teacher", _WHOLE),
    "sentences, whole, bond": Case("Tagger", sentences_with_distant_tags, "bond", _WHOLE | {"evidence": False}),
    "scenes, dmt": Case("Segmenter", scenes, "dmt", _PIXELS | {"steps": 12}, {"rounds": 2}),
    "scenes, cutmix_mean_teacher": Case(
        "Segmenter", scenes, "cutmix_mean_teacher", _PIXELS, {"threshold": 0.4, "decay": 0.9}
    ),
    "scenes, void, drift": Case(
        "Segmenter", scenes_with_void, "drift", ALONE | {"steps": 6, "void": (9,), "size": (16, 16), "flip": False}
    ),
    "scenes, own network": Case(
        "Segmenter", scenes, "fixmatch", _PIXELS | {"lr": 0.03}, {"threshold": 0.4}, network=convolution_of_pixels
    ),
    "distiller": Case("SelfDistiller", all_rows_noisy, "auto"),
    "distiller, rounds": Case("SelfDistiller", all_rows_noisy, "rounds", {"rounds": 3}),
    "label errors": Case("find_label_errors", all_rows_noisy, ""),
}  # fmt: skip
