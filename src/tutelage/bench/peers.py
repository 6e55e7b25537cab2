"""Rivals from other libraries, each in an environment of its own, asked by way of files."""

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

QUIET = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore",
    "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false",
}  # fmt: skip
"""What a script finds in its environment: one thread, no warnings, no downloads."""

MEASURED = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
open(sys.argv[1], "w").write(str(usage.ru_maxrss))
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
"""
"""Runs a program and writes its peak. A child begins with its parent's peak, so a small parent stands between."""

Name = Annotated[str, StringConstraints(pattern=r"^\w[\w.-]*$")]


class PeerError(RuntimeError):
    """A peer could not be installed, failed, took too long, or said something of another shape."""


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = [n for n in names if names.count(n) > 1]
    if twice:
        raise ValueError(f"name {twice[0]!r} is there twice")
    return names


class Peer(BaseModel):
    """A library, and how it is asked.

    Attributes:
        name: of the library, and of the folder of its environment.
        requirements: what pip installs, pinned; with torch among them, all that needs torch takes that one.
        script: called as ``python SCRIPT METHOD SEED CELL OUT``.
        methods: names that the script knows.
        kinds: names of the kinds of data whose items the library reads itself; without, it reads rows of fixed
            features, of any kind.
        seconds: what a fit may take.
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
        loose = [r for r in given if not PINNED.fullmatch(r)]
        if loose:
            raise ValueError(f"{loose[0]!r} must be pinned, as in 'scikit-learn==1.9.1'")
        return given

    @field_validator("methods")
    @classmethod
    def _once(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return _distinct(given)


class _Peers(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    peer: tuple[Peer, ...] = Field(min_length=1)

    @field_validator("peer")
    @classmethod
    def _once(cls, given: tuple[Peer, ...]) -> tuple[Peer, ...]:
        _distinct(tuple(p.name for p in given))
        return given


class Answer(TypedDict):
    """What a peer said: class numbers, seconds of fit and predict, and the peak of its memory."""

    test: np.ndarray
    pool: NotRequired[np.ndarray]
    seconds: float
    peak_mb: float


def read_peers(path: Path) -> tuple[Peer, ...]:
    """The peers of a file, scripts beside it; ValueError says the file, the key and what is wrong with it."""
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
    """Where environments are kept."""
    return cache_folder() / "peers"


def interpreter(peer: Peer, root: Path) -> Path:
    return root / peer.name / "bin" / "python"


def environment(peer: Peer, root: Path, say: Callable[[str], None]) -> Path:
    """The interpreter of root/NAME, made where it is not there yet or was made for other requirements.

    Raises:
        PeerError: pip failed, now or at the last try with these requirements; with its last lines.
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
    """What went wrong; empty where nothing did."""
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
        limit: seconds that all of it may take; by default the peer's own.
        python: what `environment` gave; by default the interpreter in `default_root`.

    Raises:
        PeerError: it failed, with the exception's last line; took too long; said what cannot be of this cell.
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
    """Exit code and standard error; what the program started ends with it where it is stopped."""
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
