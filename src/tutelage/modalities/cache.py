"""The feature cache: a frozen encoder's features on disk, by hash of the item; missing ones are computed."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from tutelage.data import Features, WordFeatures
from tutelage.types import Tick

TOKENS_A_BATCH = 4096
"""Number of tokens, with padding, in a batch of the encoder, at most."""

ROWS_A_FILE = 4096
"""Number of rows of features from which on they are written to a file."""

TIMED = 1 / 20
"""Share of the missing items, at most, that is encoded to estimate the time that all of them take."""


class FeatureCache:
    """Rows of features by hash of the item, in pairs of files: one of the hashes and one of the rows.

    Args:
        folder: folder of the files, made where it is missing; each encoder has its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._where: dict[bytes, tuple[np.ndarray, int]] = {}
        for keys in sorted(folder.glob("*.keys.npy")):
            rows = keys.with_name(keys.name.replace(".keys.", ".rows."))
            try:
                self._index(np.load(keys), np.load(rows, mmap_mode="r"))
            except (OSError, ValueError, EOFError):  # half-written by a crash: computed again
                continue

    def _index(self, keys: np.ndarray, rows: np.ndarray) -> None:
        self._where |= {k.tobytes(): (rows, i) for i, k in enumerate(keys)}

    def __contains__(self, key: bytes) -> bool:
        return key in self._where

    def add(self, keys: list[bytes], rows: np.ndarray) -> None:
        """Store rows of features, (n, width), under n hashes. Other processes see a file only when it is complete."""
        table = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), -1)
        name = hashlib.blake2b(table.tobytes(), digest_size=8).hexdigest()
        for kind, array in (("rows", rows), ("keys", table)):
            part = self.folder / f"{name}.{kind}.{os.getpid()}.part"
            try:
                with open(part, "wb") as f:
                    np.save(f, array)
            except OSError as e:  # of a full disk, which numpy gives no number
                part.unlink(missing_ok=True)
                raise OSError(e.errno or errno.ENOSPC, e.strerror or str(e), str(self.folder)) from e
            part.replace(self.folder / f"{name}.{kind}.npy")
        self._index(table, rows)

    def rows(self, keys: Sequence[bytes], width: int) -> np.ndarray:
        """Rows of features of n hashes, in their order, (n, width), float32."""
        out = np.empty((len(keys), width), dtype=np.float32)
        for i, key in enumerate(keys):
            rows, j = self._where[key]
            out[i] = rows[j]
        return out


class Caches:
    """The feature caches that a reader has opened, each folder once. A copy, or a pickle, has opened none."""

    def __init__(self) -> None:
        self._opened: dict[Path, FeatureCache] = {}

    def __reduce__(self) -> tuple[type[Caches], tuple[()]]:
        return Caches, ()

    def at(self, folder: Path) -> FeatureCache:
        """Feature cache of a folder, opened once."""
        if folder not in self._opened:
            self._opened[folder] = FeatureCache(folder)
        return self._opened[folder]


class Pass(Protocol):
    """A frozen encoder of one modality, as the feature cache calls it."""

    @property
    def width(self) -> int:
        """Number of features of a row."""

    @property
    def a_chunk(self) -> int:
        """Number of items that are prepared together, which bounds memory on a very large table."""

    @property
    def a_sample(self) -> int:
        """Number of items that are encoded to estimate the time, at most about twice this."""

    def key(self, item: Any) -> bytes:
        """Hash of an item."""

    def keys(self, key: bytes, item: Any) -> list[bytes]:
        """Hashes of an item's rows of features: one for a text or an image, one for each word of a sentence.

        Args:
            key: hash of the item.
            item: the item.
        """

    def batches(self, items: Sequence[Any], keys: Sequence[bytes]) -> Iterator[tuple[Sequence[int], np.ndarray]]:
        """Numbers of the items in each batch, and their rows of features, (rows, width), a batch at a time.

        Args:
            items: the items.
            keys: hash of each item.
        """


@dataclass
class CachedEncoding:
    """Lists of items with features in a cache: cached features are read, the others are computed once and kept.

    Equal items are encoded once. A stopped pass goes on where it stopped, with the same batches.

    Args:
        parts: lists of items.
        encoder: encoder that computes missing features.
        store: feature cache.
        wrap: function that makes examples of rows of features, (rows, width), and their items.
    """

    parts: Sequence[Sequence[Any]]
    encoder: Pass
    store: FeatureCache
    wrap: Callable[[torch.Tensor, Sequence[Any]], Features | WordFeatures]
    _keys: list[list[bytes]] = field(init=False)

    def __post_init__(self) -> None:
        self._keys = [[self.encoder.key(item) for item in part] for part in self.parts]

    @cached_property
    def _different(self) -> dict[bytes, Any]:
        both = zip(self._keys, self.parts, strict=True)
        return dict(pair for keys, part in both for pair in zip(keys, part, strict=True))

    def _lacks(self, key: bytes, item: Any) -> bool:
        return any(k not in self.store for k in self.encoder.keys(key, item)[:1])

    @property
    def missing(self) -> int:
        """Number of distinct items without features in the cache."""
        return sum(self._lacks(key, item) for key, item in self._different.items())

    def seconds(self) -> float:
        """Estimate of the seconds that the missing items take, timed on a few of them."""
        missing = [(key, item) for key, item in self._different.items() if self._lacks(key, item)]
        if not missing:
            return 0.0
        sample = missing[:: max(len(missing) // self.encoder.a_sample, round(1 / TIMED))]
        keys, items = zip(*sample, strict=True)
        list(self.encoder.batches(items[:2], keys[:2]))  # the first pass is slower than the rest
        start = time.perf_counter()
        for i in range(0, len(items), 16):
            list(self.encoder.batches(items[i : i + 16], keys[i : i + 16]))
        return (time.perf_counter() - start) * len(missing) / len(items)

    def features(self, device: torch.device | str = "cpu", tick: Tick | None = None) -> list[Features | WordFeatures]:
        """Features of each list of items, as examples; missing ones are computed."""
        self._compute(tick)
        found = []
        for keys, items in zip(self._keys, self.parts, strict=True):
            of_rows = [k for key, item in zip(keys, items, strict=True) for k in self.encoder.keys(key, item)]
            rows = self.store.rows(of_rows, self.encoder.width)
            found.append(self.wrap(torch.as_tensor(rows).to(device), items))
        return found

    def _compute(self, tick: Tick | None) -> None:
        """Compute the features of the missing items, and keep them."""
        different, total, done = list(self._different.items()), self.missing, 0
        for start in range(0, len(different) if total else 0, self.encoder.a_chunk):
            chunk = [(k, i) for k, i in different[start : start + self.encoder.a_chunk] if self._lacks(k, i)]
            waiting: list[bytes] = []
            rows: list[np.ndarray] = []
            keys, items = [k for k, _ in chunk], [i for _, i in chunk]
            for numbers, found in self.encoder.batches(items, keys):
                waiting += [k for n in numbers for k in self.encoder.keys(keys[n], items[n])]
                rows.append(found)
                done += len(numbers)
                if len(waiting) >= ROWS_A_FILE:
                    self.store.add(waiting, np.concatenate(rows))
                    waiting, rows = [], []
                if tick:
                    tick("encoding", done, total)
            if waiting:
                self.store.add(waiting, np.concatenate(rows))
