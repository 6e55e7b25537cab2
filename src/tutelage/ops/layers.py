"""Layers of the networks of a cohort, which know how to be computed for all members at once."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from tutelage.ops.draws import dropout
from tutelage.ops.stacks import hidden, linear

HIDDEN = (nn.Dropout, nn.Linear, nn.ReLU, nn.Dropout, nn.Linear)
"""Layers of a `Perceptron`."""


class Linear(nn.Linear):
    """A linear layer whose forward pass is `linear`."""

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight, self.bias)


class Dropout(nn.Dropout):
    """Dropout whose numbers are drawn for each member, see `tutelage.ops.draws`."""

    def forward(self, x: Tensor) -> Tensor:
        return dropout(x, self.p) if self.training else x


class Perceptron(nn.Sequential):
    """The layers HIDDEN, which are computed as one, by `hidden`."""

    def forward(self, x: Tensor) -> Tensor:
        layers: list[Any] = list(self)
        before, layer, _, after, last = layers
        shares = (float(before.p), float(after.p)) if self.training else (0.0, 0.0)
        if last._forward_pre_hooks:  # somebody wants to see its inputs
            logits: Tensor = last(hidden(x, layer.weight, layer.bias, shares))
            return logits
        return hidden(x, layer.weight, layer.bias, shares, (last.weight, last.bias))


def for_cohort(network: nn.Module) -> nn.Module:
    """The network itself, whose linear layers and dropout are from now on those of a cohort."""
    for module in [m for m in network.modules() if _is_perceptron(m)]:
        module.__class__ = Perceptron
    for module in network.modules():
        if type(module) is nn.Linear and module.bias is not None:
            module.__class__ = Linear
        if type(module) is nn.Dropout:
            module.__class__ = Dropout
    return network


def _is_perceptron(module: nn.Module) -> bool:
    """Whether a module does what a `Perceptron` does."""
    layers: list[Any] = list(module.children())
    if type(module) is not nn.Sequential or tuple(type(layer) for layer in layers) != HIDDEN:
        return False
    return layers[1].bias is not None and layers[4].bias is not None and max(layers[0].p, layers[3].p) < 1
