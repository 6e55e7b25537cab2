"""Successive halving takes what labels and records speak for, within its budget, and does not flatter itself."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import norm

from tutelage.fit.auto import CANDIDATES, LAST, MEMBERS, Auto, Search, cost, within
from tutelage.fit.build import Build, Items
from tutelage.fit.comparison import Comparison
from tutelage.fit.defaults import HEAD
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import fit
from tutelage.fit.problem import Plan
from tutelage.fit.recorded import ALL_RECORDS, COMMON_SPREAD, UNKNOWN, Gains, error_of
from tutelage.fit.setup import Setup
from tutelage.fit.shares import LABELS_ONLY, shares_of
from tutelage.fit.teacher import BroughtTeacher
from tutelage.methods import Method, Supervised
from tutelage.modalities.rows.reader import RowReader
from tutelage.tasks import Classification
from tutelage.weak import Source

LABELS, POOL = 60, 90


@pytest.fixture(scope="module")
def problem():
    return made(())


def made(views):
    rng = np.random.default_rng(0)
    y = np.arange(LABELS + POOL) % 2
    x = torch.as_tensor(rng.normal(size=(len(y), 3)) + y[:, None], dtype=torch.float32)
    items = Items(Classification(2), x[:LABELS], y[:LABELS], x[LABELS:])
    return Build(RowReader(), views, HEAD, whole=False, cache=Path()).of(items).problem()


def right_with(share, y, seed):
    """Predictions of which about this share is right."""
    draws = np.random.default_rng(seed).random(len(y))
    guess = np.where(draws < share, y, 1 - y)
    return {"probabilities": np.eye(2)[guess] * 0.8 + 0.1}


class Faked:
    """Candidates whose held-out predictions are right with a given probability, and a count of their trainings."""

    def __init__(self, monkeypatch, problem, skill):
        self.trainings, self.skill = 0.0, skill

        def held_out(contender, parts):
            name = contender.name.split(", ")[-1]
            self.trainings += len(parts) * contender.setup.training.steps / HEAD.training.steps
            seed = list(skill).index(name)
            return [(o, right_with(skill[name], problem.y[o], 1000 * seed + i)) for i, (_, o) in enumerate(parts)], []

        monkeypatch.setattr("tutelage.fit.auto.Contender.held_out", held_out)

    def run(self, problem, gains=None, budget=60, base=0.7, seed=0, most=MEMBERS):
        names = list(self.skill)
        folds = problem.folds(Plan(folds=5, repeats=1), seed)
        reference = [(o, right_with(base, problem.y[o], 77 + i)) for i, (_, o) in enumerate(folds)]
        gains = gains or Gains.of([], names, "rows")
        candidates = {n: Supervised() for n in names}
        return Search(Setup(problem, HEAD.training), candidates, gains, reference, folds, most).run(budget)


def test_the_choice_is_no_method_and_has_no_loss():
    assert not isinstance(Auto(), Method)
    assert not {"loss", "rule", "ready", "keep"} & set(dir(Auto))
    assert all(isinstance(m, Method) for m in CANDIDATES.values())


def test_the_choice_needs_labels_that_can_be_held_out():
    assert Auto().settled(Classification(2), weak=True) == Auto()
    assert Auto().settled(Classification(2), weak=False) == Auto()
    with pytest.raises(ValueError, match="cannot be without it"):
        Auto().plan(Plan(skip=True))
    assert Auto().plan(Plan(folds=3, repeats=4)) == Plan(folds=3, repeats=1)


def test_the_best_candidate_is_taken(monkeypatch, problem):
    skill = {f"method {i}": 0.6 for i in range(9)} | {"good": 0.95}
    found = Faked(monkeypatch, problem, skill).run(problem, budget=100)
    assert found.tried[0].name == "good"
    assert found.tried[0].rungs == 2
    assert found.tried[0].gain > 0.05
    assert next(iter(found.shares)) == "good"
    assert sum(found.shares.values()) == pytest.approx(1)


def test_the_labels_alone_are_taken_where_nothing_is_better(monkeypatch, problem):
    found = Faked(monkeypatch, problem, {"a": 0.3, "b": 0.4, "c": 0.35}).run(problem, base=0.9)
    assert found.shares == {LABELS_ONLY: 1.0}
    assert problem.scored(found.predictions).right.mean() > 0.8  # then those are the honest predictions


@pytest.mark.parametrize("budget", [40, 60, 80, 200])
def test_the_search_stays_within_its_budget(monkeypatch, problem, budget):
    faked = Faked(monkeypatch, problem, {f"method {i}": 0.5 + i / 100 for i in range(30)})
    found = faked.run(problem, budget=budget)
    reached = sum(a.rungs > 0 for a in found.tried)
    assert faked.trainings + LAST <= budget
    assert reached == within(budget, 5, 30)
    assert sum(cost(reached, 5)) == pytest.approx(faked.trainings)


def test_what_the_records_praise_is_tried_first(monkeypatch, problem):
    names = [f"method {i}" for i in range(30)]
    records = [{"data": "a", "kind": "rows", "gains": {n: i / 1000 for i, n in enumerate(names)}}] * 2
    found = Faked(monkeypatch, problem, dict.fromkeys(names, 0.7)).run(
        problem, gains=Gains.of(records, names, "rows"), budget=50
    )
    reached = {a.name for a in found.tried if a.rungs}
    assert reached == set(names[-len(reached) :])


def test_honest_predictions_do_not_flatter_the_best_of_many_equals(monkeypatch, problem):
    flattered, honest = [], []
    for turn in range(10):
        skill = {f"{turn} {i}": 0.7 for i in range(12)}
        faked = Faked(monkeypatch, problem, skill)
        monkeypatch.setattr(
            "tutelage.fit.auto.Contender.held_out",
            lambda contender, parts, turn=turn: (
                [
                    (o, right_with(0.7, problem.y[o], zlib.crc32(f"{turn} {contender.name} {i}".encode())))
                    for i, (_, o) in enumerate(parts)
                ],
                [],
            ),
        )
        found = faked.run(problem, seed=turn, most=1)  # together they would be better than any
        flattered.append(max(a.score for a in found.tried if a.rungs == 2))
        honest.append(problem.scored(found.predictions).right.mean())
    assert np.mean(flattered) > 0.72
    assert np.mean(honest) == pytest.approx(0.7, abs=0.03)


def test_the_posterior_is_the_conditional_normal():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(4, 4))
    gains = Gains(rng.normal(size=4), a @ a.T + np.eye(4))
    at, observed, error = np.array([0, 2]), np.array([0.3, -0.2]), np.diag([0.5, 0.7])
    mean, covariance = gains.posterior(observed, error, at)
    # the same by precision: information of prior and observations added up
    h = np.eye(4)[at]
    precision = np.linalg.inv(gains.covariance) + h.T @ np.linalg.inv(error) @ h
    expected = np.linalg.solve(
        precision, np.linalg.inv(gains.covariance) @ gains.mean + h.T @ np.linalg.inv(error) @ observed
    )
    assert np.allclose(mean, expected)
    assert np.allclose(covariance, np.linalg.inv(precision))


def test_gains_of_another_kind_count_less_and_unknown_methods_are_neutral():
    records = [
        {"data": "a", "kind": "texts", "gains": {"m": 0.10}},
        {"data": "b", "kind": "rows", "gains": {"m": 0.00}},
    ]
    gains = Gains.of(records, ["m", "new"], "texts")
    assert gains.mean.tolist() == pytest.approx([0.08, 0.0])
    assert gains.covariance[1].tolist() == pytest.approx([COMMON_SPREAD**2, UNKNOWN**2 + COMMON_SPREAD**2])
    assert gains.runs == 2


def test_every_candidate_is_recorded_on_each_kind():
    gains = Gains.recorded(list(CANDIDATES), "texts")
    assert gains.runs >= 40
    assert (gains.mean != 0).all()
    known = gains.covariance - COMMON_SPREAD**2
    assert not np.isclose(np.diag(known), UNKNOWN**2, atol=1e-9).any()
    without = Gains.recorded(list(CANDIDATES), "text", without=("ag_news",))
    assert 0 < without.runs < gains.runs


def test_draws_of_one_data_set_do_not_outweigh_another():
    records = [{"data": "a", "kind": "texts", "gains": {"m": 0.1}}] * 9 + [
        {"data": "b", "kind": "texts", "gains": {"m": 0.0}}
    ]
    assert Gains.of(records, ["m"], "text").mean.tolist() == pytest.approx([0.05])


def test_the_error_is_that_of_a_mean_of_paired_differences():
    change = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], size=(50, 2))
    once = np.cov(change.T, ddof=0) * 50 + np.eye(2)
    assert np.allclose(error_of(change), once / 50**2)


def test_auto_needs_the_evidence(problem):
    with pytest.raises(ValueError, match="auto chooses by the evidence"):
        fit(problem, Auto(), HEAD.training, Prior(), Plan(skip=True))


def test_few_candidates_need_no_halving():
    assert cost(2, 5) == pytest.approx((10 / 3, 10))
    assert cost(30, 5) == (50, 5 * MEMBERS)
    with pytest.raises(ValueError, match="budget must be at least 38 for 20 folds, got 30"):
        within(30, 20, 4)


def test_a_share_is_the_probability_to_be_the_best():
    mean, everything = np.array([0.1, 0.08, -0.3]), np.arange(3)
    sure, unsure = (shares_of(mean, np.eye(3) * spread**2, everything, 4) for spread in (0.002, 0.05))
    assert sure == {0: 1.0}
    assert list(unsure) == [0, 1]
    assert unsure[1] / sum(unsure.values()) == pytest.approx(norm.cdf(-0.02 / (0.05 * 2**0.5)), abs=0.02)
    together = np.full((3, 3), 0.05**2) + np.eye(3) * 0.002**2  # what all have in common says nothing of which is best
    assert shares_of(mean, together, everything, 4)[0] > 0.97
    assert shares_of(mean, np.eye(3), everything, most=1) == {0: 1.0}
    assert shares_of(np.array([0.1, -0.2, -0.3]), np.eye(3) * 0.02**2, np.array([1, 2]), 4) == {-1: 1.0}
    assert shares_of(-mean - 0.5, np.eye(3), everything, most=1) == {-1: 1.0}


@pytest.mark.parametrize("auto_first", [True, False])
def test_no_two_models_beside_a_teacher_share_a_part_in_the_store(auto_first):
    problem = made(Auto().views)
    said = np.full((LABELS + POOL, 2), 0.3)
    said[np.arange(len(said)), np.arange(len(said)) % 2] = 0.7
    taught = BroughtTeacher([Source("old", said)], problem.y).of(problem)
    setup = Setup(taught, replace(HEAD.training, steps=20))
    models = Comparison(setup, Auto(budget=40), Prior(), Plan(folds=2, repeats=1), ALL_RECORDS, None)
    rivals = sorted(models.rivals(), key=lambda rival: (rival.says == "auto") != auto_first)
    assert {rival.says for rival in rivals} >= {"auto", "drift after the teacher, labels looked at"}
    networks = []
    for rival in rivals:
        rival.trains.held_out(models.folds)
        networks.append(rival.trains.network()[0])
    weights = [torch.cat([p.flatten() for p in network.parameters()]) for network in networks]
    assert len({tuple(w.tolist()) for w in weights}) == len(weights)
