"""FedLabel's loss against numpy, written from its equations, and which of two teachers speaks, by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from tutelage.data import Features, Loader
from tutelage.federated import FedLabel
from tutelage.federated.fedlabel import confidence
from tutelage.game import Player
from tutelage.tasks import Classification
from tutelage.train import Training, train
from tutelage.types import Batch, Views

TASK = Classification(3)
OWN = np.array([[0.98, 0.01, 0.01], [0.50, 0.30, 0.20], [0.10, 0.80, 0.10], [0.97, 0.02, 0.01], [0.4, 0.4, 0.2]])
WORLD = np.array([[0.96, 0.03, 0.01], [0.01, 0.02, 0.97], [0.20, 0.50, 0.30], [0.01, 0.01, 0.98], [0.4, 0.3, 0.3]])


def confident(p: np.ndarray, how: str) -> np.ndarray:
    c = p.shape[1]
    if how == "probability":
        return p.max(1)
    if how == "entropy":
        return 1 + (p * np.log(p)).sum(1) / np.log(c)
    return p.var(1) / np.eye(c)[0].var()


@pytest.mark.parametrize("how", ["probability", "entropy", "variance"])
def test_confidence_is_that_of_numpy(how):
    np.testing.assert_allclose(confidence(torch.tensor(OWN), how), confident(OWN, how), rtol=1e-12)


def test_the_surer_speaks_by_hand():
    own, world = torch.tensor(OWN), torch.tensor(WORLD)
    spoken = FedLabel().surer(own, world)
    assert torch.equal(spoken, torch.stack([own[0], world[1], own[2], world[3], own[4]]))  # of equals the own
    assert spoken.argmax(1).tolist() == [0, 2, 1, 2, 0]
    assert torch.equal(FedLabel(teachers="own").surer(own, world), own)
    assert torch.equal(FedLabel(teachers="global").surer(own, world), world)
    assert FedLabel(threshold=0.95).agreed(own, world).tolist() == [1, 0, 0, 0, 0]  # of the fourth they disagree


class Says(nn.Module):
    """A network that answers each input, a row number, by a row of logits."""

    def __init__(self, p: np.ndarray) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(p).log())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits[x.long()]


@pytest.mark.parametrize("how", ["probability", "entropy", "variance"])
@pytest.mark.parametrize("teachers", ["both", "own", "global"])
def test_the_loss_is_that_of_the_equations(how, teachers):
    method = FedLabel(threshold=0.9, weight=0.7, agreement=0.3, confidence=how, teachers=teachers)
    strong = np.random.default_rng(0).dirichlet(np.ones(3), 5)
    play = {"student": Player(Says(strong)), "own": Player(Says(OWN)), "global": Player(Says(WORLD))}
    i = torch.arange(5)
    batch = Batch(Views({"weak": i[:2]}, i[:2]), torch.tensor([1, 2]), Views({"weak": i, "strong": i}, i), 0.5)
    terms = method.loss("student", batch, play, TASK, SimpleNamespace())
    h_own, h_world = confident(OWN, how), confident(WORLD, how)
    first = {"both": h_own >= h_world, "own": np.ones(5, bool), "global": np.zeros(5, bool)}[teachers]
    spoken = np.where(first[:, None], OWN, WORLD)
    label, kept = spoken.argmax(1), spoken.max(1) >= 0.9
    pool = 0.7 * np.mean(kept * -np.log(strong[np.arange(5), label]))
    expected = {"supervised": -np.log([strong[0, 1], strong[1, 2]]).mean(), "pool": pool}
    if teachers == "both":
        agreed = (OWN.max(1) >= 0.9) & (WORLD.max(1) >= 0.9) & (OWN.argmax(1) == WORLD.argmax(1))
        kl = (WORLD * np.log(WORLD / strong)).sum(1)
        expected["agreement"] = 0.3 * np.mean(agreed * np.minimum(h_own, h_world) * kl)
    assert {n: t.item() for n, t in terms.terms.items()} == pytest.approx(expected)
    assert terms.seen["label"].tolist() == label.tolist()
    assert terms.seen["weight"].tolist() == kept.tolist()


def test_no_gradient_reaches_a_teacher():
    play = {"student": Player(Says(OWN)), "own": Player(Says(OWN)), "global": Player(Says(WORLD))}
    i = torch.arange(5)
    batch = Batch(Views({}, i[:0]), i[:0], Views({"weak": i, "strong": i}, i), 1.0)
    FedLabel().loss("student", batch, play, TASK, SimpleNamespace()).total.backward()
    assert play["own"].module.logits.grad is None and play["global"].module.logits.grad is None
    assert play["student"].module.logits.grad.abs().sum() > 0


def test_labels_alone_are_learnt_first():
    i = torch.arange(5)
    play = {"student": Player(Says(OWN)), "own": Player(Says(OWN)), "global": Player(Says(WORLD))}
    for progress, terms in ((0.0, {"supervised"}), (0.4, {"supervised"}), (0.5, {"supervised", "pool", "agreement"})):
        batch = Batch(Views({"weak": i}, i), i % 3, Views({"weak": i, "strong": i}, i), progress)
        assert set(FedLabel(first=0.5).loss("student", batch, play, TASK, SimpleNamespace()).terms) == terms


def test_the_global_teacher_stays_and_the_own_one_follows_the_student():
    torch.manual_seed(0)
    rows, network = Features(torch.randn(20, 4)), nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 3))
    before = {n: p.clone() for n, p in network.state_dict().items()}
    loader = Loader(rows, torch.arange(20) % 3, rows, 8, 8, strong=[rows])
    seen = []

    class Watched(FedLabel):
        def loss(self, who, batch, play, task, memory):
            pairs = zip(play["student"].params.values(), play["own"].params.values(), strict=True)
            seen.append(all(torch.equal(a, b) for a, b in pairs) and not play["own"].module.training)
            return super().loss(who, batch, play, task, memory)

    run = train(Watched(), TASK, network, loader, Training(steps=6, lr=0.1))
    assert seen == [True] * 6
    assert all(torch.equal(t, before[n]) for n, t in run.seats["global"].module.state_dict().items())
    assert not torch.equal(run.seats["student"].module[1].weight, before["1.weight"])
