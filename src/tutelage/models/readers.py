"""What reads the user's items for a network: frozen features, or what a network is trained on whole.

Those of texts and of sentences are here, those of images in `images`.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import nn

from tutelage.data import Examples, Features, Tokens, WordFeatures
from tutelage.data.image_loader import Augmentation
from tutelage.models.features import encode, pending
from tutelage.models.heads import Head
from tutelage.models.text import Encoder, TextClassifier, head_on_pooled
from tutelage.models.words import WordClassifier, encode_words, middle, pending_words, tokenize_words

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


@dataclass(frozen=True)
class _WithEncoder:
    encoder: Encoder

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        return {}

    def to(self, device: torch.device | str) -> Self:
        self.encoder.model.to(device)
        return self


@dataclass(frozen=True)
class TextReader(_WithEncoder):
    """Texts: each is one unit, seen as the mean of its tokens' states."""

    kind: ClassVar[str] = "text"

    def features(
        self, items: Sequence[str], cache: Path, device: torch.device | str = "cpu", tick: Tick | None = None
    ) -> Features:
        return Features(torch.as_tensor(encode(items, self.encoder, cache, tick)).to(device))

    def examples(self, items: Sequence[str], device: torch.device | str = "cpu") -> Tokens:
        return Tokens(self.encoder.tokenize(items), self.encoder.pad, device)

    def network(self, classes: int) -> TextClassifier:
        return TextClassifier(copy.deepcopy(self.encoder.model), classes)

    def with_head(self, head: Head) -> TextClassifier:
        whole = self.network(head.classes)
        whole.head = head_on_pooled(head, self.encoder.width)
        return whole

    def pending(self, items: Sequence[str], cache: Path) -> tuple[int, float]:
        return pending(items, self.encoder, cache)

    def disturbed(self, items: Sequence[str], share: float, seed: int) -> list[str]:
        """Word dropout: each word is left out with probability ``share``; one is kept."""
        return [_dropped(text, share, seed) for text in items]


@dataclass(frozen=True)
class WordReader(_WithEncoder):
    """Sentences, lists of words: each word is a unit, seen as the state of its first token."""

    kind: ClassVar[str] = "words"

    def features(
        self, items: Sequence[Sequence[str]], cache: Path, device: torch.device | str = "cpu", tick: Tick | None = None
    ) -> WordFeatures:
        rows = torch.as_tensor(encode_words(items, self.encoder, cache, tick)).to(device)
        return WordFeatures(rows, np.array([len(s) for s in items], dtype=np.int64))

    def examples(self, items: Sequence[Sequence[str]], device: torch.device | str = "cpu") -> Examples:
        return tokenize_words(self.encoder, items, device)

    def network(self, classes: int) -> WordClassifier:
        return WordClassifier(copy.deepcopy(self.encoder.model), classes)

    def with_head(self, head: Head) -> WordClassifier:
        model = copy.deepcopy(self.encoder.model)
        whole = WordClassifier(model, head.classes, layer=middle(model))
        whole.head = copy.deepcopy(head)
        return whole

    def pending(self, items: Sequence[Sequence[str]], cache: Path) -> tuple[int, float]:
        return pending_words(items, self.encoder, cache)

    def disturbed(self, items: Sequence[Sequence[str]], share: float, seed: int) -> list[list[str]]:
        """Each word is an unknown one with probability ``share``, so that every word keeps its place."""
        unknown = self.encoder.tokenizer.unk_token or self.encoder.tokenizer.mask_token
        return [
            [unknown if gone else w for w, gone in zip(s, _draw(" ".join(s), len(s), seed) < share, strict=True)]
            for s in items
        ]


def _draw(text: str, count: int, seed: int) -> np.ndarray:
    """Uniform numbers, the same for the same text: its disturbed copy is always the same one and can be cached."""
    return np.random.default_rng([seed, zlib.crc32(text.encode("utf-8", "surrogatepass"))]).random(count)


def _dropped(text: str, share: float, seed: int) -> str:
    words = text.split()
    draws = _draw(text, len(words), seed)
    kept = [w for w, d in zip(words, draws, strict=True) if d >= share]
    return " ".join(kept or words[:1])


READERS: dict[str, type[TextReader] | type[WordReader]] = {r.kind: r for r in (TextReader, WordReader)}
"""By the name under which a saved model knows its reader."""
