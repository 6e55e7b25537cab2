"""The models that a fit may return: which of them is the best, by the folds and by what was expected beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from torch import nn

from tutelage.fit.evidence import Estimate, Prior, estimate
from tutelage.fit.held_out import FoldPredictions, Folds
from tutelage.fit.problem import Problem
from tutelage.fit.recorded import Gains, error_of
from tutelage.fit.setup import Setup
from tutelage.fit.shares import REFERENCE, mixed, shares_of
from tutelage.methods import Method

Role = Literal["candidate", "teacher", "adapted"]
"""Kind of a rival: the method's student, the brought teacher alone, or the labels alone on an adapted encoder."""

TOGETHER = 0.5
"""Correlation of the gains that are expected of two rivals, since what makes data easy for one helps the other."""


@runtime_checkable
class Trains(Protocol):
    """A training that gives held-out predictions, and a network that learnt all labels."""

    @property
    def method(self) -> Method: ...

    @property
    def setup(self) -> Setup: ...

    def held_out(self, parts: Folds) -> tuple[FoldPredictions, list[tuple[float, float]]]:
        """Held-out predictions of each fold, and the held-out score by step."""

    def own(self, honest: FoldPredictions) -> FoldPredictions:
        """Held-out predictions by which the network is calibrated, given the honest ones, which mix several choices."""

    def network(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """The network, and the history of its training."""


@dataclass(frozen=True)
class Rival:
    """A model that may be returned in place of the labels-only reference.

    Attributes:
        role: what it is.
        says: its description for people, such as "drift after the teacher, labels beside".
        trains: training that gives it.
        prior: expected change of the score by it, against the reference.
        way: way in which a brought teacher is used, see `teacher_paths`; empty without one.
    """

    role: Role
    says: str
    trains: Trains
    prior: Prior
    way: str = ""


@dataclass(frozen=True)
class Judged:
    """A rival, and what the folds say of it.

    Attributes:
        says: description for people.
        role: what it is; "reference" is the labels-only model.
        score: held-out score with its interval.
        gain: expected change of the score against the reference, after the folds; 0 of the reference itself.
        spread: standard deviation of that change.
        share: how much it counts in what is returned in place of the reference, in [0, 1].
    """

    says: str
    role: str
    score: Estimate
    gain: float
    spread: float
    share: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a summary."""
        interval = [self.score.low, self.score.high]
        return {
            "says": self.says, "role": self.role, "score": self.score.score, "interval": interval, "gain": self.gain,
            "spread": self.spread, "share": self.share,
        }  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What the folds say of rivals.

    Attributes:
        best: number of the rival of the highest expected gain over the reference.
        shares: how much each of the best models counts, by its number or `shares.REFERENCE`; they sum to 1.
        honest: held-out predictions of these models together. The shares of each fold are computed without its labels.
        judged: what is said of each rival, in their order.
    """

    best: int
    shares: dict[int, float]
    honest: FoldPredictions
    judged: list[Judged]


@dataclass(frozen=True)
class Judge:
    """The comparison of rivals with the labels-only reference, by the folds and by what was expected of each.

    Held-out gains over the reference are weighed against what was expected, by Bayes' rule on all gains at once. Few
    labels cannot tell the best models apart: where several may count, each counts by the probability that it is the
    best.

    Attributes:
        problem: problem whose labelled examples are held out.
        folds: folds of the labelled examples.
        reference: held-out predictions of the labels-only model.
        together: whether several models may count; else the best rival does.
        counts: how much each labelled example counts, (n,), above 0; None counts all alike.
    """

    problem: Problem
    folds: Folds
    reference: FoldPredictions
    together: bool = False
    counts: np.ndarray | None = None

    def verdict(self, rivals: Sequence[Rival], held: Sequence[FoldPredictions]) -> Verdict:
        """What the folds say of rivals.

        Args:
            rivals: the rivals, at least one.
            held: their held-out predictions on the folds, in the same order.
        """
        gains, everything = expected([r.prior for r in rivals]), np.arange(self.problem.labels)
        base, scored = self.problem.scored(self.reference).right, [self.problem.scored(parts) for parts in held]
        change = np.stack([h.right - base for h in scored], axis=1)
        mean, covariance = self._posterior(gains, change, everything)
        best, shares, honest = int(mean.argmax()), self._shares(gains, change, everything), []
        for j, (_, out) in enumerate(self.folds):
            others = self._shares(gains, change, np.setdiff1d(everything, self.problem.items_of(out)))
            honest.append(mixed({i: (self.reference if i == REFERENCE else held[i])[j] for i in others}, others))
        told = [
            Judged(r.says, r.role, self._estimate(h.right), float(m), float(v), shares.get(i, 0.0))
            for i, (r, h, m, v) in enumerate(zip(rivals, scored, mean, np.sqrt(np.diag(covariance)), strict=True))
        ]
        return Verdict(best, shares, honest, told)

    def _estimate(self, right: np.ndarray) -> Estimate:
        return estimate(right, self.problem.task.binary, self.problem.dependence(right))

    def _posterior(self, gains: Gains, change: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of the rivals' gains after the labelled items of these numbers were seen."""
        counts = None if self.counts is None else self.problem.of_items(self.counts)[of]
        counts = None if counts is None else counts / counts.mean()
        observed = np.average(change[of], axis=0, weights=counts)
        return gains.posterior(observed, error_of(change[of], counts), np.arange(change.shape[1]))

    def _shares(self, gains: Gains, change: np.ndarray, of: np.ndarray) -> dict[int, float]:
        """How much each model counts, by the labelled items of these numbers."""
        mean, covariance = self._posterior(gains, change, of)
        if not self.together:
            return {int(mean.argmax()): 1.0}
        return shares_of(mean, covariance, np.arange(len(mean)), len(mean) + 1)


def expected(priors: Sequence[Prior]) -> Gains:
    """Joint normal distribution of the gains that are expected of rivals, of their own means and spreads."""
    spread = np.array([p.spread for p in priors])
    covariance = np.outer(spread, spread) * (TOGETHER + (1 - TOGETHER) * np.eye(len(spread)))
    return Gains(np.array([p.mean for p in priors]), covariance)
