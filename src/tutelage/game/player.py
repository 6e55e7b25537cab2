"""A player: a module seated with the parameters it plays."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from tutelage.types import Inputs, Logits, Params, Terms

K = TypeVar("K", bound=Hashable)


class Player:
    """A network that can be called, with its own parameters or with borrowed ones.

    Parameters that are frozen (``requires_grad`` off) when the player is made are not played.

    >>> net = nn.Linear(2, 1, bias=False)
    >>> Player(net).seat({"weight": torch.tensor([[1.0, 2.0]])})(torch.ones(1, 2)).item()
    3.0
    """

    def __init__(self, module: nn.Module, borrowed: Params | None = None) -> None:
        self.module = module
        self._borrowed = borrowed
        self.params: Params = borrowed or {n: p for n, p in module.named_parameters() if p.requires_grad}

    def __call__(self, inputs: Inputs) -> Logits:
        args = () if isinstance(inputs, Mapping) else (inputs,)
        kwargs = dict(inputs) if isinstance(inputs, Mapping) else {}
        logits: Tensor = (
            self.module(*args, **kwargs)
            if self._borrowed is None
            else functional_call(self.module, self._borrowed, args, kwargs)
        )
        return logits

    def represent(self, inputs: Inputs) -> tuple[Logits, Tensor]:
        """Logits, and what the network's last linear layer makes them of: (units, c), (units, d)."""
        last = [m for m in self.module.modules() if isinstance(m, nn.Linear)][-1]
        seen: list[Tensor] = []
        with last.register_forward_pre_hook(lambda _, args: seen.append(args[0])):
            return self(inputs), seen[-1]

    def near(self, inputs: Inputs, move: Callable[[Tensor], Tensor]) -> Logits:
        """Logits with the continuous input moved: the features themselves, or the embeddings of tokens."""
        if isinstance(inputs, Tensor):
            return self(move(inputs))
        embeddings: nn.Module = self.module.get_input_embeddings()  # type: ignore[operator]
        with embeddings.register_forward_hook(lambda _, __, out: move(out)):
            return self(inputs)

    def seat(self, params: Params) -> Player:
        """The same network playing other parameters."""
        return Player(self.module, params)

    @torch.no_grad()
    def install(self, params: Params) -> None:
        """Copy parameters into the module, in place; nothing is done for its own."""
        if params is self.params:
            return
        torch._foreach_copy_(list(self.params.values()), [params[n] for n in self.params])

    @torch.no_grad()
    def adopt_buffers(self, other: Player) -> None:
        """Copy the running statistics (batch norm) of another player of the same network."""
        for mine, theirs in zip(self.module.buffers(), other.module.buffers(), strict=True):
            mine.copy_(theirs)

    def differentiable(self, on: bool) -> None:
        """Record a graph through this player's parameters, or do not."""
        for p in self.params.values():
            p.requires_grad_(on)


Seats = Mapping[str, Player]
Loss = Callable[[str, Seats], Terms]
"""``loss(who, seats)``: what player ``who`` minimises. It never steps, writes or logs."""


def gradient(
    loss: Tensor, wrt: Mapping[K, Tensor], create_graph: bool = False, retain_graph: bool = False
) -> dict[K, Tensor]:
    """Gradient of a scalar by name; zero for parameters that the loss does not touch."""
    if not loss.requires_grad:
        return {name: torch.zeros_like(p) for name, p in wrt.items()}
    grads = torch.autograd.grad(
        loss, list(wrt.values()), retain_graph=retain_graph or create_graph, create_graph=create_graph,
        allow_unused=True, materialize_grads=True,
    )  # fmt: skip
    return dict(zip(wrt, grads, strict=True))
