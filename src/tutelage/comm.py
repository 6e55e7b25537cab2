"""The interface between processes that train together; a single process needs none."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from tutelage.types import Params


@runtime_checkable
class Comm(Protocol):
    """Communication with the other processes: all that the training loop needs of it."""

    @property
    def rank(self) -> int:
        """Number of the process, from 0."""

    @property
    def size(self) -> int:
        """Number of processes that train together."""

    def mean(self, grads: Params) -> Params:
        """Mean of each gradient over all processes, by the parameter's name."""
