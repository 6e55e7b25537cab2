"""The table to download: the rows of the file, the labels that were given, and what the model says of each."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage.app.files import Given
from tutelage.files import write_atomically, written
from tutelage.kinds import KINDS
from tutelage.kinds.asked_labels import ASKED_BY, MARKS, ROW
from tutelage.kinds.told import DOWNLOADED, GIVEN, Told
from tutelage.label.items import Items
from tutelage.tables import PROBABILITY, UNHEARD, DataError, FileSeen, read, write_table
from tutelage.tables.sheets import placed
from tutelage.tables.to_sheet import write_beside, write_typed

FOLDER = "download"
"""Folder of the table beside what the command wrote."""

POINT, COMMA = re.compile(r"-?\d+\.(?!\d{3}$)\d+"), re.compile(r"-?[\d.]*\d,\d+")
"""Patterns of numbers with a decimal point and comma; 1.200 may be a thousand and two hundred."""


@dataclass(frozen=True)
class Labelled:
    """The table to download.

    Attributes:
        path: the table.
        whole: whether all else that the file holds is in it; else other sheets and formulas are not.
    """

    path: Path
    whole: bool = True


def labelled(given: Given, told: Told, labels: Path | None, output: Path) -> Labelled:
    """Write the table to download beside what the command wrote.

    A spreadsheet comes back with its other sheets, and its numbers and dates as they were.
    A file with semicolons or tabs comes back with them, in its own letters, and with decimal commas where it has some.

    Args:
        given: the file.
        told: its kind and columns.
        labels: table of the labels that were given on the page; None where there is none.
        output: table that the command predict wrote.

    Raises:
        DataError: a table cannot be read.
        OSError: it cannot be written.
    """
    frame = read(output).frame
    seen: FileSeen | None = None
    try:
        source = read(given.path, given.how)
        seen, before, rows = source.seen, source.frame, list(source.rows)
    except DataError:  # a folder, or sentences with a word a line
        before, rows = frame[[]], []
    made = [c for c in frame.columns if c not in before.columns]
    asked = {c: DOWNLOADED[name] for c in made if (name := re.sub(r"_\d+$", "", str(c))) in DOWNLOADED}
    if not asked:
        return Labelled(output)  # in the form of another tool
    known = _given(given, told, labels, frame, before, rows)
    first = next(i for i, c in enumerate(frame.columns) if c in asked)
    frame.insert(first, GIVEN, known, allow_duplicates=True)
    frame.columns = pd.Index(_apart([asked.get(c, str(c)) for c in frame.columns]))
    path = output.parent / FOLDER / f"{given.path.stem}-labels{output.suffix}"
    path.parent.mkdir(exist_ok=True)
    if output.suffix in (".csv", ".tsv") and seen is not None:
        write_atomically(path, _in_dialect(frame, seen))
    elif output.suffix == ".xlsx" == given.path.suffix.lower() and len(before.columns):
        return Labelled(path, _as_sheet(given, before, rows, frame, first, path))
    else:
        write_table(frame, path)
    return Labelled(path)


def _as_sheet(
    given: Given, before: pd.DataFrame, rows: Sequence[int], frame: pd.DataFrame, first: int, path: Path
) -> bool:
    """Write the table of a spreadsheet, whose numbers and dates stay what they are; whether all else in it is kept.

    The columns that are new are added in the workbook itself. Where openpyxl cannot do that, the rows are written anew;
    the texts alone, where the rows that were labelled are not those of the file.
    """
    columns = frame.iloc[:, first:].copy()
    for name in [c for c in columns if str(c).startswith(PROBABILITY)][-1:]:
        columns[name] = pd.to_numeric(columns[name], errors="coerce")
    place = placed(given.path.read_bytes(), given.how, str(given.path), UNHEARD)
    kept = [row - 1 for row in rows]  # the others are totals
    same = list(place.frame.columns) == list(before.columns) and _equal(place.frame.iloc[kept], before)
    if not (same and _equal(frame, before)):
        write_table(frame, path)
        return False
    own = replace(place, frame=before, rows=[place.rows[i] for i in kept])
    try:
        with written(path) as part:
            if not write_beside(given.path, own, columns, part):
                raise LookupError(f"{given.name}: its rows are not those of the table")
    except (LookupError, ValueError, TypeError, AttributeError, zipfile.BadZipFile):  # openpyxl reads less
        with written(path) as part:
            write_typed(given.path, own, columns, part)
        return False
    return True


def _equal(frame: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two tables have the same cells, row by row, in the columns of the second; blanks in them do not count."""
    if len(frame) != len(other) or not set(other.columns) <= set(frame.columns):
        return False
    return all(list(map(_words, frame[name])) == list(map(_words, other[name])) for name in other.columns)


def _words(cell: object) -> list[str]:
    return (_text(cell) or "").split()


def _apart(names: list[str]) -> list[str]:
    """Names of columns, of which none is there twice."""
    found: list[str] = []
    for name in names:
        number, free = 2, name
        while free in found:
            free, number = f"{name}_{number}", number + 1
        found.append(free)
    return found


def _given(
    given: Given, told: Told, labels: Path | None, frame: pd.DataFrame, before: pd.DataFrame, rows: list[int]
) -> list[str | None]:
    """The label that people gave to each row, on the page or else in the file; equal items have one label."""
    kind: Any = KINDS[told.kind]
    column = told.options.get(kind.label_columns[0])
    none: list[str | None] = [None] * len(frame)
    own = [_text(cell) for cell in before[column]] if column in before else none
    said: dict[str, str | None] = {}
    if labels is not None:
        answers = read(labels).frame
        places = answers[f"{ROW}{_ending(answers)}"].astype(str)
        said = dict(zip(places, map(_text, answers[label_column(answers)]), strict=True))
    if not len(before.columns):  # a folder, or a file of sentences: its items come in the order of the answers
        items_there = Items.read(kind(**told.options), given.path, given.how)
        if len(items_there) != len(frame):
            raise DataError(f"{given.name} has {len(items_there):,} items by now, and the table has {len(frame):,}")
        names = [items_there.entries.places.short(i) for i in range(len(items_there))]
        return [said.get(name, items_there.given(i) or None) for i, name in enumerate(names)]
    if not said or len(own) != len(frame):
        return own if len(own) == len(frame) else none
    value = told.options.get(kind.item_columns[0], ())
    items = before[[value] if isinstance(value, str) else list(value)].astype(str).agg("\x1f".join, axis=1).tolist()
    of_item = {item: said[str(row)] for item, row in zip(items, rows, strict=True) if str(row) in said}
    return [of_item.get(item, there) for item, there in zip(items, own, strict=True)]


def label_column(answers: pd.DataFrame) -> str:
    """Name of the column of the labels in a table of the labelling page: before the one that says who asked for them.

    >>> label_column(pd.DataFrame(columns=["row_2", "asked_by", "kind", "asked_by_2"]))
    'kind'
    """
    names = [str(name) for name in answers.columns]
    return names[-2] if MARKS.fullmatch(names[-1]) else names[-1]


def _ending(answers: pd.DataFrame) -> str:
    """What stands behind the names of the columns of the labelling page, where the items have such columns too."""
    last = str(answers.columns[-1])
    return last.removeprefix(ASKED_BY) if MARKS.fullmatch(last) else ""


def _text(cell: Any) -> str | None:
    text = "" if cell is None or cell is pd.NA or (isinstance(cell, float) and pd.isna(cell)) else str(cell)
    return text or None


def _in_dialect(frame: pd.DataFrame, seen: FileSeen) -> bytes:
    """A table as text, separated as a file was; its letters are UTF-8, with a mark, where the charset lacks one."""
    frame = frame.copy()
    if seen.separator == ";" and not _has_points(frame):
        for name in [c for c in frame.columns if str(c).startswith(PROBABILITY)][-1:]:
            frame[name] = [str(cell).replace(".", ",") for cell in frame[name]]
    text = io.StringIO()
    frame.to_csv(
        text, index=False, sep=seen.separator or ",", quoting=csv.QUOTE_MINIMAL,
        lineterminator="\r\n" if seen.separator == ";" else "\n",
    )  # fmt: skip
    charset = seen.charset or "utf-8"
    if charset.replace("-", "").lower() == "utf8":
        charset = "utf-8-sig" if seen.marked or seen.separator == ";" else "utf-8"
    try:
        return text.getvalue().encode(charset)
    except (UnicodeEncodeError, LookupError):
        return text.getvalue().encode("utf-8-sig")


def _has_points(frame: pd.DataFrame) -> bool:
    """Whether the numbers of a table have points rather than commas, the probabilities not counted."""
    cells = [str(cell) for c in frame.columns if not str(c).startswith(PROBABILITY) for cell in frame[c].head(1000)]
    return sum(bool(POINT.fullmatch(c)) for c in cells) > sum(bool(COMMA.fullmatch(c)) for c in cells)
