"""Interfaces of the readers, which turn items of one modality into a network's inputs."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import nn

from tutelage.data import Examples, Features, WordFeatures
from tutelage.data.view_loader import Augmentation
from tutelage.modalities.head import Head
from tutelage.ops import own
from tutelage.tables.notes import Question
from tutelage.types import Tick


@dataclass(frozen=True)
class HowRead:
    """How much of some items a reader reads.

    Attributes:
        says: the shares in a sentence.
        shares: shares of the items, and of their words and tokens, in [0, 1], by name.
        questions: what looks odd about them, such as texts in a language that the encoder does not know.
    """

    says: str
    shares: Mapping[str, float]
    questions: Sequence[Question] = ()


@runtime_checkable
class Reader(Protocol):
    """A reader, which turns items into examples for a network that is trained whole.

    Attributes:
        name: name of the reader in saved models.
        says: name of the encoder or network for people, such as "minilm".
    """

    name: ClassVar[str]

    @property
    def says(self) -> str: ...

    def examples(self, items: Sequence[Any], device: torch.device | str = "cpu") -> Examples:
        """Examples made of items, for a network that is trained whole: token ids, images or rows of numbers."""

    def network(self, classes: int) -> nn.Module:
        """Network to be trained whole: a copy of the encoder with a new head, or a network with random weights."""

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        """Augmentations of batches of images, by the view's name; empty for other items."""

    def to(self, device: torch.device | str) -> Reader:
        """The reader, after its encoder, if it has one, was moved to the device."""

    def reads(self, items: Sequence[Any]) -> HowRead | None:
        """How much of the items is read; None where nothing can be lost.

        Args:
            items: items to learn from, of which a sample is looked at.
        """

    def about(self, network: nn.Module, folder: Path) -> dict[str, Any]:
        """Plain values from which `restored` makes the reader again.

        Args:
            network: fitted network.
            folder: folder of the saved model; it gets the encoder's architecture where the encoder was trained.

        Raises:
            TypeError: the network is of the user's own class.
        """

    @classmethod
    def restored(cls, about: dict[str, Any], folder: Path) -> Reader:
        """Reader of a saved model.

        Args:
            about: values that `about` gave.
            folder: folder of the saved model.

        Raises:
            BadFileError: the encoder is not the one that the model was trained with.
        """

    def fill(self, about: dict[str, Any], head: Head | None, classes: int) -> nn.Module:
        """Network of a saved model, into which the saved weights are then loaded.

        Args:
            about: values that `about` gave.
            head: head of the saved shape; None where the network has none.
            classes: number of classes.
        """


@runtime_checkable
class Encodes(Reader, Protocol):
    """A reader whose frozen encoder turns each unit into a row of features.

    Attributes:
        still: word for features that are not trained, such as "frozen".
        encodes: whether an encoder computes the features, which takes time; else the items are the features.
        adapts: whether the encoder can be adapted, see `tutelage.adapting`.
    """

    @property
    def per_feature(self) -> bool:
        """Whether each feature is standardised by its own scale; else one scale serves all."""

    still: ClassVar[str]
    encodes: ClassVar[bool]
    adapts: ClassVar[bool]

    def fitted(self, items: Sequence[Any]) -> Self:
        """The reader with its encoder fitted on items; the reader itself where the encoder needs none, or is fitted.

        Args:
            items: items to learn from, with labels and without; never ones to score on.
        """

    def seen(self, items: Sequence[Any]) -> int:
        """Number of items whose labels the encoder was adapted to, so that they cannot be held out any more."""

    def encoding(self, parts: Sequence[Sequence[Any]], cache: Path | None) -> Encoding:
        """Encoding of lists of items, which gives the frozen encoder's features, computed once and kept in the cache.

        Args:
            parts: lists of items.
            cache: folder of the feature cache; None keeps nothing.
        """

    def with_head(self, head: Head) -> nn.Module:
        """Network to be trained whole: a copy of the encoder with a head that was fitted on its features."""

    def disturbed(self, items: Sequence[Any], share: float, seed: int) -> Sequence[Any]:
        """Disturbed copies of the items, such as texts without some of their words.

        Args:
            items: the items.
            share: share of the words, or numbers, that is changed, in [0, 1].
            seed: seed of the draws.
        """


@runtime_checkable
class ReadsMeaning(Encodes, Protocol):
    """A reader of texts, to which classes can be described."""

    @property
    def meaning(self) -> Encodes:
        """Reader whose features alone tell how near a text is to a description: without those of its very words."""


@runtime_checkable
class TellsUnread(Protocol):
    """A reader that tells of which items it reads nothing, so that a model can know nothing of them."""

    def unread(self, items: Sequence[Any]) -> np.ndarray:
        """Mask of the items of which nothing is read, (n,)."""


@runtime_checkable
class Encoding(Protocol):
    """Lists of items that an encoder turns into features."""

    @property
    def missing(self) -> int:
        """Number of distinct items without features in the cache."""

    def seconds(self) -> float:
        """Estimate of the seconds that the missing items take, timed on a few of them."""

    def features(self, device: torch.device | str = "cpu", tick: Tick | None = None) -> list[Features | WordFeatures]:
        """Features of each list of items, as examples; missing ones are computed."""


@runtime_checkable
class KeptOnDisk(Encoding, Protocol):
    """An encoding whose features lie on disk, where a stopped fit finds them again."""

    @property
    def folders(self) -> Sequence[Path]:
        """Folders of the features."""


def features(
    reader: Encodes, items: Sequence[Any], cache: Path | None, device: torch.device | str = "cpu",
    tick: Tick | None = None,
) -> Features | WordFeatures:  # fmt: skip
    """Features of one list of items, as examples; missing ones are computed.

    Args:
        reader: reader with the encoder.
        items: the items.
        cache: folder of the feature cache; None keeps nothing.
        device: device of the features.
        tick: called with the progress.
    """
    (found,) = reader.encoding([items], cache).features(device, tick)
    return found


def cannot_be_saved(network: nn.Module, why: object = "its reader makes another network") -> TypeError:
    """Error for a network of the user's own class, which cannot be made again from plain values."""
    return TypeError(f"a network of class {type(network).__name__} cannot be saved, only pickled: {why}")


OWN = "own"
"""Key of a saved model's description below which the user's own network is described, see `ops.own`."""


def about_own(make: Callable[[], nn.Module] | None, network: nn.Module) -> dict[str, Any]:
    """The user's own network as plain values: the address of its code, and its settings; weights are saved elsewhere.

    Args:
        make: function that makes such a network; None where the reader makes its own.
        network: fitted network.

    Raises:
        TypeError: what makes it cannot be imported again, or then makes a network of other weights.
    """
    if make is None:
        raise cannot_be_saved(network)
    try:
        about = own.made_by(make)
        blank = own.maker(about)()
        blank.load_state_dict(network.state_dict())
    except Exception as e:  # whatever the user's own code raises
        hint = "give network=functools.partial(Class, setting=value, ...), or a class or function of a file of its own"
        raise cannot_be_saved(network, f"{e}; {hint}") from e
    return {OWN: about}


def own_of(about: Mapping[str, Any]) -> Callable[[], nn.Module] | None:
    """Function that makes the user's own network of a saved model; None of a model without one. It imports code."""
    return own.maker(about[OWN]) if OWN in about else None


def draws_of(text: str, count: int, seed: int) -> np.ndarray:
    """Uniform numbers in [0, 1), (count,): the same for the same text and seed, so that a disturbed copy is, too."""
    return np.random.default_rng([seed, zlib.crc32(text.encode("utf-8", "surrogatepass"))]).random(count)
