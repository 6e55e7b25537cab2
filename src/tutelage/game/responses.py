"""Followers that answer with gradient steps, and how their answer changes when the leader moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from tutelage.game.player import Loss, Seats, gradient
from tutelage.game.rules import Reply
from tutelage.ops.checks import in_range, one_of
from tutelage.types import Params, Scalar


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

    curved: ClassVar[bool] = True
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
            with sdpa_kernel(SDPBackend.MATH):  # activations may be computed again here
                return gradient(inner(t, v), s)

        return Reply({n: p.detach() for n, p in t.items()}, pullback)


@dataclass(frozen=True)
class Ahead:
    """The follower averages where the leader is going: ``steps`` plain gradient steps of the leader's own loss.

        S_{k+1} = S_k - lr dF/dS (S_k, T_0),  T_{k+1} = decay T_k + (1 - decay) S_{k+1},  T_1 from S_1 = S

    The imagined steps see the follower as it was. The pullback is ``(1 - decay) sum_k decay^(K-k) (dS_k/dS)^T v``,
    with second derivatives of F; with one step this is `Ema`.

    Args:
        steps: K, number of imagined steps, at least 1.
        lr: learning rate of the imagined steps, above 0.
        decay: share of the old follower that is kept in each of them, in [0, 1].
    """

    curved: ClassVar[bool] = True
    steps: int = 2
    lr: float = 0.1
    decay: float = 0.99

    def __post_init__(self) -> None:
        in_range("steps", self.steps, 1)
        in_range("lr", self.lr, 0, low_open=True)
        in_range("decay", self.decay, 0, 1)

    def play(self, leader: str, follower: str, seats: Seats, loss: Loss) -> Reply:
        start = seats[leader].params
        s = {n: p.detach().clone().requires_grad_() for n, p in start.items()}
        now = s
        t = {n: p.detach().clone() for n, p in seats[follower].params.items()}
        still = seats[follower].seat(t)
        for k in range(self.steps):
            if k:
                with sdpa_kernel(SDPBackend.MATH):
                    f = loss(leader, {**seats, leader: seats[leader].seat(now), follower: still}).total
                    step = gradient(f, now, create_graph=True)
                now = {n: now[n] - self.lr * step[n] for n in now}
            t = {n: self.decay * t[n] + (1 - self.decay) * now[n] for n in t}

        def pullback(v: Params) -> Params:
            with sdpa_kernel(SDPBackend.MATH):  # activations may be computed again here
                return gradient(inner(t, v), s)

        return Reply({n: p.detach() for n, p in t.items()}, pullback)


@dataclass(frozen=True)
class Implicit:
    """The follower plays its best answer, ``T(S) = argmin_T G(S, T)``, near which it takes gradient steps.

        (dT/dS)^T v = - (d2G/dS dT)^T (d2G/dT2 + damping)^-1 v        (implicit function theorem)

    The inverse is never formed: conjugate gradients, or a Neumann series ``lr sum_k (1 - lr H)^k v``.

    Args:
        steps: gradient steps towards the best answer in each step of the leader, at least 0.
        lr: learning rate of these steps, and of the Neumann series; above 0.
        solver: "cg" for conjugate gradients or "neumann" for the series.
        iterations: iterations of the solver, at least 1.
        damping: number added to the Hessian's diagonal, at least 0.

    Source: Lorraine, Vicol and Duvenaud, AISTATS 2020; Pedregosa, ICML 2016.
    """

    curved: ClassVar[bool] = True
    steps: int = 1
    lr: float = 0.1
    solver: Literal["cg", "neumann"] = "cg"
    iterations: int = 10
    damping: float = 0.0

    def __post_init__(self) -> None:
        in_range("steps", self.steps, 0)
        in_range("lr", self.lr, 0, low_open=True)
        one_of("solver", self.solver, ("cg", "neumann"))
        in_range("iterations", self.iterations, 1)
        in_range("damping", self.damping, 0)

    def play(self, leader: str, follower: str, seats: Seats, loss: Loss) -> Reply:
        s = seats[leader].params
        t = {n: p.detach().clone().requires_grad_() for n, p in seats[follower].params.items()}

        def slope(create_graph: bool) -> Params:
            g = loss(follower, {**seats, follower: seats[follower].seat(t)}).total
            return gradient(g, t, create_graph=create_graph)

        for _ in range(self.steps):
            step = slope(create_graph=False)
            t = {n: (t[n] - self.lr * step[n]).detach().requires_grad_() for n in t}

        def pullback(v: Params) -> Params:
            def bent(x: Params) -> Params:
                """Give (d2G/dT2 + damping) x."""
                hx = gradient(inner(g, x), t, retain_graph=True)
                return {n: hx[n] + self.damping * x[n] for n in x}

            with sdpa_kernel(SDPBackend.MATH):
                g = slope(create_graph=True)
                x = conjugate_gradients(bent, v, self.iterations) if self.solver == "cg" else self._neumann(bent, v)
                mixed = gradient(inner(g, x), s)
            return {n: -m for n, m in mixed.items()}

        return Reply({n: p.detach() for n, p in t.items()}, pullback)

    def _neumann(self, curved: Callable[[Params], Params], v: Params) -> Params:
        total = rest = v
        for _ in range(self.iterations):
            hr = curved(rest)
            rest = {n: rest[n] - self.lr * hr[n] for n in rest}
            total = {n: total[n] + rest[n] for n in total}
        return {n: self.lr * x for n, x in total.items()}


def inner(a: Params, b: Params) -> Scalar:
    """``sum_n <a_n, b_n>`` over all names n."""
    return torch.stack([(a[n] * b[n]).sum() for n in a]).sum()


def conjugate_gradients(curved: Callable[[Params], Params], v: Params, iterations: int) -> Params:
    """Solve ``A x = v`` for a positive definite A.

    Args:
        curved: gives ``A x`` for x.
        iterations: at most; fewer where the system is solved before, or A is not positive along a direction.

    >>> solved = conjugate_gradients(lambda x: {"a": 2 * x["a"]}, {"a": torch.ones(2)}, iterations=3)
    >>> solved["a"].tolist()
    [0.5, 0.5]
    """
    x = {n: torch.zeros_like(t) for n, t in v.items()}
    residual = direction = {n: t.clone() for n, t in v.items()}
    size = inner(residual, residual)
    for _ in range(iterations):
        if size < torch.finfo(size.dtype).tiny:
            break
        bent = curved(direction)
        curvature = inner(direction, bent)
        if curvature <= 0:  # not convex here: what is solved so far holds
            break
        step = size / curvature
        x = {n: x[n] + step * direction[n] for n in x}
        residual = {n: residual[n] - step * bent[n] for n in x}
        before, size = size, inner(residual, residual)
        direction = {n: residual[n] + size / before * direction[n] for n in x}
    return x
