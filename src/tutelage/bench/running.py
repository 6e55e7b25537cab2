"""The runs of a protocol: which are missing, and how they are done side by side within a bound of memory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from tutelage.bench.cells import cell
from tutelage.bench.learners import LEARNERS, method
from tutelage.bench.protocol import DataSet, Protocol, Setting
from tutelage.bench.sets import Part, load
from tutelage.fitting import settings, threads
from tutelage.methods import METHODS
from tutelage.tasks import Task

Row = dict[str, Any]
"""One line of results."""

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
        return {
            "data": self.data.name, "setting": self.setting.name, "seed": self.seed, "method": self.learner,
            "key": self.key,
        }  # fmt: skip


def jobs(protocol: Protocol) -> list[Job]:
    """All runs of a protocol: first one seed of everything, and of that the cheap rivals."""
    return [
        Job(data, setting, seed, learner, key_of(protocol, data, setting, learner))
        for seed in protocol.seeds
        for data, setting in protocol.cells()
        for learner in protocol.learners
    ]


def key_of(protocol: Protocol, data: DataSet, setting: Setting, learner: str) -> str:
    """A fingerprint of all that a run depends on but its seed: results of another one do not count."""
    candidates = [(type(m).__name__, settings(m)) for m in protocol.candidates(learner)]
    parts = (
        data.model_dump(), setting.model_dump(exclude={"only"}), protocol.steps.model_dump(),
        protocol.tuning.model_dump(), learner, candidates,
    )  # fmt: skip
    return hashlib.blake2b(repr(parts).encode(), digest_size=6).hexdigest()


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
            (scored, pool), told = LEARNERS.get(job.learner, method)(given, candidates)
            seconds = time.perf_counter() - started
    except (ValueError, NotImplementedError) as e:
        return row | {"error": str(e)}
    drawn = given.drawn
    return row | {
        "score": score(task, scored, drawn.test), "pool_score": score(task, pool, drawn.rest),
        "seconds": round(seconds, 3), "peak_mb": peak_mb(),
        "labelled": len(drawn.labelled), "pool": len(drawn.rest), "scored": len(drawn.test),
    } | told  # fmt: skip


def score(task: Task, guess: Any, part: Part) -> float | None:
    """None where there is nothing to score on, or not all of it is known."""
    if not len(part) or len(guess) != len(part.y) or ((part.y < 0).any() and task.measure != "mean IoU"):
        return None
    return float(task.right(guess, part.y, part.counts).mean())


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
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def current(protocol: Protocol, rows: Sequence[Row]) -> list[Row]:
    """The lines that belong to the protocol as it is now, those of other libraries among them."""
    own = {tuple(job.name.values()) for job in jobs(protocol)}
    cells = {(d.name, s.name, seed) for d, s in protocol.cells() for seed in protocol.seeds}

    def belongs(r: Row) -> bool:
        if PEER in r["method"]:
            return (r["data"], r["setting"], r["seed"]) in cells
        return (r["data"], r["setting"], r["seed"], r["method"], r["key"]) in own

    return [r for r in rows if belongs(r)]


def missing(protocol: Protocol, rows: Sequence[Row]) -> list[Job]:
    """The runs that have no line yet; one that failed is tried again."""
    done = {(r["data"], r["setting"], r["seed"], r["method"], r["key"]) for r in rows if "error" not in r}
    return [j for j in jobs(protocol) if tuple(j.name.values()) not in done]


def record(rows: Iterable[Row], path: Path, tick: Callable[[int], None]) -> int:
    """Add lines of results to a file, each as it comes; give how many are of runs that failed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and (content := path.read_bytes()) and not content.endswith(b"\n"):  # cut off by a kill
        path.write_bytes(content[: content.rfind(b"\n") + 1])
    failed = 0
    with open(path, "a", encoding="utf-8") as out:
        for done, row in enumerate(rows, start=1):
            out.write(json.dumps(row) + "\n")
            out.flush()
            failed += "error" in row
            tick(done)
    return failed


def run_all(protocol: Protocol, root: Path, todo: Sequence[Job], processes: int, memory_mb: int) -> Iterator[Row]:
    """Do the runs in processes of their own, and give each line of results as its run ends.

    Args:
        processes: side by side at most.
        memory_mb: as many runs at once as fit in it, by the largest peak of a run so far; at least one.
    """
    left, peak = list(reversed(todo)), 0
    while left:
        running: dict[Future[Row], Job] = {}
        with ProcessPoolExecutor(processes, get_context("spawn"), _quiet) as pool:
            try:
                while left or running:
                    room = max(min(processes, memory_mb // peak), 1) if peak else 1
                    while left and len(running) < room:
                        job = left.pop()
                        running[pool.submit(run, protocol, root, job)] = job
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        row = future.result()
                        del running[future]
                        peak = max(peak, row.get("peak_mb", 0))
                        yield row
            except BrokenProcessPool:  # killed, most often for memory: one at a time from here on
                if processes == 1:
                    first, *others = running.values()
                    left += reversed(others)
                    yield {"protocol": protocol.name} | first.name | {"error": "its process was killed: out of memory?"}
                else:
                    left += reversed(running.values())
                processes = 1


def _quiet() -> None:
    """In each process: one thread, so that processes do not wait for each other's cores."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
