"""Folders that a command fills once: whole, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tutelage.files.lock import LOCK, one_writer
from tutelage.files.whole import write_atomically

UNFINISHED = ".unfinished"
"""Name of the file that stands in a folder while it is filled; a killed process leaves it there."""


def require_fresh(folder: Path) -> None:
    """Check that a folder can be filled: it is empty, does not exist, or was left half-filled by a killed process.

    Raises:
        FileExistsError: it is no folder, or is not empty.
    """
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} exists and is not a folder")
    if folder.exists() and not (folder / UNFINISHED).exists() and any(path.name != LOCK for path in folder.iterdir()):
        raise FileExistsError(f"{folder} exists and is not empty; choose another folder")


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Context in which a folder is filled by this process alone; where that fails, everything is removed again.

    What a killed process left in it is removed first.

    Args:
        folder: the folder, which is made where it is missing.

    Raises:
        FileExistsError: it cannot be filled, see `require_fresh`.
        BusyError: another process fills it.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "out"
    >>> with filled(place):
    ...     write_atomically(place / "a.txt", b"a")
    >>> sorted(path.name for path in place.iterdir())
    ['a.txt']
    """
    require_fresh(folder)
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with one_writer(folder):
            require_fresh(folder)  # again: another process may have been quicker
            _empty(folder)
            write_atomically(folder / UNFINISHED, b"")
            try:
                yield
            except BaseException:
                _empty(folder)
                raise
            (folder / UNFINISHED).unlink()
    finally:
        if made:
            with suppress(OSError):  # it is full, as it should be, or another process's
                folder.rmdir()


def _empty(folder: Path) -> None:
    """Remove all that is in a folder but its lock, the mark that it is unfinished last."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == UNFINISHED):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink(missing_ok=True)
