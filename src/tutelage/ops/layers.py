"""Layers of the networks of a cohort: linear ones in the fastest products, dropout from each member's draws."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tutelage.ops.draws import dropout

NARROW = 16
"""Outputs, at most, of a layer whose product is faster the other way round."""


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``x weight^T + bias`` of a member of a cohort, (n, outputs), under `torch.func.vmap`.

    Args:
        x: rows, (n, inputs).
        weight: weights, (outputs, inputs).
        bias: biases, (outputs,).
    """
    found: Tensor = _OfMember.apply(x, weight, bias)  # type: ignore[no-untyped-call]
    return found


class Linear(nn.Linear):
    """A linear layer whose forward pass is `linear`."""

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight, self.bias)


class Dropout(nn.Dropout):
    """Dropout whose numbers are drawn for each member, see `tutelage.ops.draws`."""

    def forward(self, x: Tensor) -> Tensor:
        return dropout(x, self.p) if self.training else x


def for_cohort(network: nn.Module) -> nn.Module:
    """The network itself, whose linear layers and dropout are from now on those of a cohort."""
    for module in network.modules():
        if type(module) is nn.Linear and module.bias is not None:
            module.__class__ = Linear
        if type(module) is nn.Dropout:
            module.__class__ = Dropout
    return network


class _OfMember(torch.autograd.Function):
    """The layer under `torch.func.vmap`, which gives all members' tensors as stacks."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """The layer of one network."""
        return torch.nn.functional.linear(x, weight, bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is kept: the stacks are differentiated, not the members."""

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *stacks: Tensor) -> tuple[Tensor, int]:
        """The layer of all members."""
        at = zip(stacks, in_dims, strict=True)
        each = (t.movedim(d, 0) if d is not None else t.expand(info.batch_size, *t.shape) for t, d in at)
        return _OfStacks.apply(*each), 0  # type: ignore[no-untyped-call]


class _OfStacks(torch.autograd.Function):
    """The layers of all members: rows (k, n, inputs), weights (k, outputs, inputs), biases (k, outputs)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """All outputs, (k, n, outputs)."""
        ctx.save_for_backward(x, weight)
        if weight.shape[1] > NARROW:
            return torch.baddbmm(bias[:, None], x, weight.mT)
        return (weight @ x.mT).mT.contiguous().add_(bias[:, None])

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Gradients; those of the weights lie in memory as the weights do."""
        x, weight = ctx.saved_tensors
        needs = ctx.needs_input_grad
        return (
            slope @ weight if needs[0] else None,
            slope.mT @ x if needs[1] else None,
            slope.sum(1) if needs[2] else None,
        )
