"""Sentences of words for a transformer: one state for each word, that of its first token."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data.examples import WordTokens, cut
from tutelage.modalities.cache import TOKENS_A_BATCH
from tutelage.modalities.encoder import Encoder
from tutelage.modalities.head import Head
from tutelage.types import Logits

Sentence = Sequence[str]
SENTENCES_A_CHUNK = 8192


def tokenize_words(encoder: Encoder, sentences: Sequence[Sentence], device: torch.device | str = "cpu") -> WordTokens:
    """Windows of token ids for each sentence, so that every word has a first token in one of them.

    A sentence longer than the encoder reads is cut between words into several windows; a word longer than
    a window is cut after the tokens that fit; a word of which the tokenizer makes nothing is an unknown one.
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
    """The special tokens that stand before and after a text."""
    ids = list(encoder.tokenizer("")["input_ids"])
    ends = {encoder.tokenizer.eos_token_id, encoder.tokenizer.sep_token_id} - {None}
    after = ids[-1:] if ids and ids[-1] in ends else []
    return ids[: len(ids) - len(after)], after


class WordClassifier(nn.Module):
    """A transformer and a linear head on the first token of each word, trained whole.

    Args:
        layer: whose states the head sees; -1 is the last.
    """

    def __init__(self, model: Any, classes: int, dropout: float = 0.1, layer: int = -1) -> None:
        super().__init__()
        self.encoder, self.layer = model, layer
        self.head = Head(int(model.config.hidden_size), classes, dropout=dropout)

    def get_input_embeddings(self) -> nn.Module:
        embeddings: nn.Module = self.encoder.get_input_embeddings()
        return embeddings

    def forward(self, input_ids: Tensor, attention_mask: Tensor, first: Tensor) -> Logits:
        out = self.encoder(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=self.layer != -1)
        hidden = out.last_hidden_state if self.layer == -1 else out.hidden_states[self.layer]
        logits: Tensor = self.head(hidden[first])
        return logits


def middle(model: Any) -> int:
    """The layer whose states are a frozen encoder's features of words.

    In the last one, a sentence encoder has already mixed the words into what the sentence is about, and
    names are told apart less well.
    """
    return int(model.config.num_hidden_layers) // 2


@dataclass(frozen=True)
class WordPass:
    """How an encoder computes features of sentences: the state of each word's first token, in the middle layer."""

    encoder: Encoder
    a_sample = 64
    a_chunk = SENTENCES_A_CHUNK

    @property
    def width(self) -> int:
        return self.encoder.width

    def key(self, item: Sentence) -> bytes:
        return sentence_key(item)

    def keys(self, key: bytes, item: Sentence) -> list[bytes]:
        return [word_key(key, j) for j in range(len(item))]

    def batches(self, items: Sequence[Sentence], keys: Sequence[bytes]) -> Iterator[tuple[list[int], np.ndarray]]:
        """Sentences of about one length together."""
        tokens = tokenize_words(self.encoder, items, next(self.encoder.model.parameters()).device)
        lengths = tokens.lengths()
        order = np.array(sorted(range(len(items)), key=lambda i: (int(lengths[i]), keys[i])))
        for part in cut(lengths[order], TOKENS_A_BATCH):
            yield order[part].tolist(), _word_features(tokens, order[part], self.encoder)


@torch.inference_mode()
def _word_features(tokens: WordTokens, index: np.ndarray, encoder: Encoder) -> np.ndarray:
    batch = tokens.take(index)
    first = batch.pop("first")
    states: Tensor = encoder.model(**batch, output_hidden_states=True).hidden_states[middle(encoder.model)]
    return np.asarray(states[first].float().cpu())


def sentence_key(sentence: Sentence) -> bytes:
    """The hash of a sentence's words."""
    joined = "\x1f".join(sentence)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def word_key(sentence: bytes, place: int) -> bytes:
    """What the features of a sentence's word are kept under."""
    return sentence + place.to_bytes(4, "big")
