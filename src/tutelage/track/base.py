"""What a tracker does, which trackers there are, and how one is opened."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from tutelage.files.errors import why

TRACKERS = {"mlflow": "tutelage.track.by_mlflow", "tensorboard": "tutelage.track.by_tensorboard"}
"""Modules of the trackers, by the name of the tracker, which is that of its package and of its extra, too."""

FINAL = "final"
"""Name under which the outcome's numbers stand beside the trainings."""

MARK = "round"
"""Number that each point of a training has, by which a tracker tells how far it got."""

PRECISE = re.compile(r"[^\w./:-]+")
"""Characters that some tracker does not allow in the name of a number."""


class Point(NamedTuple):
    """A number at a step of a training.

    Attributes:
        name: name of the training, a slash, and the name of the number.
        step: number of optimiser steps that were done.
        value: the number.
    """

    name: str
    step: int
    value: float


class StoreError(OSError):
    """The store of a tracker cannot be opened or written."""


@dataclass(frozen=True)
class Outcome:
    """What a finished fit leaves with a tracker.

    Attributes:
        scores: numbers by name, such as scores and the ends of their intervals.
        words: sentences on the outcome, by heading.
        report: file of the report; None of a fit that wrote none.
        model: folder of the run, whose model is kept, too; None of a fit that wrote none.
    """

    scores: Mapping[str, float]
    words: Mapping[str, str]
    report: Path | None = None
    model: Path | None = None


class Tracker(Protocol):
    """A store of tracked runs, one of which is written."""

    place: str
    """Where it lies, in words without passwords."""

    def open(self) -> None:
        """Open the store, and make it where it is missing."""

    def begin(self, known: str | None, name: str, parameters: Mapping[str, str]) -> str:
        """Begin a tracked run, or go on with one; its id.

        Args:
            known: id of the run to go on with; a new one is begun where the store does not have it. None begins one.
            name: name of a new run, for people.
            parameters: what a new run is told by, by name.
        """

    def last(self) -> Mapping[str, int]:
        """The last step that is kept of each training."""

    def points(self, points: Sequence[Point]) -> None:
        """Keep points, whole or not at all."""

    def concluded(self, known: str) -> bool:
        """Whether a run was concluded before, or is not in the store."""

    def conclude(self, outcome: Outcome) -> None:
        """Keep the outcome, and end the run."""

    def stop(self) -> None:
        """End a run that was stopped, and may go on later."""


def opened(name: str, to: str | None, beside: Path) -> Tracker:
    """The tracker of a name, whose store is open.

    Args:
        name: "mlflow" or "tensorboard".
        to: folder or, of MLflow, a URI of the store; None is a folder named after the tracker in ``beside``.
        beside: folder in which the store lies by default.

    Raises:
        ValueError: there is no such tracker.
        ImportError: its package is not installed; the message names the extra.
        StoreError: the store cannot be written, or does not answer.
    """
    if name not in TRACKERS:
        raise ValueError(f"--track must be {' or '.join(TRACKERS)}, got {name!r}")
    if importlib.util.find_spec(name) is None:
        raise ImportError(f"--track {name} needs the package {name}: pip install 'tutelage[{name}]'")
    made: Tracker = importlib.import_module(TRACKERS[name]).Store(to, beside / name)
    with opening(name, made.place, to):
        made.open()
    return made


@contextmanager
def opening(name: str, place: str, to: str | None) -> Iterator[None]:
    """Context in which a store is opened.

    Args:
        name: name of the tracker.
        place: where the store lies, in words.
        to: its folder or URI, as it was named.

    Raises:
        StoreError: whatever a tracker's library raises, in one line.
    """
    try:
        yield
    except Exception as e:
        raise StoreError(
            f"--track {name}: {place} cannot be used ({without_secrets(why(e), to)}); name another place by "
            "--track-to, or leave out --track"
        ) from e


def shown(to: str) -> str:
    """A folder or URI without the name and the password of a user, and without its query.

    >>> shown("https://me:secret@host:5000/a?token=b"), shown("runs")
    ('https://host:5000/a', 'runs')
    """
    if "://" not in to:
        return to
    parts = urlsplit(to)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def without_secrets(words: str, to: str | None) -> str:
    """Words of another library, in which the URI that was named has neither a user's name, a password nor a query.

    >>> without_secrets("no answer of https://me:secret@host/a (me:secret)", "https://me:secret@host/a")
    'no answer of https://host/a (***)'
    """
    if to is None or "://" not in to:
        return words
    parts, words = urlsplit(to), words.replace(to, shown(to))
    for secret in filter(None, (parts.netloc.rpartition("@")[0], parts.password, parts.query)):
        words = words.replace(secret, "***")
    return words
