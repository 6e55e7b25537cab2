"""Features that a run has read, kept among its parts until it is finished, so that a resumed run reads the same bits.

The cache may be emptied, damaged or given to others in between, and features that are computed anew differ in rounding
where other rows stand in the batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutelage.data import Features, WordFeatures
from tutelage.fit.setup import Store, StoredPart
from tutelage.modalities.base import Encodes, Encoding, KeptOnDisk, Reader
from tutelage.types import Tick

A_PART = 1 << 26
"""Number of bytes of features in a part of the store, at most, which bounds what is held in memory twice."""


class NotKeptError(Exception):
    """The store does not keep the features yet."""


def _not_kept(path: Path | None) -> StoredPart:
    """What is done in place of computing a part: nothing.

    Raises:
        NotKeptError: always.
    """
    raise NotKeptError


@dataclass(frozen=True)
class Pinned:
    """An encoding whose features are parts of a store: read of it where they are there, else kept there when read.

    Attributes:
        encoding: the encoding, which reads the cache and computes what is missing there.
        store: store of finished parts.
        name: of the parts, to which a number is added.
    """

    encoding: Encoding
    store: Store
    name: str

    @property
    def missing(self) -> int:
        """Number of distinct items that are to be encoded."""
        try:
            self._first()
        except NotKeptError:
            return self.encoding.missing
        return 0

    @property
    def workspace(self) -> float:
        """Bytes of memory that a batch of the encoder fills and gives back, about."""
        return float(getattr(self.encoding, "workspace", 0.0))

    def seconds(self) -> float:
        """Estimate of the seconds that the missing items take, timed on a few of them."""
        return self.encoding.seconds() if self.missing else 0.0

    def features(self, device: torch.device | str = "cpu", tick: Tick | None = None) -> list[Features | WordFeatures]:
        """Features of each list of items, as examples; missing ones are computed."""
        try:
            return self._restored(device)
        except NotKeptError:
            return self._kept(self.encoding.features(device, tick))

    def _restored(self, device: torch.device | str) -> list[Features | WordFeatures]:
        """The features from the store.

        Raises:
            NotKeptError: a part is not there.
        """
        first = tensors, about = self._first()
        lists = [torch.empty(rows, about["width"], dtype=tensors["features"].dtype) for rows in about["rows"]]
        for number, spans in _parts(about["rows"], about["width"]):
            found, _ = first if number == 0 else self.store.once(f"{self.name}-{number}", _not_kept)
            _fill(lists, spans, found["features"])
        wraps = [tensors.get(f"counts{i}") for i in range(len(lists))]
        return [_examples(rows.to(device), counts) for rows, counts in zip(lists, wraps, strict=True)]

    def _kept(self, found: list[Features | WordFeatures]) -> list[Features | WordFeatures]:
        """The features, after they were kept; the first part is kept last, and says that all are there."""
        lists = [each.rows for each in found]
        if any(rows.ndim != 2 for rows in lists):
            return found
        sizes, width = [len(rows) for rows in lists], int(lists[0].shape[1])
        counts = {
            f"counts{i}": torch.as_tensor(each.sizes) for i, each in enumerate(found) if isinstance(each, WordFeatures)
        }
        for number, spans in reversed(list(_parts(sizes, width))):
            rows = torch.cat([lists[i][start:end].cpu() for i, start, end in spans] or [torch.empty(0, width)])
            more, about = (counts, {"rows": sizes, "width": width}) if number == 0 else ({}, None)
            kept, _ = self._part(number, {"features": rows} | more, about)
            if kept["features"] is not rows:  # of a run that was stopped while it kept them
                _fill(lists, spans, kept["features"])
        return found

    def _first(self) -> StoredPart:
        return self.store.once(f"{self.name}-0", _not_kept)

    def _part(self, number: int, tensors: dict[str, torch.Tensor], about: Any = None) -> StoredPart:
        return self.store.once(f"{self.name}-{number}", lambda path: (tensors, about))


def pinned(reader: Reader, encoding: Encoding | None, store: Store | None, name: str) -> Encoding | None:
    """The encoding, pinned where an encoder computes it and a store keeps parts.

    Args:
        reader: reader of the items.
        encoding: their encoding; None where there is none.
        store: store of finished parts; None keeps none.
        name: name of the parts.
    """
    if encoding is None or store is None or not (isinstance(reader, Encodes) and reader.encodes):
        return encoding
    if isinstance(encoding, KeptOnDisk):  # a resumed run finds them there
        return encoding
    return Pinned(encoding, store, name)


def _parts(sizes: Sequence[int], width: int) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
    """Number of each part, and what it holds: list, first row and end, for each list of which it holds any.

    Args:
        sizes: number of rows of each list.
        width: number of features of a row.

    >>> [spans for _, spans in _parts([3, 2], A_PART // 16)]
    [[(0, 0, 3), (1, 0, 1)], [(1, 1, 2)]]
    """
    ends, step = np.cumsum([0, *sizes]).tolist(), max(A_PART // (4 * max(width, 1)), 1)
    for number, start in enumerate(range(0, max(ends[-1], 1), step)):
        spans = [
            (i, max(start - first, 0), min(start + step, end) - first)
            for i, (first, end) in enumerate(pairwise(ends))
            if first < start + step and end > start
        ]
        yield number, spans


def _fill(lists: list[torch.Tensor], spans: list[tuple[int, int, int]], rows: torch.Tensor) -> None:
    """Enter the rows of a part into the lists."""
    at = 0
    for i, start, end in spans:
        lists[i][start:end] = rows[at : at + end - start]
        at += end - start


def _examples(rows: torch.Tensor, counts: torch.Tensor | None) -> Features | WordFeatures:
    return Features(rows) if counts is None else WordFeatures(rows, counts.numpy())
