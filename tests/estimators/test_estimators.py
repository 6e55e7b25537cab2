"""The scikit-learn face."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from tutelage import Auto, Classifier, Drift, load
from tutelage.methods import METHODS

FAST = {"steps": 40, "folds": 2, "repeats": 1}


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    hidden = np.where(np.arange(len(y)) < 120, y, -1)
    return x[:600], y[:600], hidden[:600]


def test_minus_one_is_unlabelled_and_the_pool_may_come_apart(digits):
    x, _, hidden = digits
    known = hidden >= 0
    one = Classifier(**FAST).fit(x, hidden)
    two = Classifier(**FAST).fit(x[known], hidden[known], X_unlabelled=x[~known])
    np.testing.assert_array_equal(one.predict_proba(x), two.predict_proba(x))


def test_transduction_keeps_known_labels_and_predicts_the_others(digits):
    x, _, hidden = digits
    model = Classifier(**FAST).fit(x[:300], hidden[:300], X_unlabelled=x[300:])
    assert model.transduction_.shape == (600,)
    np.testing.assert_array_equal(model.transduction_[:120], hidden[:120])
    np.testing.assert_array_equal(model.transduction_[120:], model.predict(x[120:]))


@pytest.mark.parametrize("unknown", [-1, None, np.nan])
def test_string_labels(digits, unknown):
    x, _, hidden = digits
    names = np.array([f"digit {i}" for i in range(10)], dtype=object)
    y = [names[v] if v >= 0 else unknown for v in hidden]
    model = Classifier(**FAST).fit(x, y)
    assert list(model.classes_) == list(names)
    assert set(model.predict(x)) <= set(names)
    np.testing.assert_array_equal(model.predict_proba(x), Classifier(**FAST).fit(x, hidden).predict_proba(x))


def test_auto_chooses_and_says_what_it_tried(digits):
    x, _, hidden = digits
    model = Classifier(Auto(budget=40), steps=15, folds=3, repeats=2).fit(x, hidden)
    assert model.method_.name in (*METHODS, "committee")
    assert model.tried_[0].rungs == 2
    assert model.tried_[0].score is not None
    with pytest.raises(ValueError, match="auto chooses by the evidence"):
        Classifier("auto", evidence=False).fit(x, hidden)
    blind = Classifier("auto", steps=15).fit(x, votes=hidden[:, None])  # no clean label can choose: drift is played
    assert (blind.method_.name, blind.evidence_, blind.tried_) == ("drift", None, [])


def test_probabilities_and_score(digits):
    x, y, hidden = digits
    model = Classifier(steps=150, folds=2, repeats=1).fit(x, hidden)
    p = model.predict_proba(x)
    assert p.shape == (600, 10)
    np.testing.assert_allclose(p.sum(1), 1)
    assert model.score(x, y) == (model.predict(x) == y).mean() > 0.8
    assert model.evidence_.labels == 120
    assert model.history_[-1]["step"] == 150


def test_clones_and_pickles(digits):
    x, _, hidden = digits
    model = Classifier(Drift(decay=0.8), **FAST)
    assert clone(model).get_params()["method"] == Drift(decay=0.8)
    model.fit(x, hidden)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))


def test_runs_in_a_pipeline_and_a_grid_search(digits):
    x, y, _ = digits
    grid = GridSearchCV(
        make_pipeline(StandardScaler(), Classifier(evidence=False, steps=40)),
        {"classifier__method": ["mean_teacher", Drift(decay=0.5)]},
        cv=2,
    ).fit(x[:200], y[:200])
    assert grid.best_score_ > 0.6


class Convolution(nn.Module):
    """A user's own network, on images."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))

    def forward(self, x):
        return self.body(x / 16)


@pytest.mark.parametrize("method", ["supervised", "self_training", "mean_teacher", "drift"])
def test_any_module_of_the_user_s(digits, method):
    x, y, hidden = digits
    images = x.reshape(-1, 1, 8, 8).astype(np.float32)
    model = Classifier(method, network=Convolution, steps=150, folds=2, repeats=1).fit(images, hidden)
    assert model.score(images, y) > 0.6


def test_a_module_given_is_copied_not_trained(digits):
    x, _, hidden = digits
    own = nn.Linear(64, 10)
    before = own.weight.detach().clone()
    Classifier(network=own, **FAST).fit(x, hidden)
    assert torch.equal(own.weight, before)


def test_saves_and_loads(digits, tmp_path):
    x, _, hidden = digits
    model = Classifier(**FAST).fit(x, hidden)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").probabilities(x), model.predict_proba(x))


def test_without_a_pool_it_says_what_the_labels_alone_give(digits):
    x, y, _ = digits
    model = Classifier(**FAST).fit(x[:120], y[:120])
    assert model.evidence_.labels == 120
    assert "loss.pool" not in model.history_[-1]


X = np.arange(12.0).reshape(6, 2)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X, [-1] * 6, "y: every label is -1 or None"),
        (X, [1, 1, 1, -1, -1, -1], "y: only one class, 1; two are needed"),
        (X, ["a", "a", "b", None, None, None], "class 'b' has one label"),
        (X, [0, 1], r"X has 6 rows, but y has 2 labels"),
        (X * np.nan, [0, 0, 1, 1, -1, -1], "NaN"),
        (X + np.inf, [0, 0, 1, 1, -1, -1], "infinity"),
        (["a", "b", 3], [0, 1, -1], r"X\[2\] must be a string, got 3"),
        (["a", "b"], [0, 1, 1], "X has 2 texts, but y has 3 labels"),
        (np.zeros((6, 2, 2)), [0, 0, 1, 1, -1, -1], "dim 3"),
    ],
)
def test_bad_input_is_named(x, y, message):
    with pytest.raises(ValueError, match=message):
        Classifier(**FAST).fit(x, y)


def test_bad_settings_are_named(digits):
    x, _, hidden = digits
    with pytest.raises(ValueError, match=r"method must be one of supervised, .*, dividemix, auto, got 'x'"):
        Classifier("x").fit(x, hidden)
    with pytest.raises(ValueError, match="finetune=True is not for rows"):
        Classifier(finetune=True).fit(x, hidden)


@pytest.mark.parametrize("wrap", [list, np.array, pd.Series, lambda t: pd.DataFrame({"text": t})])
def test_texts_of_any_container(texts, encoder_folder, wrap):
    train, label = texts.train.text.tolist(), texts.train.label.tolist()
    pool = texts.pool.text.tolist()
    model = Classifier(encoder=str(encoder_folder), **FAST).fit(wrap(train + pool), label + [None] * len(pool))
    assert set(model.predict(wrap(pool))) <= set(label)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(pool), model.predict(pool))


def test_a_classifier_is_fitted_again_on_other_features():
    x, y = load_digits(return_X_y=True)
    model = Classifier("supervised", steps=5, evidence=False).fit(x[:60], y[:60])
    assert model.fit(x[:60, :20], y[:60]).n_features_in_ == 20
    assert model.predict(x[:3, :20]).shape == (3,)


def test_the_score_is_that_of_the_labelled_items():
    x, y = load_digits(return_X_y=True)
    model = Classifier("supervised", steps=20, evidence=False).fit(x[:100], y[:100])
    some = np.where(np.arange(300) % 2, y[:300], -1)
    assert model.score(x[:300], some) == (model.predict(x[:300]) == y[:300])[1::2].mean()
    assert model.score(x[:300], [None if v == -1 else v for v in some.tolist()]) == model.score(x[:300], some)
    with pytest.raises(ValueError, match="no label to score on"):
        model.score(x[:3], [-1, -1, -1])
