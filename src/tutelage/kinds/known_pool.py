"""The items of a pool, remembered by a run: eight bytes of each, by which the next fit knows which rows are new."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tutelage.data.columns import AT_ONCE
from tutelage.files import BadFileError
from tutelage.files.tensors import read_tensors, write_tensors

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

POOL_KEYS = "pool.safetensors"
"""File of a run with the hashes of its pool's items; a run of an earlier version, or without a pool, has none."""

BYTES_A_ROW = 8
"""Bytes of that file for each item."""

KEYS = "keys"
"""Name of the array of hashes in that file."""


def keys_of_pool(kind: Kind, pool: Sequence[Any]) -> np.ndarray:
    """Hash of each item of a pool, (n,), uint64; a pool on disk is read block by block.

    Args:
        kind: kind of the items.
        pool: n items.
    """
    found = np.empty(len(pool), dtype=np.uint64)
    for start in range(0, len(pool), AT_ONCE):
        found[start : start + AT_ONCE] = kind.pool_keys(pool[start : start + AT_ONCE])
    return found


def keep_keys(folder: Path, keys: np.ndarray) -> None:
    """Write the hashes of a pool's items into the folder of a run; none of an empty pool.

    Args:
        folder: folder of the run.
        keys: hash of each item, (n,), uint64, in any order.
    """
    if len(keys):
        write_tensors(folder / POOL_KEYS, {KEYS: torch.from_numpy(np.sort(keys).view(np.int64))})


def kept_keys(folder: Path) -> np.ndarray | None:
    """Hashes of the items of a run's pool, ascending, (n,), uint64; None of a run that keeps none.

    Raises:
        BadFileError: the file is damaged.
    """
    path = folder / POOL_KEYS
    if not path.exists():
        return None
    found = read_tensors(path)[0].get(KEYS)
    if found is None or found.dtype != torch.int64 or found.ndim != 1:
        raise BadFileError(f"{path}: not written by tutelage, or damaged (it holds no hashes of rows)")
    keys: np.ndarray = found.numpy().view(np.uint64)
    return keys


def known_again(keys: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the hashes that are among those of an earlier pool, (n,), and of the earlier ones that are here, (m,).

    Args:
        keys: hashes, (n,), uint64.
        known: hashes of the earlier pool, ascending, (m,), uint64.

    >>> [mask.tolist() for mask in known_again(np.array([3, 1], dtype=np.uint64), np.array([1, 2], dtype=np.uint64))]
    [[False, True], [True, False]]
    """
    here = np.zeros(len(known), dtype=bool)
    if not len(known):
        return np.zeros(len(keys), dtype=bool), here
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    found: np.ndarray = known[at] == keys
    here[at[found]] = True
    return found, here
