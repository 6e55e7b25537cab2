"""Which method for these labels: cross-validation, successive halving, and what is known of the methods."""

from __future__ import annotations

import contextlib
import math
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np

from tutelage.fit.contender import Contender
from tutelage.fit.held_out import Folds, Parts
from tutelage.fit.problem import Plan
from tutelage.fit.recorded import Gains, error_of
from tutelage.fit.setup import Setup
from tutelage.methods import METHODS, Method, PoissonLearning
from tutelage.ops.checks import in_range
from tutelage.tasks import Task

CANDIDATES: dict[str, Method] = {
    name: METHODS[name]()
    for name in (
        "supervised", "self_training", "temporal_ensembling", "mean_teacher", "drift", "uda", "mixmatch", "remixmatch",
        "freematch", "softmatch", "dst", "balanced_self_training", "tri_training", "label_propagation",
        "poisson_learning",
    )
} | {"poisson_learning, unbalanced": PoissonLearning(balance=False)}  # fmt: skip
"""What is tried, by the name it has in records: methods, one of them in two ways."""

SHORT = 3
"""The first rung takes one step in so many."""

MEMBERS = 8
"""At most so many methods, the best, go on to the second rung, with all steps, and teach the student together."""

PATIENCE = 3
"""Their student takes so many times their steps: its labels stay as they are."""

LAST = MEMBERS + PATIENCE
"""Trainings after the search: of the best, and of the student."""

ALONE = "labels only"

DRAWS = 20_000
"""Of all gains from what is known of them, to see how often each is the best."""

LEAST_SHARE = 0.02
"""What would count less is left out."""


@dataclass(frozen=True)
class Attempt:
    """What was tried of a candidate.

    Attributes:
        name: of the candidate, as in `CANDIDATES`.
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
        """The attempt as a summary holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Selection:
    """What the labels speak for.

    Attributes:
        shares: how much each of the best methods is to count, by name, ALONE the labels-only model; they sum to 1.
        predictions: of held-out labels, by shares made of all other labels; which methods were still there to share
            was chosen on all of them, so that they flatter the choice a little.
        tried: all attempts, the best first.
    """

    shares: dict[str, float]
    predictions: Parts
    tried: list[Attempt]


def possible(setup: Setup) -> dict[str, Method]:
    """The candidates that can learn this problem, settled."""
    found = {}
    for name, method in CANDIDATES.items():
        with contextlib.suppress(ValueError):
            settled = method.settled(setup.problem.task, setup.problem.weak is not None)
            settled.ready(setup.problem.pool, setup.tick)
            found[name] = settled
    return found


def within(budget: float, folds: int, count: int) -> int:
    """How many candidates can be tried: their rungs and the last trainings take at most ``budget`` trainings.

    >>> within(60, folds=5, count=30), within(1000, folds=5, count=30)
    (7, 30)
    """
    fit = [m for m in range(1, count + 1) if LAST + sum(cost(m, folds)) <= budget]
    if not fit:
        least = math.ceil(LAST + sum(cost(1, folds)))
        raise ValueError(f"budget must be at least {least} for {folds} folds, got {budget:g}")
    return fit[-1]


def cost(count: int, folds: int) -> tuple[float, float]:
    """Trainings of each rung."""
    return folds * count / SHORT, folds * float(min(count, MEMBERS))


@dataclass
class Search:
    """Successive halving among candidates.

    Args:
        setup: with the training of a candidate, all its steps.
        candidates: settled methods, by name.
        gains: what is known of the candidates, in their order.
        reference: held-out predictions of the labels-only model on all folds.
        folds: they hold each label out once.
        most: at most so many methods, the labels alone among them, share in the end; 1 takes the best.
    """

    setup: Setup
    candidates: dict[str, Method]
    gains: Gains
    reference: Parts
    folds: Folds
    most: int = MEMBERS

    def __post_init__(self) -> None:
        self.names = list(self.candidates)
        self.found: dict[int, Parts] = {}

    def run(self, budget: float) -> Selection:
        """Choose within a budget of so many trainings.

        Raises:
            ValueError: the budget is too small for a single candidate.
        """
        m = len(self.names)
        at = np.argsort(-self.gains.mean, kind="stable")[: within(budget, len(self.folds), m)]
        rungs, scores = np.zeros(m, dtype=int), np.full(m, np.nan)
        told_mean, told_spread = self.gains.mean.copy(), np.sqrt(np.diag(self.gains.covariance))
        short = self.setup.trained(steps=max(self.setup.training.steps // SHORT, 1))
        for rung, setup in ((1, short), (2, self.setup)):
            for i in at:
                self.found[i] = self._held_out(i, setup, rung)
                rungs[i], scores[i] = rung, self._right(self.found[i]).mean()
            mean, covariance = self._expected(at)
            told_mean[at], told_spread[at] = mean[at], np.sqrt(np.diag(covariance)[at])  # of those dropped: the last
            tested, at = at, at[np.argsort(-mean[at], kind="stable")][:MEMBERS]
        seen = [None if np.isnan(s) else float(s) for s in scores]
        told = zip(self.names, rungs.tolist(), seen, told_mean.tolist(), told_spread.tolist(), strict=True)
        tried = [Attempt(*values) for values in told]
        tried.sort(key=lambda a: (-a.rungs, -a.gain))
        shares = shares_of(mean, covariance, tested, self.most)
        named = {ALONE if i < 0 else self.names[i]: share for i, share in shares.items()}
        return Selection(named, self._honest(tested), tried)

    def _held_out(self, i: int, setup: Setup, rung: int) -> Parts:
        name = self.names[i]
        return Contender(f"auto, rung {rung}, {name}", self.candidates[name], setup).held_out(self.folds)[0]

    def _right(self, parts: Parts) -> np.ndarray:
        return self.setup.problem.scored(parts).right

    def _expected(self, at: np.ndarray, keep: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of all gains after what was found of those ``at``, on the examples ``keep`` alone."""
        base = self._right(self.reference)
        change = np.stack([self._right(self.found[i]) - base for i in at], axis=1)
        change = change if keep is None else change[keep]
        return self.gains.posterior(change.mean(0), error_of(change), at)

    def _honest(self, at: np.ndarray) -> Parts:
        """Predictions of each fold by what is best on the other folds' labels."""
        honest = []
        for j, (_, out) in enumerate(self.folds):
            keep = np.ones(len(self.setup.problem.labelled), dtype=bool)
            keep[out] = False
            shares = shares_of(*self._expected(at, keep), at, self.most)
            said = [s * (self.reference if i < 0 else self.found[i])[j][1] for i, s in shares.items()]
            honest.append((self.reference[j][0], np.sum(said, axis=0)))
        return honest


def shares_of(mean: np.ndarray, covariance: np.ndarray, at: np.ndarray, most: int = MEMBERS) -> dict[int, float]:
    """How much each of those ``at`` is to count, by number: the probability that it is the best.

    The labels alone, -1, are one of them, with a gain of 0. Of all, at most ``most`` count; 1 takes the highest mean.

    >>> mean, covariance = np.array([0.02, -0.2, 0.03]), np.eye(3) * 0.02**2
    >>> {i: round(s, 1) for i, s in shares_of(mean, covariance, np.arange(3)).items()}
    {2: 0.6, 0: 0.4}
    """
    if most == 1:
        best = int(at[mean[at].argmax()])
        return {best if mean[best] > 0 else -1: 1.0}
    draws = np.random.default_rng(0).multivariate_normal(mean[at], covariance[np.ix_(at, at)], DRAWS, method="eigh")
    first = np.column_stack([draws, np.zeros(DRAWS)]).argmax(1)
    often = dict(zip([*map(int, at), -1], np.bincount(first, minlength=len(at) + 1) / DRAWS, strict=True))
    counts = {i: often[i] for i in sorted(often, key=lambda i: -often[i])[:most]}
    kept = {i: c for i, c in counts.items() if c >= LEAST_SHARE * sum(counts.values())}
    return {i: float(c / sum(kept.values())) for i, c in kept.items()}


@dataclass(frozen=True)
class Auto:
    """Try methods by cross-validation on the labels, drop the worse early; the best few together teach one student.

    No method itself: `tutelage.fit.fit.fit` takes one or the other.

    Successive halving: all candidates with a third of the steps; the best eight with all steps, on the same folds,
    which are not repeated.
    What the labels say is weighed against what the methods gained on recorded benchmarks (Bayes' rule on all gains at
    once, see `tutelage.fit.recorded`), since few labels say little; and since they cannot tell the best apart, the
    student learns what these say of the pool together, each with the probability that it is the best (see `Committee`).

    All candidates take the same number of steps, which those with rounds share among them.

    Source: Jamieson and Talwalkar, Non-stochastic best arm identification, AISTATS 2016 (successive halving).

    Args:
        budget: all may take as long as so many trainings, at least 40, the labels-only model beside it: of the
            candidates those that promise most are tried.

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

    def settled(self, task: Task, weak: bool) -> Auto:
        """The choice itself: nothing of it is left open for the task.

        Raises:
            ValueError: after weak labels, where nothing is learnt that could be held out.
        """
        if weak:
            raise ValueError("auto chooses by cross-validation on what is learnt: after weak labels name a method")
        return self

    def plan(self, plan: Plan) -> Plan:
        """How the evidence is gathered: not repeated, since the budget is better spent on more methods.

        Raises:
            ValueError: the plan gathers none.
        """
        if plan.skip:
            raise ValueError("auto chooses by the evidence from the labels: it cannot be without it")
        return replace(plan, repeats=1)
