"""Linear and hidden layers of all members of a cohort, computed on stacks of their rows and weights.

A stack is larger than a processor's own cache, so that a pass over it costs as much as a small product. A hidden layer
is therefore one function with its dropout, and the gradient of a weight is computed at once of all its uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tutelage.ops.draws import noise, zeroed
from tutelage.types import Params

NARROW = 16
"""Outputs, at most, of a layer whose product is faster the other way round."""

Products = list[tuple[Tensor, Tensor]]
"""Products of which the gradient of a weight is the sum: slopes (k, n, outputs) and rows (k, n, inputs)."""


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``x weight^T + bias`` of a member of a cohort, (n, outputs), under `torch.func.vmap`.

    Args:
        x: rows, (n, inputs).
        weight: weights, (outputs, inputs).
        bias: biases, (outputs,).
    """
    found: Tensor = _Linear.apply(x, weight, bias)  # type: ignore[no-untyped-call]
    return found


def hidden(x: Tensor, weight: Tensor, bias: Tensor, shares: tuple[float, float], last: Sequence[Tensor] = ()) -> Tensor:
    """``drop(relu(drop(x) weight^T + bias))`` of a member of a cohort, (n, outputs), under `torch.func.vmap`.

    Args:
        x: rows, (n, inputs).
        weight: weights, (outputs, inputs).
        bias: biases, (outputs,).
        shares: shares of the inputs and of the outputs that are dropped, each in [0, 1).
        last: weights and biases of a linear layer that follows, whose outputs are given then.
    """
    found: Tensor = _Hidden.apply(x, weight, bias, shares, *last)  # type: ignore[no-untyped-call]
    return found


def gathered(params: Params) -> Params:
    """The same stacks, (k, ...), for one loss: the gradient of a weight is computed at once of all its uses.

    By itself autograd makes a stack for each use of a weight, and then adds them.

    Args:
        params: stacks by name.
    """
    return {n: _gathered(p) if p.requires_grad and p.ndim == 3 else p for n, p in params.items()}


def _gathered(stack: Tensor) -> Tensor:
    """A stack of weights with a list for the products of its gradient, which `_products` finds."""
    products = Products()
    found: Tensor = _Gathered.apply(stack, products)  # type: ignore[no-untyped-call]
    found.products = products  # type: ignore[attr-defined]
    return found


def _products(stack: Tensor) -> Products | None:
    return getattr(stack, "products", None)


class _Gathered(torch.autograd.Function):
    """A stack whose gradient is a sum of products that the layers leave in a list, and of what else there is."""

    @staticmethod
    def forward(ctx: Any, stack: Tensor, products: Products) -> Tensor:
        """The stack itself."""
        ctx.products = products
        ctx.set_materialize_grads(False)
        return stack.view_as(stack)

    @staticmethod
    def backward(ctx: Any, slope: Tensor | None) -> tuple[Tensor | None, None]:
        """The gradient, which lies in memory as the stack does."""
        total = slope
        for i, (slopes, x) in enumerate(ctx.products):
            if total is None:
                total = slopes.mT @ x
            else:  # what came another way may be used elsewhere, too
                total = (total.baddbmm_ if i or slope is None else total.baddbmm)(slopes.mT, x)
        ctx.products.clear()
        return total, None


def _gradient_of(slopes: Tensor, x: Tensor, products: Products | None) -> Tensor | None:
    """The gradient of a weight by one of its uses; None where it is left in the list."""
    if products is None or torch.is_grad_enabled():  # a gradient that is itself differentiated is the usual one
        return slopes.mT @ x
    products.append((slopes, x))
    return None


def _stacks(info: Any, in_dims: tuple[int | None, ...], *tensors: Tensor) -> list[Tensor]:
    """The tensors of all members, (k, ...)."""
    return [
        t if d == 0 else t.movedim(d, 0) if d is not None else t.expand(info.batch_size, *t.shape)
        for t, d in zip(tensors, in_dims, strict=False)
    ]


class _Linear(torch.autograd.Function):
    """A linear layer under `torch.func.vmap`, which gives all members' tensors as stacks."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """The layer of one network."""
        return torch.nn.functional.linear(x, weight, bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is kept: the stacks are differentiated, not the members."""

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *given: Tensor) -> tuple[Tensor, int]:
        """The layer of all members."""
        x, weight, bias = _stacks(info, in_dims, *given)
        return _LinearOfStacks.apply(x, weight, bias, _products(weight)), 0  # type: ignore[no-untyped-call]


class _LinearOfStacks(torch.autograd.Function):
    """Linear layers of all members: rows (k, n, inputs), weights (k, outputs, inputs), biases (k, outputs)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, products: Products | None) -> Tensor:
        """All outputs, (k, n, outputs)."""
        ctx.save_for_backward(x, weight)
        ctx.products = products
        if weight.shape[1] > NARROW:
            return torch.baddbmm(bias[:, None], x, weight.mT)
        return (weight @ x.mT).mT.contiguous().add_(bias[:, None])

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients; those of the weights lie in memory as the weights do."""
        (x, weight), needs = ctx.saved_tensors, ctx.needs_input_grad
        return (
            slope @ weight if needs[0] else None,
            _gradient_of(slope, x, ctx.products) if needs[1] else None,
            slope.sum(1) if needs[2] else None,
            None,
        )


class _Hidden(torch.autograd.Function):
    """A hidden layer under `torch.func.vmap`, which gives all members' tensors as stacks."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor, shares: tuple[float, float], *last: Tensor) -> Tensor:
        """Raise: within a cohort only what differs from member to member is drawn for."""
        raise RuntimeError("a hidden layer of a cohort was called for what all its members share")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is kept: the stacks are differentiated, not the members."""

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], x: Tensor, weight: Tensor, bias: Tensor,
        shares: tuple[float, float], *last: Tensor,
    ) -> tuple[Tensor, int]:  # fmt: skip
        """The layer of all members."""
        x, weight, bias, *then = _stacks(info, (*in_dims[:3], *in_dims[4:]), x, weight, bias, *last)
        found = _Hidden.of_stacks(x, weight, bias, shares)
        if then:
            found = _LinearOfStacks.apply(found, *then, _products(then[0]))  # type: ignore[no-untyped-call]
        return found, 0

    @staticmethod
    def of_stacks(x: Tensor, weight: Tensor, bias: Tensor, shares: tuple[float, float]) -> Tensor:
        """The layer of stacks."""
        found: Tensor
        if x.requires_grad:  # its gradient may be differentiated again, so it is left to autograd
            before, after = noise(x, shares[0]), noise(x.new_empty(*x.shape[:2], weight.shape[1]), shares[1])
            found = _LinearOfStacks.apply(x * before, weight, bias, _products(weight))  # type: ignore[no-untyped-call]
            return found.relu() * after
        found = _HiddenOfStacks.apply(x, weight, bias, shares, _products(weight))  # type: ignore[no-untyped-call]
        return found


class _HiddenOfStacks(torch.autograd.Function):
    """Hidden layers of all members: rows (k, n, inputs) without a gradient, weights (k, outputs, inputs), biases.

    Products scale for dropout what is not dropped.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, shares: tuple[float, float], products: Products | None
    ) -> Tensor:
        """All outputs, (k, n, outputs)."""
        of_inputs, of_outputs = (1 / (1 - share) for share in shares)
        x = zeroed(x, shares[0])
        out = torch.baddbmm(bias[:, None], x, weight.mT, beta=of_outputs, alpha=of_outputs * of_inputs).relu_()
        zeroed(out, shares[1], out=out)
        ctx.products, ctx.scale, ctx.of_inputs = products, of_outputs * of_inputs, of_inputs
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients; an output that is 0 was dropped or is below the bend of the ReLU, and gives none."""
        (x, out), needs = ctx.saved_tensors, ctx.needs_input_grad
        slope = torch.ops.aten.threshold_backward(slope, out, 0)
        slope = slope * ctx.scale if torch.is_grad_enabled() else slope.mul_(ctx.scale)
        return (
            None,
            _gradient_of(slope, x, ctx.products) if needs[1] else None,
            slope.sum(1) / ctx.of_inputs if needs[2] else None,
            None,
            None,
        )
