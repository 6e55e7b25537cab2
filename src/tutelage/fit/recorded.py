"""What recorded benchmarks say of methods' gains over the labels alone, of all methods at once."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np

from tutelage.fit.evidence import Prior

OTHER_KINDS = 0.25
"""How much a recorded data set of another kind counts."""

UNKNOWN = 0.05
"""Spread of the gain of a method that nothing is recorded of; its mean is 0."""

TOWARDS_DIAGONAL = 0.2
"""By how much the recorded correlations are shrunk: the data sets are few."""

LEAST_SPREAD = 0.01

TOGETHER = 0.05
"""Spread of what all methods gain or lose together on new data, beside what is recorded."""


@dataclass(frozen=True)
class Gains:
    """Methods' gains over the labels alone, as shares of 1, before a label is looked at: jointly normal.

    Methods that win on the same data sets inform each other: where one graph helps, so will another.

    Attributes:
        mean: (m,); covariance: (m, m).
        runs: recorded runs behind them.
    """

    mean: np.ndarray
    covariance: np.ndarray
    runs: int = 0

    @staticmethod
    def recorded(names: Sequence[str], kind: str = "", without: Collection[str] = ()) -> Gains:
        """Of methods, on a kind of input.

        Args:
            kind: as `recipes.kind_of_record` says it; other kinds count OTHER_KINDS.
            without: data sets that are left out, such as the one that a benchmark is on.
        """
        records = json.loads(resources.files("tutelage.fit").joinpath("records/gains.json").read_text())
        return Gains.of([r for r in records if r["data"] not in without], names, kind)

    @staticmethod
    def of(records: list[dict[str, object]], names: Sequence[str], kind: str) -> Gains:
        """From records: {"data", "kind", "gains": {method: gain}}, one for each draw of labels.

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
        return Gains(mean, covariance + TOGETHER**2, len(complete))

    def posterior(self, observed: np.ndarray, error: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean (m,) and covariance (m, m) of all gains after those ``at`` were observed.

        Args:
            observed: cross-validated gains, (k,); error: their covariance, (k, k).
            at: which methods they are of, (k,).

        >>> gains = Gains(np.zeros(2), np.array([[1.0, 0.5], [0.5, 1.0]]))
        >>> mean, covariance = gains.posterior(np.array([1.0]), np.array([[1.0]]), np.array([0]))
        >>> mean.tolist(), covariance.round(3).tolist()
        ([0.5, 0.25], [[0.5, 0.25], [0.25, 0.875]])
        """
        joint = self.covariance[np.ix_(at, at)] + error
        pull = np.linalg.solve(joint, self.covariance[at]).T
        mean = self.mean + pull @ (observed - self.mean[at])
        return mean, self.covariance - pull @ self.covariance[at]


def _gains(record: dict[str, object]) -> dict[str, float]:
    gains = record["gains"]
    assert isinstance(gains, dict)
    return gains


def error_of(change: np.ndarray) -> np.ndarray:
    """Covariance of the means of paired differences, (k, k).

    It is not made larger for training labels that folds share, as in `evidence.weigh`: methods are compared on the same
    folds. Chosen on other draws of labels: with that, the records had too much to say.

    Args:
        change: each label's score by k methods minus the reference's, (n, k).
    """
    n = len(change)
    apart = change - change.mean(0)
    once_more = np.eye(change.shape[1])  # one imagined disagreement, as there
    found: np.ndarray = (apart.T @ apart + once_more) / n**2
    return found


def recorded_prior(method: str, kind: str) -> Prior:
    """What recorded benchmarks say of a method on a kind of input; neutral where there are none."""
    records = json.loads(resources.files("tutelage.fit").joinpath("records/priors.json").read_text())
    found = records.get(kind, {}).get(method)
    return Prior(**found) if found else Prior()
