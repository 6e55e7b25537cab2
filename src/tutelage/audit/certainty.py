"""Calibration of the probability that a label is wrong, by what the labels of the nearest rows say of the classes.

The posterior (B) of `tutelage.audit.posterior` takes its own beliefs for right. Where classes are hard to tell, the
models err on hard rows and are sure, and rows whose label is right look like rows whose label is wrong. So the
log-odds of a wrong label, l, which saturate at L, are scaled and shifted by the purity r of the classes:

    l' = exp(s_0 + s_1 u) L tanh(l / L) + t_0 + t_1 u,   u = log(r / (1 - r)) - 2                              (C)

r is the share of a row's nearest rows whose likeliest class is the row's own. The four numbers were fitted by maximum
likelihood to planted errors in nine public data sets of 200 to 1,500 rows; `benchmarks/studies/audit_calibration.py`
fits them, and judges each set by the numbers of the others.

Source: Platt 1999 (scale and shift); that both depend on the purity was found here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import expit, logit

SATURATION = 4.0
"""Log-odds L beyond which a model's sureness says no more."""

CLIPPED = 0.02
"""The purity counts as at least this, and at most one minus this."""

CENTRE = 2.0
"""Log-odds of the purity at which u = 0."""


@dataclass(frozen=True)
class Certainty:
    """The numbers of (C).

    Args:
        scale: s_0 and s_1.
        shift: t_0 and t_1.
    """

    scale: tuple[float, float]
    shift: tuple[float, float]

    def __call__(self, wrong: Float[np.ndarray, " n"], purity: float) -> Float[np.ndarray, " n"]:
        """Calibrated probabilities of being wrong, (n,); 0 stays 0, and the order stays.

        Args:
            wrong: probabilities that the labels are wrong by (B), (n,).
            purity: purity of the classes, in [0, 1].

        >>> [FITTED(np.array([0.0, 0.5, 0.999]), purity).round(2).tolist() for purity in (0.6, 0.95)]
        [[0.0, 0.27, 0.8], [0.0, 0.48, 1.0]]
        """
        u = float(logit(np.clip(purity, CLIPPED, 1 - CLIPPED))) - CENTRE
        scale, shift = np.exp(self.scale[0] + self.scale[1] * u), self.shift[0] + self.shift[1] * u
        found: np.ndarray = expit(scale * saturated(wrong) + shift)
        found[wrong <= 0] = 0.0
        return found


FITTED = Certainty((0.06, 0.324), (-0.424, 0.354))
"""The numbers that were fitted to nine data sets, see benchmarks/results/audit_calibration.jsonl."""


def saturated(wrong: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Log-odds L tanh(l / L) of probabilities, (n,)."""
    found: np.ndarray = SATURATION * np.tanh(logit(np.clip(wrong, 1e-15, 1 - 1e-15)) / SATURATION)
    return found


def purity_of(near: Int[np.ndarray, "n m"], posterior: Float[np.ndarray, "n k"]) -> float:
    """Share of the nearest rows whose likeliest class is the row's own, over all rows, in [0, 1].

    Args:
        near: numbers of the nearest rows of each row, (n, m).
        posterior: probabilities of the classes by (B), (n, K).

    >>> purity_of(np.array([[1, 2], [0, 2], [0, 1]]), np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])).__round__(3)
    0.333
    """
    likeliest = posterior.argmax(1)
    return float((likeliest[near] == likeliest[:, None]).mean()) if near.size else 0.5


def with_wrong(
    posterior: Float[np.ndarray, "n k"], labels: Int[np.ndarray, " n"], wrong: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n k"]:
    """Posterior probabilities, (n, K), in which the own labels are wrong with given probabilities.

    The other classes keep their shares among each other.

    Args:
        posterior: probabilities of the classes, (n, K).
        labels: class numbers of the labels, (n,).
        wrong: probabilities that the labels are wrong, (n,).

    >>> with_wrong(np.array([[0.2, 0.6, 0.2]]), np.array([0]), np.array([0.4])).round(2).tolist()
    [[0.6, 0.3, 0.1]]
    """
    rows, others = np.arange(len(labels)), posterior.copy()
    others[rows, labels] = 0
    total = others.sum(1, keepdims=True)
    found: np.ndarray = np.where(total > 0, others / np.where(total > 0, total, 1), 0) * wrong[:, None]
    found[rows, labels] = 1 - found.sum(1)
    return found
