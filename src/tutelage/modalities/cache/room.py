"""How large all feature caches of a folder may grow together, and which give way: those used longest ago."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROWS, INDEX = ".rows", ".index"
"""Endings of the names of a cache's two files; before them stands the number of features of a row."""

OURS = ("*.rows", "*.index", "*.index-journal", "*.index.damaged")
"""Files of a cache."""

EARLIER = ("*.keys.npy", "*.rows.npy", "*.part")
"""Files that a cache of version 0.2 and earlier consisted of, or left."""


def sizes(root: Path) -> dict[Path, int]:
    """Size of each cache in a folder, in bytes, by its own folder, from the one used longest ago on.

    Args:
        root: folder with a folder for each encoder.
    """
    found: list[tuple[float, Path, int]] = []
    for folder in _folders(root):
        with suppress(OSError):  # removed in the meantime
            files = [path.stat() for path in _files(folder, OURS)]
            if files:
                found.append((max(file.st_mtime for file in files), folder, sum(file.st_size for file in files)))
    return {folder: size for _, folder, size in sorted(found)}


def room(own: Path, need: int, limit: int) -> int:
    """Number of bytes by which an encoder's cache may grow, after others gave way to it where they had to.

    Args:
        own: folder of the encoder's cache, beside those of other encoders.
        need: number of bytes by which it is to grow.
        limit: number of bytes that all may have together.
    """
    found = sizes(own.parent)
    left = limit - sum(found.values())
    found.pop(own, None)
    for folder, size in found.items():
        if left >= need:
            break
        remove(folder)
        left += size
    return left


def remove(folder: Path) -> None:
    """Remove the cache of an encoder. Processes that have it open begin a new one."""
    for path in _files(folder, OURS):
        with suppress(OSError):
            path.unlink()


def remove_earlier(root: Path) -> int:
    """Remove what caches of earlier versions left in a folder, which is not read any more; its size in bytes.

    Args:
        root: folder with a folder for each encoder.
    """
    removed = 0
    for folder in _folders(root):
        for path in list(_files(folder, EARLIER)):
            with suppress(OSError):
                size = path.stat().st_size
                path.unlink()
                removed += size
    return removed


def _folders(root: Path) -> list[Path]:
    try:
        return [path for path in root.iterdir() if path.is_dir()]
    except OSError:
        return []


def _files(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from folder.glob(pattern)
