"""The ranking of likely wrong labels, and what it is made of."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tutelage import find_label_errors
from tutelage.audit import neighbours
from tutelage.audit.held_out import HeldOutOpinions
from tutelage.audit.measures import against_truth, average_precision
from tutelage.audit.neighbours import compared, opinion, votes
from tutelage.audit.posterior import bayes
from tutelage.audit.reasons import reasons
from tutelage.distil.choice import Students, StudentSetting, deal, folds_of
from tutelage.distil.noise import corrupt, next_class, symmetric
from tutelage.distil.rows import Rows, held
from tutelage.graph.neighbours import Neighbours


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x[:900], y[:900]


@pytest.fixture(scope="module")
def noisy(digits):
    x, y = digits
    given = corrupt(y, symmetric(10, 0.3), seed=1)
    return given, find_label_errors(x, given)


def test_planted_errors_come_first(digits, noisy):
    given, found = noisy
    wrong = given != digits[1]
    assert average_precision(wrong, found.probability) > 0.97
    assert found.noise_rate == pytest.approx(wrong.mean(), abs=0.03)
    listed = np.isin(np.arange(len(given)), found.suspects())
    assert (listed == wrong).mean() > 0.95
    assert (found.suggested == digits[1]).mean() > 0.95


def test_one_sided_errors_come_first_too(digits):
    x, y = digits
    given = corrupt(y, next_class(10, 0.3), seed=1)
    found = find_label_errors(x, given)
    assert average_precision(given != y, found.probability) > 0.95
    assert np.diag(found.transition).mean() == pytest.approx(0.7, abs=0.06)
    assert np.diag(np.roll(found.transition, -1, axis=1)).mean() == pytest.approx(0.3, abs=0.08)


@pytest.mark.parametrize("transition", [next_class(3, 0.4), symmetric(3, 0.4)])
def test_many_wrong_labels_are_not_explained_away(transition):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 3000)
    x = 5 * np.eye(3)[y] + rng.standard_normal((3000, 3))
    given = corrupt(y, transition, seed=0)
    found = find_label_errors(x, given)
    assert found.noise_rate == pytest.approx((given != y).mean(), abs=0.04)
    np.testing.assert_allclose(found.transition, transition, atol=0.08)


def test_right_labels_yield_few_suspects(digits):
    found = find_label_errors(*digits)
    assert len(found.suspects()) <= 0.01 * len(digits[1])
    assert found.noise_rate < 0.02


def test_an_audit_is_as_it_says(noisy):
    given, found = noisy
    n = len(given)
    assert len(found) == n
    np.testing.assert_array_equal(found.given, given)
    np.testing.assert_allclose(found.posterior.sum(1), 1)
    raw = bayes(found.beliefs, given, found.transition)
    said = 1 - raw[np.arange(n), given]
    np.testing.assert_array_equal(np.argsort(-said, kind="stable"), found.order)  # calibration keeps the order
    others = np.eye(10)[given] == 0
    shares = [p[others].reshape(n, -1) / p[others].reshape(n, -1).sum(1, keepdims=True) for p in (raw, found.posterior)]
    np.testing.assert_allclose(*shares, rtol=1e-6)
    np.testing.assert_allclose(found.transition.sum(1), 1)
    np.testing.assert_allclose(found.probability, 1 - found.posterior[np.arange(n), given], atol=1e-12)
    np.testing.assert_array_equal(found.suggested, found.classes[found.posterior.argmax(1)])
    assert sorted(found.rank) == list(range(1, n + 1))
    assert (np.diff(found.probability[found.order]) <= 0).all()
    assert found.order[0] == int(found.rank.argmin())
    assert len(found.suspects(0.0)) == n
    assert found.noise_rate == pytest.approx(found.probability.mean())


def test_the_same_seed_gives_the_same_audit(digits, noisy):
    again = find_label_errors(digits[0], noisy[0])
    np.testing.assert_array_equal(again.probability, noisy[1].probability)


def test_labels_may_be_names(digits):
    x, y = digits[0][:300], digits[1][:300] % 2
    names = np.array(["odd", "even"])[1 - y]
    found = find_label_errors(x, names.tolist())
    assert found.classes.tolist() == ["even", "odd"]
    np.testing.assert_array_equal(found.probability, find_label_errors(x, y).probability)


def test_no_student_has_learnt_the_labels_of_its_part(digits):
    x, y = digits
    rows = Rows.of(x)
    full = Students.of(held(rows), y, 10)
    part = folds_of(full, 0)[0]
    assert not set(part.out) & set(part.kept)
    assert sorted([*part.out, *part.kept]) == list(range(len(x)))
    np.testing.assert_array_equal(part.students(full).labels, y[part.kept])
    alone = Students.of(held(rows)[part.kept], y[part.kept], 10)
    np.testing.assert_allclose(part.students(full).cross, alone.cross, atol=1e-8)
    setting = StudentSetting("labels", 1, 1e-4, 1e-4)
    found = np.zeros((len(x), 10))
    part.fill(found, full, part.students(full).exact(setting))
    np.testing.assert_allclose(found[part.out], held(rows)[part.out] @ alone.exact(setting), atol=0.05)
    assert not found[part.kept].any()


def test_each_part_holds_its_share_of_each_class():
    labels = np.repeat([0, 1, 2], [50, 10, 3])
    parts = deal(labels, 5, seed=0)
    assert sorted(np.concatenate(parts)) == list(range(63))
    for part in parts:
        counts = np.bincount(labels[part], minlength=3)
        assert counts[0] == 10
        assert counts[1] == 2
        assert counts[2] <= 1


def test_the_progress_of_the_students_ends_at_its_end(digits):
    ticks = []
    full = Students.of(held(Rows.of(digits[0][:200])), digits[1][:200], 10)
    HeldOutOpinions(full, folds_of(full, 0), tick=lambda *now: ticks.append(now)).opinions()
    assert ticks[-1][1] == ticks[-1][2]
    assert all(what == "judging" and done <= total for what, done, total in ticks)


def test_rows_read_in_blocks_are_judged_like_rows_in_memory(digits, noisy, monkeypatch):
    from tutelage.distil import rows

    monkeypatch.setattr(rows, "HELD", 0)
    found = find_label_errors(digits[0], noisy[0])
    assert np.corrcoef(found.probability, noisy[1].probability)[0, 1] > 0.999


def test_few_rows_of_many_features_are_audited():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 12)
    x = rng.standard_normal((24, 100)) + 2.0 * np.where(y == 0, 1, -1)[:, None]
    y[5] = 1
    found = find_label_errors(x, y)
    assert found.order[0] == 5


def test_neighbours_are_those_of_brute_force(monkeypatch):
    x = np.random.default_rng(0).standard_normal((700, 5))
    z = x - x.mean(0)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    cosine = z @ z.T
    np.fill_diagonal(cosine, -2)
    expected = np.argsort(-cosine, axis=1)[:, :10]
    found = compared(x)
    np.testing.assert_array_equal(np.sort(found.index, axis=1), np.sort(expected, axis=1))
    np.testing.assert_allclose(found.cosine, -np.sort(-cosine, axis=1)[:, :10], atol=1e-5)
    monkeypatch.setattr(neighbours, "AMONG", 100)
    few = compared(x)
    assert len(np.unique(few.index)) <= 100
    assert not (few.index == np.arange(700)[:, None]).any()


def test_very_large_features_have_neighbours_like_any_others():
    x = np.random.default_rng(0).standard_normal((50, 5))
    np.testing.assert_array_equal(compared((1e30 * x).astype(np.float32)).index[:, :3], compared(x).index[:, :3])


def test_votes_are_counts_of_labels():
    found = Neighbours(np.array([[1, 2], [0, 2]]), np.ones((2, 2)))
    assert votes(found, np.array([0, 1, 1]), 2).tolist() == [[0, 2], [1, 1]]
    np.testing.assert_allclose(opinion(found, np.array([0, 1, 1]), 2)[0], np.log([0.5, 2.5]))


def test_reasons_say_the_probabilities_the_neighbours_and_the_twin(digits):
    x, y = np.vstack([digits[0][:300], digits[0][7]]), np.append(digits[1][:300], 1)
    found = find_label_errors(x, y)  # the last row is row 7 again, but labelled 1
    said = reasons(found, np.array([300]), list(range(1, 302)))[0]
    assert said.startswith("given 1 (")
    assert "rather 7 (" in said
    assert "of its 10 nearest rows are labelled 7" in said
    assert said.endswith("row 8 is all but the same and is labelled 7")


def test_truth_is_measured_where_it_is_known(noisy, digits):
    given, found = noisy
    truth = [str(v) for v in digits[1]]
    named = find_label_errors(digits[0], given.astype(str))
    whole = against_truth(named, named.suspects(), truth)
    assert whole["rows"] == 900
    assert whole["wrong"] == int((given != digits[1]).sum())
    assert whole["average_precision"] == pytest.approx(average_precision(given != digits[1], found.probability))
    part = against_truth(named, named.suspects(), [*truth[:450], *[None] * 450])
    assert part["rows"] == 450
    assert part["wrong"] == int((given != digits[1])[:450].sum())


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones((4, 2)), ["a"] * 4, "y needs labels of at least 2 classes, got 1 class: 'a'"),
        (np.ones((4, 2)), ["a", "a", "a", "b"], "each class must have at least 2 rows, but 'b' has one"),
        (np.array([[1.0], [np.nan], [1.0], [1.0]]), [0, 0, 1, 1], "NaN"),
        (np.ones((4, 2)), [0.5, 0.1, 0.2, 0.3], "Unknown label type"),
    ],
)
def test_bad_input_is_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        find_label_errors(x, y)


def test_arguments_out_of_range_are_refused(noisy):
    with pytest.raises(ValueError, match=r"least must be in \[0, 1\], got 2"):
        noisy[1].suspects(2)
    with pytest.raises(ValueError, match="random_state must be"):
        find_label_errors(np.ones((4, 2)), [0, 0, 1, 1], random_state=-1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("rows", "classes"), [(300, 2), (1000, 3)])
def test_features_that_say_nothing_accuse_no_label(rows, classes, seed):
    rng = np.random.default_rng(seed)
    found = find_label_errors(rng.normal(size=(rows, 5)), rng.integers(0, classes, rows))
    assert np.isnan(found.noise_rate)
    assert not len(found.suspects(0.01))


def test_constant_features_accuse_no_label():
    found = find_label_errors(np.ones((60, 3)), np.arange(60) % 3)
    assert np.isnan(found.noise_rate)
    assert not len(found.suspects(0.01))


def test_weak_features_still_say_something():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 600)
    found = find_label_errors(rng.normal(size=(600, 5)) + y[:, None], y)
    assert 0 <= found.noise_rate < 0.3


@pytest.fixture(scope="module")
def few(digits):
    x, y = digits[0][:240], digits[1][:240]
    return x, corrupt(y, symmetric(10, 0.15), seed=2)


@pytest.fixture(scope="module")
def few_audited(few):
    return find_label_errors(*few)


def test_an_audit_with_copies_finds_what_it_finds_without(few, few_audited):
    x, given = few
    order = np.concatenate([np.arange(240), np.random.default_rng(0).permutation(np.repeat(np.arange(240), 2))])
    found = find_label_errors(x[order], given[order])
    np.testing.assert_array_equal(found.probability, few_audited.probability[order])
    np.testing.assert_array_equal(found.suggested, few_audited.suggested[order])
    assert found.noise_rate == few_audited.noise_rate
    assert set(order[found.suspects()].tolist()) == set(few_audited.suspects().tolist())


def test_nearly_equal_copies_count_once_where_their_groups_are_given(few, few_audited):
    x, given = few
    order = np.concatenate([np.arange(240)] * 3)
    noisy = x[order] + np.r_[np.zeros((240, 64)), 0.01 * np.random.default_rng(0).standard_normal((480, 64))]
    found = find_label_errors(noisy, given[order], copies=order)
    np.testing.assert_array_equal(found.probability, few_audited.probability[order])


def test_without_groups_near_copies_are_the_nearest_neighbours(few):
    """The control: where near copies count as rows, each confirms the other's label."""
    x, given = few
    order = np.concatenate([np.arange(240)] * 3)
    noisy = x[order] + 0.01 * np.random.default_rng(0).standard_normal((720, 64))
    near = find_label_errors(noisy, given[order]).neighbours.index
    assert (order[near[:, :2]] == order[:, None]).all()


def test_copies_with_other_labels_are_no_neighbours_and_held_out_together(few):
    x, given = few
    other = (given[:20] + 1) % 10
    found = find_label_errors(np.concatenate([x, x[:20]]), np.concatenate([given, other]))
    assert not (found.copies[found.neighbours.index] == found.copies[:, None]).any()
    assert found.copies[240:].tolist() == list(range(20))
    first = (found.suggested[:20] == given[:20]).mean()
    assert first > 0.5  # one of both labels is the likelier one
    said = reasons(found, np.arange(240, 260), range(1, 261))
    assert all(f"row {i + 1} is all but the same" in line for i, line in enumerate(said))


def test_copies_of_the_wrong_shape_are_named(few):
    with pytest.raises(ValueError, match="copies must have a group number for each of 240 rows"):
        find_label_errors(*few, copies=[0, 1])
