"""Commands that the page starts: each a process of its own, that outlives the page, is cancelled and goes on."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.files import BadFileError, write_json
from tutelage.label.job import ASKED, ENDED, FAR, LOG

LINES = 200
"""Lines of a log that are shown, at most."""

LOOKED_AT = 100_000
"""Bytes at the end of a log that are read, at most."""


@dataclass(frozen=True)
class Job:
    """A command as a process of its own.

    Attributes:
        folder: its folder.
        words: words of the command, without the program's name.
        about: what the page keeps with it.
        pid: number of the process that does it.
        began: start of that process, as the system counts it; empty where it does not tell.
    """

    folder: Path
    words: tuple[str, ...]
    about: dict[str, Any]
    pid: int
    began: str

    @property
    def number(self) -> int:
        """Number of the job, from 1."""
        return int(self.folder.name)

    @property
    def command(self) -> str:
        """The command line, as it can be typed."""
        return shlex.join(("tutelage", *self.words))

    @property
    def code(self) -> int | None:
        """Exit code of the command; None where it has not ended, or was killed with its process."""
        try:
            return int(json.loads((self.folder / ENDED).read_text())["code"])
        except (OSError, ValueError, KeyError):
            return None

    @property
    def state(self) -> str:
        """Where it stands: "running", "done", "failed", or "stopped", which goes on where it was."""
        code = self.code
        if code is None:
            return "running" if _runs(self.pid, self.began) else "stopped"
        return {0: "done", 130: "stopped", -signal.SIGINT: "stopped"}.get(code, "failed")

    @property
    def log(self) -> str:
        """The last lines that it printed."""
        path = self.folder / LOG
        if not path.exists():
            return ""
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - LOOKED_AT, 0))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-LINES:])

    @property
    def far(self) -> dict[str, Any]:
        """How far it is: "work", "share" in [0, 1], and "left" in words; empty where nothing is known."""
        try:
            found = json.loads((self.folder / FAR).read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def cancel(self) -> None:
        """Ask the command to stop, as Ctrl-C does: what it has done is kept."""
        if self.state == "running":
            with suppress(OSError):
                os.killpg(self.pid, signal.SIGINT)


_CHILDREN: list[subprocess.Popen[bytes]] = []
"""Processes that this one has started, so that the system forgets them once they have ended."""


class Jobs:
    """The jobs of a page.

    Args:
        folder: folder that holds a folder for each of them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Job]:
        """All jobs, in the order in which they began."""
        _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]
        found = []
        for path in self._folders():
            with suppress(OSError, ValueError, KeyError, TypeError, BadFileError):
                held = json.loads((path / ASKED).read_text())
                about = dict(held["about"])
                found.append(Job(path, tuple(map(str, held["words"])), about, int(held["pid"]), str(held["began"])))
        return sorted(found, key=lambda job: job.number)

    @property
    def running(self) -> Job | None:
        """The job that runs; None where none does."""
        return next((job for job in reversed(self.all()) if job.state == "running"), None)

    def new_folder(self) -> Path:
        """A folder for the next job, made anew."""
        number = max((int(path.name) for path in self._folders()), default=0) + 1
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # a log may hold the address of a page
        folder = self.folder / str(number)
        folder.mkdir()
        return folder

    def _folders(self) -> list[Path]:
        """Folders of the jobs; others that somebody put beside them are passed over."""
        return [path for path in self.folder.glob("[0-9]*") if path.name.isdecimal() and len(path.name) < 10]

    def start(self, folder: Path, words: Sequence[str], about: dict[str, Any]) -> Job:
        """Start a command.

        Args:
            folder: folder of the job, see `new_folder`; of one that was stopped, to go on with it.
            words: words of the command, without the program's name.
            about: plain values to be kept with it.
        """
        (folder / ENDED).unlink(missing_ok=True)
        (folder / FAR).unlink(missing_ok=True)
        write_json(folder / ASKED, {"words": list(words), "about": about, "pid": 0, "began": ""})
        command = [sys.executable, "-m", "tutelage.label.job", str(folder)]
        with os.fdopen(os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            done = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log, start_new_session=True)
        _CHILDREN.append(done)
        began = _began(done.pid)
        write_json(folder / ASKED, {"words": list(words), "about": about, "pid": done.pid, "began": began})
        return Job(folder, tuple(words), about, done.pid, began)


def _began(pid: int) -> str:
    """When a process began, as the system counts it, so that another one with its number is told from it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _runs(pid: int, began: str) -> bool:
    """Whether a process runs, and is the one that began then."""
    if pid <= 0:
        return False
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] != "Z":
            return not began or fields[19] == began
    except OSError:
        pass
    try:
        os.killpg(pid, 0)  # the command goes on where its process alone was killed
    except PermissionError:
        return True
    except OSError:
        return False
    return Path("/proc/self").exists() and _group_lives(pid)


def _group_lives(group: int) -> bool:
    """Whether a process of a group runs that is no zombie."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError, ValueError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] != "Z":
                return True
    return False
