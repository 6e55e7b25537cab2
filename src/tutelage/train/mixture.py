"""Several networks that answer together, each calibrated, kept as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tutelage.types import Logits


class Mixture(nn.Module):
    """A network whose probabilities are the mean of those of several networks, each of which counts by its share.

        logits = log sum_k share_k softmax(logits_k / T_k + b_k)

    Args:
        parts: networks of the same inputs and classes, at least one.
        shares: how much each counts, at least 0; they sum to 1.
        temperatures: T of each, above 0.
        biases: b of each, (c,) each.

    >>> one = nn.Linear(2, 2)
    >>> same = Mixture([one], [1.0], [1.0], [torch.zeros(2)])
    >>> bool(torch.allclose(same(torch.ones(1, 2)).float(), one(torch.ones(1, 2)).log_softmax(-1)))
    True
    """

    shares: Tensor
    temperatures: Tensor
    biases: Tensor

    def __init__(
        self, parts: Sequence[nn.Module], shares: Sequence[float], temperatures: Sequence[float],
        biases: Sequence[Tensor],
    ) -> None:  # fmt: skip
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.register_buffer("shares", torch.as_tensor(shares, dtype=torch.float32))
        self.register_buffer("temperatures", torch.as_tensor(temperatures, dtype=torch.float32))
        self.register_buffer("biases", torch.stack([torch.as_tensor(b, dtype=torch.float32) for b in biases]))

    @staticmethod
    def blank(parts: Sequence[nn.Module], classes: int) -> Mixture:
        """A mixture of networks whose shares and calibrations are still to be loaded."""
        each = len(parts)
        return Mixture(parts, [1 / each] * each, [1.0] * each, [torch.zeros(classes)] * each)

    def forward(self, *args: Any, **kwargs: Any) -> Logits:
        said = [
            (part(*args, **kwargs).double() / t + b).log_softmax(-1) + share.log()
            for part, share, t, b in zip(self.parts, self.shares, self.temperatures, self.biases, strict=True)
        ]
        together: Tensor = torch.stack(said).logsumexp(0)
        return together
