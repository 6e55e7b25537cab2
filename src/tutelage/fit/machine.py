"""What the machine has: memory, disk, and its speed beside the one on which fixed costs were recorded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import numpy as np

from tutelage.ops.meter import now
from tutelage.ops.side_by_side import cores

WORK = 0.0025
"""Seconds of `work` on the machine on which the costs that no probe times were recorded."""

A_COPY = 200e6
"""Bytes of memory that a copy of this process fills beside what it shares, at least."""


def work() -> float:
    """A fixed piece of work, a mixture of Python and of numbers; its result means nothing."""
    total, x = 0.0, np.linspace(0, 1, 4000)
    words: dict[str, int] = {}
    for i in range(6000):
        words[f"w{i % 500}"] = words.get(f"w{i % 500}", 0) + i
    for _ in range(60):
        total += float(np.sqrt(x * x + 1).sum())
    return total + len(words)


def slowness(times: int = 3) -> float:
    """How many times as long as on the recorded machine work takes here: the median of several tries."""
    work()
    found = []
    for _ in range(times):
        start = now()
        work()
        found.append(now() - start)
    return sorted(found)[len(found) // 2] / WORK


def resident() -> int:
    """Bytes of memory that this process holds; 0 where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return peak() or 0


def peak() -> int | None:
    """Bytes of memory that this process has held at most; None on Windows, which does not keep it."""
    try:
        import resource
    except ImportError:
        return None
    factor = 1 if os.uname().sysname == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * factor


def copies(most: int) -> int:
    """Number of copies of this process that may work side by side: one for each core, as far as there is memory.

    A copy shares what this process holds, and fills a part as large beside.

    Args:
        most: number of copies that there is work for.
    """
    free, each = free_memory(), max(A_COPY, resident() / 4)
    room = most if free is None else int(free / 2 / each)
    return max(1, min(most, cores(), room))


def free_memory() -> int | None:
    """Bytes of memory that this process may still fill, by the system and by its limits; None where nobody tells."""
    found = [value for value in (_available(), _left_of_group(), _left_of_addresses()) if value is not None]
    return min(found, default=None)


def _available() -> int | None:
    with suppress(OSError, ValueError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        about = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if len(line.split()) > 1}
        return about["MemAvailable"] + about.get("SwapFree", 0) if "MemAvailable" in about else None
    return None


def _left_of_group() -> int | None:
    """Bytes that the control group of the process still has; None without a limit."""
    for most, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):
            limit = int(Path("/sys/fs/cgroup", most).read_text(encoding="ascii"))
            if limit < 1 << 60:
                return max(limit - int(Path("/sys/fs/cgroup", used).read_text(encoding="ascii")), 0)
    return None


def _left_of_addresses() -> int | None:
    """Bytes of addresses that the limit of the process leaves; None without a limit."""
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
            return max(limit - pages * os.sysconf("SC_PAGE_SIZE"), 0)
    return None


def free_disk(folder: Path) -> int | None:
    """Bytes that are free where a folder is, or is going to be; None where nobody tells."""
    with suppress(OSError):
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        return shutil.disk_usage(there).free
    return None


class NoRoomError(ValueError):
    """A run needs more memory or disk than there is."""


def folder_bytes(folder: Path, without: Collection[str] = ()) -> int:
    """Bytes of all files below a folder, but for those in folders of some names; a file of two names counts once."""
    found: dict[object, int] = {}
    for path in folder.rglob("*"):
        with suppress(OSError):
            if not set(without) & set(path.relative_to(folder).parts) and path.is_file():
                about = path.stat()
                found[(about.st_dev, about.st_ino) if about.st_nlink > 1 else path] = about.st_size
    return sum(found.values())
