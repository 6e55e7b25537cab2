"""What is said of held-out units: named arrays, kept, averaged over repeats, and read by the task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from tutelage.data import Features
from tutelage.fit.auto import Search
from tutelage.fit.contender import Contender
from tutelage.fit.held_out import HeldOut, choose
from tutelage.fit.problem import Problem
from tutelage.fit.recorded import Gains
from tutelage.fit.setup import FolderStore, Setup
from tutelage.methods import Drift, Supervised
from tutelage.modalities.head import Head
from tutelage.tasks import Classification, Segmentation
from tutelage.train import Training

LABELS = 12


@dataclass(frozen=True)
class Ranked(Classification):
    """Classes whose logits are kept too, and which takes the least likely class for its label."""

    def predictions(self, logits):
        return super().predictions(logits) | {"logits": logits, "rank": logits.argsort(-1).argsort(-1)}

    def labels_of(self, said):
        return said["logits"].argmin(1)


@pytest.fixture(scope="module")
def problem():
    rows = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))

    def network(seed):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return Head(5, 3, 8, 0.1)

    y = np.arange(LABELS) % 3
    return Problem(Ranked(3), Features(rows[:LABELS]), y, Features(rows[LABELS:]), network, None)


FOLDS = [(np.arange(1, LABELS, 2), np.arange(0, LABELS, 2)), (np.arange(0, LABELS, 2), np.arange(1, LABELS, 2))]


def test_repeats_are_averaged_by_name_and_scored_by_the_tasks_own_labels():
    rng = np.random.default_rng(0)
    y, said = rng.integers(0, 3, 6), [rng.normal(size=(6, 3)) for _ in range(4)]
    parts = []
    for logits in said:  # four repeats of two folds
        for index in (np.array([4, 0, 2]), np.array([1, 3, 5])):
            parts.append((index, {"logits": logits[index], "twice": 2 * logits[index, 0]}))
    found = HeldOut.average(Ranked(3), y, np.ones(6, dtype=int), parts)
    np.testing.assert_allclose(found.said["logits"], np.mean(said, axis=0))
    np.testing.assert_allclose(found.said["twice"], 2 * np.mean(said, axis=0)[:, 0])
    np.testing.assert_allclose(found.right, np.mean([logits.argmin(1) == y for logits in said], axis=0))


def test_named_predictions_of_folds_are_kept_in_the_store(problem, tmp_path):
    setup = Setup(problem, Training(4, lr=1e-2), FolderStore(tmp_path))
    contender = Contender("ranked", Drift().settled(problem.task), setup)
    first, again = contender.held_out(FOLDS)[0], contender.held_out(FOLDS)[0]
    for (index, said), (same, kept) in zip(first, again, strict=True):
        np.testing.assert_array_equal(index, same)
        assert said.keys() == kept.keys() == {"probabilities", "logits", "rank"}
        assert all(np.array_equal(said[name], kept[name]) for name in said)
        assert said["rank"].dtype == np.int64
    scored = problem.scored(first)
    np.testing.assert_array_equal(scored.right, scored.said["logits"].argmin(1) == problem.y)


def test_the_automatic_choice_weighs_each_name_alike(problem):
    rng, both = np.random.default_rng(0), {}
    for name in ("alone", "candidate"):
        both[name] = [(out, {"probabilities": rng.random((6, 3)), "logits": rng.random((6, 3))}) for _, out in FOLDS]
    gains = Gains(np.array([0.0]), np.array([[0.01]]))
    search = Search(Setup(problem, Training(4)), {"candidate": Supervised()}, gains, both["alone"], FOLDS)
    search.found = {0: both["candidate"]}
    honest = search._honest(np.array([0]))
    for j, (_, said) in enumerate(honest):
        share = [
            (said[n] - both["alone"][j][1][n]) / (both["candidate"][j][1][n] - both["alone"][j][1][n]) for n in said
        ]
        np.testing.assert_allclose(share, share[0][0, 0])


def test_labels_only_models_are_chosen_by_their_probabilities():
    y = np.array([0, 1, 0, 1])
    good, poor = ({"probabilities": np.eye(2)[y if right else 1 - y][:2] * 0.8 + 0.1} for right in (True, False))
    halves = [np.array([0, 1]), np.array([2, 3])]
    tried = {"poor": [(h, poor) for h in halves], "good": [(h, good) for h in halves]}
    assert choose(tried, y)[0] == "good"


def test_predictions_of_pixels_take_half_the_room():
    logits = torch.randn(5, 3)
    assert Segmentation(3).predictions(logits)["probabilities"].dtype == torch.float32
    assert Classification(3).predictions(logits)["probabilities"].dtype == torch.float64
