"""Copies change neither folds nor evidence; clusters are held out together; what leaking would flatter is measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tutelage.data import Features, Groups
from tutelage.fit.abstention import kept, promise
from tutelage.fit.build import blanks
from tutelage.fit.calibration import best_temperature, calibrated
from tutelage.fit.dependence import DEPENDENT, dependence, design_effect
from tutelage.fit.evidence import Prior, estimate, weigh, wilson
from tutelage.fit.held_out import choose, grouped_folds, repeated_folds
from tutelage.fit.labels_only import Probe
from tutelage.fit.leaking import leaking
from tutelage.fit.problem import Plan, Problem
from tutelage.modalities.head import Head
from tutelage.tasks import Classification

Y = np.array([0, 1] * 10)


def made(rows, y, groups):
    """A problem on rows of features."""
    weight = None if groups is None or groups.plain else groups.weight
    probe = Probe(rows.numpy(), y, blanks(rows, 2, True), weight=weight)
    grouped = None if groups is None or groups.plain else groups
    return Problem(
        Classification(2), Features(rows), y, Features(rows[:0]), lambda seed: Head(3, 2), probe, groups=grouped
    )


def coin_tosses(seed=0, n=20):
    rng = np.random.default_rng(seed)
    return torch.as_tensor(rng.normal(size=(n, 3)), dtype=torch.float32), Y[rng.permutation(n)]


def test_originals_lie_in_the_folds_in_which_they_lie_without_their_near_copies():
    twice = Groups.of(np.tile(np.arange(20), 2))
    alone, both = repeated_folds(Y, 5, 2, 3), grouped_folds(np.tile(Y, 2), twice, 5, 2, 3)
    for (index, out), (grouped, held) in zip(alone, both, strict=True):
        assert grouped[grouped < 20].tolist() == index.tolist() and held[held < 20].tolist() == out.tolist()
        assert sorted(held % 20) == sorted([*out, *out])


def test_a_cluster_is_never_on_both_sides_and_each_fold_trains_on_each_class():
    rng = np.random.default_rng(1)
    for seed in range(20):
        cluster = rng.integers(0, 6, 30)
        y = np.append([0, 0, 0, 1, 1, 1], rng.integers(0, 2, 24))
        cluster[:6] = [0, 1, 2, 0, 1, 2]
        groups = Groups.of(np.arange(30), cluster=cluster)
        folds = grouped_folds(y, groups, 3, 2, seed)
        for index, out in folds:
            assert not set(cluster[index]) & set(cluster[out]) and set(y[index]) == {0, 1}
        held = np.concatenate([out for _, out in folds])
        assert np.bincount(held).tolist() == [2] * 30


def test_a_class_of_one_cluster_cannot_be_held_out():
    groups = Groups.of(np.arange(4), cluster=np.array([0, 0, 1, 0]), called="author")
    with pytest.raises(ValueError, match="labels of a class are all of one author"):
        grouped_folds(np.array([0, 0, 1, 1])[[2, 3, 0, 1]], groups, 2, 1, 0)


def test_the_score_of_an_item_is_the_mean_of_its_copies():
    rows, y = coin_tosses()
    groups = Groups.of(np.tile(np.arange(20), 2))
    problem = made(rows.repeat(2, 1), np.tile(y, 2), groups)
    said = np.eye(2)[np.append(y, 1 - y)]
    right = problem.scored([(np.arange(40), {"probabilities": said})]).right
    assert right.tolist() == [0.5] * 20 and problem.labels == 20 and problem.labels_of_each.tolist() == [10, 10]


def test_the_regression_of_weighted_copies_is_that_of_the_items():
    rows, y = coin_tosses()
    alone = Probe(rows.numpy(), y, blanks(rows, 2, True)).fitted(np.arange(20), ("", 0.1))
    groups = Groups.of(np.tile(np.arange(20), 3))
    thrice = Probe(rows.repeat(3, 1).numpy(), np.tile(y, 3), blanks(rows, 2, True), weight=groups.weight)
    assert torch.allclose(alone(rows), thrice.fitted(np.arange(60), ("", 0.1))(rows), atol=1e-3)


def test_contradicting_labels_are_learnt_as_shares():
    rows = torch.tensor([[-1.0], [1.0], [0.0], [0.0]])
    y = np.array([0, 1, 0, 1])
    groups = Groups.of(np.array([0, 1, 2, 2]), times=np.array([1, 1, 1, 3]))
    probe = Probe(rows.numpy(), y, blanks(rows, 2, True), weight=groups.weight)
    p = probe.fitted(np.arange(4), ("", 1e4))(rows).softmax(1).detach()
    assert p[2, 1] == pytest.approx(0.75, abs=0.01)


def test_a_choice_among_models_weighs_the_units():
    y = np.array([0, 0, 0])
    says = {"first": np.array([1, 1, 0]), "second": np.array([0, 0, 1])}  # probability of class 0, of three units
    tried = {
        k: [(np.array([i]), {"probabilities": np.array([[v[i], 1 - v[i]]])}) for i in range(3)] for k, v in says.items()
    }
    assert choose(tried, y)[0] == "first" and choose(tried, y, np.array([0.2, 0.2, 1.0]))[0] == "second"


def test_weighted_copies_give_the_temperature_and_the_promise_of_the_items():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, 40)
    p, y = np.stack([sure, 1 - sure], 1), (rng.random(40) > 0.8).astype(int)
    three = np.tile(p, (3, 1)), np.tile(y, 3), np.full(120, 1 / 3)
    assert best_temperature(three[0][None], three[1], weight=three[2]) == pytest.approx(best_temperature(p[None], y))
    one = calibrated([(np.arange(40), {"probabilities": p})], y)
    thrice = calibrated([(np.arange(120), {"probabilities": three[0]})], three[1], three[2])
    assert thrice.labels == 40 and thrice.before.log_loss == pytest.approx(one.before.log_loss)
    assert promise(kept(thrice), 0.3) == promise(kept(one), 0.3)


def test_evidence_of_independent_labels_is_that_without_clusters():
    rng = np.random.default_rng(0)
    a, b = (rng.random(30) > 0.4).astype(float), (rng.random(30) > 0.3).astype(float)
    assert weigh(a, b, Prior(), 0.2).error == weigh(a, b, Prior(), 0.2, clusters=None).error
    found = weigh(a, b, Prior(), 0.2, clusters=np.arange(30) // 3, called="author")
    assert found.clusters == 10 and "With 30 labels in 10 groups by author, which say as much as" in found.words()
    assert found.error >= weigh(a, b, Prior(), 0.2).error


def test_answers_that_are_equal_within_clusters_say_as_much_as_one_each():
    rng = np.random.default_rng(0)
    of_each = (rng.random(40) > 0.5).astype(float)
    effect = design_effect(np.repeat(of_each, 5), np.repeat(np.arange(40), 5))
    assert effect == pytest.approx(5, rel=0.12)  # a little more, by Student's t
    assert design_effect(np.repeat(of_each, 5), None) == 1.0


def test_independent_answers_of_clusters_say_nearly_as_much_as_they_are():
    rng = np.random.default_rng(0)
    effects = [design_effect((rng.random(200) > 0.5).astype(float), np.repeat(np.arange(40), 5)) for _ in range(100)]
    assert np.mean(effects) < 1.25


def test_the_interval_is_wilsons_of_fewer_answers():
    scores = np.array([1.0] * 14 + [0.0] * 10)
    found = estimate(scores, True, dependence(scores))
    assert found == wilson(14 / 24, 24 / DEPENDENT)


def test_leaking_flatters_where_copies_lie_on_both_sides():
    rows, y = coin_tosses(4)
    wide = torch.cat([rows, torch.as_tensor(np.random.default_rng(1).normal(size=(20, 30)), dtype=torch.float32)], 1)
    groups = Groups.of(np.arange(20), times=np.full(20, 4))
    found = leaking(made(wide, y, groups), groups, "logistic regression, C = 0.1", Plan(), 0)
    assert found.leaking > 0.9 and found.honest <= 0.75
    assert "would have read" in found.words()


def test_leaking_of_items_without_copies_flatters_nothing():
    rows, y = coin_tosses(4)
    groups = Groups.of(np.arange(20))
    found = leaking(made(rows, y, groups), groups, "logistic regression, C = 0.1", Plan(), 0)
    assert found.leaking == found.honest
