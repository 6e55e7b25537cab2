"""The student is chosen on rows it has not seen."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tutelage.distil import choice
from tutelage.distil.choice import (
    FURTHEST,
    HeldOutRows,
    Students,
    StudentSetting,
    Trial,
    chosen,
    held_out_rows,
    settings,
    trials,
)
from tutelage.distil.closed import decompose, one_hot, outputs
from tutelage.distil.exact import student as exact
from tutelage.distil.noise import corrupt, symmetric
from tutelage.distil.partial import student, two_hot
from tutelage.distil.rows import Rows


@pytest.fixture(scope="module")
def digits():
    """Rows, noisy labels, the truth; other rows and their truth."""
    x, y = load_digits(return_X_y=True)
    rows = Rows.of(x[:600])
    return rows, corrupt(y[:600], symmetric(10, 0.4), seed=0), y[:600], rows.of_others(x[600:]), y[600:]


@pytest.fixture(scope="module")
def full(digits):
    return Students.of(digits[0], digits[1], 10)


def test_parts_cover_the_rows_once_with_the_classes_shares(digits, full):
    _, noisy, *_ = digits
    found = held_out_rows(full, seed=0)
    assert len(found) == choice.FOLDS
    assert sorted(np.concatenate([f.rows.index for f in found]).tolist()) == list(range(600))
    for f in found:
        assert not set(f.rows.index) & set(f.students.rows.index)
        assert len(f.rows) + len(f.students.rows) == 600
        np.testing.assert_array_equal(noisy[f.rows.index], f.labels)
        assert np.abs(np.bincount(f.labels, minlength=10) - np.bincount(noisy) / 5).max() <= 1
    again, other = held_out_rows(full, seed=0), held_out_rows(full, seed=1)
    np.testing.assert_array_equal(again[0].rows.index, found[0].rows.index)
    assert (other[0].rows.index != found[0].rows.index).any()


def test_no_more_rows_are_held_out_than_are_enough(monkeypatch, full):
    monkeypatch.setattr(choice, "MOST_HELD_OUT", 50)
    found = held_out_rows(full, seed=0)
    assert [len(f.rows) for f in found] == [50]
    monkeypatch.setattr(choice, "MOST_HELD_OUT", 200)
    assert [len(f.rows) for f in held_out_rows(full, seed=0)] == [120, 120]


def test_a_part_s_students_are_those_of_its_rows_alone(full):
    fold = held_out_rows(full, seed=0)[1]
    alone = Students.of(fold.students.rows, fold.students.labels, 10)
    wanted = [StudentSetting("rounds", 3, 1e-3, 1e-3), StudentSetting("two_hot", 1, 1e-2, 1e-3)]
    np.testing.assert_allclose(fold.students.closed(wanted), alone.closed(wanted), atol=1e-8)


def test_weights_are_those_of_the_students_themselves(digits, full):
    rows, noisy, _, new, truth = digits
    x, y, d = rows[:], one_hot(noisy, 10), decompose(rows[:])
    first = outputs(x, d.weights(d.moments(x, y), 1e-3))
    expected = {
        StudentSetting("rounds", 4, 1e-3, 1e-3): 10 * d.weights(d.moments(x, y), 1e-3, 4),
        StudentSetting("two_hot", 1, 1e-2, 1e-3): 10 * student(d, x, two_hot(first), 1e-2),
    }
    for setting, weights in expected.items():
        np.testing.assert_allclose(full.weights(setting), weights, atol=1e-8)
        right = HeldOutRows(full, new, truth).right(full.weights(setting)[None])[0]
        np.testing.assert_array_equal(right, (new[:] @ weights).argmax(1) == truth)
    for kind, power in (("labels", 0.0), ("robust", choice.ROBUST)):
        optimum = exact(x, y, 1e-3 * 10**-power, power, start=full.weights(StudentSetting("rounds", 1, 1e-3, 1e-3)))
        rough = full.weights(StudentSetting(kind, 1, 1e-3, 1e-3))
        assert ((x @ rough).argmax(1) == (x @ optimum.weights).argmax(1)).mean() > 0.99


def test_every_student_is_scored_and_the_best_comes_first(digits, full):
    *_, new, truth = digits
    clean = [HeldOutRows(full, new, truth)]
    table = trials(clean, ("labels", "rounds", "two_hot"), (1, 2), (1e-4, 1e-3))
    assert len({t.setting for t in table}) == len(table)
    counts = Counter(t.setting.kind for t in table)
    assert (counts["rounds"], counts["two_hot"]) == (4, 6)
    assert 2 <= counts["labels"] <= 3 + FURTHEST
    assert [t.score for t in table] == sorted((t.score for t in table), reverse=True)
    assert table[0].behind == (0, 0)
    for t in table[:: len(table) - 1]:
        right = (new[:] @ full.weights(t.setting)).argmax(1) == truth
        best = (new[:] @ full.weights(table[0].setting)).argmax(1) == truth
        assert t.score == pytest.approx(right.mean())
        lost = best.astype(float) - right
        assert t.behind == pytest.approx((lost.mean(), lost.std() / np.sqrt(len(new))))
    assert {t.setting.kind for t in trials(clean, ("two_hot",), (1,), (1e-3,))} == {"two_hot"}
    assert {t.setting.rounds for t in trials(clean, ("rounds",), (3, 5), (1e-3,))} == {3, 5}


def test_exact_students_are_tried_until_a_further_weight_decay_is_worse(digits, full):
    *_, new, truth = digits
    table = trials([HeldOutRows(full, new, truth)], ("labels", "rounds"), (1,), (1e-4, 1e-3))
    found = sorted((t.setting.weight_decay, t.score) for t in table if t.setting.kind == "labels")
    scores = [score for _, score in found]
    middle = next(t.setting.weight_decay for t in table if t.setting.kind == "rounds")
    assert len(found) > 3  # the best is far above the linearised one's
    assert found[-1][0] < middle * 10**2.1
    np.testing.assert_allclose(np.diff(np.log10([w for w, _ in found])), 0.5)
    assert max(scores) not in (scores[0], scores[-1]) or found[-1][0] == pytest.approx(middle * 100)


def entry(kind, rounds, score, behind, error):
    return Trial(StudentSetting(kind, rounds, 1.0, 1.0), score, (behind, error))


def test_more_rounds_are_not_taken_where_one_is_as_good_within_the_margin():
    many, one = entry("rounds", 9, 0.60, 0, 0), entry("rounds", 1, 0.59, 0.01, 0.024)
    labels = ("labels", 1, 0.585, 0.015)
    assert chosen([many, one]) == one.setting
    assert chosen([many, one, entry(*labels, 0.04)]).kind == "labels"
    assert chosen([many, one, entry(*labels, 0.028)]) == one.setting
    assert chosen([many, entry("rounds", 1, 0.57, 0.03, 0.024)]) == many.setting
    robust = entry("robust", 1, 0.60, 0, 0)
    assert chosen([many, robust]) == robust.setting
    assert chosen([many, entry("two_hot", 1, 0.60, 0, 0)]) == many.setting


def test_of_one_kind_the_best_weight_decay_is_taken():
    a, b = (Trial(StudentSetting("rounds", 1, w, w), s, (0.6 - s, 0.05)) for w, s in ((0.1, 0.58), (0.2, 0.59)))
    assert chosen([a, b]) == b.setting


def test_settings_always_hold_the_teachers():
    assert settings(("two_hot",), (5,), (0.1,), (1.0, 2.0)) == [
        StudentSetting("rounds", 1, 0.1, 0.1), StudentSetting("two_hot", 1, 0.1, 0.1),
        StudentSetting("two_hot", 1, 0.2, 0.1),
    ]  # fmt: skip
