"""A player: a module seated with the parameters it plays, and with what a method brings beside it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from tutelage.game.parts import Parted
from tutelage.types import Inputs, Logits, Params, Terms

K = TypeVar("K", bound=Hashable)


class Equipped(nn.Module):
    """A network with the modules that a method brings, see `Method.brings`; called, it is the network alone.

    Attributes:
        body: the network.
        brought: modules on the network's last representation, by name.
    """

    def __init__(self, body: nn.Module, brought: nn.ModuleDict) -> None:
        super().__init__()
        self.body, self.brought = body, brought

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Output of the body alone."""
        return self.body(*args, **kwargs)


def last_layer(network: nn.Module) -> nn.Linear | nn.Conv2d | None:
    """The layer that gives the logits, the body's last linear one or 1 x 1 convolution; None where there is none."""
    body = network.body if isinstance(network, Equipped) else network
    found: list[nn.Linear | nn.Conv2d] = [
        m for m in body.modules() if isinstance(m, nn.Linear) or (isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1))
    ]
    return found[-1] if found else None


def _require_last_layer(network: nn.Module) -> nn.Linear | nn.Conv2d:
    last = last_layer(network)
    if last is None:
        raise ValueError(f"a network of class {type(network).__name__} has no linear layer and no 1 x 1 convolution")
    return last


def width_of(network: nn.Module) -> int:
    """Number of features in the last representation of a unit: inputs of the last layer, see `last_layer`.

    Raises:
        ValueError: the network has neither a linear layer nor a 1 x 1 convolution.

    >>> width_of(nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2)))
    7
    """
    last = _require_last_layer(network)
    return last.in_features if isinstance(last, nn.Linear) else last.in_channels


def _below(prefix: str, params: Params) -> Params:
    return {n.removeprefix(prefix): p for n, p in params.items() if n.startswith(prefix)}


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
        args, kwargs = ((), dict(inputs)) if isinstance(inputs, Mapping) else ((inputs,), {})
        if self._borrowed is None:
            logits: Tensor = self.module(*args, **kwargs)
        else:
            logits = functional_call(self.module, self._borrowed, args, kwargs)
        return logits

    def represent(self, inputs: Inputs) -> tuple[Logits, Tensor]:
        """Logits as the network gives them, and the input of its last layer, unit by unit, (units, d).

        Behind a 1 x 1 convolution the rows are pixels, image by image and row by row, as `Segmentation.units` has them.

        Raises:
            ValueError: the network has neither a linear layer nor a 1 x 1 convolution.
        """
        seen: list[Tensor] = []
        with _require_last_layer(self.module).register_forward_pre_hook(lambda _, args: seen.append(args[0])):
            logits, rows = self(inputs), seen[-1]
        return logits, rows.movedim(1, -1).reshape(-1, rows.shape[1]) if rows.ndim == 4 else rows

    def aside(self, inputs: Inputs) -> tuple[Logits, dict[str, Tensor]]:
        """Logits, and the output of each brought module on the last representation, by name; one pass for both.

        >>> from torch.nn import Linear, ModuleDict
        >>> logits, beside = Player(Equipped(Linear(4, 2), ModuleDict({"other": Linear(4, 3)}))).aside(torch.ones(5, 4))
        >>> logits.shape, beside["other"].shape
        (torch.Size([5, 2]), torch.Size([5, 3]))
        """
        logits, rows = self.represent(inputs)
        brought = self.module.brought.items() if isinstance(self.module, Equipped) else ()
        if self._borrowed is None:
            return logits, {name: module(rows) for name, module in brought}
        return logits, {
            name: functional_call(module, _below(f"brought.{name}.", self._borrowed), rows) for name, module in brought
        }

    def brought(self, name: str, *inputs: Tensor) -> Tensor:
        """Output of a brought module on other inputs than the last representation.

        Args:
            name: name of the module.
            inputs: what it is called with.
        """
        modules: Any = self.module.brought
        own = {} if self._borrowed is None else _below(f"brought.{name}.", self._borrowed)
        found: Tensor = functional_call(modules[name], own, inputs)
        return found

    def near(self, inputs: Inputs, move: Callable[[Tensor], Tensor]) -> Logits:
        """Logits at another input: features are moved themselves, of tokens the embeddings.

        Args:
            move: gives the new continuous input for the old one, of the same shape.
        """
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
        if params is not self.params:
            torch._foreach_copy_(list(self.params.values()), [params[n] for n in self.params])

    @torch.no_grad()
    def adopt_buffers(self, other: Player) -> None:
        """Copy the running statistics (batch norm) of another player of the same network."""
        for mine, theirs in zip(self.module.buffers(), other.module.buffers(), strict=True):
            mine.copy_(theirs)

    def differentiable(self, on: bool) -> None:
        """Let autograd record a graph through this player's parameters, or not."""
        for p in self.params.values():
            p.requires_grad_(on)


Seats = Mapping[str, Player]
Loss = Callable[[str, Seats], Terms]
"""``loss(who, seats)``: what player ``who`` minimises. It never steps, writes or logs."""


def gradient(
    loss: Tensor | Parted, wrt: Mapping[K, Tensor], create_graph: bool = False, retain_graph: bool = False
) -> dict[K, Tensor]:
    """Gradient of a scalar in each tensor, by name; zero for tensors that the loss does not touch."""
    if isinstance(loss, Parted):
        return loss.gradient(lambda part: gradient(part, wrt, create_graph, retain_graph))
    if not loss.requires_grad:
        return {name: torch.zeros_like(p) for name, p in wrt.items()}
    grads = torch.autograd.grad(
        loss, list(wrt.values()), retain_graph=retain_graph or create_graph, create_graph=create_graph,
        allow_unused=True, materialize_grads=True,
    )  # fmt: skip
    return dict(zip(wrt, grads, strict=True))
