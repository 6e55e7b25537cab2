"""Items that could be labelled next: read from files, with what a model says of them, and written as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tutelage.ask import RANDOM
from tutelage.data.columns import spaced
from tutelage.kinds.asked_labels import ROW, SOURCE, as_table, is_chosen, read_answers
from tutelage.kinds.dataset import Files
from tutelage.kinds.entries import POOL, Entries, InFolder, InTable, by_source, items_of_pool, joined
from tutelage.kinds.one_vote import cells_by_row, pool_once
from tutelage.kinds.reading import read_parts
from tutelage.tables import DataError, Notes, ReadAs, as_label, read

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

MOST = 1_000_000
"""Items that are looked at, at most; of more, so many, evenly spaced."""


@dataclass(frozen=True)
class Candidates:
    """Items that could be labelled next.

    Attributes:
        kind: kind of the data, with its options completed.
        parts: entries without a label, of each source; each item is there once. Behind them those whose label was
            asked for by a selector, which may be drawn, too.
        paths: path of the source of each part.
        free: number of the items without a label.
        labelled: items that have a label, first those of the last parts.
        labels: their labels.
        how: how the sources are read.
        left_out: number of items without a label that are items to score on, and are not asked for.
        written: cell of the label in a table of answers, by the item's hash.
    """

    kind: Kind
    parts: Sequence[Entries]
    paths: Sequence[Path]
    free: int
    labelled: Any
    labels: Sequence[Any]
    how: ReadAs
    left_out: int = 0
    written: Mapping[int, Any] = field(default_factory=dict)

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
        train, more, _, _ = read_parts(kind, replace(files, test=None), notes, weak=False)
        notes.settle()
        parts = [train.where(~train.known), *([] if more is None else [more])]
        parts, _ = pool_once(kind, [kind.good_pool(part, notes) for part in parts], Notes())
        known = train.where(train.known)
        parts = [_without(kind, part, known.items) for part in parts]
        free, tested = sum(map(len, parts)), _tested(kind, files)
        parts = [_without(kind, part, tested) for part in parts]
        left_out, free = free - sum(map(len, parts)), sum(map(len, parts))
        if not free:
            source = train.places.source if more is None else f"{train.places.source} and {more.places.source}"
            test = " or is one to score on" if left_out else ""
            raise DataError(f"{source}: every {kind.words.thing} has a label{test}; there is none to ask for")
        paths = [files.train, *([] if files.unlabelled is None else [files.unlabelled])]
        again = _chosen_before(kind, known)
        for part in (behind := by_source(known.where(again))):
            paths.append(next((path for path in paths if str(path) == part.places.source), files.train))
        first, rest = known.where(again), known.where(~again)
        items = joined([first.items, rest.items]) if len(known) else known.items
        written = _written(kind, files) if len(first) else {}
        return Candidates(
            kind, [*parts, *behind], paths, free, items, [*first.labels, *rest.labels], files.how, left_out, written
        )

    def __len__(self) -> int:
        return self.free

    def without(self, items: Any) -> Candidates:
        """The candidates that are none of some others, such as those that a teacher answered.

        Args:
            items: the others, as `Kind.entries` reads them.

        Raises:
            DataError: none is left.
        """
        parts, left = list(self.parts), self.free
        for k, part in enumerate(self.parts):
            if left > 0:
                parts[k] = _without(self.kind, part, items)
            left -= len(part)
        free = self.free - sum(map(len, self.parts)) + sum(map(len, parts))
        if not free:
            raise DataError(f"{self.paths[0]}: every {self.kind.words.thing} has a label or an answer; none is left")
        return replace(self, parts=parts, free=free)

    @property
    def again(self) -> int:
        """Number of the items whose label was asked for by a selector."""
        return sum(map(len, self.parts)) - self.free

    def items(self) -> tuple[Any, np.ndarray]:
        """Items that are looked at, and their numbers among all candidates, (n,); see `MOST`."""
        behind, parts = self.free, []
        for part in self.parts:
            if behind > 0 and len(part):
                parts.append(part)
            behind -= len(part)
        items = items_of_pool(parts)
        numbers = np.asarray(spaced(np.arange(len(items)), MOST), dtype=np.int64)
        return (items if len(numbers) == len(items) else [items[i] for i in numbers.tolist()]), numbers

    def table(self, numbers: np.ndarray) -> pd.DataFrame:
        """Rows of the sources that hold candidates, (k,), with a column for the label, which is empty of most.

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
        cells = found[label].tolist() if label in found else [None] * len(found)
        given = [
            None if number < self.free else self._given(number - self.free, cell if of == self.paths[0] else None)
            for number, cell, of in zip(numbers.tolist(), cells, [self.paths[k] for k in source.tolist()], strict=True)
        ]
        found[label] = pd.Series(given, index=found.index, dtype=object)
        first = [name for name in (SOURCE, ROW) if name in found]
        return found[[*first, *(name for name in found if name not in first)]]

    def _given(self, i: int, cell: Any) -> Any:
        """The label of the i-th labelled item, as the table that it comes from has it.

        Args:
            i: number of the item.
            cell: cell of its label in the training table; None where it comes from another, or has none there.
        """
        made = self.kind.label_cell(self.labels[i])
        if made is not self.labels[i]:
            return made
        filled = cell is not None and as_label(cell) is not None
        return cell if filled else self.written.get(int(self.kind.pool_keys(self.labelled[i : i + 1])[0]), made)

    def _of_source(self, source: int, inside: np.ndarray, plain: Any) -> pd.DataFrame:
        """Rows of a source, of the entries of these numbers, (k,)."""
        part, path = self.parts[source], self.paths[source]
        mask = np.zeros(len(part), dtype=bool)
        mask[inside] = True
        items, places = [part.items[i] for i in inside.tolist()], part.places.where(mask)
        back = np.argsort(np.argsort(inside))  # the places rise with the entries
        rows, sources, frame = _rows(places, path, self.how)
        frame = None if frame is None else frame.iloc[back].reset_index(drop=True)
        found: pd.DataFrame = plain.table_to_ask(items, frame, path)
        several = len(set(self.paths)) > 1 or len(set(sources)) > 1
        beside: dict[str, Any] = {SOURCE: [sources[i] for i in back.tolist()]} if several else {}
        beside[ROW] = [rows[i] for i in back.tolist()]
        return found.assign(**{name: cells for name, cells in beside.items() if name not in found})


def _rows(places: Any, path: Path, how: ReadAs) -> tuple[list[Any], list[str], pd.DataFrame | None]:
    """What rows are called, the name of the file of each, and these rows of its table; None where it is not in memory.

    Args:
        places: places of the rows, rising.
        path: source of the rows.
        how: how it is read.
    """
    name = Path(places.source).name
    if isinstance(places, InFolder):
        return list(places.names), [name] * len(places.names), None
    if isinstance(places, InTable) and places.files:
        return list(places.files), [name] * len(places.files), None
    if not isinstance(places, InTable):
        return [int(row) for row in places.row], [places.files[int(file)].name for file in places.file], None
    rows = [int(row) for row in places.rows]
    try:
        table = read(path, how)
    except DataError:  # its kind has a reader of its own, as of arrays
        return rows, [name] * len(rows), None
    at = {row: i for i, row in enumerate(table.rows)}
    return rows, [name] * len(rows), table.frame.iloc[[at[row] for row in rows]] if at.keys() >= set(rows) else None


def _without(kind: Kind, part: Entries, items: Any) -> Entries:
    """Entries of a part whose items are none of some others."""
    if not len(items) or not len(part):
        return part
    if part.stored is not None:
        return part.where(~np.isin(part.stored.keys, np.unique(kind.stored_keys(items))))
    return part.where(~np.isin(kind.pool_keys(part.items), np.unique(kind.pool_keys(items))))


def _tested(kind: Kind, files: Files) -> Any:
    """Items of the table to score on; none where there is none.

    Raises:
        DataError: it cannot be read any more, so that its items could be asked for.
    """
    if files.test is None:
        return []
    try:
        found = kind.entries(files.test, files.how, Notes(), POOL)
        return kind.checked(found, Notes())[0].items
    except (DataError, OSError) as fault:
        raise DataError(
            f"{files.test}, on which the run is scored, cannot be read ({fault}); its {kind.words.things} could be "
            "asked for, and learnt: put it back, or name it by --test"
        ) from fault


def _written(kind: Kind, files: Files) -> dict[int, Any]:
    """Cell of the label of each item in the tables of answers, by the item's hash."""
    found: dict[int, Any] = {}
    reads: Any = as_table(kind)
    (label,) = (getattr(reads, name) for name in kind.label_columns)
    for path in files.answers:
        entries, how = read_answers(reads, path, files.how, Notes())
        if isinstance(entries.places, InTable):
            cells = cells_by_row(entries, path, str(label), how)
            keys = kind.pool_keys(entries.items).tolist()
            found |= {key: cell for key, cell in zip(keys, cells, strict=True) if as_label(cell) is not None}
    return found


def _chosen_before(kind: Kind, known: Entries) -> np.ndarray:
    """Mask of the labelled entries whose label was asked for by a selector and never drawn, each item once, (n,)."""
    found, asked = np.zeros(len(known), dtype=bool), known.asked or [None] * len(known)
    if any(map(is_chosen, asked)):
        order, again = chosen_first(kind.pool_keys(known.items), asked)
        found[order[:again]] = True
    return found


def chosen_first(keys: np.ndarray, asked: Sequence[str | None]) -> tuple[np.ndarray, int]:
    """Numbers of labelled items, (l,): first those that a selector chose and that were never drawn, each item once.

    Args:
        keys: hash of each item, equal for equal ones, (l,).
        asked: by which selector each was asked for, (l,); None of one that was labelled anyway.

    Returns:
        The numbers, and how many come first.

    >>> chosen_first(np.array([7, 8, 8, 9]), [None, "margin", "random", "margin"])
    (array([3, 0, 1, 2]), 1)
    """
    chosen = np.array(list(map(is_chosen, asked)), dtype=bool)
    drawn = np.isin(keys, keys[np.array([by == RANDOM for by in asked], dtype=bool)])
    numbers = np.flatnonzero(chosen & ~drawn)
    first = np.sort(numbers[np.unique(keys[numbers], return_index=True)[1]])
    return np.concatenate([first, np.setdiff1d(np.arange(len(keys)), first)]), len(first)
