"""What tasks say of themselves, so that nobody asks which one it is."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
import torch

from tutelage.fit.evidence import Prior, estimate, weigh, wilson
from tutelage.methods import Cosine, Dmt, Drift, Elr, MeanTeacher
from tutelage.tasks import TASKS, Classification, Segmentation, Tagging, Task

SOURCE = Path(__file__).parents[2] / "src" / "tutelage"
NAMES = ["O", "B-X", "I-X"]


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_rebuilt_from_its_name_and_class_names(name):
    task = TASKS[name].of(NAMES)
    assert isinstance(task, Task)
    assert (task.name, task.classes) == (name, 3)
    assert TASKS[task.name].of(NAMES) == task


def test_a_tagging_task_that_is_rebuilt_decodes_with_its_names():
    assert TASKS["tagging"].of(NAMES).tags(np.array([1, 2, 0]), np.array([3])) == [["B-X", "I-X", "O"]]


def test_the_engine_asks_no_task_which_one_it_is():
    """In its packages no condition names a task's class."""
    for package in ("methods", "fit", "game", "ops", "graph"):
        for file in (SOURCE / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
                    names = {getattr(n, "id", "") for n in ast.walk(node.args[1])}
                    assert not names & {"Classification", "Tagging", "Segmentation"}, file


def test_of_models_that_disagree_images_are_apart_by_their_spread_and_answers_by_one():
    right = np.array([0.2, 0.4, 0.9])
    assert Segmentation(2).disagreement(right) == pytest.approx(np.std(right))
    assert [TASKS[n].of(NAMES).disagreement(right) for n in ("classification", "tagging")] == [1.0, 1.0]


@pytest.mark.parametrize("name", TASKS)
def test_a_task_says_the_likeliest_class_and_fits_by_cross_entropy(name):
    """Against numpy: a mean over all units, where unknown ones weigh nothing."""
    rng = np.random.default_rng(0)
    task, shape = TASKS[name].of(NAMES), (2, 3, 4, 5) if name == "segmentation" else (40, 3)
    out = torch.tensor(rng.normal(size=shape))
    z = task.units(out).numpy()
    log_q = z - np.log(np.exp(z).sum(1, keepdims=True))
    y, w = rng.integers(-1, 3, 40), rng.random(40)
    label, confidence = task.say(out)
    np.testing.assert_array_equal(label, z.argmax(1))
    np.testing.assert_allclose(confidence, np.exp(log_q).max(1))
    each = -log_q[np.arange(40), y] * (y >= 0)
    assert task.fit(out, torch.tensor(y)).item() == pytest.approx(each.sum() / 40)
    assert task.fit(out, torch.tensor(y), torch.tensor(w)).item() == pytest.approx((w * each).sum() / 40)
    soft = rng.dirichlet(np.ones(3), 40)
    assert task.fit(out, torch.tensor(soft)).item() == pytest.approx(-(soft * log_q).sum() / 40)


def test_wilsons_interval_is_of_scores_that_are_zero_or_one():
    scores = np.array([1.0] * 9 + [0.0])
    assert estimate(scores, TASKS["classification"].binary) == wilson(0.9, 10)
    for name in ("tagging", "segmentation"):
        found, half = estimate(scores, TASKS[name].binary), 1.6448536 * np.std(scores) / np.sqrt(10)
        assert (found.low, found.high) == pytest.approx((0.9 - half, 1.0))


def test_the_evidence_counts_masks_and_reckons_with_the_spread_of_images():
    rng = np.random.default_rng(0)
    reference, candidate = rng.random(20) * 0.1 + 0.4, rng.random(20) * 0.1 + 0.5
    images, answers = (weigh(reference, candidate, Prior(), 0.5, task=t) for t in (Segmentation(2), Classification(2)))
    assert (images.measure, answers.measure) == ("mean IoU", "accuracy")
    assert "With 20 masks," in images.words() and "With 20 labels," in answers.words()
    change, n = candidate - reference, 20
    for found, apart in ((images, reference.std()), (answers, 1.0)):
        variance = (np.square(change - change.mean()).sum() + apart**2) / n
        assert found.error == pytest.approx(np.sqrt(variance / n * 3))


def test_what_methods_leave_open_follows_what_the_task_says():
    words, pixels, rows = Tagging(3, tuple(NAMES)), Segmentation(3), Classification(3)
    assert [Drift().settled(t, True).interaction for t in (words, pixels, rows)] == [10.0, 20.0, 20.0]
    assert [MeanTeacher().settled(t, True).decay for t in (words, pixels, rows)] == [0.99, 0.9, 0.9]
    assert [Dmt().settled(t, False).partners for t in (words, pixels, rows)] == ["chain", "mutual", "chain"]
    for method in (Cosine(), Elr()):
        method.settled(words, False)
        with pytest.raises(ValueError, match="cannot learn pixels"):
            method.settled(pixels, False)
