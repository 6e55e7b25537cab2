"""What an engine is, and the one that needs no other process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

Made = Callable[[], Callable[[Any], Any]]
"""What makes a worker: called once in its process, as to load a model, it gives the function of a task."""

Source = Callable[[], Iterable[Any]]
"""What gives the tasks, one after the other, of which only a few are held at a time."""

AUTO = "auto"
"""Word for the engine that suits the number of rows and of cores."""

NAMES = ("one", "processes", "ray")
"""Names of the engines."""


@dataclass(frozen=True)
class Wanted:
    """The engine that a user wants.

    Attributes:
        name: name of the engine, or "auto".
        workers: number of workers; None is as many as there are cores.

    >>> Wanted().forced, Wanted("processes").forced
    (False, True)
    """

    name: str = AUTO
    workers: int | None = None

    @property
    def forced(self) -> bool:
        """Whether other processes are wanted, however little there is to do."""
        return self.name not in (AUTO, One.name) or (self.workers or 1) > 1


USUAL = Wanted()
"""The engine that suits the number of rows and of cores."""


class WorkerError(OSError):
    """A worker could not be started, or ended twice at the same task."""


class Engine(Protocol):
    """An engine, which does tasks and gives their results.

    Attributes:
        name: name of the engine on the command line.
        workers: number of tasks that are done at the same time.
    """

    name: ClassVar[str]

    @property
    def workers(self) -> int: ...

    def each(self, make: Made, source: Source) -> Generator[Any, None, None]:
        """The result of each task, in the order of the tasks.

        Args:
            make: makes a worker; it can be pickled where there are other processes.
            source: gives the tasks; it, they and the results can be pickled there, too.

        Raises:
            WorkerError: a worker cannot be started, or ended twice at the same task.
            Exception: what making a worker, a task or the source of the tasks raised, in the place of the result.
        """


class One:
    """The engine that does each task in this process.

    >>> list(One().each(lambda: abs, lambda: [1, -2]))
    [1, 2]
    """

    name: ClassVar[str] = "one"
    workers: ClassVar[int] = 1

    def each(self, make: Made, source: Source) -> Generator[Any, None, None]:
        """The result of each task; see `Engine`."""
        work = make()
        for task in source():
            yield work(task)


def says(task: Any) -> str:
    """Words on a task for a message: what its attribute ``says`` holds, or what it is.

    >>> says([1])
    'list'
    """
    return str(getattr(task, "says", type(task).__name__))
