"""Workers that are processes of this machine, each with one thread.

They are begun anew, not forked: a fork of a process in which PyTorch has threads may wait for ever. What a worker needs
is pickled once into a file, and loaded by each.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, ClassVar

from tutelage.engines.base import Made, Source, WorkerError, says

AHEAD = 2
"""Tasks that are held for each worker, at most: the one it does and the next one."""

DEATHS = 2
"""Times that workers may end at the same task, or as they are started, before it is given up."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Environment variables by which libraries know how many threads they may have."""


@dataclass
class _Worker:
    """A process, and the task that it does; None where it waits for one.

    Attributes:
        process: the process.
        link: its end of the connection that is here.
        ready: whether it was made.
        number: number of its task.
    """

    process: Any
    link: Connection
    ready: bool = False
    number: int | None = None


@dataclass
class Processes:
    """The engine whose workers are processes of this machine.

    Attributes:
        workers: number of processes, at least 1.

    >>> Processes(2).workers
    2
    """

    name: ClassVar[str] = "processes"
    workers: int = 2

    def each(self, make: Made, source: Source) -> Generator[Any, None, None]:
        """The result of each task; see `Engine`."""
        with tempfile.TemporaryDirectory(prefix="tutelage-") as folder:
            place = Path(folder) / "worker.pickle"
            with place.open("wb") as f:
                pickle.dump(make, f, protocol=5)
            pool = _Pool(place, self.workers)
            try:
                yield from pool.each(iter(source()))
            finally:
                pool.end()


@dataclass
class _Pool:
    """Processes that do tasks, and what they have of them.

    Attributes:
        place: file of what makes a worker.
        most: number of processes, at most.
        tasks: each task whose result was not given yet, by its number.
        done: results that wait for those before them: whether it is a fault, and the result.
        again: numbers of tasks whose process ended.
        deaths: how often a process ended at each task; -1 stands for the start.
    """

    place: Path
    most: int
    workers: list[_Worker] = field(default_factory=list)
    tasks: dict[int, Any] = field(default_factory=dict)
    done: dict[int, tuple[bool, Any]] = field(default_factory=dict)
    again: deque[int] = field(default_factory=deque)
    deaths: dict[int, int] = field(default_factory=dict)

    def each(self, source: Iterator[Any]) -> Iterator[Any]:
        """The result of each task, in order; a task is taken from the source when a worker can soon do it."""
        given, taken, waiting = 0, 0, deque[int]()
        ended = False
        while True:
            while not ended and taken - given < AHEAD * self.most:
                try:
                    self.tasks[taken] = next(source)
                    waiting.append(taken)
                except StopIteration:
                    ended = True
                    break
                except Exception as e:  # in its place, behind the results of the tasks before it
                    self.done[taken], ended = (True, e), True
                taken += 1
            self._begin(len(waiting) + len(self.again))
            self._hand_out(waiting)
            while given in self.done:
                fault, result = self.done.pop(given)
                self.tasks.pop(given, None)
                if fault:
                    raise result
                given += 1
                yield result
            if ended and given == taken:
                return
            if any(worker.number is not None or not worker.ready for worker in self.workers):
                self._listen()

    def _begin(self, waiting: int) -> None:
        """Begin processes, as many as there are tasks for."""
        idle = sum(worker.number is None for worker in self.workers)
        for _ in range(min(self.most - len(self.workers), waiting - idle)):
            self.workers.append(_begun(self.place))

    def _hand_out(self, waiting: deque[int]) -> None:
        for worker in [w for w in self.workers if w.ready and w.number is None]:
            queue = self.again or waiting
            if not queue:
                return
            worker.number = queue.popleft()
            try:
                worker.link.send(self.tasks[worker.number])
            except OSError:  # it has ended
                self._bury(worker)

    def _listen(self) -> None:
        """Wait until a worker says something, or ends."""
        by_link: dict[Any, _Worker] = {worker.link: worker for worker in self.workers}
        for link in wait(list(by_link)):
            worker = by_link[link]
            try:
                fault, result = worker.link.recv()
            except (EOFError, OSError):
                self._bury(worker)
                continue
            if not worker.ready:
                if fault:
                    raise result
                worker.ready = True
            elif worker.number is not None:
                self.done[worker.number] = fault, result
                worker.number = None

    def _bury(self, worker: _Worker) -> None:
        """Take a worker that has ended out of the list, and its task back.

        Raises:
            WorkerError: it is the second one that ended at this task, or as it was started.
        """
        self.workers.remove(worker)
        worker.link.close()
        worker.process.join()
        number = -1 if worker.number is None else worker.number
        self.deaths[number] = self.deaths.get(number, 0) + 1
        if self.deaths[number] >= DEATHS:
            what = "as they were started" if number < 0 else f"at {says(self.tasks[number])}"
            raise WorkerError(
                f"{DEATHS} worker processes ended {what} ({_why(worker.process.exitcode)}); what was done before is "
                "kept: look at the memory, take fewer --workers, or --engine one; --resume goes on"
            )
        if number >= 0:
            self.again.append(number)

    def end(self) -> None:
        """End all processes."""
        for worker in self.workers:
            worker.link.close()
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join()
        self.workers.clear()


def _why(code: int | None) -> str:
    """Words on the exit code of a process.

    >>> _why(-9), _why(3)
    ('killed by SIGKILL', 'exit code 3')
    """
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def _begun(place: Path) -> _Worker:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there, str(place)), daemon=True)
    process.start()
    there.close()
    return _Worker(process, here)


def serve(link: Connection, place: str) -> None:
    """Do tasks as long as some are sent, as the process of a worker does.

    Args:
        link: connection to the process that sends them.
        place: file of what makes a worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the business of the process that sends tasks
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(dict.fromkeys(THREADS, "1"))  # before anything is imported that reads them
    try:
        with open(place, "rb") as f:
            work = pickle.load(f)()
    except Exception as e:
        _send(link, True, e)
        return
    _send(link, False, None)
    with suppress(EOFError, OSError):
        while True:
            task = link.recv()
            try:
                found = False, work(task)
            except Exception as e:
                found = True, e
            _send(link, *found)


def _send(link: Connection, fault: bool, result: Any) -> None:
    """Send a result; what cannot be pickled, as some errors cannot, is sent in words."""
    try:
        data = pickle.dumps((fault, result), protocol=5)
        pickle.loads(data) if fault else None
    except Exception as e:
        data = pickle.dumps((True, RuntimeError(f"{type(result).__name__}: {result} ({e})")))
    with suppress(OSError):  # nobody listens any more
        link.send_bytes(data)


def _end_with_parent() -> None:
    """End when the process that sends tasks ends, however it does."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
