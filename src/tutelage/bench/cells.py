"""A cell of a table: a data set, how much is known of its labels, and a seed that draws them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tutelage.bench.protocol import DataSet, Protocol, Setting
from tutelage.bench.sets import Cut, Part, load
from tutelage.data import Examples, Features
from tutelage.data.sources import cache_folder
from tutelage.data.tables import DataError
from tutelage.distil import noise
from tutelage.fit import build, defaults
from tutelage.fit.build import Data, Items, disturbed_rows, on_features
from tutelage.fit.defaults import long_enough
from tutelage.fit.problem import Problem
from tutelage.methods import Method
from tutelage.modalities import READERS
from tutelage.modalities.base import Encodes, Reader
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.images.networks import load_backbone
from tutelage.modalities.images.reader import BACKBONE, ImageReader, PixelReader, size_for
from tutelage.ops.checks import one_of
from tutelage.train import Training, predict

Predictions = tuple[np.ndarray, np.ndarray]
"""Class numbers of the units of the part to score on, and of the pool."""

TRANSITIONS = {"symmetric": noise.symmetric, "leaning": noise.leaning, "next_class": noise.next_class}
"""Noise by name; its rate follows, in %."""


@dataclass(frozen=True)
class Drawn:
    """A data set with the labels that a seed draws.

    Attributes:
        labelled: items, their labels perhaps noisy; rest: the pool; test: to be scored on.
        covered, target: weak labels of the pool, as in `build.Items`.
    """

    cut: Cut
    labelled: Part
    rest: Part
    covered: np.ndarray | None = None
    target: np.ndarray | None = None

    @property
    def test(self) -> Part:
        return self.cut.test


def draw(data: DataSet, setting: Setting, root: Path, seed: int) -> Drawn:
    """Draw the labels of a cell; ValueError where the data set has not what the setting asks for."""
    cut = load(data, root, seed)
    learn, rng = cut.learn, np.random.default_rng(seed)
    if setting.weak:
        if cut.covered is None:
            raise ValueError(f"{data.name} has no weak labels: name their column")
        return Drawn(cut, learn.subset(np.arange(0)), learn, cut.covered, cut.target)
    if setting.noise is not None:
        learn = replace(learn, y=_noisy(cut, setting.noise, seed))
    known = learn.labelled()
    if setting.labels is None:
        chosen = rng.permutation(known)
    elif (learn.counts == 1).all():
        classes = np.unique(learn.y[known])
        chosen = np.concatenate([rng.permutation(known[learn.y[known] == c])[: setting.labels] for c in classes])
    else:
        chosen = rng.permutation(known)[: setting.labels]
    rest = np.setdiff1d(np.arange(len(learn)), chosen)
    return Drawn(cut, learn.subset(chosen), cut.learn.subset(rest))


def _noisy(cut: Cut, name: str, seed: int) -> np.ndarray:
    if name in cut.noisy:
        return cut.noisy[name]
    kind, _, rate = name.partition(" ")
    one_of("noise", kind, (*TRANSITIONS, *cut.noisy))
    return noise.corrupt(cut.learn.y, TRANSITIONS[kind](cut.task.classes, float(rate) / 100), seed)


@dataclass(frozen=True)
class Cell:
    """What every method of a cell gets: the same labels, weights, batches and steps.

    Attributes:
        training: of every network, with the cell's seed.
        scored: the items to be scored on, as a network sees them.
    """

    protocol: Protocol
    data: DataSet
    drawn: Drawn
    problem: Problem
    training: Training
    scored: Examples

    def predict(self, network: nn.Module) -> Predictions:
        found = [predict(network, self.problem.task, e).argmax(1).numpy() for e in (self.scored, self.problem.pool)]
        return found[0], found[1]

    def steps(self, method: Method) -> Training:
        """As many steps as the protocol says, the same for all; without, as many as the library takes."""
        return self.training if self.protocol.steps.steps else long_enough(self.training, method, self.problem)


@lru_cache(maxsize=2)
def cell(protocol: str, root: Path, data: DataSet, setting: Setting, seed: int, views: Collection[str]) -> Cell:
    """A cell of a protocol, given as JSON; ``views`` of its pool are made."""
    asked = Protocol.model_validate_json(protocol)
    drawn, how = draw(data, setting, root, seed), asked.steps
    reader = _reader(data, how.network, drawn.cut)
    trained = "features" if reader is None or how.network == "head" else reader.kind
    changes = {k: v for k in ("steps", "lr", "weight_decay") if (v := getattr(how, k)) is not None}
    training = replace(defaults.DEFAULTS[trained][0], seed=seed, **changes)
    if reader is None:
        return Cell(asked, data, drawn, *_on_rows(drawn, training, views))
    items = Items(
        drawn.cut.task, drawn.labelled.items, drawn.labelled.y, drawn.rest.items, drawn.rest.y,
        drawn.covered, drawn.target,
    )  # fmt: skip
    cache, whole = cache_folder() / "features", how.network != "head"
    problem = build.read(items, reader, views, whole, cache)
    frozen = isinstance(reader, Encodes) and not whole
    scored = reader.features(drawn.test.items, cache) if frozen else reader.examples(drawn.test.items)  # type: ignore[attr-defined]
    return Cell(asked, data, drawn, problem, training, scored)


def _on_rows(drawn: Drawn, training: Training, views: Collection[str]) -> tuple[Problem, Training, Examples]:
    labelled, rest, test = (torch.as_tensor(p.items) for p in (drawn.labelled, drawn.rest, drawn.test))
    strong = disturbed_rows(rest, None) if "strong" in views else ()
    data = Data(
        drawn.cut.task, Features(labelled), drawn.labelled.y, Features(rest), drawn.rest.y, strong,
        drawn.covered, drawn.target,
    )  # fmt: skip
    return on_features(data, per_feature=True), training, Features(test)


def _reader(data: DataSet, network: str, cut: Cut) -> Reader | None:
    if data.kind == "features":
        return None
    if data.kind in ("texts", "sentences"):
        return READERS["text" if data.kind == "texts" else "words"](load_encoder())
    if network in ("head", "whole"):
        side = data.size[0] if data.size else size_for(BACKBONE, np.array([cut.size]))[0]
        return ImageReader(load_backbone(side), data.flip)
    if not all(cut.size):
        raise DataError(f"{data.name}: size must be given for encoded images and the network {network!r}")
    return PixelReader(network, cut.size, data.flip)
