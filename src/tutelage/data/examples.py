"""Examples in memory, taken by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from tutelage.types import Inputs


@runtime_checkable
class Examples(Protocol):
    """A sized collection that gives the network's inputs for the examples asked for."""

    def __len__(self) -> int: ...
    def take(self, index: np.ndarray) -> Inputs: ...
    def lengths(self) -> np.ndarray: ...
    def subset(self, index: np.ndarray) -> Self: ...


def cut(lengths: Sequence[int] | np.ndarray, units: int, most: int = 4096) -> list[slice]:
    """Cut examples, sorted by rising length, into batches whose padded size stays within ``units``.

    A single longer example is a batch of its own; no batch has more than ``most`` examples.

    >>> cut([1, 1, 2, 5, 9], units=6)
    [slice(0, 3, None), slice(3, 4, None), slice(4, 5, None)]
    """
    slices, start = [], 0
    for i, length in enumerate(lengths):
        if i > start and ((i - start + 1) * length > units or i - start == most):
            slices.append(slice(start, i))
            start = i
    return [*slices, slice(start, len(lengths))] if len(lengths) else []


@dataclass(frozen=True)
class Features:
    """Rows of a tensor, (n, ...).

    >>> Features(torch.eye(3)).take(np.array([2])).tolist()
    [[0.0, 0.0, 1.0]]
    """

    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: np.ndarray) -> Tensor:
        return self.rows[torch.as_tensor(index, device=self.rows.device)]

    def lengths(self) -> np.ndarray:
        return np.ones(len(self.rows), dtype=np.int64)

    def subset(self, index: np.ndarray) -> Features:
        return Features(self.take(index))


@dataclass(frozen=True)
class Tokens:
    """Token ids of texts, padded to the longest of each batch.

    >>> Tokens([[5, 6], [7]]).take(np.array([0, 1]))["attention_mask"].tolist()
    [[1, 1], [1, 0]]
    """

    ids: Sequence[Sequence[int]]
    pad: int = 0
    device: torch.device | str = "cpu"

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: np.ndarray) -> dict[str, Tensor]:
        rows = [torch.as_tensor(self.ids[i]) for i in index]
        padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self.pad)
        length = torch.tensor([len(r) for r in rows])
        mask = (torch.arange(padded.shape[1]) < length[:, None]).long()
        return {"input_ids": padded.to(self.device), "attention_mask": mask.to(self.device)}

    def lengths(self) -> np.ndarray:
        return np.array([len(r) for r in self.ids])

    def subset(self, index: np.ndarray) -> Tokens:
        return Tokens([self.ids[i] for i in index], self.pad, self.device)
