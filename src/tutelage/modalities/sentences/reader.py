"""Reader of sentences: each word is a unit."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from tutelage.data import Examples, WordFeatures
from tutelage.modalities.base import Tick, draws_of
from tutelage.modalities.encoder import WithEncoder
from tutelage.modalities.head import Head
from tutelage.modalities.sentences.network import WordClassifier, encode_words, middle, pending_words, tokenize_words


@dataclass(frozen=True)
class WordReader(WithEncoder):
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
            [unknown if gone else w for w, gone in zip(s, draws_of(" ".join(s), len(s), seed) < share, strict=True)]
            for s in items
        ]
