"""The order of play: who moves, which gradient flows, and what the follower keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch

from tutelage.game.player import Loss, Seats, gradient
from tutelage.game.responses import Ema, Response
from tutelage.ops.checks import in_range
from tutelage.types import Params, Scalar, Terms


@dataclass(frozen=True)
class Move:
    """One play of the game: gradients to step, by player; terms to report.

    ``direct`` is the part of the leader's gradient that does not flow through the follower, where
    the rest does.
    """

    grads: dict[str, Params]
    terms: Terms
    direct: Params | None = None


@runtime_checkable
class Rule(Protocol):
    """Turns a loss and seated players into gradients. Followers are moved here, movers by the loop."""

    @property
    def movers(self) -> tuple[str, ...]:
        """Players stepped by an optimiser."""

    @property
    def followers(self) -> tuple[str, ...]:
        """Players that only respond."""

    def move(self, loss: Loss, seats: Seats, step: int) -> Move: ...


@dataclass(frozen=True)
class Simultaneous:
    """Every player descends its own loss, all at the same point: ``g_i = dL_i / d theta_i``."""

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
    """The players take turns, one a step; each sees what the others did before it."""

    movers: tuple[str, ...]
    followers: tuple[str, ...] = field(default=(), init=False)

    def move(self, loss: Loss, seats: Seats, step: int) -> Move:
        return Simultaneous((self.movers[step % len(self.movers)],)).move(loss, seats, step)


@dataclass(frozen=True)
class Stackelberg:
    """The follower responds, ``T(S)``; then the leader descends ``F(S, T(S))``.

        g = dF/dS + interaction * (dT/dS)^T dF/dT                              (DRIFT, eq. 3)

    With interaction 1 this is the total derivative; with 0 the leader ignores that it is followed
    and no graph through the follower is recorded. The response is what the follower keeps.

    Args:
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
        through = [pulled[n] for n in direct]
        total = torch._foreach_add(list(direct.values()), through, alpha=self.interaction)
        return Move({self.leader: dict(zip(direct, total, strict=True))}, terms, direct)
