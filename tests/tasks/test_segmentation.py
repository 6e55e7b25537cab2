"""Pixels as units: their order, scores against scikit-learn's, and labels carried from view to view."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, jaccard_score

from tutelage.data import Features
from tutelage.data.view_loader import ViewLoader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods import METHODS, Supervised
from tutelage.methods.views import to_strong
from tutelage.modalities.images.views import Weak
from tutelage.ops.warp import mirror
from tutelage.tasks import Segmentation
from tutelage.tasks.segmentation import iou_influence, mean_dice, mean_iou, overlaps
from tutelage.types import Batch, Terms, Views

TASK = Segmentation(3)


@pytest.fixture
def guesses():
    rng = np.random.default_rng(0)
    return rng.integers(0, 3, 60), rng.integers(-1, 3, 60), np.array([20, 20, 20])


def test_units_are_pixels_row_by_row():
    out = torch.randn(2, 3, 4, 5)
    units = TASK.units(out)
    assert torch.equal(units[20 + 2 * 5 + 3], out[1, :, 2, 3])


def test_scores_are_those_of_all_pixels_together_without_void(guesses):
    guess, y, counts = guesses
    found = overlaps(guess, y, counts, 3)
    known = y >= 0
    assert mean_iou(found) == pytest.approx(jaccard_score(y[known], guess[known], average="macro"))
    assert mean_dice(found) == pytest.approx(f1_score(y[known], guess[known], average="macro"))
    assert TASK.right(guess, y, counts).mean() == pytest.approx(mean_iou(found))


def test_influence_is_what_leaving_an_image_out_changes(guesses):
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 40 * 50)
    guess = np.where(rng.random(2000) < 0.7, y, rng.integers(0, 3, 2000))
    found = overlaps(guess, y, np.full(40, 50), 3)
    without = np.array([mean_iou(np.delete(found, i, axis=0)) for i in range(40)])
    jackknife = mean_iou(found) + 39 * (mean_iou(found) - without)
    np.testing.assert_allclose(iou_influence(found), jackknife, atol=0.02)


def test_a_class_that_occurs_nowhere_does_not_count_and_no_pixels_score_nothing():
    assert mean_iou(overlaps(np.array([0, 0]), np.array([0, 0]), np.array([2]), 3)) == 1.0
    assert TASK.right(np.array([0, 1]), np.array([-1, -1]), np.array([2])).tolist() == [0.0]


def test_labels_follow_a_mirrored_view():
    images, values = torch.zeros(1, 3, 2, 3), torch.arange(6.0)[:, None]
    geometry = mirror(torch.ones(1), 3)
    moved, inside = TASK.carry(values, images, None, geometry)
    assert moved[:, 0].tolist() == [2, 1, 0, 5, 4, 3]
    assert inside.all()
    views = Views({"weak": images, "strong": images}, torch.arange(6), {"weak": torch.eye(3)[None], "strong": geometry})
    assert torch.equal(to_strong(values, views, TASK)[0], moved)


def test_the_loader_carries_masks_into_the_view_and_what_it_does_not_show_is_unknown():
    rng = np.random.default_rng(0)
    y = torch.tensor(rng.integers(0, 3, (4, 8, 8)))
    images = (y[:, None] / 4).expand(4, 3, 8, 8).contiguous()

    def carry(target, images, geometry):
        moved, inside = TASK.carry(target, images, None, geometry)
        return torch.where(inside > 0, moved, -1)

    class Pixels(Features):
        def counts(self):
            return np.full(len(self), 64)

        def units(self, index):
            return (np.asarray(index)[:, None] * 64 + np.arange(64)).ravel()

    pixels = Pixels(images)
    loader = ViewLoader(pixels, y.flatten(), pixels, 4, 4, views={"weak": Weak(crop=0.25)}, carry=carry)
    batch = loader.batch(3, 0.0)
    shown = TASK.units(batch.labelled["weak"].float())[:, 0] * 4
    known = batch.target >= 0
    assert known.any() and not known.all()
    assert torch.equal(shown[known].round().long(), batch.target[known])
    again = loader.batch(3, 0.0)
    assert torch.equal(again.labelled["weak"], batch.labelled["weak"])
    assert not torch.equal(loader.batch(4, 0.0).labelled["weak"], batch.labelled["weak"])


@pytest.mark.parametrize("name", ["uda", "fixmatch", "adamatch"])
def test_labels_of_the_weak_view_follow_the_strong_one(name):
    """A network that sees each pixel alone sees the same in a mirrored view: so must the loss."""
    torch.manual_seed(0)
    weak, net = torch.rand(2, 3, 8, 8), torch.nn.Conv2d(3, 3, 1)
    net.weight.data *= 8
    still, mirrored = torch.eye(3).expand(2, 3, 3), mirror(torch.ones(2), 8)
    found = []
    for strong, geometry in ((weak, still), (weak.flip(-1), mirrored)):
        pool = Views({"weak": weak, "strong": strong}, torch.arange(128), {"weak": still, "strong": geometry})
        labelled = Views({"weak": weak[:1]}, torch.arange(64), {"weak": still[:1]})
        batch = Batch(labelled, torch.arange(64) % 3, pool, 0.5)
        play = {"student": Player(net), "teacher": Player(net)}
        method = METHODS[name](threshold=0.4)
        found.append(method.loss("student", batch, play, TASK, Memory(128)).terms["pool"].item())
    assert found[0] > 0
    assert found[1] == pytest.approx(found[0], rel=1e-5)


def test_labels_of_a_shifted_view_are_remembered_where_the_original_has_them():
    images = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    geometry = torch.eye(3).repeat(2, 1, 1)
    geometry[1, 0, 2] = 1.0  # the second image is shown one pixel to the right
    units = torch.arange(32)
    pool = Views({"weak": images}, units, {"weak": geometry})
    label = torch.arange(16).repeat(2)  # of the view's pixels, row by row
    seen = {"label": label, "confidence": torch.full((32,), 0.5), "weight": torch.ones(32)}
    memory = Memory(32)
    batch = Batch(Views({}, torch.empty(0, dtype=torch.long)), torch.empty(0, dtype=torch.long), pool, 0.0)
    Supervised().observe(batch, Terms({}, seen), memory, Segmentation(16))
    assert memory.label[:16].tolist() == list(range(16))
    assert memory.label[16:].view(4, 4).tolist() == [[1, 2, 3, -1], [5, 6, 7, -1], [9, 10, 11, -1], [13, 14, 15, -1]]
    assert memory.weight[16:].view(4, 4)[:, 3].sum() == 0
