"""The folder of a pool on disk: one fit writes it as long as it uses the pool, and others meanwhile have their own."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import time
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import fields
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutelage.data.columns import Columns, folder_of
from tutelage.data.sources import cache_folder
from tutelage.files import BusyError, one_writer
from tutelage.ops.said import tell
from tutelage.tables import ReadAs
from tutelage.tables.several import known_by

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

KEPT_FOR = 7 * 24 * 3600.0
"""Seconds after which a pool that lies on disk still, as that of a fit that was never finished, is removed."""

READ = "read"
"""Name of the folder of what was read of the files; what is made of it lies beside it."""

FORM = 2
"""Version of what lies in the folder of a pool; those of others are read anew."""

TRIES = 5
"""Number of times that a folder is made which another fit removes at that moment."""


class Hold:
    """The right to write into a folder, which ends with the last thing that refers to it, or with the process.

    Args:
        folder: the folder, made where it is missing.

    Attributes:
        end: function that ends it at once.

    Raises:
        BusyError: another process, or another fit of this one, writes there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     hold = Hold(Path(root) / "pool")
    ...     del hold
    ...     (Path(root) / "pool").exists()  # nothing was written into it
    False
    """

    def __init__(self, folder: Path) -> None:
        stack = ExitStack()
        for left in reversed(range(TRIES)):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                stack.enter_context(one_writer(folder))
                break
            except FileNotFoundError:
                if not left:
                    raise
        self.end = weakref.finalize(self, _end, stack, folder, os.getpid())


def _end(stack: ExitStack, folder: Path, process: int) -> None:
    """End a hold; a process that was forked off meanwhile leaves it alone."""
    if os.getpid() == process:
        stack.close()
        with suppress(OSError):
            folder.rmdir()  # where nothing is left in it


def folder_for(kind: Kind, path: Path, how: ReadAs) -> Path:
    """Folder in the user's cache in which a pool lies, so that a stopped fit, or one after `look`, finds it read."""
    read_as = {f.name: getattr(how, f.name) for f in fields(ReadAs)}
    told = {"kind": kind.name, "files": known_by(path), "columns": kind.columns(), "how": read_as, "form": FORM}
    name = hashlib.blake2b(json.dumps(told, sort_keys=True).encode(errors="replace"), digest_size=8).hexdigest()
    return cache_folder() / "pools" / name


def held_folder(first: Path) -> tuple[Path, Hold]:
    """The first folder of a pool that nobody holds, and the hold of it.

    Of several fits on one pool at once each has a folder of its own, so that none changes or removes what another
    reads. What one of them has read whole lies in those of the others as second names of the same files.

    Args:
        first: folder of the pool, as `folder_for` gives it.
    """
    others: BusyError | None = None
    for number in count():
        folder = first.with_name(f"{first.name}-{number}") if number else first
        try:
            hold = _hold(folder)
        except BusyError as e:
            others = others or e
            continue
        with suppress(OSError):
            _remove_old(folder.parent, folder)
        if others is not None:
            holder = str(others).partition(" is being written by ")[2].partition(";")[0]
            tell(
                f"Another fit uses this pool on disk, too ({holder}). This one keeps what it makes of it in {folder}; "
                "start it behind the other to spare the disk."
            )
        if not Columns.is_finished(folder / READ):
            any(Columns.linked(each / READ, folder / READ) for each in _folders(first) if each != folder)
        return folder, hold
    raise AssertionError  # numbers do not end


def _hold(folder: Path) -> Hold:
    """The hold of a folder, also where a fit of this process that failed refers to it still, in circles."""
    try:
        return Hold(folder)
    except BusyError as e:
        if f"process {os.getpid()} " not in str(e):
            raise
    gc.collect()
    return Hold(folder)


def _folders(first: Path) -> Iterator[Path]:
    """All folders of a pool that are there."""
    return (each for each in sorted(first.parent.glob(f"{first.name}*")) if each.is_dir())


def release(items: Any) -> None:
    """Remove what lies in the folder of a pool on disk, once it is not needed any more.

    Args:
        items: items of the pool.
    """
    if (folder := folder_of(items)) is not None and folder.parent.parent.name == "pools":
        _empty(folder.parent)


def _empty(folder: Path) -> None:
    """Remove all folders within a folder; its lock stays, since it is that of who removes them."""
    with suppress(OSError):
        for each in folder.iterdir():
            if each.is_dir():
                shutil.rmtree(each, ignore_errors=True)


def _remove_old(root: Path, own: Path) -> None:
    """Remove pools that nobody has used for long, and that nobody holds."""
    for folder in root.iterdir():
        if folder != own and folder.is_dir() and time.time() - folder.stat().st_mtime > KEPT_FOR:
            with suppress(OSError):  # a BusyError is one, too
                hold = Hold(folder)
                _empty(folder)
                del hold
