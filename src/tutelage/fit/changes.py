"""What changed between two models of a pool that grew: shares of the classes, confidence, and agreement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2_contingency

from tutelage.fit.evidence import wilson

DRIFTED = 0.01
"""Probability of such a difference by chance below which shares are said to have drifted."""

LEAST_EXPECTED = 5
"""Number of rows of a class, at least, that are expected in each part; rarer classes are counted as one."""

DRIFT = "The shares have drifted"
"""Beginning of the sentence on shares that have."""

SHOWN = 3
"""Number of classes whose shares are told in words, and of changes."""


@dataclass(frozen=True)
class Looked:
    """Units of a part of the pool, as the model before and the model now label them.

    Attributes:
        before, now: class number of each unit by either model, (n,).
        sure: probability of its class by the model before, (n,), in [0, 1].
        items: number of items that the units are of.
        of: number of items of this part of the pool, of which these are some, evenly spaced.
    """

    before: np.ndarray
    now: np.ndarray
    sure: np.ndarray
    items: int
    of: int

    def shares(self, classes: int) -> np.ndarray:
        """Share of each class by the model before, (c,)."""
        found: np.ndarray = np.bincount(self.before, minlength=classes) / max(len(self.before), 1)
        return found

    def agreement(self, k: int | None = None) -> float | None:
        """Share of the units, of a class of the model before or of all, that both models label alike; None of none."""
        some = np.ones(len(self.before), dtype=bool) if k is None else self.before == k
        return float((self.now[some] == self.before[some]).mean()) if some.any() else None


@dataclass(frozen=True)
class Drift:
    """Whether the shares of the classes in the new rows are those in the old ones.

    Attributes:
        p: probability of a difference as large, or larger, by chance, in [0, 1].
        statistic: chi-squared.
        freedom: degrees of freedom.
        distance: distance of the shares in total variation, in [0, 1].
    """

    p: float
    statistic: float
    freedom: int
    distance: float

    @property
    def drifted(self) -> bool:
        """Whether chance does not explain the difference."""
        return self.p < DRIFTED


def drift(old: Looked, new: Looked, classes: int) -> Drift | None:
    """Pearson's test of whether old and new rows have the same shares of classes; None where there is nothing to test.

    Classes of which few rows are expected are counted as one, since the test is not for such.

    Args:
        old, new: both parts of the pool; their units are rows that do not depend on each other.
        classes: number of classes.
    """
    counts = np.stack([np.bincount(part.before, minlength=classes) for part in (old, new)])
    distance = 0.5 * float(np.abs(old.shares(classes) - new.shares(classes)).sum())
    if not counts.sum(1).all():
        return None
    expected = counts.sum(0) * counts.sum(1).min() / counts.sum()
    rare = expected < LEAST_EXPECTED
    table = np.concatenate([counts[:, ~rare], counts[:, rare].sum(1, keepdims=True)], axis=1)
    table = table[:, table.sum(0) > 0]
    if table.shape[1] < 2:
        return Drift(1.0, 0.0, 0, distance)
    found = chi2_contingency(table, correction=False)
    return Drift(float(found.pvalue), float(found.statistic), int(found.dof), distance)


def changes(
    classes: Sequence[str], things: str, old: Looked | None, new: Looked | None, single: bool = True
) -> dict[str, Any]:
    """What changed, as plain values and in sentences.

    Args:
        classes: names of the classes.
        things: word for the items, in the plural.
        old: rows that the model before had in its pool; None where there are none.
        new: rows that it had not; where old and new cannot be told apart, or there are no old ones, all that there are.
        single: whether each item is one unit; else units of an item depend on each other, and there is neither an
            interval nor a test.

    >>> part = Looked(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([0.9, 0.6, 0.9]), 3, 3)
    >>> changes(["ham", "spam"], "texts", part, None)["agreement"]["old"]["share"]
    0.6666666666666666
    """
    parts = {name: part for name, part in (("old", old), ("new", new)) if part is not None and len(part.before)}
    c = len(classes)
    tested = drift(parts["old"], parts["new"], c) if single and len(parts) == 2 else None
    moves = Counter[tuple[int, int]]()
    for part in parts.values():
        apart = part.before != part.now
        moves.update(zip(part.before[apart].tolist(), part.now[apart].tolist(), strict=True))
    found: dict[str, Any] = {
        "looked_at": {name: part.items for name, part in parts.items()},
        "classes": {
            name: {of: _of_class(part, k, c, single) for of, part in parts.items()} for k, name in enumerate(classes)
        },
        "confidence": {name: float(part.sure.mean()) for name, part in parts.items()},
        "agreement": {name: _share(part.agreement() or 0.0, len(part.before), single) for name, part in parts.items()},
        "drift": None if tested is None else {
            "p": tested.p, "chi_squared": tested.statistic, "degrees_of_freedom": tested.freedom,
            "distance": tested.distance, "drifted": tested.drifted,
        },
        "moves": [
            {"from": classes[a], "to": classes[b], "count": count} for (a, b), count in moves.most_common(2 * SHOWN)
        ],
    }  # fmt: skip
    words = list(_words(classes, things, parts, tested, found))
    alarm = next((line for line in words if tested is not None and tested.drifted and DRIFT in line), "")
    return found | {"words": words, "alarm": alarm}


def _of_class(part: Looked, k: int, classes: int, single: bool) -> dict[str, Any]:
    """What the model before says of a class in a part of the pool, and how far the model now agrees."""
    share = _share(float(part.shares(classes)[k]), len(part.before), single)
    return share | {"agreement": part.agreement(k)}


def _share(share: float, count: int, single: bool) -> dict[str, float | None]:
    """A share with its interval at 90 %, where units do not depend on each other."""
    if not single:
        return {"share": share, "low": None, "high": None}
    found = wilson(share, count)
    return {"share": share, "low": found.low, "high": found.high}


def _words(
    classes: Sequence[str], things: str, parts: Mapping[str, Looked], tested: Drift | None, found: Mapping[str, Any]
) -> Any:
    """Sentences on what changed."""
    if not parts:
        return
    names = {"old": f"old {things}", "new": f"new {things}"} if len(parts) == 2 else dict.fromkeys(parts, things)
    some = [f"{part.items:,} of {part.of:,} {names[name]}" for name, part in parts.items() if part.items < part.of]
    if some:
        yield f"Looked at: {' and '.join(some)}, evenly spaced."
    c = len(classes)
    if len(parts) == 2:
        before, after = (parts[name].shares(c) for name in ("old", "new"))
        most = np.argsort(-np.abs(after - before), kind="stable")[:SHOWN]
        each = ", ".join(f"{classes[k]} {_percent(after[k])} (old {_percent(before[k])})" for k in most.tolist())
        yield f"Of the new {things} the model before says: {each}.{_of_drift(tested)}"
        sure = found["confidence"]
        yield f"It is sure of the new {things} to {_percent(sure['new'])} on average, of the old ones to " + (
            f"{_percent(sure['old'])}."
        )
    agree = [
        f"{_percent(each['share'])}{_interval(each)} of the {names[name]}" for name, each in found["agreement"].items()
    ]
    yield f"The model now gives {' and '.join(agree)} the label that the model before gives."
    if found["moves"]:
        each = ", ".join(f"{m['from']} to {m['to']} ({m['count']:,})" for m in found["moves"][:SHOWN])
        yield f"The most frequent changes: {each}."


def _of_drift(tested: Drift | None) -> str:
    """Sentence on whether the shares drifted; empty where nothing was tested."""
    if tested is None:
        return ""
    p = "p < 0.001" if tested.p < 0.001 else f"p = {tested.p:.2g}"
    points = f"{100 * tested.distance:.1f} % of the rows would have to change class; chi-squared, {p}"
    return f" {DRIFT} ({points})." if tested.drifted else f" No drift can be told ({points})."


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _interval(share: Mapping[str, float | None]) -> str:
    low, high = share["low"], share["high"]
    return "" if low is None or high is None else f" ({100 * low:.1f} to {100 * high:.1f})"
