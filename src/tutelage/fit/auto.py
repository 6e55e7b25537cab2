"""The automatic choice of a method: cross-validation, successive halving, and recorded gains as a prior."""

from __future__ import annotations

import contextlib
import math
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from tutelage.fit.contender import Contender
from tutelage.fit.held_out import FoldPredictions, Folds
from tutelage.fit.problem import Plan
from tutelage.fit.recorded import Gains, error_of
from tutelage.fit.setup import Setup
from tutelage.fit.shares import LABELS_ONLY, REFERENCE, mixed, shares_of
from tutelage.fit.together import PATIENCE
from tutelage.methods import METHODS, Method, PoissonLearning
from tutelage.ops.checks import in_range
from tutelage.ops.side_by_side import side_by_side
from tutelage.tasks import Task
from tutelage.types import Tick

CANDIDATES: dict[str, Method] = {
    name: METHODS[name]()
    for name in (
        "supervised", "self_training", "temporal_ensembling", "mean_teacher", "drift", "uda", "mixmatch", "remixmatch",
        "freematch", "softmatch", "dst", "balanced_self_training", "tri_training", "label_propagation",
        "poisson_learning",
    )
} | {"poisson_learning, unbalanced": PoissonLearning(balance=False)}  # fmt: skip
"""The methods that are tried, by their names in records; Poisson learning is tried in two ways."""

SHORT = 3
"""First rung: the steps of a training are divided by this."""

MEMBERS = 8
"""Methods, at most, that go on to the second rung, with all steps, and then teach the student together."""

LAST = MEMBERS + PATIENCE
"""Trainings after the search: one for each teaching method, and as many as the student's steps are worth."""


@dataclass(frozen=True)
class Attempt:
    """A candidate, how far it came, and what is expected of it.

    Attributes:
        name: of the candidate, as in `CANDIDATES`.
        rungs: number of rungs that it was tried on; 0 where the budget did not reach it.
        score: its held-out score on the last of these rungs; None where it was on none.
        gain: expected gain over the labels-only model, as a share of 1.
        spread: standard deviation of that gain.
    """

    name: str
    rungs: int
    score: float | None
    gain: float
    spread: float

    def as_dict(self) -> dict[str, Any]:
        """The attempt as a summary holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Selection:
    """The methods that were chosen.

    Attributes:
        shares: how much each chosen method counts, by name, with LABELS_ONLY for the labels-only model; they sum to 1.
        predictions: held-out predictions by the chosen methods together. The shares of each fold are computed without
            its labels; which methods are left to share was decided on all labels, which flatters the score a little.
        tried: all attempts, the best first.
    """

    shares: dict[str, float]
    predictions: FoldPredictions
    tried: list[Attempt]


def possible(setup: Setup) -> dict[str, Method]:
    """The candidates that can learn this problem, settled and ready."""
    found = {}
    for name, method in CANDIDATES.items():
        with contextlib.suppress(ValueError):
            settled = method.settled(setup.problem.task, setup.problem.weak is not None)
            settled.ready(setup.problem.pool, setup.tick)
            found[name] = settled
    return found


def within(budget: float, folds: int, count: int) -> int:
    """How many of ``count`` candidates can be tried with at most ``budget`` trainings, those after the search included.

    Raises:
        ValueError: the budget is too small for a single candidate.

    >>> within(60, folds=5, count=30), within(1000, folds=5, count=30)
    (7, 30)
    """
    fit = [m for m in range(1, count + 1) if LAST + sum(cost(m, folds)) <= budget]
    if not fit:
        least = math.ceil(LAST + sum(cost(1, folds)))
        raise ValueError(f"budget must be at least {least} for {folds} folds, got {budget:g}")
    return fit[-1]


def cost(count: int, folds: int) -> tuple[float, float]:
    """Trainings on the first and on the second rung, for this many candidates and folds."""
    return folds * count / SHORT, folds * float(min(count, MEMBERS))


@dataclass
class Search:
    """Successive halving among candidates.

    Args:
        setup: the problem, and the training of a candidate with all its steps.
        candidates: settled methods, by name.
        gains: the prior over the candidates' gains, in their order.
        reference: held-out predictions of the labels-only model on all folds.
        folds: of the labelled examples; each holds out other labels, and all together hold out every label once.
        most: number of methods, the labels-only model among them, that may share in the end; 1 takes the best.
        workers: number of processes that try candidates side by side.
    """

    setup: Setup
    candidates: dict[str, Method]
    gains: Gains
    reference: FoldPredictions
    folds: Folds
    most: int = MEMBERS
    workers: int = 1

    def __post_init__(self) -> None:
        self.names = list(self.candidates)
        self.found: dict[int, FoldPredictions] = {}

    def run(self, budget: float) -> Selection:
        """Choose within a budget of this many trainings.

        Raises:
            ValueError: the budget is too small for a single candidate.
        """
        m = len(self.names)
        at = np.argsort(-self.gains.mean, kind="stable")[: within(budget, len(self.folds), m)]
        rungs, scores = np.zeros(m, dtype=int), np.full(m, np.nan)
        told_mean, told_spread = self.gains.mean.copy(), np.sqrt(np.diag(self.gains.covariance))
        short = self.setup.trained(steps=max(self.setup.training.steps // SHORT, 1))
        for rung, setup in ((1, short), (2, self.setup)):
            tries = [partial(self._held_out, i, setup, rung) for i in at]
            self.found |= zip(at, side_by_side(tries, setup.tick, self.workers), strict=True)
            for i in at:
                rungs[i], scores[i] = rung, self._right(self.found[i]).mean()
            mean, covariance = self._expected(at)
            told_mean[at], told_spread[at] = mean[at], np.sqrt(np.diag(covariance)[at])  # of those dropped: the last
            tested, at = at, at[np.argsort(-mean[at], kind="stable")][:MEMBERS]
        seen = [None if np.isnan(s) else float(s) for s in scores]
        told = zip(self.names, rungs.tolist(), seen, told_mean.tolist(), told_spread.tolist(), strict=True)
        tried = [Attempt(*values) for values in told]
        tried.sort(key=lambda a: (-a.rungs, -a.gain))
        shares = shares_of(mean, covariance, tested, self.most)
        named = {LABELS_ONLY if i == REFERENCE else self.names[i]: share for i, share in shares.items()}
        return Selection(named, self._honest(tested), tried)

    def _held_out(self, i: int, setup: Setup, rung: int, tick: Tick) -> FoldPredictions:
        name, told = self.names[i], replace(setup, tick=tick)
        return Contender(f"auto, rung {rung}, {name}", self.candidates[name], told).held_out(self.folds)[0]

    def _right(self, parts: FoldPredictions) -> np.ndarray:
        return self.setup.problem.scored(parts).right

    def _expected(self, at: np.ndarray, keep: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of all gains, given held-out scores of the candidates ``at`` on the examples ``keep``."""
        base = self._right(self.reference)
        change = np.stack([self._right(self.found[i]) - base for i in at], axis=1)
        change = change if keep is None else change[keep]
        return self.gains.posterior(change.mean(0), error_of(change), at)

    def _honest(self, at: np.ndarray) -> FoldPredictions:
        """Predictions of each fold, by shares that are computed from the labels of the other folds."""
        honest = []
        for j, (_, out) in enumerate(self.folds):
            keep = np.ones(self.setup.problem.labels, dtype=bool)
            keep[self.setup.problem.items_of(out)] = False
            shares = shares_of(*self._expected(at, keep), at, self.most)
            honest.append(mixed({i: (self.reference if i == REFERENCE else self.found[i])[j] for i in shares}, shares))
        return honest


@dataclass(frozen=True)
class Auto:
    """Try methods by cross-validation on the labels, drop the worse early; the best few together teach one student.

    It is no method itself; `tutelage.fit.fit.fit` takes a method or this.

    Successive halving: all candidates are tried with a third of the steps, the best eight with all steps, on the same
    folds, which are not repeated. Few labels say little. So their held-out scores are weighed against the gains of the
    methods on recorded benchmarks, by Bayes' rule on all gains at once (see `tutelage.fit.recorded`). Nor can they tell
    the best methods apart: the student learns what these say of the pool together, each weighted by the probability
    that it is the best (see `Committee`).

    All candidates take the same number of steps; a method with rounds shares them among its rounds.

    Source: Jamieson and Talwalkar, Non-stochastic best arm identification, AISTATS 2016 (successive halving).

    Args:
        budget: trainings that all may take together, at least 40, without those of the labels-only model. Where it
            does not reach all candidates, those with the highest expected gain are tried.

    >>> Auto(budget=60).budget
    60
    """

    name: ClassVar[str] = "auto"
    version: ClassVar[int] = 1
    uses_pool: ClassVar[bool] = True
    views: ClassVar[tuple[str, ...]] = ("weak", "again", "strong")
    budget: float = 80

    def __post_init__(self) -> None:
        in_range("budget", self.budget, 40)

    @property
    def named_classes(self) -> tuple[str, ...]:
        """Names of classes that it names: none."""
        return ()

    def settled(self, task: Task, weak: bool) -> Auto:
        """The same choice: it has no fields that are left open."""
        return self

    def plan(self, plan: Plan) -> Plan:
        """The plan with one repeat: the budget is better spent on more methods.

        Raises:
            ValueError: the plan gathers none.
        """
        if plan.skip:
            raise ValueError("auto chooses by the evidence from the labels: it cannot be without it")
        return replace(plan, repeats=1)
