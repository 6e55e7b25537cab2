"""Features of items that lie on disk: encoded block by block, and written to a column beside the items."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutelage.data import Features, WordFeatures
from tutelage.data.columns import Columns, Form, OnDisk, evenly
from tutelage.engines import One
from tutelage.modalities.cache.encoding import CachedEncoding, Pass
from tutelage.modalities.cache.spread import Chunk, Chunks, a_chunk, engine_for, shorter
from tutelage.modalities.cache.store import FeatureCache
from tutelage.types import Tick

ITEMS_A_BLOCK = 8192
"""Items that are encoded before their features are written."""

SAMPLE = 256
"""Items on disk, at most, by which the time of all of them is estimated."""


@dataclass
class OnDiskEncoding:
    """Lists of items of which some lie on disk: the features of these are written to disk, too, and mapped into memory.

    An item's features do not depend on what else is encoded (`batches`), so that they are those that it would have in
    memory, to the bit. A pass that is stopped goes on behind the last block that it wrote.

    Args:
        parts: lists of items, each in memory or on disk; no item on disk should be there twice.
        encoder: encoder that computes missing features.
        store: feature cache; None keeps nothing there.
        wrap: function that makes examples of rows of features, (rows, width), and their items.
        name: name of the encoder, which tells its features from those of others.
    """

    parts: Sequence[Sequence[Any]]
    encoder: Pass
    store: FeatureCache | None
    wrap: Callable[[torch.Tensor, Sequence[Any]], Features | WordFeatures]
    name: str
    _inner: CachedEncoding = field(init=False)

    def __post_init__(self) -> None:
        here = [part for part in self.parts if not isinstance(part, OnDisk)]
        self._inner = CachedEncoding(here, self.encoder, self.store, self.wrap)

    @property
    def folders(self) -> Sequence[Path]:
        """Folders of the features."""
        return [self._folder(part) for part in self.parts if isinstance(part, OnDisk)]

    def _folder(self, part: OnDisk) -> Path:
        short = hashlib.blake2b(self.name.encode(), digest_size=6).hexdigest()
        return part.folder.with_name(f"{part.folder.name}-{part.name}-{short}")

    def _column(self, part: OnDisk) -> Columns:
        form = Form("<f4", self.encoder.width)
        about = {"items": len(part), "of": part.identity, "encoder": self.name}
        return Columns(self._folder(part), {"rows": form}, about)

    def _left(self) -> Iterator[tuple[OnDisk, int]]:
        """Each part on disk, and the number of its items that have features already."""
        for part in self.parts:
            if isinstance(part, OnDisk):
                yield part, len(self._column(part))

    @property
    def missing(self) -> int:
        """Number of items that are encoded, at most: of those on disk the feature cache may hold some."""
        return self._inner.missing + sum(len(part) - done for part, done in self._left())

    def seconds(self) -> float:
        """Estimate of the seconds that the missing items take, timed on a few of them."""
        total = self._inner.seconds()
        for part, done in self._left():
            some = list(evenly(part, SAMPLE)) if done < len(part) else []
            sample = CachedEncoding([some], self.encoder, self.store, self.wrap)
            total += shorter(sample.seconds() * (len(part) - done) / max(len(some), 1), len(part) - done)
        return total

    def features(self, device: torch.device | str = "cpu", tick: Tick | None = None) -> list[Features | WordFeatures]:
        """Features of each list of items, as examples; missing ones are computed.

        Raises:
            OSError: the disk is full; what was encoded stays.
        """
        here = iter(self._inner.features(device, tick))
        total = sum(len(part) - done for part, done in self._left())
        done, found = 0, []
        for part in self.parts:
            if not isinstance(part, OnDisk):
                found.append(next(here))
                continue
            column = self._column(part)
            for rows in self._blocks(part, len(column)):
                column.append({"rows": rows})
                done += len(rows)
                if tick:
                    tick("encoding", done, total)
            column.finish()
            found.append(self.wrap(torch.as_tensor(column["rows"]).to(device), part))
        return found

    def _blocks(self, part: OnDisk, first: int) -> Iterator[np.ndarray]:
        """Rows of features of the items of a part from a number on, block by block."""
        left = len(part) - first
        engine = engine_for(left)
        size = ITEMS_A_BLOCK if engine is None else a_chunk(left, engine.workers)
        make, source = _InBlocks(self.encoder, self.store, self.wrap), Chunks(part, size, first)
        with closing((engine or One()).each(make, source)) as blocks:
            yield from blocks


@dataclass(frozen=True)
class _InBlocks:
    """What makes a worker that encodes blocks of items, with the feature cache that all of them share.

    Attributes:
        encoder, store, wrap: as those of `OnDiskEncoding`.
    """

    encoder: Pass
    store: FeatureCache | None
    wrap: Callable[[torch.Tensor, Sequence[Any]], Features | WordFeatures]

    def __call__(self) -> Callable[[Chunk], np.ndarray]:
        """Function of a block, which gives its rows of features."""
        return self.rows

    def rows(self, block: Chunk) -> np.ndarray:
        """Rows of features of the items of a block, (rows, width)."""
        (found,) = CachedEncoding([block.items], self.encoder, self.store, self.wrap).features("cpu")
        rows: np.ndarray = found.rows.numpy()
        return rows


def encoding_of(
    parts: Sequence[Sequence[Any]], encoder: Pass, store: FeatureCache | None,
    wrap: Callable[[torch.Tensor, Sequence[Any]], Features | WordFeatures], name: str,
) -> CachedEncoding | OnDiskEncoding:  # fmt: skip
    """Encoding of lists of items, in memory or on disk; see `CachedEncoding` and `OnDiskEncoding` for the arguments."""
    if any(isinstance(part, OnDisk) for part in parts):
        return OnDiskEncoding(parts, encoder, store, wrap, name)
    return CachedEncoding(parts, encoder, store, wrap)
