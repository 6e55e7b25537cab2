"""Arguments of the estimators: checked by name, used or not; searched, cloned, and of many containers."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from torch.utils.data import Dataset, TensorDataset

from tutelage import Classifier, Drift, LabelledFolds, Segmenter, Tagger
from tutelage.estimators import base
from tutelage.estimators.containers import apart, dense
from tutelage.methods.fields import Ramp

QUICK = {"steps": 5, "evidence": False}


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x[:200], y[:200], np.where(np.arange(200) < 80, y[:200], -1)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"steps": -1}, "steps must be at least 1, got -1"),
        ({"steps": 2.5}, "steps must be a whole number, got 2.5"),
        ({"folds": 1, "evidence": False}, "folds must be at least 2, got 1"),
        ({"repeats": 0, "evidence": False}, "repeats must be at least 1, got 0"),
        ({"lr": 0}, "lr must be above 0, got 0"),
        ({"device": "gpux"}, "device must be auto, cpu, .*, got 'gpux'"),
        ({"copies": "x"}, "copies must be one of once, each, off, got 'x'"),
        ({"evidence": "no"}, "evidence must be True or False, got 'no'"),
        ({"finetune": 2}, "finetune must be True or False, got 2"),
        ({"adapt": "x"}, "adapt must be True or False or 'contrastive' or None, got 'x'"),
        ({"flip": None}, "flip must be True or False, got None"),
        ({"max_length": 1}, "max_length must be at least 2, got 1"),
        ({"size": (4, 4)}, r"size must be 2 values, each a whole number in \[8, 4096\] or None, got \(4, 4\)"),
        ({"augment": 3}, "augment must be a function or None, got 3"),
        ({"label_model": "x"}, "label_model must be one of majority, .*, got 'x'"),
        ({"network": "unet"}, "network must be one of small_cnn, wide_resnet or .*, got 'unet'"),
        ({"random_state": -1}, r"random_state must be in \[0, 4294967295\], got -1"),
        ({"random_state": "x"}, "random_state must be a whole number .*, a RandomState, a Generator or None, got 'x'"),
        ({"verbose": "x"}, "verbose must be True or False or a function, got 'x'"),
        ({"cache": 3}, "cache must be a text or a Path or False or None, got 3"),
        ({"method": Drift}, r"got the class Drift; give Drift\(\)"),
        ({"method": 3}, "method must be a name or a method, such as .*, got 3"),
    ],
)
def test_each_argument_is_checked_by_name_used_or_not(digits, given, says):
    with pytest.raises((TypeError, ValueError), match=says):
        Classifier(**QUICK | given).fit(digits[0], digits[2])


def test_arguments_of_the_others_are_checked_too():
    with pytest.raises(ValueError, match="spelling must be one of fold, as-is, got 'x'"):
        Tagger(spelling="x").fit([["a"]], [["O"]])
    with pytest.raises(ValueError, match=r"classes must be in \[2, 65536\], got 1"):
        Segmenter(classes=1).fit(np.zeros((2, 16, 16), dtype=np.uint8), np.zeros((2, 16, 16), dtype=np.int64))


def test_hyper_parameters_of_the_method_are_parameters():
    named, own = Classifier("drift"), Classifier(Drift(decay=0.5))
    assert named.get_params()["method__decay"] is None and own.get_params()["method__decay"] == 0.5
    assert "method__decay" not in own.get_params(deep=False)
    assert named.set_params(method__decay=0.7, method__weight="0.0:1.0", steps=3).steps == 3
    assert (named.method.decay, named.method.weight) == (0.7, Ramp(0.0, 1.0))
    assert clone(named).method == named.method
    assert named.set_params(method="mean_teacher", method__weight=0.5).method.name == "mean_teacher"
    assert Classifier("auto").set_params(method__budget=60).method.budget == 60
    with pytest.raises(ValueError, match=r"method drift has no hyper-parameter 'speed'; it has .*decay"):
        Classifier().set_params(method__speed=1)
    with pytest.raises(ValueError, match=r"decay must be in \[0, 1\], got 2"):
        Classifier().set_params(method__decay=2)
    assert Classifier(3).get_params()["method"] == 3  # a wrong value is told at the fit


def test_twelve_settings_are_searched(digits):
    x, _, hidden = digits
    grid = {"method__decay": [0.8, 0.9, 0.99], "method__weight": [0.3, 1.0], "lr": [1e-3, 1e-2]}
    found = GridSearchCV(Classifier("drift", **QUICK), grid, cv=LabelledFolds(2)).fit(x, hidden)
    scores = found.cv_results_["mean_test_score"]
    assert len(scores) == 12 and np.isfinite(scores).all()
    assert found.best_estimator_.method_.decay == found.best_params_["method__decay"]


def test_random_states_are_those_of_scikit_learn(digits):
    x, _, hidden = digits

    def said(state):
        return Classifier(**QUICK, random_state=state).fit(x, hidden).predict_proba(x[:3])

    for kind in (np.random.RandomState, np.random.default_rng):
        one = kind(3)
        first, second = said(one), said(one)
        assert not np.array_equal(first, second)
        np.testing.assert_array_equal(first, said(kind(3)))
    np.random.seed(7)
    drawn = said(None)
    np.random.seed(7)
    np.testing.assert_array_equal(drawn, said(None))


def test_logarithms_of_probabilities(digits):
    x, _, hidden = digits
    model = Classifier(**QUICK).fit(x, hidden)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(x)), model.predict_proba(x))


class Pairs(Dataset):
    def __init__(self, x, y) -> None:
        self.x, self.y = torch.as_tensor(x), y

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], int(self.y[i])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda x, y: (sparse.csr_array(x), y),
        lambda x, y: (sparse.coo_matrix(x), y),
        lambda x, y: (torch.as_tensor(x), torch.as_tensor(y)),
        lambda x, y: (TensorDataset(torch.as_tensor(x), torch.as_tensor(y)), None),
        lambda x, y: (Pairs(x, y), None),
        lambda x, y: (pa.table({f"c{i:02}": x[:, i] for i in range(64)}), pa.chunked_array([y])),
    ],
    ids=["sparse array", "sparse matrix", "tensors", "TensorDataset", "Dataset", "frame of another library"],
)
def test_containers_of_other_libraries_give_the_same_model(digits, wrap):
    x, y, hidden = digits
    plain = Classifier(**QUICK).fit(x, hidden)
    items, labels = wrap(x, hidden)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        model = Classifier(**QUICK).fit(items, labels)
        np.testing.assert_array_equal(model.predict(items), plain.predict(x))
        assert model.score(*wrap(x, y)) == plain.score(x, y)


def test_frames_of_polars(texts, encoder_folder):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"text": texts.train.text.tolist(), "label": texts.train.label.tolist()})
    model = Classifier(encoder=encoder_folder, **QUICK).fit(frame["text"], frame["label"])
    assert model.predict(frame["text"]).tolist() == model.predict(texts.train.text).tolist()


def test_datasets_of_pictures_and_of_labels_twice():
    picture = torch.zeros(3, 8, 9, dtype=torch.uint8)
    items, labels = apart(Pairs(picture[None].repeat(2, 1, 1, 1), [0, 1]))
    assert items.shape == (2, 8, 9, 3) and labels == [0, 1]
    with pytest.raises(ValueError, match="leave out y"):
        apart(Pairs(np.zeros((2, 3)), [0, 1]), [0, 1])
    with pytest.raises(ValueError, match="would take 74506 GB as dense rows; reduce it first, such as by"):
        dense(sparse.csr_array((10**7, 2 * 10**6)))


def test_weights_of_samples(digits):
    x, y, hidden = digits
    plain = Classifier(**QUICK).fit(x, hidden)
    np.testing.assert_array_equal(
        Classifier(**QUICK).fit(x, hidden, sample_weight=np.full(200, 3.0)).predict_proba(x), plain.predict_proba(x)
    )
    zero = np.where(np.arange(200) < 40, 1.0, 0.0)
    gone = Classifier(**QUICK).fit(x[:40], hidden[:40], X_unlabelled=x[80:])
    model = Classifier(**QUICK).fit(x, hidden, sample_weight=zero)
    np.testing.assert_array_equal(model.predict_proba(x), gone.predict_proba(x))
    assert model.transduction_[:80].tolist() == y[:80].tolist()
    doubled = np.where(y == 3, 50.0, 1.0)
    heavy = Classifier("supervised", steps=100, evidence=False).fit(x, hidden, sample_weight=doubled)
    light = Classifier("supervised", steps=100, evidence=False).fit(x, hidden, sample_weight=1 / doubled)
    assert heavy.predict_proba(x)[:, 3].mean() > light.predict_proba(x)[:, 3].mean() + 0.05
    right = heavy.predict(x) == y
    assert heavy.score(x, y, sample_weight=doubled) == pytest.approx(np.average(right, weights=doubled))
    for weight, says in (([1.0], "must have the shape"), (-np.ones(200), r"sample_weight\[0\] must be finite")):
        with pytest.raises(ValueError, match=says):
            heavy.fit(x, hidden, sample_weight=weight)


def test_weights_count_in_the_evidence(digits):
    x, _, hidden = digits
    weight = np.random.default_rng(0).uniform(0.2, 5, 200)
    model = Classifier("supervised", steps=5, folds=2, repeats=1, copies="off").fit(x, hidden, sample_weight=weight)
    plain = Classifier("supervised", steps=5, folds=2, repeats=1, copies="off").fit(x, hidden)
    assert 0 < model.evidence_.reference.score < 1 and model.evidence_.labels == plain.evidence_.labels == 80
    assert model.evidence_.reference.score != plain.evidence_.reference.score


def test_minus_one_is_a_class_where_no_label_is_missing():
    x = np.random.default_rng(0).normal(size=(40, 3))
    y = np.where(x[:, 0] > 0, 1, -1)
    with pytest.raises(ValueError, match="only one class, 1"):
        Classifier(**QUICK).fit(x, y)
    model = Classifier("supervised", missing_label=None, steps=80, evidence=False).fit(x, y)
    assert model.classes_.tolist() == [-1, 1] and model.score(x, y) > 0.8
    hidden = np.where(np.arange(40) < 30, y, 9)
    model = Classifier("supervised", missing_label=9, steps=5, evidence=False).fit(x, hidden)
    assert model.classes_.tolist() == [-1, 1] and set(model.transduction_.tolist()) == {-1, 1}


def test_progress_is_told(digits, capsys):
    x, _, hidden = digits
    seen = []
    Classifier(**QUICK, verbose=lambda *now: seen.append(now)).fit(x, hidden)
    assert seen and all((type(w), type(d), type(t)) == (str, int, int) and 0 <= d <= t for w, d, t in seen)
    Classifier(**QUICK, verbose=True).fit(x, hidden)
    Classifier(**QUICK).fit(x, hidden)


def test_a_stopped_fit_leaves_the_model_of_the_labels_alone(digits, tmp_path):
    x, y, hidden = digits

    def stop(what, done, total):
        raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="the model of the labels alone is trained and returned, unchecked"):
        model = Classifier(steps=5, folds=2, repeats=1, verbose=stop).fit(x, hidden)
    assert (model.partial_, model.returned_, model.evidence_) == (True, "reference", None)
    assert model.score(x, y) > 0.5 and set(model.transduction_[80:].tolist()) == {-1}
    assert any("Stopped" in words for words in model.warnings_) and model.summary()["partial"]
    model.save(tmp_path)
    assert Classifier.load(tmp_path).partial_ and not Classifier(**QUICK).fit(x, hidden).partial_


def test_a_pickle_of_a_text_classifier_is_small(texts, encoder_folder):
    model = Classifier(encoder=str(encoder_folder), **QUICK).fit(texts.train.text, texts.train.label)
    data = pickle.dumps(model)
    assert len(data) < 2**20 and str(encoder_folder).encode() in data
    assert pickle.loads(data).predict(texts.test.text).tolist() == model.predict(texts.test.text).tolist()


def test_a_pickle_is_refused_where_its_encoder_is_another(texts, encoder_folder, monkeypatch):
    from tutelage.modalities import encoder

    model = Classifier(encoder=str(encoder_folder), **QUICK).fit(texts.train.text, texts.train.label)
    data, load = pickle.dumps(model), encoder.load_encoder
    monkeypatch.setattr(encoder, "load_encoder", lambda name, length: load(name, length - 1))
    with pytest.raises(ValueError, match="is not the one that was pickled by this name"):
        pickle.loads(data)


def test_names_of_columns():
    assert base.columns_of(pd.DataFrame({1: [2]})) == [] and base.columns_of(pd.Series([1], name="a")) == ["a"]
