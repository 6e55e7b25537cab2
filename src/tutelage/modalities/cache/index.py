"""The index of a rows' file, in SQLite: the number of each key's row. Opening it costs the same for any number of keys.

It is opened with a rollback journal, which works in folders that cannot be written and on network file systems, and
without waiting for the disk: after a power failure it may be damaged, which is found, and it is made of the rows anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from tutelage.modalities.cache.rows_file import RowsFile

ASKED = 8192
"""Number of keys that are asked for at once."""

WAIT = 60.0
"""Seconds for which another process is waited for that writes."""

DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT,
          sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_SCHEMA}  # fmt: skip
"""Codes of SQLite that a damaged file gives; SQLITE_ERROR is that of a table that is not there."""


class DamagedIndexError(Exception):
    """The index is no index any more."""


def hashed(keys: np.ndarray) -> np.ndarray:
    """Number by which each key is found, (n,), int64. Words of one sentence get neighbours.

    Args:
        keys: the keys, (n, 16), uint8.
    """
    wide = np.ascontiguousarray(keys).view(">u8")[:, 0].astype(np.uint64)
    place = np.ascontiguousarray(keys[:, 12:]).view(">u4")[:, 0].astype(np.uint64)
    return (wide ^ place).view(np.int64)


class Index:
    """The index, opened.

    Args:
        path: path of the file.
        rows: the rows' file, from which an index that is missing is made.
        writes: whether it may be written to.

    Raises:
        sqlite3.Error: it cannot be opened.
        DamagedIndexError: it is damaged.
    """

    def __init__(self, path: Path, rows: RowsFile, writes: bool) -> None:
        mode = "rwc" if writes else "ro"
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        self.path = path
        self._link = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=WAIT, check_same_thread=False)
        try:
            with self._telling():
                self._open(rows, writes)
            self.identity = _identity(path)
        except BaseException:
            self._link.close()
            raise

    def _open(self, rows: RowsFile, writes: bool) -> None:
        ask = self._link.execute
        for pragma in ("trusted_schema = off", "cell_size_check = on", "mmap_size = 0"):
            ask(f"PRAGMA {pragma}")
        if writes:
            ask("PRAGMA journal_mode = truncate")
            ask("PRAGMA synchronous = off")
            if not self._made():
                self._make(rows)
        elif not self._made():
            raise DamagedIndexError(f"{self.path} holds no index")

    def _made(self) -> bool:
        return bool(self._link.execute("PRAGMA user_version").fetchone()[0])

    def _make(self, rows: RowsFile) -> None:
        """Make the tables, and enter the rows that are in the file already."""
        with self.writing():
            if self._made():  # by another process, in the meantime
                return
            self._link.execute("CREATE TABLE IF NOT EXISTS rows (hash INTEGER PRIMARY KEY, slot INTEGER NOT NULL)")
            self._link.execute("CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL)")
            for first, keys in rows.every():
                known = keys.any(1)
                self.put(hashed(keys[known]), first + np.flatnonzero(known))
            self._link.execute("PRAGMA user_version = 1")

    def close(self) -> None:
        """Close the index."""
        self._link.close()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Context in which the errors of a damaged file become DamagedIndexError."""
        try:
            yield
        except UnicodeDecodeError as e:  # SQLite quotes what it cannot read
            raise DamagedIndexError(str(e)) from e
        except sqlite3.DatabaseError as e:
            code = getattr(e, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
            if code & 0xFF in DAMAGE or code == sqlite3.SQLITE_IOERR_SHORT_READ:
                raise DamagedIndexError(str(e)) from e
            raise

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Context in which this process alone writes, the rows' file too; what was done is kept wholly or not at all.

        Raises:
            sqlite3.Error: it cannot be written, or another process kept it for longer than `WAIT`.
            DamagedIndexError: it is damaged.
        """
        with self._telling():
            self._link.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._link.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._link.execute("ROLLBACK")
                raise

    def slots(self, hashes: np.ndarray) -> np.ndarray:
        """Number of each key's row, (n,), int64; -1 where there is none.

        Args:
            hashes: number by which each key is found, (n,).
        """
        if len(hashes) == 1:  # a server's call
            with self._telling():
                one = self._link.execute("SELECT hash, slot FROM rows WHERE hash = ?", hashes.tolist()).fetchall()
            return _as_numbers(one)[:, 1] if one else np.full(1, -1, dtype=np.int64)
        different, which = np.unique(hashes, return_inverse=True)
        found = np.full(len(different), -1, dtype=np.int64)
        with self._telling():
            for start in range(0, len(different), ASKED):
                some = different[start : start + ASKED]
                marks = ",".join("?" * len(some))
                pairs = self._link.execute(f"SELECT hash, slot FROM rows WHERE hash IN ({marks})", some.tolist())
                both = _as_numbers(pairs.fetchall())
                found[start + np.searchsorted(some, both[:, 0]).clip(max=len(some) - 1)] = both[:, 1]
        return found[which]

    def put(self, hashes: np.ndarray, slots: np.ndarray) -> None:
        """Enter the numbers of rows.

        Args:
            hashes: number by which each key is found, (n,).
            slots: number of its row in the file, (n,).
        """
        order = np.argsort(hashes)
        pairs = zip(hashes[order].tolist(), slots[order].tolist(), strict=True)
        self._link.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?)", pairs)

    def drop(self, hashes: np.ndarray, slots: np.ndarray) -> None:
        """Forget keys whose rows are about to be written over, where the index still names these rows.

        Args:
            hashes: number by which each key is found, (n,).
            slots: number of its row in the file, (n,).
        """
        pairs = zip(hashes.tolist(), slots.tolist(), strict=True)
        self._link.executemany("DELETE FROM rows WHERE hash = ? AND slot = ?", pairs)

    @property
    def oldest(self) -> int:
        """Number of the oldest row, which is the next to give way; the first where the index does not tell."""
        found = self._link.execute("SELECT value FROM state WHERE name = 'oldest'").fetchone()
        return found[0] if found and isinstance(found[0], int) and found[0] >= 0 else 0

    @oldest.setter
    def oldest(self, slot: int) -> None:
        self._link.execute("INSERT OR REPLACE INTO state VALUES ('oldest', ?)", (slot,))


def set_aside(path: Path, identity: tuple[int, int] | None) -> bool:
    """Rename a damaged index to ``*.damaged``; whether it was still the file that was found damaged.

    Args:
        path: path of the index.
        identity: which file it was; None: it could not be opened.
    """
    if identity is not None and _identity(path) != identity:  # another process was first
        return False
    path.with_name(path.name + "-journal").unlink(missing_ok=True)  # it would be played into the new one
    with suppress(FileNotFoundError):
        path.replace(path.with_name(path.name + ".damaged"))
    return True


def _as_numbers(pairs: list[tuple[int, int]]) -> np.ndarray:
    """Pairs of numbers, (n, 2), int64.

    Raises:
        DamagedIndexError: a cell holds no number.
    """
    try:
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)
    except (ValueError, TypeError, OverflowError) as e:
        raise DamagedIndexError(str(e)) from e


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_dev


def as_keys(keys: Sequence[bytes]) -> np.ndarray:
    """Keys as a table of bytes, (n, 16)."""
    return np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), -1)
