"""What labels say along a graph, against dense solutions and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from tutelage.graph.neighbours import Neighbours, nearest
from tutelage.graph.propagate import (
    WEIGHTS,
    edges,
    harmonic,
    poisson,
    probabilities_of,
    propagate,
    reached,
    sharper,
    spread,
    to_shares,
)

N, C = 60, 3


@pytest.fixture(scope="module")
def graph():
    """A connected graph with random weights."""
    rng = np.random.default_rng(0)
    w = rng.random((N, N)) * (rng.random((N, N)) < 0.15)
    w[np.arange(N - 1), np.arange(1, N)] = 0.5
    w = np.triu(w, 1)
    w = w + w.T
    y = np.full(N, -1)
    y[[3, 10, 17, 20, 33, 41, 55]] = [0, 1, 2, 0, 1, 2, 2]
    given = np.zeros((N, C))
    given[y >= 0, y[y >= 0]] = 1
    return w, y, given


def test_harmonic_is_the_dense_solution(graph):
    w, y, given = graph
    u, known = y < 0, y >= 0
    laplacian = np.diag(w.sum(1)) - w
    expected = np.linalg.solve(laplacian[np.ix_(u, u)], w[np.ix_(u, known)] @ given[known])
    found = harmonic(sparse.csr_matrix(w), given)
    np.testing.assert_allclose(found[u], expected, atol=1e-6)
    np.testing.assert_array_equal(found[known], given[known])
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.99])
def test_spreading_is_the_dense_solution(graph, alpha):
    w, _, given = graph
    root = np.diag(w.sum(1) ** -0.5)
    expected = (1 - alpha) * np.linalg.solve(np.eye(N) - alpha * root @ w @ root, given)
    np.testing.assert_allclose(spread(sparse.csr_matrix(w), given, alpha), expected, atol=1e-6)


def test_poisson_is_the_dense_solution(graph):
    w, y, given = graph
    d = w.sum(1)
    source = (y >= 0)[:, None] * (given - given[y >= 0].mean(0))
    expected = np.linalg.lstsq(np.vstack([np.diag(d) - w, d]), np.vstack([source, np.zeros(C)]), rcond=None)[0]
    found, mean = poisson(sparse.csr_matrix(w), given)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(d @ found, 0, atol=1e-6)
    np.testing.assert_allclose(mean, np.tile([2 / 7, 2 / 7, 3 / 7], (N, 1)))


def test_scikit_learn_propagates_alike(graph):
    w, y, given = graph
    theirs = LabelPropagation(kernel=lambda a, b: w.copy(), max_iter=20_000, tol=1e-10).fit(np.zeros((N, 1)), y)
    np.testing.assert_allclose(theirs.label_distributions_, harmonic(sparse.csr_matrix(w), given), atol=1e-5)


def test_scikit_learn_spreads_alike(graph):
    w, y, given = graph
    theirs = LabelSpreading(kernel=lambda a, b: w.copy(), alpha=0.8, max_iter=5000, tol=1e-12).fit(np.zeros((N, 1)), y)
    found, _ = propagate(sparse.csr_matrix(w), given, lambda a, b: spread(a, b, 0.8))
    np.testing.assert_allclose(theirs.label_distributions_, found, atol=1e-6)


def test_rows_that_no_label_reaches_have_the_shares_and_no_weight(graph):
    w, _, given = graph
    lone = np.zeros((N + 3, N + 3))
    lone[:N, :N] = w
    lone[N, N + 1] = lone[N + 1, N] = 1  # a pair, and a row alone
    padded = np.vstack([given, np.zeros((3, C))])
    for rule in (harmonic, lambda a, b: spread(a, b, 0.9), lambda a, b: probabilities_of(*poisson(a, b), 3)):
        with pytest.warns(UserWarning, match="no label reaches 3 of 63 rows") as said:
            p, weight = propagate(sparse.csr_matrix(lone), padded, rule)
        assert len(said) == 1
        assert weight.tolist() == [1.0] * N + [0.0] * 3
        np.testing.assert_allclose(p[N:], np.tile([2 / 7, 2 / 7, 3 / 7], (3, 1)))
        np.testing.assert_array_equal(p[:N], propagate(sparse.csr_matrix(w), given, rule)[0])
    assert reached(sparse.csr_matrix(w), given).all()


def test_poisson_solves_each_connected_part_by_itself(graph):
    w, _, given = graph
    two, both = sparse.block_diag([w, 2 * w]).tocsr(), np.vstack([given, given])
    found, alone = poisson(two, both)[0], poisson(sparse.csr_matrix(w), given)[0]
    np.testing.assert_allclose(found, np.vstack([alone, alone / 2]), atol=1e-6)


def test_a_part_with_labels_of_one_class_is_sure_of_it(graph):
    w, _, given = graph
    both = np.vstack([given, np.zeros((N, C))])
    both[N + 4, 1] = both[N + 9, 1] = 1
    u, mean = poisson(sparse.block_diag([w, w]).tocsr(), both)
    p = probabilities_of(u, mean, 2.0)
    assert (p[N:] == [0, 1, 0]).all()
    q = np.array([2, 2, 3]) / 7 * np.exp(2 * u[:N] / np.sqrt(np.square(u).mean()))
    np.testing.assert_allclose(p[:N], q / q.sum(1, keepdims=True))


def test_edges_are_symmetric_and_weigh_as_they_say():
    x = np.random.default_rng(0).standard_normal((80, 4))
    near = nearest(x, 5)
    joined = np.zeros((80, 80), dtype=bool)
    joined[np.arange(80)[:, None], near.index] = True
    z = x / np.linalg.norm(x, axis=1, keepdims=True)
    apart = 2 - 2 * z @ z.T
    to_last = np.sort(apart + 9 * np.eye(80), axis=1)[:, 4]
    one_way = np.where(joined, np.exp(-4 * apart / to_last[:, None]), 0)
    np.testing.assert_allclose(edges(near).toarray(), np.maximum(one_way, one_way.T), atol=1e-4)
    np.testing.assert_array_equal(edges(near, "binary").toarray(), joined | joined.T)
    cosine = np.where(joined | joined.T, np.maximum(z @ z.T, 0), 0)
    np.testing.assert_allclose(edges(near, "cosine").toarray(), cosine, atol=1e-6)
    with pytest.raises(ValueError, match="weights must be one of gaussian, cosine, binary, got 'heat'"):
        edges(near, "heat")


def test_a_row_named_as_its_own_neighbour_has_no_loop():
    w = edges(Neighbours(np.array([[0, 1], [1, 0]]), np.ones((2, 2))), "binary")
    assert w.toarray().tolist() == [[0, 1], [1, 0]]


def test_shares_are_met_and_the_order_within_a_class_is_kept():
    p = np.random.default_rng(0).dirichlet([3, 1, 1], 500)
    shares = np.array([0.2, 0.5, 0.3])
    found = to_shares(p, shares)
    np.testing.assert_allclose(found.mean(0), shares, atol=1e-8)
    np.testing.assert_allclose(found.sum(1), 1)
    odds = np.log(found[:, 0] / found[:, 1]) - np.log(p[:, 0] / p[:, 1])
    np.testing.assert_allclose(odds, odds[0])  # one factor a class
    np.testing.assert_allclose(
        to_shares(p, shares, 1), p * shares / p.mean(0) / (p * shares / p.mean(0)).sum(1)[:, None]
    )
    assert (to_shares(p, np.array([0.5, 0.5, 0.0]))[:, 2] == 0).all()


def test_of_no_rows_the_shares_are_brought_to_nothing():
    assert to_shares(np.empty((0, 3)), np.full(3, 1 / 3)).shape == (0, 3)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_rows_that_are_all_equal_are_joined_by_edges_of_a_weight_above_0(weights):
    w = edges(nearest(np.full((30, 7), 0.3, dtype=np.float32), 4), weights)
    assert w.nnz >= 30 * 4
    assert ((w.data > 0) & (w.data <= 1)).all()


def test_sharpened_to_the_power_one_over_the_temperature():
    f = np.random.default_rng(0).random((5, 3))
    np.testing.assert_allclose(sharper(f, 0.25), (f / f.max(1, keepdims=True)) ** 4)


def test_two_calls_are_equal_to_the_bit(graph):
    w, _, given = graph
    for rule in (harmonic, lambda a, b: poisson(a, b)[0], lambda a, b: spread(a, b, 0.9)):
        np.testing.assert_array_equal(rule(sparse.csr_matrix(w), given), rule(sparse.csr_matrix(w), given))
