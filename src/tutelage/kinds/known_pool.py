"""The items of a run, remembered by it: eight bytes of each, by which the next fit knows which rows are new.

Of labelled items it also remembers eight bytes of the label, by which the next fit knows which labels are others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tutelage.copies import Keys
from tutelage.data.columns import AT_ONCE
from tutelage.files import BadFileError
from tutelage.files.tensors import read_tensors, write_tensors

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind
    from tutelage.kinds.dataset import Dataset

POOL_KEYS = "pool.safetensors"
"""File of a run with the hashes of its items and labels; a run of an earlier version has none, or those of its pool."""

BYTES_A_ROW = 8
"""Bytes of that file for each item."""

KEYS = "keys"
"""Name of the array of hashes of the pool's items in that file."""

LABELS = "labels"
"""Name of the array of hashes of labelled items, and of their labels, in that file."""


@dataclass(frozen=True)
class Remembered:
    """Hashes of the items and labels of a run.

    Attributes:
        pool: hash of each item of the pool, uint64, (n,), in its order; read from a run they are ascending.
        labelled: hashes of each labelled item and of its label, uint64, (2, m); of an item with several labels none is
            there.
    """

    pool: np.ndarray
    labelled: np.ndarray

    @staticmethod
    def of(kind: Kind, data: Dataset) -> Remembered:
        """Hashes of a data set; those of labels only where each item has one.

        Args:
            kind: kind of the items.
            data: the data set.
        """
        items, pool = data.items, keys_of_pool(kind, data.items.pool)
        if not len(items.labelled) or len(items.labelled) != len(items.y):
            return Remembered(pool, np.zeros((2, 0), dtype=np.uint64))
        said = Keys.of([str(data.classes[k]) for k in items.y.tolist()]).keys
        both = np.unique(np.stack([kind.pool_keys(items.labelled), said]), axis=1)
        number, times = np.unique(both[0], return_counts=True)
        return Remembered(pool, both[:, np.isin(both[0], number[times == 1])])

    def others(self, before: Remembered) -> int:
        """Number of labelled items that had another label in an earlier run."""
        _, i, j = np.intersect1d(self.labelled[0], before.labelled[0], assume_unique=True, return_indices=True)
        return int((self.labelled[1][i] != before.labelled[1][j]).sum())

    def without(self, before: Remembered) -> int:
        """Number of labelled items of an earlier run that are not labelled here."""
        return int((~np.isin(before.labelled[0], self.labelled[0])).sum())


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


def keep(folder: Path, remembered: Remembered) -> None:
    """Write the hashes of a run's items and labels into its folder.

    Args:
        folder: folder of the run.
        remembered: the hashes.
    """
    arrays = {KEYS: np.sort(remembered.pool), LABELS: remembered.labelled}
    write_tensors(folder / POOL_KEYS, {name: torch.from_numpy(each.view(np.int64)) for name, each in arrays.items()})


def kept(folder: Path) -> Remembered | None:
    """Hashes of the items and labels of a run; None of a run that keeps none.

    Raises:
        BadFileError: the file is damaged.
    """
    path = folder / POOL_KEYS
    if not path.exists():
        return None
    found = read_tensors(path)[0]
    pool, labelled = found.get(KEYS), found.get(LABELS, torch.zeros(2, 0, dtype=torch.int64))
    if pool is None or pool.dtype != torch.int64 or pool.ndim != 1:
        raise BadFileError(f"{path}: not written by tutelage, or damaged (it holds no hashes of rows)")
    if labelled.dtype != torch.int64 or labelled.ndim != 2 or len(labelled) != 2:
        raise BadFileError(f"{path}: not written by tutelage, or damaged (its hashes of labels have another form)")
    return Remembered(pool.numpy().view(np.uint64), labelled.numpy().view(np.uint64))


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
