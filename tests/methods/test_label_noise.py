"""Methods for noisy labels: whom each believes, and what of it can be checked by hand."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from tutelage.data import Features, Loader
from tutelage.distil.exact import self_distil
from tutelage.distil.noise import corrupt, symmetric
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods import CoTeaching, DivideMix, Elr, Gce, PartialLabel, Sce, SelfDistillation, Supervised
from tutelage.methods.dividemix import clean_probability
from tutelage.modalities.head import Head
from tutelage.ops.losses import cross_entropy, generalised_cross_entropy, reverse_cross_entropy
from tutelage.tasks import Classification, Segmentation
from tutelage.train import Training, predict, train
from tutelage.types import Batch, Views

TASK = Classification(3)
NONE = Views({}, torch.empty(0, dtype=torch.int64))


class Says(nn.Module):
    """Gives its input back as logits, moved by its one parameter."""

    def __init__(self, move: float = 0.0) -> None:
        super().__init__()
        self.move = nn.Parameter(torch.tensor(move))

    def forward(self, x):
        return x + self.move * torch.tensor([1.0, 0.0, 0.0])


def batch_of(logits, target, progress=0.5):
    x = torch.as_tensor(logits)
    return Batch(Views({"weak": x}, torch.arange(len(x))), torch.as_tensor(target), NONE, progress)


def seats(*names):
    return {who: Player(Says()) for who in names}


def test_generalised_cross_entropy_lies_between_cross_entropy_and_absolute_error():
    y, z = torch.eye(3), torch.randn(3, 3, generator=torch.Generator().manual_seed(0))
    p = z.softmax(-1).diagonal()
    assert torch.allclose(generalised_cross_entropy(y, z, 1.0), 1 - p)
    assert torch.allclose(generalised_cross_entropy(y, z, 1e-4), cross_entropy(y, z), atol=1e-3)
    assert torch.allclose(generalised_cross_entropy(y, z, 0.7), (1 - p**0.7) / 0.7)


def test_gce_counts_a_label_by_its_probability_to_the_power():
    z = torch.tensor([[2.0, 0.0, 1.0]], requires_grad=True)
    y = torch.tensor([[0.0, 1.0, 0.0]])
    plain = torch.autograd.grad(cross_entropy(y, z).sum(), z)[0]
    robust = torch.autograd.grad(generalised_cross_entropy(y, z, 0.7).sum(), z)[0]
    assert torch.allclose(robust, plain * z.detach().softmax(-1)[0, 1] ** 0.7)


def test_sce_by_hand():
    batch = batch_of([[math.log(2.0), 0.0, 0.0]], [0])  # p = 1/2, 1/4, 1/4
    terms = Sce(forward=0.1, reverse=2.0, floor=-4.0).loss("student", batch, seats("student"), TASK, Memory(0)).terms
    assert terms["supervised"].item() == pytest.approx(0.1 * math.log(2))
    assert terms["reverse"].item() == pytest.approx(2.0 * 4 * 0.5)
    assert reverse_cross_entropy(torch.eye(3), torch.zeros(3, 3), -4.0).tolist() == pytest.approx([8 / 3] * 3)


def test_gce_with_power_0_is_supervised_bit_for_bit(digits):
    runs = [train(m, Classification(10), head(0), digits(0.4), Training(steps=20)) for m in (Gce(0.0), Supervised())]
    a, b = (r.seats["student"].module.state_dict() for r in runs)
    assert all(torch.equal(a[n], b[n]) for n in a)


def test_each_network_of_co_teaching_learns_what_the_other_finds_easy():
    easy = {"student": 3.0, "partner": -3.0}  # the student says class 0 everywhere, its partner never
    play = {who: Player(Says(move)) for who, move in easy.items()}
    batch = batch_of([[0.0, 0.0, 0.0]] * 4, [0, 0, 1, 1])
    method = CoTeaching(forget=0.5, ramp=0.1)
    mine = {who: cross_entropy(torch.eye(3)[batch.target], play[who](batch.labelled["weak"])) for who in play}
    found = {who: method.loss(who, batch, play, TASK, Memory(0)).total.item() for who in play}
    assert found["student"] == pytest.approx(mine["student"][2:].mean().item())  # the partner finds class 1 easy
    assert found["partner"] == pytest.approx(mine["partner"][:2].mean().item())


def test_co_teaching_leaves_out_unknown_labels_and_grows_by_the_ramp():
    play, x = seats("student", "partner"), [[1.0, 0.0, 0.0]] * 5
    y = [0, 1, -1, -1, -1]
    half = CoTeaching(forget=0.5, ramp=1.0).loss("student", batch_of(x, y, 1.0), play, TASK, Memory(0)).total
    whole = CoTeaching(forget=0.5, ramp=1.0).loss("student", batch_of(x, y, 0.0), play, TASK, Memory(0)).total
    each = cross_entropy(torch.eye(3)[:2], torch.tensor(x[:2]))
    assert half.item() == pytest.approx(each[0].item())
    assert whole.item() == pytest.approx(each.mean().item())


def test_early_learning_target_and_loss_by_hand():
    method, memory = Elr(weight=2.0, decay=0.75), Memory(0)
    memory.kept = {"target": torch.zeros(2, 3)}
    batch = batch_of([[math.log(2.0), 0.0, 0.0]], [1])
    terms = method.loss("student", batch, seats("student"), TASK, memory)
    p = torch.tensor([0.5, 0.25, 0.25])
    assert torch.allclose(terms.seen["target"], 0.25 * p[None])
    assert terms.terms["early"].item() == pytest.approx(2 * math.log(1 - 0.25 * float(p @ p)), rel=1e-5)
    method.observe(batch, terms, memory, TASK)
    assert torch.allclose(memory.kept["target"], torch.stack([0.25 * p, torch.zeros(3)]))


def test_two_gaussians_tell_low_losses_from_high_ones():
    rng = np.random.default_rng(0)
    losses = np.concatenate([rng.normal(0.3, 0.1, 300), rng.normal(3.0, 0.3, 100)])
    clean = clean_probability(losses)
    assert clean[:300].min() > 0.9
    assert clean[300:].max() < 0.1
    assert clean_probability(np.array([0.5, 0.5, np.nan])).tolist() == [1.0, 1.0, 1.0]


def test_dividemix_believes_clean_labels_and_guesses_the_others():
    """Without mixing (alpha near 0) and of two networks that agree, the targets are known."""
    method, memory = DivideMix(alpha=1e-6, temperature=1.0, weight=1.0, warm_up=0.1, ramp=0.1), Memory(0)
    memory.round, memory.kept = 1, {"student": torch.ones(2), "partner": torch.tensor([1.0, 0.0])}
    batch = batch_of([[math.log(2.0), 0.0, 0.0]] * 2, [1, 1])
    terms = method.loss("student", batch, seats("student", "partner"), TASK, memory).terms
    assert terms["clean"].item() == pytest.approx(math.log(4))  # the label itself, w = 1
    assert terms["others"].item() == pytest.approx(0.0, abs=1e-9)  # what both say already
    assert terms["even"].item() == pytest.approx(-(math.log(0.5) + 2 * math.log(0.25)) / 3 - math.log(3), rel=1e-5)


def test_dividemix_finds_planted_wrong_labels(digits):
    loader = digits(0.4)
    run = train(DivideMix(), Classification(10), head, loader, Training(steps=400, lr=3e-3))
    wrong = loader.target.numpy() != digits(0.0).target.numpy()
    for who in ("student", "partner"):
        clean = run.memory.kept[who].numpy()
        assert clean[~wrong].mean() > 0.9
        assert clean[wrong].mean() < 0.2


@pytest.mark.parametrize("method", [Elr(), DivideMix()])
def test_methods_that_remember_units_refuse_pixels(method):
    with pytest.raises(ValueError, match="it cannot learn pixels"):
        method.settled(Segmentation(3))


def test_two_classes_are_refused_by_partial_labels():
    with pytest.raises(ValueError, match="partial_label needs at least 3 classes, got 2: one of two is always right"):
        PartialLabel().settled(Classification(2))


def test_partial_labels_warn_of_classes_that_come_in_pairs():
    method, target, said = PartialLabel(), torch.zeros(40, dtype=torch.int64), torch.zeros(40, 4)
    said[:20, 0], said[:20, 1], said[20:, 2], said[20:, 3] = 2.0, 1.0, 2.0, 1.0
    with pytest.warns(UserWarning, match="come together in nearly every unit, and tie: 0 with 1, 2 with 3"):
        method.judge("student", [(torch.arange(40), said, said)], target, Memory(0), Classification(4))
    said = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        method.judge("student", [(torch.arange(40), said, said)], target, Memory(0), Classification(4))


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("paper", -(math.log(0.5) + math.log(0.3)) / 2),
        ("released", (2 - 0.5**0.7 - 0.3**0.7) / 1.4),
        ("union", -math.log(0.8)),
    ],
)
def test_losses_of_partial_labels_by_hand(form, expected):
    memory = Memory(0)
    memory.round = 1
    batch = batch_of(torch.tensor([[0.2, 0.5, 0.3]]).log(), [0])
    loss = PartialLabel(form).loss("student", batch, seats("student", "teacher"), TASK, memory)
    assert loss.total.item() == pytest.approx(expected, rel=1e-5)


def test_share_of_the_label_as_given():
    memory = Memory(0)
    memory.round = 1
    batch = batch_of([[math.log(2.0), 0.0, 0.0]], [1])
    loss = SelfDistillation(given=0.5).loss("student", batch, seats("student", "teacher"), TASK, memory)
    p = torch.tensor([[0.5, 0.25, 0.25]])
    refined = 0.5 * p + 0.5 * torch.tensor([[0.0, 1.0, 0.0]])
    assert loss.total.item() == pytest.approx(cross_entropy(refined, p.log()).item(), rel=1e-5)


def test_rounds_of_gradient_steps_reach_the_exact_fixed_point():
    """A linear student by SGD against the convex optimum, round by round: core result (E)."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    noisy = corrupt((x[:, 0] > 0) + (x[:, 1] > 0).astype(int), symmetric(3, 0.4), seed=0)
    decay, rounds = 0.05, 3
    exact = self_distil(x, np.eye(3)[noisy], decay, rounds)
    rows = torch.tensor(x, dtype=torch.float32)
    loader = Loader(Features(rows), torch.tensor(noisy), Features(rows[:0]), 60, 1)
    linear = nn.Linear(4, 3, bias=False)
    training = Training(steps=300 * rounds, lr=0.3, optimiser="sgd", weight_decay=decay, clip=1e9)
    run = train(SelfDistillation(rounds=rounds - 1), TASK, linear, loader, training)
    found = predict(run.seats["student"].module, TASK, Features(rows)).softmax(-1).numpy()
    assert np.abs(found - exact[-1]).max() < 1e-3
    assert np.abs(exact[-1] - exact[0]).max() > 0.05  # the rounds do something


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))[:1000]
    rows = torch.tensor(x[order], dtype=torch.float32)

    def loader(rate: float) -> Loader:
        noisy = corrupt(y[order], symmetric(10, rate), seed=0)
        return Loader(Features(rows), torch.tensor(noisy), Features(rows[:0]), 64, 1)

    return loader


def head(seed: int) -> Head:
    torch.manual_seed(seed)
    return Head(64, 10, 64).standardise(torch.tensor(load_digits().data, dtype=torch.float32), per_feature=True)


def right_with(method, digits):
    """Share of the rows learnt of which the method says the truth, though half of the labels are wrong."""
    truth, loader = digits(0.0).target, digits(0.5)
    training = Training(steps=400 * (method.training_rounds if method.restarts else 1), lr=3e-3)
    run = train(method, Classification(10), head, loader, training)
    return (predict(run.seats["student"].module, Classification(10), loader.labelled).argmax(1) == truth).float().mean()


@pytest.fixture(scope="module")
def right_as_given(digits):
    return right_with(Supervised(), digits)


@pytest.mark.parametrize(
    "method", [Gce(), Sce(), Elr(), CoTeaching(forget=0.5), DivideMix(), PartialLabel(), PartialLabel("released")]
)
def test_half_of_the_labels_wrong(method, digits, right_as_given):
    assert right_with(method, digits) > right_as_given + 0.01
