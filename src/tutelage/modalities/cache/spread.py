"""Items that several processes encode, or the machines of Ray: their features are those of one process, to the bit.

That holds since an item's features do not depend on what else is encoded (`batches`), and each worker has one thread.
Like the number of threads, the engine belongs to a process and not to a fit: it changes no result, and is no option of
a reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tutelage.engines import Engine

if TYPE_CHECKING:
    from tutelage.modalities.cache.encoding import Pass

LEAST = 2048
"""Items, at least, for which other processes are started; each takes some seconds to load the encoder."""

START = 7.0
"""Seconds that a worker takes to start, about (docs: scale)."""

MOST_A_CHUNK, LEAST_A_CHUNK = 8192, 256
"""Items that a worker is given at once, at most and at least."""

CHUNKS_EACH = 8
"""Chunks that each worker gets, at least, where that leaves them `LEAST_A_CHUNK` items: the last ones end together."""

_ENGINE: ContextVar[Engine | None] = ContextVar("engine", default=None)


@contextmanager
def encoding_by(engine: Engine) -> Iterator[None]:
    """Context in which many items are encoded by an engine; that of one process changes nothing.

    >>> from tutelage.engines import Processes
    >>> with encoding_by(Processes(2)):
    ...     engine_for(10**6)
    Processes(workers=2)
    """
    token = _ENGINE.set(None if engine.name == "one" else engine)
    try:
        yield
    finally:
        _ENGINE.reset(token)


def engine_for(items: int) -> Engine | None:
    """Engine that encodes so many items; None where this process does.

    >>> engine_for(10**6) is None
    True
    """
    return _ENGINE.get() if items >= LEAST else None


def shorter(seconds: float, items: int) -> float:
    """Seconds that items take with the engine, of those that they take in this process, with its threads."""
    engine = engine_for(items)
    return seconds if engine is None else START + seconds * torch.get_num_threads() / engine.workers


def a_chunk(items: int, workers: int) -> int:
    """Number of items that a worker is given at once.

    >>> a_chunk(10**6, 2), a_chunk(10_000, 2), a_chunk(3000, 2)
    (8192, 625, 256)
    """
    return min(max(items // (CHUNKS_EACH * workers), LEAST_A_CHUNK), MOST_A_CHUNK)


@dataclass(frozen=True)
class Chunk:
    """Items that a worker encodes.

    Attributes:
        start: number of the first of them among all.
        items: the items.
        keys: hash of each; empty where the worker computes them.
    """

    start: int
    items: Sequence[Any]
    keys: Sequence[bytes] = ()

    @property
    def says(self) -> str:
        """Words on where they are."""
        return f"the items {self.start + 1:,} to {self.start + len(self.items):,} that are encoded"


@dataclass(frozen=True)
class Chunks:
    """What cuts items into chunks.

    Attributes:
        items: the items.
        size: number of items of a chunk.
        start: number of the first item.
        keys: hash of each item; None where workers compute them.
    """

    items: Sequence[Any]
    size: int
    start: int = 0
    keys: Sequence[bytes] | None = None

    def __call__(self) -> Iterator[Chunk]:
        """The chunks, in order."""
        for start in range(self.start, len(self.items), self.size):
            end = start + self.size
            yield Chunk(start, self.items[start:end], () if self.keys is None else self.keys[start:end])


Batches = list[tuple[Sequence[int], np.ndarray]]
"""Numbers of items and their rows of features, a batch at a time."""


@dataclass(frozen=True)
class Computing:
    """What makes a worker that computes the features of items.

    Attributes:
        encoder: encoder of the items.
    """

    encoder: Pass

    def __call__(self) -> Callable[[Chunk], Batches]:
        """Function of a chunk, which gives its features a batch at a time."""
        return partial(_batches, self.encoder)


def _batches(encoder: Pass, chunk: Chunk) -> Batches:
    return [
        ([n + chunk.start for n in numbers], rows) for numbers, rows in encoder.batches(chunk.items, chunk.keys)
    ]  # fmt: skip


def batches(encoder: Pass, items: Sequence[Any], keys: Sequence[bytes]) -> Iterator[tuple[Sequence[int], np.ndarray]]:
    """Numbers of the items in each batch, and their rows of features; see `Pass.batches`.

    Args:
        encoder: encoder of the items.
        items: the items.
        keys: hash of each item.

    Raises:
        WorkerError: a worker cannot be started, or ended twice at the same items.
    """
    engine = engine_for(len(items))
    if engine is None:
        for start in range(0, len(items), encoder.a_chunk):
            end = start + encoder.a_chunk
            for numbers, rows in encoder.batches(items[start:end], keys[start:end]):
                yield [n + start for n in numbers], rows
        return
    source = Chunks(items, a_chunk(len(items), engine.workers), keys=keys)
    with closing(engine.each(Computing(encoder), source)) as found:
        for each in found:
            yield from each
