"""A cell of a benchmark: a data set, a setting of how much is known of its labels, and a seed that draws them."""

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
"""Predicted class numbers of the units of the part to score on, and of those of the pool, (units,) each."""

TRANSITIONS = {"symmetric": noise.symmetric, "leaning": noise.leaning, "next_class": noise.next_class}
"""Transition matrices of noise, by name; in a setting the noise rate follows the name, in %."""


@dataclass(frozen=True)
class Drawn:
    """A data set with the labels that a seed draws.

    Attributes:
        cut: the data set as it was read.
        labelled: items with labels, perhaps noisy ones.
        rest: items of the pool.
        covered, target: numbers of the pool's items that have weak labels, and these labels, as in `build.Items`.
        chosen, others: numbers of the labelled items and of the pool's in the part to learn from.
    """

    cut: Cut
    labelled: Part
    rest: Part
    covered: np.ndarray | None = None
    target: np.ndarray | None = None
    chosen: np.ndarray | None = None
    others: np.ndarray | None = None

    @property
    def test(self) -> Part:
        """The part to score on."""
        return self.cut.test


def draw(data: DataSet, setting: Setting, root: Path, seed: int) -> Drawn:
    """Draw the labels of a cell.

    Args:
        data: the data set.
        setting: how much is known of the labels.
        root: folder of the data sets.
        seed: seed of the draw.

    Raises:
        ValueError: the data set lacks the labels that the setting asks for.
    """
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
    if setting.budgets:
        chosen = _start(data, learn, known, setting.budgets[0], rng)
    elif setting.labels is None:
        chosen = rng.permutation(known)
    elif (learn.counts == 1).all():
        classes = np.unique(learn.y[known])
        chosen = np.concatenate([rng.permutation(known[learn.y[known] == c])[: setting.labels] for c in classes])
    else:
        chosen = rng.permutation(known)[: setting.labels]
    return with_labels(cut, chosen, learn)


def with_labels(cut: Cut, chosen: np.ndarray, learn: Part | None = None) -> Drawn:
    """A data set with the labels of chosen items.

    Args:
        cut: the data set as it was read.
        chosen: numbers of the labelled items in the part to learn from, (k,).
        learn: that part with the labels as they are given; None takes the true ones.
    """
    rest = np.setdiff1d(np.arange(len(cut.learn)), chosen)
    return Drawn(cut, (learn or cut.learn).subset(chosen), cut.learn.subset(rest), chosen=chosen, others=rest)


def _start(data: DataSet, learn: Part, known: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Items that have a label before any is asked for, (count,): one of each class, and others drawn from all."""
    if not (learn.counts == 1).all() or len(known) < len(learn):
        raise ValueError(f"{data.name}: budgets need one label of each item to learn from")
    classes = np.unique(learn.y)
    if count < len(classes):
        raise ValueError(f"{data.name}: budgets must begin with {len(classes)} labels at least, one of each class")
    first = [rng.choice(known[learn.y[known] == c]) for c in classes]
    return np.append(first, rng.permutation(np.setdiff1d(known, first))[: count - len(first)])


def _noisy(cut: Cut, name: str, seed: int) -> np.ndarray:
    """Noisy class numbers of the part to learn from, (units,): recorded ones, or drawn by a transition matrix."""
    if name in cut.noisy:
        return cut.noisy[name]
    kind, _, rate = name.partition(" ")
    one_of("noise", kind, (*TRANSITIONS, *cut.noisy))
    return noise.corrupt(cut.learn.y, TRANSITIONS[kind](cut.task.classes, float(rate) / 100), seed)


@dataclass(frozen=True)
class Cell:
    """A cell, which is the same for every method: the same labels, initial weights, batches and steps.

    Attributes:
        protocol: the protocol that the cell is of.
        data: the data set.
        setting: how much is known of the labels.
        kind: the kind of data, with the options that the protocol gives it.
        drawn: the data set with the labels that the seed draws.
        problem: the labels and the pool, as a fit takes them.
        training: hyper-parameters of the training of every network, with the cell's seed.
        scored: the items to score on, as a network reads them.
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
        """Class numbers that a network predicts for the part to score on and for the pool, (units,) each."""
        found = [
            predict(network, self.problem.task, e).argmax(1).cpu().numpy() for e in (self.scored, self.problem.pool)
        ]
        return found[0], found[1]

    def score(self, guess: Predictions) -> tuple[float | None, float | None]:
        """Scores of predictions on the part to score on and on the pool, in [0, 1]; None where `score` is."""
        task, parts = self.problem.task, (self.drawn.test, self.drawn.rest)
        scored, pool = (score(task, g, part) for g, part in zip(guess, parts, strict=True))
        return scored, pool

    def plan(self) -> Plan:
        """The library's usual plan of the evidence for this kind of data."""
        return self.kind.defaults.plan

    def steps(self, method: Method) -> Training:
        """Training of a method: with the protocol's number of steps, or with the library's where it names none."""
        return self.training if self.protocol.steps.steps else long_enough(self.training, method, self.problem)


def encoded(data: DataSet, root: Path) -> tuple[Cut, torch.Tensor, torch.Tensor]:
    """A data set of texts or images, and their features by the frozen encoder, which are computed once.

    Args:
        data: the data set.
        root: folder of the data sets.

    Returns:
        The data set; the features of the part to learn from, (n, d); those of the part to score on, (m, d).
    """
    cut, reader = load(data, root), kind_for(data).reader()
    if not isinstance(reader, Encodes) or not reader.encodes:
        raise ValueError(f"{data.name} has no encoder: its rows are features")
    reader, cache = reader.fitted(cut.learn.items), cache_folder() / "features"
    parts = reader.encoding([cut.learn.items, cut.test.items], cache).features()
    learn, test = map(rows_of, parts)
    return cut, learn, test


def score(task: Task, guess: np.ndarray, part: Part) -> float | None:
    """Score of predictions on a part, in [0, 1]; None where the part is empty or not all of its labels are known.

    Args:
        task: task that defines the score.
        guess: predicted class numbers, (units,).
        part: the part, with its class numbers.
    """
    if not len(part) or len(guess) != len(part.y) or ((part.y < 0).any() and not task.dense):
        return None
    return float(task.right(guess, part.y, part.counts).mean())


@lru_cache(maxsize=2)
def cell(
    protocol: str, root: Path, data: DataSet, setting: Setting, seed: int, views: Collection[str], device: str = "cpu"
) -> Cell:
    """A cell of a protocol; the last two cells are kept.

    Args:
        protocol: the protocol as JSON.
        root: folder of the data sets.
        data: the data set.
        setting: how much is known of the labels.
        seed: seed of the labels and of the training.
        views: names of the pool's views that are made.
        device: where networks are trained, as torch names it.
    """
    asked = Protocol.model_validate_json(protocol)
    return celled(asked, root, data, setting, seed, views, draw(data, setting, root, seed), device)


def celled(
    asked: Protocol, root: Path, data: DataSet, setting: Setting, seed: int, views: Collection[str], drawn: Drawn,
    device: str = "cpu",
) -> Cell:  # fmt: skip
    """A cell with labels that are drawn already; the arguments are those of `cell`.

    Args:
        asked: the protocol.
        drawn: the data set with its labels.
    """
    how = asked.steps
    kind = kind_for(data, how.network)
    changes = {k: v for k in ("steps", "lr", "weight_decay") if (v := getattr(how, k)) is not None}
    training = replace(kind.defaults.training, seed=seed, **changes)
    items = Items(
        drawn.cut.task, drawn.labelled.items, drawn.labelled.y, drawn.rest.items, drawn.rest.y,
        drawn.covered, drawn.target,
    )  # fmt: skip
    reader = kind.reader(drawn.cut.size if kind.network_name and all(drawn.cut.size) else None)
    cache = cache_folder() / "features"
    building = Build(reader.to(device), views, kind.defaults, kind.whole, cache, device).of(items)
    problem, reader = building.problem(), building.build.reader
    frozen = isinstance(reader, Encodes) and not kind.whole
    if frozen and isinstance(reader, Encodes):
        scored: Examples = features_of(reader, drawn.test.items, cache, device)
    else:
        scored = reader.examples(drawn.test.items, device)
    return Cell(asked, data, setting, kind, drawn, problem, training, scored, root)
