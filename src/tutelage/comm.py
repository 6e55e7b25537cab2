"""Several processes that train together, behind one small interface; a process alone needs none."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from tutelage.types import Params


@runtime_checkable
class Comm(Protocol):
    """The other processes, as the training loop needs them."""

    @property
    def rank(self) -> int:
        """Number of the process, from 0."""

    @property
    def size(self) -> int:
        """Number of processes that train together."""

    def mean(self, grads: Params) -> Params:
        """The mean of each gradient over all processes."""
