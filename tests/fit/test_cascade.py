"""A cascade does what is foreseen: teachers and students of known error, over many draws of the labels."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.fit.abstention import CONFIDENCE
from tutelage.fit.cascade import FEWEST, SHARES, foreseen


def population(rng, n):
    """A student's probabilities, whether it is right, and whether a teacher is, who is worse where the student is."""
    sure = 0.5 + 0.5 * rng.beta(2, 1, size=n)
    right = rng.random(n) < np.minimum(sure, 0.4 + 0.6 * sure**2)
    teacher = rng.random(n) < 0.6 + 0.35 * sure
    return sure, right, teacher.astype(float)


def held(sure, right):
    return {"confidence": sure[None], "right": right[None], "label": np.zeros(len(sure), int)}


@pytest.mark.parametrize("labels", [60, 200])
def test_the_errors_are_as_they_are_stated_over_many_draws(labels):
    rng = np.random.default_rng(0)
    sure, right, teacher = population(rng, 200_000)
    trials, broken, held_by, told, answering = 300, 0, 0, 0, 0
    for _ in range(trials):
        s, r, t = population(rng, labels)
        t[rng.random(labels) < 0.2] = np.nan  # the teacher did not answer all
        found = foreseen(held(s, r), t, 0.1)
        given = found.promised.answers(sure)
        if given.any():
            answering += 1
            broken += (~right[given]).mean() > 0.1
        if found.teacher is not None:
            told += 1
            held_by += found.teacher.low <= teacher[~given].mean() <= found.teacher.high
    slack = 3 * np.sqrt(CONFIDENCE * (1 - CONFIDENCE) / trials)
    assert broken / trials <= 1 - CONFIDENCE + slack
    assert told > 0.9 * trials and held_by / told >= 0.87
    assert labels < 200 or answering > 0.5 * trials  # and the promise is not kept by silence


def test_the_curve_is_the_accuracy_where_the_least_sure_are_asked_about():
    rng = np.random.default_rng(1)
    sure, right, teacher = population(rng, 120)
    found = foreseen(held(sure, right), teacher, 0.05)
    order = np.argsort(sure)
    for step, share in zip(found.curve, SHARES, strict=True):
        asked = order[: int(np.ceil(share * 120 - 1e-9))]
        kept = np.setdiff1d(order, asked)
        assert step.accuracy.score == pytest.approx((teacher[asked].sum() + right[kept].sum()) / 120)
    assert found.curve[0].accuracy.score == right.mean() and found.curve[-1].accuracy.score == teacher.mean()
    covered = [foreseen(held(*population(rng, 100)[:2]), population(rng, 100)[2], 0.05).curve[0] for _ in range(300)]
    sure, right, _ = population(rng, 200_000)
    inside = [step.accuracy.low <= right.mean() <= step.accuracy.high for step in covered]
    assert np.mean(inside) >= 0.87


def test_the_teacher_is_judged_where_it_is_needed():
    sure = np.concatenate([np.full(60, 0.99), np.full(40, 0.55)])
    right = np.concatenate([np.ones(60), np.zeros(40)]).astype(bool)
    teacher = np.concatenate([np.ones(60), np.repeat([1.0, 0.0], 20)])
    found = foreseen(held(sure, right), teacher, 0.05)
    assert found.kept == pytest.approx(0.6) and found.labels == 40 and found.teacher.score == 0.5  # not 0.8


def test_copies_count_once_and_repeats_do_not_count_twice():
    rng = np.random.default_rng(2)
    sure, right, teacher = population(rng, 90)
    once = foreseen(held(sure, right), teacher, 0.2)
    twice = {"confidence": np.repeat(sure, 2)[None], "right": np.repeat(right, 2)[None], "weight": np.full(180, 0.5)}
    again = foreseen(twice, np.repeat(teacher, 2), 0.2)
    assert again.teacher == pytest.approx(once.teacher) and again.kept == pytest.approx(once.kept)
    assert again.labels == pytest.approx(once.labels)
    three = {"confidence": np.tile(sure, (3, 1)), "right": np.tile(right, (3, 1))}
    assert foreseen(three, teacher, 0.2).labels == pytest.approx(once.labels)


def test_what_few_labels_tell_is_not_foreseen():
    rng = np.random.default_rng(3)
    sure, right, teacher = population(rng, 80)
    teacher[FEWEST - 1 :] = np.nan
    found = foreseen(held(sure, right), teacher, 0.05)
    assert found.teacher is None and found.curve == ()
    assert "is not known" in found.words()[-1] and found.plain()["teacher"] is None
    empty = foreseen({}, np.empty(0), 0.05)
    assert empty.promised.threshold is None and empty.plain()["kept"] is None
