"""How likely each label is wrong: Bayes' rule with the noise's transition, both fitted to the labels as given.

What a row is by several opinions, logits z_m of those that never learnt the row's own label, is their pool

    p(k | x) = softmax(sum_m a_m z_m)_k,   a_m >= 0;                                                       (P)

of one opinion, a = 1 / T is an inverse temperature. A row of class k is labelled j with the probability C_kj, so that

    P(given = j | x) = sum_k p(k | x) C_kj,                                                                (G)
    P(true = k | x, given = j) = p(k | x) C_kj / P(given = j | x).                                         (B)

Opinions that learnt noisy labels are less sure than they could be: how much less, a and C say, which together maximise
(G) over the labels as given. C by expectation-maximisation, a by its gradient, in turn.

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
"""Rows that count as seen before in each class, as a share of the mean class; their noise is symmetric."""

FITTED = 30_000
"""Rows that a and C are fitted to, at most."""

STARTS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Multiples of the even pool that are tried as starts."""

SURE = 0.999
"""Quantile that the gain in likelihood must exceed."""

SMALLEST = 1e-300
TURNS, STEPS, SETTLED = 30, 10, 60
"""Turns of the two fits, and steps of C in each; steps of C where there is one turn."""
GAIN = 1e-6
"""Nats a row below which a turn is the last."""

Opinions = Float[np.ndarray, "m n k"]
Labels = Int[np.ndarray, " n"]


@dataclass(frozen=True)
class Noise:
    """What is known of the labels' noise.

    Args:
        weights: a, (m,), at least 0.
        transition: C, (K, K): row k holds the shares of the labels of class k.
        likelihood: the mean of log (G) over the labels that it was fitted to, in nats.
    """

    weights: Float[np.ndarray, " m"]
    transition: Float[np.ndarray, "k k"]
    likelihood: float

    def beliefs(self, opinions: Opinions) -> Float[np.ndarray, "n k"]:
        """(P): what a row is, its own label not looked at."""
        return pooled(opinions, self.weights)

    def posterior(self, opinions: Opinions, labels: Labels) -> Float[np.ndarray, "n k"]:
        """(B): what a row is, its own label looked at."""
        return bayes(self.beliefs(opinions), labels, self.transition)


def pooled(opinions: Opinions, weights: Float[np.ndarray, " m"]) -> Float[np.ndarray, "n k"]:
    """(P).

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
    """(B): a label that no class is given leaves the belief as it was.

    >>> c = np.array([[0.8, 0.2], [0.4, 0.6]])
    >>> bayes(np.array([[0.5, 0.5], [0.1, 0.9]]), np.array([0, 1]), c).round(4).tolist()
    [[0.6667, 0.3333], [0.0357, 0.9643]]
    """
    joint = beliefs * transition[:, labels].T
    total = joint.sum(1, keepdims=True)
    return np.where(total > SMALLEST, joint / np.maximum(total, SMALLEST), beliefs)


def fit(opinions: Opinions, labels: Labels, prior: float = PRIOR, seed: int = 0) -> Noise:
    """The weights and the transition under which the labels as given are likeliest.

    Args:
        opinions: z, logits by m opinions, (m, n, K), none of which has learnt the row's own label.
        labels: as given, class numbers, (n,).
        prior: rows of symmetric noise that each class is thought to have besides, as a share of the mean class, at
            least 0: of a class with few rows, little is known. Their rate is that of the rows at hand, and of two more,
            one of them wrong.
        seed: draws the rows that are fitted to, where there are more than FITTED.

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
    """The weights of several opinions under a transition, and then the transition under those: one turn.

    With more turns opinions that are as unsure as the labels are noisy, such as those of the nearest rows, explain the
    noise away: C = 1 is as likely then. So C begins at that of an opinion that is sure.

    Args:
        noise: fitted to an opinion by a robust loss, whose transition is begun at.

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
    """Those that are fitted to."""
    if len(labels) > FITTED:
        some = np.sort(np.random.default_rng(seed).choice(len(labels), FITTED, replace=False))
        opinions, labels = opinions[:, some], labels[some]
    return opinions.astype(np.float64), labels


@dataclass(frozen=True)
class _Fitting:
    opinions: np.ndarray
    targets: np.ndarray
    labels: np.ndarray
    prior: float

    def turn(self, weights: np.ndarray, transition: np.ndarray | None, steps: int = STEPS) -> Noise:
        """The transition that goes with some weights."""
        p, classes = pooled(self.opinions, weights), self.targets.shape[1]
        c = symmetric(classes, 0.1) if transition is None else transition
        for _ in range(steps):
            c = self.step(p, c)
        return Noise(weights, c, float(np.log(self._given(p, c)).mean()))

    def step(self, beliefs: np.ndarray, transition: np.ndarray) -> np.ndarray:
        """One step of expectation-maximisation, with the prior's rows."""
        counts = bayes(beliefs, self.labels, transition).T @ self.targets
        total = float(counts.sum())
        rate = (max(total - float(np.trace(counts)), 0.0) + 1) / (total + 2)  # never 0: any label may be wrong
        counts += self.prior * total / len(counts) * symmetric(len(counts), rate) + SMALLEST
        found: np.ndarray = counts / counts.sum(1, keepdims=True)
        return found

    def weights(self, noise: Noise) -> np.ndarray:
        """The weights that go with a transition, by L-BFGS from those that are there."""

        def loss(a: np.ndarray) -> tuple[float, np.ndarray]:
            p = pooled(self.opinions, a)
            slope = p - bayes(p, self.labels, noise.transition)
            value = -float(np.log(self._given(p, noise.transition)).mean())
            return value, np.array([float((z * slope).sum()) for z in self.opinions]) / len(p)

        bounds = [(0.0, None)] * len(noise.weights)
        found: np.ndarray = minimize(loss, noise.weights, jac=True, method="L-BFGS-B", bounds=bounds).x
        return found

    def _given(self, beliefs: np.ndarray, transition: np.ndarray) -> np.ndarray:
        """(G) of the labels as given."""
        found: np.ndarray = np.maximum((beliefs * transition[:, self.labels].T).sum(1), SMALLEST)
        return found


def tell(noise: Noise, labels: Labels, classes: int) -> bool:
    """Whether opinions say more of the labels than the classes' shares do: a likelihood-ratio test at SURE.

    Where they do not, neither weights nor transition are known, and any answer is chance.

    Args:
        noise: fitted to them.

    >>> y = np.arange(400) % 2
    >>> [tell(fit(z[None], y), y, 2) for z in (4.0 * np.eye(2)[y], np.zeros((400, 2)))]
    [True, False]
    """
    shares = np.bincount(labels, minlength=classes) / len(labels)
    without = float(shares @ np.log(np.maximum(shares, SMALLEST)))
    gain = 2 * min(len(labels), FITTED) * (noise.likelihood - without)
    return bool(gain > chi2.ppf(SURE, len(noise.weights) + classes * (classes - 1)))


def noise_rate(posterior: Float[np.ndarray, "n k"], labels: Labels) -> float:
    """The share of the labels that are wrong, as the posterior has it, in [0, 1]."""
    return float(1 - posterior[np.arange(len(labels)), labels].mean())


def centred(logits: Sequence[Float[np.ndarray, "n k"]]) -> Opinions:
    """Logits as opinions: each row's mean is 0, which changes no probability."""
    return np.stack([z - z.mean(1, keepdims=True) for z in logits]).astype(np.float32)
