"""Shares of the classes in the pool: estimated, declared, and when the models are moved to them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from tutelage.fit.pool_look import look_at_pool, why
from tutelage.fit.prevalence import Prevalence, declared, distance, expected_shares, intervals, prevalence, shares_of


def drawn(shares, n, seed, sharp=3.0):
    """Classes drawn by their shares, and probabilities that are right where all classes are equally common."""
    rng = np.random.default_rng(seed)
    y = rng.choice(len(shares), n, p=shares)
    z = rng.normal(size=(n, len(shares))) + sharp * np.eye(len(shares))[y]
    return softmax(sharp * z, -1), y


def test_shares_far_from_the_labels_are_found_and_moved_to():
    held, y = drawn([0.5, 0.5], 60, 0)
    pool, truth = drawn([0.95, 0.05], 3000, 1)
    found = prevalence(held[None], y, pool)
    assert found.moved
    assert distance(found.pool, shares_of(truth, 2)) < 0.5 * distance(found.labels, shares_of(truth, 2))
    assert (found.low <= found.told).all() and (found.told <= found.high).all()
    assert found.ratio == pytest.approx(found.pool / found.labels)


def test_a_pool_like_the_labels_moves_nothing():
    held, y = drawn([0.5, 0.5], 60, 2)
    found = prevalence(held[None], y, drawn([0.5, 0.5], 3000, 3)[0])
    assert not found.moved and found.apart < 0.1


@pytest.mark.parametrize("sharp", [0.0, 1.0, 2.0])
def test_labels_like_the_pool_are_hardly_ever_moved(sharp):
    moved = []
    for seed in range(20):
        held, _ = drawn([0.5, 0.5], 400, seed, sharp=sharp)
        y = np.repeat([0, 1], 4)
        few = np.concatenate([np.flatnonzero(_ == k)[:4] for k in (0, 1)])
        moved.append(prevalence(held[few][None], y, drawn([0.5, 0.5], 500, 100 + seed, sharp=sharp)[0]).moved)
    assert sum(moved) <= 1


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("sharp", [0.5, 1.5])
def test_the_interval_of_a_share_holds_the_truth(share, sharp):
    inside = []
    for seed in range(60):
        held, y = drawn([0.5, 0.5], 30, seed, sharp=sharp)
        pool, truth = drawn([1 - share, share], 1000, 200 + seed, sharp=sharp)
        low, _, high = intervals(held[None], y, pool)
        inside.append(low[1] <= (truth == 1).mean() <= high[1])
    assert np.mean(inside) >= 0.8


def test_a_small_pool_is_not_estimated():
    held, y = drawn([0.5, 0.5], 20, 6)
    assert prevalence(held[None], y, held[:99].repeat(4, 0)[:99]) is None


def test_groups_are_redrawn_together_so_that_copies_do_not_narrow_the_interval():
    held, y = drawn([0.5, 0.5], 16, 7, sharp=1.0)
    pool = drawn([0.8, 0.2], 1000, 8, sharp=1.0)[0]
    times = 8
    weight, groups = np.full(16 * times, 1 / times), np.tile(np.arange(16), times)
    once = prevalence(held[None], y, pool)
    copied = prevalence(np.tile(held, (times, 1))[None], np.tile(y, times), pool, weight, groups)
    assert copied.pool == pytest.approx(once.pool, abs=1e-3)
    assert (copied.high - copied.low).sum() == pytest.approx((once.high - once.low).sum(), rel=0.3)
    assert copied.least == pytest.approx(once.least, abs=0.05)


def test_a_class_without_labels_keeps_none():
    found = expected_shares(np.array([[0.6, 0.3, 0.1]] * 10), np.array([0.5, 0.5, 0.0]))
    assert found[2] == 0 and found.sum() == pytest.approx(1)


def test_declared_shares_always_move():
    found = declared(np.array([0.5, 0.5]), np.array([0, 0, 1, 1]))
    assert found.moved and found.apart == 0 and found.as_dict(["a", "b"])["declared"]


def parts(p):
    return [(np.arange(len(p)), {"probabilities": p})]


def test_models_that_disagree_about_the_pool_alone_are_refused():
    held, y = drawn([0.5, 0.5], 40, 9)
    pool = drawn([0.5, 0.5], 500, 10)[0]
    same = look_at_pool(pool, pool, parts(held), parts(held), y, None)
    other = look_at_pool(pool, pool[:, ::-1], parts(held), parts(held), y, None)
    assert not same.refused and why(same) == ""
    assert other.diverged and "disagree about 100 % of the pool" in why(other)


def test_a_candidate_that_goes_back_to_the_shares_of_the_labels_without_a_gain_is_refused():
    held, y = drawn([0.5, 0.5], 40, 11)
    reference = np.repeat([[0.9, 0.1], [0.1, 0.9]], [400, 100], axis=0)
    candidate = np.repeat([[0.9, 0.1], [0.1, 0.9]], [370, 130], axis=0)
    shares = [np.array(s) for s in ([0.5, 0.5], [0.8, 0.2], [0.7, 0.1], [0.9, 0.3])]

    def look(first, second, apart, least, observed=0.0):
        found = Prevalence(*shares, apart, least)
        return look_at_pool(first, second, parts(held), parts(held), y, found, observed)

    assert look(reference, candidate, 0.19, 0.15).leans
    assert "towards the labels' shares" in why(look(reference, candidate, 0.19, 0.15))
    assert look(reference, candidate, 0.3, 0.25).leans  # both are moved, and the candidate goes back
    assert not look(reference, candidate, 0.3, 0.05).leans
    assert not look(reference, candidate, 0.05, 0.0).leans
    assert not look(reference, candidate, 0.19, 0.15, observed=0.02).refused
    assert not look(candidate, reference, 0.19, 0.15).refused
