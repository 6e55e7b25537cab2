"""Items that could be labelled next: read from files, with what a model says of them, and written as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tutelage.data.columns import spaced
from tutelage.kinds.asked_labels import as_table
from tutelage.kinds.dataset import Files
from tutelage.kinds.entries import Entries, InFolder, InTable, items_of_pool
from tutelage.kinds.one_vote import pool_once
from tutelage.kinds.reading import read_parts
from tutelage.tables import DataError, Notes, ReadAs, read

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

MOST = 1_000_000
"""Items that are looked at, at most; of more, so many, evenly spaced."""

ROW, SOURCE = "row", "source"
"""Names of the columns that say where an item is: the number of its row or the name of its file, and its source."""


@dataclass(frozen=True)
class Candidates:
    """Items that could be labelled next.

    Attributes:
        kind: kind of the data, with its options completed.
        parts: entries without a label, of each source; each item is there once.
        paths: path of each source.
        labelled: items that have a label.
        labels: their labels.
        how: how the sources are read.
    """

    kind: Kind
    parts: Sequence[Entries]
    paths: Sequence[Path]
    labelled: Sequence[Any]
    labels: Sequence[Any]
    how: ReadAs

    @staticmethod
    def read(kind: Kind, files: Files, notes: Notes) -> Candidates:
        """The candidates in files.

        Args:
            kind: kind of the data, with its options.
            files: training table, and table of the pool.
            notes: takes what is noticed.

        Raises:
            DataError: a file cannot be read, or no item in it is without a label.
        """
        kind = kind.settled(files, notes)
        train, more, _, _ = read_parts(kind, files, notes)
        notes.settle()
        parts = [train.where(~train.known), *([] if more is None else [more])]
        parts, _ = pool_once(kind, [kind.good_pool(part, notes) for part in parts], Notes())
        known = train.where(train.known)
        if len(known):
            keys = np.unique(kind.pool_keys(known.items))
            parts = [part.where(~np.isin(_keys(kind, part), keys)) for part in parts]
        if not sum(map(len, parts)):
            source = train.places.source if more is None else f"{train.places.source} and {more.places.source}"
            raise DataError(f"{source}: every {kind.words.thing} has a label; there is none to ask for")
        paths = [files.train, *([] if files.unlabelled is None else [files.unlabelled])]
        return Candidates(kind, parts, paths, known.items, known.labels, files.how)

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def items(self) -> tuple[Any, np.ndarray]:
        """Items that are looked at, and their numbers among all candidates, (n,); see `MOST`."""
        items = items_of_pool([part for part in self.parts if len(part)])
        numbers = np.asarray(spaced(np.arange(len(items)), MOST), dtype=np.int64)
        return (items if len(numbers) == len(items) else [items[i] for i in numbers.tolist()]), numbers

    def table(self, numbers: np.ndarray) -> pd.DataFrame:
        """Rows of the sources that hold candidates, (k,), with an empty column for the label.

        Args:
            numbers: numbers of the candidates, (k,).

        Raises:
            DataError: a row of a source has no columns that could be written, as in an array.
        """
        plain: Any = as_table(self.kind)
        (label,) = (str(getattr(plain, name)) for name in plain.label_columns)
        ends = np.cumsum([len(part) for part in self.parts])
        source = np.searchsorted(ends, numbers, side="right")
        tables = []
        for k in np.unique(source).tolist():
            mine = np.flatnonzero(source == k)
            inside = numbers[mine] - (int(ends[k - 1]) if k else 0)
            tables.append(self._of_source(k, inside, plain).set_axis(mine))
        found = pd.concat(tables).sort_index()
        found[label] = None
        first = [name for name in (SOURCE, ROW) if name in found]
        return found[[*first, *(name for name in found if name not in first)]]

    def _of_source(self, source: int, inside: np.ndarray, plain: Any) -> pd.DataFrame:
        """Rows of a source, of the entries of these numbers, (k,)."""
        part, path = self.parts[source], self.paths[source]
        mask = np.zeros(len(part), dtype=bool)
        mask[inside] = True
        items, places = [part.items[i] for i in inside.tolist()], part.places.where(mask)
        back = np.argsort(np.argsort(inside))  # the places rise with the entries
        rows, frame = _rows(places, path, self.how)
        frame = None if frame is None else frame.iloc[back].reset_index(drop=True)
        found: pd.DataFrame = plain.table_to_ask(items, frame, path)
        beside: dict[str, Any] = {SOURCE: Path(places.source).name} if len(self.paths) > 1 else {}
        beside[ROW] = [rows[i] for i in back.tolist()]
        return found.assign(**{name: cells for name, cells in beside.items() if name not in found})


def _rows(places: Any, path: Path, how: ReadAs) -> tuple[list[Any], pd.DataFrame | None]:
    """What the rows of a source are called, and these rows of its table; None where it is no table in memory."""
    if isinstance(places, InFolder):
        return list(places.names), None
    if isinstance(places, InTable) and places.files:
        return list(places.files), None
    if not isinstance(places, InTable):
        return [int(row) for row in places.row], None
    rows = [int(row) for row in places.rows]
    try:
        table = read(path, how)
    except DataError:  # its kind has a reader of its own, as of arrays
        return rows, None
    at = {row: i for i, row in enumerate(table.rows)}
    return rows, table.frame.iloc[[at[row] for row in rows]] if at.keys() >= set(rows) else None


def _keys(kind: Kind, part: Entries) -> np.ndarray:
    """Hash of each item of a part, (n,)."""
    return part.stored.keys if part.stored is not None else kind.pool_keys(part.items)
