"""What reads items of one modality for a network."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn

from tutelage.data import Examples, Features, WordFeatures
from tutelage.data.view_loader import Augmentation
from tutelage.modalities.head import Head

Tick = Callable[[int, int], None]


@runtime_checkable
class Reader(Protocol):
    """Reads items for a network that is trained on them."""

    kind: ClassVar[str]

    def examples(self, items: Sequence[Any], device: torch.device | str = "cpu") -> Examples:
        """What a network that is trained whole eats: token ids, or images."""

    def network(self, classes: int) -> nn.Module:
        """A network to be trained whole: the encoder's copy with a fresh head, or one with fresh weights."""

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        """Of batches of images, by name; of others none."""

    def to(self, device: torch.device | str) -> Reader:
        """Bring the encoder to the device."""


@runtime_checkable
class Encodes(Reader, Protocol):
    """A reader whose frozen encoder sees each unit as a row of features."""

    def features(
        self, items: Sequence[Any], cache: Path, device: torch.device | str = "cpu", tick: Tick | None = None
    ) -> Features | WordFeatures:
        """Features of the frozen encoder, computed once and kept in the cache."""

    def with_head(self, head: Head) -> nn.Module:
        """The encoder's copy with a linear head that was fitted on its features."""

    def pending(self, items: Sequence[Any], cache: Path) -> tuple[int, float]:
        """How many items have no features yet, and about how many seconds they take."""

    def disturbed(self, items: Sequence[Any], share: float, seed: int) -> list[Any]:
        """Strong views of the items: of texts, a share of their words dropped."""


def draws_of(text: str, count: int, seed: int) -> np.ndarray:
    """Uniform numbers, the same for the same text: its disturbed copy is always the same one and can be cached."""
    return np.random.default_rng([seed, zlib.crc32(text.encode("utf-8", "surrogatepass"))]).random(count)
