"""Labels that spread along a graph, from a few labelled rows to all.

W holds the weights of the edges, d their sums at each row, D = diag(d), L = D - W. ``given``, (n, c), is one-hot in
labelled rows and 0 in all others. All systems are solved by conjugate gradients, a class at a time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import cg
from scipy.special import softmax

from tutelage.graph.neighbours import Neighbours
from tutelage.ops.checks import one_of
from tutelage.ops.said import warn

WEIGHTS = ("gaussian", "cosine", "binary")
"""Names of the ways to weigh an edge."""

PRECISE, MOST = 1e-8, 2000
"""Conjugate gradients stop at a residual of PRECISE times the right side's length, or after MOST iterations."""

Rows = Float[np.ndarray, "n c"]


def edges(near: Neighbours, weights: str = "gaussian") -> sparse.csr_matrix:
    """The symmetric graph W, (n, n), that joins two rows where one is among the nearest of the other.

    Where each is among the nearest of the other, the greater weight counts.

    Args:
        near: the nearest rows of each of the n rows.
        weights: "gaussian", exp(-4 r^2 / r_k^2) with r the distance between rows of length 1 and r_k that of the
            farthest one looked at (Calder et al., ICML 2020); "cosine", at least 0; or "binary".

    >>> edges(Neighbours(np.array([[1], [0], [1]]), np.ones((3, 1))), "binary").toarray().tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    one_of("weights", weights, WEIGHTS)
    n, k = near.index.shape
    cosine = near.cosine.astype(float)
    apart = np.maximum(1 - cosine, 0)
    values = np.ones((n, k)) if weights == "binary" else np.maximum(cosine, 0)
    if weights == "gaussian":
        values = np.exp(-4 * apart / np.maximum(apart.max(1, keepdims=True, initial=0), 1e-12))
    w = sparse.csr_matrix((values.ravel(), (np.repeat(np.arange(n), k), near.index.ravel())), shape=(n, n))
    w = w - sparse.diags(w.diagonal())
    w = w.maximum(w.T).tocsr()
    w.eliminate_zeros()
    return w


def harmonic(w: sparse.csr_matrix, given: Rows) -> Rows:
    """Label propagation: ``(D_uu - W_uu) F_u = W_ul Y``; labelled rows keep their labels.

    Each row of F is the weighted mean of its neighbours', and a distribution where a label reaches it.

    Source: Zhu, Ghahramani and Lafferty, ICML 2003, eq. 5.

    >>> path = sparse.csr_matrix(np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]]))
    >>> harmonic(path, np.array([[1.0, 0], [0, 0], [0, 1]]))[1].round(6).tolist()
    [0.5, 0.5]
    """
    found, known = given.astype(float), given.sum(1) > 0
    laplacian = sparse.diags(_degrees(w)) - w
    right = (w @ given)[~known]
    found[~known] = _solve(laplacian.tocsr()[~known][:, ~known], right).clip(0, 1)
    return found


def spread(w: sparse.csr_matrix, given: Rows, alpha: float) -> Rows:
    """Label spreading: ``F = (1 - alpha) (I - alpha S)^-1 Y`` with ``S = D^-1/2 W D^-1/2``.

    Args:
        alpha: share of its value that a row takes from its neighbours, in [0, 1); labelled rows may be overruled.

    Source: Zhou et al., NIPS 2003.
    """
    d = _degrees(w)
    root = sparse.diags(np.divide(1, np.sqrt(d), out=np.zeros_like(d), where=d > 0))
    system = sparse.eye(len(d)) - alpha * (root @ w @ root)
    return (1 - alpha) * _solve(system.tocsr(), given)


def poisson(w: sparse.csr_matrix, given: Rows) -> tuple[Rows, Rows]:
    """Poisson learning: ``L u = sum_j (y_j - ybar) delta_j`` with ``sum_i d_i u_i = 0``, for each class.

    Each connected part of the graph is solved by itself, with ybar the mean of its labels. In a part without labels
    u and ybar are 0.

    Returns:
        u, (n, c), and ybar of the part of each row, (n, c).

    Source: Calder et al., ICML 2020, eq. 2.3.
    """
    d, known = _degrees(w), given.sum(1) > 0
    count, part = connected_components(w, directed=False)
    member = sparse.csr_matrix((np.ones(len(d)), (part, np.arange(len(d)))), shape=(count, len(d)))
    labels = (member @ known).reshape(-1, 1)
    mean = np.divide(member @ given, labels, out=np.zeros((count, given.shape[1])), where=labels > 0)
    u = _solve((sparse.diags(d) - w).tocsr(), known[:, None] * (given - mean[part]))
    total = (member @ d)[:, None]
    off = np.divide(member @ (d[:, None] * u), total, out=np.zeros_like(mean), where=total > 0)
    return u - off[part], mean[part]


def probabilities_of(u: Rows, mean: Rows, slope: float) -> Rows:
    """Poisson learning's u as probabilities, proportional to ``mean * exp(slope * u / rms(u))``; 0 where the mean is 0.

    Args:
        u: solution, (n, c), see `poisson`.
        mean: mean of the labels in the part of each row, (n, c).
        slope: above 0; the greater, the surer are the probabilities.

    >>> probabilities_of(np.array([[2.0, -2.0], [0.0, 0.0]]), np.full((2, 2), 0.5), 0.5).round(3).tolist()
    [[0.804, 0.196], [0.5, 0.5]]
    """
    p = mean * softmax(slope * u / max(float(np.sqrt(np.square(u).mean())), 1e-300), axis=1)
    total = p.sum(1, keepdims=True)
    found: np.ndarray = np.divide(p, total, out=mean.copy(), where=total > 0)
    return found


def sharper(f: Rows, temperature: float) -> Rows:
    """``f^(1 / temperature)`` divided by its greatest value in the row, (n, c); rows of zeros stay so.

    >>> sharper(np.array([[0.2, 0.1]]), 0.5).round(3).tolist()
    [[1.0, 0.25]]
    """
    top = np.maximum(f, 0).max(1, keepdims=True)
    found: np.ndarray = np.divide(np.maximum(f, 0), top, out=np.zeros_like(f), where=top > 0) ** (1 / temperature)
    return found


def to_shares(p: Rows, shares: Float[np.ndarray, " c"], times: int = 300) -> Rows:
    """Rows of probabilities, (n, c), multiplied by a factor for each class so that their mean becomes ``shares``, (c,).

    One pass is class mass normalisation (Zhu et al., 2003). Passes are repeated until nothing changes (iterative
    proportional fitting), at most ``times`` times; where all rows are nearly certain, the shares are then met to a part
    in a hundred.

    >>> to_shares(np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([0.5, 0.5])).mean(0).round(6).tolist()
    [0.5, 0.5]
    """
    tiny = np.finfo(float).tiny
    for _ in range(times if len(p) else 0):
        mean = p.mean(0)
        if np.abs(mean - shares).max() < 1e-9:
            break
        p = p * (shares / np.maximum(mean, tiny))
        p = np.where(p.sum(1, keepdims=True) > 0, p, shares)
        p = p / p.sum(1, keepdims=True)
    return p


def reached(w: sparse.csr_matrix, given: Rows) -> Bool[np.ndarray, " n"]:
    """Which rows edges join to a labelled row, directly or not, (n,); warns of the others."""
    count, part = connected_components(w, directed=False)
    labelled = np.zeros(count, dtype=bool)
    labelled[part[given.sum(1) > 0]] = True
    found: np.ndarray = labelled[part]
    if not found.all():
        warn(
            f"no label reaches {(~found).sum()} of {len(found)} rows of the graph", stacklevel=2, page="unreached-rows"
        )
    return found


def propagate(w: sparse.csr_matrix, given: Rows, rule: Callable[[sparse.csr_matrix, Rows], Rows]) -> tuple[Rows, Rows]:
    """Probabilities of all rows, (n, c), and 1 where a label reaches the row, else 0, (n,).

    Args:
        rule: spreads labels along a graph in which a label reaches every row.

    Rows that no label reaches get the shares of the labels.
    """
    keep = reached(w, given)
    p = np.tile(given.sum(0) / given.sum(), (len(given), 1))
    found = rule(w[keep][:, keep], given[keep])
    total = found.sum(1, keepdims=True)
    p[keep] = np.divide(found, total, out=p[keep], where=total > 0)
    return p, keep.astype(float)


def _degrees(w: sparse.csr_matrix) -> np.ndarray:
    return np.asarray(w.sum(1), dtype=float).ravel()


def _solve(a: sparse.csr_matrix, b: Rows) -> Rows:
    """``a^-1 b`` for a symmetric, positive (semi-)definite a, column by column, preconditioned by its diagonal."""
    diagonal, found = a.diagonal(), np.zeros(b.shape)
    scale = sparse.diags(np.divide(1, diagonal, out=np.ones_like(diagonal), where=diagonal > 0))
    for c in range(b.shape[1]):
        found[:, c], left = cg(a, b[:, c], rtol=PRECISE, atol=0, maxiter=MOST, M=scale)
        if left:
            warn(f"conjugate gradients stopped after {MOST} iterations", stacklevel=3, page="solver")
    return found
