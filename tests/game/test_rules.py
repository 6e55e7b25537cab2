"""Rules and responses on a quadratic game whose answers are known in closed form."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tutelage.game import Ahead, Alternating, Copy, Ema, Frozen, Implicit, Player, Simultaneous, Stackelberg, Unrolled
from tutelage.types import Terms


class Point(nn.Module):
    """One parameter vector that plays itself."""

    def __init__(self, at) -> None:
        super().__init__()
        self.at = nn.Parameter(torch.tensor(at, dtype=torch.float64))

    def forward(self, x):
        return self.at * x


A = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
B = torch.tensor([[1.0, -0.3], [0.2, 0.7]], dtype=torch.float64)


def quadratic(who, seats) -> Terms:
    """F = |s|^2 / 2 + s.t for the leader; G = t.A t / 2 - t.B s for the follower."""
    s, t = (seats[w](torch.ones((), dtype=torch.float64)) for w in ("student", "teacher"))
    if who == "teacher":
        return Terms({"follow": t @ A @ t / 2 - t @ B @ s})
    return Terms({"lead": s @ s / 2 + s @ t})


def seats() -> dict[str, Player]:
    return {"student": Player(Point([1.0, -2.0])), "teacher": Player(Point([0.5, 0.25]))}


def lead(response, interaction=1.0):
    table = seats()
    move = Stackelberg(response=response, interaction=interaction).move(quadratic, table, 0)
    return move.grads["student"]["at"], table["teacher"].params["at"].detach()


S, T = torch.tensor([1.0, -2.0], dtype=torch.float64), torch.tensor([0.5, 0.25], dtype=torch.float64)
EYE = torch.eye(2, dtype=torch.float64)


def unrolled(steps: int, lr: float):
    """T_k and dT_k/dS of the follower's gradient descent, by hand."""
    t, jacobian = T, torch.zeros(2, 2, dtype=torch.float64)
    for _ in range(steps):
        t = t - lr * (A @ t - B @ S)
        jacobian = (EYE - lr * A) @ jacobian + lr * B
    return t, jacobian


def ahead(steps: int, lr: float, decay: float):
    """T_K and dT_K/dS when the leader's imagined steps are S - lr (S + T_0), by hand."""
    s, t, js, jt = S, T, EYE, torch.zeros(2, 2, dtype=torch.float64)
    for k in range(steps):
        if k:
            s, js = s - lr * (s + T), (1 - lr) * js
        t, jt = decay * t + (1 - decay) * s, decay * jt + (1 - decay) * js
    return t, jt


@pytest.mark.parametrize(
    ("response", "played", "jacobian"),
    [
        (Copy(), S, EYE),
        (Frozen(), T, 0 * EYE),
        (Ema(0.75), 0.75 * T + 0.25 * S, 0.25 * EYE),
        (Ema(1.0), T, 0 * EYE),
        (Unrolled(1, lr=0.1), *unrolled(1, 0.1)),
        (Unrolled(4, lr=0.1), *unrolled(4, 0.1)),
        (Ahead(1, lr=0.1, decay=0.75), 0.75 * T + 0.25 * S, 0.25 * EYE),
        (Ahead(3, lr=0.1, decay=0.75), *ahead(3, 0.1, 0.75)),
        (Implicit(steps=0), T, torch.linalg.solve(A, B)),
        (Implicit(steps=3, lr=0.1, iterations=2), unrolled(3, 0.1)[0], torch.linalg.solve(A, B)),
        (Implicit(steps=0, damping=0.5), T, torch.linalg.solve(A + 0.5 * EYE, B)),
        (Implicit(steps=0, solver="neumann", lr=0.4, iterations=200), T, torch.linalg.solve(A, B)),
    ],
)
@pytest.mark.parametrize("interaction", [0.0, 1.0, 2.5])
def test_gradient_and_reply_in_closed_form(response, played, jacobian, interaction):
    gradient, kept = lead(response, interaction)
    torch.testing.assert_close(kept, played)
    torch.testing.assert_close(gradient, S + played + interaction * jacobian.T @ S)


def test_an_average_by_gradient_steps_is_the_moving_average():
    """One gradient step of rate 1 - decay on |t - s|^2 / 2 is the moving average."""

    def near(who, table):
        s, t = (table[w](torch.ones((), dtype=torch.float64)) for w in ("student", "teacher"))
        return Terms({"x": ((t - s) ** 2).sum() / 2}) if who == "teacher" else Terms({"x": (t * s).sum()})

    moves = [Stackelberg(response=r).move(near, seats(), 0) for r in (Ema(0.7), Unrolled(1, lr=0.3))]
    torch.testing.assert_close(moves[0].grads["student"]["at"], moves[1].grads["student"]["at"])


def test_unrolled_and_implicit_meet_at_the_best_answer():
    """Many gradient steps reach T* = A^-1 B S, and differentiate as the implicit function theorem does."""
    far = [lead(r) for r in (Unrolled(300, lr=0.3), Implicit(300, lr=0.3), Implicit(300, 0.3, "neumann", 300))]
    for gradient, kept in far:
        torch.testing.assert_close(kept, torch.linalg.solve(A, B) @ S)
        torch.testing.assert_close(gradient, far[0][0])


def test_a_truncated_neumann_series_is_the_unrolled_gradient():
    """k terms of the series are what k steps from the best answer would differentiate to."""
    best = torch.linalg.solve(A, B) @ S
    table = seats()
    table["teacher"].install({"at": best})
    reply = Unrolled(5, lr=0.2).play("student", "teacher", table, quadratic)
    short = Implicit(steps=0, lr=0.2, solver="neumann", iterations=4).play("student", "teacher", table, quadratic)
    v = {"at": torch.tensor([0.3, -1.0], dtype=torch.float64)}
    torch.testing.assert_close(reply.pullback(dict(v))["at"], short.pullback(dict(v))["at"])


def test_simultaneous_players_all_descend_at_the_same_point():
    move = Simultaneous(("student", "teacher")).move(quadratic, seats(), 0)
    torch.testing.assert_close(move.grads["student"]["at"], S + T)
    torch.testing.assert_close(move.grads["teacher"]["at"], A @ T - B @ S)
    assert set(move.terms.terms) == {"student.lead", "teacher.follow"}


def test_alternating_players_take_turns():
    rule = Alternating(("student", "teacher"))
    assert [list(rule.move(quadratic, seats(), step).grads) for step in range(3)] == [
        ["student"],
        ["teacher"],
        ["student"],
    ]


def test_the_moving_average_needs_no_functional_call(monkeypatch):
    def forbidden(*_):
        raise AssertionError("functional_call was used")

    monkeypatch.setattr("tutelage.game.player.functional_call", forbidden)
    lead(Ema(0.5))
    with pytest.raises(AssertionError, match="functional_call"):
        lead(Unrolled(1))


def test_without_anticipation_no_graph_is_kept_through_the_follower():
    table = seats()
    Stackelberg(response=Ema(0.5), interaction=0.0).move(quadratic, table, 0)
    assert not table["teacher"].params["at"].requires_grad


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ema(1.2), r"decay must be in \[0, 1\], got 1.2"),
        (lambda: Unrolled(0), "steps must be at least 1, got 0"),
        (lambda: Unrolled(1, lr=0.0), "lr must be above 0, got 0.0"),
        (lambda: Stackelberg(interaction=-1), "interaction must be at least 0, got -1"),
    ],
)
def test_out_of_range_values_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_running_statistics_follow_the_leader():
    nets = {w: nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2)) for w in ("student", "teacher")}
    nets["teacher"].eval()
    table = {w: Player(n) for w, n in nets.items()}
    x = torch.randn(8, 2) + 3

    def agree(who, seated):
        return Terms({"x": (seated["student"](x) - seated["teacher"](x)).square().mean()})

    for _ in range(2):
        Stackelberg(response=Ema(0.5)).move(agree, table, 0)
    assert nets["teacher"][0].running_mean.abs().max() > 0.1
