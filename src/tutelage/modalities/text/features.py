"""Features of texts from a frozen encoder: one row a text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tutelage.data.examples import Tokens, cut
from tutelage.modalities.cache import TOKENS_A_BATCH
from tutelage.modalities.encoder import Encoder
from tutelage.modalities.text.network import pool

TEXTS_A_CHUNK = 65536
"""Texts that are tokenized and sorted together."""


@dataclass(frozen=True)
class TextPass:
    """How an encoder computes features of texts: the mean of a text's token states, scaled to length 1."""

    encoder: Encoder
    a_sample = 64

    @property
    def width(self) -> int:
        return self.encoder.width

    @property
    def a_chunk(self) -> int:
        return TEXTS_A_CHUNK

    def key(self, item: str) -> bytes:
        return text_key(item)

    def keys(self, key: bytes, item: str) -> list[bytes]:
        return [key]

    def batches(self, items: Sequence[str], keys: Sequence[bytes]) -> Iterator[tuple[list[int], np.ndarray]]:
        """Texts of about one length together."""
        ids = self.encoder.tokenize(items)
        order = sorted(range(len(items)), key=lambda i: (len(ids[i]), keys[i]))
        for part in cut([len(ids[i]) for i in order], TOKENS_A_BATCH):
            yield order[part], _features([ids[i] for i in order[part]], self.encoder)


@torch.inference_mode()
def _features(ids: list[list[int]], encoder: Encoder) -> np.ndarray:
    device = next(encoder.model.parameters()).device
    batch = Tokens(ids, encoder.pad, device).take(np.arange(len(ids)))
    hidden = encoder.model(**batch).last_hidden_state
    return pool(hidden, batch["attention_mask"]).float().cpu().numpy()


def text_key(text: str) -> bytes:
    """The hash that a text's features are kept under."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
