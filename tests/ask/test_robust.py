"""Robust active distillation, against a linear program, brute force and counts."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog

from tutelage.ask import select
from tutelage.ask.robust import inclusions, shares, systematic


def best_value(gain, m):
    """max_q min_{|M| = m} sum_{i not in M} q_i g_i, by the dual of the adversary's choice; q, t, s_i are variables."""
    n = len(gain)
    cost = np.concatenate([-gain, [m], np.ones(n)])
    excess = np.hstack([np.diag(gain), -np.ones((n, 1)), -np.eye(n)])
    even = np.concatenate([np.ones(n), np.zeros(n + 1)])[None]
    bounds = [(0, None)] * n + [(None, None)] + [(0, None)] * n
    found = linprog(cost, A_ub=excess, b_ub=np.zeros(n), A_eq=even, b_eq=[1], bounds=bounds)
    assert found.status == 0
    return -found.fun


def worst(q, gain, m):
    """What the shares gain where the adversary spoils the m best answers; part of one, where m is no whole number."""
    each = np.sort(q * gain)[::-1]
    spoilt = np.clip(m - np.arange(len(each)), 0, 1)
    return float((each * (1 - spoilt)).sum())


def test_the_closed_form_is_the_solution_of_the_linear_program_in_400_games():
    draws = np.random.default_rng(0)
    for game in range(400):
        n = int(draws.integers(2, 12))
        gain = np.sort(draws.uniform(0.02, 1, n))[::-1]
        m = float(draws.integers(0, n)) if game % 2 else float(draws.uniform(0, n))
        q = shares(gain, m)
        assert q.sum() == pytest.approx(1) and (q >= 0).all()
        assert worst(q, gain, m) == pytest.approx(best_value(gain, m), abs=1e-7)


def test_the_adversary_has_no_better_choice_than_any_other():
    gain = np.array([0.9, 0.8, 0.5, 0.45, 0.1])
    q = shares(gain, 2)
    found = min(sum(q[i] * gain[i] for i in range(5) if i not in spoilt) for spoilt in combinations(range(5), 2))
    assert found == pytest.approx(worst(q, gain, 2))
    among = q > 0
    assert np.ptp((q * gain)[among]) < 1e-12 and among.sum() > 2


@pytest.mark.parametrize("count", [1, 3, 9])
def test_probabilities_of_being_drawn_sum_to_the_count(count):
    draws = np.random.default_rng(count)
    for _ in range(50):
        gain = np.sort(draws.uniform(1e-9, 1, 30))[::-1]
        often = inclusions(gain, float(draws.uniform(0, 30)), count)
        assert often.sum() == pytest.approx(count) and often.min() >= 0 and often.max() <= 1 + 1e-12


def test_rows_are_drawn_as_often_as_they_should_be():
    often = np.array([1.0, 0.7, 0.55, 0.5, 0.25, 0.0])
    draws, times = np.random.default_rng(0), np.zeros(6)
    for _ in range(4000):
        found = systematic(often, draws.random())
        assert len(set(found.tolist())) == 3
        times[found] += 1
    assert times / 4000 == pytest.approx(often, abs=0.03)


def pool(n=200, seed=0):
    draws = np.random.default_rng(seed)
    return draws.normal(size=(n, 3)), draws.dirichlet(np.ones(3), size=n)


def test_where_no_answer_is_wrong_it_is_margin():
    x, p = pool()
    found = select("robust", x, p, [0, 1], 20)
    assert found.index.tolist() == select("margin", x, p, [0, 1], 20).index.tolist()


def test_where_many_are_wrong_the_questions_are_spread_by_the_inverse_of_the_gain():
    x, p = pool()
    best = np.sort(p, 1)
    gain = 1 - (best[:, -1] - best[:, -2])
    order = np.argsort(-gain)
    often = np.zeros(200)
    often[order] = inclusions(gain[order], 0.3 * 200, 20)
    assert (often > 0).sum() > 60  # more than the adversary can spoil
    times = np.zeros(200)
    for seed in range(600):
        found = select("robust", x, p, [], 20, seed=seed, wrong=0.3)
        assert (np.diff(found.score) <= 0).all()
        times[found.index] += 1
    assert times / 600 == pytest.approx(often, abs=5 * 0.5 / np.sqrt(600))
    assert not times[often == 0].any()


def test_the_share_of_wrong_answers_must_be_one():
    x, p = pool(20)
    with pytest.raises(ValueError, match=r"wrong must be in \[0, 1\], got 1.2"):
        select("robust", x, p, [], 3, wrong=1.2)
    assert len(select("robust", x, p, [], 20, wrong=1.0)) == 20
