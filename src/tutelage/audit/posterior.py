"""Probability that a label is wrong, by Bayes' rule: a model of the classes and of the noise, fitted to the labels.

Opinions are logits z_m of a row by models that never learnt its own label. Several opinions are pooled into the
probability that the row is of class k,

    p(k | x) = softmax(sum_m a_m z_m)_k,   a_m >= 0;                                                       (P)

for one opinion, a = 1 / T is an inverse temperature. A row of class k is labelled j with the probability C_kj, so that

    P(given = j | x) = sum_k p(k | x) C_kj,                                                                (G)
    P(true = k | x, given = j) = p(k | x) C_kj / P(given = j | x).                                         (B)

Opinions that learnt noisy labels are less sure than they could be. The weights a and the transition matrix C make up
for that: together they maximise the likelihood (G) of the labels as given. C is fitted by expectation-maximisation and
a by its gradient, in turn.

Sources: Dawid and Skene, Applied Statistics 1979 (C by expectation-maximisation); Patrini et al., CVPR 2017 (G);
Platt 1999 and Guo et al., ICML 2017 (temperature); Hinton, ICANN 1999 (the pool).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize
from scipy.special import softmax
from scipy.stats import chi2

from tutelage.distil.closed import one_hot
from tutelage.distil.noise import symmetric

PRIOR = 0.3
"""Strength of the prior of C: rows of symmetric noise added to each class, as a share of the mean number of rows."""

FITTED = 30_000
"""Largest number of rows that a and C are fitted to; of more rows, so many are drawn."""

STARTS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Multiples of equal weights that are tried as initial weights."""

SURE = 0.999
"""Quantile of the chi-squared distribution that the likelihood ratio must exceed; see `tell`."""

SMALLEST = 1e-300
"""Least probability, so that no logarithm and no quotient is infinite."""
TURNS, STEPS, SETTLED = 30, 10, 60
"""Largest number of turns of the two fits, steps of C in each of them, and steps of C where there is one turn alone."""
GAIN = 1e-6
"""Gain in log-likelihood, in nats a row, below which a turn is the last."""

Opinions = Float[np.ndarray, "m n k"]
"""Logits of n rows by m opinions, (m, n, K)."""
Labels = Int[np.ndarray, " n"]
"""Class numbers, (n,)."""


@dataclass(frozen=True)
class Noise:
    """A fitted model of the labels' noise.

    Args:
        weights: weights a of the opinions, (m,), at least 0.
        transition: transition matrix C, (K, K): row k holds the shares of the labels of class k.
        likelihood: mean of log (G) over the labels that the model was fitted to, in nats.
    """

    weights: Float[np.ndarray, " m"]
    transition: Float[np.ndarray, "k k"]
    likelihood: float

    def beliefs(self, opinions: Opinions) -> Float[np.ndarray, "n k"]:
        """Probabilities of the classes without the rows' own labels, by (P), (n, K)."""
        return pooled(opinions, self.weights)

    def posterior(self, opinions: Opinions, labels: Labels) -> Float[np.ndarray, "n k"]:
        """Posterior probabilities of the classes given the rows' own labels, (n,), by (B), (n, K)."""
        return bayes(self.beliefs(opinions), labels, self.transition)


def pooled(opinions: Opinions, weights: Float[np.ndarray, " m"]) -> Float[np.ndarray, "n k"]:
    """Pool of opinions by (P): probabilities of the classes, (n, K).

    Args:
        opinions: logits z, (m, n, K).
        weights: weights a, (m,).

    >>> z = np.log([[[0.9, 0.1]]])
    >>> pooled(z, np.array([2.0])).round(4).tolist()
    [[0.9878, 0.0122]]
    """
    logits = np.zeros(opinions.shape[1:])
    for weight, opinion in zip(weights.tolist(), opinions, strict=True):
        logits += weight * opinion
    found: np.ndarray = softmax(logits, axis=1)
    return found


def bayes(
    beliefs: Float[np.ndarray, "n k"], labels: Labels, transition: Float[np.ndarray, "k k"]
) -> Float[np.ndarray, "n k"]:
    """Posterior probabilities of the classes by (B), (n, K).

    A row whose label has the probability (G) of 0 keeps its beliefs.

    Args:
        beliefs: probabilities p(k | x), (n, K).
        labels: class numbers as given, (n,).
        transition: transition matrix C, (K, K).

    >>> c = np.array([[0.8, 0.2], [0.4, 0.6]])
    >>> bayes(np.array([[0.5, 0.5], [0.1, 0.9]]), np.array([0, 1]), c).round(4).tolist()
    [[0.6667, 0.3333], [0.0357, 0.9643]]
    """
    joint = beliefs * transition[:, labels].T
    total = joint.sum(1, keepdims=True)
    return np.where(total > SMALLEST, joint / np.maximum(total, SMALLEST), beliefs)


def fit(opinions: Opinions, labels: Labels, prior: float = PRIOR, seed: int = 0) -> Noise:
    """Noise whose weights and transition matrix maximise the likelihood of the labels as given.

    Args:
        opinions: logits z by m opinions, (m, n, K), none of which has learnt the row's own label.
        labels: class numbers as given, (n,).
        prior: strength of the prior of C, at least 0: rows of symmetric noise that are added to each class, as a share
            of the mean number of rows of a class. Their noise rate is that of the rows at hand with two more rows, one
            of them wrong.
        seed: seed of the draw of the rows that are fitted to, where there are more than FITTED.

    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 4000)
    >>> given = np.where(rng.random(4000) < 0.3, 1 - y, y)
    >>> found = fit(np.eye(2)[None, y], given)  # an opinion that is always right, but not sure
    >>> found.transition.round(1).tolist(), bool(found.weights[0] > 2)
    ([[0.7, 0.3], [0.3, 0.7]], True)
    """
    opinions, labels = _some(opinions, labels, seed)
    fitting = _Fitting(opinions, one_hot(labels, opinions.shape[2]), labels, prior)
    even = np.full(len(opinions), 1 / len(opinions))
    first = max((fitting.turn(scale * even, None) for scale in STARTS), key=lambda noise: noise.likelihood)
    found = first
    for _ in range(TURNS):
        before, found = found, fitting.turn(fitting.weights(found), found.transition)
        if found.likelihood - before.likelihood < GAIN:
            break
    return max(before, found, key=lambda noise: noise.likelihood)


def refit(opinions: Opinions, labels: Labels, noise: Noise, prior: float = PRIOR, seed: int = 0) -> Noise:
    """Noise of several opinions after one turn: the weights are fitted to a known transition matrix, then C to them.

    With more turns, opinions that are as unsure as the labels are noisy, such as those of the nearest rows, would
    explain the noise away: C = 1 is as likely then. So C begins at the transition matrix of an opinion that is sure.

    Args:
        opinions: logits z by m opinions, (m, n, K), none of which has learnt the row's own label.
        labels: class numbers as given, (n,).
        noise: noise fitted to an opinion by a robust loss; its transition matrix is the known one.
        prior: strength of the prior of C, as in `fit`.
        seed: seed of the draw of the rows that are fitted to, where there are more than FITTED.

    >>> y = np.arange(4000) % 2
    >>> given = np.where(np.arange(4000) % 10 < 3, 1 - y, y)
    >>> sure, unsure = 4.0 * np.eye(2)[y], 0.4 * np.eye(2)[y]
    >>> refit(np.stack([sure, unsure]), given, fit(sure[None], given)).transition.round(1).tolist()
    [[0.6, 0.4], [0.2, 0.8]]
    """
    opinions, labels = _some(opinions, labels, seed)
    fitting = _Fitting(opinions, one_hot(labels, opinions.shape[2]), labels, prior)
    even = np.full(len(opinions), 1 / len(opinions))
    return fitting.turn(fitting.weights(Noise(even, noise.transition, 0.0)), noise.transition, SETTLED)


def _some(opinions: Opinions, labels: Labels, seed: int) -> tuple[Opinions, Labels]:
    """Opinions and labels of the rows that are fitted to, at most FITTED."""
    if len(labels) > FITTED:
        some = np.sort(np.random.default_rng(seed).choice(len(labels), FITTED, replace=False))
        opinions, labels = opinions[:, some], labels[some]
    return opinions.astype(np.float64), labels


@dataclass(frozen=True)
class _Fitting:
    """The two fits, to the same labels.

    Args:
        opinions: logits z, (m, n, K).
        targets: one-hot labels as given, (n, K).
        labels: class numbers as given, (n,).
        prior: strength of the prior of C; see `fit`.
    """

    opinions: np.ndarray
    targets: np.ndarray
    labels: np.ndarray
    prior: float

    def turn(self, weights: np.ndarray, transition: np.ndarray | None, steps: int = STEPS) -> Noise:
        """Noise of these weights, (m,), with a transition matrix fitted to them, beginning at ``transition``."""
        p, classes = pooled(self.opinions, weights), self.targets.shape[1]
        c = symmetric(classes, 0.1) if transition is None else transition
        for _ in range(steps):
            c = self.step(p, c)
        return Noise(weights, c, float(np.log(self._given(p, c)).mean()))

    def step(self, beliefs: np.ndarray, transition: np.ndarray) -> np.ndarray:
        """The transition matrix, (K, K), after a step of expectation-maximisation, with the rows of the prior."""
        counts = bayes(beliefs, self.labels, transition).T @ self.targets
        total = float(counts.sum())
        rate = (max(total - float(np.trace(counts)), 0.0) + 1) / (total + 2)  # never 0: any label may be wrong
        counts += self.prior * total / len(counts) * symmetric(len(counts), rate) + SMALLEST
        found: np.ndarray = counts / counts.sum(1, keepdims=True)
        return found

    def weights(self, noise: Noise) -> np.ndarray:
        """Weights, (m,), fitted to the transition matrix of ``noise``, by L-BFGS from its weights."""

        def loss(a: np.ndarray) -> tuple[float, np.ndarray]:
            p = pooled(self.opinions, a)
            slope = p - bayes(p, self.labels, noise.transition)  # of - log (G) in the pooled logits
            value = -float(np.log(self._given(p, noise.transition)).mean())
            return value, np.array([float((z * slope).sum()) for z in self.opinions]) / len(p)

        bounds = [(0.0, None)] * len(noise.weights)
        found: np.ndarray = minimize(loss, noise.weights, jac=True, method="L-BFGS-B", bounds=bounds).x
        return found

    def _given(self, beliefs: np.ndarray, transition: np.ndarray) -> np.ndarray:
        """Probabilities of the labels as given by (G), (n,)."""
        found: np.ndarray = np.maximum((beliefs * transition[:, self.labels].T).sum(1), SMALLEST)
        return found


def tell(noise: Noise, labels: Labels, classes: int) -> bool:
    """Whether the opinions predict the labels better than the classes' shares do, by a likelihood-ratio test.

    Where they do not, neither the weights nor the transition matrix are known, and any answer is chance.

    Args:
        noise: noise fitted to the opinions.
        labels: class numbers as given, (n,).
        classes: number of classes K.

    >>> y = np.arange(400) % 2
    >>> [tell(fit(z[None], y), y, 2) for z in (4.0 * np.eye(2)[y], np.zeros((400, 2)))]
    [True, False]
    """
    shares = np.bincount(labels, minlength=classes) / len(labels)
    without = float(shares @ np.log(np.maximum(shares, SMALLEST)))
    gain = 2 * min(len(labels), FITTED) * (noise.likelihood - without)
    return bool(gain > chi2.ppf(SURE, len(noise.weights) + classes * (classes - 1)))


def noise_rate(posterior: Float[np.ndarray, "n k"], labels: Labels) -> float:
    """Expected share of wrong labels, in [0, 1].

    Args:
        posterior: posterior probabilities of the classes, (n, K).
        labels: class numbers as given, (n,).
    """
    return float(1 - posterior[np.arange(len(labels)), labels].mean())


def centred(logits: Sequence[Float[np.ndarray, "n k"]]) -> Opinions:
    """Logits as opinions, (m, n, K), float32: the mean of each row is subtracted, which changes no probability.

    Args:
        logits: logits by each of m opinions, (n, K) each.
    """
    return np.stack([z - z.mean(1, keepdims=True) for z in logits]).astype(np.float32)
