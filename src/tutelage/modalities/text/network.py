"""Networks that read texts: a frozen encoder with the features that it gives, and a transformer trained whole."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data.examples import Tokens
from tutelage.modalities.cache import TOKENS_A_BATCH, batches_of, padded_to
from tutelage.modalities.encoder import Encoder
from tutelage.modalities.head import Head
from tutelage.modalities.precision import INT8, computing
from tutelage.modalities.text.pooling import pool
from tutelage.modalities.text.quantised import rows_in_int8
from tutelage.modalities.units import Units
from tutelage.types import Logits

TEXTS_A_CHUNK = 65536
"""Number of texts that are tokenized and sorted by length together."""


class TextClassifier(nn.Module):
    """A transformer and a linear head, trained whole, for texts of one class each.

    The head gets the pooled state times the square root of its width, so that its entries are near 1.

    Args:
        model: transformer.
        classes: number of classes c, at least 2.
        dropout: share of the features dropped in training, in [0, 1).
    """

    def __init__(self, model: Any, classes: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = model
        self.width = int(model.config.hidden_size)
        self.head = Head(self.width, classes, dropout=dropout)

    def get_input_embeddings(self) -> nn.Module:
        """Module that embeds the tokens, as the transformers library names it."""
        embeddings: nn.Module = self.encoder.get_input_embeddings()
        return embeddings

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Logits:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits: Tensor = self.head(pool(hidden, attention_mask) * self.width**0.5)
        return logits


class TextUnits(Units):
    """A transformer whose outputs are texts' features, (n, d), see `pool`; without a head."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return pool(self.states(input_ids, attention_mask), attention_mask)


def head_on_pooled(head: Head, width: int) -> Head:
    """Copy of a head that was fitted on features of length 1, rescaled to give the same logits in a TextClassifier.

    Args:
        head: fitted head.
        width: number of features.
    """
    made = copy.deepcopy(head)
    with torch.no_grad():
        made.mean.mul_(width**0.5)
        made.scale.mul_(width**0.5)
    return made


@dataclass(frozen=True)
class TextPass:
    """A frozen encoder of texts. A text's features are the mean of its token states, scaled to length 1.

    Attributes:
        encoder: transformer with its tokenizer.
    """

    encoder: Encoder
    a_sample = 64

    @property
    def width(self) -> int:
        return self.encoder.width

    @property
    def a_chunk(self) -> int:
        return TEXTS_A_CHUNK

    @property
    def workspace(self) -> float:
        """Bytes of memory that a batch fills and gives back, about."""
        return self.encoder.workspace(TOKENS_A_BATCH)

    def key(self, item: str) -> bytes:
        return text_key(item)

    def keys(self, key: bytes, item: str) -> list[bytes]:
        return [key]

    def batches(self, items: Sequence[str], keys: Sequence[bytes]) -> Iterator[tuple[list[int], np.ndarray]]:
        """Numbers and features of the texts in each batch; texts that are padded to one length share a batch."""
        ids = self.encoder.tokenize(items)
        lengths = padded_to([len(some) for some in ids], self.encoder.max_length)
        for batch in batches_of(lengths, keys, units=TOKENS_A_BATCH):
            numbers = batch.tolist()
            yield numbers, _features([ids[i] for i in numbers], int(lengths[numbers[0]]), self.encoder)


@torch.inference_mode()
def _features(ids: list[list[int]], length: int, encoder: Encoder) -> np.ndarray:
    if encoder.precision == INT8:
        return rows_in_int8(encoder, ids)
    device = next(encoder.model.parameters()).device
    batch = Tokens(ids, encoder.pad, device).take(np.arange(len(ids)), length)
    with computing(encoder.model, encoder.precision):
        hidden = encoder.model(**batch).last_hidden_state.float()
    return pool(hidden, batch["attention_mask"]).float().cpu().numpy()


def text_key(text: str) -> bytes:
    """Hash of a text, the key of its features in the cache."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
