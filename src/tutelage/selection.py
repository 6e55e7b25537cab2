"""Which method for these labels: cross-validation, successive halving, and what is known of the methods."""

from __future__ import annotations

import contextlib
import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tutelage.contender import Contender
from tutelage.gains import Gains, error_of
from tutelage.methods import METHODS, Method
from tutelage.problem import Problem
from tutelage.reference import Folds, Parts
from tutelage.store import Store
from tutelage.train import Training
from tutelage.types import Tick

CANDIDATES: dict[str, Method] = {name: METHODS[name]() for name in (
    "supervised", "self_training", "mean_teacher", "drift", "vat", "uda", "fixmatch",
)}  # fmt: skip
"""What is tried, by name: methods, some with other hyper-parameters."""

SHORT = 3
"""The first rung takes one step in so many; each next one keeps one candidate in so many."""


@dataclass(frozen=True)
class Attempt:
    """What was tried of a candidate.

    Attributes:
        name: of the candidate; settings: its hyper-parameters that are not the default.
        rungs: how many rungs it was on; 0 where the budget did not reach it.
        score: its held-out score on the last of them; None where it was on none.
        gain, spread: what is to be expected of it over the labels alone, and the standard deviation of that.
    """

    name: str
    rungs: int
    score: float | None
    gain: float
    spread: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Selection:
    """The method taken, None where the labels alone are better; honest predictions of the choice; all attempts."""

    method: Method | None
    predictions: Parts
    tried: list[Attempt]


def possible(problem: Problem, tick: Tick) -> dict[str, Method]:
    """The candidates that can learn this problem."""
    found = {}
    for name, method in CANDIDATES.items():
        with contextlib.suppress(ValueError):
            settled = method.settled(problem.task, problem.weak is not None)
            settled.ready(problem.pool, tick)
            found[name] = settled
    return found


def within(budget: float, folds: int, count: int) -> int:
    """How many candidates can be tried: their rungs and the last training take at most ``budget`` trainings.

    >>> within(60, folds=5, count=30), within(1000, folds=5, count=30)
    (14, 30)
    """
    return max([m for m in range(1, count + 1) if 1 + sum(cost(m, folds)) <= budget], default=1)


def cost(count: int, folds: int) -> tuple[float, float, float]:
    """Trainings of each rung."""
    second, third = kept(count)
    return folds * count / SHORT, folds * float(second), folds * float(third)


def kept(count: int) -> tuple[int, int]:
    """How many candidates go on to the second and the third rung."""
    second = min(max(math.ceil(count / SHORT), 3), count)
    return second, min(max(math.ceil(second / SHORT), 2), second)


def select(
    problem: Problem, candidates: dict[str, Method], gains: Gains, reference: Parts, folds: Folds, repeats: int,
    training: Training, budget: float, store: Store, tick: Tick,
) -> Selection:  # fmt: skip
    """Choose among candidates.

    Args:
        gains: of the candidates, in their order.
        reference: held-out predictions of the labels-only model on all folds.
        folds: of so many repeats, one after the other.
        training: of a candidate, all its steps.
    """
    return _Search(problem, candidates, gains, reference, folds, repeats, training, store, tick).run(budget)


@dataclass
class _Search:
    problem: Problem
    candidates: dict[str, Method]
    gains: Gains
    reference: Parts
    folds: Folds
    repeats: int
    training: Training
    store: Store
    tick: Tick

    def __post_init__(self) -> None:
        self.names = list(self.candidates)
        self.found: dict[int, Parts] = {}
        self.each = len(self.folds) // self.repeats

    def run(self, budget: float) -> Selection:
        m = len(self.names)
        alive = np.argsort(-self.gains.mean, kind="stable")[: within(budget, self.each, m)]
        rungs, scores = np.zeros(m, dtype=int), np.full(m, np.nan)
        mean, spread = self.gains.mean, np.sqrt(np.diag(self.gains.covariance))
        first, again = slice(0, self.each), slice(self.each, 2 * self.each)
        short = replace(self.training, steps=max(self.training.steps // SHORT, 1))
        second, third = kept(len(alive))
        tested, plan = alive, [(first, short, second), (first, self.training, third), (again, self.training, 1)]
        for rung, (part, training, keep) in enumerate(plan[: 2 + (self.repeats > 1)], start=1):
            for i in alive:
                parts = self._held_out(i, part, training, rung)
                self.found[i] = parts if part == first else self.found[i] + parts
                rungs[i], scores[i] = rung, self._right(self.found[i]).mean()
            mean, spread = self._expected(alive)
            tested, alive = alive, alive[np.argsort(-mean[alive], kind="stable")][:keep]
        best = int(alive[0])
        seen = [None if np.isnan(s) else float(s) for s in scores]
        tried = [Attempt(n, int(rungs[i]), seen[i], float(mean[i]), float(spread[i])) for i, n in enumerate(self.names)]
        tried.sort(key=lambda a: (-a.rungs, -a.gain))
        method = self.candidates[self.names[best]] if mean[best] > 0 else None
        return Selection(method, self._honest(tested), tried)

    def _held_out(self, i: int, part: slice, training: Training, rung: int) -> Parts:
        name = f"auto, rung {rung}, {self.names[i]}"
        contender = Contender(name, self.problem, self.candidates[self.names[i]], training, self.store, self.tick)
        return contender.held_out(self.folds[part])[0]

    def _right(self, parts: Parts) -> np.ndarray:
        return self.problem.scored(parts).right

    def _expected(self, at: np.ndarray, keep: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Mean and spread of every gain after what was found of those ``at``, on the examples ``keep`` alone."""
        count = len(self.found[int(at[0])])
        base = self._right(self.reference[:count])
        change = np.stack([self._right(self.found[i]) - base for i in at], axis=1)
        change = change if keep is None else change[keep]
        share = float(np.mean([len(out) / len(self.problem.labelled) for _, out in self.folds]))
        return self.gains.posterior(change.mean(0), error_of(change, share), at)

    def _honest(self, at: np.ndarray) -> Parts:
        """Predictions of each fold by what is best on the other folds' labels: the choice does not flatter them."""
        honest = []
        for j in range(len(self.found[int(at[0])])):
            keep = np.ones(len(self.problem.labelled), dtype=bool)
            keep[self.folds[j][1]] = False
            mean = self._expected(at, keep)[0][at]
            honest.append(self.found[int(at[mean.argmax()])][j] if mean.max() > 0 else self.reference[j])
        return honest
