"""Pieces of work that are done side by side by copies of this process, each with a core of its own."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from tutelage.ops import points
from tutelage.ops.said import Heard, hearing, warn
from tutelage.types import Tick

T = TypeVar("T")

PIECE = Callable[[Tick], T]
"""Piece of work, which tells its progress."""

OFTEN = 0.2
"""Seconds, at least, between two messages of progress of one piece."""

DIES_WITH_PARENT = 1
"""Number of the option of Linux's prctl by which a process gets a signal when its parent ends."""


def cores() -> int:
    """Number of cores that copies of this process may be given; 1 where it cannot be copied safely.

    It is copied on Linux alone, and where neither a GPU nor a thread of Python is at work: of threads a copy has none,
    and what they hold would stay locked.
    """
    torch = sys.modules.get("torch")
    others = [each for each in threading.enumerate() if each is not threading.main_thread() and not each.daemon]
    if not sys.platform.startswith("linux") or others or (torch is not None and torch.cuda.is_initialized()):
        return 1
    return len(os.sched_getaffinity(0))


def side_by_side(pieces: Sequence[PIECE[T]], tick: Tick, workers: int) -> list[T]:
    """Results of pieces of work, in their order, done by copies of this process.

    A piece must not depend on another one, nor leave anything behind but files and its result, which is pickled.
    Warnings are said here, and points of trainings told. A copy that ends by itself, as where memory is full, is
    replaced by this process. Copies end with this process.

    Args:
        pieces: the pieces.
        tick: told of their progress.
        workers: number of copies, at most; with 1 this process does all.

    Raises:
        Exception: whatever a piece raises; the others are stopped.

    >>> here = os.getpid()
    >>> side_by_side([lambda tick: os.getpid() == here, lambda tick: 2], lambda *now: None, 2)
    [False, 2]
    """
    if min(workers, len(pieces)) < 2:
        return [piece(tick) for piece in pieces]
    context = multiprocessing.get_context("fork")
    following, found = context.Value("i", 0), dict[int, T]()
    copies: dict[Connection, Any] = {}
    try:
        for _ in range(min(workers, len(pieces))):
            here, there = context.Pipe(duplex=False)
            copy = context.Process(target=_work, args=(pieces, following, there, os.getpid()), daemon=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of threads: see `cores`
                copy.start()
            there.close()
            copies[here] = copy
        while copies:
            for ready in wait(list(copies)):
                assert isinstance(ready, Connection)
                try:
                    kind, what = pickle.loads(ready.recv_bytes())
                except EOFError:
                    copies.pop(ready).join()
                    ready.close()
                    continue
                if kind == "tick":
                    tick(*what)
                elif kind == "point":
                    points.tell(*what)
                elif kind == "warning":
                    warn(what, stacklevel=3)
                elif kind == "error":
                    raise what
                else:
                    number, result = what
                    found[number] = result
    finally:
        for pipe, copy in copies.items():
            copy.kill()
            copy.join()
            pipe.close()
    return [found[i] if i in found else piece(tick) for i, piece in enumerate(pieces)]


def _work(pieces: Sequence[PIECE[Any]], following: Any, pipe: Connection, parent: int) -> None:
    """Do pieces in this copy until none is left."""
    _end_with(parent)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, too, and ends its copies
    told = 0.0

    def tick(*now: Any) -> None:
        nonlocal told
        if time.monotonic() - told >= OFTEN or now[1] == now[2]:
            told = time.monotonic()
            _send(pipe, "tick", now)

    listener = (lambda *point: _send(pipe, "point", point)) if points.heard() else None  # the parent alone writes

    while True:
        with following.get_lock():
            number = following.value
            following.value = number + 1
        if number >= len(pieces):
            pipe.close()
            os._exit(0)  # what this process would tidy up is the parent's
        heard = Heard()
        try:
            with hearing(heard), points.listening(listener), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = pieces[number](tick)
        except BaseException as error:
            _send(pipe, "error", error if _pickles(error) else RuntimeError(f"{type(error).__name__}: {error}"))
            os._exit(1)
        for line in heard.warnings:
            _send(pipe, "warning", line)
        _send(pipe, "done", (number, result))


def _send(pipe: Connection, kind: str, what: Any) -> None:
    with suppress(BrokenPipeError):
        pipe.send_bytes(pickle.dumps((kind, what)))


def _pickles(error: BaseException) -> bool:
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:
        return False


def _end_with(parent: int) -> None:
    """Let this process end as soon as its parent does, however that ends."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(DIES_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
