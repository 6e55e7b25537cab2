"""A progress bar on the terminal, or in a notebook; where neither is, a line from time to time."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from tutelage.ops.durations import duration
from tutelage.ops.meter import Meter, metering
from tutelage.ops.visible import visible

PROGRESS = "TUTELAGE_PROGRESS"
"""Variable of the environment that names a file in which a run keeps how far it is, for who started it."""

LINE_EVERY = 60.0
"""Seconds between two lines on the progress of a run, at least, where no bar can be drawn."""

KEPT_EVERY = 0.5
"""Seconds between two writings of how far a run is, at least."""


class Bar:
    """A progress bar, called with the name of the work, the steps that are done, and all steps.

    Where it is foretold how long the run takes, the bar is that of the whole run; else it is that of the work.

    Args:
        progress: display that draws the bar.
        meter: meter of the run.
    """

    def __init__(self, progress: Progress, meter: Meter | None = None) -> None:
        self.progress, self.meter = progress, Meter() if meter is None else meter
        self.tasks: dict[str, TaskID] = {}
        self.told = time.monotonic()
        self.file, self.kept = os.environ.get(PROGRESS), 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        self.meter.tick(what, done)
        words = visible(what, lines=False)
        if self.file and time.monotonic() - self.kept >= KEPT_EVERY:
            self.kept = time.monotonic()
            self._keep(words, done / max(total, 1))
        if self.meter.expected:
            self._whole_run(words)
            return
        if what not in self.tasks:
            self._hide()
            self.tasks[what] = self.progress.add_task(words, total=total)
        self.progress.update(self.tasks[what], completed=done, total=total)

    def _keep(self, words: str, share: float) -> None:
        """Write how far the run is; where the file cannot be written, the run goes on without."""
        whole = self.meter.share()
        told: dict[str, Any] = {"work": words, "share": share if whole is None else whole, "whole": whole is not None}
        left = self.meter.left()
        if left is not None:
            told["left"] = duration(left)
        part = Path(f"{self.file}.part")
        with suppress(OSError):
            part.write_text(json.dumps(told))
            part.replace(str(self.file))

    def _hide(self) -> None:
        for task in self.tasks.values():
            self.progress.update(task, visible=False)

    def _whole_run(self, words: str) -> None:
        """Show the share of the whole run that is done."""
        if WHOLE not in self.tasks:
            self._hide()
            self.tasks[WHOLE] = self.progress.add_task(words, total=1.0, meter=self.meter)
        self.progress.update(self.tasks[WHOLE], description=words, completed=self.meter.share() or 0.0)
        if not self.progress.disable and self._silent and time.monotonic() - self.told >= LINE_EVERY:
            self.told = time.monotonic()
            self.progress.console.print(f"{self.said}: {words}", highlight=False, markup=False, soft_wrap=True)

    @property
    def _silent(self) -> bool:
        """Whether no bar can be drawn, as into a file."""
        return not (self.progress.console.is_terminal or self.progress.console.is_jupyter)

    @property
    def said(self) -> str:
        """How much of the run is done, and how long the rest takes, in words."""
        return words_of(self.meter)


WHOLE = "\0whole run"
"""Name of the task that stands for the whole run."""


def words_of(meter: Meter) -> str:
    """How much of a run is done, and how long the rest takes, in words; empty where it is not foretold.

    >>> words_of(Meter())
    ''
    """
    share, left = meter.share(), meter.left()
    return "" if share is None or left is None else f"{100 * share:.0f} % done, about {duration(left)} left"


class _Count(ProgressColumn):
    """Number of steps that are done, and of all; of a whole run the share that is done, and the time that is left."""

    def __init__(self) -> None:
        super().__init__()
        self.remaining = TimeRemainingColumn()

    def render(self, task: Task) -> Text:
        meter = task.fields.get("meter")
        if meter is not None:
            return Text(words_of(meter))
        return Text(f"{task.completed:g}/{task.total or 0:g} ").append_text(self.remaining.render(task))


@contextmanager
def ticking(console: Console | None = None, quiet: bool = False) -> Iterator[Bar]:
    """Context that shows a progress bar and removes it at the end.

    Args:
        console: where the bar is drawn; None is the terminal or the notebook.
        quiet: whether nothing is drawn.
    """
    columns = (
        TextColumn("{task.description}", markup=False),  # else [bold] and :x: in a name would mean something
        BarColumn(),
        _Count(),
    )
    with (
        metering() as meter,
        Progress(*columns, console=console, transient=True, disable=quiet, refresh_per_second=4) as progress,
    ):
        meter.shown = not quiet
        yield Bar(progress, meter)
