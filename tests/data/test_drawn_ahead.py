"""Batches that are drawn ahead are those of the loader, and what goes wrong is raised where they are asked for."""

from __future__ import annotations

import threading
from dataclasses import fields

import pytest
import torch

from tutelage.data import Features, Loader, Tokens
from tutelage.data.drawn_ahead import DrawnAhead, drawn_ahead, tensors_of
from tutelage.data.examples import WordTokens
from tutelage.data.placing import placed
from tutelage.methods import FixMatch, MeanTeacher
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training, train


def loader(kind=Features):
    rows = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    return Loader(Features(rows[:12]), torch.arange(12) % 3, kind(rows[12:]), 6, 8, strong=[Features(rows[12:] + 1)])


def alike(one, other):
    return all(torch.equal(a, b) for a, b in zip(tensors_of(one), tensors_of(other), strict=True))


def test_batches_are_those_of_the_loader_in_any_order():
    plain = loader()
    with DrawnAhead(plain, 9) as ahead:
        for step, pool in ((0, True), (1, True), (2, False), (3, True), (1, True), (8, True)):
            found = ahead.batch(step, step / 9, pool)
            assert alike(found, plain.batch(step, step / 9, pool))
            assert found.progress == step / 9
        assert ahead.sizes == plain.sizes


class Watched(Features):
    """Rows that note which thread asks for them."""

    def take(self, index):
        self.computed.setdefault("threads", []).append(threading.current_thread().name)
        return super().take(index)


def test_a_training_on_them_learns_the_same_bits_and_draws_none_behind_the_last():
    watched, head, states = loader(Watched), Head(5, 3, 8), []
    for through in (loader(), DrawnAhead(watched, 20)):
        run = train(FixMatch(threshold=0.3), Classification(3), head, through, Training(20))
        states.append(run.seats["student"].module.state_dict())
    assert all(torch.equal(t, states[1][n]) for n, t in states[0].items())
    threads = watched.unlabelled.computed["threads"]
    assert len(threads) == 20 and all(name.startswith("drawing batches") for name in threads)


def test_labels_that_are_held_back_are_those_of_the_loader():
    with DrawnAhead(loader(), 3).reserving(0.25) as ahead:
        assert alike(ahead.batch(1, 0.0), loader().reserving(0.25).batch(1, 0.0))
        assert len(ahead.batch(2, 0.0).reserved) == 3


def test_a_fault_while_a_batch_is_drawn_is_raised_where_it_is_asked_for():
    class Broken(Features):
        def take(self, index):
            raise OSError("image 7 cannot be read")

    with DrawnAhead(loader(Broken), 3) as ahead, pytest.raises(OSError, match="image 7 cannot be read"):
        train(MeanTeacher(), Classification(3), Head(5, 3, 8), ahead, Training(3))


def test_on_a_cpu_the_loader_itself_is_asked():
    plain = loader()
    with drawn_ahead(plain, 3) as found:
        assert found is plain


def test_what_goes_to_a_card_goes_from_pinned_memory(monkeypatch):
    """There is no card here: a stand-in notes what is asked of a tensor."""
    asked = []

    class Pinned:
        def to(self, device, non_blocking=False):
            asked.append((device, non_blocking))
            return "there"

    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: Pinned())
    assert placed(torch.ones(2), "cuda:0") == "there"
    assert set(Tokens([[1, 2]], device="cuda").take([0]).values()) == {"there"}
    assert {f.name for f in fields(WordTokens)} >= {"device"}
    assert asked == [("cuda:0", True), ("cuda", True), ("cuda", True)]
    assert placed(torch.ones(2), "cpu").sum() == 2
