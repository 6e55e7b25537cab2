"""The order of play: who moves, which gradient flows, and how a follower answers in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch

from tutelage.game.player import Loss, Seats, gradient
from tutelage.ops.checks import in_range
from tutelage.types import Params, Scalar, Terms


@dataclass(frozen=True)
class Reply:
    """The follower's answer to the leader.

    Attributes:
        params: the follower's parameters, as they are played.
        pullback: gives ``(d params / d leader)^T v`` for v; it may overwrite v.
    """

    params: Params
    pullback: Callable[[Params], Params]


@runtime_checkable
class Response(Protocol):
    """How a follower answers: a differentiable map from the leader's parameters to the follower's."""

    def play(self, leader: str, follower: str, seats: Seats, loss: Loss) -> Reply:
        """The follower's answer to the leader as it is seated.

        Args:
            leader, follower: their names among the seats.
            seats: all players, by name.
            loss: for followers that minimise something of their own.
        """


@dataclass(frozen=True)
class Ema:
    """Exponential moving average: ``T = decay * T_old + (1 - decay) * S``; pullback ``(1 - decay) v``.

    Closed form: no functional call, no second derivative. The follower is moved in place.

    Args:
        decay: share of the old follower that is kept, in [0, 1]; 0 copies the leader, 1 never moves.

    Source: Tarvainen and Valpola, Mean Teacher, NeurIPS 2017; Zuo et al., DRIFT, eq. 1.
    """

    decay: float = 0.99

    def __post_init__(self) -> None:
        in_range("decay", self.decay, 0, 1)

    def play(self, leader: str, follower: str, seats: Seats, loss: Loss) -> Reply:
        old, target = seats[follower].params, seats[leader].params
        with torch.no_grad():
            torch._foreach_lerp_(list(old.values()), [target[n] for n in old], 1 - self.decay)
        return Reply(old, self._pullback)

    def _pullback(self, v: Params) -> Params:
        torch._foreach_mul_(list(v.values()), 1 - self.decay)
        return v


@dataclass(frozen=True)
class Copy:
    """The follower is the leader itself; pullback v. Pseudo-labels of FixMatch, UDA and their kin."""

    def play(self, leader: str, follower: str, seats: Seats, loss: Loss) -> Reply:
        return Reply({n: p.detach() for n, p in seats[leader].params.items()}, lambda v: v)


@dataclass(frozen=True)
class Frozen:
    """The follower does not move within a round; pullback 0. Between rounds the loop puts the leader in its place."""

    def play(self, leader: str, follower: str, seats: Seats, loss: Loss) -> Reply:
        still = {n: p.detach() for n, p in seats[follower].params.items()}
        return Reply(still, lambda v: {n: torch.zeros_like(g) for n, g in v.items()})


@dataclass(frozen=True)
class Move:
    """One play of the game.

    Attributes:
        grads: the gradient of each player that is to step, by name.
        terms: the loss, to report.
        direct: the part of the leader's gradient that does not flow through the follower; None where all does not.
        through: the part that does, over ``scale``.
        scale: scale of that part in the leader's gradient.
    """

    grads: dict[str, Params]
    terms: Terms
    direct: Params | None = None
    through: Params | None = None
    scale: float = 1.0

    def norms(self) -> dict[str, float]:
        """Lengths of two parts of the leader's gradient, "anticipating" and "direct"; none where it has one part."""
        if self.direct is None or self.through is None:
            return {}
        through, direct = (torch.nn.utils.get_total_norm(list(g.values())) for g in (self.through, self.direct))
        return {"anticipating": self.scale * float(through), "direct": float(direct)}


@runtime_checkable
class Rule(Protocol):
    """The order of play: turns a loss and seated players into gradients, and moves the followers."""

    @property
    def movers(self) -> tuple[str, ...]:
        """Names of the players that the loop steps with an optimiser."""

    @property
    def followers(self) -> tuple[str, ...]:
        """Names of the players that only respond, and are moved by the rule."""

    def move(self, loss: Loss, seats: Seats, step: int) -> Move:
        """Gradients of the movers at the present seats.

        Args:
            loss: gives what each player minimises.
            seats: the players by name.
            step: number of the step, from 0.
        """


@dataclass(frozen=True)
class Simultaneous:
    """Every player descends its own loss, all at the same point: ``g_i = dL_i / d theta_i``.

    Args:
        movers: names of the players.
    """

    movers: tuple[str, ...] = ("student",)
    followers: tuple[str, ...] = field(default=(), init=False)

    def move(self, loss: Loss, seats: Seats, step: int) -> Move:
        grads: dict[str, Params] = {}
        terms: dict[str, Scalar] = {}
        seen: dict[str, Any] = {}
        for who in self.movers:
            mine = loss(who, seats)
            grads[who] = gradient(mine.total, seats[who].params)
            prefix = f"{who}." if len(self.movers) > 1 else ""
            terms |= {prefix + k: v for k, v in mine.terms.items()}
            seen |= {prefix + k: v for k, v in mine.seen.items()}
        return Move(grads, Terms(terms, seen))


@dataclass(frozen=True)
class Alternating:
    """The players take turns, one in each step; each sees what the others did before it.

    Args:
        movers: names of the players, in the order of their turns.
    """

    movers: tuple[str, ...]
    followers: tuple[str, ...] = field(default=(), init=False)

    def move(self, loss: Loss, seats: Seats, step: int) -> Move:
        return Simultaneous((self.movers[step % len(self.movers)],)).move(loss, seats, step)


@dataclass(frozen=True)
class Stackelberg:
    """The follower responds, ``T(S)``; then the leader descends ``F(S, T(S))``.

        g = dF/dS + interaction * (dT/dS)^T dF/dT                              (DRIFT, eq. 3)

    With interaction 1 this is the total derivative; with 0 the leader ignores that it is followed, and no graph through
    the follower is recorded. The follower keeps the response.

    Args:
        leader: name of the player that descends.
        follower: name of the player that responds.
        response: how it responds.
        interaction: scale of the anticipating term, at least 0.
    """

    leader: str = "student"
    follower: str = "teacher"
    response: Response = field(default_factory=Ema)
    interaction: float = 1.0

    def __post_init__(self) -> None:
        in_range("interaction", self.interaction, 0)

    @property
    def movers(self) -> tuple[str, ...]:
        return (self.leader,)

    @property
    def followers(self) -> tuple[str, ...]:
        return (self.follower,)

    @property
    def curved(self) -> bool:
        """Whether gradients are differentiated again, as they are through a follower that takes gradient steps."""
        return bool(getattr(self.response, "curved", False))

    def move(self, loss: Loss, seats: Seats, step: int) -> Move:
        leader, follower = seats[self.leader], seats[self.follower]
        follower.adopt_buffers(leader)  # before the reply, whose graph may hold them
        reply = self.response.play(self.leader, self.follower, seats, loss)
        follower.install(reply.params)
        follower.differentiable(self.interaction > 0)
        terms = loss(self.leader, seats)
        if self.interaction == 0:
            return Move({self.leader: gradient(terms.total, leader.params)}, terms)
        both = {(who, n): p for who in (self.leader, self.follower) for n, p in seats[who].params.items()}
        grads = gradient(terms.total, both)
        direct = {n: grads[self.leader, n] for n in leader.params}
        pulled = reply.pullback({n: grads[self.follower, n] for n in follower.params})
        total = torch._foreach_add(list(direct.values()), [pulled[n] for n in direct], alpha=self.interaction)
        return Move({self.leader: dict(zip(direct, total, strict=True))}, terms, direct, pulled, self.interaction)
