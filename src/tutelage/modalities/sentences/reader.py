"""Reader of sentences, each word of which is a unit."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data import Examples, WordFeatures
from tutelage.modalities.base import HowRead, draws_of
from tutelage.modalities.cache import CachedEncoding
from tutelage.modalities.head import Head
from tutelage.modalities.known import sentences_read
from tutelage.modalities.sentences.network import (
    Sentence,
    WordClassifier,
    WordPass,
    WordUnits,
    middle,
    tokenize_words,
)
from tutelage.modalities.units import Units
from tutelage.modalities.with_encoder import WithEncoder


@dataclass(frozen=True)
class WordReader(WithEncoder):
    """Reader of sentences, which are lists of words. Each word is a unit; its features are its first token's state."""

    name: ClassVar[str] = "words"
    per_feature: ClassVar[bool] = False
    still: ClassVar[str] = "frozen"
    encodes: ClassVar[bool] = True
    whole: ClassVar[type[nn.Module]] = WordClassifier
    unheaded: ClassVar[type[Units]] = WordUnits

    @property
    def top(self) -> int:
        return middle(self.encoder.model)

    def reads(self, items: Sequence[Sentence]) -> HowRead:
        return sentences_read(self.encoder, items)

    def encoding(self, parts: Sequence[Sequence[Sentence]], cache: Path | None) -> CachedEncoding:
        store = self.caches.at(cache, f"words-{self.encoder.cache_name}", self.encoder.width)
        return CachedEncoding(parts, WordPass(self.encoder), store, _rows_of_words)

    def examples(self, items: Sequence[Sentence], device: torch.device | str = "cpu") -> Examples:
        return tokenize_words(self.encoder, items, device)

    def network(self, classes: int) -> WordClassifier:
        return WordClassifier(copy.deepcopy(self.encoder.model), classes)

    def with_head(self, head: Head) -> WordClassifier:
        model = copy.deepcopy(self.encoder.model)
        whole = WordClassifier(model, head.classes, layer=middle(model))
        whole.head = copy.deepcopy(head)
        return whole

    def fill(self, about: dict[str, Any], head: Head | None, classes: int) -> nn.Module:
        assert head is not None
        if about["fingerprint"] is not None:
            return head
        whole = self.network(classes)
        whole.head, whole.layer = head, int(about["layer"])
        return whole

    def disturbed(self, items: Sequence[Sentence], share: float, seed: int) -> list[list[str]]:
        """Sentences in which each word becomes the unknown token with probability ``share``; the others keep place."""
        unknown = self.encoder.tokenizer.unk_token or self.encoder.tokenizer.mask_token
        return [
            [unknown if gone else w for w, gone in zip(s, draws_of(" ".join(s), len(s), seed) < share, strict=True)]
            for s in items
        ]


def _rows_of_words(rows: Tensor, sentences: Sequence[Sentence]) -> WordFeatures:
    return WordFeatures(rows, np.array([len(s) for s in sentences], dtype=np.int64))
