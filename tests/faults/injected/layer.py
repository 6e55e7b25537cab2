"""The layer of `layer.c`, built once, and what it can be told."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("layer.c")

WAYS = {"pass": 0, "fail": 1, "half": 2, "before": 3, "after": 4, "torn": 5, "power": 6}
"""Numbers of what the layer does at an operation: nothing, an error, half of a write and then an error, or an end of
the process before it, after it, in the midst of a write, or with all that was not synced lost."""


def missing() -> str:
    """Why there is no layer on this machine; empty where there can be one."""
    if os.name != "posix" or not Path("/proc/self/fd").exists():
        return "the layer asks /proc/self/fd, which is Linux's"
    return "" if shutil.which("gcc") or shutil.which("cc") else "no C compiler (gcc) is there to build the layer"


def built() -> Path:
    """The shared library, built where it is missing or the source has changed.

    Raises:
        RuntimeError: it cannot be built; the message holds what the compiler says.
    """
    name = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    library = Path(tempfile.gettempdir()) / f"tutelage-layer-{os.getuid()}-{name}.so"
    if not library.exists():
        part = library.with_suffix(f".{os.getpid()}")
        compiler = shutil.which("gcc") or shutil.which("cc")
        words = [str(compiler), "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", str(part), str(SOURCE), "-ldl"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr}")
        part.replace(library)
    return library


@dataclass(frozen=True)
class Harm:
    """What the layer does, and where.

    Attributes:
        way: one of `WAYS`.
        at: number of the operation, from 1 on; 0 harms none.
        error: number of the error, as in `errno`.
        lasting: whether all later operations that need room fail, too, as on a full disk.
    """

    way: str = "pass"
    at: int = 0
    error: int = 0
    lasting: bool = False


class Layer:
    """The layer of this process, which was started with it (`built`) in LD_PRELOAD."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.arm.argtypes = [ctypes.c_char_p, ctypes.c_long, *[ctypes.c_int] * 3, ctypes.c_char_p]
        self._library.disarm.restype = ctypes.c_long

    def arm(self, roots: Sequence[str], harm: Harm, log: str = "") -> None:
        """Count the operations on files of folders, and harm one of them.

        Args:
            roots: the folders, at most eight; files above or beside them are no business of the layer.
            harm: what is done, and where.
            log: file that gets a line "kind path" an operation; empty writes none.
        """
        folders = "\n".join(roots).encode()
        self._library.arm(folders, harm.at, WAYS[harm.way], harm.error, int(harm.lasting), log.encode())

    def disarm(self) -> int:
        """Let everything pass again; the number of operations that were counted."""
        return int(self._library.disarm())
