"""Several devices for one command: the first process does it, and the others help it to train."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from tutelage.engines.choice import cores
from tutelage.ops.checks import in_range

if TYPE_CHECKING:
    from tutelage.comm import Comm
    from tutelage.run.options import Options

LAUNCHED = "TUTELAGE_LAUNCHED"
"""Environment variable of the processes that `launch` has started: who started them says why they end."""

GONE = 75
"""Exit code of such a process where another one is gone."""

GRACE = 5.0
"""Seconds that the other processes have to end by themselves after the first has ended."""

GOES_ON = "The same command with --resume goes on where it was"


def launched_by_torchrun() -> bool:
    """Whether this process is one of several that a launcher has started, as torchrun does."""
    return {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys()


def require_devices(options: Options) -> None:
    """Check that a fit can be done by as many devices as were asked for.

    Raises:
        ValueError: it cannot; the message says why, and what can be done.
        ImportError: Lightning Fabric is not installed.
    """
    in_range("devices", options.devices, 1)
    world = int(os.environ["WORLD_SIZE"]) if launched_by_torchrun() else 1
    if options.devices == world == 1:
        return
    if launched_by_torchrun() and options.devices not in (1, world):
        raise ValueError(f"--devices must be left out, or be {world}, the number of processes that were started")
    from tutelage.train import on_fabric
    from tutelage.train.by_all import require_shareable

    on_fabric.require()
    require_shareable(options)
    if launched_by_torchrun():
        return
    there, what = _there(options.device)
    if options.devices > there:
        raise ValueError(f"--devices must be at most {there}, {what}, got {options.devices}")


def _there(device: str) -> tuple[int, str]:
    """Number of devices of a kind on this machine, and what they are."""
    from tutelage.fit.defaults import pick_device

    kind = pick_device(device).type
    if kind == "cuda":
        import torch

        return torch.cuda.device_count(), "the cards that torch sees here"
    if kind == "cpu":
        return cores(), "the cores that this process may use (OMP_NUM_THREADS limits them)"
    return 1, f"since {kind} is one device"


def launch(devices: int, words: Sequence[str]) -> int:
    """Do a command by several processes of this machine; the exit code of the first, which prints what there is to say.

    Args:
        devices: number of processes.
        words: words of the command line.

    Raises:
        ChildProcessError: a process has ended before its time; the others are ended.
    """
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(cores() // devices, 1))
    together = {"WORLD_SIZE": devices, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, LAUNCHED: 1}
    started: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryFile() as errors:
        try:
            for rank in range(devices):
                own = {n: str(v) for n, v in (together | {"RANK": rank, "LOCAL_RANK": rank}).items()}
                quiet = {"stdout": subprocess.DEVNULL, "stderr": errors, "stdin": subprocess.DEVNULL} if rank else {}
                own |= {"CUDA_VISIBLE_DEVICES": card} if (card := _card(rank)) else {}
                command = [sys.executable, "-m", "tutelage", *words]
                env = os.environ | {"OMP_NUM_THREADS": threads} | own
                started.append(subprocess.Popen(command, env=env, **quiet))  # type: ignore[call-overload]
            with _stopping(started):
                return _end_of(started, errors)
        finally:
            for process in started:
                process.kill()
                process.wait()


def _card(rank: int) -> str:
    """Name of the card of a process of this machine, by which CUDA shows it no other; empty on a CPU."""
    import torch

    if not torch.cuda.is_available():
        return ""
    seen = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    there = seen or [str(i) for i in range(torch.cuda.device_count())]
    return there[rank] if rank < len(there) else ""


@contextmanager
def _stopping(started: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Context in which Ctrl-C is left to the first process, and a request to end is passed on to all."""

    def end(number: int, frame: object) -> None:
        for process in started:
            process.send_signal(number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM,)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda number, frame: None)  # the terminal tells them, too
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_of(started: Sequence[subprocess.Popen[bytes]], errors: IO[bytes]) -> int:
    while all(process.poll() is None for process in started) or not _ended(started):
        time.sleep(0.05)
    until = time.monotonic() + GRACE
    while any(process.poll() is None for process in started) and time.monotonic() < until:
        time.sleep(0.05)
    codes = [process.poll() for process in started]
    if codes[0] is not None and codes[0] >= 0 and codes[0] != GONE:
        return codes[0]
    gone = [rank for rank, code in enumerate(codes) if code not in (None, 0, GONE)] or [0]
    code = codes[gone[0]]
    if code == -signal.SIGTERM and len(gone) == len(codes):
        return 128 + signal.SIGTERM  # all were told to end
    raise ChildProcessError(f"{_words(gone[0], len(codes), code, errors)}, and the others were ended. {GOES_ON}")


def _ended(started: Sequence[subprocess.Popen[bytes]]) -> bool:
    """Whether the first process has ended, or another one before its time."""
    codes = [process.poll() for process in started]
    return codes[0] is not None or any(codes[1:])


def _words(rank: int, size: int, code: int | None, errors: IO[bytes]) -> str:
    """What has become of a process, in words."""
    named = f"process {rank} of {size}, counted from 0,"
    if code is not None and code < 0:
        return f"{named} was killed ({signal.Signals(-code).name})"
    errors.seek(0)
    said = [line.strip() for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    return f"{named} has ended" + (f" ({said[-1]})" if said and rank else "")


@contextmanager
def taking_part(device: str) -> Iterator[None]:
    """Context in which this process, one of several that were started together, does its part of a command.

    The first one does what is within. The others help it to train and end with it, so that nothing within is done.

    Args:
        device: "auto", or as torch names it.
    """
    if not launched_by_torchrun():
        yield
        return
    from tutelage.comm import joining
    from tutelage.train.by_all import follow
    from tutelage.train.on_fabric import GoneError, begun

    try:
        comm = begun(None if device == "auto" else device.startswith("cuda"))
        _require_alike(comm)
        if comm.rank == 0:
            with joining(comm):
                yield
            comm.share(None)
            return
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first one says that it was stopped
        while follow(comm) is not None:
            pass
        _leave(0)
    except GoneError as e:
        if LAUNCHED in os.environ or int(os.environ["RANK"]):
            _leave(GONE)
        raise ChildProcessError(f"another of the processes that train together is gone. {GOES_ON}") from e


def _leave(code: int) -> None:
    """End this process, which has nothing to say and nothing to write."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(code)


def _require_alike(comm: Comm) -> None:
    """Check that all processes run the same versions.

    Raises:
        ValueError: they do not.
    """
    import torch

    import tutelage

    own = f"{tutelage.__version__} {torch.__version__} {platform.python_version()}"
    found = comm.counts(zlib.crc32(own.encode()))
    other = [str(rank) for rank, crc in enumerate(found) if crc != found[0]]
    if other:
        raise ValueError(
            f"process {' and '.join(other)} of {comm.size}, counted from 0, has another version of tutelage, torch or "
            f"Python than the first, which has {own}: install the same on all machines"
        )
