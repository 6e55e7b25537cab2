"""A file of rows of features. Each row stands beside its key and a checksum of both, so that it vouches for itself."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

KEY_BYTES = 16
"""Number of bytes of a key."""

SPAN = 1 << 23
"""Number of bytes that are read at once, at most."""

GAP = 1 << 14
"""Number of bytes between two rows that are wanted, at most, that are read along: a call takes longer."""


def record(width: int) -> np.dtype[np.void]:
    """Form of a row in the file: checksum, key and numbers, 20 + 4 width bytes.

    Args:
        width: number of features of a row.
    """
    return np.dtype([("sum", "<u4"), ("key", "u1", (KEY_BYTES,)), ("row", "<f4", (width,))])


def sums(records: np.ndarray) -> np.ndarray:
    """CRC-32 of the key and the numbers of each record, (n,)."""
    size, bytes_ = records.dtype.itemsize, np.ascontiguousarray(records).view(np.uint8).reshape(-1).data
    starts = range(0, len(records) * size, size)
    return np.fromiter((zlib.crc32(bytes_[i + 4 : i + size]) for i in starts), dtype="<u4", count=len(records))


class RowsFile:
    """The rows' file, opened. It is read by calls and not mapped: a fault of the disk is an error, and ends no process.

    Args:
        path: path of the file.
        width: number of features of a row.
        writes: whether it may be written to, and is made where it is missing.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, width: int, writes: bool) -> None:
        self.path, self.form = path, record(width)
        if writes:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o666))
        self._file = open(path, "r+b" if writes else "rb", buffering=0)  # noqa: SIM115 (as long as the cache)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def there(self) -> bool:
        """Whether the path still names this file: another process may have removed it."""
        try:
            now, mine = self.path.stat(), os.fstat(self._file.fileno())
        except OSError:
            return False
        return (now.st_ino, now.st_dev) == (mine.st_ino, mine.st_dev)

    def __len__(self) -> int:
        return os.fstat(self._file.fileno()).st_size // self.form.itemsize

    def read(self, slots: np.ndarray, keys: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Read rows; the mask of those that are there and sound, (n,).

        Args:
            slots: number of each row in the file, (n,); below 0 there is none.
            keys: key of each row, (n, 16), uint8.
            out: rows, (n, width), float32, of which those that are sound are filled.
        """
        sound = np.zeros(len(slots), dtype=bool)
        order = np.argsort(slots, kind="stable")
        order = order[slots[order] >= 0]
        for part in self._near(slots, order):
            first, last = int(slots[part[0]]), int(slots[part[-1]])
            found = self._records(first, last - first + 1)
            at = slots[part] - first
            which, at = part[at < len(found)], at[at < len(found)]
            if len(at) != len(found) or (np.diff(at) != 1).any():
                found = found[at]
            with np.errstate(invalid="ignore"):
                good = (found["key"] == keys[which]).all(1) & np.isfinite(found["row"]).all(1)
            good[good] = sums(found[good]) == found["sum"][good]
            out[which[good]] = found["row"][good]
            sound[which[good]] = True
        return sound

    def _near(self, slots: np.ndarray, order: np.ndarray) -> Iterator[np.ndarray]:
        """Parts of the order, each of rows that are read at once."""
        size = self.form.itemsize
        most, start = max(SPAN // size, 1), 0
        far = np.flatnonzero(np.diff(slots[order]) > max(GAP // size, 1)) + 1
        for end in [*far.tolist(), len(order)]:
            while start < end:
                stop = start + int(np.searchsorted(slots[order[start:end]], slots[order[start]] + most))
                yield order[start:stop]
                start = stop

    def _records(self, first: int, count: int) -> np.ndarray:
        """Records from a number on, fewer where the file ends before or the disk gives an error."""
        size = self.form.itemsize
        held, got = bytearray(count * size), 0
        with suppress(OSError):  # a row that cannot be read is missing
            self._file.seek(first * size)
            while got < len(held) and (more := self._file.readinto(memoryview(held)[got:])):
                got += more
        return np.frombuffer(held, dtype=self.form, count=got // size)

    def every(self) -> Iterator[tuple[int, np.ndarray]]:
        """Number of the first of some rows, and their keys, (k, 16), through the whole file; unsound rows are zero."""
        step = max(SPAN // self.form.itemsize, 1)
        for first in range(0, len(self), step):
            found = self._records(first, min(step, len(self) - first))
            yield first, np.where((sums(found) == found["sum"])[:, None], found["key"], 0).astype(np.uint8)

    def keys(self, first: int, count: int) -> np.ndarray:
        """Keys of rows from a number on, (k, 16), as they stand in the file."""
        return self._records(first, count)["key"]

    def write(self, first: int, keys: np.ndarray, rows: np.ndarray) -> None:
        """Write rows from a number on; where the disk is full, the file becomes as long as it was.

        Args:
            first: number of the first row, at most the number of rows in the file.
            keys: key of each row, (n, 16), uint8.
            rows: the rows, (n, width), float32.

        Raises:
            OSError: they cannot be written.
        """
        made = np.empty(len(rows), dtype=self.form)
        made["key"], made["row"] = keys, rows
        made["sum"] = sums(made)
        before, left = os.fstat(self._file.fileno()).st_size, made.view(np.uint8).reshape(-1).data
        try:
            self._file.seek(first * self.form.itemsize)
            while left:
                left = left[self._file.write(left) :]
        except BaseException:
            with suppress(OSError):
                self._file.truncate(before)
            raise
