"""What the block model predicts, against the rounds themselves."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.distil.block import Block, minimal_rounds
from tutelage.distil.closed import decompose_gram, one_hot, outputs
from tutelage.distil.exact import self_distil
from tutelage.distil.noise import corrupt, leaning, next_class, realised, symmetric, within_groups
from tutelage.distil.partial import student, two_hot

PAIRS, TRIPLES = np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 1])
MODELS = {
    "even": Block.even(4, 30, 0.4, 0.1, 1e-4),
    "superclasses": Block.grouped(TRIPLES, 20, 0.5, 0.3, 0.05, 1e-3),
    "unequal counts": Block(Block.even(3, 1, 0.4, 0.1, 1).similarity, np.array([10, 40, 80]), 1e-3),
    "any similarity": Block(
        np.array([[0.6, 0.2, 0.1], [0.2, 0.3, 0.0], [0.1, 0.0, 0.5]]), np.array([20, 30, 25]), 1e-3
    ),
}  # fmt: skip
ROWS = {
    "half": (Block.even(4, 60, 0.4, 0.1, 1e-4), 0.5, 10, 12),
    "half, more penalty": (Block.even(4, 60, 0.4, 0.1, 1e-3), 0.5, 2, 2),
    "two thirds": (Block.even(4, 60, 0.4, 0.1, 1e-4), 0.65, 15, None),
}
"""Block, rate of symmetric noise, first round that corrects all rows: linearised, and exact (None: not in 15)."""


def world(block, noise, seed=0):
    """True classes, noisy ones with exact counts, and the corruption they realise."""
    truth = np.repeat(np.arange(len(block.counts)), block.counts)
    noisy = corrupt(truth, noise, seed, exact=True)
    return truth, noisy, realised(truth, noisy, len(block.counts))


def rounds_of(block, noisy, t):
    gram, d = block.gram(), decompose_gram(block.gram())
    y = one_hot(noisy, len(block.counts))
    return outputs(gram, d.weights(d.moments(gram, y), block.weight_decay, t))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("t", [1, 2, 7])
def test_the_formula_gives_every_label_of_every_round(name, t):
    block = MODELS[name]
    truth, noisy, c = world(block, leaning(len(block.counts), 0.37))
    np.testing.assert_allclose(block.labels(c, t)[truth, noisy], rounds_of(block, noisy, t), rtol=0, atol=1e-12)


def test_p_and_q_of_classes_all_alike():
    block, n, c, d = MODELS["even"], 30, 0.4, 0.1
    rho = 16 * n * 1e-4
    p, q = (1 - c) / (rho + 1 - c), (1 - c + n * (c - d)) / (rho + 1 - c + n * (c - d))
    r = (1 - c + n * (c - d) + 4 * n * d) / (rho + 1 - c + n * (c - d) + 4 * n * d)
    np.testing.assert_allclose(block.p, p, rtol=1e-13)
    np.testing.assert_allclose(block.q, [q, q, q, r], rtol=1e-12)
    noise = symmetric(4, 0.3)
    by_hand = 1 / 4 + p**3 * (np.eye(4)[1] - noise[2]) + q**3 * (noise[2] - 1 / 4)
    np.testing.assert_allclose(block.labels(noise, 3)[2, 1], by_hand, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ROWS)
def test_the_first_round_that_corrects_all_rows_is_the_predicted_one(name):
    block, rate, first, exactly = ROWS[name]
    noise = symmetric(4, rate)
    truth, noisy, _ = world(block, noise)
    accuracy = [(rounds_of(block, noisy, t).argmax(1) == truth).mean() for t in range(1, 16)]
    assert accuracy[0] == pytest.approx(1 - rate)
    assert accuracy.index(1) + 1 == first == minimal_rounds(noise, block.p[0], block.q[0])
    assert [block.seen_accuracy(noise, t) for t in range(1, 16)] == pytest.approx(accuracy)
    softly = self_distil(block.gram() @ decompose_gram(block.gram()).basis, one_hot(noisy, 4), block.weight_decay, 15)
    right = [bool((y.argmax(1) == truth).all()) for y in softly]
    assert (right.index(True) + 1 if any(right) else None) == exactly


def test_larger_penalties_need_fewer_rounds():
    blocks = [Block.even(4, 60, 0.4, 0.1, w) for w in (1e-5, 1e-4, 1e-3, 1e-2)]
    rounds = [minimal_rounds(symmetric(4, 0.5), b.p[0], b.q[0]) for b in blocks]
    assert rounds == sorted(rounds, reverse=True)
    assert len(set(rounds)) == 4


@pytest.mark.parametrize(
    ("noise", "limit"), [(symmetric, 3 / 4), (next_class, 1 / 2), (lambda k, r: within_groups(np.zeros(k), r), 3 / 4)]
)
def test_rounds_correct_all_rows_only_while_the_right_label_is_the_most_frequent(noise, limit):
    assert minimal_rounds(noise(4, limit - 0.01), 0.8, 0.9) is not None
    assert minimal_rounds(noise(4, limit), 0.8, 0.9) is None
    with pytest.raises(ValueError, match="0 < p < q < 1"):
        minimal_rounds(noise(4, 0.1), 0.9, 0.8)


def test_more_rounds_hurt_where_another_superclass_holds_more_of_a_class_s_labels():
    """Class 0 keeps 0.4 of its labels, its own superclass 0.42 and the other one 0.58."""
    block = Block.grouped(PAIRS, 50, 0.5, 0.2, 0.0, 1e-3)
    noise = np.eye(4)
    noise[0] = [0.4, 0.02, 0.3, 0.28]
    span = block.correcting(noise, limit=200)
    assert 1 < span.start < span.stop - 1 < 200
    truth, noisy, c = world(block, noise)
    np.testing.assert_allclose(c, noise)
    right = {t for t in range(1, 201) if (rounds_of(block, noisy, t).argmax(1) == truth).all()}
    assert right == set(span)


def test_more_rounds_hurt_where_a_frequent_class_resembles_a_rare_one():
    similarity = np.array([[0.5, 0.3, 0.0], [0.3, 0.5, 0.0], [0.0, 0.0, 0.5]])
    block, noise = Block(similarity, np.array([20, 400, 100]), 1e-3), symmetric(3, 0.3)
    truth, noisy, c = world(block, noise)
    span = block.correcting(c, limit=60)
    assert 0 < len(span) < 60 - span.start
    assert all((rounds_of(block, noisy, t).argmax(1) == truth).all() == (t in span) for t in range(1, 61))


def test_rows_not_trained_on_are_right_from_the_first_round():
    block, rate, *_ = ROWS["two thirds"]
    noise = symmetric(4, rate)
    assert [block.unseen_accuracy(noise, t) for t in (1, 2, 14)] == [1, 1, 1]
    assert block.seen_accuracy(noise, 14) == pytest.approx(0.35)
    assert block.unseen_accuracy(symmetric(4, 0.8), 1) == 0


@pytest.mark.parametrize("name", MODELS)
def test_outputs_of_rows_not_trained_on(name):
    block = MODELS[name]
    truth, noisy, c = world(block, symmetric(len(block.counts), 0.6))
    gram, d = block.gram(), decompose_gram(block.gram())
    alpha = d.weights(d.moments(gram, one_hot(noisy, len(c))), block.weight_decay, 3)
    guess = outputs(block.similarity[:, truth], alpha).argmax(1)
    expected = (block.counts * (guess == np.arange(len(c)))).sum() / block.counts.sum()
    assert block.unseen_accuracy(c, 3) == pytest.approx(expected)


@pytest.mark.parametrize("name", ROWS)
def test_two_hot_labels_do_in_one_round_what_many_rounds_do(name):
    block, rate, *_ = ROWS[name]
    assert block.two_hot_accuracy(symmetric(4, rate)) == 1
    truth, noisy, _ = world(block, symmetric(4, rate))
    gram, d = block.gram(), decompose_gram(block.gram())
    w = student(d, gram, two_hot(rounds_of(block, noisy, 1)), block.weight_decay)
    assert (outputs(gram, w).argmax(1) == truth).all()


@pytest.mark.parametrize(
    ("block", "noise"),
    [
        (Block.even(2, 60, 0.4, 0.1, 1e-4), symmetric(2, 0.3)),
        (Block.grouped(PAIRS, 60, 0.4, 0.2, 0.1, 1e-4), within_groups(PAIRS, 0.3)),
        (Block.even(4, 60, 0.4, 0.1, 1e-4), next_class(4, 0.3)),
    ],
    ids=["two classes", "superclasses of two", "next class"],
)
def test_two_hot_labels_are_left_to_chance_where_two_classes_always_come_together(block, noise):
    assert block.two_hot_accuracy(noise) == pytest.approx(0.5)
    assert len(block.correcting(noise, limit=100)) > 0


def test_bad_blocks_are_named():
    with pytest.raises(ValueError, match=r"similarity must be in \[0, 1\), got 0.1 to 1.0"):
        Block.even(3, 10, 1.0, 0.1, 1e-3)
    with pytest.raises(ValueError, match="similarity must be symmetric"):
        Block(np.array([[0.5, 0.1], [0.2, 0.5]]), np.array([2, 2]), 1e-3)
