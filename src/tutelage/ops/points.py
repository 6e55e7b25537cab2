"""Points of the histories of trainings, told while the trainings go on to whoever draws or keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

History = Sequence[Mapping[str, float]]
"""Numbers by name at each point of a training, "step" among them."""

Listener = Callable[[str, History, bool], object]
"""Function that is called with the name of a training, its history up to now, and whether that is all."""

_LISTENER: ContextVar[Listener | None] = ContextVar("points", default=None)
"""Who is told of points."""


def tell(name: str, history: History, done: bool = False) -> None:
    """Tell the history of a training up to now, where somebody listens.

    Args:
        name: name of the training, which no other one of the fit has.
        history: its points, also those that were told before.
        done: whether it is over.

    >>> with listening(print):
    ...     tell("drift-fold01", [{"step": 15.0, "loss.pool": 0.5}])
    drift-fold01 [{'step': 15.0, 'loss.pool': 0.5}] False
    """
    if (listener := _LISTENER.get()) is not None and history:
        listener(name, history, done)


def heard() -> bool:
    """Whether somebody listens."""
    return _LISTENER.get() is not None


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Context in which somebody is told of points; None tells nobody."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)
