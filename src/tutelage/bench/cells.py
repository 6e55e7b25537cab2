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
from tutelage.bench.sets import Cut, Part, kind_for, load
from tutelage.data import Examples
from tutelage.data.sources import cache_folder
from tutelage.distil import noise
from tutelage.fit.build import Build, Items, rows_of
from tutelage.fit.defaults import long_enough
from tutelage.fit.problem import Plan, Problem
from tutelage.kinds.base import Kind
from tutelage.methods import Method
from tutelage.modalities.base import Encodes
from tutelage.modalities.base import features as features_of
from tutelage.ops.checks import one_of
from tutelage.tasks import Task
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
    if setting.weak or setting.gold:
        if cut.covered is None:
            raise ValueError(f"{data.name} has no weak labels: name their column")
        if setting.weak:
            return Drawn(cut, learn.subset(np.arange(0)), learn, cut.covered, cut.target)
        chosen = np.intersect1d(cut.covered, learn.labelled())
        if not len(chosen):
            raise ValueError(f"{data.name} has no gold labels of the items with weak ones")
        return Drawn(cut, learn.subset(chosen), learn.subset(np.setdiff1d(np.arange(len(learn)), chosen)))
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
        kind: the kind of data, with the options that the protocol gives it.
        training: of every network, with the cell's seed.
        scored: the items to be scored on, as a network sees them.
        root: folder of the data sets.
    """

    protocol: Protocol
    data: DataSet
    setting: Setting
    kind: Kind
    drawn: Drawn
    problem: Problem
    training: Training
    scored: Examples
    root: Path

    def predict(self, network: nn.Module) -> Predictions:
        found = [predict(network, self.problem.task, e).argmax(1).numpy() for e in (self.scored, self.problem.pool)]
        return found[0], found[1]

    def score(self, guess: Predictions) -> tuple[float | None, float | None]:
        """The scores of class numbers on the part to score on and on the pool."""
        task, parts = self.problem.task, (self.drawn.test, self.drawn.rest)
        scored, pool = (score(task, g, part) for g, part in zip(guess, parts, strict=True))
        return scored, pool

    def plan(self) -> Plan:
        """How the library gathers the evidence of a fit of what is trained."""
        return self.kind.defaults.plan

    def steps(self, method: Method) -> Training:
        """As many steps as the protocol says, the same for all; without, as many as the library takes."""
        return self.training if self.protocol.steps.steps else long_enough(self.training, method, self.problem)


def encoded(data: DataSet, root: Path) -> tuple[Cut, torch.Tensor, torch.Tensor]:
    """A data set of texts or images, and their features by the frozen encoder, (n, d), computed once.

    Returns:
        The data set; the features of the part to learn from, and of the part to score on.
    """
    cut, reader = load(data, root), kind_for(data).reader()
    if not isinstance(reader, Encodes) or not reader.encodes:
        raise ValueError(f"{data.name} has no encoder: its rows are features")
    parts = reader.encoding([cut.learn.items, cut.test.items], cache_folder() / "features").features()
    learn, test = map(rows_of, parts)
    return cut, learn, test


def score(task: Task, guess: np.ndarray, part: Part) -> float | None:
    """None where there is nothing to score on, or not all of it is known."""
    if not len(part) or len(guess) != len(part.y) or ((part.y < 0).any() and not task.dense):
        return None
    return float(task.right(guess, part.y, part.counts).mean())


@lru_cache(maxsize=2)
def cell(protocol: str, root: Path, data: DataSet, setting: Setting, seed: int, views: Collection[str]) -> Cell:
    """A cell of a protocol, given as JSON; ``views`` of its pool are made."""
    asked = Protocol.model_validate_json(protocol)
    drawn, how = draw(data, setting, root, seed), asked.steps
    kind = kind_for(data, how.network)
    changes = {k: v for k in ("steps", "lr", "weight_decay") if (v := getattr(how, k)) is not None}
    training = replace(kind.defaults.training, seed=seed, **changes)
    items = Items(
        drawn.cut.task, drawn.labelled.items, drawn.labelled.y, drawn.rest.items, drawn.rest.y,
        drawn.covered, drawn.target,
    )  # fmt: skip
    reader = kind.reader(drawn.cut.size if kind.network_name and all(drawn.cut.size) else None)
    cache = cache_folder() / "features"
    problem = Build(reader, views, kind.defaults, kind.whole, cache).of(items).problem()
    frozen = isinstance(reader, Encodes) and not kind.whole
    scored = features_of(reader, drawn.test.items, cache) if frozen else reader.examples(drawn.test.items)  # type: ignore[arg-type]
    return Cell(asked, data, setting, kind, drawn, problem, training, scored, root)
