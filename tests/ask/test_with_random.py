"""The random part of a selection is a sample of all rows without a label."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.ask import select, with_random

P = np.linspace(0.5, 1, 40)
ROWS = P[:, None]
BOTH = np.stack([P, 1 - P], 1)


def test_drawn_rows_are_uniform_also_among_those_that_the_selector_wants():
    selection = select("margin", ROWS, BOTH, [], 20)
    times = np.zeros(40)
    for seed in range(4000):
        asked = with_random(selection, 20, seed=seed)
        assert len(set(asked.index.tolist())) == 20
        times[asked.index[asked.by == "random"]] += 1
    assert times.sum() == 2 * 4000
    assert np.abs(times - 200).max() < 5 * np.sqrt(200)


def test_the_places_of_drawn_rows_are_uniform():
    selection = select("margin", ROWS, BOTH, [], 20)
    times = np.zeros(20)
    for seed in range(4000):
        times += with_random(selection, 20, seed=seed).by == "random"
    assert np.abs(times - 400).max() < 5 * np.sqrt(400)


@pytest.mark.parametrize(("count", "drawn"), [(4, 0), (5, 1), (9, 1), (10, 1), (14, 1), (15, 2), (20, 2), (40, 4)])
def test_a_tenth_is_drawn_and_the_rest_is_the_selectors_in_its_order(count, drawn):
    selection = select("margin", ROWS, BOTH, [], 40)
    asked = with_random(selection, count, seed=3)
    chosen = asked.by != "random"
    assert (~chosen).sum() == drawn
    assert (np.diff(asked.place[chosen]) > 0).all()
    assert (selection.index[asked.place[chosen]] == asked.index[chosen]).all()
    others = [i for i in selection.index.tolist() if i not in asked.index[~chosen]]
    assert asked.index[chosen].tolist() == others[: count - drawn]
    assert set(asked.by[chosen]) <= {"margin"}


def test_a_tiny_share_still_draws_one_and_none_draws_none():
    selection = select("margin", ROWS, BOTH, [], 20)
    assert (with_random(selection, 20, 0.001).by == "random").sum() == 1
    assert (with_random(selection, 20, 0).by == "margin").all()
    assert (with_random(selection, 20, 1).by == "random").all()


def test_of_a_random_selection_all_rows_are_drawn():
    selection = select("random", ROWS, None, [], 20)
    asked = with_random(selection, 12)
    assert asked.index.tolist() == selection.index[:12].tolist()
    assert (asked.by == "random").all()


def test_labelled_rows_and_copies_of_them_are_not_drawn():
    selection = select("margin", ROWS, BOTH, [0], 5, copies=np.arange(40) // 2)
    asked = with_random(selection, 5, 1.0, seed=1)
    assert len(set((asked.index // 2).tolist()) - {0}) == 5


@pytest.mark.parametrize(
    ("count", "share", "seed", "words"),
    [
        (21, 0.1, 0, r"count must be a whole number in \[1, 20\], the number of rows of the selection, got 21"),
        (20, 1.5, 0, r"share must be in \[0, 1\], got 1.5"),
        (20, 0.1, -1, "seed must be a whole number"),
    ],
)
def test_what_cannot_be_is_named(count, share, seed, words):
    selection = select("margin", ROWS, BOTH, [], 20)
    with pytest.raises(ValueError, match=words):
        with_random(selection, count, share, seed)


def campaign(seed: int, together: bool) -> tuple[float, float]:
    """Share of the rare class among the rows that four rounds have drawn of 120, and among all rows."""
    draws = np.random.default_rng(seed)
    y = draws.random(120) < 0.1
    q = 1 / (1 + np.exp(-np.where(y, draws.normal(0, 1.5, 120), draws.normal(-4, 1.5, 120))))
    p, chosen, drawn = np.stack([q, 1 - q], 1), set(), set()
    for turn in range(4):
        free = [i for i in range(120) if i not in chosen | drawn]
        found = select("margin", q[:, None], p, sorted(chosen | drawn), min(len(free), 24), seed=turn)
        again = sorted(chosen) if together else []
        asked = with_random(found, 20, 0.2, seed=1000 * seed + turn, again=again)
        by_chance = set(asked.index[asked.by == "random"].tolist())
        chosen = (chosen | set(asked.index.tolist())) - by_chance
        drawn |= by_chance
    return float(y[sorted(drawn)].mean()), float(y.mean())


def test_the_drawn_rows_of_all_rounds_are_a_sample_where_earlier_rows_are_drawn_from():
    apart = {
        together: np.subtract(*np.transpose([campaign(seed, together) for seed in range(200)]))
        for together in (True, False)
    }
    error = apart[True].std() / np.sqrt(200)
    assert abs(apart[True].mean()) < 3 * error
    assert apart[False].mean() < -3 * error  # the rare rows are used up by the selector
