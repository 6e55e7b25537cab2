"""Little memory, small disks and small files: the library finishes, or ends in a line, and never hangs."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from injected.scenarios import ALL, environment
from injected.verdicts import Undisturbed, Verdict, ended_in_one_line, in_one_line, last_words
from injected.warm import QUIET, WATCH, Came, Watch

GIGABYTES = (1.0, 1.5, 2.0, 3.0)
"""Address spaces of a process."""

DISK = (64, 256, 1_024, 4_096)
"""Sizes of a small disk, in KiB."""

FILE = (1, 16, 64, 256)
"""Sizes of the largest file, in KiB."""


def alone(words: list[str], folder: Path, given: Path, gigabytes: float, limit: float = WATCH) -> Came:
    """What becomes of a command in a process of its own with so much address space.

    Args:
        words: the command's words, after "tutelage".
        folder: folder in which it is done.
        given: folder of the inputs.
        gigabytes: address space.
        limit: CPU seconds, or seconds without any, after which it counts as hanging.
    """
    variables = os.environ | QUIET | environment(folder, given)
    shown = folder / "shown"
    size = int(gigabytes * 2**30)
    start = time.monotonic()
    with shown.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tutelage", *words], cwd=folder, env=variables, stdout=file, stderr=file,
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_AS, (size, size)),  # noqa: PLW1509
        )  # fmt: skip
    hung, watch = False, Watch(process.pid, limit)
    while process.poll() is None and not hung:
        time.sleep(0.1)
        hung = watch.hangs()
    if hung:
        process.kill()
    code = process.wait()
    return Came(code, shown.read_text(errors="replace"), round(time.monotonic() - start, 1), hung, [], 0)


def little_memory(name: str, undisturbed: Undisturbed, size: float) -> Verdict:
    """A use of the library in little address space, in GB."""
    scenario = ALL[name]
    undisturbed.prepare(scenario)
    folder = undisturbed.place.begin(scenario)
    (words,) = scenario.trial(folder, undisturbed.place.given).calls
    came = alone(list(words), folder, undisturbed.place.given, size)
    place, key = f"{size:g} GB of address space", (name, size)
    if came.code == 0:
        return Verdict(name, place, "little memory", "finished", "", key)
    return Verdict(name, place, "little memory", "refused", in_one_line(came), key)


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Callable[[int], None]]:
    """Context in which a folder is a disk of so many KiB; it gives a function that makes it larger.

    Raises:
        PermissionError: this process may mount none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder)]
    if os.getuid() or subprocess.run(words, capture_output=True, check=False).returncode:
        raise PermissionError("no small disk can be mounted")

    def grow(to: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={to}k", str(folder)], check=True, capture_output=True)

    try:
        yield grow
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def on_a_small_disk(name: str, undisturbed: Undisturbed, size: int) -> Verdict:
    """A use of the library whose results go to a small disk, and its repeat when there is room."""
    scenario, place, key = ALL[name], f"a disk of {size} KiB", (name, size)
    undisturbed.result(scenario)
    folder = undisturbed.place.begin(scenario)
    try:
        with small_disk(folder / "out", size) as grow:
            came = undisturbed.warm.do(scenario.trial(folder, undisturbed.place.given))
            if came.code and (wrong := ended_in_one_line(came)):
                return Verdict(name, place, "small disk", "", wrong, key)
            grow(64 * 1_024)
            if came.code:
                again = undisturbed.warm.do(scenario.trial(folder, undisturbed.place.given, again=True))
                if again.code:
                    return Verdict(name, place, "small disk", "", f"does not finish: {last_words(again)}", key)
            outcome = "refused" if came.code else "finished"
            return Verdict(name, place, "small disk", outcome, undisturbed.faults_of(scenario, folder), key)
    except PermissionError:
        return Verdict(name, place, "small disk", "not allowed here", "", key)


def with_small_files(name: str, undisturbed: Undisturbed, size: int) -> Verdict:
    """A use of the library where no file may be larger than so many KiB, and its repeat where it may."""
    scenario, place, key = ALL[name], f"files of {size} KiB", (name, size)
    undisturbed.result(scenario)
    folder = undisturbed.place.begin(scenario)
    came = undisturbed.warm.do(scenario.trial(folder, undisturbed.place.given, file_size=size * 1_024))
    if came.code:
        if wrong := ended_in_one_line(came):
            return Verdict(name, place, "small files", "", wrong, key)
        again = undisturbed.warm.do(scenario.trial(folder, undisturbed.place.given, again=True))
        if again.code:
            return Verdict(name, place, "small files", "", f"does not finish: {last_words(again)}", key)
    wrong = undisturbed.faults_of(scenario, folder)
    return Verdict(name, place, "small files", "refused" if came.code else "finished", wrong, key)


FITTED = ("fit drift, texts, cold cache", "fit tri_training, rows", "fit dmt, masks", "audit")
WAYS: dict[str, tuple[Callable[[str, Undisturbed, Any], Verdict], Sequence[str], Sequence[float]]] = {
    "little memory": (little_memory, FITTED, GIGABYTES),
    "a small disk": (on_a_small_disk, FITTED[:3], DISK),
    "small files": (with_small_files, FITTED, FILE),
}
"""Limits by name: the function that does a trial, the scenarios, and the sizes."""

LIMITS: dict[str, list[Callable[[Undisturbed], Verdict]]] = {
    name: [partial(way, each, size=size) for each in scenarios for size in sizes]
    for name, (way, scenarios, sizes) in WAYS.items()
}
"""Trials of each limit, by its name."""


def limits(name: str, undisturbed: Undisturbed, skip: int = 0) -> Iterator[Verdict]:
    """Verdicts on a limit.

    Args:
        name: one of `LIMITS`.
        undisturbed: results to compare with.
        skip: number of trials to pass over, since they were done before.
    """
    for trial in LIMITS[name][skip:]:
        yield trial(undisturbed)
