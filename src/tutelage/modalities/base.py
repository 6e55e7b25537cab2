"""Readers: what turns items of one modality into what a network reads."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn

from tutelage.data import Examples, Features, WordFeatures
from tutelage.data.view_loader import Augmentation
from tutelage.modalities.head import Head
from tutelage.types import Tick


@runtime_checkable
class Reader(Protocol):
    """Reads items for a network that is trained on them.

    Attributes:
        name: what a saved model knows the reader by.
        says: the reader in a sentence's end, such as "minilm".
    """

    name: ClassVar[str]

    @property
    def says(self) -> str: ...

    def examples(self, items: Sequence[Any], device: torch.device | str = "cpu") -> Examples:
        """Token ids, images or rows for a network that is trained whole."""

    def network(self, classes: int) -> nn.Module:
        """A network to be trained whole: a copy of the encoder with a fresh head, or one with fresh weights."""

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        """Views of batches of images, by name; of other items none."""

    def to(self, device: torch.device | str) -> Reader:
        """Bring the encoder, where there is one, to the device."""

    def about(self, network: nn.Module, folder: Path) -> dict[str, Any]:
        """Plain values from which `restored` makes the reader again; an encoder's architecture goes into the folder.

        Raises:
            TypeError: the network is of the user's own class.
        """

    @classmethod
    def restored(cls, about: dict[str, Any], folder: Path) -> Reader:
        """The reader of a saved model.

        Raises:
            BadFileError: its encoder is not the one that the model was trained with.
        """

    def fill(self, about: dict[str, Any], head: Head | None, classes: int) -> nn.Module:
        """The network of a saved model, whose weights are still to be filled in."""


@runtime_checkable
class Encodes(Reader, Protocol):
    """A reader whose frozen encoder turns each unit into a row of features.

    Attributes:
        per_feature: features differ in their scales, so that each is standardised by its own.
        still: how features are called that are not trained, such as "frozen".
        encodes: there is an encoder, whose features take time; else items are their own features.
    """

    @property
    def per_feature(self) -> bool: ...

    still: ClassVar[str]
    encodes: ClassVar[bool]

    def encoding(self, parts: Sequence[Sequence[Any]], cache: Path) -> Encoding:
        """Lists of items on their way to features of the frozen encoder, computed once and kept in the cache."""

    def with_head(self, head: Head) -> nn.Module:
        """A copy of the encoder with a linear head that was fitted on its features."""

    def disturbed(self, items: Sequence[Any], share: float, seed: int) -> Sequence[Any]:
        """Strong views of the items: of texts, a share of their words dropped."""


@runtime_checkable
class Encoding(Protocol):
    """Items on their way to features: how many are to be computed, how long that takes, and the features."""

    @property
    def missing(self) -> int:
        """Number of different items without features in the cache."""

    def seconds(self) -> float:
        """About how many seconds the missing ones take, timed on a few of them."""

    def features(self, device: torch.device | str = "cpu", tick: Tick | None = None) -> list[Features | WordFeatures]:
        """Features of each list of items."""


def features(
    reader: Encodes, items: Sequence[Any], cache: Path, device: torch.device | str = "cpu", tick: Tick | None = None
) -> Features | WordFeatures:
    """Features of one list of items, see `Encodes.encoding`."""
    (found,) = reader.encoding([items], cache).features(device, tick)
    return found


def cannot_be_saved(network: nn.Module) -> TypeError:
    """The error that a network is of the user's own class, whose code is not saved."""
    return TypeError(f"a network of class {type(network).__name__} cannot be saved, only pickled")


def draws_of(text: str, count: int, seed: int) -> np.ndarray:
    """Uniform numbers, the same for the same text: its disturbed copy is always the same one and can be cached."""
    return np.random.default_rng([seed, zlib.crc32(text.encode("utf-8", "surrogatepass"))]).random(count)
