"""Recorded benchmarks as priors: gains over the labels-only model, of one method or of all methods together."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from tutelage.fit.evidence import Prior

OTHER_KINDS = 0.25
"""Weight of a recorded data set of another kind; one of the same kind has weight 1."""

UNKNOWN = 0.05
"""Standard deviation of the gain of a method without records; its mean is 0."""

TOWARDS_DIAGONAL = 0.2
"""Share by which recorded correlations are shrunk towards 0, since the data sets are few."""

LEAST_SPREAD = 0.01
"""Standard deviation that is added to each method's recorded gains, independently."""

UNRECORDED = 0.08
"""Standard deviation of the gain by an encoder, or by a way of using a teacher, without records; its mean is 0."""

LEAST_APART = 0.02
"""Standard deviation, at least, of such a gain between data sets."""

COMMON_SPREAD = 0.05
"""Standard deviation of what all methods gain or lose together on new data, beside the recorded spread."""


@dataclass(frozen=True)
class Gains:
    """A joint normal distribution of methods' gains over the labels-only model, as shares of 1.

    Methods that win on the same data sets inform each other: where one graph helps, another will too.

    Attributes:
        mean: expected gains of m methods, (m,).
        covariance: of these gains, (m, m).
        runs: number of recorded runs that it rests on.
    """

    mean: np.ndarray
    covariance: np.ndarray
    runs: int = 0

    @staticmethod
    def recorded(names: Sequence[str], kind: str = "", without: Collection[str] = ()) -> Gains:
        """The gains of methods as packaged records have them.

        Args:
            names: of the methods.
            kind: the name under which fits of this kind are recorded; records of other kinds count OTHER_KINDS.
            without: data sets whose records are left out, such as the one that a benchmark is on.
        """
        records = json.loads(resources.files("tutelage.fit").joinpath("records/gains.json").read_text())
        return Gains.of([r for r in records if r["data"] not in without], names, kind)

    @staticmethod
    def of(records: list[dict[str, Any]], names: Sequence[str], kind: str) -> Gains:
        """The gains of methods from records, one for each draw of labels.

        Args:
            records: each is {"data": data set, "kind": kind, "gains": {method: gain as a share of 1}}.
            names: of the methods.
            kind: see `recorded`.

        >>> records = [{"data": "a", "kind": "text", "gains": {"drift": 0.02}},
        ...            {"data": "b", "kind": "text", "gains": {"drift": 0.04}}]
        >>> Gains.of(records, ["drift", "vat"], "text").mean.round(3).tolist()
        [0.03, 0.0]
        """
        known = [i for i, name in enumerate(names) if any(name in _gains(r) for r in records)]
        mean, covariance = np.zeros(len(names)), np.eye(len(names)) * UNKNOWN**2
        complete = [r for r in records if all(names[i] in _gains(r) for i in known)]
        if known and complete:
            found = np.array([[_gains(r)[names[i]] for i in known] for r in complete])
            sets = [r["data"] for r in complete]
            weight = np.array([(1.0 if r["kind"] == kind else OTHER_KINDS) / sets.count(r["data"]) for r in complete])
            weight /= weight.sum()
            centre = weight @ found
            apart = (found - centre) * np.sqrt(weight)[:, None]
            spread = apart.T @ apart
            spread = (1 - TOWARDS_DIAGONAL) * spread + TOWARDS_DIAGONAL * np.diag(np.diag(spread))
            mean[known] = centre
            covariance[np.ix_(known, known)] = spread + np.eye(len(known)) * LEAST_SPREAD**2
        return Gains(mean, covariance + COMMON_SPREAD**2, len(complete))

    def posterior(self, observed: np.ndarray, error: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean (m,) and covariance (m, m) of all gains after the gains of some methods were observed.

        Args:
            observed: cross-validated gains of k methods, (k,).
            error: covariance of the errors of these gains, (k, k).
            at: numbers of the k methods, (k,).

        >>> gains = Gains(np.zeros(2), np.array([[1.0, 0.5], [0.5, 1.0]]))
        >>> mean, covariance = gains.posterior(np.array([1.0]), np.array([[1.0]]), np.array([0]))
        >>> mean.tolist(), covariance.round(3).tolist()
        ([0.5, 0.25], [[0.5, 0.25], [0.25, 0.875]])
        """
        joint = self.covariance[np.ix_(at, at)] + error
        pull = np.linalg.solve(joint, self.covariance[at]).T
        mean = self.mean + pull @ (observed - self.mean[at])
        return mean, self.covariance - pull @ self.covariance[at]


def _gains(record: dict[str, Any]) -> dict[str, float]:
    gains: dict[str, float] = record["gains"]
    return gains


def error_of(change: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """Covariance of the errors of k methods' mean gains, (k, k).

    Unlike in `evidence.weigh` it is not enlarged for the training labels that folds share, since all methods have the
    same folds. With the enlargement the records outweighed the labels too much, on draws of labels that no table uses.

    Args:
        change: score of each label by each method minus the score by the reference, (n, k).
        counts: how much each label counts, (n,), 1 on average; None counts all alike.
    """
    n = len(change)
    weight = np.ones((n, 1)) if counts is None else counts[:, None]
    apart = weight * (change - (weight * change).mean(0))
    once_more = np.eye(change.shape[1])  # one imagined disagreement, as there
    found: np.ndarray = (apart.T @ apart + once_more) / n**2
    return found


@dataclass(frozen=True)
class Records:
    """What a fit may know of the packaged records.

    Attributes:
        kind: name under which fits of its kind are recorded.
        without: data sets whose records are left out, such as the one that a benchmark is on.
    """

    kind: str = ""
    without: Collection[str] = ()

    def gains(self, names: Sequence[str]) -> Gains:
        """The gains of methods, see `Gains.recorded`."""
        return Gains.recorded(names, self.kind, self.without)

    def nearest(self, file: str, name: str, labels: float) -> Prior:
        """What is expected at the recorded number of labels a class that is nearest, as a ratio; wide without records.

        Args:
            file: name of the file of records: gains over the labels only by name, number of labels a class, and data
                set.
            name: name in the file.
            labels: labels a class; below 1 counts as 1.
        """
        records = json.loads(resources.files("tutelage.fit").joinpath(f"records/{file}").read_text())
        found: dict[str, dict[str, float]] = records.get(name, {})
        if found:
            known = min(found, key=lambda known: abs(math.log(int(known) / max(labels, 1))))
            gains = [gain for data, gain in found[known].items() if data not in self.without]
            if len(gains) > 1:
                return prior_of(gains)
        return Prior(spread=UNRECORDED)

    def beside(self, method: str) -> Prior | None:
        """What is expected of a method's student that answers together with the labels-only model; None unrecorded."""
        records = json.loads(resources.files("tutelage.fit").joinpath("records/together.json").read_text())
        found = records.get(self.kind, {}).get(method)
        return Prior(**found) if found else None


ALL_RECORDS = Records()
"""All records, of no kind in particular."""


def prior_of(gains: Sequence[float]) -> Prior:
    """What gains on some data sets, at least two, say of another one.

    >>> prior_of([0.02, 0.06])
    Prior(mean=0.04, spread=0.0283, surprise=0.2, surprise_spread=0.25, runs=2)
    """
    spread = max(float(np.std(gains, ddof=1)), LEAST_APART)
    return Prior(round(float(np.mean(gains)), 4), round(spread, 4), runs=len(gains))


def recorded_prior(method: str, kind: str) -> Prior:
    """What recorded benchmarks say of a method on a kind of input; neutral where there are none."""
    records = json.loads(resources.files("tutelage.fit").joinpath("records/priors.json").read_text())
    found = records.get(kind, {}).get(method)
    return Prior(**found) if found else Prior()
