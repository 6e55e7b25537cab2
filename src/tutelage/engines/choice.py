"""Which engine does the work: the one that was asked for, or the one that suits its size."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from tutelage.engines.base import AUTO, NAMES, Engine, One
from tutelage.engines.on_ray import OnRay, require
from tutelage.engines.processes import Processes


def cores() -> int:
    """Number of cores that this process may use: by the system, by its control group, and by OMP_NUM_THREADS.

    Whoever limits the threads of a process so that others have cores, too, means its workers as well.

    >>> cores() >= 1
    True
    """
    found = [os.cpu_count() or 1]
    with suppress(AttributeError, OSError):
        found.append(len(os.sched_getaffinity(0)))  # not everywhere
    with suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        found.append(max(int(quota) // int(period), 1))
    with suppress(KeyError, ValueError):
        found.append(max(int(os.environ["OMP_NUM_THREADS"]), 1))
    return min(found)


def named(name: str, workers: int | None) -> str:
    """Check the options of an engine, and return its name.

    Args:
        name: name of the engine, or "auto".
        workers: number of workers, at least 1; None is as many as there are cores.

    Raises:
        ValueError: there is no such engine, or the number of workers is below 1 or means nothing.
        ImportError: Ray is not installed; the message names the extra.

    >>> named("processes", 2)
    'processes'
    """
    if name not in (AUTO, *NAMES):
        raise ValueError(f"--engine must be one of {', '.join((AUTO, *NAMES))}, got {name!r}")
    if workers is not None and workers < 1:
        raise ValueError(f"--workers must be at least 1, got {workers}")
    if name == "one" and workers not in (None, 1):
        raise ValueError(f"--workers {workers} is for --engine processes or ray; --engine one is this process alone")
    if name == "ray":
        require()
    return name


def chosen(name: str, workers: int | None, worthwhile: bool, room: int | None = None) -> Engine:
    """The engine that does the work.

    Args:
        name: name of the engine, or "auto".
        workers: number of workers; None is as many as there are cores.
        worthwhile: whether there is so much work that processes are worth their start.
        room: number of workers for which there is memory; None where nobody tells.

    Raises:
        ValueError: see `named`; or Ray has too few cores.
        ImportError: Ray is not installed.

    >>> chosen("auto", None, worthwhile=False).name, chosen("processes", 4, worthwhile=False).workers
    ('one', 4)
    """
    name = named(name, workers)
    if name == "ray":
        return OnRay.begun(workers)
    many = min(workers or cores(), max(room, 1) if room is not None else workers or cores())
    if name == "processes" or (name == AUTO and many > 1 and (worthwhile or workers is not None)):
        return Processes(many)
    return One()
