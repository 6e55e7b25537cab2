"""How the follower answers the leader, and how that answer changes when the leader moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from tutelage.game.player import Loss, Seats, gradient
from tutelage.ops.checks import in_range
from tutelage.types import Params


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
class Unrolled:
    """The follower takes gradient steps on its own loss G: ``T <- T - lr * dG/dT``, ``steps`` times.

    The pullback differentiates through the steps (second derivatives of G), so its cost grows
    with ``steps``; attention runs in its plain form, the only one with second derivatives.

    Args:
        steps: number of gradient steps, at least 1.
        lr: the follower's learning rate, above 0.

    Source: Pham et al., Meta Pseudo Labels, CVPR 2021; Zuo et al., SALT, EMNLP 2021.
    """

    steps: int = 1
    lr: float = 0.1

    def __post_init__(self) -> None:
        in_range("steps", self.steps, 1)
        in_range("lr", self.lr, 0, low_open=True)

    def play(self, leader: str, follower: str, seats: Seats, loss: Loss) -> Reply:
        s = seats[leader].params
        t = {n: p.detach().clone().requires_grad_() for n, p in seats[follower].params.items()}
        for _ in range(self.steps):
            with sdpa_kernel(SDPBackend.MATH):
                g = loss(follower, {**seats, follower: seats[follower].seat(t)}).total
                step = gradient(g, t, create_graph=True)
            t = {n: t[n] - self.lr * step[n] for n in t}

        def pullback(v: Params) -> Params:
            return gradient(torch.stack([(t[n] * v[n]).sum() for n in t]).sum(), s)

        return Reply({n: p.detach() for n, p in t.items()}, pullback)
