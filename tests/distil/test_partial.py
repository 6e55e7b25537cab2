"""Two-hot labels: what one round of them does, and where they say nothing."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tutelage.distil.block import Block
from tutelage.distil.closed import decompose, decompose_gram, one_hot, outputs
from tutelage.distil.exact import student as exact
from tutelage.distil.noise import corrupt, symmetric, within_groups
from tutelage.distil.partial import RELEASED, student, two_hot

PAIRS = np.array([0, 0, 1, 1])


def teacher(block, noise):
    """Rows, the truth and the teacher's outputs."""
    truth = np.repeat(np.arange(len(block.counts)), block.counts)
    gram, d = block.gram(), decompose_gram(block.gram())
    x = gram @ d.basis
    y = one_hot(corrupt(truth, noise, seed=0, exact=True), len(block.counts))
    d = decompose(x)
    return x, truth, y, outputs(x, d.weights(d.moments(x, y), block.weight_decay))


def test_the_two_largest_outputs_share():
    found = two_hot(np.random.default_rng(0).random((50, 6)))
    assert set(np.unique(found)) == {0, 0.5}
    np.testing.assert_array_equal(found.sum(1), 1)
    largest = np.random.default_rng(0).random((50, 6)).argsort(1)[:, -2:]
    assert (np.take_along_axis(found, largest, 1) == 0.5).all()


@pytest.mark.parametrize("power", [0.0, RELEASED])
@pytest.mark.parametrize(("decay", "rate"), [(1e-4, 0.5), (1e-3, 0.5), (1e-4, 0.65)])
def test_one_exact_round_corrects_all_rows(decay, rate, power):
    """Where soft labels took 12, 2 and more than 15 exact rounds."""
    x, truth, y, _ = teacher(Block.even(4, 60, 0.4, 0.1, decay), symmetric(4, rate))
    first = exact(x, y, decay)
    assert (first.labels(x).argmax(1) == truth).mean() == pytest.approx(1 - rate)
    targets = two_hot(first.labels(x))
    assert (targets[np.arange(len(x)), truth] == 0.5).all()
    found = exact(x, targets, decay, power=power, start=first.weights)
    assert (found.labels(x).argmax(1) == truth).all()


@pytest.mark.parametrize("power", [0.0, RELEASED])
@pytest.mark.parametrize(("decay", "rate"), [(1e-4, 0.5), (1e-3, 0.5), (1e-4, 0.65)])
def test_one_linearised_round_corrects_all_rows(decay, rate, power):
    x, truth, _, first = teacher(Block.even(4, 60, 0.4, 0.1, decay), symmetric(4, rate))
    w = student(decompose(x), x, two_hot(first), decay, power)
    assert (outputs(x, w).argmax(1) == truth).all()


def test_the_generalised_loss_is_a_larger_penalty():
    x, _, _, first = teacher(Block.even(4, 20, 0.4, 0.1, 1e-3), symmetric(4, 0.5))
    d, targets = decompose(x), two_hot(first)
    np.testing.assert_allclose(student(d, x, targets, 1e-3, 0.5), student(d, x, targets, 2e-3), rtol=1e-12)


def test_two_classes_are_refused_with_the_reason():
    with pytest.raises(ValueError, match=r"at least 3 classes, got 2: of two, each row's would be \(1/2, 1/2\)"):
        two_hot(np.array([[0.9, 0.1]]))


def test_superclasses_of_two_are_warned_of_by_name():
    _, _, _, first = teacher(Block.grouped(PAIRS, 60, 0.4, 0.2, 0.1, 1e-3), within_groups(PAIRS, 0.3))
    said = "cannot tell these classes apart.*: a with b, b with a, c with d, d with c"
    with pytest.warns(UserWarning, match=said):
        two_hot(first, names=list("abcd"))


def test_symmetric_noise_gives_no_warning():
    x, _, y, _ = teacher(Block.even(4, 60, 0.4, 0.1, 1e-3), symmetric(4, 0.5))
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        two_hot(exact(x, y, 1e-3).labels(x) + 1e-9 * rng.random(y.shape))
