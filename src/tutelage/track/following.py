"""A fit that a tracker follows: what is told when, and that a tracker that fails never stops a fit."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from tutelage import files
from tutelage.files import BadFileError
from tutelage.files.described import TrackedRun
from tutelage.files.errors import why
from tutelage.ops.points import History, listening
from tutelage.ops.said import tell
from tutelage.track.base import MARK, PRECISE, Point, Tracker, opened, opening, without_secrets
from tutelage.track.scores import outcome_of
from tutelage.types import Say

KEPT = "tracked.json"
"""File of a run's folder that holds the id of the tracked run, so that a resumed fit goes on with it."""

OFTEN = 1.0
"""Seconds, at least, between two messages to a tracker while a training goes on."""

_CURRENT: ContextVar[Tracked | None] = ContextVar("tracked", default=None)
"""What follows the fits of this context."""


class Tracked:
    """Follows one fit after the other by a tracker whose store is open.

    A fault of the tracker is said once; what comes later of the fit is not tracked then.

    Args:
        tracker: the tracker.
        name: its name.
        to: its store, as it was named.
        say: told of a fault.
    """

    def __init__(self, tracker: Tracker, name: str, to: str | None, say: Say) -> None:
        self.tracker, self.name, self.to, self.say = tracker, name, to, say
        self._live = False
        self._lost = False
        self._last: dict[str, int] = {}
        self._waiting: list[Point] = []
        self._sent = 0.0

    def begin(self, called: str, parameters: Mapping[str, str], folder: Path | None = None) -> None:
        """Begin to follow a fit, or go on with one.

        Args:
            called: name of the fit, for people.
            parameters: what it is told by, by name.
            folder: folder of the run, which keeps the id; None keeps it nowhere.

        Raises:
            StoreError: the store cannot be written any more.
            OSError: the folder cannot be written.
        """
        self.stop()
        path, self._lost = None if folder is None else folder / KEPT, False
        known = self._known(path)
        with opening(self.name, self.tracker.place, self.to), silently():
            found = self.tracker.begin(known, called, parameters)
            self._last = dict(self.tracker.last())
        if path is not None:
            files.write_json(path, {"tracker": self.name, "id": found})
        self._live = True

    def again(self, folder: Path) -> bool:
        """Go on with the tracked run of a finished fit that was stopped before it was concluded; False: there is none.

        Args:
            folder: folder of the run.
        """
        known = self._known(folder / KEPT)
        if known is None or self._safely(lambda: self.tracker.concluded(known)) is not False:
            return False
        self._live = self._safely(lambda: self.tracker.begin(known, folder.name, {})) is not None
        return self._live

    def told(self, name: str, history: History, done: bool) -> None:
        """Keep the points of a training that are new; see `tutelage.ops.points.tell`."""
        if not self._live:
            return
        for point in history:
            step = int(point["step"])
            if step > self._last.get(name, 0):
                self._last[name] = step
                numbers = {MARK: 0.0} | {key: value for key, value in point.items() if key != "step"}
                self._waiting += [Point(f"{name}/{PRECISE.sub('_', k)}", step, v) for k, v in numbers.items()]
        if done or time.monotonic() - self._sent >= OFTEN:
            self._send()

    def conclude(self, summary: Mapping[str, Any], folder: Path | None = None) -> None:
        """Keep the outcome of the fit, and end the tracked run.

        Args:
            summary: summary of the fit.
            folder: folder of the finished run, whose report and model are kept; None keeps neither.
        """
        if self._live:
            self._send()
            self._safely(lambda: self.tracker.conclude(outcome_of(summary, folder)))
        self._live = False

    def stop(self) -> None:
        """End a tracked run that was stopped."""
        if self._live:
            self._send()
            self._safely(self.tracker.stop)
        self._live = False

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting and self._live:
            self._safely(lambda: self.tracker.points(waiting))
        self._sent = time.monotonic()

    def _known(self, path: Path | None) -> str | None:
        """Id of the tracked run that a folder names; None where it names none of this tracker."""
        if path is None or not path.exists():
            return None
        try:
            found = files.read_json(path, TrackedRun)
        except BadFileError as e:
            self.say(f"{e}. It is set aside as {files.set_aside(path).name}, and a new tracked run begins.")
            return None
        return str(found["id"]) if found["tracker"] == self.name else None

    def _safely(self, do: Callable[[], Any]) -> Any:
        """What the tracker gives; None where it fails, which is said, and it is asked for nothing more then."""
        if self._lost:
            return None
        try:
            with silently():
                return do()
        except Exception as e:
            self._lost, self._live = True, False
            self.say(
                f"--track {self.name}: {self.tracker.place} could not be written ({without_secrets(why(e), self.to)}). "
                "The fit goes on, and is not tracked any more."
            )
            return None


@contextmanager
def silently() -> Iterator[None]:
    """Context in which the warnings of a tracker's library are not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def current() -> Tracked | None:
    """What follows the fits of this context; None where nothing does."""
    return _CURRENT.get()


@contextmanager
def tracked(
    name: str, to: str | Path | None = None, *, beside: Path | None = None, say: Say = tell
) -> Iterator[Tracked]:
    """Context whose fits are tracked, each as a run of its own.

    Args:
        name: "mlflow" or "tensorboard".
        to: folder or, of MLflow, a URI of the store; None is a folder of the tracker's name in ``beside`` (and of
            MLflow what MLFLOW_TRACKING_URI names).
        beside: folder in which the store lies by default; None is the current one.
        say: told of a fault of the tracker.

    Raises:
        ValueError: there is no such tracker.
        ImportError: its package is not installed; the message names the extra.
        StoreError: the store cannot be written, or does not answer.
    """
    place = None if to is None else str(to)
    store = opened(name, place, Path() if beside is None else beside)
    if (folder := getattr(store, "folder", None)) is not None:
        say(f"{name} keeps what this fit tells in {folder}.")
    following = Tracked(store, name, place, say)
    token = _CURRENT.set(following)
    try:
        with listening(following.told):
            yield following
    finally:
        _CURRENT.reset(token)
        following.stop()
