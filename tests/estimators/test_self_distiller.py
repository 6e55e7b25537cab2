"""The scikit-learn face of self-distillation."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from tutelage import SelfDistiller
from tutelage.distil import rows as reading
from tutelage.distil.choice import MARGIN
from tutelage.distil.closed import decompose, one_hot, outputs
from tutelage.distil.noise import corrupt, next_class, symmetric
from tutelage.distil.rows import Rows

METHODS = ("auto", "labels", "rounds", "robust", "two_hot")


@pytest.fixture(scope="module")
def digits():
    """Rows, labels and a permutation's worth of other rows."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    return x[order[:1200]], y[order[:1200]], x[order[1200:]], y[order[1200:]]


@pytest.fixture(scope="module")
def noisy(digits):
    return corrupt(digits[1], symmetric(10, 0.5), seed=0)


@pytest.mark.parametrize("method", METHODS[:4])
def test_scikit_learn_checks(method):
    check_estimator(SelfDistiller(method), on_skip=None)


def best_of_logistic_regressions(x, y, new, truth):
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    grid = GridSearchCV(model, {"logisticregression__C": 10.0 ** np.arange(-4, 1.1, 0.5)}, cv=5).fit(x, y)
    return grid.score(new, truth)


@pytest.mark.parametrize(
    ("noise", "gain"), [(symmetric(10, 0.0), -0.005), (symmetric(10, 0.6), 0.04), (next_class(10, 0.4), 0.05)]
)
def test_far_better_than_a_tuned_logistic_regression_at_high_noise_and_no_worse_at_none(digits, noise, gain):
    x, y, new, truth = digits
    given = corrupt(y, noise, seed=1)
    model = SelfDistiller().fit(x, given)
    reference = best_of_logistic_regressions(x, given, new, truth)
    assert model.score(new, truth) >= reference + gain
    assert (model.classes_[model.labels_.argmax(1)] == y).mean() > (given == y).mean() - 0.01


def test_rounds_are_those_of_the_closed_form(digits, noisy):
    x, _, new, _ = digits
    model = SelfDistiller("rounds", rounds=4, weight_decay=1e-3).fit(x, noisy)
    rows = Rows.of(x)
    d = decompose(rows)
    w = d.weights(d.moments(rows, one_hot(noisy, 10)), 1e-3, 4)
    np.testing.assert_allclose(model.labels_, softmax(10 * outputs(rows, w), axis=1), atol=1e-10)
    np.testing.assert_allclose(model.predict_proba(new), softmax(10 * (rows.of_others(new)[:] @ w), axis=1), atol=1e-10)
    np.testing.assert_allclose(model.predict_proba(x), model.labels_, atol=1e-10)
    assert model.rounds_ == 4
    assert model.tried_ == []


def test_one_round_is_ridge_regression(digits, noisy):
    from sklearn.linear_model import Ridge

    x, _, new, _ = digits
    model = SelfDistiller("rounds", rounds=1, weight_decay=1e-3).fit(x, noisy)
    z, other = (Rows.of(x).of_others(v)[:] for v in (x, new))
    ridge = Ridge(alpha=10 * 1e-3 * len(x), fit_intercept=False).fit(z, one_hot(noisy, 10) - 0.1)
    np.testing.assert_array_equal(model.predict(new), ridge.predict(other).argmax(1))


def test_rounds_undo_wrong_labels_that_were_learnt_and_at_last_the_right_ones_too(digits, noisy):
    x, y, *_ = digits

    def right(weight_decay, rounds):
        model = SelfDistiller("rounds", rounds=rounds, weight_decay=weight_decay).fit(x[:150], noisy[:150])
        return (model.labels_.argmax(1) == y[:150]).mean()

    assert right(1e-4, 10) > right(1e-4, 1) + 0.05 > right(1e-4, 1) > (noisy[:150] == y[:150]).mean() + 0.05
    assert right(1e-3, 20) < right(1e-3, 1) - 0.3


@pytest.mark.parametrize("method", METHODS)
def test_what_was_tried_is_told(digits, noisy, method):
    model = SelfDistiller(method).fit(digits[0], noisy)
    assert model.chosen_ in [t.setting for t in model.tried_]
    assert {t.setting.kind for t in model.tried_} == (set(METHODS[1:]) if method == "auto" else {method})
    assert model.rounds_ == model.chosen_.rounds
    best = model.tried_[0]
    mine = next(t for t in model.tried_ if t.setting == model.chosen_)
    assert best.score - mine.score == pytest.approx(mine.behind[0])
    assert mine.behind[0] <= MARGIN * mine.behind[1]


def test_clean_labels_choose_when_given(digits, noisy):
    x, y, new, truth = digits
    given = corrupt(y, symmetric(10, 0.8), seed=2)
    model = SelfDistiller("rounds").fit(x, given, new[:300], truth[:300])
    for t in (model.tried_[0], model.tried_[-1]):
        s = t.setting
        again = SelfDistiller("rounds", rounds=s.rounds, weight_decay=s.weight_decay).fit(x, given)
        assert again.score(new[:300], truth[:300]) == pytest.approx(t.score)


def test_labels_of_any_kind(digits, noisy):
    x, *_ = digits
    names = np.array([f"digit {i}" for i in range(10)], dtype=object)
    model, plain = SelfDistiller("rounds").fit(x, names[noisy]), SelfDistiller("rounds").fit(x, noisy)
    assert list(model.classes_) == list(names)
    np.testing.assert_array_equal(model.predict(x), names[plain.predict(x)])
    clean = SelfDistiller("rounds").fit(x, names[noisy], x[:50], names[noisy[:50]])
    assert set(clean.predict(x)) <= set(names)


def test_the_same_fit_twice_of_either_precision_and_any_block(monkeypatch, digits, noisy):
    x, _, new, _ = digits
    one, two = SelfDistiller().fit(x, noisy), SelfDistiller().fit(x, noisy)
    np.testing.assert_array_equal(one.predict_proba(new), two.predict_proba(new))
    np.testing.assert_allclose(SelfDistiller().fit(x.astype(np.float32), noisy).labels_, one.labels_, atol=1e-3)
    monkeypatch.setattr(reading, "BLOCK", 100)
    np.testing.assert_allclose(SelfDistiller().fit(x, noisy).labels_, one.labels_, atol=1e-3)


def test_scale_and_place_of_the_features_do_not_matter(digits, noisy):
    x, _, new, _ = digits
    moved = SelfDistiller("rounds").fit(x * 7 + 3, noisy).predict_proba(new * 7 + 3)
    np.testing.assert_allclose(moved, SelfDistiller("rounds").fit(x, noisy).predict_proba(new), atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_more_features_than_rows(digits, noisy, method):
    x, _, new, _ = digits
    wide = np.random.default_rng(0).standard_normal((64, 300))
    model = SelfDistiller(method, random_state=3).fit((x @ wide)[:200], noisy[:200])
    assert model.coef_.shape == (10, 300)
    np.testing.assert_allclose(model.predict_proba((x @ wide)[:200]), model.labels_, atol=1e-8)
    assert (model.predict(new @ wide) == digits[3]).mean() > 0.4


def test_clones_and_pickles(digits, noisy):
    x, *_ = digits
    model = SelfDistiller("rounds", rounds=3)
    assert clone(model).get_params() == {"method": "rounds", "rounds": 3, "weight_decay": None, "random_state": 0}
    again = pickle.loads(pickle.dumps(model.fit(x, noisy)))
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))


def test_two_classes():
    x, y = load_digits(n_class=2, return_X_y=True)
    noisy = corrupt(y, symmetric(2, 0.3), seed=0)
    model = SelfDistiller().fit(x, noisy)
    assert "two_hot" not in {t.setting.kind for t in model.tried_}
    assert model.predict_proba(x).shape == (len(x), 2)
    assert model.score(x, y) > 0.98
    with pytest.raises(ValueError, match=r"two-hot labels need at least 3 classes, got 2: .* \(1/2, 1/2\)"):
        SelfDistiller("two_hot").fit(x, noisy)


def test_superclasses_of_two_are_warned_of():
    rng, y = np.random.default_rng(0), np.arange(400) % 4
    x = np.eye(2)[y // 2] * 20 + 0.3 * rng.standard_normal((400, 2))
    with pytest.warns(UserWarning, match="cannot tell these classes apart"):
        SelfDistiller("two_hot", weight_decay=1e-3).fit(x, y)


def test_a_class_of_one_row_and_a_constant_feature_are_no_obstacle(digits):
    x, y, *_ = digits
    rare = np.where(np.arange(1200) == 5, 99, y)
    model = SelfDistiller().fit(np.c_[x, np.ones(1200)], rare)
    assert model.predict_proba(np.c_[x, np.ones(1200)]).shape == (1200, 11)
    assert set(SelfDistiller().fit(np.ones((6, 2)), [0, 0, 0, 0, 1, 2]).predict(np.ones((3, 2)))) == {0}


X = np.arange(12.0).reshape(6, 2)


@pytest.mark.parametrize(
    ("settings", "data", "message"),
    [
        ({}, (X, [1] * 6), "at least 2 classes, got 1 class: 1"),
        ({}, (X * np.nan, [0, 0, 1, 1, 2, 2]), "NaN"),
        ({}, (X, [0, 1]), "inconsistent numbers of samples"),
        ({}, (X, [0, 0, 1, 1, 2, 2], X, [0, 0, 1, 1, 2, 7]), r"y_clean has labels that y has not: \[7\]"),
        ({}, (X, [0, 0, 1, 1, 2, 2], X), "X_clean needs y_clean"),
        ({}, (X, [0, 0, 1, 1, 2, 2], X[:, :1], [0] * 6), "X has 1 features, but SelfDistiller is expecting 2"),
        ({"method": "pll"}, (X, [0, 0, 1, 1, 2, 2]), "method must be one of auto, labels, .*, got 'pll'"),
        ({"rounds": 0}, (X, [0, 0, 1, 1, 2, 2]), "rounds must be at least 1, got 0"),
        ({"weight_decay": -1.0}, (X, [0, 0, 1, 1, 2, 2]), "weight_decay must be above 0, got -1.0"),
    ],
)
def test_bad_input_is_named(settings, data, message):
    with pytest.raises(ValueError, match=message):
        SelfDistiller(**settings).fit(*data)


def test_clean_rows_are_checked_by_name():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"a": np.repeat([0.0, 5.0, 9.0], 20), "b": rng.normal(size=60)})
    y = np.repeat([0, 1, 2], 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        SelfDistiller("rounds").fit(rows, y, rows, y)
    with pytest.raises(ValueError, match="feature names should match"):
        SelfDistiller("rounds").fit(rows, y, rows[["b", "a"]], y)
    with pytest.raises(ValueError, match="y_clean needs X_clean"):
        SelfDistiller("rounds").fit(rows, y, y_clean=y)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"rounds": 2.5}, "rounds must be a whole number, got 2.5"), ({"random_state": -1}, "random_state must be in")],
)
def test_numbers_that_are_none_of_the_allowed_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        SelfDistiller("rounds", **changes).fit(np.eye(6), np.arange(6) % 3)
