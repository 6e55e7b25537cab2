"""Small classifiers on features."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from tutelage.types import Labels, Logits


class Head(nn.Module):
    """A head: it standardises features, (n, d), and gives logits, (n, c), by a linear layer or by a perceptron.

    Args:
        features: number of features d.
        classes: number of classes c, at least 2.
        hidden: width of the perceptron's hidden layer; 0 is a linear layer.
        dropout: share of inputs (and of hidden units) dropped in training, in [0, 1).

    Attributes:
        stackable: whether several heads of a shape can be trained as one batch: all do the same with other numbers.
        mean: centre of the features, (d,).
        scale: scale of the features, (d,).
        standardised: whether the rows that the network is given were standardised already, by `standardise_`.

    >>> Head(3, 2)(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    """

    stackable: ClassVar[bool] = True
    standardised: bool = False
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
    def width(self) -> int:
        """Number of features."""
        return int(self.shape["features"])

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.shape["classes"])

    @torch.no_grad()
    def standardise(self, x: Tensor, per_feature: bool) -> Head:
        """Set centre and scale to those of some features; the head itself.

        Args:
            x: features, (n, d).
            per_feature: whether each feature has its own scale; else one scale serves all.
        """
        mean, scale = _moments(x, per_feature)
        if not scale.isfinite().all():  # squares of large numbers are beyond float32
            mean, scale = _moments(x.double(), per_feature)
        least = 1e-6 * (mean.abs() if per_feature else mean.abs().max()).clamp(max=1)  # what rounding leaves of none
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(scale > least, scale, torch.ones_like(scale)))
        return self

    @torch.no_grad()
    def silence(self, still: Tensor) -> Head:
        """Give some features weight 0 for good, whatever is learnt: their scale is infinite; the head itself.

        Args:
            still: mask of the features, (d,), such as those that never change, which no label can tell anything of.
        """
        self.scale.masked_fill_(still.to(self.scale.device), torch.inf)
        return self

    @torch.no_grad()
    def centre_between(self, x: Tensor, y: Labels) -> Head:
        """Move the centre towards the mean of the class means, as far as the labels are enough to know it.

            m = (1/K) sum_k m_k,   centre += (1 - e / |m|^2)_+ m,   e = s^2 / K^2 sum_k 1 / n_k

        m_k are the standardised means of the K classes among the labels, n_k their counts, s^2 the variance within
        them (all features added up) and e the expected squared error of m. A network that is centred on a pool in which
        one class is common begins inside that class, and few labels seldom bring it out again.

        Args:
            x: features of labelled units, (n, d).
            y: their class numbers, (n,); -1 is unknown.

        Returns:
            The head itself.

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
        step = self.scale * far * (1 - error / far.square().sum().clamp(min=1e-12)).clamp(min=0)
        self.mean.add_(torch.where(self.scale.isfinite(), step, 0))
        return self

    def forward(self, x: Tensor) -> Logits:
        logits: Tensor = self.layers(x if self.standardised else (x - self.mean) / self.scale)
        return logits

    def standardise_(self, x: Tensor) -> Tensor:
        """Standardise features, (..., d), in place; the tensor itself."""
        return x.sub_(self.mean).div_(self.scale)


def _moments(x: Tensor, per_feature: bool) -> tuple[Tensor, Tensor]:
    """Mean of features, (d,), and their standard deviation: of each feature, (d,), or of all together, ()."""
    mean = x.mean(0)
    squares = (x - mean).square()
    return mean, squares.mean(0).sqrt() if per_feature else squares.mean().sqrt()
