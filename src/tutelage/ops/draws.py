"""Random numbers of a loss: from torch's own generator, or from a generator of each network of a cohort.

A loss draws here and nowhere else. Within a cohort each member then gets the numbers that it gets when it is trained by
itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

BITS = 53
"""Random bits of a uniform number in [0, 1) of float64, all its precision."""

Draw = Callable[[Tensor, torch.Generator | None], Any]
"""Function that draws for a tensor, whose shape, type and device say how many: of a generator, or of torch's own."""

_GENERATORS: ContextVar[Sequence[torch.Generator] | None] = ContextVar("generators of a cohort", default=None)


@contextmanager
def of_members(generators: Sequence[torch.Generator]) -> Iterator[None]:
    """Draw for each member of a cohort from its own generator, wherever `drawn` is called under `torch.func.vmap`.

    Args:
        generators: generators of the members, in their order.
    """
    token = _GENERATORS.set(generators)
    try:
        yield
    finally:
        _GENERATORS.reset(token)


def in_cohort() -> bool:
    """Whether a loss is being computed for all members of a cohort at once."""
    return _GENERATORS.get() is not None


def drawn(like: Tensor, draw: Draw) -> Any:
    """What ``draw`` draws for a tensor; under `of_members` what it draws for each member, from the member's generator.

    Args:
        like: tensor of the loss; in a cohort one that differs from member to member.
        draw: function that draws; it gives one tensor, or several.

    >>> drawn(torch.zeros(3), lambda like, generator: torch.randperm(len(like), generator=generator)).sort().values
    tensor([0, 1, 2])
    """
    return draw(like, None) if not in_cohort() else _Drawn.apply(like.detach(), draw)  # type: ignore[no-untyped-call]


def dropout(x: Tensor, share: float) -> Tensor:
    """The values of x, (...), of which a random share is 0 and the others are divided by 1 - share; in a cohort.

    What is drawn for a member is what torch's own dropout draws for it on a CPU.

    Args:
        x: any values.
        share: share that is dropped, in [0, 1].
    """
    if share in (0, 1):
        return torch.nn.functional.dropout(x, share)
    noise: Tensor = drawn(x, partial(_noise, 1 - share))
    return x * noise


def _noise(kept: float, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """1 / kept for a random share ``kept`` of the values, else 0, of the shape of ``like``."""
    return _flags(torch.empty(like.shape, dtype=like.dtype), kept, generator).div_(kept)


def noise(like: Tensor, share: float) -> Tensor:
    """What `dropout` multiplies the rows of all members by, (k, ...); within `of_members`."""
    found = torch.ones(like.shape, dtype=like.dtype)
    return zeroed(found, share, out=found).div_(1 - share)


def zeroed(x: Tensor, share: float, out: Tensor | None = None) -> Tensor:
    """The rows of all members, (k, ...), of which those are 0 that `dropout` drops; within `of_members`.

    Args:
        x: stack of rows, without a gradient.
        share: share that is dropped, in [0, 1).
        out: where they are written; None is a new stack, or x itself where nothing is dropped.
    """
    if not share:
        return x
    out, kept = torch.empty_like(x) if out is None else out, torch.empty(x.shape[1:], dtype=x.dtype)
    for rows, into, generator in zip(x.detach(), out.detach(), _of_members(), strict=True):
        torch.mul(rows, _flags(kept, 1 - share, generator), out=into)
    return out


def _of_members() -> Sequence[torch.Generator]:
    """Generators of the members of a cohort; there are none outside of it."""
    return _GENERATORS.get() or ()


def _flags(out: Tensor, kept: float, generator: torch.Generator | None) -> Tensor:
    """The tensor itself, filled with 1 for a random share ``kept`` of the values, else 0; as torch's dropout draws.

    Torch compares a number of BITS random bits with the share; here they stay whole numbers, which is faster.
    """
    if not _draws_uniformly():
        return out.bernoulli_(kept, generator=generator)
    bits = torch.empty(out.shape, dtype=torch.int64).random_(-(2**63), None, generator=generator)
    return torch.lt(bits.bitwise_and_(2**BITS - 1), math.ceil(kept * 2**BITS), out=out)


@cache
def _draws_uniformly() -> bool:
    """Whether torch compares uniform numbers with the share here, which the caller does in half of the time.

    On processors of some makers it draws by another generator.
    """
    one, other = (torch.Generator().manual_seed(0) for _ in range(2))
    expected = torch.empty(1000).bernoulli_(0.3, generator=one)
    bits = torch.empty(1000, dtype=torch.int64).random_(-(2**63), None, generator=other)
    found = bits.bitwise_and(2**BITS - 1) < math.ceil(0.3 * 2**BITS)
    return torch.equal(found, expected > 0) and torch.equal(one.get_state(), other.get_state())


def normal(like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard normal numbers of the shape of ``like``; a `Draw`."""
    return torch.empty_like(like).normal_(generator=generator)


class _Drawn(torch.autograd.Function):
    """Drawing, under `torch.func.vmap` for each member from its own generator."""

    @staticmethod
    def forward(like: Tensor, draw: Draw) -> Any:
        """Raise: within a cohort only what differs from member to member is drawn for."""
        raise RuntimeError("a loss drew at random for a tensor that all members of a cohort share")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is kept: what is drawn has no gradient."""

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], like: Tensor, draw: Draw) -> tuple[Any, Any]:
        """What is drawn for all members, stacked."""
        generators, like = _of_members(), like.movedim(in_dims[0] or 0, 0)
        stacks: list[Tensor] = []
        for k, generator in enumerate(generators):
            found = draw(like[k], generator)
            for i, part in enumerate((found,) if isinstance(found, Tensor) else found):
                if k == 0:
                    stacks.append(part.new_empty(len(generators), *part.shape))
                stacks[i][k] = part
        several = len(stacks) > 1
        return (tuple(stacks), (0,) * len(stacks)) if several else (stacks[0], 0)
