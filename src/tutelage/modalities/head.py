"""Small classifiers on features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tutelage.types import Labels, Logits


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

    @property
    def classes(self) -> int:
        return int(self.shape["classes"])

    @torch.no_grad()
    def standardise(self, x: Tensor, per_feature: bool) -> Head:
        """Take centre and scale from the rows of x: one scale for all features, or one for each."""
        self.mean.copy_(x.mean(0))
        centred = x - self.mean
        scale = centred.square().mean(0).sqrt() if per_feature else centred.square().mean().sqrt()
        self.scale.copy_(torch.where(scale > 1e-6, scale, torch.ones_like(scale)))
        return self

    @torch.no_grad()
    def centre_between(self, x: Tensor, y: Labels) -> Head:
        """Move the centre from the mean of all rows to between the classes, as far as the labels tell where that is.

            m = (1/K) sum_k m_k,   centre += (1 - e / |m|^2)_+ m,   e = s^2 / K^2 sum_k 1 / n_k

        m_k are the standardised means of the K classes among the labels, n_k their counts, s^2 the variance within
        them (all features added up) and e the squared error to be expected of m. A network that starts at the mean
        of a pool in which one class is common begins inside that class; with few labels it seldom finds out.

        Args:
            x: labelled rows, (n, d); y: their class numbers, (n,), -1 = unknown.

        Source: the shrinkage is James and Stein's, positive part (Berkeley Symposium, 1961).
        """
        x, y = (x[y >= 0] - self.mean) / self.scale, y[y >= 0]
        classes, which, counts = torch.unique(y, return_inverse=True, return_counts=True)
        if len(y) <= len(classes):
            return self
        means = torch.zeros(len(classes), x.shape[1], dtype=x.dtype, device=x.device).index_add(0, which, x)
        means = means / counts[:, None]
        within = (x - means[which]).square().sum() / (len(y) - len(classes))
        error = within * (1 / counts).sum() / len(classes) ** 2
        far = means.mean(0)
        self.mean.add_(self.scale * far * (1 - error / far.square().sum().clamp(min=1e-12)).clamp(min=0))
        return self

    def forward(self, x: Tensor) -> Logits:
        logits: Tensor = self.layers((x - self.mean) / self.scale)
        return logits
