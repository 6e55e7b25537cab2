"""Did the pool help? A cross-validated difference, weighed against what the method gained on other data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta, norm

from tutelage.fit.box import in_notebook
from tutelage.fit.dependence import dependence, design_effect
from tutelage.fit.tried import IN_WORDS, Tried
from tutelage.fit.verdict import helped, verdict
from tutelage.tasks import ACCURACY, Task

LEVEL = 0.90
"""Nominal coverage of every interval that this library prints."""


@dataclass(frozen=True)
class Estimate:
    """A score in [0, 1], such as an accuracy, and its interval at LEVEL.

    Attributes:
        score: the score.
        low: lower end of the interval, in [0, 1].
        high: upper end, in [0, 1].
    """

    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Prior:
    """The change in the score that is expected before any label is looked at: a mixture of two normal distributions.

    Args:
        mean: expected change, as a share of 1.
        spread: its standard deviation.
        surprise: weight of a second distribution, wide and centred at 0, for changes that nobody expects; in [0, 1].
        surprise_spread: standard deviation of the second distribution.
        runs: recorded data sets behind it; 0 is the neutral prior.
    """

    mean: float = 0.0
    spread: float = 0.05
    surprise: float = 0.2
    surprise_spread: float = 0.25
    runs: int = 0

    def posterior(self, observed: float, error: float) -> Posterior:
        """The distribution of the change after an observation, by Bayes' rule for ``observed ~ N(change, error^2)``.

        Args:
            observed: the cross-validated difference, as a share of 1.
            error: its standard error, above 0.
        """
        parts = []
        for share, mean, spread in (
            (1 - self.surprise, self.mean, self.spread),
            (self.surprise, 0.0, self.surprise_spread),
        ):
            wide = math.hypot(spread, error)
            gain = (spread / wide) ** 2
            weight = float(share * norm.pdf(observed, mean, wide))
            parts.append((weight, mean + gain * (observed - mean), spread * error / wide))
        total = sum(w for w, _, _ in parts)
        if total == 0:  # further out than either part allows: the wide one holds
            parts, total = [(0.0, *parts[0][1:]), (1.0, *parts[1][1:])], 1.0
        return Posterior(tuple((w / total, m, s) for w, m, s in parts))


@dataclass(frozen=True)
class Posterior:
    """A mixture of normal distributions.

    Attributes:
        parts: weight, mean and standard deviation of each; the weights sum to 1.

    >>> round(Prior().posterior(observed=-0.33, error=0.05).below(0), 3)
    1.0
    """

    parts: tuple[tuple[float, float, float], ...]

    @property
    def mean(self) -> float:
        """Mean of the change."""
        return sum(w * m for w, m, _ in self.parts)

    def below(self, value: float) -> float:
        """Probability that the change is below ``value``."""
        return float(sum(w * norm.cdf(value, m, s) for w, m, s in self.parts))

    def quantile(self, share: float) -> float:
        """The value below which the change lies with probability ``share``."""
        return float(brentq(lambda v: self.below(v) - share, -3, 3))


@dataclass(frozen=True)
class Evidence:
    """What the labels tell about the pool. Scores and differences are shares of 1.

    Attributes:
        labels: number of labelled items that it rests on; copies of an item count once.
        reference: cross-validated score of the labels-only model.
        candidate: cross-validated score of the model that used the pool.
        observed: the cross-validated difference of the two.
        error: its standard error.
        difference: posterior mean of the change.
        low: lower end of its interval at LEVEL.
        high: upper end.
        harm: posterior probability that the score became lower.
        returned: which of the two models the fit returns.
        resolution: the smallest difference that cross-validation alone could tell from none with this many labels.
        prior: the prior that the observation was weighed against.
        measure: name of the score, as `Task.measure`: "accuracy", "entity F1" or "mean IoU".
        tried: what the candidate has and the reference has not.
        labelled_by: what is counted as labels, as `Task.labelled_by`: "labels" or "masks".
        clusters: number of clusters of items that belong together, such as authors; None where each is by itself.
        called: word for a cluster, such as "author".
        worth: number of independent labels that as many of these clusters say as much as, for the reference.
        refused: sentence on why the reference is returned, whatever the labels say; empty where nothing speaks so.
        besides: sentences on the pool.
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
    tried: Tried = "pool"
    labelled_by: str = "labels"
    clusters: int | None = None
    called: str = ""
    worth: float | None = None
    refused: str = ""
    besides: tuple[str, ...] = ()

    def words(self) -> str:
        """The evidence in sentences."""
        points = f"{100 * self.difference:+.1f} points (90 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f})"
        choice = {
            "candidate": IN_WORDS[self.tried].returned,
            "reference": f"{self.refused} The labels-only model is returned.".lstrip(),
        }[self.returned]
        on = " on the labels as given" if self.tried == "method" else ""
        sets = self.prior.runs
        basis = "no record of this method on such data"
        if sets:
            basis = f"the record of {sets} data sets ({100 * self.prior.mean:+.1f} points on average)"
        return (
            f"{IN_WORDS[self.tried].subject} {likelihood(self.harm)}: estimated change in {self.measure}{on} {points}. "
            f"{choice} With {self.labels} {self.labelled_by}{self._of}, cross-validation alone can tell a change only "
            f"beyond about {100 * self.resolution:.0f} points; it saw {100 * self.observed:+.1f}, weighed against "
            f"{basis}." + "".join(f" {sentence}" for sentence in self.besides)
        )

    def _repr_html_(self) -> str:
        """The box with the answer, for a notebook: what a report has on top."""
        scores = {
            name: {"score": found.score, "interval": [found.low, found.high]}
            for name, found in (("reference", self.reference), ("candidate", self.candidate))
        }
        summary = scores | {
            "evidence": asdict(self), "score": "score", "measure": self.measure, "tried": self.tried,
            "returned": self.returned, "labelled": self.labels,
        }  # fmt: skip
        return in_notebook(verdict(summary), [*filter(None, [self.refused]), *self.besides])

    @property
    def _of(self) -> str:
        """Words for the clusters of the labels; empty where each label is by itself."""
        if self.clusters is None or self.worth is None:
            return ""
        of = f" in {self.clusters} groups" + (f" by {self.called}" if self.called else "")
        return f"{of}, which say as much as {self.worth:.0f} independent ones"

    def as_dict(self) -> dict[str, Any]:
        """The numbers and names, as a summary holds them."""
        return {k: v for k, v in asdict(self).items() if k not in ("labelled_by", "besides")}

    @staticmethod
    def of(told: Mapping[str, Any]) -> Evidence:
        """The evidence that a summary holds, see `as_dict`; without its sentences on the pool."""
        own = {f.name for f in fields(Evidence)}
        parts = {name: Estimate(**told[name]) for name in ("reference", "candidate")} | {
            "prior": Prior(**told["prior"])
        }
        return Evidence(**{k: v for k, v in told.items() if k in own} | parts)


def likelihood(harm: float) -> str:
    """The posterior probability of harm, in [0, 1], in words.

    >>> likelihood(0.02), likelihood(0.5)
    ('almost certainly helped (probability of harm 2 %)', 'may have helped or hurt (probability of harm 50 %)')
    """
    return f"{helped(harm)} (probability of harm {100 * harm:.0f} %)"


def weigh(
    reference: np.ndarray,
    candidate: np.ndarray,
    prior: Prior,
    held_out_share: float,
    harm_limit: float = 0.5,
    task: Task = ACCURACY,
    tried: Tried = "pool",
    clusters: np.ndarray | None = None,
    called: str = "",
    counts: np.ndarray | None = None,
    refused: str = "",
) -> Evidence:
    """Weigh the cross-validated scores of two models against a prior, and say which model to return.

    Args:
        reference: score of each labelled example by the labels-only model when held out, averaged over the repeats,
            (labels,); for accuracy the share of repeats in which it was predicted right.
        candidate: the same by the other model, (labels,), in the same order.
        prior: the expected change.
        held_out_share: h, the share of the labels in a fold, in (0, 0.5]. Folds share training labels, so the variance
            of the mean is (1 + 1 / (1 - h)) times that of independent answers (Nadeau and Bengio, Machine Learning 52,
            2003, with one repeat).
        harm_limit: the reference is returned when harm is more probable than this, in [0, 1].
        task: the task of the scores: it names their measure, and says how far apart two scores of an example are.
        tried: what the candidate has and the reference has not.
        clusters: number of the cluster of each labelled example, (labels,), whose answers may depend on each other;
            None: each is by itself.
        called: word for a cluster.
        counts: how much each label counts, (labels,), at least 0; None counts all alike.
        refused: sentence on why the reference is to be returned, whatever the labels say; empty: the labels decide.
    """
    n = len(reference)
    weight = np.ones(n) if counts is None else counts / counts.mean()
    change = candidate - reference
    observed = float((weight * change).mean())
    # one imagined disagreement more: with few labels, none seen is no proof of none
    once_more = task.disagreement(reference) ** 2 * float((weight**2).mean())
    variance = (float((weight**2 * (change - observed) ** 2).sum()) + once_more) / n
    effect = max(design_effect(change, clusters), design_effect(reference, clusters))
    error = math.sqrt(variance / n * (1 + 1 / (1 - held_out_share)) * effect)
    posterior = prior.posterior(observed, error)
    harm = posterior.below(0)
    tail = (1 - LEVEL) / 2
    return Evidence(
        labels=n,
        reference=estimate(reference, task.binary, dependence(reference, clusters), counts),
        candidate=estimate(candidate, task.binary, dependence(candidate, clusters), counts),
        observed=observed,
        error=error,
        difference=posterior.mean,
        low=posterior.quantile(tail),
        high=posterior.quantile(1 - tail),
        harm=harm,
        returned="reference" if harm > harm_limit or refused else "candidate",
        resolution=float(norm.ppf(1 - tail)) * error,
        prior=prior,
        measure=task.measure,
        tried=tried,
        labelled_by=task.labelled_by,
        clusters=None if clusters is None else len(np.unique(clusters)),
        called=called,
        worth=None if clusters is None else n / design_effect(reference, clusters),
        refused=refused,
    )


def estimate(
    scores: np.ndarray, binary: bool = False, dependent: float = 1.0, counts: np.ndarray | None = None
) -> Estimate:
    """The mean score of n examples and its interval at LEVEL: Wilson's where scores are 0 or 1, else the normal one.

    Where all scores are 0, or all are 1, the normal interval would be a point, so it is Wilson's as well.

    Args:
        scores: scores of the examples, (n,), as `Task.right` gives them.
        binary: each score is 0 or 1, see `Task.binary`.
        dependent: factor by which n such scores say less than n independent ones, at least 1; see `dependence`.
        counts: how much each example counts, (n,), at least 0; None counts all alike. Examples of unequal weight are
            worth (sum w)^2 / sum w^2 of equal ones (Kish).

    >>> estimate(np.array([1.0, 1.0, 0.0, 1.0]), binary=True) == wilson(0.75, 4)
    True
    """
    weight = np.ones(len(scores)) if counts is None else counts / counts.mean()
    mean, n = float((weight * scores).mean()), float(len(scores) / (weight**2).mean()) / dependent
    if binary or (mean in (0.0, 1.0) and scores.std() == 0):
        return wilson(mean, n)
    half = float(norm.ppf((1 + LEVEL) / 2)) * math.sqrt(float((weight * (scores - mean) ** 2).mean()) / n)
    return Estimate(mean, max(mean - half, 0.0), min(mean + half, 1.0))


def wilson(share: float, n: float) -> Estimate:
    """A share of n cases, which need not be whole, and Wilson's interval for it at LEVEL.

    Source: Wilson, Journal of the American Statistical Association 22, 1927.

    >>> wilson(0.9, 100)
    Estimate(score=0.9, low=0.839..., high=0.939...)
    """
    z = float(norm.ppf((1 + LEVEL) / 2))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Estimate(share, max(centre - half, 0.0), min(centre + half, 1.0))


def exact(share: float, n: float) -> Estimate:
    """A share of n cases and the exact interval for it at LEVEL, which holds at least as often as it says.

    Where n is small and the share near 0 or 1, Wilson's interval does not. Neither n nor the number of cases need be
    whole.

    Source: Clopper and Pearson, Biometrika 26, 1934.

    >>> exact(1.0, 10)
    Estimate(score=1.0, low=0.741..., high=1.0)
    """
    found, tail = share * n, (1 - LEVEL) / 2
    low = float(beta.ppf(tail, found, n - found + 1)) if found > 0 else 0.0
    high = float(beta.ppf(1 - tail, found + 1, n - found)) if found < n else 1.0
    return Estimate(share, low, high)
