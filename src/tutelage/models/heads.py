"""Small classifiers on features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tutelage.types import Logits


class Head(nn.Module):
    """Standardised features, then a linear layer or a multi-layer perceptron with one hidden layer.

    Args:
        features: number of features d.
        classes: number of classes, at least 2.
        hidden: width of the hidden layer; 0 for a linear classifier.
        dropout: share of inputs (and of hidden units) dropped in training, in [0, 1).

    >>> Head(3, 2)(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, features: int, classes: int, hidden: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = {"features": features, "classes": classes, "hidden": hidden, "dropout": dropout}
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        layers: list[nn.Module] = [nn.Dropout(dropout)]
        if hidden:
            layers += [nn.Linear(features, hidden), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden or features, classes))

    @torch.no_grad()
    def standardise(self, x: Tensor, per_feature: bool) -> Head:
        """Take centre and scale from the rows of x: one scale for all features, or one for each."""
        self.mean.copy_(x.mean(0))
        centred = x - self.mean
        scale = centred.square().mean(0).sqrt() if per_feature else centred.square().mean().sqrt()
        self.scale.copy_(torch.where(scale > 1e-6, scale, torch.ones_like(scale)))
        return self

    def forward(self, x: Tensor) -> Logits:
        logits: Tensor = self.layers((x - self.mean) / self.scale)
        return logits
