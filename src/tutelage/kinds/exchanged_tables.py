"""Items of a table as records, which files of annotation tools hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage.exchange import Answer, Record, Suggestion
from tutelage.exchange.rows import id_in, probability_in
from tutelage.kinds.asked_labels import GUESS, ROW, SOURCE, as_table
from tutelage.kinds.base import Kind
from tutelage.kinds.entries import ITEMS, Entries, InTable
from tutelage.kinds.exchanged import Exchanged
from tutelage.tables import PROBABILITY, DataError, Notes, ReadAs, as_label
from tutelage.tables import read as read_file
from tutelage.tables.exports.made import many


def way_of(kind: Kind) -> Exchanged:
    """How items and labels of a kind are exchanged.

    Raises:
        ValueError: they are not.
    """
    if kind.exchanged is None:
        raise ValueError(
            f"{kind.words.things} of --kind {kind.name} are not exchanged with annotation tools; texts, sentences with "
            "tags and images with one class each are"
        )
    return kind.exchanged


@dataclass(frozen=True)
class ItemsOfTable:
    """Items of a table.

    Attributes:
        path: the table.
        frame: its rows that hold an item, (n rows).
        found: entries of these rows.
        records: a record of each, with its label, if it has one.
        item, label: names of the columns of the items and of the labels.
    """

    path: Path
    frame: pd.DataFrame
    found: Entries
    records: list[Record]
    item: str
    label: str


def items_of(path: Path, kind: Kind, how: ReadAs, notes: Notes, guesses: bool = False) -> ItemsOfTable:
    """Items of a table, with their labels, and with suggestions where it has guesses.

    Args:
        path: the table.
        kind: kind of the items, whose columns have their usual names where it names none.
        how: how the table is read.
        notes: takes what is noticed.
        guesses: whether its guesses are taken.

    Raises:
        DataError: the table cannot be read, or an item cannot be given to a tool; the message names the row.
    """
    way, plain = way_of(kind), as_table(kind)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    table = read_file(path, how)
    found = plain.entries(path, how, notes, ITEMS)
    notes.settle()
    if not isinstance(found.places, InTable) or found.places.files:
        raise DataError(f"{path}: a table is needed, with a row for each item; tutelage next writes one")
    at = {row: i for i, row in enumerate(table.rows)}
    frame = table.frame.iloc[[at[row] for row in found.places.rows]].reset_index(drop=True)
    (item,), (label,) = ([str(getattr(plain, n)) for n in names] for names in (plain.item_columns, plain.label_columns))
    ids, records, unread = _ids(frame, found.places.rows), [], 0
    guessed = frame[GUESS].tolist() if guesses and GUESS in frame else [None] * len(frame)
    chances = frame[PROBABILITY].tolist() if PROBABILITY in frame else [None] * len(frame)
    for i, cell in enumerate(frame[item].tolist()):
        try:
            content = way.item(found, i, cell)
        except ValueError as error:
            raise DataError(f"{found.at('item', i)}: {error}") from error
        given = None if found.labels[i] is None else way.label(found, i, found.labels[i])
        guess = as_label(guessed[i])
        said = None if guess is None else way.label(found, i, guess)
        unread += guess is not None and said is None
        records.append(Record(
            **content, id=ids[i], answers=() if given is None else (Answer(given),),
            suggestion=None if said is None else Suggestion(said, probability_in(chances[i])),
        ))  # fmt: skip
    if unread:
        left = many(unread, "guess", "guesses")
        notes.say(f"{path}, column {GUESS!r}: left out, as they have no tag for each word: {left}.")
    return ItemsOfTable(path, frame, found, records, item, label)


def _ids(frame: pd.DataFrame, rows: Sequence[int]) -> list[str]:
    """Name of each row: that of the table that it comes from, with the name of the file where there are several."""
    named = [id_in(cell) for cell in frame[ROW].tolist()] if ROW in frame else []
    if SOURCE in frame:
        named = [f"{source}, {name}" for source, name in zip(frame[SOURCE].tolist(), named, strict=True)]
    return named if all(named) and len(set(named)) == len(rows) else list(map(str, rows))


def label_cells(items: ItemsOfTable) -> list[Any]:
    """Cells of the column of labels; None of those without a label."""
    if items.label not in items.frame:
        return [None] * len(items.frame)
    cells = items.frame[items.label].tolist()
    return [cell if record.answers else None for cell, record in zip(cells, items.records, strict=True)]
