"""The learning curve of the labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from tutelage.fit import label_curve as module
from tutelage.fit.build import Build, Items
from tutelage.fit.defaults import HEAD
from tutelage.fit.evidence import Prior, weigh
from tutelage.fit.label_curve import _thinned, label_curve
from tutelage.fit.problem import Plan
from tutelage.modalities.rows.reader import RowReader
from tutelage.tasks import Classification


@pytest.fixture(scope="module")
def problem():
    x, y = load_digits(return_X_y=True)
    items = Items(Classification(10), x[:120].astype(np.float32), y[:120], x[120:160].astype(np.float32))
    return Build(RowReader(), ("weak",), HEAD, False, None).of(items).problem()


def evidence(score: float):
    right = np.repeat([1.0, 0.0], [round(120 * score), 120 - round(120 * score)])
    return weigh(right, right, Prior(), 0.2)


def test_points_are_those_of_a_logistic_regression_of_fewer_labels(problem):
    found = label_curve(problem, evidence(0.9), "logistic regression, C = 0.01", seed=3)
    assert [n for n, _ in found] == [60, 90, 120]
    blank = problem.probe.blanks[""]
    z = ((torch.as_tensor(problem.probe.x) - blank.mean) / blank.scale).numpy()
    for share, (_, score) in zip((0.5, 0.75, 1.0), found, strict=True):
        right = np.zeros(120)
        for index, out in problem.folds(Plan(folds=5, repeats=1), 3):
            some = _thinned(problem.y, index, share, 3)
            model = LogisticRegression(C=0.01, max_iter=1000).fit(z[some], problem.y[some])
            right[out] = model.predict(z[out]) == problem.y[out]
        assert score == pytest.approx(right.mean())


def test_each_class_is_thinned_out_alike_and_keeps_a_label():
    y = np.repeat([0, 1, 2], [40, 8, 1])
    kept = _thinned(y, np.arange(49), 0.25, 0)
    assert np.bincount(y[kept]).tolist() == [10, 2, 1]
    assert (np.diff(kept) > 0).all()


def test_without_evidence_or_with_too_few_or_many_labels_there_is_none(problem, monkeypatch):
    assert label_curve(problem, None, "", 0) == []
    monkeypatch.setattr(module, "MOST", 100)
    assert label_curve(problem, evidence(0.9), "", 0) == []
    monkeypatch.setattr(module, "MOST", 1000)
    monkeypatch.setattr(module, "LEAST", 200)
    assert label_curve(problem, evidence(0.9), "", 0) == []
