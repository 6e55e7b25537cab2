"""What reads the user's items for a network: frozen features, or what a network is trained on whole.

Those of texts and of sentences are here, those of images in `images`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from tutelage.data import Features, Tokens
from tutelage.modalities.base import Tick, draws_of
from tutelage.modalities.encoder import WithEncoder
from tutelage.modalities.head import Head
from tutelage.modalities.text.features import encode, pending
from tutelage.modalities.text.network import TextClassifier, head_on_pooled


@dataclass(frozen=True)
class TextReader(WithEncoder):
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


def _dropped(text: str, share: float, seed: int) -> str:
    words = text.split()
    draws = draws_of(text, len(words), seed)
    kept = [w for w, d in zip(words, draws, strict=True) if d >= share]
    return " ".join(kept or words[:1])
