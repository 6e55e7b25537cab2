"""Calibration of teachers: maps of their log-probabilities that begin at the identity and move as labels allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

FLOOR = 0.02
"""Least probability that a teacher's logarithm is taken of, times the number of classes, so that one teacher that is
sure and wrong does not outvote all others."""

WIDEST = 30
"""Number of classes up to which a full matrix is tried; of more classes, only scale and shifts are."""

FOLDS, MANY = (10, 5), 100
"""Folds of the labels that choose a calibration: of up to MANY labels, and of more."""

CELLS = 500_000
"""Logits of labelled rows, at most, on which a freedom is chosen; of more, rows are drawn."""

CLEAR = 0.25
"""Standard errors by which the log-likelihood of held-out labels must rise before the identity is left. It was chosen,
as the ridges were, on described teachers of six sets of texts at 2 to 30 labels a class."""


@dataclass(frozen=True)
class Freedom:
    """What a calibration may change, and how strongly it is drawn back to the identity.

    Each ridge is the inverse variance of a normal prior, in units of logits; infinity leaves that part as it is.

    Attributes:
        name: name of the freedom, in the summary.
        scale: ridge of the scale of each source, towards 1.
        shift: ridge of a shift of each class and source, towards 0.
        matrix: ridge of the entries of a full matrix of each source, towards those of the identity.
    """

    name: str
    scale: float = np.inf
    shift: float = np.inf
    matrix: float = np.inf


IDENTITY = Freedom("identity")

FREEDOMS = (
    IDENTITY,
    *(Freedom("scale", scale=ridge) for ridge in (3.0, 10.0)),
    *(Freedom("scale and shifts", scale=3.0, shift=ridge) for ridge in (1.0, 3.0, 10.0)),
    *(Freedom("matrix and shifts", scale=3.0, shift=ridge / 10, matrix=ridge) for ridge in (10.0, 30.0)),
)
"""Freedoms from which the labels choose, from the least to the greatest."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """A linear map of the logits of m sources, whose weighted sum is the combined logits.

    Attributes:
        scales: factor of each source's logits, (m,).
        shifts: what is added to each source's logits, (m, c).
        mixes: matrix that is added to a source's scale, (m, c, c); None where classes do not mix.
        freedom: freedom that the labels chose.
    """

    scales: np.ndarray
    shifts: np.ndarray
    mixes: np.ndarray | None = None
    freedom: Freedom = IDENTITY

    @staticmethod
    def identity(sources: int, classes: int) -> Calibration:
        """The map that leaves each source as it is."""
        return Calibration(np.ones(sources), np.zeros((sources, classes)))

    @property
    def is_identity(self) -> bool:
        """Whether no label moved the map."""
        return self.freedom == IDENTITY

    @property
    def matrices(self) -> np.ndarray:
        """Matrix of each source, (m, c, c): its logits z become ``matrix @ z + shift``."""
        scaled = self.scales[:, None, None] * np.eye(self.shifts.shape[1])
        return np.asarray(scaled if self.mixes is None else scaled + self.mixes)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Combined logits, (n, c).

        Args:
            z: logits of each source, (m, n, c), finite also where it is silent.
            weight: weight of each source in each row, (m, n); 0 where it is silent.
        """
        moved = self.scales[:, None, None] * z + self.shifts[:, None]
        if self.mixes is not None:
            moved = moved + z @ self.mixes.transpose(0, 2, 1)
        return np.asarray((weight[..., None] * moved).sum(0))


def fitted(z: np.ndarray, weight: np.ndarray, y: np.ndarray, freedom: Freedom) -> Calibration:
    """The calibration of greatest posterior probability, given labels.

    ``sum_i log softmax(sum_s w_si (M_s z_si + b_s))_yi - (ridge_scale |a - 1|^2 + ridge_shift |b|^2 + ridge_matrix
    |D|^2) / 2`` is maximised over ``M_s = a_s I + D_s / r_s`` and b_s, with ``a_s >= 0`` and r_s the root mean square
    of the source's logits: entries of D then move logits as far as entries of b do. The problem is concave. The softmax
    is over the classes that have a label: that a class has none is no evidence against it.

    Args:
        z: logits of each source, (m, n, c).
        weight: weight of each source in each row, (m, n); 0 where it is silent.
        y: class numbers of the rows, (n,).
        freedom: what may change.
    """
    m, n, c = z.shape
    if freedom == IDENTITY or not n:
        return Calibration.identity(m, c)
    speaks = np.maximum((weight > 0).sum(1), 1)
    spread = np.maximum(np.sqrt((z**2).sum((1, 2)) / (c * speaks)), 1e-3)[:, None, None]  # z is 0 where silent
    shifts, mixes = np.isfinite(freedom.shift), np.isfinite(freedom.matrix)
    sizes = [m, m * c * shifts, m * c * c * mixes]
    ridge = np.repeat([freedom.scale, freedom.shift, freedom.matrix], sizes)
    truth, there = np.eye(c)[y], with_labels(y, c)

    def map_of(theta: np.ndarray) -> Calibration:
        a, b, d = np.split(theta, np.cumsum(sizes)[:2])
        moved = b.reshape(m, c) if shifts else np.zeros((m, c))
        return Calibration(1 + a, moved, d.reshape(m, c, c) / spread if mixes else None, freedom)

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        logp = log_softmax(map_of(theta)(z, weight) + there, axis=1)
        wrong = weight[..., None] * (np.exp(logp) - truth)  # gradient by each source's moved logits, (m, n, c)
        parts = [(wrong * z).sum((1, 2))]
        if shifts:
            parts.append(wrong.sum(1).ravel())
        if mixes:
            parts.append((wrong.transpose(0, 2, 1) @ z / spread).ravel())
        drawn = ridge * theta
        return float(-logp[np.arange(n), y].sum() + drawn @ theta / 2), np.concatenate(parts) + drawn

    bounds = [(-1.0, None)] * m + [(None, None)] * sum(sizes[1:])
    return map_of(minimize(loss, np.zeros(sum(sizes)), jac=True, method="L-BFGS-B", bounds=bounds).x)


def with_labels(y: np.ndarray, classes: int) -> np.ndarray:
    """Zero for each class that has a label, and minus infinity for each that has none, (classes,)."""
    return np.where(np.bincount(y, minlength=classes) > 0, 0.0, -np.inf)


def folds_of(y: np.ndarray, seed: int = 0) -> np.ndarray:
    """Number of each label's fold, (n,); the labels of each class are spread evenly over the folds."""
    count = min(FOLDS[len(y) > MANY], len(y))
    order = np.random.default_rng(seed).permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    fold = np.empty(len(y), dtype=np.int64)
    fold[order] = np.arange(len(y)) % count
    return fold


def held_out(z: np.ndarray, weight: np.ndarray, y: np.ndarray, fold: np.ndarray, freedom: Freedom) -> np.ndarray:
    """Log-probabilities of the rows among the classes with labels, (n, c), each by a calibration without its fold."""
    found, there = np.empty(z.shape[1:]), with_labels(y, z.shape[2])
    for k in np.unique(fold):
        out = fold == k
        calibration = fitted(z[:, ~out], weight[:, ~out], y[~out], freedom)
        found[out] = log_softmax(calibration(z[:, out], weight[:, out]) + there, axis=1)
    return found


def chosen(z: np.ndarray, weight: np.ndarray, y: np.ndarray, seed: int = 0) -> Freedom:
    """The freedom that predicts held-out labels best; the identity unless another is clearly better.

    Args:
        z: logits of each source, (m, n, c).
        weight: weight of each source in each row, (m, n).
        y: class numbers of the rows, (n,).
        seed: seed of the folds.
    """
    c = z.shape[2]
    some = np.random.default_rng(seed).permutation(len(y))[: max(CELLS // c, 2)] if len(y) * c > CELLS else slice(None)
    z, weight, y = z[:, some], weight[:, some], y[some]
    n = len(y)
    if n < 2 or len(np.unique(y)) < 2:
        return IDENTITY
    fold, at = folds_of(y, seed), np.arange(n)
    tried = [f for f in FREEDOMS if c <= WIDEST or not np.isfinite(f.matrix)]
    scores = np.array([held_out(z, weight, y, fold, f)[at, y] for f in tried])
    best = int(scores.sum(1).argmax())
    gain = scores[best] - scores[0]
    clear = gain.mean() > CLEAR * gain.std(ddof=1) / np.sqrt(n)
    return tried[best] if clear else IDENTITY
