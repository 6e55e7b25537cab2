"""Lists of items with features in a cache: what is there is read, the rest is computed and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch

from tutelage.data import Features, WordFeatures
from tutelage.modalities.cache.spread import batches, shorter
from tutelage.modalities.cache.store import FeatureCache
from tutelage.ops.meter import now
from tutelage.types import Tick

ROWS_A_WRITE = 4096
"""Number of rows of features from which on they are written."""

SECONDS_A_WRITE = 30.0
"""Seconds after which features are written, however few: a process that is killed loses no more."""

TIMED = 1 / 30
"""Share of the missing items, at most, that is encoded to estimate the time that all of them take."""

LEAST_TIMED, SORTED, BLOCKS = 8, 5000, 4
"""Items, at least, that are encoded for that; items, at most, that are put in order of length for it; and blocks of
neighbours in that order that are taken: an encoder reads items of a length together, and few of all lengths slower."""


def in_blocks(total: int, count: int) -> list[int]:
    """About so many of the first ``total`` numbers, in `BLOCKS` blocks of neighbours whose middles are spread evenly.

    >>> in_blocks(100, 8)
    [12, 13, 36, 37, 62, 63, 86, 87]
    """
    each = max(count // BLOCKS, 1)
    starts = (round((i + 0.5) * total / BLOCKS - each / 2) for i in range(BLOCKS))
    return sorted({i for start in starts for i in range(max(start, 0), min(max(start, 0) + each, total))})


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
class _Read:
    """What the cache holds of the lists of items.

    Attributes:
        rows: rows of features of each list, (rows, width); those that are missing are zero.
        lacking: each distinct item that lacks any row, by its hash.
        places: list and number of the first row of each such item, by its hash.
    """

    rows: list[np.ndarray]
    lacking: dict[bytes, Any]
    places: dict[bytes, list[tuple[int, int]]]


@dataclass
class CachedEncoding:
    """Lists of items with features in a cache: cached features are read, the others are computed once and kept.

    Equal items are encoded once. A pass that is stopped keeps what it had.

    Args:
        parts: lists of items.
        encoder: encoder that computes missing features.
        store: feature cache; None keeps nothing.
        wrap: function that makes examples of rows of features, (rows, width), and their items.
    """

    parts: Sequence[Sequence[Any]]
    encoder: Pass
    store: FeatureCache | None
    wrap: Callable[[torch.Tensor, Sequence[Any]], Features | WordFeatures]
    _keys: list[list[bytes]] = field(init=False)
    _held: _Read | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._keys = [[self.encoder.key(item) for item in part] for part in self.parts]

    def _read(self) -> _Read:
        """What the cache holds, read once and kept until the features are asked for."""
        if self._held is None:
            self._held = _Read([], {}, {})
            for number, (keys, items) in enumerate(zip(self._keys, self.parts, strict=True)):
                self._read_part(self._held, number, keys, items)
        return self._held

    def _read_part(self, held: _Read, number: int, keys: list[bytes], items: Sequence[Any]) -> None:
        each = [self.encoder.keys(key, item) for key, item in zip(keys, items, strict=True)]
        ends = np.cumsum([len(some) for some in each], dtype=np.int64)
        total = int(ends[-1]) if len(ends) else 0
        rows, there = np.zeros((total, self.encoder.width), dtype=np.float32), np.zeros(total, dtype=bool)
        if self.store is not None and total:
            there = self.store.read([key for some in each for key in some], rows)
        held.rows.append(rows)
        absent = np.unique(np.searchsorted(ends, np.flatnonzero(~there), side="right"))
        for i in absent.tolist():
            held.lacking[keys[i]] = items[i]
            held.places.setdefault(keys[i], []).append((number, int(ends[i]) - len(each[i])))

    @property
    def missing(self) -> int:
        """Number of distinct items without all of their features in the cache, which are those that are encoded."""
        return len(self._read().lacking)

    @property
    def workspace(self) -> float:
        """Bytes of memory that a batch of the encoder fills and gives back, about; 0 where it does not tell."""
        return float(getattr(self.encoder, "workspace", 0.0)) if self.missing else 0.0

    def seconds(self) -> float:
        """Estimate of the seconds that the missing items take, timed on a few of them."""
        missing = list(self._read().lacking.items())
        if not missing:
            return 0.0
        some = missing[:: max(len(missing) // SORTED, 1)]
        some.sort(key=lambda pair: len(str(pair[1])))
        count = min(self.encoder.a_sample, max(round(TIMED * len(missing)), LEAST_TIMED), len(some))
        sample = [some[i] for i in in_blocks(len(some), count)]
        keys, items = zip(*sample, strict=True)
        list(self.encoder.batches(items[:2], keys[:2]))  # the first pass is slower than the rest
        start = now()
        list(self.encoder.batches(items, keys))
        return shorter((now() - start) * len(missing) / len(items), len(missing))

    def features(self, device: torch.device | str = "cpu", tick: Tick | None = None) -> list[Features | WordFeatures]:
        """Features of each list of items, as examples; missing ones are computed."""
        held, self._held = self._read(), None
        self._compute(held, tick)
        both = zip(held.rows, self.parts, strict=True)
        return [self.wrap(torch.as_tensor(rows).to(device), items) for rows, items in both]

    def _compute(self, held: _Read, tick: Tick | None) -> None:
        """Compute the features of the missing items, and keep them."""
        keys, items, done = list(held.lacking), list(held.lacking.values()), 0
        waiting = _Waiting(self.encoder, self.store, held)
        try:
            for numbers, found in batches(self.encoder, items, keys):
                waiting.add([(keys[n], items[n]) for n in numbers], found)
                done += len(numbers)
                if tick:
                    tick("encoding", done, len(items))
        finally:  # on Ctrl-C, too
            waiting.write()


class _Waiting:
    """Features that were computed and are not yet written."""

    def __init__(self, encoder: Pass, store: FeatureCache | None, held: _Read) -> None:
        self.encoder, self.store, self.held = encoder, store, held
        self.items: list[tuple[bytes, Any]] = []
        self.rows: list[np.ndarray] = []
        self.count, self.since = 0, time.monotonic()

    def add(self, items: list[tuple[bytes, Any]], rows: np.ndarray) -> None:
        """Add items by their hashes and their rows of features, and write where there are many, or for long."""
        self.items += items
        self.rows.append(rows)
        self.count += len(rows)
        if self.count >= ROWS_A_WRITE or time.monotonic() - self.since >= SECONDS_A_WRITE:
            self.write()

    def write(self) -> None:
        """Write the features, and enter them, as they are kept, where they are asked for."""
        if self.items:
            each = [self.encoder.keys(key, item) for key, item in self.items]
            kept = np.concatenate(self.rows)
            if self.store is not None:
                kept = self.store.add([key for some in each for key in some], kept)
            start = 0
            for (key, _), some in zip(self.items, each, strict=True):
                for part, first in self.held.places[key]:
                    self.held.rows[part][first : first + len(some)] = kept[start : start + len(some)]
                start += len(some)
        self.items, self.rows, self.count, self.since = [], [], 0, time.monotonic()
