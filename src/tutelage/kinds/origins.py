"""Where the items of a fit come from: source and row of each entry, and which item of the pool it became."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tutelage.kinds.entries import Entries, InBoth, InFolder, InTable, InValues, Places
from tutelage.kinds.on_disk import InFiles


@dataclass(frozen=True)
class Origins:
    """Where the items of a fit come from.

    Attributes:
        labelled: places of the labelled entries, and their number.
        pool: places of the unlabelled entries of each source, and their number; copies among them, too.
        at: number in the pool of each of these entries' item, (n,); None where each entry is an item of the pool.
    """

    labelled: tuple[Places, int]
    pool: Sequence[tuple[Places, int]]
    at: np.ndarray | None = None

    @staticmethod
    def of(labelled: Entries, pool: Sequence[Entries], at: np.ndarray | None) -> Origins:
        """Where entries come from.

        Args:
            labelled: labelled entries.
            pool: unlabelled entries of each source, as they are before copies are left out.
            at: see the class.
        """
        return Origins((labelled.places, len(labelled)), [(part.places, len(part)) for part in pool], at)

    @property
    def items(self) -> np.ndarray:
        """Number in the pool of each unlabelled entry's item, (n,)."""
        return np.arange(sum(count for _, count in self.pool)) if self.at is None else self.at

    @property
    def first(self) -> np.ndarray:
        """Number of the first entry of each item of the pool, (items,)."""
        return self.items if self.at is None else np.unique(self.at, return_index=True)[1]

    def table(self) -> pa.Table:
        """Every entry: its source, its row, counted as the source counts, its file, and its item in the pool.

        A labelled entry has no item; an entry of a folder has a file and no row.
        """
        parts = [_columns(*part) for part in (self.labelled, *self.pool)]
        none = pa.nulls(self.labelled[1], pa.int64())
        item = pa.chunked_array([none, pa.array(self.items.astype(np.int64))])
        return pa.concat_tables(parts).append_column("item", item)


def _columns(places: Places, count: int) -> pa.Table:
    """Source, row and file of the entries of one source, or of two."""
    if isinstance(places, InBoth):
        return pa.concat_tables([_columns(places.first, places.count), _columns(places.second, count - places.count)])
    rows: Any = None
    files: Any = None
    source: Any = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int32)), [places.source])
    if isinstance(places, InFiles):
        names = pa.array([str(file) for file in places.files])
        source, rows = pa.DictionaryArray.from_arrays(pa.array(places.file.astype(np.int32)), names), places.row
    elif isinstance(places, InTable):
        rows, files = places.rows, places.files or None
    elif isinstance(places, InFolder):
        files = places.names
    elif isinstance(places, InValues):
        rows = places.index
    else:
        files = [places.short(i) for i in range(count)]
    return pa.table(
        {
            "source": source.cast(pa.string()),
            "row": pa.nulls(count, pa.int64()) if rows is None else pa.array(np.asarray(rows, dtype=np.int64)),
            "file": pa.nulls(count, pa.string()) if files is None else pa.array(list(files), pa.string()),
        }
    )
