"""The interface between processes that train together; a single process needs none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from tutelage.types import Params


@runtime_checkable
class Comm(Protocol):
    """Communication with the other processes: all that the training loop needs of it.

    Every process calls the same functions in the same order; each call waits for the others.
    """

    @property
    def rank(self) -> int:
        """Number of the process, from 0."""

    @property
    def size(self) -> int:
        """Number of processes that train together."""

    @property
    def device(self) -> torch.device:
        """Device of this process."""

    def mean(self, grads: Params) -> Params:
        """Mean of each gradient over all processes, by the parameter's name; new tensors, the same bits in each."""

    def counts(self, count: int) -> list[int]:
        """The number that each process gives, in their order."""

    def gather(self, rows: Tensor, counts: Sequence[int] = ()) -> Sequence[Tensor]:
        """The rows of each process, in their order; ``counts`` are their numbers, where these are known."""

    def share(self, value: Any = None) -> Any:
        """The first process's value, in every process; what the others give counts for nothing."""


_JOINED: ContextVar[Comm | None] = ContextVar("processes that train together", default=None)


def joined() -> Comm | None:
    """The processes that train together with this one within `joining`; None where there are none."""
    return _JOINED.get()


@contextmanager
def joining(comm: Comm) -> Iterator[None]:
    """Context in which networks that are trained whole are trained by several processes, see `joined`."""
    token = _JOINED.set(comm)
    try:
        yield
    finally:
        _JOINED.reset(token)
