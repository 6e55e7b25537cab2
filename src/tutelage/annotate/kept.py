"""Replies that are kept: one line each, on the disk before the next is asked for, and never changed."""

from __future__ import annotations

import json
import os
import threading
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tutelage.annotate.chat import Reply
from tutelage.files import naming

FILE = "replies.jsonl"
"""Name of the file in the folder of replies."""

SUM = ', "crc": '
"""What stands before the checksum of a line, at its end."""


class Kept:
    """The replies in a folder, which one process writes at a time.

    A reply is on the disk before `add` returns, by the hash of what was asked. A line that a killed process cut off is
    removed; a damaged one is passed over, so that its text is asked about again. Texts are not kept, and no key is.

    Args:
        folder: folder of the file, which exists; None keeps replies in memory alone.

    Raises:
        OSError: the file cannot be read or written.

    Attributes:
        damaged: number of lines that were passed over, or cut off.

    >>> kept = Kept()
    >>> kept.add("a1", Reply("spam", "model"))
    >>> kept.get("a1").text, kept.get("b2")
    ('spam', None)
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.replies: dict[str, Reply] = {}
        self.damaged = 0
        self._lock, self._file = threading.Lock(), -1
        self.path = None if folder is None else folder / FILE
        if self.path is None:
            return
        with naming(self.path):
            data = self.path.read_bytes() if self.path.exists() else b""
            whole = data[: data.rfind(b"\n") + 1]
            for line in whole.splitlines():
                self._take(line)
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            if len(whole) < len(data):
                self.damaged += 1
                os.ftruncate(self._file, len(whole))

    def _take(self, line: bytes) -> None:
        text, mark, rest = line.decode(errors="replace").rpartition(SUM)
        if not mark or rest != f'"{zlib.crc32(text.encode()):08x}"}}':
            self.damaged += 1
            return
        found: dict[str, Any] = json.loads(line)
        del found["crc"]
        key = found.pop("key")
        logs = found.pop("logs", None)
        self.replies[key] = Reply(
            **found | {"logs": None if logs is None else tuple(logs), "tokens": tuple(found["tokens"])}
        )

    def __len__(self) -> int:
        return len(self.replies)

    def get(self, key: str) -> Reply | None:
        """The reply by the hash of what was asked; None where there is none."""
        return self.replies.get(key)

    def add(self, key: str, reply: Reply) -> None:
        """Keep a reply; several threads may.

        Raises:
            OSError: it cannot be written, as where the disk is full; then the file is as it was.
        """
        text = json.dumps({"key": key} | asdict(reply))[:-1]
        line = f'{text}{SUM}"{zlib.crc32(text.encode()):08x}"}}\n'.encode()
        with self._lock:
            if self.path is not None:
                with naming(self.path):
                    self._write(line)
            self.replies[key] = reply

    def _write(self, line: bytes) -> None:
        before, done = os.fstat(self._file).st_size, 0
        try:
            while done < len(line):
                done += os.write(self._file, line[done:])
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, before)
            raise

    def close(self) -> None:
        """End the writing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
