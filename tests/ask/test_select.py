"""Selectors choose what a plain reading of their definitions chooses, whatever the rows' order, and never badly."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import entropy

from tutelage.ask import NAMES, SELECTORS, select
from tutelage.ask.actune import actune
from tutelage.ask.clusters import turns
from tutelage.ask.pool import Pool
from tutelage.ask.selectors import cluster_margin

SCORED = [name for name in SELECTORS if name != "random"]


def a_pool(n=60, d=5, c=3, seed=0):
    draws = np.random.default_rng(seed)
    return draws.normal(size=(n, d)), draws.dirichlet(np.ones(c), size=n)


def probabilities_for(by, p):
    return np.stack([p, np.roll(p, 1, 0), np.roll(p, 2, 0)]) if by == "variation" else p


def greedy(x, known, count):
    """k-center by the definition: all distances at once."""
    chosen, apart = list(known), cdist(x, x)
    for _ in range(count):
        chosen.append(int(apart[:, chosen].min(1).argmax()))
    return chosen[len(known) :]


@pytest.mark.parametrize("seed", range(5))
def test_coreset_is_greedy_k_center(seed):
    x, p = a_pool(12, 2, 3, seed)
    assert select("coreset", x, None, [3, 7], 4).index.tolist() == greedy(x, [3, 7], 4)
    assert select("pcoreset", x, p, [3, 7], 4).index.tolist() == greedy(p, [3, 7], 4)


@pytest.mark.parametrize("seed", range(5))
def test_a_coreset_covers_within_twice_the_best_radius(seed):
    x, _ = a_pool(12, 2, 3, seed)
    apart = cdist(x, x)
    best = min(apart[:, [0, *more]].min(1).max() for more in combinations(range(1, 12), 3))
    found = select("coreset", x, None, [0], 3)
    radius = apart[:, [0, *found.index]].min(1).max()
    assert best <= radius <= 2 * best
    assert (np.diff(found.score) <= 0).all()
    assert found.score[0] == pytest.approx(apart[:, 0].max(), rel=1e-5)


def test_without_a_label_a_coreset_begins_at_the_middle():
    x = np.array([[0.0], [1.0], [2.1], [9.0]])
    assert select("coreset", x, None, [], 2).index.tolist() == [2, 3]  # the mean is 3.025; then the farthest


def test_margin_and_entropy_follow_their_formulas():
    x, p = a_pool()
    free = np.setdiff1d(np.arange(60), [1, 2])
    best = np.sort(p[free], 1)
    assert select("margin", x, p, [1, 2], 7).index.tolist() == free[np.argsort(best[:, -1] - best[:, -2])][:7].tolist()
    found = select("entropy", x, p, [1, 2], 7)
    assert found.index.tolist() == free[np.argsort(-entropy(p[free], axis=1))][:7].tolist()
    assert found.score == pytest.approx(entropy(p[found.index], axis=1))


def test_one_cluster_is_margin_and_one_region_is_entropy():
    x, p = a_pool(30)
    same = np.ones_like(x)
    assert select("cluster_margin", same, p, [0], 8).index.tolist() == select("margin", x, p, [0], 8).index.tolist()
    pool = Pool.of(x, p, [0], 0)
    assert pool.candidates[actune(pool, 8, regions=1).places].tolist() == select("entropy", x, p, [0], 8).index.tolist()


def test_cluster_margin_asks_each_cluster_for_its_least_sure_row():
    draws = np.random.default_rng(0)
    x = np.repeat(10 * np.eye(4), 10, 0) + 0.1 * draws.normal(size=(40, 4))
    p = draws.dirichlet(np.ones(3), size=40)
    best = np.sort(p, 1)
    least = [10 * g + int((best[10 * g : 10 * g + 10, -1] - best[10 * g : 10 * g + 10, -2]).argmin()) for g in range(4)]
    found = select("cluster_margin", x, p, [], 4)
    assert sorted(found.index.tolist()) == least
    assert len(set(found.cluster.tolist())) == 4
    assert (np.diff(found.score) <= 0).all()


def test_diverse_asks_for_the_row_nearest_to_the_mean_of_unsure_rows():
    x, p = a_pool(40)
    best = np.sort(p, 1)
    weight = 1 - (best[:, -1] - best[:, -2])
    centre = weight @ x / weight.sum()
    away = np.linalg.norm(x - centre, axis=1)
    found = select("diverse", x, p, [], 1)
    assert found.index.tolist() == [away.argmin()]
    assert found.score == pytest.approx(-away.min(), rel=1e-5)


def test_diverse_leaves_rows_alone_that_the_model_is_sure_of():
    x = np.concatenate([np.linspace(0, 1, 20), np.linspace(50, 51, 20)])[:, None]
    p = np.concatenate([np.tile([1.0, 0.0], (20, 1)), np.tile([0.5, 0.5], (20, 1))])
    assert (select("diverse", x, p, [], 5).index >= 20).all()


def test_cluster_asks_the_largest_cluster_without_a_label_for_its_middle():
    x = np.concatenate([np.full((5, 1), 0.0), [[9.8], [10.0], [10.1]], [[20.0], [20.1]]])
    found = select("cluster", x, None, [0], 2)
    assert found.index.tolist()[0] == 6  # nearest to 9.97
    assert found.index.tolist()[1] in (8, 9)


def test_actune_prefers_the_region_whose_guesses_differ():
    x = np.repeat([[0.0], [50.0]], 20, 0) + np.linspace(0, 1, 40)[:, None]
    one_way, both = np.tile([0.55, 0.45], (20, 1)), np.tile([[0.55, 0.45], [0.45, 0.55]], (10, 1))
    pool = Pool.of(x, np.concatenate([one_way, both]), [], 0)
    first = pool.candidates[actune(pool, 1, regions=2).places]
    assert first[0] >= 20


def test_variation_counts_votes():
    x, _ = a_pool(4)
    votes = np.array([[0, 0, 1, 0], [0, 1, 2, 0], [0, 1, 0, 0]])  # models by rows
    found = select("variation", x, np.eye(3)[votes], [], 4)
    assert found.index.tolist()[:2] == [2, 1]
    assert found.score == pytest.approx([2 / 3, 1 / 3, 0, 0])


def test_one_model_does_not_vary_and_the_order_is_random_and_said():
    x, p = a_pool(200)
    found = select("variation", x, p, [], 20, seed=1)
    assert not found.score.any()
    assert "random" in found.note
    assert found.index.tolist() == select("variation", x, p[None], [], 20, seed=1).index.tolist()
    assert found.index.tolist() != select("variation", x, p, [], 20, seed=2).index.tolist()


@pytest.mark.parametrize("by", SCORED)
def test_the_order_of_the_rows_does_not_matter(by):
    x, p = a_pool(80)
    p = probabilities_for(by, p)
    order = np.random.default_rng(5).permutation(80)
    place = np.argsort(order)
    found = select(by, x, p, [4, 9, 30], 12, seed=3)
    moved = select(by, x[order], p[..., order, :], place[[30, 4, 9]], 12, seed=3)
    assert order[moved.index].tolist() == found.index.tolist()
    assert moved.score == pytest.approx(found.score)


@pytest.mark.parametrize("by", SELECTORS)
def test_a_seed_gives_the_same_rows_again_each_once_and_none_that_has_a_label(by):
    x, p = a_pool(50)
    p = probabilities_for(by, p)
    found, again = (select(by, x, p, [0, 1, 2], 47, seed=9) for _ in range(2))
    assert found.index.tolist() == again.index.tolist()
    assert sorted(found.index.tolist()) == list(range(3, 50))
    assert np.isfinite(found.score).all()


@pytest.mark.parametrize("by", SELECTORS)
@pytest.mark.parametrize("sure", [True, False])
def test_equal_rows_are_no_trouble(by, sure):
    p = np.tile([1.0, 0.0] if sure else [0.5, 0.5], (30, 1))
    for value in (0.1, 1e300, 0.0):
        found = select(by, np.full((30, 4), value), p, [0], 5)
        assert len(set(found.index.tolist())) == 5
        assert np.isfinite(found.score).all()


@pytest.mark.parametrize("by", SELECTORS)
def test_of_copies_one_is_asked_for_and_none_of_a_labelled_one(by):
    x, p = a_pool(10)
    x, p, copies = np.repeat(x, 4, 0), np.repeat(p, 4, 0), np.repeat(np.arange(10), 4)
    found = select(by, x, probabilities_for(by, p), [5], 9, copies=copies)
    assert sorted(copies[found.index].tolist()) == [0, 2, 3, 4, 5, 6, 7, 8, 9]
    assert len(found.candidates) == 9


def test_auto_takes_clusters_until_each_class_has_a_label():
    x, p = a_pool()
    assert select("auto", x, None, [0, 1], 3).by == "cluster"
    assert select("auto", x, p, [], 3).by == "cluster"
    assert select("auto", x, p, [5, 6], 3, y=[0, 2]).by == "cluster"
    assert select("auto", x, p, [5, 6, 7], 3, y=[0, 2, 1]).by == "diverse"
    assert select("auto", x, p, [5, 6], 3).by == "diverse"


def test_random_rows_are_uniform():
    x = np.zeros((20, 1))
    times = np.zeros(20)
    for seed in range(2000):
        times[select("random", x, None, [], 5, seed).index] += 1
    assert np.abs(times - 500).max() < 5 * np.sqrt(2000 * 0.25 * 0.75)


def test_turns_are_ranks_within_clusters():
    draws = np.random.default_rng(0)
    group, score = draws.integers(0, 4, 50), draws.normal(size=50)
    found = turns(group, score, np.arange(50))
    for i in range(50):
        assert found[i] == ((group == group[i]) & (score > score[i])).sum()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"by": "hardest"}, "by must be one of auto, diverse, cluster_margin"),
        ({"rows": np.zeros(5)}, r"rows must be numbers of shape \(n, d\).*got shape \(5,\)"),
        ({"rows": np.zeros((20, 0))}, "rows must be numbers of shape"),
        ({"rows": np.full((20, 2), np.nan)}, "rows must be finite; row 0 holds nan in column 0"),
        ({"probabilities": np.full((20, 2), 0.6)}, "their sum 1; row 0 holds"),
        ({"probabilities": np.full((20, 2), np.nan)}, "row 0 holds"),
        ({"probabilities": np.full((19, 2), 0.5)}, r"probabilities must have shape \(20, c\)"),
        ({"probabilities": np.full((3, 20, 2), 0.5)}, "variation alone takes several models"),
        ({"probabilities": None}, "margin needs probabilities, got None; without them there are cluster, coreset"),
        ({"labelled": [20]}, r"labelled must be in \[0, 20\), got 20"),
        ({"labelled": [3, 3]}, "labelled must be distinct, got 3 2 times"),
        ({"labelled": [0.5]}, "labelled must be numbers of rows"),
        ({"labelled": np.arange(20)}, "labelled must leave a row to ask for"),
        ({"count": 20}, r"count must be a whole number in \[1, 19\], the number of rows that can be asked for, got 20"),
        ({"count": 0}, "count must be a whole number"),
        ({"count": 1.5}, "count must be a whole number"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"copies": np.zeros(3)}, r"copies must have shape \(20,\)"),
        ({"copies": np.zeros(20)}, "copies of all"),
        ({"by": "auto", "y": [5]}, r"y must be in \[0, 2\), got 5"),
        ({"by": "auto", "y": [0, 1]}, "y must be a class number for each labelled row"),
    ],
)
def test_what_cannot_be_is_named(change, words):
    given = {"by": "margin", "rows": np.eye(20), "probabilities": np.full((20, 2), 0.5), "labelled": [0], "count": 3}
    with pytest.raises(ValueError, match=words):
        select(**(given | change))


def test_every_name_has_its_selector():
    assert set(NAMES) == {"auto", *SELECTORS}
    assert SELECTORS["cluster_margin"] is cluster_margin


@pytest.mark.slow
@pytest.mark.parametrize("by", ["cluster_margin", "cluster", "actune"])
def test_a_hundred_thousand_rows_take_seconds(by):
    draws = np.random.default_rng(0)
    x, p = draws.normal(size=(100_000, 64)).astype(np.float32), draws.dirichlet(np.ones(4), size=100_000)
    assert len(set(select(by, x, p, np.arange(50), 100).index.tolist())) == 100
