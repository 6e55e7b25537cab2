"""When it is enough: what more labels are likely to bring, by the curve so far and by recorded curves of other data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from jaxtyping import Float

from tutelage.ask.pool import whole
from tutelage.ops.checks import in_range

MORE = (20, 50, 200)
"""Numbers of further labels that are looked at."""

COVERAGE = 0.90
"""Nominal coverage of the intervals of gains."""

SECONDS = 15.0
"""Seconds that a label takes a person, until they are measured."""

RIDGE = 1.0
"""Penalty of the regression's slopes, in recorded curves of data of their own: with few of them slopes stay small."""

LEAST = 3
"""Data sets, at least, whose curves are recorded; fewer say nothing about another one."""


@dataclass(frozen=True)
class Curve:
    """A learning curve.

    Attributes:
        data: name of the data set.
        labels: numbers of labels, (k,), rising.
        held_out: mean held-out score of the labels at each of them, (k,), in [0, 1], as a user sees it.
        scores: score on a test part at each of them, (k,), in [0, 1].
    """

    data: str
    labels: Float[np.ndarray, " k"]
    held_out: Float[np.ndarray, " k"]
    scores: Float[np.ndarray, " k"]

    def gain(self, now: float, more: float) -> float:
        """What ``more`` labels brought after ``now``, in score, interpolated."""
        return float(np.interp(now + more, self.labels, self.scores) - np.interp(now, self.labels, self.scores))


@dataclass(frozen=True)
class Outlook:
    """What more labels are likely to bring.

    Attributes:
        labels: number of labels so far.
        more: numbers of further labels, (k,).
        gain: likely gain in score by each, (k,), in points; with the held-out score it makes 100 % at most.
        low, high: 90 % interval of the gain, (k,), in points, within the same bound.
        per_minute: likely gain a minute of labelling, (k,), in points.
        worth: least gain a minute that is worth it, in points.
        stop: whether no number of further labels is likely to be worth it.
        beyond: whether the recorded curves do not reach so far, (k,): then the gain is that of the same ratio of
            numbers of labels where they end, which is rather too much than too little.
        sets: number of data sets whose recorded curves this rests on.
    """

    labels: int
    more: tuple[int, ...]
    gain: Float[np.ndarray, " k"]
    low: Float[np.ndarray, " k"]
    high: Float[np.ndarray, " k"]
    per_minute: Float[np.ndarray, " k"]
    worth: float
    stop: bool
    beyond: np.ndarray = field(repr=False)
    sets: int = 0

    @property
    def room(self) -> bool:
        """Whether the held-out score leaves room for what is worth it; it is not asked where it is enough."""
        return self.stop or not bool((self.per_minute < self.worth).all())

    def words(self) -> str:
        """The outlook in two sentences.

        >>> one = np.array([1.0])
        >>> Outlook(40, (20,), 2 * one, -one, 5 * one, 0.4 * one, 0.05, False, one < 0).words()
        'Another 20 labels are likely to bring +2.0 points (-1.0 to +5.0), 0.40 a minute of labelling. Points are those
        of the labels-only model, in brackets their 90 % interval. Go on.'
        """
        said = [
            f"Another {m:,} {'label is' if m == 1 else 'labels are'} likely to bring {_signed(g)} points "
            f"({_signed(a)} to {_signed(b)}), {rate:.{0 if rate >= 10 else 2}f} a minute of labelling."
            for m, g, a, b, rate in zip(self.more, self.gain, self.low, self.high, self.per_minute, strict=True)
        ]
        end = f"Enough: a minute is likely to bring less than {self.worth:g} points." if self.stop else "Go on."
        if not self.room:
            end = "The held-out score leaves no room for more, which so few labels may say by chance: go on."
        which = "Points are those of the labels-only model, in brackets their 90 % interval."
        return " ".join([*said, which, end])


def outlook(
    labels: Sequence[float], held_out: Sequence[float], more: Sequence[int] = MORE, *,
    seconds_per_label: float = SECONDS, worth: float = 0.05, shown: float = 0.0,
    recorded: Iterable[Curve] | None = None, without: Sequence[str] = (),
) -> Outlook:  # fmt: skip
    """What more labels are likely to bring, in score.

    A linear model of recorded curves, one for each number of further labels, predicts the gain in score from the error
    so far and from what the last doubling of the labels brought: both as the held-out labels say, with all their noise,
    so that the model trusts them as far as they deserve. Its slopes are shrunk, every data set weighs the same, and
    the interval comes from how far predictions of each recorded data set by the others miss it (after Barber et al.,
    Predictive Inference with the Jackknife+, Annals of Statistics 2021, with data sets in place of rows).

    Args:
        labels: numbers of labels so far, (k,), rising, the last one now.
        held_out: mean held-out score of the labels at each of them, (k,), in [0, 1].
        more: numbers of further labels, each at least 1.
        seconds_per_label: time that a label takes a person, in seconds, above 0.
        worth: least gain a minute of labelling that is worth it, in points, at least 0.
        shown: score of the labels so far as it is shown elsewhere, in [0, 1]: no gain leads from it beyond 1 either.
        recorded: curves of other data; None takes those that come with the library.
        without: names of data sets whose curves are left out.

    Raises:
        ValueError: an argument is out of its range, or fewer than LEAST data sets are recorded.
    """
    at, held = _checked(labels, held_out)
    for m in more:
        whole("more", m, 1, 10**9)
    if not len(more):
        raise ValueError("more must have a number of labels, got none")
    in_range("seconds_per_label", float(seconds_per_label), 0, low_open=True)
    in_range("worth", float(worth), 0)
    in_range("shown", float(shown), 0, 1)
    curves = [c for c in (packaged() if recorded is None else recorded) if c.data not in without]
    sets = sorted({c.data for c in curves})
    if len(sets) < LEAST:
        raise ValueError(f"recorded must hold curves of {LEAST} data sets at least, got {len(sets)}")
    now = at[-1]
    seen = _seen(at, held, now)
    found = [_predicted(curves, sets, now, float(m), seen) for m in more]
    room = 100 * (1 - max(held[-1], shown))  # no score is above 1
    likely, *ends = (100 * np.array([f[i] for f in found]) for i in range(3))
    gain, low, high = (np.minimum(points, room) for points in (likely, *ends))
    minutes = np.array(more) * seconds_per_label / 60
    rate = gain / minutes
    beyond = np.array([bool(f[3]) for f in found])
    stop = bool((likely / minutes < worth).all())  # not cut: the held-out score may be too high by chance
    return Outlook(int(now), tuple(map(int, more)), gain, low, high, rate, worth, stop, beyond, len(sets))


def _signed(points: float) -> str:
    """Points with their sign; no minus before 0.

    >>> _signed(-0.04), _signed(-0.06)
    ('+0.0', '-0.1')
    """
    return f"{round(points, 1) + 0.0:+.1f}"


def within(left: int) -> tuple[int, ...]:
    """Numbers of further labels that are looked at where so many items are without one; all of them where it is none.

    >>> within(79), within(7), within(0)
    ((20, 50), (7,), (20, 50, 200))
    """
    found = tuple(m for m in MORE if m <= left)
    return found or ((left,) if left else MORE)


@cache
def packaged() -> tuple[Curve, ...]:
    """The recorded curves that come with the library."""
    text = resources.files("tutelage.ask").joinpath("curves.json").read_text(encoding="utf-8")
    return tuple(curve_of(each) for each in json.loads(text))


def curve_of(values: dict[str, Any]) -> Curve:
    """A curve from plain values: "data", "labels", "held_out" and "scores"."""
    return Curve(values["data"], *(np.array(values[name], dtype=float) for name in ("labels", "held_out", "scores")))


def _checked(labels: Sequence[float], held_out: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    at, held = np.asarray(labels, dtype=float), np.asarray(held_out, dtype=float)
    if at.ndim != 1 or not len(at) or at.shape != held.shape:
        raise ValueError(f"labels and held_out must be as many numbers, got shapes {at.shape} and {held.shape}")
    if not (np.diff(at) > 0).all() or not at[0] > 0 or not np.isfinite(at).all():
        raise ValueError(f"labels must rise from a number above 0, got {at.tolist()}")
    if not ((held >= 0) & (held <= 1)).all():
        raise ValueError(f"held_out must be in [0, 1], got {held.tolist()}")
    return at, held


def _seen(at: np.ndarray, held: np.ndarray, now: float) -> Float[np.ndarray, " 2"]:
    """What is seen of a curve: its held-out error now, and how much of it the last doubling took away."""
    score, before = np.interp([now, now / 2], at, held)
    return np.array([1 - score, score - before])


def _predicted(
    curves: Sequence[Curve], sets: Sequence[str], now: float, more: float, seen: np.ndarray
) -> tuple[float, float, float, bool]:
    """Likely gain, both ends of its interval, and whether it is beyond what was recorded."""
    ends = np.array([c.labels[-1] for c in curves])
    reach = np.minimum(1.0, ends / (now + more))  # the same ratio where the curve ends
    x = np.stack([_seen(c.labels, c.held_out, now * r) for c, r in zip(curves, reach, strict=True)])
    y = np.array([c.gain(now * r, more * r) for c, r in zip(curves, reach, strict=True)])
    group = np.array([sets.index(c.data) for c in curves])
    weight = 1 / np.bincount(group)[group]
    left_out = np.empty(len(y))
    for g in range(len(sets)):
        others = group != g
        left_out[~others] = _line(x[others], y[others], weight[others])(x[~others])
    gain = float(_line(x, y, weight)(seen[None])[0])
    missed = y - left_out
    tail = (1 - COVERAGE) / 2
    # a set more, the new one, may lie beyond all that were recorded: so the tails are widened by one set's weight
    low = _quantile(missed, weight, tail * (1 + 1 / len(sets)) - 0.5 / len(sets))
    high = _quantile(missed, weight, 1 - tail * (1 + 1 / len(sets)) + 0.5 / len(sets))
    return gain, gain + low, gain + high, bool((reach < 1).mean() > 0.5)


def _line(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Any:
    """Ridge regression: a function of rows like x."""
    total = weight.sum()
    mean, level = weight @ x / total, float(weight @ y / total)
    spread = np.sqrt(weight @ np.square(x - mean) / total) + 1e-9
    z = (x - mean) / spread
    slope = np.linalg.solve(z.T @ (weight[:, None] * z) + RIDGE * np.eye(x.shape[1]), z.T @ (weight * (y - level)))
    return lambda rows: level + (rows - mean) / spread @ slope


def _quantile(values: np.ndarray, weight: np.ndarray, share: float) -> float:
    """Weighted quantile, no less than the least and no more than the greatest value."""
    order = np.argsort(values)
    v, w = values[order], weight[order]
    place = (np.cumsum(w) - w / 2) / w.sum()
    return float(np.interp(np.clip(share, 0, 1), place, v))
