"""Noise is what it says it is, and its transition is found again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from tutelage.distil.noise import (
    anchor_transition,
    confident_transition,
    corrupt,
    draw,
    instance_dependent,
    leaning,
    next_class,
    realised,
    superclasses,
    symmetric,
    whole,
    within_groups,
)

GROUPS = np.array([0, 0, 0, 1, 1, 2])


@pytest.mark.parametrize("noise", [symmetric, next_class, leaning, lambda k, r: within_groups(GROUPS[:k], r)])
@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_a_transition_s_rows_are_probabilities_that_keep_one_minus_the_rate(noise, rate):
    c = noise(6, rate)
    np.testing.assert_allclose(c.sum(1), 1, atol=1e-12)
    assert c.min() >= 0
    alone = 5 if c[5, 5] == 1 else 6
    np.testing.assert_allclose(np.diag(c)[:alone], 1 - rate, atol=1e-12)


def test_each_model_s_entries():
    np.testing.assert_allclose(symmetric(5, 0.4)[2], [0.1, 0.1, 0.6, 0.1, 0.1])
    np.testing.assert_allclose(next_class(3, 0.4)[2], [0.4, 0, 0.6])
    np.testing.assert_allclose(leaning(5, 0.5)[4], [0.2, 0.1, 0.1, 0.1, 0.5])
    np.testing.assert_allclose(within_groups(GROUPS, 0.4)[[0, 3, 5]], [
        [0.6, 0.2, 0.2, 0, 0, 0], [0, 0, 0, 0.6, 0.4, 0], [0, 0, 0, 0, 0, 1],
    ])  # fmt: skip


def test_exact_noise_relabels_exact_counts_of_rows_drawn_by_the_seed():
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(4), 60))
    one, same, other = (corrupt(y, symmetric(4, 0.5), seed, exact=True) for seed in (1, 1, 2))
    np.testing.assert_allclose(realised(y, one, 4), symmetric(4, 0.5))
    np.testing.assert_allclose(realised(y, other, 4), symmetric(4, 0.5))
    np.testing.assert_array_equal(one, same)
    assert (one != other).mean() > 0.3


def test_counts_that_are_not_whole_are_off_by_less_than_one_row():
    y = np.repeat(np.arange(6), [7, 11, 13, 1, 29, 5])
    noisy = corrupt(y, leaning(6, 0.37), seed=0, exact=True)
    off = realised(y, noisy, 6) - leaning(6, 0.37)
    assert (np.abs(off) * np.bincount(y)[:, None] < 1).all()
    assert whole(np.array([0.5, 0.5, 1.0])).sum() == 2


def test_drawn_labels_have_the_transition_s_shares():
    y = np.repeat(np.arange(3), 40_000)
    noisy = corrupt(y, leaning(3, 0.6), seed=3)
    np.testing.assert_allclose(realised(y, noisy, 3), leaning(3, 0.6), atol=0.015)
    np.testing.assert_array_equal(noisy, corrupt(y, leaning(3, 0.6), seed=3))


def test_a_label_of_probability_zero_is_never_drawn():
    p = np.tile([0.0, 0.5, 0.0, 0.5, 0.0], (20_000, 1))
    assert set(draw(p, seed=0).tolist()) == {1, 3}


def test_what_a_row_is_mistaken_for_depends_on_its_features():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4000, 6)), np.arange(4000) % 4
    x[4], x[8] = x[0], x[0]
    p = instance_dependent(x, y, 4, rate=0.3, seed=5)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-12)
    flipped = 1 - p[np.arange(4000), y]
    assert flipped.mean() == pytest.approx(0.3, abs=0.01)
    assert flipped.std() == pytest.approx(0.1, abs=0.01)
    wrong = p[:, 1:] / p[:, 1:].sum(1, keepdims=True)  # rows of class 0 among the others
    np.testing.assert_allclose(wrong[[4, 8]], wrong[[0, 0]], atol=1e-12)
    z = (x - x.mean(0)) / x.std(0)
    slopes = np.linalg.lstsq(z[y == 0], np.log(wrong[y == 0, 1] / wrong[y == 0, 0]))[0]
    np.testing.assert_allclose(np.log(wrong[y == 0, 1] / wrong[y == 0, 0]), z[y == 0] @ slopes, atol=1e-8)
    assert not np.allclose(softmax(slopes), 1 / 6, atol=0.05)
    np.testing.assert_array_equal(p, instance_dependent(x, y, 4, rate=0.3, seed=5))


def test_superclasses_are_of_similar_classes():
    rng, truth = np.random.default_rng(0), np.array([0, 1, 0, 1, 1])
    centres = 3 * np.eye(3)[truth] + np.eye(5, 3) * 0.3
    y = np.arange(500) % 5
    groups = superclasses(centres[y] + 0.3 * rng.standard_normal((500, 3)), y)
    assert all((groups[i] == groups[j]) == (truth[i] == truth[j]) for i in range(5) for j in range(5))


@pytest.mark.parametrize("noise", [symmetric(10, 0.4), next_class(10, 0.3), leaning(10, 0.4)])
def test_the_transition_is_found_from_predictions_of_held_out_rows(noise):
    x, y = load_digits(return_X_y=True)
    noisy = corrupt(y, noise, seed=0)
    loose, tight = (
        cross_val_predict(LogisticRegression(C=c, max_iter=2000), x / 4, noisy, cv=5, method="predict_proba")
        for c in (0.1, 0.01)
    )
    for estimate in (confident_transition(tight, noisy), anchor_transition(loose)):
        np.testing.assert_allclose(estimate.sum(1), 1, atol=1e-12)
        off = np.abs(estimate - noise).sum(1) / 2  # total variation; an estimate of no noise is off by 0.3 or 0.4
        assert off.mean() < 0.16


def test_bad_noise_is_named():
    with pytest.raises(ValueError, match=r"rate must be in \[0, 1\], got 1.2"):
        symmetric(4, 1.2)
    with pytest.raises(ValueError, match="noise needs at least 2 classes, got 1"):
        symmetric(1, 0.2)
    with pytest.raises(ValueError, match="transition must be square, its rows probabilities"):
        corrupt(np.array([0, 1]), np.array([[0.5, 0.4], [0.0, 1.0]]), seed=0)
