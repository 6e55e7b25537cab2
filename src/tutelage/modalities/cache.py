"""Features on disk, by the hash of what they are of."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

TOKENS_A_BATCH = 4096


class FeatureCache:
    """Rows of features by the hash of their text, in numbered pairs of files.

    Args:
        folder: created when missing; one folder for each encoder fingerprint.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._where: dict[bytes, tuple[np.ndarray, int]] = {}
        for keys in sorted(folder.glob("*.keys.npy")):
            rows = keys.with_name(keys.name.replace(".keys.", ".rows."))
            try:
                self._index(np.load(keys), np.load(rows, mmap_mode="r"))
            except (OSError, ValueError, EOFError):  # half-written by a crash: computed again
                continue

    def _index(self, keys: np.ndarray, rows: np.ndarray) -> None:
        self._where |= {k.tobytes(): (rows, i) for i, k in enumerate(keys)}

    def __contains__(self, key: bytes) -> bool:
        return key in self._where

    def add(self, keys: list[bytes], rows: np.ndarray) -> None:
        """Store rows; visible to other processes only once whole."""
        table = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), -1)
        name = hashlib.blake2b(table.tobytes(), digest_size=8).hexdigest()
        for kind, array in (("rows", rows), ("keys", table)):
            part = self.folder / f"{name}.{kind}.{os.getpid()}.part"
            with open(part, "wb") as f:
                np.save(f, array)
            part.replace(self.folder / f"{name}.{kind}.npy")
        self._index(table, rows)

    def rows(self, keys: Sequence[bytes], width: int) -> np.ndarray:
        """The rows of all keys, in order, (n, width)."""
        out = np.empty((len(keys), width), dtype=np.float32)
        for i, key in enumerate(keys):
            rows, j = self._where[key]
            out[i] = rows[j]
        return out
