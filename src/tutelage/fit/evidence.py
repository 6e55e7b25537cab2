"""Did the pool help? Cross-validated on the labels, weighed against what the method did before."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from tutelage.tasks import ACCURACY, Task

LEVEL = 0.90
"""Probability that an interval of this library is meant to hold its number with."""


@dataclass(frozen=True)
class Estimate:
    """A score, such as an accuracy, in [0, 1] and its interval at LEVEL."""

    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Prior:
    """What to expect of the change in accuracy before any label is looked at.

    A normal distribution, and beside it a wide one, centred at 0, for what nobody expects: with
    probability ``surprise`` the change is of the order of ``surprise_spread``.

    Args:
        mean, spread: of the expected change, as shares of 1.
        runs: recorded data sets behind it; 0 is the neutral prior.
    """

    mean: float = 0.0
    spread: float = 0.05
    surprise: float = 0.2
    surprise_spread: float = 0.25
    runs: int = 0

    def posterior(self, observed: float, error: float) -> Posterior:
        """Bayes' rule for ``observed ~ N(change, error ** 2)``."""
        parts = []
        for share, mean, spread in (
            (1 - self.surprise, self.mean, self.spread),
            (self.surprise, 0.0, self.surprise_spread),
        ):
            wide = math.hypot(spread, error)
            gain = (spread / wide) ** 2
            weight = share * norm.pdf(observed, mean, wide)
            parts.append((weight, mean + gain * (observed - mean), spread * error / wide))
        total = sum(w for w, _, _ in parts)
        if total == 0:  # further out than either part allows: the wide one holds
            parts, total = [(0.0, *parts[0][1:]), (1.0, *parts[1][1:])], 1.0
        return Posterior(tuple((w / total, m, s) for w, m, s in parts))


@dataclass(frozen=True)
class Posterior:
    """A mixture of normal distributions: (weight, mean, spread) each.

    >>> round(Prior().posterior(observed=-0.33, error=0.05).below(0), 3)
    1.0
    """

    parts: tuple[tuple[float, float, float], ...]

    @property
    def mean(self) -> float:
        return sum(w * m for w, m, _ in self.parts)

    def below(self, value: float) -> float:
        """Probability that the change is below ``value``."""
        return float(sum(w * norm.cdf(value, m, s) for w, m, s in self.parts))

    def quantile(self, share: float) -> float:
        """The value that the change is below with probability ``share``."""
        return float(brentq(lambda v: self.below(v) - share, -3, 3))


@dataclass(frozen=True)
class Evidence:
    """What the labels tell about the pool. Scores and differences are shares of 1.

    Attributes:
        labels: how many labelled examples it rests on.
        measure: what the scores are, as `Task.measure` says: "accuracy", "entity F1" or "mean IoU".
        reference, candidate: cross-validated score, labels only and with the pool.
        observed, error: the cross-validated difference and its standard error.
        difference, low, high: posterior mean of the change and its interval at LEVEL.
        harm: posterior probability that the pool lowered the accuracy.
        returned: which of the two the fit returns.
        resolution: the smallest difference that so many labels alone could tell from none.
        prior: what the observation was weighed against.
        tried: beside the labels alone, the "pool"; or the "method", where it learns the same labels otherwise.
        labelled_by: what is counted: "labels" or "masks".
    """

    labels: int
    reference: Estimate
    candidate: Estimate
    observed: float
    error: float
    difference: float
    low: float
    high: float
    harm: float
    returned: Literal["reference", "candidate"]
    resolution: float
    prior: Prior
    measure: str = "accuracy"
    tried: Literal["pool", "method"] = "pool"
    labelled_by: str = "labels"

    def words(self) -> str:
        """The evidence in sentences."""
        points = f"{100 * self.difference:+.1f} points (90 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f})"
        choice = {
            "candidate": f"The model that used the {self.tried} is returned.",
            "reference": "The labels-only model is returned.",
        }[self.returned]
        on = " on the labels as given" if self.tried == "method" else ""
        sets = self.prior.runs
        basis = f"the record of {sets} data sets" if sets else "no record of this method on such data"
        return (
            f"The {self.tried} {likelihood(self.harm)}: estimated change in {self.measure}{on} {points}. {choice} "
            f"With {self.labels} {self.labelled_by}, cross-validation alone can tell a change only beyond about "
            f"{100 * self.resolution:.0f} points; it saw {100 * self.observed:+.1f}, weighed against {basis}."
        )

    def as_dict(self) -> dict[str, Any]:
        """The numbers and names, as a summary holds them."""
        return {k: v for k, v in asdict(self).items() if k != "labelled_by"}


def likelihood(harm: float) -> str:
    """The probability of harm in words.

    >>> likelihood(0.02), likelihood(0.5)
    ('almost certainly helped (probability of harm 2 %)', 'may have helped or hurt (probability of harm 50 %)')
    """
    for limit, words in (
        (0.05, "almost certainly helped"), (0.2, "probably helped"), (0.4, "more likely helped than hurt"),
        (0.6, "may have helped or hurt"), (0.8, "more likely hurt than helped"), (0.95, "probably hurt"),
    ):  # fmt: skip
        if harm <= limit:
            return f"{words} (probability of harm {100 * harm:.0f} %)"
    return f"almost certainly hurt (probability of harm {100 * harm:.0f} %)"


def weigh(
    reference: np.ndarray,
    candidate: np.ndarray,
    prior: Prior,
    held_out_share: float,
    harm_limit: float = 0.5,
    task: Task = ACCURACY,
    tried: Literal["pool", "method"] = "pool",
) -> Evidence:
    """Weigh cross-validated scores.

    Args:
        reference, candidate: the score of each labelled example when held out, averaged over the
            repeats, (labels,), paired; for accuracy how often it was predicted right.
        prior: what is expected of the method.
        held_out_share: h, of the labels in each fold, in (0, 0.5]; folds share training labels, so
            the variance of the mean is (1 + 1 / (1 - h)) times that of independent answers
            (Nadeau and Bengio, Machine Learning 52, 2003, with one repeat).
        harm_limit: the reference is returned when harm is more probable than this.
        task: whose scores they are; it says their measure, and how far apart two scores of an example are.
        tried: what the candidate has and the reference has not.
    """
    n = len(reference)
    change = candidate - reference
    observed = float(change.mean())
    # one imagined disagreement more: with few labels, none seen is no proof of none
    variance = (float(((change - observed) ** 2).sum()) + task.disagreement(reference) ** 2) / n
    error = math.sqrt(variance / n * (1 + 1 / (1 - held_out_share)))
    posterior = prior.posterior(observed, error)
    harm = posterior.below(0)
    tail = (1 - LEVEL) / 2
    return Evidence(
        labels=n,
        reference=estimate(reference, task.binary),
        candidate=estimate(candidate, task.binary),
        observed=observed,
        error=error,
        difference=posterior.mean,
        low=posterior.quantile(tail),
        high=posterior.quantile(1 - tail),
        harm=harm,
        returned="reference" if harm > harm_limit else "candidate",
        resolution=float(norm.ppf(1 - tail)) * error,
        prior=prior,
        measure=task.measure,
        tried=tried,
        labelled_by=task.labelled_by,
    )


def estimate(scores: np.ndarray, binary: bool = False) -> Estimate:
    """The mean score of n examples and its interval at LEVEL: Wilson's where scores are 0 or 1, else the normal one.

    Args:
        scores: of each example, (n,), as `Task.right` gives them.
        binary: each score is 0 or 1, see `Task.binary`.

    >>> estimate(np.array([1.0, 1.0, 0.0, 1.0]), binary=True) == wilson(0.75, 4)
    True
    """
    mean, n = float(scores.mean()), len(scores)
    if binary:
        return wilson(mean, n)
    half = float(norm.ppf((1 + LEVEL) / 2)) * float(scores.std()) / math.sqrt(n)
    return Estimate(mean, max(mean - half, 0.0), min(mean + half, 1.0))


def wilson(share: float, n: int) -> Estimate:
    """A share of n and Wilson's interval for it at LEVEL.

    >>> wilson(0.9, 100)
    Estimate(score=0.9, low=0.839..., high=0.939...)
    """
    z = float(norm.ppf((1 + LEVEL) / 2))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Estimate(share, max(centre - half, 0.0), min(centre + half, 1.0))
