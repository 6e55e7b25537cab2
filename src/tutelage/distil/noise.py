"""Label noise: transition matrices, noisy labels drawn by them, and transition matrices estimated from data.

A transition matrix C has the shape (K, K): ``C_kj`` is the probability that a row of class k is labelled j.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.special import softmax
from scipy.stats import truncnorm

from tutelage.ops.checks import in_range

Transition = Float[np.ndarray, "k k"]
"""A transition matrix, (K, K), whose rows sum to 1."""
Labels = Int[np.ndarray, " n"]
"""Class numbers, (n,)."""


def symmetric(classes: int, rate: float) -> Transition:
    """Transition matrix of symmetric noise: a share ``rate`` of each class is spread evenly over all other classes.

    Args:
        classes: number of classes K, at least 2.
        rate: share eta, in [0, 1]. Beyond (K - 1) / K another label is the most frequent.

    >>> symmetric(3, 0.2).tolist()
    [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]
    """
    return within_groups(np.zeros(classes, dtype=int), rate)


def next_class(classes: int, rate: float) -> Transition:
    """Transition matrix of pair noise: a share ``rate`` of each class is labelled as the next class.

    The next class of the last is the first.

    Args:
        classes: number of classes K.
        rate: share in [0, 1].

    >>> next_class(3, 0.25).tolist()
    [[0.75, 0.25, 0.0], [0.0, 0.75, 0.25], [0.25, 0.0, 0.75]]
    """
    in_range("rate", float(rate), 0, 1)
    c: np.ndarray = (1 - rate) * np.eye(classes) + rate * np.roll(np.eye(classes), 1, axis=1)
    return c


def leaning(classes: int, rate: float) -> Transition:
    """Transition matrix of asymmetric noise: ``rate / K`` to every other class, and as much again to the next.

    Args:
        classes: number of classes K.
        rate: share of each class that is labelled wrongly, in [0, 1].

    Source: Jeong and Chung, ICLR 2025, released code.

    >>> leaning(4, 0.4).round(3)[0].tolist()
    [0.6, 0.2, 0.1, 0.1]
    """
    in_range("rate", float(rate), 0, 1)
    every = np.full((classes, classes), rate / classes)
    np.fill_diagonal(every, 1 - rate)
    return every + rate / classes * np.roll(np.eye(classes), 1, axis=1)


def within_groups(groups: Int[np.ndarray, " k"], rate: float) -> Transition:
    """Transition matrix of noise within superclasses: a share ``rate`` of each class is spread over its superclass.

    All other classes of the superclass get the same part of it.

    Args:
        groups: number of the superclass of each class, (K,), K at least 2. A class alone in its superclass keeps its
            labels.
        rate: share in [0, 1].

    >>> within_groups(np.array([0, 0, 1]), 0.5).tolist()
    [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    """
    in_range("rate", float(rate), 0, 1)
    if len(groups) < 2:
        raise ValueError(f"noise needs at least 2 classes, got {len(groups)}")
    others = (groups[:, None] == groups) & ~np.eye(len(groups), dtype=bool)
    c: np.ndarray = rate * others / np.maximum(others.sum(1, keepdims=True), 1)
    c[np.diag_indices(len(c))] = 1 - c.sum(1)
    return c


def superclasses(features: Float[np.ndarray, "n d"], labels: Labels, cut: float = 0.8) -> Int[np.ndarray, " k"]:
    """Superclasses of similar classes, by complete linkage.

    The distance of two classes is one minus the mean cosine between their rows.

    Args:
        features: features of the rows, (n, d), which are centred here.
        labels: class numbers, (n,).
        cut: height at which the tree is cut, as a share of its highest linkage, in (0, 1].

    Returns:
        Number of the superclass of each class, (K,), from 0.

    Source: Jeong and Chung, ICLR 2025, released code.

    >>> x = np.array([[1.0, 0.1], [1.0, -0.1], [-1.0, 0.1], [-1.0, -0.1]])
    >>> groups = superclasses(x, np.arange(4))
    >>> bool(groups[0] == groups[1] != groups[2] == groups[3])
    True
    """
    in_range("cut", float(cut), 0, 1, low_open=True)
    z = features - features.mean(0)
    z = z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), np.finfo(float).tiny)
    means = np.stack([z[labels == k].mean(0) for k in range(labels.max() + 1)])
    apart = 1 - means @ means.T
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "complete")
    groups: np.ndarray = fcluster(tree, cut * tree[:, 2].max(), "distance") - 1
    return groups


def instance_dependent(
    features: Float[np.ndarray, "n d"], labels: Labels, classes: int, rate: float, seed: int
) -> Float[np.ndarray, "n k"]:
    """Probabilities of each row's label, (n, K), for noise that depends on the features.

    Row i, of class k, is labelled wrongly with a probability q_i, which is drawn from N(rate, 0.1^2) truncated to
    [0, 1]. Its wrong label is drawn from ``softmax(x_i W_k)`` over the other classes, where the entries of W_k, (d, K),
    are drawn from N(0, 1) for each class.

    Args:
        features: features x, (n, d), which are standardised here.
        labels: true class numbers, (n,).
        classes: number of classes K.
        rate: mean of the distribution of q_i before it is truncated, in [0, 1].
        seed: seed of q_i and W_k.

    Returns:
        Probabilities, (n, K), for `draw`.

    Source: Xia et al., Part-dependent Label Noise, NeurIPS 2020, algorithm 2.

    >>> p = instance_dependent(np.eye(3), np.array([0, 1, 2]), 3, rate=0.3, seed=0)
    >>> bool(np.allclose(p.sum(1), 1)), p.argmax(1).tolist()
    (True, [0, 1, 2])
    """
    in_range("rate", float(rate), 0, 1)
    rng = np.random.default_rng(seed)
    flips = truncnorm(-rate / 0.1, (1 - rate) / 0.1, rate, 0.1).rvs(len(labels), random_state=rng)
    x = (features - features.mean(0)) / np.maximum(features.std(0), np.finfo(float).tiny)
    p = np.zeros((len(labels), classes))
    for k in range(classes):
        w, mine = rng.standard_normal((x.shape[1], classes)), labels == k
        logits = x[mine] @ w
        logits[:, k] = -np.inf
        p[mine] = flips[mine, None] * softmax(logits, axis=1)
        p[mine, k] = 1 - flips[mine]
    return p


def draw(probabilities: Float[np.ndarray, "n k"], seed: int) -> Labels:
    """Labels drawn at random, one for each row, (n,).

    Args:
        probabilities: probabilities of the labels, (n, K).
        seed: seed of the draw.

    >>> draw(np.array([[0.0, 1.0], [1.0, 0.0]]), seed=0).tolist()
    [1, 0]
    """
    reached = probabilities.cumsum(1)
    drawn = np.random.default_rng(seed).random(len(probabilities))[:, None] * reached[:, -1:]
    labels: np.ndarray = (reached > drawn).argmax(1)
    return labels


def corrupt(labels: Labels, transition: Transition, seed: int, exact: bool = False) -> Labels:
    """Noisy labels, (n,), drawn by a transition matrix.

    Args:
        labels: true class numbers, (n,).
        transition: transition matrix C, (K, K), rows sum to 1.
        seed: seed of the draw.
        exact: whether the labels of each class have exactly the shares C_k (rounded to whole rows, the largest
            remainders up), so that only the rows that get each label are drawn; else each label is drawn by itself.

    >>> y = np.repeat([0, 1], 4)
    >>> realised(y, corrupt(y, next_class(2, 0.25), seed=0, exact=True), 2).tolist()
    [[0.75, 0.25], [0.25, 0.75]]
    """
    if transition.shape != (len(transition),) * 2 or transition.min() < 0 or not np.allclose(transition.sum(1), 1):
        raise ValueError(f"transition must be square, its rows probabilities, got {transition.tolist()}")
    if not exact:
        return draw(transition[labels], seed)
    rng, noisy = np.random.default_rng(seed), labels.copy()
    for k in np.unique(labels).tolist():
        mine = np.flatnonzero(labels == k)
        noisy[rng.permutation(mine)] = np.repeat(np.arange(len(transition)), whole(len(mine) * transition[k]))
    return noisy


def whole(shares: Float[np.ndarray, " k"]) -> Int[np.ndarray, " k"]:
    """Shares rounded to whole numbers of the same sum, (k,); those with the largest remainders are rounded up.

    Args:
        shares: numbers of rows, (k,), at least 0, whose sum is whole.

    >>> whole(np.array([1.5, 0.25, 2.25])).tolist()
    [2, 0, 2]
    """
    counts = np.floor(shares + 1e-9).astype(int)
    short = round(float(shares.sum())) - int(counts.sum())
    counts[np.argsort(counts - shares, kind="stable")[:short]] += 1
    return counts


def realised(labels: Labels, noisy: Labels, classes: int) -> Transition:
    """Transition matrix of given labels: the shares of the noisy labels in each class, (K, K).

    The row of a class without rows is that of the identity.

    Args:
        labels: true class numbers, (n,).
        noisy: noisy class numbers, (n,).
        classes: number of classes K.
    """
    counts = np.zeros((classes, classes))
    np.add.at(counts, (labels, noisy), 1)
    return _shares(counts)


def _shares(counts: np.ndarray) -> Transition:
    """Counts, (K, K), scaled to rows that sum to 1; a row of zeros becomes that of the identity."""
    total = counts.sum(1, keepdims=True)
    return np.where(total > 0, counts / np.where(total > 0, total, 1), np.eye(len(counts)))


def confident_transition(probabilities: Float[np.ndarray, "n k"], noisy: Labels) -> Transition:
    """Transition matrix, (K, K), estimated from counts of rows that are confidently of a class.

    A class qualifies for a row if its probability is at least the mean probability of that class over the rows with
    that label. The row counts for the likeliest class that qualifies, or for none. The counts of each label are scaled
    to the number of rows with that label.

    Args:
        probabilities: predicted probabilities of the noisy labels, (n, K), by a model that has not learnt the row's own
            label.
        noisy: noisy class numbers, (n,).

    Source: Northcutt, Jiang and Chuang, Confident Learning, JAIR 70, 2021, eqs. 1 to 3.

    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]])
    >>> confident_transition(p, np.array([0, 0, 1, 1, 1, 1])).round(2).tolist()
    [[0.67, 0.33], [0.0, 1.0]]
    """
    classes = probabilities.shape[1]
    labelled = [probabilities[noisy == k, k] for k in range(classes)]
    threshold = np.array([part.mean() if len(part) else np.inf for part in labelled])  # t_k, eq. 2
    sure = np.where(probabilities >= threshold, probabilities, -np.inf)
    kept = np.isfinite(sure).any(1)
    joint = np.zeros((classes, classes))  # rows: labels; columns: likely classes, eq. 1
    np.add.at(joint, (noisy[kept], sure[kept].argmax(1)), 1)
    joint *= np.bincount(noisy, minlength=classes)[:, None] / np.maximum(joint.sum(1, keepdims=True), 1)  # eq. 3
    return _shares(joint.T)


def anchor_transition(probabilities: Float[np.ndarray, "n k"], quantile: float = 0.97) -> Transition:
    """Transition matrix, (K, K), estimated from an anchor of each class: a row that is almost surely of that class.

    The anchor of class k is the row at the given quantile of the probabilities of k; its probabilities are row k of C.

    Args:
        probabilities: predicted probabilities of the noisy labels, (n, K).
        quantile: quantile in (0, 1]; one below 1 skips the few rows that the model is too sure of.

    Source: Patrini et al., CVPR 2017, eq. 12, and its 97 % quantile.

    >>> anchor_transition(np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]), quantile=1).tolist()
    [[0.8, 0.2], [0.3, 0.7]]
    """
    in_range("quantile", float(quantile), 0, 1, low_open=True)
    at = round(quantile * (len(probabilities) - 1))
    anchors = np.argsort(probabilities, axis=0, kind="stable")[at]
    return _shares(probabilities[anchors])
