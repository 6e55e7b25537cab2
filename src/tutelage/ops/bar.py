"""A progress bar on the terminal, or in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from tutelage.ops.visible import visible


class Bar:
    """A progress bar, called with the name of the work, the steps that are done, and all steps.

    Args:
        progress: display that draws the bar.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        if what not in self.tasks:
            for task in self.tasks.values():
                self.progress.update(task, visible=False)
            self.tasks[what] = self.progress.add_task(visible(what, lines=False), total=total)
        self.progress.update(self.tasks[what], completed=done, total=total)


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
        TextColumn("{task.completed}/{task.total}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        yield Bar(progress)
