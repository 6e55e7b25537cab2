"""Calibrated probabilities: a temperature and a bias of each class, chosen on predictions of held-out labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from tutelage.fit.calibration import LOWEST, SPREAD, as_sure_as_right, normal

BIAS_SPREAD = 1.0
"""Standard deviation of the bias of each class before a label is looked at."""


@dataclass(frozen=True)
class ClassBias:
    """A temperature, and a bias of each class: softmax(log p / T + b).

    Attributes:
        temperature: T, above 0.
        bias: b, (c,).
    """

    temperature: float
    bias: np.ndarray

    def of(self, p: np.ndarray) -> np.ndarray:
        """Calibrated probabilities, of the shape of ``p``.

        Args:
            p: probabilities, (..., c).

        >>> ClassBias(1.0, np.array([0.0, np.log(2)])).of(np.array([0.5, 0.5])).round(3).tolist()
        [0.333, 0.667]
        """
        return normal(np.log(p.clip(LOWEST)) / self.temperature + self.bias)

    def towards(self, shares: np.ndarray) -> ClassBias:
        """The same for data in which each class is ``shares`` times as common as among the labels, (c,)."""
        return ClassBias(self.temperature, self.bias + np.log(shares.clip(LOWEST)))


def for_shares(p: np.ndarray, shares: np.ndarray) -> ClassBias:
    """Biases by which the mean of predictions has these shares; the temperature is 1.

    They minimise the mean of log sum_k p_k exp(b_k), less b times the shares, which is convex.

    Args:
        p: probabilities, (m, c), at least one row.
        shares: wanted shares, (c,), which sum to 1.

    >>> rare = np.array([0.9, 0.1])
    >>> for_shares(np.array([[0.6, 0.4], [0.3, 0.7]]), rare).of(np.array([[0.6, 0.4], [0.3, 0.7]])).mean(0).round(2)
    array([0.9, 0.1])
    """
    z = np.log(p.clip(LOWEST))

    def cost(bias: np.ndarray) -> tuple[float, np.ndarray]:
        moved = z + bias
        top = moved.max(-1, keepdims=True)
        total = top[:, 0] + np.log(np.exp(moved - top).sum(-1))
        return float(total.mean() - bias @ shares), normal(moved).mean(0) - shares

    first = np.log(shares.clip(LOWEST)) - np.log(p.mean(0).clip(LOWEST))
    found = minimize(cost, first, jac=True, method="L-BFGS-B", options={"maxiter": 1000, "gtol": 1e-8, "ftol": 1e-14})
    return ClassBias(1.0, found.x - found.x.mean())


def calibrate(p: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> ClassBias:
    """The likeliest temperature and biases of held-out predictions, where labels are few drawn towards T_0 and 0.

    They minimise

        -1/r sum_k sum_i w_i log softmax(log p_ki / T + b)[y_i] + (log T / T_0)^2 / (2 s^2) + |b|^2 / (2 s_b^2),

    so that each label counts by its weight, however often it was held out. T_0 is the temperature of
    `as_sure_as_right`: drawn towards 1, a model whose probabilities all are near 1/c, as those of a strong penalty,
    would say nothing. Without the priors it is the bias-corrected temperature scaling of Alexandari, Kundaje and
    Shrikumar (ICML 2020), by which shares of classes are estimated well.

    Args:
        p: probabilities said of n units in each of r repeats, (r, n, c).
        y: class numbers of the units, (n,).
        weight: how much each unit counts, (n,), at least 0; None counts each once.

    >>> sure = np.tile([0.99, 0.01], (1, 100, 1))
    >>> found = calibrate(sure, np.repeat([0, 1], [80, 20]))
    >>> found.of(np.array([0.99, 0.01])).round(1).tolist()
    [0.8, 0.2]
    """
    classes, units = p.shape[-1], np.arange(len(y))
    if not len(y):
        return ClassBias(1.0, np.zeros(classes))
    z, w = np.log(p.clip(LOWEST)), np.ones(len(y)) if weight is None else weight
    target = np.zeros((len(y), classes))
    target[units, y] = 1
    first = np.log(as_sure_as_right(p, y, w))

    def cost(x: np.ndarray) -> tuple[float, np.ndarray]:
        scale, bias = np.exp(-x[0]), x[1:]
        q = normal(z * scale + bias)
        apart = (q - target) * w[:, None] / len(p)
        value = float(-(w * np.log(q[:, units, y].clip(LOWEST))).sum() / len(p))
        value += (x[0] - first) ** 2 / (2 * SPREAD**2) + float(bias @ bias) / (2 * BIAS_SPREAD**2)
        slope_t = -float((apart * z).sum()) * scale + (x[0] - first) / SPREAD**2
        slope_b = apart.sum((0, 1)) + bias / BIAS_SPREAD**2
        return value, np.append(slope_t, slope_b)

    bounds = [(first - 5 * SPREAD, first + 5 * SPREAD)] + [(-10.0, 10.0)] * classes
    found = minimize(cost, np.append(first, np.zeros(classes)), jac=True, method="L-BFGS-B", bounds=bounds)
    return ClassBias(float(np.exp(found.x[0])), found.x[1:] - found.x[1:].mean())
