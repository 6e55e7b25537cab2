"""Label models against hand-worked votes, planted accuracies, an optimiser and crowd-kit's own majority."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from tutelage.weak import DEFAULT, LABEL_MODELS, Votes, analyse, label
from tutelage.weak.accuracies import ACCURACY, CAUTION, SHARE

EVERY = pytest.mark.parametrize("model", LABEL_MODELS)


def votes_of(table, c: int) -> Votes:
    table = np.array(table)
    return Votes(table, [f"f{j}" for j in range(table.shape[1])], [f"c{k}" for k in range(c)])


def planted(accuracy, n: int = 3000, c: int = 3, coverage: float = 0.7, seed: int = 0) -> tuple[Votes, np.ndarray]:
    """Functions that vote for any class; independent, with these accuracies."""
    g = np.random.default_rng(seed)
    y, shape = g.integers(0, c, n), (n, len(accuracy))
    other = (y[:, None] + g.integers(1, c, shape)) % c
    table = np.where(g.random(shape) < accuracy, y[:, None], other)
    return votes_of(np.where(g.random(shape) < coverage, table, -1), c), y


def one_class_rules(precision, classes, n: int = 4000, fires: float = 0.3, seed: int = 0) -> tuple[Votes, np.ndarray]:
    """Functions that vote for one class each, right with these shares of their votes."""
    g = np.random.default_rng(seed)
    c = max(classes) + 1
    y = g.integers(0, c, n)
    table = np.full((n, len(classes)), -1)
    for j, (p, k) in enumerate(zip(precision, classes, strict=True)):
        rate = np.where(y == k, fires, fires * (1 - p) / p / (c - 1))
        table[g.random(n) < rate, j] = k
    return votes_of(table, c), y


def accuracy_of(p: np.ndarray, y: np.ndarray, rows: np.ndarray) -> float:
    return float((p.argmax(1) == y)[rows].mean())


def test_majority_is_the_share_of_the_votes_with_ties_shared():
    votes = votes_of([[0, 0, 1], [0, 1, -1], [2, -1, -1], [-1, -1, -1]], 3)
    wanted = [[2 / 3, 1 / 3, 0], [1 / 2, 1 / 2, 0], [0, 0, 1], [1 / 3, 1 / 3, 1 / 3]]
    np.testing.assert_allclose(label(votes, "majority"), wanted)


def test_majority_is_crowd_kits():
    from crowdkit.aggregation import MajorityVote

    votes, _ = planted([0.5] * 4, n=200, coverage=1)
    row, function = np.nonzero(votes.table >= 0)
    ballots = pd.DataFrame({"task": row, "worker": function, "label": votes.table[row, function]})
    with warnings.catch_warnings():  # its own, about pandas
        warnings.simplefilter("ignore")
        wanted = MajorityVote().fit_predict_proba(ballots)
    np.testing.assert_allclose(label(votes, "majority"), wanted.loc[range(200), range(3)])


@EVERY
def test_every_row_sums_to_one_and_is_uniform_without_votes(model):
    votes, _ = planted([0.9, 0.7, 0.6], n=200, coverage=0.4)
    p = label(votes, model)
    assert p.shape == (200, 3)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(1), 1)
    assert 0 < votes.covered.sum() < 200
    np.testing.assert_allclose(p[~votes.covered], 1 / 3)


@EVERY
def test_independent_functions_are_heard_by_every_model(model):
    votes, y = planted([0.9, 0.8, 0.7, 0.6, 0.8])
    assert accuracy_of(label(votes, model), y, votes.covered) > 0.85


def without_ties(votes: Votes) -> Votes:
    """Crowd-kit's majorities settle a tie by the order of the votes."""
    top = np.sort(label(votes, "majority"), axis=1)
    return votes.subset(top[:, -1] > top[:, -2])


@EVERY
def test_the_order_of_the_classes_does_not_matter(model):
    votes = without_ties(planted([0.9, 0.8, 0.7, 0.6], n=500)[0])
    order = np.array([2, 0, 1])  # class k becomes order[k]
    renamed = votes_of(np.append(order, -1)[votes.table], 3)
    np.testing.assert_allclose(label(renamed, model)[:, order], label(votes, model), atol=1e-6)


@EVERY
def test_the_order_of_the_functions_does_not_matter(model):
    votes = without_ties(planted([0.9, 0.8, 0.7, 0.6], n=500)[0])
    np.testing.assert_allclose(label(votes_of(votes.table[:, ::-1], 3), model), label(votes, model), atol=1e-6)


@EVERY
@pytest.mark.parametrize(
    "table",
    [
        [[0], [1], [-1], [0]],  # one function
        [[0], [-1], [0], [0]],  # for one class
        [[0, -1], [1, -1], [0, -1], [-1, -1]],  # one that is silent
        [[0, 1], [0, 1], [0, 1], [0, 1]],  # ties alone
        [[0, -1], [-1, 1], [0, -1], [-1, 1]],  # never together
    ],
)
def test_few_votes_are_labels_too(model, table):
    votes = votes_of(table, 3)
    p = label(votes, model)
    np.testing.assert_allclose(p.sum(1), 1)
    lone = (votes.table >= 0).sum(1) == 1
    if model != "dawid_skene":  # to which a function of one class tells nothing
        assert (p[lone].argmax(1) == votes.table.max(1)[lone]).all()


@EVERY
def test_without_any_vote_there_is_no_label(model):
    with pytest.raises(ValueError, match="no function votes on any row"):
        label(votes_of([[-1, -1]], 2), model)


def test_a_lone_function_is_believed_as_much_as_an_unknown_one():
    p = label(votes_of([[0], [2], [0]], 3), "data_programming")
    rest = (1 - ACCURACY) / 2
    np.testing.assert_allclose(p, [[ACCURACY, rest, rest], [rest, rest, ACCURACY], [ACCURACY, rest, rest]])


def test_accuracies_are_where_an_optimiser_finds_the_mode():
    """The penalised likelihood, written out row by row and maximised without EM."""
    votes, _ = planted([0.95, 0.9, 0.55], n=1500, coverage=0.8)
    table, c = votes.table, 3
    voted = table >= 0
    weight = CAUTION + SHARE * voted.sum(0)

    def joint(a):
        chance = np.ones((len(table), c))
        for k in range(c):
            each = np.where(table == k, a, (1 - a) / (c - 1))
            chance[:, k] = np.where(voted, each, 1).prod(1) / c
        return chance

    def loss(u):
        a = 1 / (1 + np.exp(-u))
        penalty = (weight * (ACCURACY * np.log(a) + (1 - ACCURACY) * np.log(1 - a))).sum()
        return -np.log(joint(a).sum(1)).sum() - penalty

    found = minimize(loss, np.zeros(3), tol=1e-10)
    wanted = joint(1 / (1 + np.exp(-found.x)))
    covered = votes.covered
    got = label(votes, "data_programming")
    np.testing.assert_allclose(got[covered], (wanted / wanted.sum(1, keepdims=True))[covered], atol=1e-3)


def test_planted_accuracies_are_found():
    truth = [0.95, 0.9, 0.8, 0.75, 0.7, 0.6, 0.85, 0.8]
    votes, _ = planted(truth, n=5000)
    found = analyse(votes, estimate=label(votes)).estimated_accuracy
    np.testing.assert_allclose(found, truth, atol=0.03)


def test_one_class_rules_are_weighed_better_than_by_counting():
    """Bad rules of one class outnumber the good ones of the others."""
    votes, y = one_class_rules([0.95, 0.95, 0.4, 0.4, 0.9, 0.9], [0, 0, 1, 1, 2, 2])
    scores = {model: accuracy_of(label(votes, model), y, votes.covered) for model in LABEL_MODELS}
    assert scores["data_programming"] >= scores["majority"] - 0.005
    assert scores["data_programming"] > scores["dawid_skene"] + 0.1


def test_clean_labels_set_the_accuracies():
    """Two rules that agree in error outvote a good one, until labels tell."""
    g = np.random.default_rng(0)
    y = g.integers(0, 2, 2000)
    twin = np.where(g.random(2000) < 0.4, y, 1 - y)
    good = np.where(g.random(2000) < 0.9, y, 1 - y)
    votes = votes_of(np.stack([twin, twin, good], 1), 2)
    known = np.full(2000, -1)
    known[:100] = y[:100]
    rest = np.arange(2000) >= 100
    assert accuracy_of(label(votes), y, rest) < 0.5
    assert accuracy_of(label(votes, y=known), y, rest) > 0.85


def test_clean_labels_are_not_copied_into_the_answer():
    votes = votes_of([[0, 0], [1, 1], [-1, -1]], 2)
    p = label(votes, y=np.array([1, -1, 0]))
    assert p[0].argmax() == 0
    np.testing.assert_allclose(p[2], 0.5)


@pytest.mark.parametrize(
    ("y", "message"),
    [([0], r"y must have shape \(2,\), got \(1,\)"), ([0, 2], r"y must be in -1\.\.1, got 0\.\.2")],
)
def test_clean_labels_must_fit(y, message):
    with pytest.raises(ValueError, match=message):
        label(votes_of([[0], [1]], 2), y=np.array(y))


def test_an_unknown_model_is_named():
    with pytest.raises(ValueError, match=r"model must be one of majority, .*got 'snorkel'"):
        label(votes_of([[0], [1]], 2), "snorkel")


def test_the_default_is_one_of_them():
    assert DEFAULT in LABEL_MODELS
