"""Labels in reserve: a second labelled stream, apart from the first, for losses that look ahead."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pytest
import torch

from tutelage.data import Features, Loader, WordFeatures
from tutelage.data.loader import Stream
from tutelage.data.view_loader import ViewLoader
from tutelage.game import Stackelberg, Unrolled
from tutelage.methods import METHODS, Supervised
from tutelage.methods.base import on_labels
from tutelage.methods.fields import Share
from tutelage.modalities.head import Head
from tutelage.modalities.images.views import Weak
from tutelage.tasks import Classification, Segmentation
from tutelage.train import Training, train
from tutelage.types import Terms

TASK, LABELS = Classification(3), 24


@dataclasses.dataclass(frozen=True)
class LookingAhead(Supervised):
    """A teacher whose labels of the pool are judged by what the student, after a step on them, says of the reserve."""

    name: ClassVar[str] = "looking_ahead"
    uses_pool: ClassVar[bool] = True
    reserve: Share = 0.25

    @property
    def rule(self):
        return Stackelberg("teacher", "student", Unrolled(1, 0.5))

    def loss(self, who, batch, play, task, memory):
        if who == "student":
            p = play["teacher"](batch.unlabelled["weak"]).softmax(-1)
            z = play["student"](batch.unlabelled["weak"])
            return Terms({"pool": -(p * z.log_softmax(-1)).sum(-1).mean(), "labels": on_labels(play[who], batch, task)})
        ahead = task.fit(play["student"](batch.reserved["weak"]), batch.reserved_target)
        return Terms({"supervised": on_labels(play["teacher"], batch, task), "ahead": ahead})


@pytest.fixture(scope="module")
def rows():
    x = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    y = torch.arange(60) % 3
    return x + 2 * torch.nn.functional.pad(torch.eye(3)[y], (0, 2)), y


@pytest.fixture
def loader(rows):
    x, y = rows
    return Loader(Features(x[:LABELS]), y[:LABELS], Features(x[LABELS:]), 6, 8, seed=3)


def network(seed: int = 0) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Head(5, 3, 8, 0.1)


def drawn(loader, part, steps=40):
    return [u for step in range(steps) for u in getattr(loader.batch(step, 0.0), part).index.tolist()]


@pytest.mark.parametrize(("share", "count"), [(0.25, 6), (0.5, 12), (0.01, 1), (0.99, 23)])
def test_learnt_and_reserved_labels_are_apart_and_all_there_are(loader, share, count):
    reserving = loader.reserving(share)
    learnt, reserved = (set(drawn(reserving, part)) for part in ("labelled", "reserved"))
    assert len(reserved) == count
    assert not learnt & reserved and learnt | reserved == set(range(LABELS))


def test_each_class_gives_its_share_to_the_reserve(rows):
    x, _ = rows
    y = torch.tensor([0] * 40 + [1] * 12 + [2] * 8)
    reserved = set(drawn(Loader(Features(x), y, Features(x), 60, 8).reserving(0.25), "reserved", 1))
    assert np.bincount(y[sorted(reserved)]).tolist() == [10, 3, 2]


def test_reserved_examples_come_with_their_own_inputs_and_targets(loader, rows):
    x, y = rows
    batch = loader.reserving(0.5).batch(7, 0.0)
    assert torch.equal(batch.reserved["weak"], x[batch.reserved.index])
    assert torch.equal(batch.reserved_target, y[batch.reserved.index])
    assert torch.equal(batch.labelled["weak"], x[batch.labelled.index])
    assert torch.equal(batch.target, y[batch.labelled.index])


def test_sentences_are_reserved_whole(rows):
    x, y = rows
    words = WordFeatures(x, np.array([10, 20, 5, 5, 20]))
    loader = Loader(words, y, words, 2, 2).reserving(0.4)
    learnt, reserved = (set(drawn(loader, part)) for part in ("labelled", "reserved"))
    assert not learnt & reserved and len(learnt | reserved) == 60
    ends = np.cumsum(words.sizes)
    whole = [set(range(end - size, end)) for end, size in zip(ends, words.sizes, strict=True)]
    assert all(sentence <= reserved or not sentence & reserved for sentence in whole)
    assert sum(sentence <= reserved for sentence in whole) == 2


def test_images_in_reserve_are_seen_anew_and_their_masks_with_them():
    rng, task = np.random.default_rng(0), Segmentation(3)
    y = torch.tensor(rng.integers(0, 3, (6, 8, 8)))
    images = (y[:, None] / 4).expand(6, 3, 8, 8).contiguous()

    class Pixels(Features):
        def counts(self):
            return np.full(len(self), 64)

        def units(self, index):
            return (np.asarray(index)[:, None] * 64 + np.arange(64)).ravel()

    def carry(target, seen, geometry):
        moved, inside = task.carry(target, seen, None, geometry)
        return torch.where(inside > 0, moved, -1)

    pixels, views = Pixels(images), {"weak": Weak(crop=0.25)}
    loader = ViewLoader(pixels, y.flatten(), pixels, 3, 4, views=views, carry=carry).reserving(0.5)
    batch = loader.batch(3, 0.0)
    shown = task.units(batch.reserved["weak"].float())[:, 0] * 4
    known = batch.reserved_target >= 0
    assert known.any() and not known.all()
    assert torch.equal(shown[known].round().long(), batch.reserved_target[known])
    assert not torch.equal(loader.batch(4, 0.0).reserved["weak"], batch.reserved["weak"])


def test_without_a_reserve_nothing_is_drawn_and_batches_are_as_they_were(loader):
    assert loader.reserving(0.0) is loader
    batch = loader.batch(5, 0.0)
    assert len(batch.reserved) == len(batch.reserved_target) == 0
    expected = np.random.default_rng((6, 1)).permutation(LABELS)[6:12]  # of the second shuffle, seed 3
    assert batch.labelled.index.tolist() == expected.tolist()


def test_no_method_of_the_library_but_one_that_weighs_labels_by_others_has_a_reserve_by_default():
    assert {name for name, kind in METHODS.items() if kind().reserve} == {"alm_kd"}


def test_streams_of_more_numbers_are_others():
    assert Stream(50, 50, 4).at(0).tolist() != Stream(50, 50, 4, 1).at(0).tolist()
    assert Stream(50, 50, 4, 1).at(0).tolist() == Stream(50, 50, 4, 1).at(0).tolist()


def test_one_label_has_no_reserve(rows):
    x, y = rows
    with pytest.raises(ValueError, match="a reserve needs at least 2 labelled examples, got 1"):
        Loader(Features(x[:1]), y[:1], Features(x), 6, 8).reserving(0.5)


def test_a_leader_hears_of_the_reserve_through_its_follower(loader):
    heard = [train(LookingAhead(reserve=r), TASK, network(), loader, Training(8, lr=1e-2)) for r in (0.25, 0.5)]
    assert all(h["anticipating"] > 0 for run in heard for h in run.history)
    assert heard[0].history != heard[1].history


@pytest.mark.parametrize("stop", [1, 5])
def test_a_training_with_a_reserve_resumes_to_the_same_bits(loader, tmp_path, stop):
    class CutError(Exception):
        pass

    def cut(step):
        if step == stop:
            raise CutError

    training, path = Training(8, lr=1e-2, checkpoint_every=0), tmp_path / "run"
    whole = train(LookingAhead(), TASK, network(), loader, training)
    with pytest.raises(CutError):
        train(LookingAhead(), TASK, network(), loader, training, path=path, tick=cut)
    again = train(LookingAhead(), TASK, network(), loader, training, path=path)
    assert again.history == whole.history
    assert all(torch.equal(t, again.tensors()[n]) for n, t in whole.tensors().items())
