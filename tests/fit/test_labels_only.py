"""The labels-only reference chooses its scaling on the labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tutelage.fit.build import Build, Items
from tutelage.fit.defaults import HEAD
from tutelage.fit.labels_only import probe
from tutelage.fit.problem import Plan
from tutelage.fit.reference import reference_model
from tutelage.fit.setup import Setup
from tutelage.modalities.head import Head
from tutelage.modalities.rows.reader import RowReader
from tutelage.tasks import Classification
from tutelage.train import Training


def rows(spread_told: float, spread_noise: float) -> tuple[np.ndarray, np.ndarray]:
    """One feature that tells two classes apart, twenty that tell nothing."""
    rng = np.random.default_rng(0)
    y = np.arange(400) % 2
    x = np.hstack([spread_told * (2 * y[:, None] - 1 + 0.5 * rng.normal(size=(400, 1))), rng.normal(size=(400, 20))])
    x[:, 1:] *= spread_noise
    return x.astype(np.float32), y


@pytest.mark.parametrize(
    ("spread_told", "spread_noise", "one_scale"),
    [(10.0, 0.1, True), (0.1, 10.0, False)],
    ids=["features of one unit, most nearly empty", "features of different units"],
)
def test_scaling_is_chosen_by_the_labels(spread_told, spread_noise, one_scale):
    x, y = rows(spread_told, spread_noise)
    items = Items(Classification(2), x[:40], y[:40], x[40:])
    problem = Build(RowReader(), (), HEAD, whole=False, cache=Path()).of(items).problem()
    parts = problem.folds(Plan(folds=4), 0)
    network, honest, name, _ = reference_model(Setup(problem, Training()), parts, None)
    with torch.no_grad():
        found = network(torch.as_tensor(x[40:])).argmax(1).numpy()
    assert name.endswith("one scale for all features") == one_scale
    assert (found == y[40:]).mean() > 0.85
    assert problem.scored(honest).right.mean() > 0.85


def test_many_classes_with_few_labels_are_classes_without_a_warning():
    x, y = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32), np.arange(30) % 20
    head = probe(Head(2, 20), x, y, 1.0)
    assert head(torch.as_tensor(x)).argmax(1).unique().numel() > 1
