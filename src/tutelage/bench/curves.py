"""Learning curves: labels are asked for, learnt, and scored at each budget."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from tutelage import ask
from tutelage.bench.cells import Cell, Drawn, celled, draw, score, with_labels
from tutelage.bench.learners import trained
from tutelage.bench.protocol import DataSet, Loop, Protocol, Setting
from tutelage.fit.build import rows_of
from tutelage.fit.fit import threads
from tutelage.fit.held_out import FoldPredictions, Folds, choose, repeated_folds
from tutelage.fit.labels_only import Choice, Probe
from tutelage.methods import class_named
from tutelage.train import predict

VERSION = 1
"""Version of the code of this file and of the selectors; raised by hand when a change alters results."""

FOLDS = 5
"""Folds of the cross-validation that chooses the penalty, as many as of the learner "labels only", which repeats it."""

UNTUNED: Choice = ("", 1e-2)
"""Scaling and strength of that model where no class has two labels, so that nothing can be held out."""


class Learnt(NamedTuple):
    """A model in the loop.

    Attributes:
        network: the network.
        right: whether it is right on each label that was held out, (k,); empty where none was.
        choice: scaling and strength that the labels-only model took.
    """

    network: nn.Module
    right: np.ndarray
    choice: Choice = UNTUNED


@dataclass(frozen=True)
class Campaign:
    """A cell in which labels are asked for.

    Attributes:
        protocol, root, data, setting, seed, device: as `cells.cell` takes them.
        loop: who asks and who learns.
        start: the data set with the first labels.
        first: the cell with these.
    """

    protocol: Protocol
    root: Path
    data: DataSet
    setting: Setting
    seed: int
    loop: Loop
    start: Drawn
    first: Cell
    device: str = "cpu"

    @staticmethod
    def of(
        protocol: Protocol, root: Path, data: DataSet, setting: Setting, seed: int, loop: Loop, device: str = "cpu"
    ) -> Campaign:
        """The campaign with the labels that the seed draws."""
        drawn = draw(data, setting, root, seed)
        first = celled(protocol, root, data, setting, seed, _views(loop), drawn, device)
        if first.problem.probe is None:
            raise ValueError(f"{data.name}: curves need fixed features")
        return Campaign(protocol, root, data, setting, seed, loop, drawn, first, device)

    @cached_property
    def rows(self) -> np.ndarray:
        """Features of all items to learn from, (n, d)."""
        probe, drawn = self.first.problem.probe, self.start
        assert probe is not None and drawn.chosen is not None and drawn.others is not None
        found = np.empty((len(drawn.cut.learn), probe.x.shape[1]), dtype=np.float32)
        found[drawn.chosen], found[drawn.others] = probe.x, np.asarray(rows_of(self.first.problem.pool))
        return found

    @property
    def y(self) -> np.ndarray:
        """Class numbers of all items to learn from, (n,), which are told of those that are asked for."""
        return self.start.cut.learn.y

    def learnt(self, labelled: np.ndarray) -> Learnt:
        """The model of some labels, (k,)."""
        if self.loop.method is None:
            probe = self.first.problem.probe
            assert probe is not None
            return labels_only(replace(probe, x=self.rows[labelled], y=self.y[labelled]), self.seed)
        drawn = with_labels(self.start.cut, labelled)
        given = celled(
            self.protocol, self.root, self.data, self.setting, self.seed, _views(self.loop), drawn, self.device
        )
        network = trained(given, class_named(self.loop.method)().settled(drawn.cut.task, False))
        return Learnt(network, np.empty(0))

    def score(self, model: Learnt) -> float | None:
        """Score of a model on the part to score on, in [0, 1]."""
        task = self.first.problem.task
        guess = predict(model.network, task, self.first.scored).argmax(1).cpu().numpy()
        return score(task, guess, self.start.test)

    def probabilities(self, model: Learnt, labelled: np.ndarray) -> np.ndarray:
        """Probabilities of all items to learn from, (n, c), or for the variation ratio by several models, (m, n, c)."""
        if self.loop.by != "variation":
            return self.said(model.network)
        return ask.committee(self.rows, labelled, self.y[labelled], self.first.problem.task.classes, self.seed)

    def said(self, network: nn.Module) -> np.ndarray:
        """Probabilities of all items to learn from by a network, (n, c)."""
        task, p, drawn = self.first.problem.task, self.first.problem, self.start
        found = np.empty((len(self.rows), task.classes))
        for index, examples in ((drawn.chosen, p.labelled), (drawn.others, p.pool)):
            found[index] = predict(network, task, examples).double().softmax(-1).cpu().numpy()
        return found

    def ask(self, model: Learnt, labelled: np.ndarray, count: int) -> ask.Selection:
        """The items that are asked for next."""
        said, seed = self.probabilities(model, labelled), 1000 * self.seed + len(labelled)
        return ask.select(self.loop.by, self.rows, said, labelled, count, seed, self.y[labelled])

    def steps(self) -> Iterator[tuple[np.ndarray, Learnt]]:
        """Numbers of the labelled items, (k,), and the model of them, at each budget."""
        labelled, budgets = np.asarray(self.start.chosen), self.setting.budgets
        for budget, following in zip(budgets, (*budgets[1:], 0), strict=True):
            with threads(self.first.problem.threads):
                model = self.learnt(labelled)
            yield labelled, model
            if following:
                labelled = np.append(labelled, self.ask(model, labelled, following - budget).index)


def run(
    protocol: Protocol, root: Path, data: DataSet, setting: Setting, seed: int, loop: Loop, device: str = "cpu"
) -> dict[str, Any]:
    """Ask, learn and score at each budget; the values of a line of results.

    "score" is the area under the curve over the numbers of labels, divided by their range: a mean score in [0, 1].
    "curve" has for each budget the number of labels, the score, and the mean of the held-out scores of the labels and
    their number, by which the penalty was chosen; of methods there are none.

    Args:
        protocol: the protocol.
        root: folder of the data sets.
        data: the data set.
        setting: its budgets.
        seed: seed of the first labels, of the selector and of the training.
        loop: who asks and who learns.
        device: where networks are trained, as torch names it.
    """
    began = time.perf_counter()
    campaign = Campaign.of(protocol, root, data, setting, seed, loop, device)
    curve: list[list[float | int | None]] = []
    labelled = np.empty(0, dtype=np.int64)
    for labelled, model in campaign.steps():
        held = round(float(model.right.mean()), 6) if len(model.right) else None
        curve.append([len(labelled), campaign.score(model), held, len(model.right)])
    at, scores = np.array([float(c[0] or 0) for c in curve]), np.array([float(c[1] or 0) for c in curve])
    counts = np.bincount(campaign.y[labelled], minlength=campaign.first.problem.task.classes)
    return {
        "score": float(np.trapezoid(scores, at) / (at[-1] - at[0])), "curve": curve, "rarest": int(counts.min()),
        "seconds": round(time.perf_counter() - began, 3),
        "labelled": len(labelled), "pool": len(campaign.rows), "scored": len(campaign.start.test),
    }  # fmt: skip


def labels_only(probe: Probe, seed: int) -> Learnt:
    """Logistic regression whose scaling and penalty are chosen by the labels, with their held-out scores.

    A class with one label is learnt in every fold and never held out, so that one rare class does not leave the penalty
    untuned, as it would where every class is dealt out.

    Args:
        probe: the labels and their features.
        seed: seed of the folds.
    """
    y = probe.y
    several = np.flatnonzero(np.bincount(y)[y] > 1)
    if not len(several) or len(np.unique(y)) < 2:
        return Learnt(probe.network(UNTUNED), np.empty(0))
    alone = np.setdiff1d(np.arange(len(y)), several)
    dealt = repeated_folds(y[several], FOLDS, 1, seed)
    folds: Folds = [(np.append(several[index], alone), several[out]) for index, out in dealt]
    tried: dict[str, FoldPredictions] = {}
    for choice in probe.choices:
        parts = probe.held_out(folds, choice)
        tried[repr(choice)] = [(out, said) for (_, out), (_, said) in zip(dealt, parts, strict=True)]
    name, honest = choose(tried, y[several])
    right = np.zeros(len(several))
    for index, said in honest:
        right[index] = said["probabilities"].argmax(1) == y[several][index]
    best = next(choice for choice in probe.choices if repr(choice) == name)
    return Learnt(probe.network(best), right, best)


def _views(loop: Loop) -> tuple[str, ...]:
    """Names of the pool's views that the method in the loop reads."""
    return () if loop.method is None else tuple(sorted(class_named(loop.method).views))
