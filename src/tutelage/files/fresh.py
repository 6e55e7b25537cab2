"""Folders that a command fills once: whole, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tutelage.files.errors import BadFileError
from tutelage.files.lock import LOCK, one_writer

UNFINISHED = ".unfinished"
"""Name of the folder, within the one that is filled, of what is written there; a killed process leaves it."""

MOVING = ".unfinished-moving"
"""Name of that folder from when all is written."""


def require_fresh(folder: Path) -> None:
    """Check that a folder can be filled: it does not exist, is empty, or holds only what a killed process left.

    Raises:
        FileExistsError: it is no folder, or is not empty.
    """
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} exists and is not a folder")
    if (folder / MOVING).is_dir():
        return  # of a killed process, and `filled` moves it to its end first
    if folder.exists() and any(path.name != LOCK and not _left(path) for path in folder.iterdir()):
        if (folder / LOCK).exists():  # of a process that was killed at its very end
            with suppress(OSError, BadFileError), one_writer(folder):
                pass
        raise FileExistsError(f"{folder} exists and is not empty; choose another folder")


@contextmanager
def filled(folder: Path) -> Iterator[Path]:
    """Context that gives a folder to write into; what lies there at the end moves into the folder that is filled.

    Where the writing fails, nothing is left. What a killed process left half-written is removed first, and nothing
    else; one that was killed while it moved has written all, so that its moving is done to its end.

    Args:
        folder: the folder that is filled, which is made where it is missing.

    Raises:
        FileExistsError: it cannot be filled, see `require_fresh`.
        BusyError: another process fills it.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "out"
    >>> with filled(place) as inside:
    ...     _ = (inside / "a.txt").write_text("a")
    >>> sorted(path.name for path in place.iterdir())
    ['a.txt']
    """
    require_fresh(folder)
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    inside, moving = folder / UNFINISHED, folder / MOVING
    try:
        with one_writer(folder):
            if moving.is_dir():
                _moved(moving, folder)
            require_fresh(folder)  # again: another process may have been quicker
            shutil.rmtree(inside, ignore_errors=True)
            inside.mkdir()
            names: list[str] = []
            try:
                yield inside
                names = [path.name for path in inside.iterdir()]
                inside.rename(moving)
                _moved(moving, folder)
            except BaseException:
                for path in (inside, moving, *(folder / name for name in names)):
                    _remove(path)
                raise
    finally:
        if made:
            with suppress(OSError):  # it is full, as it should be, or another process's
                folder.rmdir()


def _left(path: Path) -> bool:
    """Whether a path is the folder of half-written files that a killed process left."""
    return path.name == UNFINISHED and path.is_dir() and not path.is_symlink()


def _moved(inside: Path, folder: Path) -> None:
    """Move all that is in a folder into the one above it, and remove it."""
    for path in sorted(inside.iterdir()):
        path.rename(folder / path.name)
    inside.rmdir()


def _remove(path: Path) -> None:
    """Remove a file or a folder, where it is there and can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
