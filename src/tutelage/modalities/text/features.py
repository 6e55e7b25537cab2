"""Features of texts from a frozen encoder: computed once, longest texts together, kept on disk."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from tutelage.data.examples import Tokens, cut
from tutelage.modalities.cache import TOKENS_A_BATCH, FeatureCache
from tutelage.modalities.encoder import Encoder
from tutelage.modalities.text.network import pool

TEXTS_A_FILE = 4096
TEXTS_A_CHUNK = 65536
"""Texts tokenized and sorted together: what bounds memory on a very large table."""


def encode(
    texts: Sequence[str],
    encoder: Encoder,
    cache: Path,
    tick: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Features of each text, (n, width), float32.

    Texts already in the cache are not computed again, nor is a text that occurs twice. Batches are
    cut from the texts sorted by length, so little padding is computed; a stopped pass goes on
    where it was, with the same batches.

    Args:
        cache: folder that keeps features, by encoder fingerprint.
        tick: told (texts done, texts to do) after each batch.
    """
    store = FeatureCache(cache / encoder.fingerprint())
    keys = [text_key(t) for t in texts]
    different = list(dict(zip(keys, texts, strict=True)).items())
    done, total = 0, sum(k not in store for k, _ in different)
    for start in range(0, len(different), TEXTS_A_CHUNK):
        missing = {k: t for k, t in different[start : start + TEXTS_A_CHUNK] if k not in store}
        ids = dict(zip(missing, encoder.tokenize(list(missing.values())), strict=True))
        order = sorted(missing, key=lambda k: (len(ids[k]), k))
        waiting: list[bytes] = []
        rows: list[np.ndarray] = []
        for part in cut([len(ids[k]) for k in order], TOKENS_A_BATCH):
            batch = order[part]
            waiting += batch
            rows.append(_features([ids[k] for k in batch], encoder))
            done += len(batch)
            if len(waiting) >= TEXTS_A_FILE or waiting[-1] == order[-1]:
                store.add(waiting, np.concatenate(rows))
                waiting, rows = [], []
            if tick:
                tick(done, total)
    return store.rows(keys, encoder.width)


@torch.inference_mode()
def _features(ids: list[list[int]], encoder: Encoder) -> np.ndarray:
    device = next(encoder.model.parameters()).device
    batch = Tokens(ids, encoder.pad, device).take(np.arange(len(ids)))
    hidden = encoder.model(**batch).last_hidden_state
    return pool(hidden, batch["attention_mask"]).float().cpu().numpy()


def pending(texts: Sequence[str], encoder: Encoder, cache: Path) -> tuple[int, float]:
    """How many different texts are not in the cache, and about how many seconds they take.

    Timed on a few texts spread over those missing.
    """
    store = FeatureCache(cache / encoder.fingerprint())
    missing = list({text_key(t): t for t in texts if text_key(t) not in store}.values())
    if not missing:
        return 0, 0.0
    sample = sorted(encoder.tokenize(missing[:: max(len(missing) // 64, 1)]), key=len)
    _features(sample[:2], encoder)  # the first pass is slower than the rest
    start = time.perf_counter()
    for i in range(0, len(sample), 16):
        _features(sample[i : i + 16], encoder)
    return len(missing), (time.perf_counter() - start) * len(missing) / len(sample)


def text_key(text: str) -> bytes:
    """The hash that a text's features are kept under."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
