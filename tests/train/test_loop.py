"""The loop itself: what it asks of methods, processes and schedules, whatever the method."""

from __future__ import annotations

import math

import pytest
import torch

from tutelage.comm import Comm
from tutelage.data import Features, Loader
from tutelage.methods import Drift, MeanTeacher, Supervised
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training, predict, predictions, time_a_step, train
from tutelage.train.loop import Game, play

TASK = Classification(3)


@pytest.fixture(scope="module")
def loader():
    rows = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    return Loader(Features(rows[:12]), torch.arange(12) % 3, Features(rows[12:]), 6, 8)


def network(seed: int = 0) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Head(5, 3, 8, 0.1)


class Watched:
    """One process of two, of which the other has no gradient."""

    rank, size, device = 0, 2, torch.device("cpu")

    def __init__(self):
        self.calls = 0

    def mean(self, grads):
        self.calls += 1
        return {n: g / 2 for n, g in grads.items()}

    def counts(self, count):
        raise NotImplementedError

    gather = share = counts


class Same(Watched):
    def mean(self, grads):
        return grads


def test_gradients_go_through_the_other_processes_once_a_step_and_mover(loader):
    watched = Watched()
    assert isinstance(watched, Comm)
    training = Training(5, lr=1e-2, optimiser="sgd", clip=1e9, weight_decay=0.0)
    play(Game(Supervised(), TASK, network(), loader, training, watched), None, None)
    assert watched.calls == 5


def test_processes_that_agree_train_like_one_alone_bit_for_bit(loader):
    method = Drift().settled(TASK)
    alone, agreed = (play(Game(method, TASK, network(), loader, Training(6), c), None, None) for c in (None, Same()))
    for who in ("student", "teacher"):
        other = agreed.seats[who].module.state_dict()
        assert all(torch.equal(t, other[n]) for n, t in alone.seats[who].module.state_dict().items())


def test_the_learning_rate_falls_along_half_a_cosine(loader):
    """With plain gradients that are all alike, the steps are as long as the rates."""

    class Slope(Supervised):
        def loss(self, who, batch, play, task, memory):
            found = super().loss(who, batch, play, task, memory)
            flat = sum(p.sum() for p in play[who].params.values())
            return type(found)({"slope": flat + 0 * found.total})

    seen = []

    def watch(run):
        seen.append(float(next(iter(run.seats["student"].params.values())).detach().sum()))
        return {}

    start = network()
    first = next(p for p in start.parameters())
    training = Training(4, lr=0.5, optimiser="sgd", clip=1e9, weight_decay=0.0, records=4)
    train(Slope(), TASK, start, loader, training, watch=watch)
    steps, velocity = [], 0.0
    for k in range(4):  # momentum 0.9
        velocity = 0.9 * velocity + 1
        steps.append(0.5 * (1 + math.cos(math.pi * k / 4)) / 2 * velocity)
    sums = float(first.detach().sum()) - torch.tensor(steps).cumsum(0) * first.numel()
    assert seen == pytest.approx(sums.tolist(), rel=1e-4)


def test_predictions_come_in_the_order_of_the_units(loader):
    net = network().eval()
    with torch.inference_mode():
        expected = net(loader.unlabelled.rows)
    assert torch.equal(predict(net, TASK, loader.unlabelled), expected)
    units, logits = next(iter(predictions(net, TASK, loader.unlabelled)))
    assert torch.equal(logits, expected[units])
    assert predict(net, TASK, loader.unlabelled.subset(torch.arange(0).numpy())).shape == (0, 3)


def test_a_step_is_timed_in_the_last_round_and_trains_nothing(loader):
    start = network()
    kept = {n: t.clone() for n, t in start.state_dict().items()}
    assert time_a_step(MeanTeacher(), TASK, start, loader, Training(3)) > 0
    assert all(torch.equal(t, kept[n]) for n, t in start.state_dict().items())


def test_lengths_of_gradients_are_told_as_they_were_before_clipping():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(40, 6, generator=generator), torch.arange(12) % 3
    torch.manual_seed(0)
    network = Head(6, 3, hidden=8)

    def first(clip):
        loader = Loader(Features(x[:12]), y, Features(x), 8, 16)
        training = Training(steps=1, records=1, clip=clip)
        return train(Drift(), Classification(3), network, loader, training).history[0]

    free, clipped = first(1e9), first(1e-3)
    assert free["anticipating"] > 0
    assert [clipped[n] for n in ("anticipating", "direct")] == [free[n] for n in ("anticipating", "direct")]
