"""Label noise: how often a class is labelled as another, labels drawn so, and both estimated from data.

A transition is a matrix C of shape (K, K): ``C_kj`` is the probability that a row of class k is labelled j.
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
Labels = Int[np.ndarray, " n"]


def symmetric(classes: int, rate: float) -> Transition:
    """A share ``rate`` of each class is labelled as any other class, all alike.

    Args:
        classes: K, at least 2.
        rate: eta, in [0, 1]. Beyond (K - 1) / K another label is the most frequent.

    >>> symmetric(3, 0.2).tolist()
    [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]
    """
    return within_groups(np.zeros(classes, dtype=int), rate)


def next_class(classes: int, rate: float) -> Transition:
    """A share ``rate`` of each class is labelled as the next class, of the last as the first.

    >>> next_class(3, 0.25).tolist()
    [[0.75, 0.25, 0.0], [0.0, 0.75, 0.25], [0.25, 0.0, 0.75]]
    """
    in_range("rate", float(rate), 0, 1)
    c: np.ndarray = (1 - rate) * np.eye(classes) + rate * np.roll(np.eye(classes), 1, axis=1)
    return c


def leaning(classes: int, rate: float) -> Transition:
    """The authors' asymmetric noise: ``rate / K`` to every other class, and as much again to the next.

    Source: Jeong and Chung, ICLR 2025, released code.

    >>> leaning(4, 0.4).round(3)[0].tolist()
    [0.6, 0.2, 0.1, 0.1]
    """
    in_range("rate", float(rate), 0, 1)
    every = np.full((classes, classes), rate / classes)
    np.fill_diagonal(every, 1 - rate)
    return every + rate / classes * np.roll(np.eye(classes), 1, axis=1)


def within_groups(groups: Int[np.ndarray, " k"], rate: float) -> Transition:
    """A share ``rate`` of each class is labelled as any other class of its superclass, all alike.

    Args:
        groups: the superclass of each class, (K,). A class alone in its superclass keeps its labels.
        rate: in [0, 1].

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
    """Groups of similar classes: complete linkage on one minus the mean cosine between rows of two classes.

    Args:
        features: (n, d), centred here.
        labels: class numbers, (n,).
        cut: share of the highest linkage at which the tree is cut, in (0, 1].

    Returns:
        The group of each class, (K,), numbered from 0.

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
    """Probabilities of each row's label where what it is mistaken for depends on its features.

    Row i is mistaken with a probability q_i from N(rate, 0.1^2) within [0, 1], for the classes by
    ``softmax(x_i W_k)`` over the others, where W_k is drawn from N(0, 1) for each class k.

    Args:
        features: x, (n, d), standardised here.
        labels: class numbers, (n,).
        classes: K.
        rate: in [0, 1].

    Returns:
        (n, K), for `draw`.

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
    """One label of each row.

    >>> draw(np.array([[0.0, 1.0], [1.0, 0.0]]), seed=0).tolist()
    [1, 0]
    """
    reached = probabilities.cumsum(1)
    drawn = np.random.default_rng(seed).random(len(probabilities))[:, None] * reached[:, -1:]
    labels: np.ndarray = (reached > drawn).argmax(1)
    return labels


def corrupt(labels: Labels, transition: Transition, seed: int, exact: bool = False) -> Labels:
    """Noisy labels.

    Args:
        labels: class numbers, (n,).
        transition: C, (K, K), rows sum to 1.
        exact: of each class exactly the shares C_k are relabelled (rounded to whole rows, the largest remainders
            up) and only which rows is drawn; else each label is drawn by itself.

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
    """Shares as whole numbers of the same sum, the largest remainders rounded up.

    >>> whole(np.array([1.5, 0.25, 2.25])).tolist()
    [2, 0, 2]
    """
    counts = np.floor(shares + 1e-9).astype(int)
    short = round(float(shares.sum())) - int(counts.sum())
    counts[np.argsort(counts - shares, kind="stable")[:short]] += 1
    return counts


def realised(labels: Labels, noisy: Labels, classes: int) -> Transition:
    """The shares of the noisy labels in each class; a class without a row keeps its labels."""
    counts = np.zeros((classes, classes))
    np.add.at(counts, (labels, noisy), 1)
    return _shares(counts)


def _shares(counts: np.ndarray) -> Transition:
    """Rows that sum to 1; of a row of zeros, the class itself."""
    total = counts.sum(1, keepdims=True)
    return np.where(total > 0, counts / np.where(total > 0, total, 1), np.eye(len(counts)))


def confident_transition(probabilities: Float[np.ndarray, "n k"], noisy: Labels) -> Transition:
    """The transition, estimated from counts of rows that are confidently of a class.

    A row counts for the likeliest class among those whose probability is at least the mean probability of that class
    over the rows labelled so; counts of each label are scaled to the number of rows labelled so.

    Args:
        probabilities: of the noisy labels, (n, K), by a model that has not seen the row's own label.
        noisy: labels, (n,).

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
    """The transition, read off one row of each class that is nearly surely of it.

    The anchor of class k is the row at the given quantile of the probabilities of k; its probabilities are row k of C.

    Args:
        probabilities: of the noisy labels, (n, K).
        quantile: in (0, 1]; below 1 it passes over the few rows of which the model is too sure.

    Source: Patrini et al., CVPR 2017, eq. 12, and its 97 % quantile.

    >>> anchor_transition(np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]), quantile=1).tolist()
    [[0.8, 0.2], [0.3, 0.7]]
    """
    in_range("quantile", float(quantile), 0, 1, low_open=True)
    at = round(quantile * (len(probabilities) - 1))
    anchors = np.argsort(probabilities, axis=0, kind="stable")[at]
    return _shares(probabilities[anchors])
