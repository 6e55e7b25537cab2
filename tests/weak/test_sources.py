"""Sources and their one label model, against closed forms, enumeration and scikit-learn."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import log_softmax, softmax

from tutelage.weak import Source, combine
from tutelage.weak.calibration import FLOOR, FREEDOMS, IDENTITY, Freedom, chosen, fitted, folds_of, held_out

RNG = np.random.default_rng


def teacher(y, classes, right, sharp=2.0, seed=0):
    """Probabilities of a teacher whose logit of the true class is raised by ``right``."""
    z = RNG(seed).normal(size=(len(y), classes)) * sharp
    z[np.arange(len(y)), y] += right
    return softmax(z, axis=1)


def penalised(theta, z, weight, y, freedom):
    """The loss that a calibration minimises, written out row by row."""
    m, n, c = z.shape
    a, b, d = np.split(theta, [m, m + m * c])
    b, d = b.reshape(m, c), d.reshape(m, c, c)
    spread = [np.sqrt((z[s][weight[s] > 0] ** 2).mean()) for s in range(m)]
    total = 0.0
    for i in range(n):
        logits = sum(
            weight[s, i] * ((a[s] * np.eye(c) + d[s] / spread[s]) @ z[s, i] + b[s]) for s in range(m)
        )  # fmt: skip
        total -= log_softmax(logits)[y[i]]
    ridge = freedom.scale * ((a - 1) ** 2).sum() + freedom.shift * (b**2).sum() + freedom.matrix * (d**2).sum()
    return total + ridge / 2


def test_one_source_alone_comes_out_bit_for_bit():
    table = teacher(np.zeros(20, int), 3, 1.0)
    table[3] = np.nan
    found = combine([Source("a", table)])
    assert np.array_equal(found.probabilities, table, equal_nan=True)
    assert np.isnan(found.held_out).all()
    assert found.summary == {
        "calibration": "identity", "labels": 0, "covered": 19,
        "sources": [{"name": "a", "covered": 19, "accuracy": None}],
    }  # fmt: skip


def test_a_silent_source_changes_nothing():
    y = np.arange(40) % 2
    a, gone = Source("a", teacher(y, 2, 2.0)), Source("b", np.full((40, 2), np.nan))
    labels = np.where(np.arange(40) < 20, y, -1)
    for known in (None, labels):
        alone, both = combine([a], known), combine([a, gone], known)
        np.testing.assert_array_equal(alone.probabilities, both.probabilities)
        np.testing.assert_array_equal(alone.held_out, both.held_out)
        assert alone.summary["calibration"] == both.summary["calibration"]
    assert np.array_equal(combine([a, gone]).probabilities, a.table)


def test_two_sources_give_their_geometric_mean_where_both_speak():
    a, b = teacher(np.zeros(9, int), 3, 1.0, 0.5, 1), teacher(np.zeros(9, int), 3, 1.0, 0.5, 2)
    assert min(a.min(), b.min()) > FLOOR / 3
    b[4] = np.nan
    expected = np.sqrt(a * b)
    expected /= expected.sum(1, keepdims=True)
    expected[4] = a[4]
    assert np.allclose(combine([Source("a", a), Source("b", b)]).probabilities, expected, atol=1e-12)


def test_a_probability_of_zero_does_not_veto():
    a, b = np.array([[1.0, 0.0]]), np.array([[0.05, 0.95]])
    p = combine([Source("a", a), Source("b", b)]).probabilities[0]
    floor = FLOOR / 2
    expected = np.sqrt([1.0 * 0.05, floor * 0.95])
    assert np.allclose(p, expected / expected.sum())


@pytest.mark.parametrize("freedom", [Freedom("all", 3.0, 0.7, 2.0), *FREEDOMS[-2:]])
def test_a_calibration_minimises_its_loss(freedom):
    y = RNG(1).integers(3, size=25)
    z = np.log(np.stack([teacher(y, 3, 1.0, 1.0, s) for s in (1, 2)]))
    z -= z.mean(2, keepdims=True)
    weight = np.full((2, 25), 0.5)
    weight[0, :5], weight[1, :5], z[0, :5] = 0.0, 1.0, 0.0
    size = 2 + 6 + 18
    start = np.concatenate([np.ones(2), np.zeros(24)])
    oracle = minimize(penalised, start, args=(z, weight, y, freedom), method="BFGS", options={"gtol": 1e-6})
    found = fitted(z, weight, y, freedom)
    a, b, d = np.split(oracle.x, [2, 8])
    spread = [np.sqrt((z[s][weight[s] > 0] ** 2).mean()) for s in range(2)]
    matrices = a[:, None, None] * np.eye(3) + d.reshape(2, 3, 3) / np.reshape(spread, (2, 1, 1))
    assert np.allclose(found(z, weight), sum(
        weight[s][:, None] * (z[s] @ matrices[s].T + b.reshape(2, 3)[s]) for s in range(2)
    ), atol=5e-3)  # fmt: skip
    slope = approx_fprime(oracle.x, lambda t: penalised(t, z, weight, y, freedom), 1e-6)
    assert len(oracle.x) == size and np.abs(slope).max() < 1e-2


def test_scale_of_one_source_is_the_best_of_a_fine_grid():
    y = RNG(2).integers(2, size=200)
    z = np.log(teacher(y, 2, 1.0, 4.0))[None]
    z -= z.mean(2, keepdims=True)
    weight = np.ones((1, 200))
    found = fitted(z, weight, y, Freedom("scale", scale=1e-6)).matrices[0, 0, 0]
    grid = np.linspace(0.001, 2, 4000)
    loss = [-log_softmax(a * z[0], axis=1)[np.arange(200), y].sum() for a in grid]
    assert found == pytest.approx(grid[int(np.argmin(loss))], abs=2e-3)


def test_a_teacher_that_says_the_opposite_is_silenced_and_not_inverted_by_its_scale():
    y = np.arange(60) % 2
    table = teacher(1 - y, 2, 4.0, 0.5)
    z = np.log(table)[None]
    z -= z.mean(2, keepdims=True)
    assert fitted(z, np.ones((1, 60)), y, Freedom("scale", scale=1.0)).matrices[0, 0, 0] == pytest.approx(0, abs=1e-6)


def test_labels_calibrate_a_poor_teacher_and_leave_a_calibrated_one_alone():
    y = RNG(3).integers(2, size=3000)
    z = RNG(4).normal(size=3000) * 1.5
    good = np.stack([1 / (1 + np.exp(z)), 1 / (1 + np.exp(-z))], 1)
    y = (RNG(5).random(3000) < good[:, 1]).astype(int)  # the probabilities are true by construction
    shifted = softmax(3 * np.log(good) + np.array([0.0, 4.0]), axis=1)  # overconfident, and for class 1
    labels = np.where(np.arange(3000) < 60, y, -1)
    rest = labels < 0

    def loss(p):
        return -np.log(p[rest, y[rest]]).mean()

    poor = combine([Source("poor", shifted)], labels)
    assert poor.summary["calibration"] != "identity"
    assert loss(poor.probabilities) < loss(shifted) - 0.3
    assert (poor.probabilities[rest].argmax(1) == y[rest]).mean() > (shifted[rest].argmax(1) == y[rest]).mean() + 0.05
    fine = combine([Source("good", good)], labels)
    assert loss(fine.probabilities) < loss(good) + 0.02


def test_held_out_predictions_have_not_seen_their_label():
    """With permuted labels they are right by chance; and a label that is changed does not change its own prediction."""
    y = RNG(6).integers(4, size=120)
    table = teacher(y, 4, 0.0, 1.0)  # it knows nothing
    found = combine([Source("a", table)], y)
    assert (found.held_out.argmax(1) == y).mean() < 0.4
    assert not np.isnan(found.held_out).any()
    before = found.held_out
    z, weight = np.log(table)[None], np.ones((1, 120))
    fold = folds_of(y)
    moved = y.copy()
    moved[fold == 0] = (moved[fold == 0] + 1) % 4
    free = FREEDOMS[4]
    same = [held_out(z, weight, labels, fold, free)[fold == 0] for labels in (y, moved)]
    assert np.array_equal(*same)
    assert before.shape == (120, 4)


def test_folds_spread_each_class_evenly():
    y = np.repeat([0, 1, 2], [20, 30, 10])
    fold = folds_of(y, 3)
    counts = np.stack([np.bincount(fold[y == k], minlength=10) for k in range(3)])
    assert counts.max(1).tolist() == [2, 3, 1] and counts.min(1).tolist() == [2, 3, 1]


def test_a_class_without_a_label_is_not_calibrated_away():
    """Labels of two of three classes leave the odds of the third against them as they are, but for their scale."""
    rng = RNG(7)
    y = rng.integers(3, size=600)
    table = teacher(y, 3, 2.0, 1.0)
    labels = np.where((np.arange(600) < 200) & (y < 2), y, -1)
    found = combine([Source("a", table)], labels)
    rest = labels < 0
    third = y[rest] == 2
    before, after = table[rest][third, 2].mean(), found.probabilities[rest][third, 2].mean()
    assert after > 0.8 * before
    z, weight = np.log(table[:50])[None], np.ones((1, 50))
    shifted = fitted(z, weight, y[:50] % 2, Freedom("scale and shifts", scale=3.0, shift=1.0))
    assert shifted.shifts[0, 2] == 0 and np.abs(shifted.shifts[0, :2]).max() > 0


def test_without_two_labels_of_two_classes_the_identity_is_kept():
    z, weight = np.zeros((1, 3, 2)), np.ones((1, 3))
    assert chosen(z[:, :1], weight[:, :1], np.array([0])) == IDENTITY
    assert chosen(z, weight, np.array([1, 1, 1])) == IDENTITY


def test_five_hundred_classes_take_no_full_matrix():
    y = np.arange(1000) % 500
    found = combine([Source("a", teacher(y, 500, 6.0, 1.0))], np.where(np.arange(1000) < 40, y, -1))
    assert found.summary["calibration"] in ("identity", "scale", "scale and shifts")
    assert np.allclose(found.probabilities.sum(1), 1)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.ones(3), "must be of shape"),
        (np.ones((3, 1)), "must be of shape"),
        (np.array([[0.5, 0.5], [np.nan, 1.0]]), "row 1: a row is all NaN or none"),
        (np.array([[0.5, 0.6]]), "sum to one"),
        (np.array([[1.5, -0.5]]), "sum to one"),
    ],
)
def test_a_table_that_is_no_source_is_refused(table, message):
    with pytest.raises(ValueError, match=message):
        Source("a", table)


def test_sources_must_agree_in_shape_and_labels_in_range():
    a, b = Source("a", np.full((2, 2), 0.5)), Source("b", np.full((3, 2), 0.5))
    with pytest.raises(ValueError, match="at least one"):
        combine([])
    with pytest.raises(ValueError, match=r"'b' must be of shape \(2, 2\)"):
        combine([a, b])
    with pytest.raises(ValueError, match=r"y must have shape \(2,\)"):
        combine([a], np.zeros(3, int))
    with pytest.raises(ValueError, match=r"y must be in -1\.\.1, got 0\.\.2"):
        combine([a], np.array([0, 2]))
