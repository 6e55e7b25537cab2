"""Nearly equal sets are found as a comparison of each with each finds them."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.copies import near
from tutelage.copies.exact import joined_groups
from tutelage.copies.near import near_groups
from tutelage.copies.shingles import Sets, shingles_of


def each_with_each(sets: list[set[int]], least: float) -> np.ndarray:
    pairs = [
        (i, j)
        for i in range(len(sets))
        for j in range(i)
        if sets[i] and sets[j] and len(sets[i] & sets[j]) >= least * len(sets[i] | sets[j]) - 1e-9
    ]
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return joined_groups(len(sets), first, second)


def drawn(seed: int, count: int = 150, elements: int = 60) -> list[set[int]]:
    """Sets of which many are others with a few elements changed, and some are empty."""
    draw = np.random.default_rng(seed)
    found: list[set[int]] = []
    for _ in range(count):
        if found and draw.random() < 0.6:
            one = set(found[draw.integers(len(found))])
            for _ in range(draw.integers(0, 3)):
                one ^= {int(draw.integers(elements))}
        else:
            one = set(draw.integers(0, elements, draw.integers(0, 25)).tolist())
        found.append(one)
    return found


def as_sets(sets: list[set[int]]) -> Sets:
    return Sets(np.array([v for one in sets for v in one], dtype=np.uint64), np.array([len(one) for one in sets]))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("least", [0.5, 0.8, 0.95, 1.0])
def test_the_join_is_that_of_each_with_each(seed, least):
    sets = drawn(seed)
    assert near_groups(as_sets(sets), least).tolist() == each_with_each(sets, least).tolist()


@pytest.mark.parametrize("window", [2, 5, 20])
def test_little_is_lost_where_many_sets_share_an_element(window, monkeypatch):
    monkeypatch.setattr(near, "WINDOW", window)
    monkeypatch.setattr(near, "LEADERS", 8)
    sets = [one | {100} for one in drawn(3) if one]
    found, true = near_groups(as_sets(sets)), each_with_each(sets, 0.8)
    same, want = found[:, None] == found, true[:, None] == true
    assert not (same & ~want).any()  # none is joined that should not be
    assert same.sum() > 0.9 * want.sum()


def test_an_element_that_all_sets_have_costs_no_pair_of_each_with_each(monkeypatch):
    compared = []
    real = near._Join._alike
    monkeypatch.setattr(near._Join, "_alike", lambda self, one, two: compared.append(len(one)) or real(self, one, two))
    sets = [{0, 1} | {100 + i} for i in range(20_000)]
    assert len(set(near_groups(as_sets(sets)).tolist())) == 20_000
    assert sum(compared) < 20_000 * (near.WINDOW + near.LEADERS)


def test_a_repeated_hash_counts_once():
    assert near_groups(Sets(np.array([1, 1, 2, 1, 2, 2], dtype=np.uint64), np.array([3, 3]))).tolist() == [0, 0]


def test_nothing_gives_nothing():
    assert near_groups(shingles_of([])).tolist() == []
    assert near_groups(shingles_of(["a", "b"])).tolist() == [0, 1]


def test_shingles_are_those_of_the_words():
    texts = ["a b c a b c a b c", "one two three four five six seven eight nine", "short"]
    found = shingles_of(texts)
    assert found.counts.tolist() == [7, 7, 0]
    assert len(set(found.hashes[:7].tolist())) == 3  # abc, bca, cab
    assert len(set(found.hashes[7:].tolist())) == 7
    again = shingles_of(["zero one two three four five six seven eight nine"])
    assert set(found.hashes[7:].tolist()) < set(again.hashes.tolist())
