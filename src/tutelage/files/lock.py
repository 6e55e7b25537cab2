"""One writer of a folder at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from tutelage.files.errors import BadFileError
from tutelage.files.whole import naming

LOCK = ".lock"
"""Name of the file that is locked while a folder is written; it names the process that writes."""

HOLDER = b"process "
"""How its contents begin."""

LONGEST = 1000
"""Number of its bytes, at most."""


class BusyError(OSError):
    """Another process writes into the same folder."""


@contextlib.contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Context in which no other process writes into a folder, as long as each asks for this.

    The operating system holds the lock, and gives it back when a process ends in any way: a lock that a killed process
    left is no hindrance.

    Args:
        folder: folder that exists.

    Raises:
        BusyError: another process, or another fit of this one, writes there; the message names it.
        PermissionError: the folder cannot be written.
        BadFileError: a file that is no lock has the lock's name.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, one_writer(Path(folder)):
    ...     with one_writer(Path(folder)):
    ...         pass
    Traceback (most recent call last):
    tutelage.files.lock.BusyError: ... is being written by process ...; wait until it has ended, or name another folder
    """
    path = folder / LOCK
    _require_own(path)
    held = FileLock(path, timeout=0, thread_local=False)  # another thread may end what holds it
    try:
        with naming(path):
            held.acquire()
    except Timeout as e:
        raise BusyError(
            f"{folder} is being written by {_holder(path)}; wait until it has ended, or name another folder"
        ) from e
    except OSError as e:
        if e.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        raise PermissionError(f"{folder} cannot be written ({os.strerror(e.errno)})") from e
    try:
        with contextlib.suppress(OSError):  # a full disk: the lock is held, though nobody can read by whom
            now = time.strftime("%Y-%m-%d %H:%M:%S")
            path.write_text(f"process {os.getpid()} on {socket.gethostname()} since {now}")
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)  # while it is held: who locks this file next finds it gone, and makes another
        with contextlib.suppress(OSError):  # the system gives it back in any case
            held.release()


def _require_own(path: Path) -> None:
    """Check that the file that is to be locked, which empties it, is none of somebody else's.

    Raises:
        BadFileError: it is a link, or a file of other contents.
    """
    try:
        about = path.lstat()
        own = stat.S_ISREG(about.st_mode) and about.st_nlink == 1 and about.st_size <= LONGEST
        own = own and (not about.st_size or path.read_bytes().startswith(HOLDER))
    except OSError:  # it is not there, or cannot be read: then it cannot be locked
        return
    if not own:
        raise BadFileError(f"{path} is no lock of tutelage, but a link or another file; remove it")


def _holder(path: Path) -> str:
    """Words for the process that holds a lock, as it wrote them."""
    try:
        found = path.read_text(errors="replace")[:200]
    except OSError:
        found = ""
    return found if found.startswith(HOLDER.decode()) else "another process"
