"""The closed form against kernel ridge regression, and its primal form against its dual."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.kernel_ridge import KernelRidge

from tutelage.distil import rows as reading
from tutelage.distil.closed import decompose, decompose_gram, one_hot, outputs, penalty
from tutelage.distil.noise import corrupt, symmetric
from tutelage.distil.rows import CONSTANT, Rows, blocks, take


@pytest.fixture(scope="module")
def digits():
    """Rows of length about 1, noisy one-hot labels of unequal counts, and other rows."""
    x, y = load_digits(return_X_y=True)
    x, keep = (x - x.mean(0)) / 34, np.r_[0:400, 900:950]
    return x[keep], one_hot(corrupt(y[keep], symmetric(10, 0.4), seed=0), 10), x[1000:1100]


@pytest.mark.parametrize("weight_decay", [1e-5, 1e-3, 0.1])
@pytest.mark.parametrize("rounds", [1, 2, 5, 10])
def test_t_rounds_are_t_kernel_ridge_students_in_turn(digits, weight_decay, rounds):
    x, y, new = digits
    d, targets = decompose(x), y
    found = d.weights(d.moments(x, y), weight_decay, rounds)
    for _ in range(rounds):
        student = KernelRidge(alpha=10 * weight_decay * len(x), kernel="linear").fit(x, targets - 0.1)
        targets = student.predict(x) + 0.1
    np.testing.assert_allclose(outputs(x, found), targets, rtol=0, atol=1e-10)
    np.testing.assert_allclose(outputs(new, found), student.predict(new) + 0.1, rtol=0, atol=1e-10)


def test_primal_and_dual_forms_agree(digits):
    x, y, new = digits
    primal, dual, gram = decompose(x), decompose_gram(x @ x.T), x @ x.T
    for weight_decay in (1e-4, 1e-2):
        for rounds in (1, 7):
            w = primal.weights(primal.moments(x, y), weight_decay, rounds)
            alpha = dual.weights(dual.moments(gram, y), weight_decay, rounds)
            np.testing.assert_allclose(outputs(x, w), outputs(gram, alpha), rtol=0, atol=1e-10)
            np.testing.assert_allclose(outputs(new, w), outputs(new @ x.T, alpha), rtol=0, atol=1e-10)


def test_more_features_than_rows(digits):
    x, y, new = digits
    x, y = x[:40], y[:40]
    d, dual = decompose(x), decompose_gram(x @ x.T)
    assert d.basis.shape[0] == 64
    w, alpha = (e.weights(e.moments(r, y), 1e-3, 3) for e, r in ((d, x), (dual, x @ x.T)))
    np.testing.assert_allclose(outputs(new, w), outputs(new @ x.T, alpha), rtol=0, atol=1e-10)


def test_any_kernel(digits):
    x, y, new = digits
    ours = decompose_gram(gram := np.exp(-((x[:, None] - x) ** 2).sum(-1)))
    alpha = ours.weights(ours.moments(gram, y), 1e-3)
    theirs = KernelRidge(alpha=10 * 1e-3 * len(x), kernel="rbf", gamma=1).fit(x, y - 0.1)
    across = np.exp(-((new[:, None] - x) ** 2).sum(-1))
    np.testing.assert_allclose(outputs(across, alpha), theirs.predict(new) + 0.1, rtol=0, atol=1e-10)


def test_weak_penalties_keep_the_labels_and_strong_ones_forget_them(digits):
    x, y, _ = digits
    x, y = x[:30], y[:30]
    d = decompose(x)
    np.testing.assert_allclose(outputs(x, d.weights(d.moments(x, y), 1e-12)), y, atol=1e-6)
    np.testing.assert_allclose(outputs(x, d.weights(d.moments(x, y), 1e6)), 0.1, atol=1e-4)


def test_outputs_sum_to_one_and_follow_a_permutation_of_classes(digits):
    x, y, _ = digits
    d, turn = decompose(x), np.random.default_rng(0).permutation(10)
    found = outputs(x, d.weights(d.moments(x, y), 1e-3, 4))
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-12)
    np.testing.assert_allclose(
        outputs(x, d.weights(d.moments(x, y[:, turn]), 1e-3, 4)), found[:, turn], rtol=0, atol=1e-12
    )


def test_the_ridge_counts_classes_and_all_rows():
    assert penalty(1e-4, rows=240, classes=4) == pytest.approx(0.096)
    with pytest.raises(ValueError, match="weight_decay must be above 0, got 0"):
        penalty(0.0, 10, 2)
    with pytest.raises(ValueError, match="rounds must be at least 1, got 0"):
        decompose(np.eye(3)).weights(np.zeros((3, 2)), 0.1, 0)


def test_few_features_never_make_a_matrix_of_rows_by_rows():
    x = np.random.default_rng(0).standard_normal((20_000, 8))
    y = one_hot(np.arange(20_000) % 3, 3)
    tracemalloc.start()
    d = decompose(x)
    outputs(x, d.weights(d.moments(x, y), 1e-3, 10))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000 * 8 * 8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_centred_scaled_and_given_a_constant_block_by_block(monkeypatch, dtype):
    monkeypatch.setattr(reading, "BLOCK", 7)
    x = np.random.default_rng(0).standard_normal((30, 4)).astype(dtype) + 3
    rows, other = Rows.of(x), np.random.default_rng(1).standard_normal((5, 4))
    seen = np.concatenate([block for _, block in blocks(rows)])
    centred = x - x.mean(0, dtype=float)
    expected = np.c_[centred / np.sqrt((centred**2).sum(1).mean()), np.full(30, CONSTANT)]
    np.testing.assert_allclose(seen, expected, atol=1e-12)
    index = np.array([2, 3, 11, 29])
    np.testing.assert_array_equal(take(take(rows, np.arange(1, 30)), index[:-1])[:], seen[index[:-1] + 1])
    np.testing.assert_array_equal(take(rows, index)[1:3], seen[index[1:3]])
    w = np.random.default_rng(2).standard_normal((5, 3))
    slopes, intercept = rows.affine(w)
    np.testing.assert_allclose(rows.of_others(other)[:] @ w, other @ slopes + intercept, atol=1e-12)
    flat = rows.onto(np.linalg.qr(w)[0])
    assert flat.shape == (30, 3)
    slopes, intercept = flat.affine(w[:3])
    np.testing.assert_allclose(flat.of_others(other)[:] @ w[:3], other @ slopes + intercept, atol=1e-12)


def test_the_block_size_does_not_matter(monkeypatch, digits):
    x, y, _ = digits
    found = []
    for size in (64, 10**6):
        monkeypatch.setattr(reading, "BLOCK", size)
        d = decompose(x)
        found.append(outputs(x, d.weights(d.moments(x, y), 1e-3, 3)))
    np.testing.assert_allclose(*found, rtol=0, atol=1e-12)
