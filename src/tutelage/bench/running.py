"""The runs of a protocol: those that are missing are done, side by side within a limit of memory."""

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

from tutelage.bench import curves, fits
from tutelage.bench.cells import cell
from tutelage.bench.keys import cell_key, key_of
from tutelage.bench.learners import LEARNERS, method
from tutelage.bench.protocol import DataSet, Protocol, Setting
from tutelage.bench.sets import load
from tutelage.fit.fit import threads
from tutelage.methods import METHODS
from tutelage.tables import DataError

Row = dict[str, Any]
"""A line of results."""

NAME = ("data", "setting", "seed", "method", "key")
"""Fields of a line of results that identify its run."""

PEER = ": "
"""Separator between the name of another library and that of its method."""


@dataclass(frozen=True)
class Job:
    """One run: a learner on a data set, with the labels that a seed draws.

    Attributes:
        data: the data set.
        setting: how much is known of the labels.
        seed: seed of labels, initial weights and batches.
        learner: name of the learner.
        key: fingerprint from `keys.key_of`.
    """

    data: DataSet
    setting: Setting
    seed: int
    learner: str
    key: str

    @property
    def name(self) -> Row:
        """The part of its line of results that identifies the run."""
        values = self.data.name, self.setting.name, self.seed, self.learner, self.key
        return dict(zip(NAME, values, strict=True))


def jobs(protocol: Protocol) -> list[Job]:
    """All runs of a protocol, in the order in which they are done: by seed, then by column, the controls first."""
    return [
        Job(data, setting, seed, learner, key_of(protocol, data, setting, learner))
        for seed in protocol.seeds
        for data, setting in protocol.cells()
        for learner in protocol.learners
        if protocol.takes_part(learner, setting)
    ]


def run(protocol: Protocol, root: Path, job: Job, device: str = "cpu") -> Row:
    """Do one run and return its line of results; the error of a run that fails is in it as "error".

    Args:
        protocol: the protocol.
        root: folder of the data sets.
        job: the run.
        device: where networks are trained, as torch names it; of a card its name is in the line.

    Raises:
        FileNotFoundError, DataError: the data set is missing, or lacks what the protocol names.
    """
    task = load(job.data, root, job.seed).task
    row: Row = {"protocol": protocol.name} | job.name
    if torch.device(device).type == "cuda":
        row["device"] = torch.cuda.get_device_name(device)
    forget_peak()
    whole, loop = protocol.whole_fit(job.learner), protocol.loop(job.learner)
    try:
        if loop is not None:
            return (
                row | curves.run(protocol, root, job.data, job.setting, job.seed, loop, device) | {"peak_mb": peak_mb()}
            )
        if whole is not None:
            return (
                row | fits.run(protocol, root, job.data, job.setting, job.seed, whole, device) | {"peak_mb": peak_mb()}
            )
        candidates = [m.settled(task, job.setting.weak) for m in protocol.candidates(job.learner)]
        reads = METHODS.values() if job.learner == "auto" else [type(m) for m in candidates]
        views = tuple(sorted({v for m in reads for v in m.views}))
        given = cell(protocol.model_dump_json(), root, job.data, job.setting, job.seed, views, device)
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
    """Reset the measure of this process's peak memory, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> int:
    """Peak of this process's resident memory since `forget_peak`, in MB; 0 where the system does not tell it."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024
    return 0


def read_rows(path: Path) -> list[Row]:
    """Lines of a file of results; a last line that a kill has cut off is left out. No file gives no lines.

    Raises:
        ValueError: a line is no JSON.
    """
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
    """The lines of results that belong to the protocol as it is now, those of other libraries among them.

    Args:
        protocol: the protocol.
        rows: lines of results.
    """
    own = {name_of(job.name) for job in jobs(protocol)}
    keys = {(d.name, s.name): cell_key(protocol, d, s) for d, s in protocol.cells()}

    def belongs(r: Row) -> bool:
        if "cell" in r:
            return r["seed"] in protocol.seeds and keys.get((r["data"], r["setting"])) == r["cell"]
        return name_of(r) in own

    return [r for r in rows if belongs(r)]


def missing(protocol: Protocol, rows: Sequence[Row]) -> list[Job]:
    """The runs of a protocol without a line of results; a line with an error does not count."""
    done = succeeded(rows)
    return [j for j in jobs(protocol) if name_of(j.name) not in done]


def name_of(row: Row) -> tuple[Any, ...]:
    """The values of NAME in a line of results, which identify its run."""
    return tuple(row[k] for k in NAME)


def succeeded(rows: Sequence[Row]) -> set[tuple[Any, ...]]:
    """Names, as from `name_of`, of the lines of results without an error."""
    return {name_of(r) for r in rows if "error" not in r}


@contextlib.contextmanager
def held(path: Path) -> Iterator[list[Row]]:
    """Lock a file of results, so that no other command adds to it meanwhile, and give its lines.

    A last line that a kill has cut off is removed.

    Raises:
        ValueError: another command adds to the file, or a line is no JSON.
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
    """Add lines of results to a file, each as it comes, and return the number of runs that failed.

    Args:
        rows: lines of results.
        path: the file.
        tick: called with the number of lines that are written.
    """
    failed = 0
    with open(path, "a", encoding="utf-8") as out:
        for done, row in enumerate(rows, start=1):
            out.write(json.dumps(row) + "\n")
            out.flush()
            failed += "error" in row
            tick(done)
    return failed


def run_all(
    protocol: Protocol,
    root: Path,
    todo: Sequence[Job],
    processes: int,
    memory_mb: int,
    peak: int = 0,
    device: str = "cpu",
) -> Iterator[Row]:
    """Do runs in processes of their own, and give each line of results as its run ends.

    Args:
        protocol: the protocol.
        root: folder of the data sets.
        todo: the runs.
        processes: largest number of processes side by side, at least 1.
        memory_mb: memory of all processes together, in MB: as many runs go side by side as fit into it by the largest
            peak of a run so far, but at least one.
        peak: largest peak of earlier runs, in MB; 0 if there are none: then the first run goes alone.
        device: where networks are trained, as torch names it.
    """
    left = list(reversed(todo))
    while left:
        running: dict[Future[Row], Job] = {}
        with ProcessPoolExecutor(processes, get_context("spawn"), _begin) as pool:
            try:
                while left or running:
                    room = max(min(processes, memory_mb // peak), 1) if peak else 1
                    while left and len(running) < room:
                        running[pool.submit(run, protocol, root, left[-1], device)] = left[-1]
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
    """Set up a process: it uses one thread, so that processes do not compete for cores, and ends with its parent."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Exit when the parent ends: one that is killed cannot end its processes, which would wait for ever."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
