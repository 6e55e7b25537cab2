"""Sentences of words for a transformer. A word's state is that of its first token."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data.examples import WordTokens
from tutelage.modalities.cache import TOKENS_A_BATCH, batches_of, padded_to
from tutelage.modalities.encoder import Encoder
from tutelage.modalities.head import Head
from tutelage.modalities.precision import computing
from tutelage.modalities.units import Units
from tutelage.types import Logits

Sentence = Sequence[str]
"""A sentence: a list of words."""
SENTENCES_A_CHUNK = 8192
"""Number of sentences that are tokenized and sorted by length together."""


def tokenize_words(encoder: Encoder, sentences: Sequence[Sentence], device: torch.device | str = "cpu") -> WordTokens:
    """Token ids of sentences, in windows of at most ``encoder.max_length`` tokens. Every word has a first token.

    A longer sentence is cut between words into several windows. A word longer than a window is cut off. A word without
    tokens becomes the unknown token.

    Args:
        encoder: transformer with its tokenizer.
        sentences: sentences, each a list of words.
        device: device of the batches.
    """
    before, after = _frame(encoder)
    room = encoder.max_length - len(before) - len(after)
    windows, first = [], []
    coded = _coded(encoder, sentences)
    for words in coded:
        mine: list[list[int]] = [[]]
        starts: list[list[int]] = [[]]
        for word in (pieces[:room] for pieces in words):
            if len(mine[-1]) + len(word) > room:
                mine.append([])
                starts.append([])
            starts[-1].append(len(before) + len(mine[-1]))
            mine[-1] += word
        windows.append([[*before, *ids, *after] for ids in mine])
        first.append(starts)
    return WordTokens(windows, first, np.array([len(w) for w in coded], dtype=np.int64), encoder.pad, device)


def _coded(encoder: Encoder, sentences: Sequence[Sentence]) -> list[list[list[int]]]:
    """Token ids of every word of every sentence."""
    if not any(len(s) for s in sentences):
        return [[] for _ in sentences]
    longest = 32 * encoder.max_length  # characters: no tokenizer needs more to fill a window
    unknown = encoder.tokenizer.unk_token_id or 0
    different = sorted({w for s in sentences for w in s})
    coded = encoder.tokenizer([f" {w[:longest]}" for w in different], add_special_tokens=False)["input_ids"]
    ids = {w: list(i) or [unknown] for w, i in zip(different, coded, strict=True)}
    return [[ids[w] for w in s] for s in sentences]


def _frame(encoder: Encoder) -> tuple[list[int], list[int]]:
    """Special tokens before and after a text."""
    ids = list(encoder.tokenizer("")["input_ids"])
    ends = {encoder.tokenizer.eos_token_id, encoder.tokenizer.sep_token_id} - {None}
    after = ids[-1:] if ids and ids[-1] in ends else []
    return ids[: len(ids) - len(after)], after


class WordClassifier(nn.Module):
    """A transformer and a linear head on the first token of each word, trained whole.

    Args:
        model: transformer.
        classes: number of classes c, at least 2.
        dropout: share of the features dropped in training, in [0, 1).
        layer: number of the layer whose states the head gets; -1 is the last.
    """

    def __init__(self, model: Any, classes: int, dropout: float = 0.1, layer: int = -1) -> None:
        super().__init__()
        self.encoder, self.layer = model, layer
        self.head = Head(int(model.config.hidden_size), classes, dropout=dropout)

    def get_input_embeddings(self) -> nn.Module:
        """Module that embeds the tokens, as the transformers library names it."""
        embeddings: nn.Module = self.encoder.get_input_embeddings()
        return embeddings

    def forward(self, input_ids: Tensor, attention_mask: Tensor, first: Tensor) -> Logits:
        out = self.encoder(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=self.layer != -1)
        hidden = out.last_hidden_state if self.layer == -1 else out.hidden_states[self.layer]
        logits: Tensor = self.head(hidden[first])
        return logits


class WordUnits(Units):
    """A transformer whose outputs are words' features, (words, d): their first tokens' states; without a head."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor, first: Tensor) -> Tensor:
        return self.states(input_ids, attention_mask)[first]


def middle(model: Any) -> int:
    """Number of the layer whose states are the words' features, in a frozen encoder: the middle one.

    In the last layer of a sentence encoder the words' states are mixed into the topic of the sentence, so that names
    are told apart less well.
    """
    return int(model.config.num_hidden_layers) // 2


@dataclass(frozen=True)
class WordPass:
    """A frozen encoder of sentences. A word's features are its first token's state in the middle layer.

    Attributes:
        encoder: transformer with its tokenizer.
    """

    encoder: Encoder
    a_sample = 64
    a_chunk = SENTENCES_A_CHUNK

    @property
    def width(self) -> int:
        return self.encoder.width

    @property
    def workspace(self) -> float:
        """Bytes of memory that a batch fills and gives back, about; the states of all layers are kept."""
        layers = getattr(self.encoder.model.config, "num_hidden_layers", 12)
        return self.encoder.workspace(TOKENS_A_BATCH) + 4.0 * TOKENS_A_BATCH * self.width * layers

    def key(self, item: Sentence) -> bytes:
        return sentence_key(item)

    def keys(self, key: bytes, item: Sentence) -> list[bytes]:
        return [word_key(key, j) for j in range(len(item))]

    def batches(self, items: Sequence[Sentence], keys: Sequence[bytes]) -> Iterator[tuple[list[int], np.ndarray]]:
        """Numbers and features of the sentences in each batch; those that are padded to one length share a batch."""
        tokens = tokenize_words(self.encoder, items, next(self.encoder.model.parameters()).device)
        lengths = padded_to([max(map(len, windows)) for windows in tokens.windows], self.encoder.max_length)
        windows = np.array([len(windows) for windows in tokens.windows], dtype=np.int64)
        for batch in batches_of(lengths, keys, windows, TOKENS_A_BATCH):
            yield batch.tolist(), _word_features(tokens, batch, int(lengths[batch[0]]), self.encoder)


@torch.inference_mode()
def _word_features(tokens: WordTokens, index: np.ndarray, length: int, encoder: Encoder) -> np.ndarray:
    batch = tokens.take(index, length)
    first = batch.pop("first")
    with computing(encoder.model, encoder.precision):
        states: Tensor = encoder.model(**batch, output_hidden_states=True).hidden_states[middle(encoder.model)]
    return np.asarray(states[first].float().cpu())


def sentence_key(sentence: Sentence) -> bytes:
    """Hash of a sentence's words."""
    joined = "\x1f".join(sentence)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def word_key(sentence: bytes, place: int) -> bytes:
    """Key of a word's features in the cache.

    Args:
        sentence: hash of the sentence.
        place: number of the word in it, from 0.
    """
    return sentence + place.to_bytes(4, "big")
