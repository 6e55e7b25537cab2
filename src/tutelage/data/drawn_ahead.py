"""The next batch is drawn, and brought to the card, while a step computes; and pinned transfers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from tutelage.data.loader import Loader
from tutelage.types import Batch, Inputs, Views


class DrawnAhead:
    """A loader whose next batch is drawn by a thread; the batches, and their bits, are those of the loader.

    On a card of NVIDIA the thread works on a stream of its own, so that its copies go on beside the step.

    Args:
        loader: the loader, whose batch is a function of the step.
        steps: number of steps; no batch behind the last one is drawn.

    >>> from tutelage.data import Features
    >>> loader = Loader(Features(torch.eye(3)), torch.arange(3), Features(torch.eye(5)), 3, 4)
    >>> with DrawnAhead(loader, 2) as ahead:
    ...     [torch.equal(ahead.batch(k, 0.0).labelled["weak"], loader.batch(k, 0.0).labelled["weak"]) for k in (0, 1)]
    [True, True]
    """

    def __init__(self, loader: Loader, steps: int) -> None:
        self.loader, self.steps = loader, steps
        self.stream = torch.cuda.Stream(loader.target.device) if _on_card(loader) else None  # type: ignore[no-untyped-call]
        self._thread = ThreadPoolExecutor(1, "drawing batches")
        self._next: tuple[int, bool, Future[Batch]] | None = None

    def batch(self, step: int, progress: float, with_pool: bool = True) -> Batch:
        """The batch of a step, see `Loader.batch`; what went wrong while it was drawn is raised here."""
        asked = (step, with_pool)
        if self._next is None or self._next[:2] != asked:
            self._begin(*asked)
        assert self._next is not None
        found = self._next[2].result()
        if self.stream is not None:
            self._arrive(found)
        if step + 1 < self.steps:
            self._begin(step + 1, with_pool)
        return replace(found, progress=progress)

    def reserving(self, share: float) -> DrawnAhead:
        """The same of a loader that holds labelled examples back, before a batch is drawn; see `Loader.reserving`."""
        self.loader = self.loader.reserving(share)
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def __enter__(self) -> DrawnAhead:
        return self

    def __exit__(self, *fault: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _begin(self, step: int, with_pool: bool) -> None:
        self._next = step, with_pool, self._thread.submit(self._draw, step, with_pool)

    def _draw(self, step: int, with_pool: bool) -> Batch:
        with self._aside():
            found = self.loader.batch(step, 0.0, with_pool)
        if self.stream is not None:
            self.stream.synchronize()  # the thread waits, not the step
        return found

    def _aside(self) -> AbstractContextManager[Any]:
        return nullcontext() if self.stream is None else torch.cuda.stream(self.stream)

    def _arrive(self, batch: Batch) -> None:
        """Let the stream of the step own the batch's memory."""
        now = torch.cuda.current_stream(self.stream.device if self.stream else None)
        for tensor in tensors_of(batch):
            if tensor.is_cuda:
                tensor.record_stream(now)


@contextmanager
def drawn_ahead(loader: Loader, steps: int) -> Iterator[Any]:
    """The loader itself on a CPU, which has nothing to bring anywhere; else one that draws ahead, see `DrawnAhead`."""
    if not _on_card(loader):
        yield loader
        return
    with DrawnAhead(loader, steps) as ahead:
        yield ahead


def _on_card(loader: Loader) -> bool:
    return loader.target.device.type == "cuda"


def tensors_of(batch: Batch) -> Iterator[Tensor]:
    """All tensors of a batch."""
    yield from (batch.target, batch.reserved_target)
    for views in (batch.labelled, batch.unlabelled, batch.reserved):
        yield from _of_views(views)


def _of_views(views: Views) -> Iterator[Tensor]:
    yield views.index
    yield from views.geometry.values()
    for inputs in views.at.values():
        yield from _of_inputs(inputs)


def _of_inputs(inputs: Inputs) -> Iterator[Tensor]:
    yield from (inputs,) if isinstance(inputs, Tensor) else inputs.values()
