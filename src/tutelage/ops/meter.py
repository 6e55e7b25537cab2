"""Seconds of a run by stage, taken where the work is done, and how much of the whole run is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

OWN_PACE = 0.2
"""Share of all expected seconds that stages must have taken for their pace to count as much as the forecast's."""

CLOCK: list[Callable[[], float]] = [time.perf_counter]
"""Clock of all forecasts and of what is found, in seconds; a study may put that of the processor in its place."""

LEAST_DONE = 0.05
"""Share of a stage that must be done before its own pace is believed."""


def now() -> float:
    """Time by the clock of forecasts, in seconds."""
    return CLOCK[0]()


class Expected(NamedTuple):
    """What is expected of a stage.

    Attributes:
        seconds: seconds that it takes, at least 0.
        amount: number of steps, or items, that progress is told of; 0 where it is told of none.
    """

    seconds: float
    amount: float = 0.0


class Meter:
    """Seconds that each stage of a run took; a stage within another one is taken out of it.

    Args:
        clock: function that gives the time in seconds.

    Attributes:
        seconds: seconds of each stage that was left, by its name, in the order in which they were entered first.
        expected: what is expected of each stage, in the order of the run; empty as long as nothing is.
        forecast: what foretold it, for whoever compares it with what was; None as long as nothing did.
        shown: whether somebody is shown how much of the run is done.

    >>> now = iter([0.0, 1.0, 3.0, 6.0, 10.0])
    >>> meter = Meter(lambda: next(now))
    >>> meter.enter("outer")
    >>> meter.enter("inner")
    >>> meter.leave()
    >>> meter.leave()
    >>> meter.seconds
    {'outer': 6.0, 'inner': 3.0}
    """

    def __init__(self, clock: Callable[[], float] = now) -> None:
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self.expected: dict[str, Expected] = {}
        self.forecast: Any = None
        self.shown = False
        self.begun = self._since = clock()
        self._open: list[str] = []
        self._done: dict[str, dict[str, float]] = {}
        self._share = 0.0

    def enter(self, name: str) -> None:
        """Begin a stage, or go on with it."""
        self._count()
        self._open.append(name)
        self.seconds.setdefault(name, 0.0)

    def leave(self) -> None:
        """Go back to the stage around this one."""
        self._count()
        self._open.pop()

    def _count(self) -> None:
        now = self.clock()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now

    def spent(self) -> dict[str, float]:
        """Seconds of each stage up to now, by its name."""
        self._count()
        return dict(self.seconds)

    def foretell(self, expected: Mapping[str, Expected]) -> None:
        """Take over what is expected of the stages, in the order of the run; those before are over."""
        self.expected = dict(expected)
        self._done = {}

    def tick(self, what: str, done: float) -> None:
        """Progress within the current stage: of some work in it, how many steps are done."""
        if self._open:
            self._done.setdefault(self._open[-1], {})[what] = done

    def left(self) -> float | None:
        """Seconds until the run ends, by the forecast and by what the stages really took; None without a forecast.

        A stage goes on at its own pace as soon as some of it is done; one that was not entered yet takes as much more
        or less than expected as the others did. One that was passed over is left out.
        """
        if not self.expected:
            return None
        found, names = self.spent(), list(self.expected)
        begun = [name for name in names if name in found]
        now = next((name for name in reversed(self._open) if name in names), begun[-1] if begun else None)
        rest = 0.0 if now is None else self._rest(now, found[now])
        faith = OWN_PACE * sum(stage.seconds for stage in self.expected.values())
        taken = faith + rest + sum(found[name] for name in begun)
        pace = taken / max(faith + sum(self.expected[name].seconds for name in begun), 1e-9)
        after = names[0 if now is None else names.index(now) + 1 :]
        return rest + pace * sum(self.expected[name].seconds for name in after if name not in found)

    def _rest(self, name: str, seconds: float) -> float:
        """Seconds until the end of a stage that took so many."""
        stage = self.expected[name]
        share = min(sum(self._done.get(name, {}).values()) / stage.amount, 1.0) if stage.amount else 0.0
        if share > LEAST_DONE:
            return seconds * (1 - share) / share
        return max(stage.seconds - seconds, 0.0) if name in self._open else 0.0

    def share(self) -> float | None:
        """Share of the whole run that is done, in [0, 1], which never falls; None without a forecast."""
        left = self.left()
        if left is None:
            return None
        past = self.clock() - self.begun
        self._share = max(self._share, past / max(past + left, 1e-9))
        return min(self._share, 1.0)


_METER: ContextVar[Meter | None] = ContextVar("meter", default=None)
"""Meter of the run that goes on."""


def metered() -> Meter | None:
    """Meter of the run that goes on; None where nobody measures."""
    return _METER.get()


@contextmanager
def metering() -> Iterator[Meter]:
    """Context of a run whose stages are measured, by the meter that is there already, or by a new one."""
    there = _METER.get()
    if there is not None:
        yield there
        return
    token = _METER.set(meter := Meter())
    try:
        yield meter
    finally:
        _METER.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Context of a stage of a run; it changes nothing where nobody measures.

    >>> with metering() as meter:
    ...     with stage("reading"):
    ...         pass
    >>> list(meter.seconds)
    ['reading']
    """
    meter = _METER.get()
    if meter is None:
        yield
        return
    meter.enter(name)
    try:
        yield
    finally:
        meter.leave()
