"""A file of an annotation tool as a table of answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pandas as pd

from tutelage.exchange import Found, How, Label, Record, read
from tutelage.exchange.offsets import COUNTED
from tutelage.exchange.votes import TIE, Decided, decided
from tutelage.kinds.answers import beside_own
from tutelage.kinds.asked_labels import LABEL, ROW
from tutelage.kinds.base import Kind
from tutelage.kinds.exchanged import Exchanged
from tutelage.kinds.exchanged_tables import ItemsOfTable, items_of, label_cells, way_of
from tutelage.ops.checks import one_of
from tutelage.tables import DataError, Notes, writable, write_table
from tutelage.tables.cells import brief
from tutelage.tables.exports.made import many

if TYPE_CHECKING:
    from tutelage.run.exchange import ExchangeOptions

UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")
"""Pattern of what Label Studio puts before the name of an uploaded file."""
ANNOTATORS, NOTE = "annotators", "note"
"""Names of the columns of those who answered, and of their notes."""


def imported(file: Path, kind: Kind, asked: ExchangeOptions, notes: Notes) -> tuple[list[str], dict[str, Any]]:
    """Write a tool's file as a table of answers.

    Args:
        file: the file.
        kind: kind of its items.
        asked: options of the command.
        notes: takes what is noticed.

    Returns:
        Sentences on what was written, and the same as plain values.

    Raises:
        DataError: the file or the table cannot be read, or they are of different projects.
        FileExistsError: a file to write is there.
    """
    writable(asked.out)
    way = way_of(kind)
    offsets = getattr(kind, "offsets", None)
    if offsets is not None:
        one_of("--offsets", offsets, COUNTED)
        kind = replace(kind, offsets=None)  # type: ignore[call-arg]
    item = getattr(kind, kind.item_columns[0])
    found = read(file, How(item, asked.question, offsets, way.spans), notes)
    said = [decided(record.answers) for record in found.records]
    if asked.table is None:
        frame, more = _alone(found, said, kind, file)
    else:
        frame, more = _in_table(found, items_of(asked.table, kind, asked, notes), way, file, asked.out)
    write_table(frame, asked.out, new=True)
    counts = Counter(one.why for one in said)
    lines = [_counted(found, said, file), *more, *_without(counts)]
    lines.append(f"Learn from it by: tutelage fit ... --answers {asked.out}")
    people = {answer.annotator for record in found.records for answer in record.answers if answer.annotator}
    return lines, {
        "tool": found.format.title, "items": len(found.records), "labels": sum(one.label is not None for one in said),
        "annotators": sorted(people), "differ": sum(one.differ for one in said),
        "without": {why: number for why, number in counts.items() if why},
    }  # fmt: skip


def _counted(found: Found, said: Sequence[Decided], file: Path) -> str:
    answers = sum(len(record.answers) for record in found.records)
    people = {answer.annotator for record in found.records for answer in record.answers if answer.annotator}
    several = [one for one in said if len(one.annotators) > 1]
    by = f" by {many(len(people), 'annotator', 'annotators')}" if people else ""
    differ = f"; of {len(several):,} items with several, they differ on {sum(one.differ for one in several):,}"
    return (
        f"{file} is of {found.format.title}: {many(len(found.records), 'item', 'items')}, "
        f"{many(answers, 'answer', 'answers')}{by}"
        f"{differ if several else ''}."
    )


def _without(counts: Counter[str]) -> list[str]:
    """Sentence on the items that get no label, by why."""
    told = [f"{number:,} {'tied' if why == TIE else why}" for why, number in counts.items() if why]
    return [f"Without a label from it: {', '.join(told)}."] if told else []


def _alone(found: Found, said: Sequence[Decided], kind: Kind, file: Path) -> tuple[pd.DataFrame, list[str]]:
    """Table of a file alone: a row for each item."""
    question, spans = found.question, found.question.spans
    item = getattr(kind, kind.item_columns[0]) or ("image" if question.image else "text")
    label = getattr(kind, kind.label_columns[0]) or ("spans" if spans else LABEL)
    cells, several = [], 0
    for one in said:
        cell, torn = _cell(one.label)
        several += torn
        cells.append(cell)
    frame = pd.DataFrame({
        ROW: [record.id or number for number, record in enumerate(found.records, start=1)],
        item: [record.item for record in found.records], label: pd.Series(cells, dtype=object),
    })  # fmt: skip
    more = [
        "Without --table the rows have no asked_by: those that were drawn at random no longer count as a sample."
    ]  # fmt: skip
    if several:
        more.append(f"Left without a label: {many(several, 'item', 'items')} of several classes; one is learnt.")
    return _with_people(frame, found.records, said, file), more


def _cell(label: Label | None) -> tuple[Any, bool]:
    """Cell of a label, and whether it has several classes, which no cell holds."""
    if label is None:
        return None, False
    if not label or not isinstance(label[0], str):
        return [[part.start, part.end, part.type] for part in label if not isinstance(part, str)], False
    return (label[0], False) if len(label) == 1 else (None, True)


def _with_people(
    frame: pd.DataFrame, records: Sequence[Record], said: Sequence[Decided], out: Path
) -> pd.DataFrame:  # fmt: skip
    """The table with columns of the annotators, and of their notes, as far as there are any."""
    notes = [
        "; ".join(dict.fromkeys(answer.note for answer in record.answers if answer.note)) or None
        for record in records
    ]  # fmt: skip
    people = [", ".join(dict.fromkeys(one.annotators)) or None for one in said]
    added = {ANNOTATORS: people} if any(people) else {}
    added |= {NOTE: notes} if any(notes) else {}
    return beside_own(frame, added, out, Notes()) if added else frame


def _in_table(
    found: Found, items: ItemsOfTable, way: Exchanged, file: Path, out: Path
) -> tuple[pd.DataFrame, list[str]]:  # fmt: skip
    """Rows of a table with the answers to their items, found by their names, else by what they are."""
    question = found.question
    if question.names and question.spans != way.spans:
        raise DataError(
            f"{file}: its labels are {'spans' if question.spans else 'classes'}; for spans name the column of the "
            "sentences by --tokens, for classes that of the texts or images"
        )
    places, strangers = _placed(found.records, items.records, _item if way.spans else _plain)
    if not places:
        raise DataError(
            f"{file}: none of its {len(found.records):,} items is in {items.path}; it is of another project, or "
            "--table is not the table that was exchanged"
        )
    labels = label_cells(items)
    bad: list[str] = []
    changed = 0
    together = [_together(items.records[i], found.records, places.get(i, ())) for i in range(len(labels))]
    decisions = [decided(record.answers) for record in together]
    for i, one in enumerate(decisions):
        label = one.label
        if label is None:
            continue
        try:
            cell = way.cell(items.found, i, label)
        except ValueError as error:
            bad.append(f"{items.found.at('item', i)}: {error}")
            continue
        before = items.records[i].answers
        changed += bool(before) and before[0].label != label
        labels[i] = cell
    frame = items.frame.assign(**{items.label: pd.Series(labels, dtype=object)})
    more = [
        f"{sum(cell is not None for cell in labels):,} of the {len(labels):,} rows of {items.path} have a label now."
    ]
    if changed:
        more.append(f"{changed:,} of them had another label before.")
    if bad:
        others = f", and {len(bad) - 1:,} more" if len(bad) > 1 else ""
        more.append(f"Left as they were, as their answers are no labels: {bad[0]}{others}.")
    if strangers:
        first = found.records[strangers[0]]
        name = f"row {first.id}" if first.id else brief(first.item)
        more.append(
            f"Left out, as in no row of {items.path}: {many(len(strangers), 'item', 'items')}; the first is {name}."
        )
    return _with_people(frame, together, decisions, out), more


def _together(row: Record, records: Sequence[Record], numbers: Sequence[int]) -> Record:
    """A row with the answers of all records that belong to it, and no others."""
    return replace(row, answers=tuple(answer for number in numbers for answer in records[number].answers))


def _placed(
    records: Sequence[Record], rows: Sequence[Record], item: Callable[[Record], str]
) -> tuple[dict[int, list[int]], list[int]]:  # fmt: skip
    """Numbers of the records that belong to each row, by the row's number, and of those that belong to none.

    A record belongs to the row of its name, where that has its item, else to all rows that have it. An image is also
    known by the name of its file, where one row alone has it.

    Args:
        records: records of a tool's file.
        rows: records of the table's rows.
        item: function that gives what has to be equal.
    """
    by_id = {row.id: i for i, row in enumerate(rows)}
    by_item, by_name = _by(rows, item), _by(rows, _file_name)
    places: dict[int, list[int]] = {}
    strangers = []
    for number, record in enumerate(records):
        named = by_id.get(record.id, -1) if record.id else -1
        if named >= 0 and _alike(rows[named], record, item):
            found = [named]
        else:
            found = by_item.get(item(record), [])
            if not found and record.image is not None and len(by_name.get(_file_name(record), [])) == 1:
                found = by_name[_file_name(record)]
        for i in found:
            places.setdefault(i, []).append(number)
        if not found:
            strangers.append(number)
    return places, strangers


def _by(rows: Sequence[Record], name: Callable[[Record], str]) -> dict[str, list[int]]:
    """Numbers of the rows by what names them."""
    found: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        found.setdefault(name(row), []).append(i)
    return found


def _item(record: Record) -> str:
    """A text, sign by sign as spans count them, or the path of an image."""
    return record.item


def _plain(record: Record) -> str:
    """A text with ends of lines as Python has them and no blanks around it, or the path of an image."""
    return record.item if record.text is None else record.text.replace("\r\n", "\n").strip()


def _file_name(record: Record) -> str:
    """Name of an image's file, without what Label Studio puts before the name of an uploaded file."""
    return UPLOADED.sub("", unquote(record.item).replace("\\", "/").rsplit("/", 1)[-1])


def _alike(row: Record, record: Record, item: Callable[[Record], str]) -> bool:
    """Whether a row and a record of one name have one item; an image within a file has no name to compare."""
    if record.image is None or row.image is None:
        return row.image is record.image and item(row) == item(record)
    return record.image.startswith("data:") or _file_name(row) == _file_name(record)
