"""What a run remembers about each unit of the pool; written in one place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from tutelage.types import Labels, Params, Weight

KINDS = {"label": torch.int16, "confidence": torch.float32, "weight": torch.float32, "flips": torch.int16}


class Stored:
    """One labeller's pseudo-labels of the pool.

    Attributes:
        label: last pseudo-label, (n,), -1 = none yet.
        confidence: its probability, (n,), in [0, 1].
        weight: how much it counted in the loss, (n,), in [0, 1].
        flips: how many times the label changed, (n,).
    """

    def __init__(
        self, size: int, device: torch.device | str = "cpu", folder: Path | None = None, again: bool = False
    ) -> None:
        self.label, self.confidence, self.weight, self.flips = (
            torch.zeros(size, dtype=kind, device=device) if folder is None else _mapped(folder / name, size, kind)
            for name, kind in KINDS.items()
        )
        if not again:
            for tensor, start in ((self.label, -1), (self.confidence, 0), (self.weight, 0), (self.flips, 0)):
                tensor.fill_(start)

    @torch.no_grad()
    def write(self, index: Labels, label: Labels, confidence: Weight, weight: Weight) -> None:
        """Store pseudo-labels of the units at ``index``, counting flips.

        >>> stored = Stored(3)
        >>> for c in (0, 1):
        ...     stored.write(torch.tensor([2]), torch.tensor([c]), torch.ones(1), torch.ones(1))
        >>> stored.label.tolist(), stored.flips.tolist()
        ([-1, -1, 1], [0, 0, 1])
        """
        before, label = self.label[index], label.to(self.label.dtype)
        self.flips[index] += (before >= 0) & (before != label)
        self.label[index] = label
        self.confidence[index] = confidence.to(self.confidence.dtype)
        self.weight[index] = weight.to(self.weight.dtype)


class Memory:
    """The last pseudo-labels of every unit of the pool, by labeller, and how often each changed its mind.

    Args:
        size: units of the pool.
        labellers: players whose pseudo-labels are stored; ``label`` and the rest are the first one's.
        folder: keep them in memory-mapped files there. Only where labels change between rounds alone: such files are
            no part of a checkpoint.
        again: take what is in the files, for a run that is resumed.

    Attributes:
        of: `Stored` of each labeller.
        round: the training round, from 0.
    """

    def __init__(
        self,
        size: int,
        device: torch.device | str = "cpu",
        labellers: Sequence[str] = ("student",),
        folder: Path | None = None,
        again: bool = False,
    ) -> None:
        self.of = {who: Stored(size, device, folder and folder / who, again) for who in labellers}
        self.mapped = folder is not None
        self.round = 0

    @property
    def first(self) -> Stored:
        return next(iter(self.of.values()))

    @property
    def label(self) -> Labels:
        return self.first.label

    @property
    def confidence(self) -> Weight:
        return self.first.confidence

    @property
    def weight(self) -> Weight:
        return self.first.weight

    @property
    def flips(self) -> Labels:
        return self.first.flips

    def tensors(self) -> Params:
        """The state, by name, to save or to fill from a checkpoint."""
        return {} if self.mapped else {f"{w}.{n}": getattr(s, n) for w, s in self.of.items() for n in KINDS}


def _mapped(path: Path, size: int, kind: torch.dtype) -> torch.Tensor:
    path.parent.mkdir(parents=True, exist_ok=True)
    return torch.from_file(str(path), shared=True, size=size, dtype=kind)
