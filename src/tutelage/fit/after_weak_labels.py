"""Stage I and the game after weak labels where clean labels are only looked at: they choose the point of stopping."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from tutelage.data import Loader
from tutelage.fit.contender import precision, slug
from tutelage.fit.held_out import FoldPredictions, Folds
from tutelage.fit.ledger import Recorder, gather, keeps
from tutelage.fit.problem import Problem
from tutelage.fit.setup import Setup, StoredPart
from tutelage.methods import Method, Supervised
from tutelage.ops import points
from tutelage.train import Run, predict
from tutelage.train.by_all import train_by_all
from tutelage.train.run import restored
from tutelage.types import Params

HALVES = ("first_half", "second_half")
"""Names of the scores on two halves of the clean labels: the point chosen on one is scored on the other."""


@dataclass(frozen=True)
class LookedAt:
    """A training on weak labels, which looks at the clean labels and does not learn them.

    It stops at the point of its history that is best on the clean labels; at the end where a class has none, since the
    others would choose a point that neglects it. A fold's predictions are those of the point that is best on the other
    labels, so that the choice of the point does not flatter the score.

    Attributes:
        name: name of its part in the store, and of its progress.
        method: settled method.
        setup: problem with weak labels, and the training.
        start: training whose network this one begins with; None begins stage I with random weights.
        folds: folds of the clean labels; empty takes the two halves.
    """

    name: str
    method: Method
    setup: Setup
    start: LookedAt | None = None
    folds: tuple[tuple[np.ndarray, np.ndarray], ...] = ()

    def held_out(self, parts: Folds) -> tuple[FoldPredictions, list[tuple[float, float]]]:
        """Held-out predictions of the clean labels, and their score by step.

        Args:
            parts: folds that other contenders have; the predictions are on this training's own folds.
        """
        p, (tensors, history) = self.setup.problem, self._once()
        predictions = []
        for name, _, out in self._looks():
            logits = predict(self._at(tensors, name), p.task, p.labelled.subset(out))
            said = {key: t.cpu().numpy() for key, t in p.task.predictions(logits).items()}
            predictions.append((p.labelled.units(out), said))
        return predictions, [(h["step"], h["held_out"]) for h in history if "held_out" in h]

    def own(self, honest: FoldPredictions) -> FoldPredictions:
        """Held-out predictions by which the network is calibrated: the honest ones."""
        return honest

    def network(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """The student at the best point, at the end where there are no clean labels; and the history."""
        tensors, history = self._once()
        points.tell(slug(self.name), history, done=True)
        return self._at(tensors, "held_out"), history

    def _looks(self) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Name, numbers of the labelled examples that choose the point, and numbers of those that are predicted."""
        if not self._chooses:
            return []
        if self.folds:
            return [(f"fold_{i:02d}", index, out) for i, (index, out) in enumerate(self.folds, start=1)]
        if len(self.setup.problem.labelled) < 2:
            return []
        first, second = split(self.setup.problem)
        return [(HALVES[1], second, first), (HALVES[0], first, second)]

    @property
    def _chooses(self) -> bool:
        """Whether the clean labels choose the point: each class has one."""
        p = self.setup.problem
        return len(p.labelled) > 0 and (p.task.sequential or len(np.unique(p.y)) == p.task.classes)

    def _once(self) -> StoredPart:
        """Students at the best points and the history, from the store or trained."""
        setup = self.setup.trained(seed=self.setup.training.seed * 1000)
        p, training, looks = setup.problem, setup.training, self._looks()
        numbers = ("held_out", *(name for name, _, _ in looks)) if self._chooses else ()

        def watch(run: Run) -> dict[str, float]:
            points.tell(slug(self.name), run.history)
            seen = precision(run.memory, p.truth) if self.method.uses_pool and p.truth is not None else {}
            if not len(p.labelled):
                return seen
            guess = predict(run.network(), p.task, p.labelled).argmax(1).cpu().numpy()
            right = p.task.right(guess, p.y, p.labelled.counts())
            return seen | {"held_out": p.mean_of(right)} | {k: p.mean_of(right, i) for k, i, _ in looks}

        def compute(path: Path | None) -> StoredPart:
            recorder = Recorder(watch, p.pool) if self.start is not None and keeps(self.method, p) else None
            run = train_by_all(
                self.method, p.task, self._begin().to(p.device), self._loader(training.seed), training, path=path,
                watch=recorder or watch, tick=lambda done: setup.tick(self.name, done, training.steps), best=numbers,
            )  # fmt: skip
            kept = run.best or {"held_out": run.seats["student"].module.state_dict()}
            history = [{k: v for k, v in h.items() if k not in numbers[1:]} for h in run.history]
            said = {} if recorder is None else recorder.tensors(run)
            return {f"{k}.{n}": t for k, state in kept.items() for n, t in state.items()} | said, history

        found = setup.store.once(slug(self.name), compute)
        gather(self.name, self.method, p, found[0])
        return found

    def _begin(self) -> nn.Module:
        if self.start is not None:
            return self.start.network()[0]
        return self.setup.problem.network(self.setup.training.seed * 1000)

    def _loader(self, seed: int) -> Loader:
        p = self.setup.problem
        return (
            p.stage_one(seed) if self.start is None else p.game(self.method.anchored, self.setup.training.seed * 1000)
        )

    def _at(self, tensors: Params, point: str) -> nn.Module:
        """The student at a point."""
        p = self.setup.problem
        state = {n.removeprefix(f"{point}."): t for n, t in tensors.items() if n.startswith(f"{point}.")}
        blank = p.network(self.setup.training.seed * 1000).to(p.device)
        return restored(self.method, blank, p.task, state)


def stage_one(setup: Setup, method: Method, folds: Folds) -> LookedAt:
    """Training on the weak labels alone, by `Supervised`; by the method itself where it learns from labels alone."""
    learner = Supervised() if method.uses_pool else method
    return LookedAt("stage I: weak labels", learner, setup, folds=tuple(folds))


def game(setup: Setup, method: Method, start: LookedAt) -> LookedAt:
    """The method's game on the pool, which begins with the network of stage I."""
    return LookedAt("candidate", method, setup, start, start.folds)


def split(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the labelled examples in two halves, with equal shares of the classes where an example has one."""
    single = bool((problem.labelled.counts() == 1).all())
    if (groups := problem.groups) is not None:  # copies, and items of a cluster, lie in one half
        first = groups.first(problem.y if single else None)[np.unique(groups.cluster, return_index=True)[1]]
        clusters = first[problem.y[first].argsort(kind="stable")] if single else first
        halves = (groups.cluster[groups.item[clusters[i::2]]] for i in range(2))
        one, other = (np.flatnonzero(np.isin(groups.cluster[groups.item], half)) for half in halves)
        return one, other
    order = problem.y.argsort(kind="stable") if single else np.arange(len(problem.labelled))
    return np.sort(order[::2]), np.sort(order[1::2])
