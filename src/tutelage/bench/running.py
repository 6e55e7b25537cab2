"""The runs of a protocol: which are missing, and how they are done side by side within a bound of memory."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import torch

from tutelage.bench.cells import cell
from tutelage.bench.keys import cell_key, key_of
from tutelage.bench.learners import LEARNERS, method
from tutelage.bench.protocol import DataSet, Protocol, Setting
from tutelage.bench.sets import load
from tutelage.data.tables import DataError
from tutelage.fit.fit import threads
from tutelage.methods import METHODS

Row = dict[str, Any]
"""One line of results."""

NAME = ("data", "setting", "seed", "method", "key")
"""What a line of results is known by."""

PEER = ": "
"""Between the name of another library and that of its method."""


@dataclass(frozen=True)
class Job:
    """One run: a method on a data set with the labels that a seed draws."""

    data: DataSet
    setting: Setting
    seed: int
    learner: str
    key: str

    @property
    def name(self) -> Row:
        values = self.data.name, self.setting.name, self.seed, self.learner, self.key
        return dict(zip(NAME, values, strict=True))


def jobs(protocol: Protocol) -> list[Job]:
    """All runs of a protocol: first one seed of everything, and of that the cheap rivals."""
    return [
        Job(data, setting, seed, learner, key_of(protocol, data, setting, learner))
        for seed in protocol.seeds
        for data, setting in protocol.cells()
        for learner in protocol.learners
    ]


def run(protocol: Protocol, root: Path, job: Job) -> Row:
    """One line of results; what a method cannot do is in it as "error".

    Raises:
        FileNotFoundError, DataError: of the data set itself.
    """
    task = load(job.data, root, job.seed).task
    row: Row = {"protocol": protocol.name} | job.name
    forget_peak()
    try:
        candidates = [m.settled(task, job.setting.weak) for m in protocol.candidates(job.learner)]
        reads = METHODS.values() if job.learner == "auto" else [type(m) for m in candidates]
        views = tuple(sorted({v for m in reads for v in m.views}))
        given = cell(protocol.model_dump_json(), root, job.data, job.setting, job.seed, views)
        with threads(given.problem.threads):
            started = time.perf_counter()
            guess, told = LEARNERS.get(job.learner, method)(given, candidates)
            seconds = time.perf_counter() - started
    except (DataError, FileNotFoundError):
        raise
    except Exception as e:  # a line, not the end of all other runs
        return row | {"error": str(e) if isinstance(e, ValueError) else f"{type(e).__name__}: {e}"}
    drawn, (scored, pool) = given.drawn, given.score(guess)
    return row | {
        "score": scored, "pool_score": pool,
        "seconds": round(seconds, 3), "peak_mb": peak_mb(),
        "labelled": len(drawn.labelled), "pool": len(drawn.rest), "scored": len(drawn.test),
    } | told  # fmt: skip


def forget_peak() -> None:
    """Begin anew to measure this process's peak memory, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> int:
    """The most memory of this process that was resident since `forget_peak`, in MB; 0 where the system does not say."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024
    return 0


def read_rows(path: Path) -> list[Row]:
    """Lines of results; a last line that was cut off by a kill does not count."""
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")[:-1], start=1):
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError as e:
            raise ValueError(f"{path}, line {number}: no JSON") from e
    return found


def current(protocol: Protocol, rows: Sequence[Row]) -> list[Row]:
    """The lines that belong to the protocol as it is now, those of other libraries among them."""
    own = {name_of(job.name) for job in jobs(protocol)}
    keys = {(d.name, s.name): cell_key(protocol, d, s) for d, s in protocol.cells()}

    def belongs(r: Row) -> bool:
        if "cell" in r:
            return r["seed"] in protocol.seeds and keys.get((r["data"], r["setting"])) == r["cell"]
        return name_of(r) in own

    return [r for r in rows if belongs(r)]


def missing(protocol: Protocol, rows: Sequence[Row]) -> list[Job]:
    """The runs that have no line yet; one that failed is tried again."""
    done = succeeded(rows)
    return [j for j in jobs(protocol) if name_of(j.name) not in done]


def name_of(row: Row) -> tuple[Any, ...]:
    return tuple(row[k] for k in NAME)


def succeeded(rows: Sequence[Row]) -> set[tuple[Any, ...]]:
    """The names of the lines that tell of no error."""
    return {name_of(r) for r in rows if "error" not in r}


@contextlib.contextmanager
def held(path: Path) -> Iterator[list[Row]]:
    """The lines of a file of results, which no other command may add to meanwhile; a line cut off by a kill is removed.

    Raises:
        ValueError: another command adds to it; or a line is no JSON.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"{path}: another run adds to it; wait, or give --out another file") from None
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        yield read_rows(path)


def record(rows: Iterable[Row], path: Path, tick: Callable[[int], None]) -> int:
    """Add lines of results to a file, each as it comes; give how many are of runs that failed."""
    failed = 0
    with open(path, "a", encoding="utf-8") as out:
        for done, row in enumerate(rows, start=1):
            out.write(json.dumps(row) + "\n")
            out.flush()
            failed += "error" in row
            tick(done)
    return failed


def run_all(
    protocol: Protocol, root: Path, todo: Sequence[Job], processes: int, memory_mb: int, peak: int = 0
) -> Iterator[Row]:
    """Do the runs in processes of their own, and give each line of results as its run ends.

    Args:
        processes: side by side at most.
        memory_mb: as many runs at once as fit in it, by the largest peak of a run so far; at least one.
        peak: of runs before, in MB; where there were none the first goes alone.
    """
    left = list(reversed(todo))
    while left:
        running: dict[Future[Row], Job] = {}
        with ProcessPoolExecutor(processes, get_context("spawn"), _begin) as pool:
            try:
                while left or running:
                    room = max(min(processes, memory_mb // peak), 1) if peak else 1
                    while left and len(running) < room:
                        running[pool.submit(run, protocol, root, left[-1])] = left[-1]
                        left.pop()
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        row = future.result()
                        del running[future]
                        peak = max(peak, row.get("peak_mb", 0))
                        yield row
            except BrokenProcessPool:  # killed, most often for memory: fewer side by side from here on
                if processes == 1 and running:
                    (job,) = running.values()
                    yield {"protocol": protocol.name} | job.name | {"error": "its process was killed: out of memory?"}
                else:
                    left += reversed(running.values())
                processes = max(processes // 2, 1)


def _begin() -> None:
    """In each process: one thread, so that processes do not wait for each other's cores; and an end with its parent."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot end its processes: they would wait for ever, and keep their memory."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
