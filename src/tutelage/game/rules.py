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
    """The follower's parameters as played, and ``pullback(v) = (d params / d leader)^T v``.

    The pullback owns ``v``: it may overwrite it.
    """

    params: Params
    pullback: Callable[[Params], Params]


@runtime_checkable
class Response(Protocol):
    """The follower's answer to the leader: a map from the leader's parameters to the follower's."""

    def play(self, leader: str, follower: str, seats: Seats, loss: Loss) -> Reply: ...


@dataclass(frozen=True)
class Ema:
    """Exponential moving average: ``T = decay * T_old + (1 - decay) * S``; pullback ``(1 - decay) v``.

    Closed form: no functional call, no second derivative. The follower is moved in place.

    Args:
        decay: in [0, 1]; 0 copies the leader, 1 never moves.

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
    """The follower is the leader: pullback v. Pseudo-labels of FixMatch, UDA and their kin."""

    def play(self, leader: str, follower: str, seats: Seats, loss: Loss) -> Reply:
        return Reply({n: p.detach() for n, p in seats[leader].params.items()}, lambda v: v)


@dataclass(frozen=True)
class Frozen:
    """The follower does not move within a round: pullback 0. Renewed by the loop between rounds."""

    def play(self, leader: str, follower: str, seats: Seats, loss: Loss) -> Reply:
        still = {n: p.detach() for n, p in seats[follower].params.items()}
        return Reply(still, lambda v: {n: torch.zeros_like(g) for n, g in v.items()})


@dataclass(frozen=True)
class Move:
    """One play of the game: gradients to step, by player; terms to report.

    ``direct`` is the part of the leader's gradient that does not flow through the follower, where
    the rest does.
    """

    grads: dict[str, Params]
    terms: Terms
    direct: Params | None = None

    def norms(self) -> dict[str, float]:
        """Lengths of two parts of the leader's gradient, "anticipating" and "direct"; none where it has one part."""
        if self.direct is None:
            return {}
        (total,) = self.grads.values()
        through = torch._foreach_sub([total[n] for n in self.direct], list(self.direct.values()))
        norm = torch.nn.utils.get_total_norm
        return {"anticipating": float(norm(through)), "direct": float(norm(list(self.direct.values())))}


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
