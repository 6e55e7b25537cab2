"""The nearest rows: exact, approximate, and always the same."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.graph import neighbours
from tutelage.graph.neighbours import BLOCK, nearest, nearest_among, unit


def clustered(n: int, d: int = 64, clusters: int = 200) -> np.ndarray:
    rng = np.random.default_rng(0)
    spread = rng.standard_normal((clusters, 16, d)) / 4  # each cluster lies along directions of its own
    which = rng.integers(0, clusters, n)
    within = np.einsum("ni,nid->nd", rng.standard_normal((n, 16)), spread[which])
    return (rng.standard_normal((clusters, d))[which] + within).astype(np.float32)


def cosines(x: np.ndarray, other: np.ndarray) -> np.ndarray:
    x, other = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x.astype(float), other.astype(float)))
    return x @ other.T


def test_the_exact_search_is_that_of_brute_force():
    x = np.random.default_rng(0).standard_normal((BLOCK + 300, 5))
    cosine = cosines(x, x)
    np.fill_diagonal(cosine, -2)
    found = nearest(x, 7)
    np.testing.assert_array_equal(found.index, np.argsort(-cosine, axis=1)[:, :7])
    np.testing.assert_allclose(found.cosine, -np.sort(-cosine, axis=1)[:, :7], atol=1e-6)


def test_other_rows_are_found_across_blocks():
    rng = np.random.default_rng(0)
    x, query = rng.standard_normal((2 * BLOCK + 30, 5)), rng.standard_normal((20, 5))
    found = nearest_among(query, x, 6)
    np.testing.assert_array_equal(found.index, np.argsort(-cosines(query, x), axis=1)[:, :6])


def test_the_approximate_search_finds_nearly_all_of_clustered_rows():
    x = clustered(8000)
    exact, found = nearest(x, 10), nearest(x, 10, exact=100)
    recall = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(exact.index, found.index, strict=True)])
    assert 0.95 <= recall < 1  # and it is not the exact one by another name
    assert not (found.index == np.arange(len(x))[:, None]).any()
    rows = np.arange(len(x))[:, None]
    np.testing.assert_allclose(found.cosine, (unit(x)[rows] * unit(x)[found.index]).sum(-1), atol=1e-5)


def test_many_rows_are_searched_in_a_graph_of_small_worlds_the_same_each_time(monkeypatch):
    x = clustered(4000)
    exact = nearest(x, 10)
    monkeypatch.setattr(neighbours, "LISTS", 1000)
    found, again = nearest(x, 10, exact=100), nearest(x.copy(), 10, exact=100)
    recall = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(exact.index, found.index, strict=True)])
    assert 0.9 <= recall < 1
    assert not (found.index == np.arange(len(x))[:, None]).any()
    np.testing.assert_array_equal(found.index, again.index)
    np.testing.assert_array_equal(found.cosine, again.cosine)


@pytest.mark.parametrize("exact", [100, 10_000])
def test_two_searches_are_equal_to_the_bit(exact):
    x = clustered(3000)
    one, other = nearest(x, 10, exact=exact), nearest(x.copy(), 10, exact=exact)
    np.testing.assert_array_equal(one.index, other.index)
    np.testing.assert_array_equal(one.cosine, other.cosine)


@pytest.mark.parametrize("exact", [10, 10_000])
def test_rows_that_are_all_the_same_are_not_their_own_neighbours(exact):
    found = nearest(np.ones((300, 4), dtype=np.float32), 5, exact=exact)
    assert found.index.shape == (300, 5)
    own = found.index == np.arange(300)[:, None]
    assert own.sum() == 0
    assert all(len(set(row)) == 5 for row in found.index.tolist())


@pytest.mark.parametrize(("n", "k"), [(0, 0), (1, 0), (2, 1), (4, 3), (40, 10)])
def test_of_few_rows_all_others_are_taken(n, k):
    found = nearest(np.random.default_rng(0).standard_normal((n, 3)), 10)
    assert found.index.shape == found.cosine.shape == (n, k)


def test_rows_of_zeros_and_very_large_ones_have_neighbours_like_any_others():
    x = np.random.default_rng(0).standard_normal((50, 5))
    np.testing.assert_array_equal(nearest((1e30 * x).astype(np.float32), 5).index, nearest(x, 5).index)
    x[7] = 0
    found = nearest(x, 5)
    assert np.isfinite(found.cosine).all()
    assert (found.cosine[7] == 0).all()


def test_every_block_is_told():
    seen: list[tuple[str, int, int]] = []
    nearest(np.random.default_rng(0).standard_normal((BLOCK + 1, 3)), 2, lambda *now: seen.append(now))
    assert seen == [("joining neighbours", BLOCK, BLOCK + 1), ("joining neighbours", BLOCK + 1, BLOCK + 1)]


@pytest.mark.parametrize("exact", [10_000, 100])
def test_rows_are_searched_less_their_centre_and_among_some_alone(exact):
    """Against a table of all cosines; the approximate search looks into every cluster of so few rows."""
    rng = np.random.default_rng(0)
    x, among = rng.normal(size=(400, 6)) + 3, np.sort(rng.choice(400, 150, replace=False))
    z = x - x.mean(0)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    cosine = z @ z.T
    np.fill_diagonal(cosine, -2)
    found = nearest(x, 5, None, exact, centre=x.mean(0), among=among)
    np.testing.assert_array_equal(found.index, among[np.argsort(-cosine[:, among], axis=1)[:, :5]])
    np.testing.assert_allclose(found.cosine, -np.sort(-cosine[:, among], axis=1)[:, :5], atol=1e-6)
    everyone = nearest(x, 5, None, exact, centre=x.mean(0))
    np.testing.assert_array_equal(everyone.index, np.argsort(-cosine, axis=1)[:, :5])


def test_equal_neighbours_come_in_the_order_of_their_numbers():
    x = np.repeat(np.eye(3), 4, axis=0)
    assert nearest(x, 3).index.tolist()[5] == [4, 6, 7]


def test_a_search_by_blocks_of_any_size_finds_the_same_rows():
    x = np.random.default_rng(0).normal(size=(300, 8))
    found = [nearest(x, 4, block=b).index for b in (7, 64, 1024)]
    assert all(np.array_equal(f, found[0]) for f in found)
