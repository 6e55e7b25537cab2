"""Label models that read the rows' features beside the votes: what a rule is worth may differ from place to place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.special import digamma, softmax
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression

from tutelage.weak.accuracies import Prior, ballots
from tutelage.weak.votes import Votes

GROUPS, RANK = 10, 128
"""Groups of rows, and rank of the kernel; those of FABLE's released code."""

SPREAD = 3.0
"""Standard deviation of a process of FABLE, chosen on keyword rules for AG News and IMDb, as were the next two."""

RIGHT, WRONG = 30.0, 10.0
"""Votes for each true class that the prior of a confusion matrix is worth: for that class, and for each other one."""

PENALTY = 1e-2
"""Inverse strength C of the penalty of the logistic prior, on rows that are centred and divided by one scale."""

LEAST = 1e-4
"""Least probability of a class that the logistic prior learns, and that it gives."""

ROUNDS, STILL = 100, 1e-2
"""Rounds at most, and the largest change of a probability at which they end; the latter is that of FABLE's code."""

SOME = 1000
"""Rows, at most, whose distances set the width of the kernel."""


def fable(
    votes: Votes, y: np.ndarray, rows: np.ndarray, groups: int = GROUPS, rank: int = RANK, seed: int = 0,
    still: float = STILL,
) -> np.ndarray:  # fmt: skip
    """Probabilities by accuracies of each function in several groups of rows, told apart by their features, (n, c).

    Each row has a class k and a group g, with ``p(k, g | x) ~ s(f_kg(x))``, s the logistic function and f_kg Gaussian
    processes on the features, whose mean over the rows is 0. In group g function j, where it votes, is right with
    probability a_jg, and else votes for each other class equally often. a_jg has the prior of `data_programming`, whose
    weight the groups share. The processes are fitted by mean fields, augmented as in Galy-Fajou et al., UAI 2019, on
    a Gaussian kernel of reduced rank. One group on rows that are all alike is `data_programming`.

    Source: Zhang, Song and Ratner, Leveraging Instance Features for Label Aggregation in Programmatic Weak Supervision,
    AISTATS 2023, our reading: there a group has a confusion matrix of each function, which tells nothing of functions
    that vote for one class only, and in the released code the processes do not learn which group a row is in.

    Args:
        votes: votes of m functions on n rows, with a vote on each row.
        y: true class numbers, (n,), -1 = unknown; the accuracies alone learn them.
        rows: features of the rows, (n, d).
        groups: number of groups, at least 1.
        rank: rank of the kernel, at least 1.
        seed: seed of the groups' beginnings and of the kernel.
        still: largest change of a probability at which the rounds end, above 0.
    """
    n, c = len(votes), len(votes.classes)
    cast, prior, basis = ballots(votes), Prior.of(votes, y), _basis(rows, rank, seed)
    start = np.repeat(prior.mean[:, None], groups, axis=1)
    q = softmax(_heard(cast, start, c), axis=(1, 2)) * groups
    q = q * np.random.default_rng(seed).dirichlet(np.ones(groups), n)[:, None]
    f = _Processes(np.zeros((n, c * groups)), np.ones((n, c * groups)), np.ones(n))
    for _ in range(ROUNDS):
        in_group = q.sum(1)  # (n, groups)
        taught = np.where(prior.known[:, None, None], prior.truth[:, :, None] * in_group[:, None], q)
        voted = cast.T @ np.repeat(in_group, c, axis=0)
        right = prior.weight[:, None] / groups * prior.mean[:, None] + cast.T @ taught.reshape(n * c, groups)
        accuracy = right / (prior.weight[:, None] / groups + voted)  # a_jg
        f, before = f.fitted(q.reshape(n, -1), basis), q.sum(2)
        q = softmax(f.log_share.reshape(n, c, groups) + _heard(cast, accuracy, c), axis=(1, 2))
        if np.abs(q.sum(2) - before).max() < still:
            break
    return np.asarray(q.sum(2))


def _heard(cast: Any, accuracy: np.ndarray, classes: int) -> np.ndarray:
    """Log-likelihood of each row's votes, (n, c, g).

    Args:
        cast: the votes, (n c, m), see `ballots`.
        accuracy: accuracies of the functions in each group, (m, g).
        classes: number of classes, c.
    """
    wrong = np.log((1 - accuracy) / (classes - 1))
    shape = -1, classes, accuracy.shape[1]
    every = (cast @ wrong).reshape(shape).sum(1, keepdims=True)  # as if all votes were wrong
    return np.asarray(every + (cast @ (np.log(accuracy) - wrong)).reshape(shape))


def dawid_skene_logistic(votes: Votes, y: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Probabilities by a confusion matrix of each function, under a logistic model of the features as prior, (n, c).

    ``p_ik ~ p(k | x_i) prod_j c_jk,v_ij`` over the functions that vote on row i. In each round the matrices c_j are the
    means under a Dirichlet prior, and a logistic regression with a strong penalty learns the probabilities of the last
    round, all classes counting the same.

    Source: Raykar et al., Learning from Crowds, JMLR 11, 2010; Dawid and Skene, Applied Statistics 28, 1979.

    Args:
        votes: votes of m functions on n rows, with a vote on each row.
        y: true class numbers, (n,), which are ignored.
        rows: features of the rows, (n, d).
    """
    n, c = len(votes), len(votes.classes)
    each = [csr_array((votes.table == k).astype(np.float64)) for k in range(c)]  # (n, m) for each vote
    x = rows - rows.mean(0)
    x = x / max(float(np.sqrt(np.square(x).mean())), 1e-12)

    def heard(q: np.ndarray) -> np.ndarray:
        counts = [b.T @ q + np.where(np.arange(c) == k, RIGHT, WRONG) for k, b in enumerate(each)]  # (m, c)
        every = np.sum(counts, axis=0)
        return np.asarray(sum(b @ np.log(count / every) for b, count in zip(each, counts, strict=True)))

    first = np.stack([b.sum(1) for b in each], 1)
    q = softmax(heard(first / first.sum(1, keepdims=True)), axis=1)
    model = LogisticRegression(C=PENALTY, max_iter=200, warm_start=True)
    for _ in range(ROUNDS):
        row, k = np.nonzero(q > LEAST)
        there = np.unique(k)
        if len(there) < 2:
            break
        prior = np.full((n, c), LEAST)
        prior[:, there] = model.fit(x[row], k, (q / q.mean(0))[row, k]).predict_proba(x).clip(LEAST)
        before, q = q, softmax(np.log(prior) + heard(q), axis=1)
        if np.abs(q - before).max() < STILL:
            break
    return np.asarray(q)


@dataclass(frozen=True, eq=False)
class _Processes:
    """Gaussian processes at the rows, one for each group, as mean fields.

    Attributes:
        mean: their means, (n, g).
        variance: their variances, (n, g).
        rate: shape of the gamma field of each row, (n,).
    """

    mean: np.ndarray
    variance: np.ndarray
    rate: np.ndarray

    @property
    def scale(self) -> np.ndarray:
        """Root of the expected square, (n, g), above 0."""
        return np.asarray(np.sqrt(self.mean**2 + self.variance).clip(1e-6))

    @property
    def log_share(self) -> np.ndarray:
        """Bound of the expected ``log s(f)``, (n, g): ``mean / 2 - log(2 cosh(scale / 2))``."""
        return np.asarray(self.mean / 2 - np.logaddexp(self.scale / 2, -self.scale / 2))

    def fitted(self, q: np.ndarray, basis: np.ndarray) -> _Processes:
        """The processes after a round of updates.

        Args:
            q: probabilities of the groups, (n, g).
            basis: factor of the kernel, (n, r): ``kernel = basis @ basis.T``.
        """
        against = np.exp(digamma(self.rate))[:, None] / q.shape[1] * np.exp(self.log_share - self.mean)
        omega = (q + against) * np.tanh(self.scale / 2) / (2 * self.scale)
        mean, variance = np.empty_like(self.mean), np.empty_like(self.variance)
        for g in range(q.shape[1]):
            precision = np.eye(basis.shape[1]) + basis.T @ (omega[:, g, None] * basis)
            spread = basis @ np.linalg.inv(precision)
            mean[:, g] = spread @ (basis.T @ (q[:, g] - against[:, g])) / 2
            variance[:, g] = (spread * basis).sum(1)
        return _Processes(mean, variance, 1 + against.sum(1))


def _basis(rows: np.ndarray, rank: int, seed: int) -> np.ndarray:
    """Factor of the Gaussian kernel of the rows, (n, r), as wide as their median distance, less its mean."""
    some = rows[np.random.default_rng(seed).permutation(len(rows))[:SOME]]
    square = np.square(some).sum(1)
    apart = square[:, None] + square - 2 * some @ some.T
    apart = apart[np.triu_indices(len(some), 1)]
    width = max(float(np.median(apart)), 1e-12) if len(apart) else 1.0
    kernel = Nystroem(gamma=1 / width, n_components=min(rank, len(rows)), random_state=seed)
    found = kernel.fit_transform(rows)
    return np.asarray(SPREAD * (found - found.mean(0)))


BY_FEATURES: dict[str, Callable[[Votes, np.ndarray, np.ndarray], np.ndarray]] = {
    "fable": fable,
    "dawid_skene_logistic": dawid_skene_logistic,
}
"""The label models that need features, by name: functions of the votes, of the true classes, (n,), and of the rows,
(n, d), that give probabilities, (n, c)."""
