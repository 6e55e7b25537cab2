"""A method on a problem: trained on all labels, or once for each fold on all labels but the fold's."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from torch import nn

from tutelage.fit.held_out import FoldPredictions, Folds
from tutelage.fit.problem import Problem
from tutelage.fit.setup import Setup, StoredPart
from tutelage.memory import Memory
from tutelage.methods import Method
from tutelage.train import Run, predict, train
from tutelage.train.run import restored
from tutelage.types import Logits

STUDENT = "student."
"""Beginning of the names of a student's tensors in a fold's part of the store."""


@dataclass(frozen=True)
class Contender:
    """A method on a problem: trained on all labels, or once for each fold on all labels but the fold's.

    Attributes:
        name: of its parts in the store and in what is told of progress.
        method: the method, settled.
        setup: the problem that it is trained on, and how.
        start: where each of its trainings begins: a trained network, left as it is, which must not have seen a label
            of this problem; or a contender that is trained first. One of the same labelled examples learns, before each
            fold, that fold's labels alone; one of other examples, such as those with weak labels, learns them once.
            None begins with random weights.
        begins: whether other trainings begin with its students: then each fold's is kept.
    """

    name: str
    method: Method
    setup: Setup
    start: nn.Module | Contender | None = None
    begins: bool = False

    def held_out(self, parts: Folds) -> tuple[FoldPredictions, list[tuple[float, float]]]:
        """Held-out predictions of each fold, and the mean held-out score by step.

        Args:
            parts: folds of the labelled examples.
        """
        p, predicted, curves = self.setup.problem, [], []
        for i, (index, out) in enumerate(parts, start=1):
            tensors, curve = self._fold(index, i, len(parts))
            said = {name: t.numpy() for name, t in tensors.items() if not name.startswith(STUDENT)}
            predicted.append((p.labelled.units(out), said))
            curves.append(curve)
        mean = [(points[0][0], float(np.mean([v for _, v in points]))) for points in zip(*curves, strict=True)]
        return predicted, mean

    def own(self, honest: FoldPredictions) -> FoldPredictions:
        """Held-out predictions by which the network is calibrated: the honest ones."""
        return honest

    def _fold(self, index: np.ndarray, number: int, of: int) -> StoredPart:
        """One fold's part in the store, see `_fold_trained`."""
        name = f"{slug(self.name)}-fold{number:02d}"
        return self.setup.store.once(name, partial(self._fold_trained, index, number, of))

    def _fold_trained(self, index: np.ndarray, number: int, of: int, path: Path | None) -> StoredPart:
        """What is said of the units that a fold holds out, with the student where it is kept, and the score by step."""
        p = self.setup.problem.for_fold(index)
        out = np.setdiff1d(np.arange(len(p.labelled)), index)
        examples = p.labelled.subset(out)
        y, counts = p.y[p.labelled.units(out)], examples.counts()
        groups = None if p.groups is None else p.groups.subset(out)

        def logits(run: Run) -> Logits:
            return predict(run.network(), p.task, examples)

        def watch(run: Run) -> dict[str, float]:
            right = p.task.right(logits(run).argmax(1).cpu().numpy(), y, counts)
            return {"held_out": float((right if groups is None else groups.mean(right)).mean())}

        run = self._train(index, number, of, path, watch)
        curve = [(h["step"], h["held_out"]) for h in run.history]
        student = run.seats["student"].module.state_dict() if self.begins else {}
        kept = {f"{STUDENT}{name}": t for name, t in student.items()}
        return {name: t.cpu() for name, t in p.task.predictions(logits(run)).items()} | kept, curve

    def student(self) -> nn.Module:
        """The student trained on all labels."""
        return self.network()[0]

    def network(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """The student trained on all labels, and the history of its training."""
        p = self.setup.problem

        def watch(run: Run) -> dict[str, float]:
            return precision(run.memory, p.truth) if p.truth is not None and self.method.uses_pool else {}

        def compute(path: Path | None) -> StoredPart:
            run = self._train(np.arange(len(p.labelled)), 0, 0, path, watch)
            return run.seats["student"].module.state_dict(), run.history

        tensors, history = self.setup.store.once(slug(self.name), compute)
        return restored(self.method, self._blank(p), p.task, tensors), history

    def fold_student(self, index: np.ndarray, number: int, of: int) -> nn.Module:
        """The student trained on a fold's labels alone.

        Args:
            index: numbers of the labelled examples that are learnt.
            number, of: number of the fold, from 1, and number of folds.
        """
        p, (tensors, _) = self.setup.problem.for_fold(index), self._fold(index, number, of)
        state = {name.removeprefix(STUDENT): t for name, t in tensors.items() if name.startswith(STUDENT)}
        return restored(self.method, self._blank(p), p.task, state)

    def _start(self, index: np.ndarray, number: int, of: int) -> nn.Module | None:
        """The network that a training begins with, on the problem's device; see `fold_student`."""
        found = self.start
        if isinstance(found, Contender):
            same = found.setup.problem.labelled is self.setup.problem.labelled
            found = found.fold_student(index, number, of) if same and number else found.student()
        return None if found is None else copy.deepcopy(found).to(self.setup.problem.device)

    def _blank(self, p: Problem) -> nn.Module:
        """A network of the student's shape."""
        like = self.start
        while isinstance(like, Contender):
            like = like.start
        return p.network(self._seed(0)) if like is None else copy.deepcopy(like).to(p.device)

    def _seed(self, fold: int) -> int:
        return self.setup.training.seed * 1000 + fold

    def _train(
        self, index: np.ndarray, number: int, of: int, path: Path | None, watch: Callable[[Run], dict[str, float]]
    ) -> Run:
        """A training on the labels ``index``; fold 0 is that on all labels."""
        setup, start = self.setup.trained(seed=self._seed(number)), self._start(index, number, of)
        p, training = setup.problem.for_fold(index), setup.training
        what = f"{self.name}, fold {number} of {of}" if number else self.name
        return train(
            self.method, p.task, p.network if start is None else start, p.loader(index, training.seed), training,
            path=path, watch=watch, tick=lambda done: setup.tick(what, done, training.steps),
        )  # fmt: skip


def precision(memory: Memory, truth: np.ndarray) -> dict[str, float]:
    """How good the pseudo-labels in use are: "precision", the share of right ones where the truth is known (>= 0).

    Args:
        truth: class numbers of the pool's units, (units,), -1 = unknown.

    Returns:
        Nothing where no pseudo-label in use can be checked.
    """
    label = memory.label.cpu().numpy()
    kept = (memory.weight.cpu().numpy() > 0) & (label >= 0) & (truth >= 0)
    return {"precision": float((label[kept] == truth[kept]).mean())} if kept.any() else {}


def slug(name: str) -> str:
    """A name as part of a file name.

    >>> slug("stage I: weak labels")
    'stage-i-weak-labels'
    """
    return re.sub("[^a-z0-9]+", "-", name.lower())
