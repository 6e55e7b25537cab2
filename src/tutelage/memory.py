"""What a run remembers about each example of the pool; written once a step, in one place."""

from __future__ import annotations

import torch

from tutelage.types import Labels, Params, Weight


class Memory:
    """The last pseudo-label of every pool example, and how often it changed its mind.

    Attributes:
        label: last pseudo-label, (n,), -1 = none yet.
        confidence: its probability, (n,), in [0, 1].
        weight: how much it counted in the loss, (n,), in [0, 1].
        flips: how many times the label changed, (n,).
        round: the training round, from 0.
    """

    def __init__(self, size: int, device: torch.device | str = "cpu") -> None:
        self.label = torch.full((size,), -1, device=device)
        self.confidence = torch.zeros(size, device=device)
        self.weight = torch.zeros(size, device=device)
        self.flips = torch.zeros(size, dtype=torch.long, device=device)
        self.round = 0

    @torch.no_grad()
    def write(self, index: Labels, label: Labels, confidence: Weight, weight: Weight) -> None:
        """Store pseudo-labels of the examples at ``index``, counting flips.

        >>> memory = Memory(3)
        >>> for c in (0, 1):
        ...     memory.write(torch.tensor([2]), torch.tensor([c]), torch.ones(1), torch.ones(1))
        >>> memory.label.tolist(), memory.flips.tolist()
        ([-1, -1, 1], [0, 0, 1])
        """
        before = self.label[index]
        self.flips[index] += (before >= 0) & (before != label)
        self.label[index] = label
        self.confidence[index] = confidence.to(self.confidence.dtype)
        self.weight[index] = weight.to(self.weight.dtype)

    def tensors(self) -> Params:
        """The state, by name, to save or to fill from a checkpoint."""
        return {n: getattr(self, n) for n in ("label", "confidence", "weight", "flips")}
