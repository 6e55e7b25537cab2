"""The feature cache of an encoder, which several processes and threads may read and write at once."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from tutelage.data.sources import CACHE, CACHE_GB, cache_bytes
from tutelage.modalities.cache.index import DamagedIndexError, Index, as_keys, hashed, set_aside
from tutelage.modalities.cache.room import INDEX, ROWS, remove, remove_earlier, room
from tutelage.modalities.cache.rows_file import RowsFile
from tutelage.ops.said import warn

AT_A_TIME = 1 << 26
"""Number of bytes, at most, that are written before the sizes of all caches are looked at again."""

INDEX_BYTES = 64
"""Number of bytes of a row in the index, at most."""

OPENED: weakref.WeakSet[FeatureCache] = weakref.WeakSet()
"""The feature caches of this process."""

OUT_OF_REACH = (OSError, sqlite3.Error)
"""Errors of a file that cannot be read or written."""


class FeatureCache:
    """Rows of features by hash of the item. What cannot be read is missing; what cannot be written is not kept.

    The first of several processes that keeps a row is right: the others take over its row, so that all go on with the
    same numbers.

    Args:
        folder: folder of the files, made when something is kept; each encoder has its own.
        width: number of features of a row.

    Raises:
        ValueError: TUTELAGE_CACHE_GB holds no number.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache, out = FeatureCache(Path(folder) / "encoder", 2), np.zeros((2, 2), dtype=np.float32)
    ...     _ = cache.add([b"0" * 16], np.array([[1, 2]], dtype=np.float32))
    ...     (cache.read([b"1" * 16, b"0" * 16], out).tolist(), out.tolist())
    ([False, True], [[0.0, 0.0], [1.0, 2.0]])
    """

    def __init__(self, folder: Path, width: int) -> None:
        cache_bytes()  # a limit that is no number is told before anything is encoded
        self.folder, self.width = folder, width
        self._lock = threading.RLock()
        self._files: tuple[RowsFile, Index] | None = None
        self._process = os.getpid()
        self._inherited: list[object] = []
        self._writes = True
        self._why_not: Exception | None = None
        self._left = 0
        OPENED.add(self)

    def __reduce__(self) -> tuple[type[FeatureCache], tuple[Path, int]]:
        return FeatureCache, (self.folder, self.width)  # another process opens it anew

    def forked(self) -> None:
        """Let a child process take the lock, which a thread of its parent may have held, and which is not there."""
        self._lock = threading.RLock()

    def read(self, keys: Sequence[bytes], out: np.ndarray) -> np.ndarray:
        """Read rows; the mask of those that are kept and sound, (n,).

        Args:
            keys: hash of each row's item, n of 16 bytes.
            out: rows, (n, width), float32, of which those that are found are filled.
        """
        table = as_keys(keys) if len(keys) else np.zeros((0, 16), dtype=np.uint8)

        def found() -> np.ndarray:
            files = self._opened(False)
            if files is None or not len(table):
                return np.zeros(len(table), dtype=bool)
            rows, index = files
            return rows.read(index.slots(hashed(table)), table, out)

        with self._lock:
            try:
                return self._mended(found)
            except (*OUT_OF_REACH, DamagedIndexError):  # told when something cannot be kept
                return np.zeros(len(table), dtype=bool)

    def add(self, keys: Sequence[bytes], rows: np.ndarray) -> np.ndarray:
        """Keep rows; the rows as they are kept, (n, width), some of which another process may have kept before.

        Rows with NaN or infinite numbers are not kept. Where nothing can be kept, the user is told once.

        Args:
            keys: hash of each row's item, n of 16 bytes.
            rows: the rows, (n, width), float32.
        """
        limit = cache_bytes()
        if not len(keys) or not self._writes or not limit:
            return rows
        table = as_keys(keys)
        with self._lock:
            try:
                return self._mended(lambda: self._added(table, rows, limit))
            except (*OUT_OF_REACH, DamagedIndexError) as e:
                self._give_up(e)
                return rows

    def _added(self, keys: np.ndarray, rows: np.ndarray, limit: int) -> np.ndarray:
        files = self._opened(True)
        if files is None or self._why_not is not None:
            raise self._why_not or PermissionError(f"{self.folder} cannot be written")
        file, index = files
        each = file.form.itemsize + INDEX_BYTES
        need = len(rows) * each
        if need > self._left:
            self._left = min(room(self.folder, need, limit), max(AT_A_TIME, need))
        with index.writing():
            kept, hashes = np.array(rows, dtype=np.float32), hashed(keys)
            there = file.read(index.slots(hashes), keys, kept)
            mine = ~there & np.isfinite(rows).all(1)
            count = int(mine.sum())
            full = self._left < need
            first = self._oldest(file, index, count) if full else len(file)
            new = slice(None) if mine.all() else mine  # mostly all, of which no copy is needed
            file.write(first, keys[new], kept[new])
            index.put(hashes[new], first + np.arange(count))
            if (index.slots(hashes[mine | there]) < 0).any():
                raise DamagedIndexError("what was entered is not found")
        self._left -= 0 if full else count * each
        return kept

    def _oldest(self, file: RowsFile, index: Index, count: int) -> int:
        """Number from which on the oldest rows give way to others; the index forgets them.

        Raises:
            OSError: there are fewer rows than that.
        """
        if len(file) < count:
            gigabytes = cache_bytes() / 1e9
            raise OSError(f"{CACHE_GB} lets it grow to {gigabytes:g} GB")
        first = index.oldest if index.oldest + count <= len(file) else 0
        index.drop(hashed(file.keys(first, count)), first + np.arange(count))
        index.oldest = first + count
        return first

    def _mended(self, work: Callable[[], np.ndarray]) -> np.ndarray:
        """What some work gives; where the index is found damaged, it is set aside and made anew, and the work repeated.

        Raises:
            DamagedIndexError: it is damaged again, or cannot be set aside.
        """
        try:
            return work()
        except DamagedIndexError:
            identity = self._files[1].identity if self._files else None
            self.close()
            if self._why_not is not None:  # it cannot be written
                raise
            path = self._path(INDEX)
            if set_aside(path, identity):
                says = f"The index of the feature cache {self.folder} was damaged: it is made anew of the rows."
                warn(says, page="feature-cache")
            return work()

    def _path(self, ending: str) -> Path:
        return self.folder / f"{self.width}{ending}"

    def _opened(self, make: bool) -> tuple[RowsFile, Index] | None:
        """Both files, opened once a process; None where there are none.

        Args:
            make: whether they are made where they are missing.
        """
        if self._process != os.getpid():  # after a fork: SQLite's are not to be used, nor closed
            self._inherited.append(self._files)
            self._files, self._process = None, os.getpid()
        if self._files is not None and not self._files[0].there:
            self.close()
        if self._files is None and (make or self._path(ROWS).exists()):
            self._files = self._open()
        return self._files

    def _open(self) -> tuple[RowsFile, Index]:
        """Open both files, to read and write where that can be, else to read."""
        rows, index = self._path(ROWS), self._path(INDEX)
        limit = cache_bytes()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            earlier = remove_earlier(self.folder.parent)
            if limit and rows.exists() and rows.stat().st_size > limit:
                remove(self.folder)  # the limit was lowered
            file = RowsFile(rows, self.width, writes=True)
            self._why_not = None
        except OSError as e:
            self._why_not = e
            file = RowsFile(rows, self.width, writes=False)
            earlier = 0
        if earlier:
            warn(
                f"{earlier / 1e9:.2g} GB of features that an earlier version of tutelage kept in {self.folder.parent} "
                "were removed: this version keeps them otherwise, and computes them again.",
                page="feature-cache",
            )
        try:
            found = Index(index, file, writes=self._why_not is None)
        except sqlite3.OperationalError as e:
            if self._why_not is not None:
                file.close()
                raise
            self._why_not = e
            try:
                found = Index(index, file, writes=False)
            except BaseException:
                file.close()
                raise
        except BaseException:
            file.close()
            raise
        with suppress(OSError):
            os.utime(index)  # it was used last now
        return file, found

    def _give_up(self, why: Exception) -> None:
        """Keep nothing more in this process, and tell the user once."""
        self._writes = False
        reason = getattr(why, "strerror", None) or str(why)
        warn(
            f"Features are not kept: {self.folder} cannot be written ({reason}). Everything else goes on. "
            f"{CACHE} names another folder.",
            page="feature-cache",
        )

    def __del__(self, process: Callable[[], int] = os.getpid) -> None:
        if getattr(self, "_process", None) == process():  # it has none where the limit is no number
            self.close()

    def close(self) -> None:
        """Close the files; they are opened again when they are needed."""
        if self._files is not None:
            for file in self._files:
                file.close()
        self._files = None


def _after_fork() -> None:
    for cache in OPENED:
        cache.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Caches:
    """The feature caches that a reader has opened, each folder once. A copy, or a pickle, has opened none."""

    def __init__(self) -> None:
        self._opened: dict[tuple[Path, int], FeatureCache] = {}

    def __reduce__(self) -> tuple[type[Caches], tuple[()]]:
        return Caches, ()

    def at(self, root: Path | None, name: str, width: int) -> FeatureCache | None:
        """Feature cache of an encoder, opened once; None where there is no folder.

        Args:
            root: folder of the feature caches; None keeps nothing.
            name: name of the encoder's folder in it.
            width: number of features of a row.

        Raises:
            ValueError: TUTELAGE_CACHE_GB holds no number.
        """
        if root is None:
            return None
        which = root / name, width
        if which not in self._opened:
            self._opened[which] = FeatureCache(*which)
        return self._opened[which]
