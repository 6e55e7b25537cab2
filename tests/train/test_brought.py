"""Modules that a method brings: trained, averaged, kept in checkpoints, and heard in the end where it says so."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from tutelage.data import Features, Loader
from tutelage.fit.contender import Contender
from tutelage.fit.problem import Problem
from tutelage.fit.setup import FolderStore, Setup
from tutelage.game import Ema, Equipped, Player, Stackelberg, Unrolled, width_of
from tutelage.game.player import last_layer
from tutelage.memory import Memory
from tutelage.methods import Drift, MeanTeacher, SelfTraining, Supervised
from tutelage.methods.base import on_labels
from tutelage.modalities.head import Head
from tutelage.ops.losses import cross_entropy, kl
from tutelage.ops.own import UntrustedError
from tutelage.tasks import Classification, Segmentation
from tutelage.train import Training, predict, train
from tutelage.train.run import Answering, equipped, kept, restored
from tutelage.types import Terms

TASK = Classification(3)


@dataclasses.dataclass(frozen=True)
class TwoHeads(Supervised):
    """A second head learns the labels from the same representation; both agree on the pool; their mixture answers."""

    name: ClassVar[str] = "two_heads"
    uses_pool: ClassVar[bool] = True
    share: float = 0.5

    def brings(self, width, task):
        return nn.ModuleDict({"second": nn.Linear(width, task.classes)})

    def answer(self, logits, beside):
        p, q = logits.softmax(-1), beside["second"].softmax(-1)
        return ((1 - self.share) * p + self.share * q).log()

    def loss(self, who, batch, play, task, memory):
        y, _ = task.target(batch.target)
        logits, beside = play[who].aside(batch.labelled["weak"])
        u, other = play[who].aside(batch.unlabelled["weak"])
        return Terms({
            "supervised": cross_entropy(y, logits).mean(),
            "second": cross_entropy(y, beside["second"]).mean(),
            "agree": kl(u.log_softmax(-1), other["second"]).mean(),
        })  # fmt: skip


@dataclasses.dataclass(frozen=True)
class SecondHead(TwoHeads):
    """The same, whose second head answers alone."""

    name: ClassVar[str] = "second_head"

    def answer(self, logits, beside):
        return beside["second"]


@dataclasses.dataclass(frozen=True)
class Followed(TwoHeads):
    """The same with a teacher that follows both heads."""

    name: ClassVar[str] = "followed"

    @property
    def rule(self):
        return Stackelberg("student", "teacher", Ema(0.75), interaction=0.0)


@pytest.fixture(scope="module")
def loader():
    rows = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    y = torch.arange(60) % 3
    rows[:, :3] += 2 * torch.eye(3)[y]
    return Loader(Features(rows[:24]), y[:24], Features(rows[24:]), 12, 16)


def network(seed: int = 0) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Head(5, 3, 8, 0.1)


def trained(method, loader, **changes):
    return train(method, TASK, network(), loader, Training(12, lr=1e-2), **changes)


class NoWidth(nn.Module):
    """A module of no numbers, whose output has no columns."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(0))

    def forward(self, rows):
        return rows[:, :0]


def bringing(kind, modules):
    class Bringing(kind):
        def brings(self, width, task):
            return nn.ModuleDict({name: make() for name, make in modules.items()})

    return Bringing()


@pytest.mark.parametrize("kind", [Supervised, Drift, MeanTeacher, SelfTraining])
@pytest.mark.parametrize("modules", [{}, {"nothing": NoWidth}], ids=["none", "no width"])
def test_a_brought_module_of_no_width_leaves_the_training_as_it_is_bit_for_bit(kind, modules, loader):
    plain, bringer = trained(kind(), loader), trained(bringing(kind, modules), loader)
    assert bringer.history == plain.history
    for who in plain.seats:
        expected, found = plain.seats[who].module.state_dict(), bringer.network(who).state_dict()
        assert expected.keys() == found.keys()
        assert all(torch.equal(t, found[n]) for n, t in expected.items())


def test_a_second_head_is_trained_and_the_mixture_is_what_is_kept(loader):
    run = train(TwoHeads(share=0.25), TASK, network(), loader, Training(80, lr=2e-2))
    assert isinstance(run.seats["student"].module, Equipped)
    final = run.network().eval()
    with torch.inference_mode():
        logits, beside = Player(run.seats["student"].module.eval()).aside(loader.unlabelled.rows)
        expected = 0.75 * logits.softmax(-1) + 0.25 * beside["second"].softmax(-1)
    torch.testing.assert_close(predict(final, TASK, loader.unlabelled).softmax(-1), expected)
    fresh = equipped(TwoHeads(), network(), TASK, 0)
    assert not torch.equal(fresh.brought["second"].weight, run.seats["student"].module.brought["second"].weight)
    assert (predict(final, TASK, loader.labelled).argmax(1) == loader.target).float().mean() > 0.8


def test_a_method_keeps_the_body_unless_it_answers_otherwise(loader):
    run = trained(SecondHead(), loader)
    assert isinstance(run.network(), Answering)

    class Silent(TwoHeads):
        answer = Supervised.answer

    assert type(kept(Silent(), run.seats["student"].module)) is Head
    with torch.inference_mode():
        _, beside = Player(run.seats["student"].module.eval()).aside(loader.unlabelled.rows)
    assert torch.equal(predict(run.network(), TASK, loader.unlabelled), beside["second"])


@pytest.mark.parametrize("method", [TwoHeads(), Followed()])
@pytest.mark.parametrize("stop", [1, 7, 11])
def test_a_run_with_brought_modules_resumes_to_the_same_bits(method, loader, tmp_path, stop):
    class CutError(Exception):
        pass

    def cut(step):
        if step == stop:
            raise CutError

    training, path = Training(12, lr=1e-2, checkpoint_every=0), tmp_path / "run"
    whole = train(method, TASK, network(), loader, training)
    with pytest.raises(CutError):
        train(method, TASK, network(), loader, training, path=path, tick=cut)
    again = train(method, TASK, network(), loader, training, path=path)
    assert again.history == whole.history
    assert any("brought.second" in name for name in whole.tensors())
    assert all(torch.equal(t, again.tensors()[n]) for n, t in whole.tensors().items())


def test_a_teacher_averages_what_was_brought_too(loader):
    heads = {"student": [], "teacher": []}

    def watch(run):
        for who, found in heads.items():
            found.append(run.seats[who].module.brought["second"].weight.detach().clone())
        return {}

    train(Followed(), TASK, network(), loader, Training(4, lr=1e-2, records=4), watch=watch)
    for k in range(1, 4):
        expected = torch.lerp(heads["teacher"][k - 1], heads["student"][k - 1], 0.25)
        assert torch.allclose(heads["teacher"][k], expected, atol=1e-6)


def test_a_follower_that_takes_gradient_steps_moves_what_was_brought_with_exact_gradients(loader):
    """The borrowed head is the one that speaks: the pulled-back gradient against finite differences."""
    torch.set_default_dtype(torch.float64)
    try:
        rows, y = loader.labelled.rows.double(), loader.target
        seats = {who: Player(equipped(TwoHeads(), network(i).double(), TASK, i)) for i, who in enumerate("st")}
        for player in seats.values():
            player.module.eval()

        def loss(who, play):
            _, beside = play["t"].aside(rows)
            mine, other = play["s"].aside(rows)
            if who == "t":
                return Terms({"follow": kl(other["second"].log_softmax(-1), beside["second"]).mean()})
            return Terms({"lead": cross_entropy(torch.eye(3)[y], beside["second"] + mine).mean()})

        rule, name = Stackelberg("s", "t", Unrolled(2, 0.5)), "brought.second.weight"
        start = {n: p.detach().clone() for n, p in seats["t"].params.items()}
        move = rule.move(loss, seats, 0)
        weight, ends = seats["s"].params[name], []
        for step in (1e-5, -1e-5):
            seats["t"].install(start)
            with torch.no_grad():
                weight[1, 2] += step
            ends.append(rule.move(loss, seats, 0).terms.total.item())
            with torch.no_grad():
                weight[1, 2] -= step
        assert move.grads["s"][name][1, 2].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4)
    finally:
        torch.set_default_dtype(torch.float32)


class Pixels(nn.Module):
    """Logits of pixels by a 1 x 1 convolution on four maps."""

    def __init__(self):
        super().__init__()
        self.body, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        return self.last(self.body(x).relu())


def test_pixels_are_represented_in_the_order_of_the_tasks_units():
    net, x, task = Pixels(), torch.rand(2, 3, 5, 6), Segmentation(2)
    logits, rows = Player(net).represent(x)
    assert rows.shape == (60, 4) and width_of(net) == 4
    expected = rows @ net.last.weight[:, :, 0, 0].T + net.last.bias
    torch.testing.assert_close(task.units(logits), expected)
    logits, beside = Player(equipped(TwoHeads(), net, task, 0)).aside(x)
    assert beside["second"].shape == task.units(logits).shape


def test_the_last_layer_is_looked_for_in_the_body_alone():
    net = equipped(TwoHeads(), network(), TASK, 0)
    assert last_layer(net) is net.body.layers[-1]
    assert width_of(net) == 8
    with pytest.raises(ValueError, match="no linear layer"):
        width_of(nn.Flatten())


def test_what_is_new_learns_as_fast_as_the_fastest_part(loader):
    """With plain gradients of 1 a step is as long as the rate."""

    class Slope(TwoHeads):
        def loss(self, who, batch, play, task, memory):
            return Terms({"slope": sum((p * torch.ones_like(p)).sum() for p in play[who].params.values())})

    scales = {"layers.1": 1.0, "layers.4": 5.0}
    training = Training(1, lr=0.1, lr_scale=scales, optimiser="sgd", weight_decay=0.0, clip=1e9)
    before = equipped(Slope(), network(), TASK, 0).state_dict()
    after = train(Slope(), TASK, network(), loader, training).seats["student"].module.state_dict()
    moved = {n: (before[n] - after[n]).mean().item() for n in before if n.endswith("weight")}
    rates = {n: 0.5 if "brought" in n or "layers.4" in n else 0.1 for n in moved}
    assert moved == pytest.approx(rates, rel=1e-4)


@pytest.fixture(scope="module")
def problem(loader):
    y = loader.target.numpy()
    return Problem(TASK, loader.labelled, y, loader.unlabelled, network, None, batch_labelled=12, batch_unlabelled=16)


def test_a_contender_with_brought_modules_is_cross_validated_kept_and_read_again(problem, tmp_path):
    setup = Setup(problem, Training(12, lr=1e-2), FolderStore(tmp_path))
    contender = Contender("two heads", TwoHeads(), setup)
    folds = [(np.arange(0, 24, 2), np.arange(1, 24, 2)), (np.arange(1, 24, 2), np.arange(0, 24, 2))]
    parts, _ = contender.held_out(folds)
    loader, seed = problem.loader(folds[0][0], 1), 1  # those of the first fold
    run = train(TwoHeads(), TASK, problem.network, loader, setup.trained(seed=seed).training)
    expected = predict(run.network(), TASK, problem.labelled.subset(folds[0][1])).softmax(-1)
    np.testing.assert_allclose(parts[0][1]["probabilities"], expected, rtol=1e-5)
    first, _ = contender.network()
    again, _ = contender.network()  # from the store
    assert isinstance(first, Answering) and isinstance(again, Answering)
    assert torch.equal(predict(again, TASK, problem.pool), predict(first, TASK, problem.pool))


def test_what_was_kept_is_made_again_from_a_fresh_network_and_the_state(loader):
    run = trained(TwoHeads(share=0.25), loader)
    made = restored(TwoHeads(share=0.25), network(9), TASK, run.seats["student"].module.state_dict())
    assert torch.equal(predict(made, TASK, loader.unlabelled), predict(run.network(), TASK, loader.unlabelled))


def test_a_game_goes_on_with_the_heads_of_an_earlier_one(loader):
    earlier = trained(TwoHeads(), loader).network()
    on = equipped(TwoHeads(), earlier, TASK, 3)
    assert torch.equal(on.brought["second"].weight, earlier.brought["second"].weight)
    assert type(on.body) is Head
    run = train(TwoHeads(), TASK, earlier, loader, Training(2, lr=1e-2))
    assert isinstance(run.network(), Answering)


def test_the_body_alone_is_trained_where_only_it_learns(loader):
    """The labels' loss is that of the body: what is brought hears nothing of it."""

    class Unheard(TwoHeads):
        answer = Supervised.answer

        def loss(self, who, batch, play, task, memory):
            return Terms({"supervised": on_labels(play[who], batch, task)})

    plain = train(Supervised(), TASK, network(), loader, Training(12, lr=1e-2, weight_decay=0.0))
    unheard = train(Unheard(), TASK, network(), loader, Training(12, lr=1e-2, weight_decay=0.0))
    assert all(torch.equal(t, unheard.network().state_dict()[n]) for n, t in plain.network().state_dict().items())
    start = equipped(Unheard(), network(), TASK, 0).brought["second"].weight
    assert torch.equal(unheard.seats["student"].module.brought["second"].weight, start)
    assert isinstance(unheard.memory, Memory)


def test_a_network_that_answers_by_its_method_is_saved_with_the_address_of_its_code(loader, tmp_path, monkeypatch):
    from tutelage.modalities.rows.reader import RowReader
    from tutelage.model import Model, load, save

    run = train(TwoHeads(share=0.25), TASK, network(), loader, Training(20, lr=2e-2))
    model = Model(["a", "b", "c"], run.network().eval(), RowReader(), TASK)
    rows = loader.unlabelled.rows.numpy()
    save(model, tmp_path / "own")
    with pytest.raises(UntrustedError, match="test_brought:TwoHeads"):
        load(tmp_path / "own")
    trusted = load(tmp_path / "own", trust=True)
    np.testing.assert_array_equal(trusted.probabilities(rows), model.probabilities(rows))
    monkeypatch.setattr("tutelage.train.run.METHODS", {"two_heads": TwoHeads})
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(again.probabilities(rows), model.probabilities(rows))
    assert again.network.method == TwoHeads(share=0.25)
