"""What every script of a peer does besides its methods; needs numpy alone."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Cell:
    """One labelled set, its pool and its test part; texts only where the data are texts."""

    x: np.ndarray
    y: np.ndarray
    pool: np.ndarray
    test: np.ndarray
    classes: int
    seed: int
    texts: dict[str, list[str]]

    def with_pool(self) -> tuple[np.ndarray, np.ndarray]:
        """The labelled rows and the pool, whose labels are -1."""
        return np.concatenate([self.x, self.pool]), np.concatenate([self.y, np.full(len(self.pool), -1)])


Said = Mapping[str, Any]
"""Class numbers of "test", and of "pool" where the method gives them."""


def main(methods: Mapping[str, Callable[[Cell], Said]]) -> None:
    """SCRIPT METHOD SEED CELL OUT: read the cell, time the method, write what it said."""
    method, seed, folder, out = sys.argv[1:]
    arrays = np.load(Path(folder) / "cell.npz")
    file = Path(folder) / "texts.json"
    texts = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    parts = (arrays[f"x_{part}"] for part in ("pool", "test"))
    cell = Cell(arrays["x_labelled"], arrays["y_labelled"], *parts, int(arrays["classes"]), int(seed), texts)
    fitted = methods[method]
    start = time.perf_counter()
    said = {part: np.asarray(numbers, dtype=np.int64) for part, numbers in fitted(cell).items()}
    np.savez(out, seconds=time.perf_counter() - start, **said)
