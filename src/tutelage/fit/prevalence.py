"""How common each class is in the pool: estimated, or declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.fit.class_bias import ClassBias, calibrate

LEAST_ROWS = 100
"""Examples of a pool, at least, whose shares are estimated."""

APART = 0.2
"""Distance in total variation from which on the labels' shares count as other than the pool's."""

BEYOND = 0.1
"""Distance beyond which 95 of 100 redrawn sets of labels must lie, too."""

PULL = 1 / 3
"""Weight of the labels' shares in the estimate, as a share of that of the pool."""

REDRAWN = 60
"""Redrawn sets of labels, by which it is told whether the shares are surely apart."""

DRAWS = 2000
"""Draws of how often classes are found and mistaken, by which the intervals are made."""

MOST_ROWS = 2000
"""Examples of the pool, at most, that redrawn labels are asked about."""

ROUNDS = 200
"""Rounds, at most, of expectation and maximisation."""


@dataclass(frozen=True)
class Prevalence:
    """Shares of the classes among the labels and in the pool.

    Attributes:
        labels: share of each class among the labels, (c,).
        pool: share of each class in the pool, (c,), as models are moved to it: where it is estimated, drawn towards the
            labels' shares.
        low, high: ends of the interval of each share in the pool at 90 %, (c,), see `intervals`; the shares themselves
            where they are declared.
        apart: distance in total variation of the two, in [0, 1].
        least: distance beyond which that of 95 of 100 redrawn sets of labels lies.
        declared: whether the shares were declared.
        seems: share of each class in the pool, (c,), as it is told: the middle of the interval; None: as `pool`.
    """

    labels: np.ndarray
    pool: np.ndarray
    low: np.ndarray
    high: np.ndarray
    apart: float
    least: float
    declared: bool = False
    seems: np.ndarray | None = None

    @property
    def told(self) -> np.ndarray:
        """Share of each class in the pool as it is told, (c,)."""
        return self.pool if self.seems is None else self.seems

    @property
    def moved(self) -> bool:
        """Whether the models are moved to the pool's shares: these are declared, or clearly not the labels'."""
        return self.declared or (self.apart >= APART and self.least >= BEYOND)

    @property
    def ratio(self) -> np.ndarray:
        """How many times as common each class is in the pool as among the labels, (c,); 1 of classes without labels."""
        return np.where(self.labels > 0, self.pool / np.where(self.labels > 0, self.labels, 1), 1.0)

    def as_dict(self, classes: Sequence[Any]) -> dict[str, Any]:
        """Plain values for a summary, by the names of the classes."""
        each = (self.labels, self.told, self.low, self.high, self.pool)
        by_class = {
            str(name): dict(zip(("labels", "pool", "low", "high", "moved_to"), map(float, row), strict=True))
            for name, row in zip(classes, np.stack(each, axis=1), strict=True)
        }
        return {"apart": self.apart, "declared": self.declared, "moved": self.moved, "classes": by_class}


def shares_of(y: np.ndarray, classes: int, weight: np.ndarray | None = None) -> np.ndarray:
    """Share of each class among labels, (c,); all 0 without labels."""
    counts = np.bincount(y, weights=weight, minlength=classes).astype(np.float64)
    found: np.ndarray = counts / max(counts.sum(), 1e-300)
    return found


def expected_shares(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Shares of the classes in data, from probabilities that are calibrated for data with the labels' shares.

    Expectation and maximisation of Saerens, Latinne and Decaestecker (Neural Computation 14, 2002), with a Dirichlet
    prior about the labels' shares that weighs `PULL` times as much as the data.

    Args:
        p: calibrated probabilities, (n, c).
        labels: share of each class among the labels, (c,).

    >>> p = np.repeat([[0.95, 0.05], [0.1, 0.9]], [90, 10], axis=0)
    >>> expected_shares(p, np.array([0.5, 0.5])).round(2).tolist()
    [0.82, 0.18]
    """
    known = labels > 0
    ratio = np.divide(1.0, labels, out=np.zeros_like(labels), where=known)
    scaled, found = p * ratio, labels.copy()
    for _ in range(ROUNDS):
        said = scaled * found
        said /= said.sum(1, keepdims=True).clip(1e-300)
        new = (said.mean(0) + PULL * labels) / (1 + PULL)
        done = np.abs(new - found).max() < 1e-6
        found = new
        if done:
            break
    return found


def prevalence(
    held_out: np.ndarray, y: np.ndarray, pool: np.ndarray, weight: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> Prevalence | None:  # fmt: skip
    """The shares of the classes in the pool, by the labels-only model; None where the pool is too small to tell.

    Args:
        held_out: probabilities said of the n labelled units in each of r repeats, (r, n, c).
        y: their class numbers, (n,).
        pool: probabilities said of the pool's units, (m, c).
        weight: how much each unit counts, (n,); None counts each once.
        groups: group of each unit, (n,), drawn together when labels are redrawn; None: each is one of its own.
    """
    classes = pool.shape[1]
    if len(pool) < LEAST_ROWS or not len(y):
        return None
    labels = shares_of(y, classes, weight)
    found = expected_shares(calibrate(held_out, y, weight).of(pool), labels)
    rng = np.random.default_rng(0)
    part = pool[rng.permutation(len(pool))[:MOST_ROWS]]
    draws = np.stack([
        expected_shares(_redrawn(held_out, y, weight, groups, rng).of(part), labels) for _ in range(REDRAWN)
    ])  # fmt: skip
    apart = np.abs(draws - labels).sum(1) / 2
    low, seems, high = intervals(held_out, y, pool, weight, groups)
    return Prevalence(
        labels, found, low, high, distance(found, labels), float(np.quantile(apart, 0.05)), seems=seems / seems.sum()
    )


def intervals(
    held_out: np.ndarray, y: np.ndarray, pool: np.ndarray, weight: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Lower end, middle and upper end of the interval at 90 % of the share of each class in the pool, (c,) each.

    A share s of class k gives a share s t + (1 - s) f of predictions of k: t is how often k is found, f how often
    another class is taken for it. Both are drawn from their posterior distributions after the held-out labels
    (Jeffreys' prior), and s is solved for each draw. Where labels cannot tell that k is found at all, s may be
    anything. Unlike `expected_shares` it is not drawn towards the labels' shares.

    Args:
        held_out, y, pool, weight, groups: as in `prevalence`.

    Source: the estimate is that of Gart and Buck (American Journal of Epidemiology 83, 1966).
    """
    rng, classes = np.random.default_rng(0), pool.shape[1]
    said = held_out.argmax(-1)
    rate = np.bincount(pool.argmax(1), minlength=classes) / len(pool)
    w = np.ones(len(y)) if weight is None else weight
    worth = 1.0 if groups is None else min(len(np.unique(groups)) / w.sum(), 1.0)  # groups, not labels, are independent
    found_shares = np.zeros((3, classes))
    for k in range(classes):
        hit = (said == k).mean(0)
        each = []
        for of in (y == k, y != k):
            n, times = worth * w[of].sum(), worth * (w * hit)[of].sum()
            each.append(rng.beta(times + 0.5, n - times + 0.5, DRAWS))
        found, mistaken = each
        seen = rng.beta(rate[k] * len(pool) + 0.5, (1 - rate[k]) * len(pool) + 0.5, DRAWS)
        tells = found > mistaken
        share = np.where(tells, (seen - mistaken) / np.where(tells, found - mistaken, 1), rng.random(DRAWS))
        found_shares[:, k] = np.quantile(share.clip(0, 1), [0.05, 0.5, 0.95])
    low, middle, high = found_shares
    return low, middle, high


def declared(shares: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> Prevalence:
    """Shares of the classes in the pool that were declared, (c,)."""
    labels = shares_of(y, len(shares), weight)
    apart = distance(shares, labels)
    return Prevalence(labels, shares, shares, shares, apart, apart, declared=True)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Distance in total variation of two distributions, (c,) each: half of the sum of the differences, in [0, 1].

    >>> distance(np.array([0.5, 0.5]), np.array([0.9, 0.1]))
    0.4
    """
    return round(float(np.abs(a - b).sum() / 2), 12)


def _redrawn(
    held_out: np.ndarray, y: np.ndarray, weight: np.ndarray | None, groups: np.ndarray | None,
    rng: np.random.Generator,
) -> ClassBias:  # fmt: skip
    """Calibration on labels that are drawn again with replacement, whole groups at a time, class by class."""
    each = np.arange(len(y)) if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    first = np.full(each.max() + 1, -1)
    first[each[::-1]] = y[::-1]  # class of the first unit of each group
    times = np.zeros(len(first))
    for k in np.unique(first):
        of = np.flatnonzero(first == k)
        np.add.at(times, rng.choice(of, len(of)), 1)
    return calibrate(held_out, y, times[each] * (1 if weight is None else weight))
