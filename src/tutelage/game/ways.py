"""How a network is called in training: in which precision, and what is done with the activations of its blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from tutelage.game.player import Player
from tutelage.types import Inputs, Logits, Params

Forward = Callable[..., Any]
"""The forward pass of a module."""


def blocks_of(network: nn.Module) -> list[nn.Module]:
    """The blocks that a network is built of, such as the layers of a transformer; none lies within another one.

    They are the members of lists and sequences of modules that hold modules themselves; of a network without such it
    is the network.

    >>> layers = [nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(3)]
    >>> len(blocks_of(nn.Sequential(nn.Sequential(*layers), nn.Linear(2, 2)))), len(blocks_of(nn.Linear(2, 2)))
    (3, 1)
    """
    return _blocks_below(network) or [network]


def _blocks_below(module: nn.Module) -> list[nn.Module]:
    deep = [child for child in module.children() if next(child.children(), None) is not None]
    if isinstance(module, (nn.ModuleList, nn.Sequential)) and len(deep) > 1:
        return deep
    return [block for child in deep for block in _blocks_below(child)]


@dataclass
class Way:
    """How a network is called.

    Args:
        precision: type of the numbers in products of matrices and convolutions; weights, losses and outputs keep
            theirs. None is that of the weights.
        recompute: whether a block's activations are not held for the backward pass but computed again in it. That is
            exact, also for second derivatives and for borrowed parameters.
        compiled: whether the blocks are compiled, which changes results by rounding. Calls with borrowed parameters,
            whose gradients are differentiated again, are not.

    >>> net = nn.Linear(2, 1)
    >>> with Way(torch.bfloat16).around(net):
    ...     net(torch.ones(3, 2)).dtype
    torch.bfloat16
    """

    precision: torch.dtype | None = None
    recompute: bool = False
    compiled: bool = False
    _compiled: dict[nn.Module, Forward] = field(default_factory=dict, repr=False)

    def widened(self, out: Tensor) -> Tensor:
        """The tensor in the default precision, where networks compute in a narrower one."""
        return out if self.precision is None else out.to(torch.get_default_dtype())

    @contextmanager
    def around(self, network: nn.Module, borrowed: bool = False) -> Iterator[None]:
        """Context in which the network is called.

        Args:
            network: the network.
            borrowed: whether it has parameters that are not its own.
        """
        with ExitStack() as stack:
            if self.precision is not None:
                stack.enter_context(torch.autocast(_device_of(network), self.precision))
            if self.compiled and not borrowed:
                stack.enter_context(forwards(network, self._compile))
            elif self.recompute and torch.is_grad_enabled():
                stack.enter_context(forwards(network, recomputed))
            yield

    def _compile(self, block: nn.Module) -> Forward:
        """The compiled forward pass of a block; blocks that are alike share what was compiled."""
        if block not in self._compiled:
            self._compiled[block] = torch.compile(block.forward, dynamic=True)
        return self._compiled[block]


class Called(Player):
    """A player whose network is called in some way.

    Args:
        module: the network.
        way: how it is called.
        borrowed: parameters that it plays; None plays its own.
    """

    def __init__(self, module: nn.Module, way: Way, borrowed: Params | None = None) -> None:
        super().__init__(module, borrowed)
        self.way = way

    def __call__(self, inputs: Inputs) -> Logits:
        with self.way.around(self.module, self._borrowed is not None):
            out = super().__call__(inputs)
        return self.way.widened(out)

    def represent(self, inputs: Inputs) -> tuple[Logits, Tensor]:
        logits, rows = Player.represent(self._eager, inputs)
        return logits, self.way.widened(rows)

    def near(self, inputs: Inputs, move: Callable[[Tensor], Tensor]) -> Logits:
        return Player.near(self._eager, inputs, move)

    def seat(self, params: Params) -> Called:
        return Called(self.module, self.way, params)

    @property
    def _eager(self) -> Called:
        """The same uncompiled: modules within a compiled network cannot be listened to."""
        if not self.way.compiled:
            return self
        return Called(self.module, Way(self.way.precision, self.way.recompute), self._borrowed)


def _device_of(network: nn.Module) -> str:
    return next(network.parameters()).device.type


@contextmanager
def forwards(network: nn.Module, make: Callable[[nn.Module], Forward]) -> Iterator[None]:
    """Context in which the blocks of a network have other forward passes.

    Args:
        network: the network.
        make: gives the forward pass of a block.
    """
    made = {block: make(block) for block in blocks_of(network)}
    for block, forward in made.items():
        block.forward = forward
    try:
        yield
    finally:
        for block in made:
            del block.forward


def recomputed(block: nn.Module) -> Forward:
    """A block's forward pass that keeps its inputs alone, and computes the rest again in the backward pass.

    The second time the block has the parameters of the first time, though others may be seated by then, and copies of
    its buffers, so that running statistics are counted once.

    Args:
        block: the block.
    """
    plain = block.forward

    def forward(*args: Any, **kwargs: Any) -> Any:
        held = dict(block.named_parameters()) | {n: t.clone() for n, t in block.named_buffers()}
        again = False

        def run(*args: Any, **kwargs: Any) -> Any:
            nonlocal again
            if not again:
                again = True
                return plain(*args, **kwargs)
            return functional_call(block, held, args, kwargs)

        return checkpoint(run, *args, use_reentrant=False, **kwargs)

    return forward
