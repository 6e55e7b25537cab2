"""Copies of the answer, numbers that stand for none, outliers and totals are asked about; clean features are not."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.kinds.entries import Entries, InValues
from tutelage.kinds.rows import Rows
from tutelage.modalities.rows.odd_numbers import Columns, note_odd_numbers
from tutelage.tables import Notes

LABELS = [("well", "ill", None)[i % 3] for i in range(60)]


def asked(x, labels=LABELS):
    notes = Notes()
    names = [f"x{j}" for j in range(x.shape[1])]
    note_odd_numbers(Columns(x.astype(np.float32), names, lambda i: f"row {i + 1}", "a.csv"), labels, notes)
    return [question.asks for question in notes.questions]


@pytest.fixture
def clean():
    rng = np.random.default_rng(0)
    return np.stack([rng.normal(size=60), rng.lognormal(3, 2, 60), rng.integers(0, 2, 60), rng.integers(0, 99, 60)], 1)


def test_nothing_is_asked_of_clean_features(clean):
    assert asked(clean) == []
    assert asked(clean - clean.mean(0)) == []
    assert asked(np.eye(60)) == []


def test_a_feature_that_copies_the_labels_is_asked_about(clean):
    clean[:, 2] = [7 if label == "well" else 3 for label in LABELS]
    (question,) = asked(clean)
    assert "feature x2 has one number for each class (3 for 'ill', 7 for 'well')" in question
    assert not asked(clean[:25], LABELS[:25])  # few labels do not tell
    clean[0, 2] = 3
    assert not asked(clean)


@pytest.mark.parametrize(("value", "count"), [(-999, 1), (-99, 3), (999999, 2)])
def test_numbers_that_stand_for_none_are_asked_about(clean, value, count):
    clean[5 : 5 + count, 3] = value
    (question,) = asked(clean)
    assert f"{count} of 60 rows have {value} for feature x3 (first: row 6), which may stand for none" in question
    clean[8, 3] = -3
    assert len(asked(clean)) == (value > 0)  # beside other negative numbers it is one


def test_each_question_leaves_out_all_features_that_are_asked_about(clean):
    clean[:, 0] = range(60)
    clean[3:5, [1, 3]] = -999
    clean[:, 2] = [7 if label == "well" else 3 for label in LABELS]
    notes = Notes()
    names = ["a", "b", "c", "d", "e"]
    x = np.column_stack([clean, np.arange(60) % 4]).astype(np.float32)
    note_odd_numbers(Columns(x, names, str, "a.csv"), LABELS, notes)
    assert "2 of 60 rows have -999 for features b, d (first: 3)" in notes.questions[-1].asks
    assert [question.options[-1] for question in notes.questions] == ["--features e"] * 3


def test_one_number_far_above_all_others_is_asked_about(clean):
    clean[4, 0] = -2e9
    (question,) = asked(clean)
    assert question.startswith("a.csv, row 5: feature x0 is -2e+09, more than 1,000 times as large as any other number")


def test_a_few_numbers_far_above_all_others_are_asked_about_together(clean):
    many = np.tile(clean, (6, 1)) + np.random.default_rng(0).normal(size=(360, 4))
    many[[7, 200], 0] = -3e7, 2e7
    (question,) = asked(many, [None] * 360)
    assert question.startswith("a.csv, row 8: feature x0 is -3e+07, and in 2 of 360 rows more than 1,000 times")
    many[20:30, 0] = 5e7  # one in thirty: the feature is like that
    assert not asked(many, [None] * 360)


def test_a_far_number_of_a_pool_is_asked_about():
    rng = np.random.default_rng(0)
    pool = rng.normal(size=(400, 2))
    pool[11, 1] = 1e9
    notes = Notes()
    Rows(label="y").note(entries(rng.normal(size=(20, 2)), "mine"), entries(pool, "pool"), None, notes)
    assert "pool[11]: feature 1 is 1e+09" in notes.questions[-1].asks


def entries(x, name):
    return Entries(x, [None] * len(x), InValues({"item": name}, range(len(x))))


@pytest.mark.parametrize("of", [np.sum, np.mean])
def test_a_row_of_totals_is_asked_about(clean, of):
    clean[-1] = of(clean[:-1], axis=0).round(3)
    (question,) = asked(clean)
    assert question.startswith("a.csv, row 60: each feature of the last row is the sum, or the mean, of the rows above")


def test_numbers_that_cancel_or_hardly_differ_from_zero_make_no_totals():
    many = np.random.default_rng(0).normal(size=(20_000, 3))
    assert not asked((many - many.mean(0)) / many.std(0), [None] * 20_000)
    rare = np.zeros((60, 3))
    rare[[3, 7, 59, 59], [0, 1, 0, 1]] = 1
    assert not asked(rare)
