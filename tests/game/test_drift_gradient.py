"""The Stackelberg gradient of DRIFT against the golden case and against finite differences."""

from __future__ import annotations

import dataclasses
from functools import partial

import pytest
import torch
from torch import nn

from tutelage.game import Ahead, Ema, Frozen, Player, Stackelberg, Unrolled
from tutelage.game.rules import Move
from tutelage.memory import Memory
from tutelage.methods import Drift, MeanTeacher
from tutelage.methods.base import Method
from tutelage.tasks import Classification
from tutelage.types import Batch, Params, Views

pytestmark = pytest.mark.usefixtures("double_precision")


def batch_of(labelled, target, unlabelled) -> Batch:
    index = partial(torch.arange, dtype=torch.long)
    return Batch(
        Views({"weak": labelled}, index(len(labelled))),
        torch.tensor(target),
        Views({"weak": unlabelled}, index(len(unlabelled))),
        progress=1.0,
    )


def loss_of(method: Method, batch: Batch, classes: int):
    memory, task = Memory(len(batch.unlabelled)), Classification(classes)
    return lambda who, seats: method.loss(who, batch, seats, task, memory)


def linear(weight) -> nn.Linear:
    net = nn.Linear(2, 3, bias=False)
    with torch.no_grad():
        net.weight.copy_(torch.tensor(weight))
    return net


# core.md 1.3: linear model, C = 3, D = 2, decay 0.9, temperature 0.5
W_S = [[0.2, -0.1], [0.0, 0.3], [-0.4, 0.1]]
W_T = [[0.5, 0.0], [-0.2, 0.4], [0.1, -0.3]]
GOLDEN = {
    "kl": (
        0.8924558680,
        [[-0.4141217831, 0.1171602752], [0.2330447121, -0.0670703807], [0.1810770711, -0.0500898944]],
    ),
    "ce": (
        0.9219990786,
        [[-0.4086797483, 0.1177827924], [0.2295738218, -0.0640372527], [0.1791059264, -0.0537455397]],
    ),
}
DIRECT = [[-0.4152340195, 0.1171098530], [0.2340243020, -0.0679258730], [0.1812097176, -0.0491839800]]


def golden_move(**changes) -> Move:
    method = Drift(temperature=0.5, decay=0.9, ramp=0.0, weight=1.0, **changes)
    batch = batch_of(torch.tensor([[0.7, -0.2]]), [0], torch.tensor([[1.0, 0.5], [-0.3, 0.8]]))
    seats = {"student": Player(linear(W_S)), "teacher": Player(linear(W_T))}
    return method.rule.move(loss_of(method, batch, 3), seats, 0)


@pytest.mark.parametrize("divergence", ["kl", "ce"])
def test_golden_case(divergence):
    move = golden_move(divergence=divergence)
    value, total = GOLDEN[divergence]
    assert move.terms.total.item() == pytest.approx(value, abs=1e-8)
    torch.testing.assert_close(move.grads["student"]["weight"], torch.tensor(total), atol=1e-8, rtol=0)
    torch.testing.assert_close(move.direct["weight"], torch.tensor(DIRECT), atol=1e-8, rtol=0)


def test_golden_weights_and_labels():
    seen = golden_move(divergence="kl").terms.seen
    torch.testing.assert_close(seen["weight"], torch.tensor([0.02761487, 0.03388780]), atol=1e-8, rtol=0)
    assert seen["label"].tolist() == [0, 1]


class Transformer(nn.Module):
    """Two layers of attention over a short sequence of vectors."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True, activation="gelu")
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.body(x).mean(1))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))


NETWORKS = {"mlp": (mlp, (4,)), "transformer": (Transformer, (5, 8))}


def game(network: str, response, method: Method | None = None):
    """Seats, loss and rule of a random game."""
    torch.manual_seed(0)
    make, shape = NETWORKS[network]
    method = method or Drift(ramp=0.0, response=response)
    batch = batch_of(torch.randn(3, *shape), [0, 1, 2], torch.randn(6, *shape))
    seats = {"student": Player(make()), "teacher": Player(make())}
    return seats, loss_of(method, batch, 3), method.rule


def composed(seats, loss, response, teacher: Params, student: Params) -> float:
    """F(S, T(S)) at given S and old T."""
    seats["student"].install(student)
    seats["teacher"].install(teacher)
    reply = response.play("student", "teacher", seats, loss)
    return loss("student", seats | {"teacher": seats["teacher"].seat(reply.params)}).total.item()


def worst_distance_from_finite_differences(network: str, response, method: Method | None = None) -> float:
    """Largest error of the total gradient over 25 random coordinates and one random direction."""
    seats, loss, rule = game(network, response, method)
    s = {n: p.detach().clone() for n, p in seats["student"].params.items()}
    t = {n: p.detach().clone() for n, p in seats["teacher"].params.items()}
    total = rule.move(loss, seats, 0).grads["student"]
    value = partial(composed, seats, loss, response, t)
    generator = torch.Generator().manual_seed(1)
    directions = [{n: torch.randn(p.shape, generator=generator) for n, p in s.items()}]
    names = list(s)
    for _ in range(25):
        n = names[int(torch.randint(len(names), (1,), generator=generator))]
        one = {m: torch.zeros_like(p) for m, p in s.items()}
        one[n].view(-1)[int(torch.randint(s[n].numel(), (1,), generator=generator))] = 1.0
        directions.append(one)
    h, worst = 1e-5, 0.0
    for d in directions:
        size = torch.stack([v.norm() for v in d.values()]).norm()
        up = value({n: s[n] + h * d[n] / size for n in s})
        down = value({n: s[n] - h * d[n] / size for n in s})
        stated = sum((total[n] * d[n]).sum() for n in s) / size
        worst = max(worst, abs((up - down) / (2 * h) - float(stated)))
    return worst


RESPONSES = {
    "Ema(0.3)": Ema(0.3),
    "Unrolled(1)": Unrolled(1, lr=0.5),
    "Unrolled(3)": Unrolled(3, lr=0.5),
    "Ahead(3)": Ahead(3, lr=0.5, decay=0.3),
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("response", RESPONSES)
def test_total_gradient_is_that_of_finite_differences(network, response):
    assert worst_distance_from_finite_differences(network, RESPONSES[response]) < 1e-7


@dataclasses.dataclass(frozen=True)
class DetachedDrift(Drift):
    """DRIFT with the mistake that turns it into Mean Teacher."""

    def loss(self, who, batch, play, task, memory):
        if who == "student":
            stale = Player(play["teacher"].module, {n: p.detach() for n, p in play["teacher"].params.items()})
            play = {**play, "teacher": stale}
        return super().loss(who, batch, play, task, memory)


@pytest.mark.parametrize("response", RESPONSES)
def test_a_detached_teacher_is_found_out(response):
    method = DetachedDrift(ramp=0.0, response=RESPONSES[response])
    assert worst_distance_from_finite_differences("mlp", RESPONSES[response], method) > 1e-4


@pytest.mark.parametrize("network", NETWORKS)
def test_moving_the_modules_equals_differentiating_through_the_average(network):
    """Two implementations of the moving average: two backward passes added, and one through T(S)."""
    seats, loss, rule = game(network, Ema(0.3))
    s, old = seats["student"].params, {n: p.detach().clone() for n, p in seats["teacher"].params.items()}
    whole = {n: 0.3 * old[n] + 0.7 * s[n] for n in s}
    functional = torch.autograd.grad(
        loss("student", seats | {"teacher": seats["teacher"].seat(whole)}).total, list(s.values())
    )
    total = rule.move(loss, seats, 0).grads["student"]
    for n, g in zip(s, functional, strict=True):
        torch.testing.assert_close(total[n], g, atol=1e-10, rtol=0)


def test_interaction_zero_is_the_mean_teacher_gradient():
    seats, loss, _ = game("mlp", None)
    method = MeanTeacher(ramp=0.0)
    seats2, loss2, _ = game("mlp", None, method)
    a = Stackelberg(response=Ema(0.9), interaction=0.0).move(loss, seats, 0).grads["student"]
    b = method.rule.move(loss2, seats2, 0).grads["student"]
    assert all(torch.equal(a[n], b[n]) for n in a)


def test_a_frozen_teacher_gives_no_anticipating_term():
    seats, loss, _ = game("mlp", Frozen())
    move = Stackelberg(response=Frozen()).move(loss, seats, 0)
    assert all(torch.equal(move.grads["student"][n], g) for n, g in move.direct.items())
