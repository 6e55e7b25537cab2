"""Probabilities that can be believed: one temperature, chosen on predictions of held-out labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from tutelage.fit.held_out import FoldPredictions
from tutelage.ops.checks import in_range

SPREAD = 1.0
"""Standard deviation of the logarithm of the temperature before a label is looked at; chosen on draws 1000 to 1059."""

FAR_FROM_ONE = (-9.0, 4.0)
"""Logarithms of the lowest and of the highest temperature of `as_sure_as_right`."""

SAME = 0.05
"""Distance of the temperature from 1 up to which nothing is said to be flattened or sharpened."""

FEW = 50
"""Number of labels below which the calibration error is measured badly: it has BINS bins."""

EVEN = 1e-9
"""Distance of the largest probability from 1 / c up to which probabilities are even."""

LOWEST = 1e-12
"""The least probability that a logarithm is taken of."""

BINS = 15
"""Bins of the expected calibration error, as in Guo et al. (ICML 2017)."""


def tempered(p: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities at a temperature, softmax(log p / T), of the shape of ``p``; the likeliest class stays the same.

    Args:
        p: probabilities, (..., c).
        temperature: T, above 0; 1 leaves them as they are, more makes them flatter, less sharper.

    >>> tempered(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
    [[0.667, 0.333]]
    """
    return normal(np.log(p.clip(LOWEST)) / temperature)


def normal(z: np.ndarray) -> np.ndarray:
    """The softmax of logits, (..., c), of the same shape."""
    q = np.exp(z - z.max(-1, keepdims=True))
    made: np.ndarray = q / q.sum(-1, keepdims=True)
    return made


def as_sure_as_right(p: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    """The temperature at which the mean probability of the likeliest class is the share of right ones.

    One right and one wrong label are imagined beside those that there are, so that no share is 0 or 1.

    Args:
        p: probabilities said of n units in each of r repeats, (r, n, c).
        y: class numbers of the units, (n,).
        weight: how much each unit counts, (n,).

    >>> round(as_sure_as_right(np.tile([0.51, 0.49], (1, 98, 1)), np.zeros(98, dtype=int), np.ones(98)), 4)
    0.0087
    """
    told = p.max(-1).min(0) > 1 / p.shape[-1] + EVEN  # of even ones no temperature makes any more sure
    if not told.any():
        return 1.0
    p, y, weight = p[:, told], y[told], weight[told]
    right = (p.argmax(-1) == y).mean(0)
    share = float((weight * right).sum() + 1) / float(weight.sum() + 2)
    z = np.log(p.clip(LOWEST))

    def apart(log_t: float) -> float:
        return float((weight * normal(z * np.exp(-log_t)).max(-1).mean(0)).sum() / weight.sum()) - share

    low, high = FAR_FROM_ONE
    if apart(high) > 0 or apart(low) < 0:  # worse than chance, or surer than it can be
        return float(np.exp(high if apart(high) > 0 else low))
    return float(np.exp(brentq(apart, low, high, xtol=1e-3)))


def best_temperature(p: np.ndarray, y: np.ndarray, spread: float = SPREAD, weight: np.ndarray | None = None) -> float:
    """The likeliest temperature of held-out predictions, drawn towards T_0 where the labels are few.

    It is the T of the smallest -1/r sum_k sum_i log softmax(log p_ki / T)[y_i] + (log T / T_0)^2 / (2 spread^2), so
    that each label counts once however often it was held out. Guo et al. (ICML 2017) without the prior, which keeps six
    labels that happen to be right from making every prediction certain. T_0 is that of `as_sure_as_right`: drawn
    towards 1, a model whose probabilities all are near 1/c, as those of a strong penalty, would say nothing. Where T_0
    is misleading, so that the T found is less likely than 1, T is drawn towards 1.

    Args:
        p: probabilities said of n units in each of r repeats, (r, n, c).
        y: class numbers of the units, (n,).
        spread: standard deviation of the normal prior of log T, whose mean is log T_0, above 0.
        weight: weight of each unit, (n,), above 0, such as its share of the vote of an item; None: each weighs 1.

    >>> sure = np.tile([0.99, 0.01], (1, 100, 1))
    >>> best_temperature(sure, np.repeat([0, 1], [80, 20])) > 2
    True
    """
    in_range("spread", spread, 0, low_open=True)
    if not len(y):
        return 1.0
    z, units = np.log(p.clip(LOWEST)), np.arange(len(y))

    def loss(log_t: float) -> float:
        q = z * np.exp(-log_t)
        top = q.max(-1, keepdims=True)
        total = top[..., 0] + np.log(np.exp(q - top).sum(-1))
        each = total - q[:, units, y]
        return float((each if weight is None else each * weight).sum()) / len(p)

    def likeliest(centre: float) -> float:
        def cost(log_t: float) -> float:
            return loss(log_t) + (log_t - centre) ** 2 / (2 * spread**2)

        bounds = centre - 5 * spread, centre + 5 * spread
        return float(minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x)

    found = likeliest(float(np.log(as_sure_as_right(p, y, np.ones(len(y)) if weight is None else weight))))
    return float(np.exp(found if loss(found) <= loss(0.0) else likeliest(0.0)))


def calibration_error(
    p: np.ndarray, y: np.ndarray, bins: int = BINS, equal_mass: bool = False, weight: np.ndarray | None = None
) -> float:
    """The expected calibration error: the mean distance between stated probability and share right, over bins.

    Args:
        p: probabilities, (n, c).
        y: class numbers, (n,).
        bins: number of bins of the probability of the predicted class, at least 1.
        equal_mass: whether the bins hold equally many units; else they are of equal width in [0, 1].
        weight: weight of each unit, (n,), above 0; None weighs all alike.

    Source: Naeini, Cooper and Hauskrecht (AAAI 2015); bins of equal mass: Nixon et al. (CVPR workshops 2019).

    >>> round(calibration_error(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1])), 3)
    0.4
    """
    in_range("bins", bins, 1)
    if not len(y):
        return 0.0
    apart, probability = p.max(-1) - (p.argmax(-1) == y), p.max(-1)
    apart = apart if weight is None else apart * weight / weight.mean()
    if equal_mass:
        sums = [apart[part].sum() for part in np.array_split(np.argsort(probability, kind="stable"), bins)]
    else:
        which = np.minimum((probability * bins).astype(int), bins - 1)  # a probability of 1 is in the last bin
        sums = np.bincount(which, apart, bins).tolist()
    return float(np.abs(sums).sum() / len(y))


@dataclass(frozen=True)
class Reliability:
    """How far probabilities are from what happened.

    Attributes:
        error: expected calibration error over BINS bins of equal width, in [0, 1].
        error_equal_mass: the same over BINS bins that hold equally many units.
        log_loss: mean of -log p of the true class, in nats.
        brier: mean squared distance between the probabilities and the true class, summed over the classes, in [0, 2].
    """

    error: float
    error_equal_mass: float
    log_loss: float
    brier: float

    @staticmethod
    def of(p: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> Reliability:
        """Reliability of probabilities, (n, c), of units with class numbers ``y``, (n,), at least one.

        Units may have weights, (n,), above 0; None weighs all alike.

        >>> Reliability.of(np.array([[0.5, 0.5]]), np.array([0])).brier
        0.5
        """
        true = p[np.arange(len(y)), y]
        brier = (p**2).sum(-1) - 2 * true + 1
        errors = calibration_error(p, y, weight=weight), calibration_error(p, y, equal_mass=True, weight=weight)
        loss = -np.log(true.clip(LOWEST))
        means = (float(v.mean() if weight is None else np.average(v, weights=weight)) for v in (loss, brier))
        return Reliability(*errors, *means)


@dataclass(frozen=True)
class Calibration:
    """A temperature, and what it does to the predictions that it was chosen on.

    Attributes:
        temperature: T; 1 leaves the probabilities as they are.
        labels: number of held-out labels that it was chosen on; 0 where there were none.
        before, after: reliability of the held-out predictions at T = 1 and at the temperature; None without labels.
        probabilities: the held-out predictions before, (r, n, c): what was said of n units in each of r repeats.
        y: class numbers of these units, (n,).
        weight: weight of each of them, (n,), which sum to 1 over the copies of an item; None: each weighs 1.
    """

    temperature: float
    labels: int
    before: Reliability | None
    after: Reliability | None
    probabilities: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None

    def at(self, temperature: float) -> Calibration:
        """The same at another temperature, above 0, such as that of a model from which a fit goes on."""
        return replace(self, temperature=temperature)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a summary."""
        scored = {k: v and asdict(v) for k, v in (("before", self.before), ("after", self.after))}
        return {"temperature": self.temperature, "labels": self.labels, **scored, "words": self.words()}

    def words(self) -> str:
        """One sentence for people.

        >>> NONE.words()
        "No held-out label says how far the probabilities can be believed: they are the network's own."
        """
        t = self.temperature
        if self.before is None or self.after is None:
            own = "they are the network's own" if t == 1 else f"their temperature, {t:.2g}, is that of the model before"
            return f"No held-out label says how far the probabilities can be believed: {own}."
        done = "flattened" if t > 1 + SAME else "sharpened" if t < 1 - SAME else "left nearly as they are"
        few = self.labels < FEW or self.after.error > self.before.error
        shown = f"{t:.2f}" if t >= 0.1 else f"{t:.2g}"
        badly = ", which so few labels measure badly" if few else ""
        return (
            f"Probabilities were {done} (temperature {shown}, chosen on {self.labels} held-out labels; log-loss on "
            f"these {self.before.log_loss:.3f} before, {self.after.log_loss:.3f} after; calibration error "
            f"{100 * self.before.error:.1f} points before, {100 * self.after.error:.1f} after{badly})."
        )


NONE = Calibration(1.0, 0, None, None, np.empty((0, 0, 0)), np.empty(0, dtype=np.int64))
"""No calibration: the temperature of a model without held-out predictions."""


def calibrated(parts: FoldPredictions, y: np.ndarray, weight: np.ndarray | None = None) -> Calibration:
    """The temperature of held-out predictions.

    The repeats are not averaged: an average of two models is flatter than each, and the returned model is one.

    Args:
        parts: predictions of all folds, one repeat after the other.
        y: class numbers of all units, (units,); -1 is unknown and left out.
        weight: weight of each unit, (units,), which sum to 1 over the copies of an item; None: each weighs 1.
    """
    p, known = by_repeat(parts, len(y)), y >= 0
    p, y, weight = p[:, known].astype(np.float64), y[known], None if weight is None else weight[known]
    if not p.size:
        return NONE
    t = best_temperature(p, y, weight=weight)
    stacked, truth = p.reshape(-1, p.shape[-1]), np.tile(y, len(p))
    each = None if weight is None else np.tile(weight, len(p))
    before, after = Reliability.of(stacked, truth, each), Reliability.of(tempered(stacked, t), truth, each)
    return Calibration(t, len(y) if weight is None else round(weight.sum()), before, after, p, y, weight)


def by_repeat(parts: FoldPredictions, units: int) -> np.ndarray:
    """Probabilities said of all units in each repeat of a cross-validation, (r, units, c).

    Args:
        parts: predictions of all folds, one repeat after the other, each of which holds every unit out once.
        units: number of units.

    >>> part = [(np.array([1]), {"probabilities": np.eye(2)[:1]}), (np.array([0]), {"probabilities": np.eye(2)[1:]})]
    >>> by_repeat(part, 2).tolist()
    [[[0.0, 1.0], [1.0, 0.0]]]
    """
    repeats, filled = [], units
    for index, said in parts:
        if filled == units:
            repeats.append(np.empty((units, said["probabilities"].shape[1])))
            filled = 0
        repeats[-1][index] = said["probabilities"]
        filled += len(index)
    return np.stack(repeats) if repeats else np.empty((0, units, 0))
