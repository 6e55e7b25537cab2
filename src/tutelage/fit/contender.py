"""A method on a problem: trained on all labels, or on all but each fold's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tutelage.fit.held_out import Folds, Parts
from tutelage.fit.setup import Setup
from tutelage.fit.store import Part
from tutelage.memory import Memory
from tutelage.methods import Method
from tutelage.methods.kept import restored
from tutelage.train import Run, predict, train
from tutelage.types import Logits


@dataclass(frozen=True)
class Contender:
    """A method on a problem: trained on all labels, or on all but each fold's."""

    name: str
    method: Method
    setup: Setup

    def held_out(self, parts: Folds) -> tuple[Parts, list[tuple[float, float]]]:
        """Held-out predictions of each fold, and the mean held-out score by step."""
        p, predicted, curves = self.setup.problem, [], []
        for i, (index, out) in enumerate(parts, start=1):
            fold = partial(self._fold, index, out, i, f"{self.name}, fold {i} of {len(parts)}")
            tensors, curve = self.setup.store.once(f"{slug(self.name)}-fold{i:02d}", fold)
            predicted.append((p.labelled.units(out), tensors["probabilities"].numpy()))
            curves.append(curve)
        mean = [(points[0][0], float(np.mean([v for _, v in points]))) for points in zip(*curves, strict=True)]
        return predicted, mean

    def _fold(self, index: np.ndarray, out: np.ndarray, number: int, what: str, path: Path | None) -> Part:
        """Probabilities of one fold's units, and the score of its examples by step."""
        p = self.setup.problem
        examples = p.labelled.subset(out)
        y, counts = p.y[p.labelled.units(out)], examples.counts()

        def logits(run: Run) -> Logits:
            return predict(run.network(), p.task, examples)

        def watch(run: Run) -> dict[str, float]:
            return {"held_out": float(p.task.right(logits(run).argmax(1).cpu().numpy(), y, counts).mean())}

        exactness = torch.float32 if p.task.dense else torch.float64
        run = self._train(index, number, what, path, watch)
        curve = [(h["step"], h["held_out"]) for h in run.history]
        return {"probabilities": logits(run).softmax(-1).to(exactness).cpu()}, curve

    def student(self) -> nn.Module:
        """The student trained on all labels."""
        return self.network()[0]

    def network(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """The student trained on all labels, and the history of its training."""
        p = self.setup.problem

        def watch(run: Run) -> dict[str, float]:
            return precision(run.memory, p.truth) if p.truth is not None and self.method.uses_pool else {}

        def compute(path: Path | None) -> Part:
            run = self._train(np.arange(len(p.labelled)), 0, self.name, path, watch)
            return run.seats["student"].module.state_dict(), run.history

        tensors, history = self.setup.store.once(slug(self.name), compute)
        return restored(self.method, p.network(self._seed(0)), p.task, tensors), history

    def _seed(self, fold: int) -> int:
        return self.setup.training.seed * 1000 + fold

    def _train(
        self, index: np.ndarray, fold: int, what: str, path: Path | None, watch: Callable[[Run], dict[str, float]]
    ) -> Run:
        setup = self.setup.trained(seed=self._seed(fold))
        p, training = setup.problem, setup.training
        return train(
            self.method, p.task, p.network, p.loader(index, training.seed), training,
            path=path, watch=watch, tick=lambda done: setup.tick(what, done, training.steps),
        )  # fmt: skip


def precision(memory: Memory, truth: np.ndarray) -> dict[str, float]:
    """Share of right labels among the pseudo-labels in use, where the truth is known (>= 0)."""
    label = memory.label.cpu().numpy()
    kept = (memory.weight.cpu().numpy() > 0) & (label >= 0) & (truth >= 0)
    return {"precision": float((label[kept] == truth[kept]).mean())} if kept.any() else {}


def slug(name: str) -> str:
    """A name as part of a file name."""
    return re.sub("[^a-z0-9]+", "-", name.lower())
