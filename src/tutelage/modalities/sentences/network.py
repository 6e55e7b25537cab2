"""Sentences of words for a transformer: one state for each word, that of its first token."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data.examples import WordTokens, cut
from tutelage.modalities.cache import TOKENS_A_BATCH, FeatureCache
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


def encode_words(
    sentences: Sequence[Sentence],
    encoder: Encoder,
    cache: Path,
    tick: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Features of each word of each sentence, (words, width), float32; kept on disk by content.

    Args:
        cache: folder that keeps features, by encoder fingerprint.
        tick: told (sentences done, sentences to do) after each batch.
    """
    store = FeatureCache(cache / f"words-{encoder.fingerprint()}")
    keys = [sentence_key(s) for s in sentences]
    different = list(dict(zip(keys, sentences, strict=True)).items())
    missing = [(k, s) for k, s in different if len(s) and word_key(k, 0) not in store]
    done = 0
    for start in range(0, len(missing), SENTENCES_A_CHUNK):
        chunk = missing[start : start + SENTENCES_A_CHUNK]
        tokens = tokenize_words(encoder, [s for _, s in chunk], next(encoder.model.parameters()).device)
        lengths = tokens.lengths()
        order = np.array(sorted(range(len(chunk)), key=lambda i: (int(lengths[i]), chunk[i][0])))
        waiting: list[bytes] = []
        rows: list[np.ndarray] = []
        for part in cut(lengths[order], TOKENS_A_BATCH):
            batch = order[part]
            waiting += [word_key(chunk[i][0], j) for i in batch for j in range(len(chunk[i][1]))]
            rows.append(_word_features(tokens, batch, encoder))
            done += len(batch)
            if tick:
                tick(done, len(missing))
        store.add(waiting, np.concatenate(rows))
    return store.rows(
        [word_key(k, j) for k, s in zip(keys, sentences, strict=True) for j in range(len(s))], encoder.width
    )


@torch.inference_mode()
def _word_features(tokens: WordTokens, index: np.ndarray, encoder: Encoder) -> np.ndarray:
    batch = tokens.take(index)
    first = batch.pop("first")
    states: Tensor = encoder.model(**batch, output_hidden_states=True).hidden_states[middle(encoder.model)]
    return np.asarray(states[first].float().cpu())


def pending_words(sentences: Sequence[Sentence], encoder: Encoder, cache: Path) -> tuple[int, float]:
    """How many different sentences are not in the cache, and about how many seconds they take."""
    store = FeatureCache(cache / f"words-{encoder.fingerprint()}")
    missing = [s for s in {sentence_key(s): s for s in sentences}.values() if word_key(sentence_key(s), 0) not in store]
    if not missing:
        return 0, 0.0
    tokens = tokenize_words(encoder, missing[:: max(len(missing) // 64, 1)], next(encoder.model.parameters()).device)
    order = tokens.lengths().argsort()
    _word_features(tokens, order[:2], encoder)  # the first pass is slower than the rest
    start = time.perf_counter()
    for i in range(0, len(order), 16):
        _word_features(tokens, order[i : i + 16], encoder)
    return len(missing), (time.perf_counter() - start) * len(missing) / len(order)


def sentence_key(sentence: Sentence) -> bytes:
    """The hash of a sentence's words."""
    joined = "\x1f".join(sentence)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def word_key(sentence: bytes, place: int) -> bytes:
    """What the features of a sentence's word are kept under."""
    return sentence + place.to_bytes(4, "big")
