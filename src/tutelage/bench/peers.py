"""Rivals from other libraries: each runs in an environment of its own and is asked through files."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NotRequired, TypedDict

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from tutelage.bench.protocol import Kind
from tutelage.data.sources import cache_folder

PINNED = re.compile(r"[\w.-]+(\[[\w,.-]+\])?==[\w.+!-]+")
"""Pattern of a requirement that is pinned to a version."""

QUIET = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore",
    "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false",
}  # fmt: skip
"""Environment variables of a script: one thread, no warnings, no downloads."""

MEASURED = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
open(sys.argv[1], "w").write(str(usage.ru_maxrss))
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
"""
"""Script that runs a program and writes the peak of its memory. A child process begins with the peak of its parent, so
a small parent stands between."""

Name = Annotated[str, StringConstraints(pattern=r"^\w[\w.-]*$")]
"""Name of a library, which must also do as the name of a folder."""


class PeerError(RuntimeError):
    """A peer could not be installed, failed, took too long, or gave an answer that is not valid."""


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, or a ValueError where one is there twice."""
    twice = [n for n in names if names.count(n) > 1]
    if twice:
        raise ValueError(f"name {twice[0]!r} is there twice")
    return names


class Peer(BaseModel):
    """Another library, and how it is asked.

    Attributes:
        name: name of the library, and of the folder of its environment.
        requirements: packages that pip installs, each pinned to a version; if torch is one of them, the others use it.
        script: script that is called as ``python SCRIPT METHOD SEED CELL OUT``.
        methods: names of methods that the script knows.
        kinds: names of the kinds of data whose items the library reads itself; without any, it reads fixed features of
            any kind.
        seconds: time limit of a question, in seconds, above 0.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    requirements: tuple[str, ...] = Field(min_length=1)
    script: Path
    methods: tuple[str, ...] = Field(min_length=1)
    kinds: tuple[Kind, ...] = ()
    seconds: float = Field(gt=0)

    @field_validator("requirements")
    @classmethod
    def _pinned(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        """Check that each requirement is pinned to a version."""
        loose = [r for r in given if not PINNED.fullmatch(r)]
        if loose:
            raise ValueError(f"{loose[0]!r} must be pinned, as in 'scikit-learn==1.9.1'")
        return given

    @field_validator("methods")
    @classmethod
    def _once(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        """Check that each method is there once."""
        return _distinct(given)


class _Peers(BaseModel):
    """A file of peers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    peer: tuple[Peer, ...] = Field(min_length=1)

    @field_validator("peer")
    @classmethod
    def _once(cls, given: tuple[Peer, ...]) -> tuple[Peer, ...]:
        """Check that each name is there once."""
        _distinct(tuple(p.name for p in given))
        return given


class Answer(TypedDict):
    """A peer's answer to a question.

    Attributes:
        test: predicted class numbers of the rows to score on, (m,).
        pool: predicted class numbers of the pool, (n,), where the method gives them.
        seconds: time of fit and predict, in seconds.
        peak_mb: peak of the memory, in MB.
    """

    test: np.ndarray
    pool: NotRequired[np.ndarray]
    seconds: float
    peak_mb: float


def read_peers(path: Path) -> tuple[Peer, ...]:
    """Peers from a TOML file, whose folder the scripts' paths start from.

    Raises:
        ValueError: the file is not valid; the message names the file and the key, and says what is wrong.
    """
    try:
        peers = _Peers(**tomllib.loads(path.read_text(encoding="utf-8"))).peer
    except tomllib.TOMLDecodeError as e:
        raise ValueError(f"{path}: no TOML: {e}") from e
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{path}: {f'{where}: ' if where else ''}{first['msg'].removeprefix('Value error, ')}") from e
    peers = tuple(p.model_copy(update={"script": path.parent.resolve() / p.script}) for p in peers)
    for peer in peers:
        if not peer.script.is_file():
            raise ValueError(f"{path}: {peer.name}: no script {peer.script}")
    return peers


def default_root() -> Path:
    """Folder of the peers' environments."""
    return cache_folder() / "peers"


def interpreter(peer: Peer, root: Path) -> Path:
    """Path of the interpreter in a peer's environment, which is a folder of ``root``."""
    return root / peer.name / "bin" / "python"


def environment(peer: Peer, root: Path, say: Callable[[str], None]) -> Path:
    """Make a peer's environment, where it does not exist with the same requirements, and return its interpreter.

    Args:
        peer: the other library.
        root: folder of the environments; this one is root/NAME.
        say: prints a line.

    Raises:
        PeerError: pip failed, now or at the last try with these requirements; the message has its last lines.
    """
    folder = root / peer.name
    wanted = "\n".join((f"# Python {sys.version_info.major}.{sys.version_info.minor}", *peer.requirements)) + "\n"
    made, failed = folder / "requirements.txt", folder / "failed.txt"
    if not made.exists() or made.read_text(encoding="utf-8") != wanted:
        say(f"Installing {peer.name} into {folder}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        error = _installed(peer, folder, interpreter(peer, root))
        if error:
            failed.write_text(error, encoding="utf-8")
        made.write_text(wanted, encoding="utf-8")
    if failed.exists():
        why = failed.read_text(encoding="utf-8")
        raise PeerError(f"{peer.name} could not be installed: {why}\n(to try again, remove its folder)")
    return interpreter(peer, root)


def _installed(peer: Peer, folder: Path, python: Path) -> str:
    """Install a peer, and return the last lines of an error; empty after success."""
    commands: tuple[list[str | Path], ...] = (
        [sys.executable, "-m", "venv", folder],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.requirements],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            told = [line for line in lines if not line.startswith("WARNING")]
            return "\n".join(told[-5:]) or f"ended with code {done.returncode}"
    return ""


def predict(
    peer: Peer, method: str, seed: int, cell_folder: Path, limit: float | None = None, python: Path | None = None
) -> Answer:
    """Ask a peer's method about a cell.

    Args:
        peer: the other library.
        method: name of its method.
        seed: seed of the method.
        cell_folder: folder with the cell's files, written by `export.export`.
        limit: time limit in seconds; by default the peer's own.
        python: interpreter from `environment`; by default the one in `default_root`.

    Raises:
        PeerError: the method failed (the message has the exception's last line), took too long, or gave an answer that
            cannot be about this cell.
    """
    limit, who = limit or peer.seconds, f"{peer.name}, {method}"
    with tempfile.TemporaryDirectory() as scratch:
        out, peak = Path(scratch) / "out.npz", Path(scratch) / "peak"
        asked = [python or interpreter(peer, default_root()), peer.script, method, seed, cell_folder, out]
        try:
            code, stderr = _run(
                [str(part) for part in (sys.executable, "-I", "-S", "-c", MEASURED, peak, *asked)], limit
            )
        except subprocess.TimeoutExpired:
            raise PeerError(f"{who}: took longer than {limit:g} s") from None
        if code or not out.exists():
            lines = [line.strip() for line in stderr.splitlines() if line.strip()]
            raise PeerError(f"{who}: {lines[-1] if lines else f'ended with code {code} and wrote nothing'}")
        unit = 2**20 if sys.platform == "darwin" else 2**10
        with np.load(out) as said, np.load(cell_folder / "cell.npz") as cell:
            return _checked(who, dict(said), dict(cell), int(peak.read_text()) / unit)


def _run(command: list[str], limit: float) -> tuple[int, str]:
    """Exit code and standard error of a program.

    At the time limit, in seconds, or at an interrupt, the program is killed with all processes that it started.
    """
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")} | QUIET
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        errors="replace", env=env, start_new_session=True,
    ) as running:  # fmt: skip
        try:
            stderr = running.communicate(timeout=limit)[1]
        except BaseException:
            os.killpg(running.pid, signal.SIGKILL)
            raise
        return running.returncode, stderr


def _checked(who: str, said: dict[str, np.ndarray], cell: dict[str, np.ndarray], peak_mb: float) -> Answer:
    """A peer's answer from the arrays that it wrote, checked against the arrays of the cell.

    Raises:
        PeerError: an array is missing or unknown, or has the wrong shape or type or impossible class numbers.
    """
    unknown = sorted(set(said) - {"test", "pool", "seconds"})
    missing = sorted({"test", "seconds"} - set(said))
    if unknown or missing:
        raise PeerError(f"{who}: must say test, seconds and perhaps pool, got {', '.join(sorted(said)) or 'nothing'}")
    classes = int(cell["classes"])
    for part in ("test", "pool"):
        rows, numbers = len(cell[f"x_{part}"]), said.get(part)
        if numbers is None:
            continue
        if numbers.shape != (rows,) or numbers.dtype.kind not in "iu":
            raise PeerError(f"{who}: {part} must be {rows} class numbers, got {numbers.dtype} {numbers.shape}")
        if rows and not 0 <= numbers.min() <= numbers.max() < classes:
            raise PeerError(f"{who}: {part} must be in 0..{classes - 1}, got {numbers.min()}..{numbers.max()}")
    answer = Answer(test=said["test"], seconds=float(said["seconds"]), peak_mb=peak_mb)
    if "pool" in said:
        answer["pool"] = said["pool"]
    return answer
