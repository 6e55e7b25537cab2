"""Who answers: the student and the labels-only model together, and both for the pool's shares of classes."""

from __future__ import annotations

import numpy as np
import pytest

import tutelage
from tutelage import Classifier
from tutelage.fit.both import Both
from tutelage.fit.build import Build, Items
from tutelage.fit.defaults import HEAD
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import fit
from tutelage.fit.pool_words import evidence_of
from tutelage.fit.problem import Plan
from tutelage.methods import METHODS
from tutelage.modalities.rows.reader import RowReader
from tutelage.model import Model, save
from tutelage.tasks import Classification
from tutelage.train import Training
from tutelage.train.mixture import Mixture

SETTINGS = {"steps": 80, "folds": 3, "repeats": 2}


def rows(shares, n, seed, apart=1.5, d=6):
    """Rows of numbers whose classes lie in different directions."""
    rng = np.random.default_rng(seed)
    y = rng.choice(len(shares), n, p=shares)
    return (rng.normal(size=(n, d)) + apart * np.eye(len(shares), d)[y]).astype(np.float32), y


def evenly(y, each):
    """Labels of the first rows of each class; -1 elsewhere."""
    labels = np.full(len(y), -1)
    for k in np.unique(y):
        labels[np.flatnonzero(y == k)[:each]] = k
    return labels


def test_the_student_and_the_labels_only_model_answer_together_and_are_saved_so(tmp_path):
    x, y = rows([0.4, 0.3, 0.3], 600, 0)
    labels = evenly(y, 8)
    known = labels >= 0
    items = Items(Classification(3), x[known], labels[known], x[~known])
    problem = Build(RowReader(), (), HEAD, False, tmp_path).of(items).problem()
    plan = Plan(folds=3, repeats=2, harm_limit=1.0)  # whatever the evidence says
    outcome = fit(problem, METHODS["mean_teacher"](), Training(steps=80), Prior(), plan)
    assert outcome.returned == "candidate" and isinstance(outcome.network, Mixture)
    assert outcome.share == pytest.approx(float(outcome.network.shares[1])) and 0 < outcome.share < 1
    assert (
        f"The student ({100 * outcome.share:.0f} %) and the labels-only model answer together"
        in evidence_of(outcome, "abc").words()
    )
    model = Model(list("abc"), outcome.network, RowReader(), items.task)
    save(model, tmp_path / "model")
    assert tutelage.load(tmp_path / "model").probabilities(x[:9]) == pytest.approx(
        model.probabilities(x[:9]), abs=1e-12
    )


def test_without_a_pool_the_method_answers_alone():
    x, y = rows([0.5, 0.5], 40, 1)
    model = Classifier("supervised", **SETTINGS).fit(x, y)
    assert not isinstance(model._model.network, Mixture) and model.prevalence_ is None


def test_where_shares_differ_clearly_both_models_are_moved_and_few_are_called_rare_ones():
    x, y = rows([0.97, 0.03], 3000, 2, apart=2.5)
    model = Classifier("self_training", **SETTINGS).fit(x, evenly(y, 15))
    assert model.prevalence_.moved
    assert "Both models were moved towards these shares" in model.evidence_.words()
    called = model.predict(x).mean()
    assert called < 0.07
    test, truth = rows([0.97, 0.03], 2000, 3, apart=2.5)
    assert (model.predict(test) == truth).mean() > 0.96


def test_labels_like_the_pool_are_left_as_they_are():
    x, y = rows([0.5, 0.5], 1500, 4, apart=2.5)
    model = Classifier("self_training", **SETTINGS).fit(x, evenly(y, 15))
    assert not model.prevalence_.moved and "not as common" not in model.evidence_.words()


def parts(p, folds):
    return [(index, {"probabilities": p[index]}) for index in folds]


def test_what_is_said_of_held_out_labels_knows_nothing_of_them():
    rng = np.random.default_rng(5)
    y, folds = np.repeat([0, 1], 8), np.array_split(rng.permutation(16), 4)
    reference, student = rng.dirichlet([1, 1], 16), rng.dirichlet([1, 1], 16)
    changed = y.copy()
    changed[folds[1]] = 1 - changed[folds[1]]
    held = [parts(p, folds) for p in (reference, student)]
    said, other = (
        dict(enumerate(Both(object(), object(), held, held, labels, np.ones(2)).held_out()))  # type: ignore[arg-type]
        for labels in (y, changed)
    )
    assert np.array_equal(said[1][1]["probabilities"], other[1][1]["probabilities"])
    assert not np.array_equal(said[0][1]["probabilities"], other[0][1]["probabilities"])


def test_a_useless_student_hardly_counts():
    rng = np.random.default_rng(6)
    y = rng.integers(0, 2, 200)
    good = np.where(np.eye(2)[y] > 0, 0.9, 0.1)
    folds = np.array_split(np.arange(200), 5)
    held = [parts(p, folds) for p in (good, np.full((200, 2), 0.5))]
    assert Both(object(), object(), held, held, y, np.ones(2)).answer.share < 0.1  # type: ignore[arg-type]
