"""Reader of texts, each of which is one unit."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data import Features, Tokens
from tutelage.data.columns import Made, OnDisk
from tutelage.modalities.base import HowRead, draws_of
from tutelage.modalities.cache import CachedEncoding, OnDiskEncoding, encoding_of
from tutelage.modalities.exported import Exported
from tutelage.modalities.head import Head
from tutelage.modalities.text.exported import exported
from tutelage.modalities.text.fastest import with_nearness
from tutelage.modalities.text.network import TextClassifier, TextPass, TextUnits, head_on_pooled
from tutelage.modalities.units import Units
from tutelage.modalities.with_encoder import WithEncoder

BEGINNING = 100
"""Characters of a text that are looked at first for a token that is known."""


@dataclass(frozen=True)
class TextReader(WithEncoder):
    """Reader of texts. Each text is one unit; its features are the mean of its token states."""

    name: ClassVar[str] = "text"
    per_feature: ClassVar[bool] = False
    still: ClassVar[str] = "frozen"
    encodes: ClassVar[bool] = True
    whole: ClassVar[type[nn.Module]] = TextClassifier
    unheaded: ClassVar[type[Units]] = TextUnits

    @property
    def meaning(self) -> Self:
        return self

    def reads(self, items: Sequence[str]) -> HowRead | None:
        found = super().reads(items)
        return with_nearness(found, self.encoder, items) if found and self.precision and len(items) else found

    def encoding(self, parts: Sequence[Sequence[str]], cache: Path | None) -> CachedEncoding | OnDiskEncoding:
        store = self.caches.at(cache, self.encoder.cache_name, self.encoder.width)
        return encoding_of(parts, TextPass(self.encoder), store, _one_row_each, self.encoder.cache_name)

    def examples(self, items: Sequence[str], device: torch.device | str = "cpu") -> Tokens:
        return Tokens(self.encoder.tokenize(items), self.encoder.pad, device)

    def network(self, classes: int) -> TextClassifier:
        return TextClassifier(copy.deepcopy(self.encoder.model), classes)

    def with_head(self, head: Head) -> TextClassifier:
        whole = self.network(head.classes)
        whole.head = head_on_pooled(head, self.encoder.width)
        return whole

    def fill(self, about: dict[str, Any], head: Head | None, classes: int) -> nn.Module:
        assert head is not None
        if about["fingerprint"] is not None:
            return head
        whole = self.network(classes)
        whole.head = head
        return whole

    def exported(self, network: nn.Module, on_features: bool) -> Exported:
        return exported(self.encoder, network, on_features)

    def disturbed(self, items: Sequence[str], share: float, seed: int) -> Sequence[str]:
        return without_words(items, share, seed)

    def unread(self, items: Sequence[str]) -> np.ndarray:
        """Mask of the texts of which no character can be seen, or no token is known, (n,)."""
        found = np.array([not visible(text) for text in items], dtype=bool)
        left = np.flatnonzero(~found).tolist()
        for most in (BEGINNING, None):  # the beginning settles nearly all texts
            left = [i for i, known in zip(left, self._known([items[i][:most] for i in left]), strict=True) if not known]
        found[left] = True
        return found

    def _known(self, texts: Sequence[str]) -> list[bool]:
        """Whether the tokenizer knows any token of each text."""
        special = set(self.encoder.tokenizer.all_special_ids)
        return [not special.issuperset(ids) for ids in self.encoder.tokenize(texts)]


def visible(text: str) -> bool:
    r"""Whether a text has a character that can be seen: none that is a blank, a control or of no width.

    >>> visible("\u200b a"), visible(" \t\u200b\x07")
    (True, False)
    """
    return any(c.isprintable() and not c.isspace() for c in text)


def _one_row_each(rows: Tensor, items: Sequence[str]) -> Features:
    return Features(rows)


def without_words(texts: Sequence[str], share: float, seed: int) -> Sequence[str]:
    """Texts after word dropout: each word is dropped with probability ``share``; at least one is kept."""
    if isinstance(texts, OnDisk):  # each copy is a function of its text, so that none is kept
        return Made(texts, lambda some: without_words(some, share, seed), f"without-{share}-{seed}")
    return [_dropped(text, share, seed) for text in texts]


def _dropped(text: str, share: float, seed: int) -> str:
    words = text.split()
    draws = draws_of(text, len(words), seed)
    kept = [w for w, d in zip(words, draws, strict=True) if d >= share]
    return " ".join(kept or words[:1])
