"""Rows of a tool's file: objects of JSON in a list or a line each, or rows of CSV."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tutelage.data.errors import DataError, damage
from tutelage.files import written
from tutelage.tables.cells import brief
from tutelage.tables.packed import DAMAGED, unpacked

MOST = min(sys.maxsize, 2**31 - 1)
"""Number of characters of a cell of CSV, at most."""

PACKED = (".json", ".jsonl", ".csv", ".tsv")
"""Endings of the files in a zip that are read."""


@dataclass(frozen=True)
class How:
    """How a tool's file is read, where it does not tell by itself.

    Attributes:
        item: key of the items, where it is none of the usual ones.
        question: name of the control or question whose answers are taken, where there are several.
        offsets: what the offsets of spans count, "characters" or "utf-16", where the file does not show it.
        spans: whether labels are spans, where no row has one.
    """

    item: str | None = None
    question: str | None = None
    offsets: str | None = None
    spans: bool = False


USUAL = How()
"""A file is read as it tells by itself."""


@dataclass(frozen=True)
class Row:
    """A row of a file.

    Attributes:
        place: its place, for messages, such as "tasks.json, record 3".
        value: its cells by name.
        flat: whether it comes from a file of CSV, so that every cell is a text.
        member: name of its file within a zip, without the ending; empty where it is in none.
    """

    place: str
    value: Mapping[str, Any] = field(repr=False)
    flat: bool = False
    member: str = ""

    def fault(self, says: str) -> DataError:
        """The error that names the row."""
        return DataError(f"{self.place}: {says}")


def rows_in(path: Path) -> list[Row]:
    """Rows of a file, which is JSON with a list or one object, JSON with an object in each line, CSV, TSV, or a zip.

    Raises:
        DataError: the file is empty, not UTF-8, broken or cut off, or its rows are no objects; the message names the
            line or the record.
    """
    if not zipfile.is_zipfile(path):
        return _rows(path.read_bytes(), str(path))
    try:
        with zipfile.ZipFile(path) as held:
            members = [name for name in held.namelist() if Path(name).suffix.lower() in PACKED and not _hidden(name)]
            found = {name: unpacked(held, name, path) for name in members}
    except DAMAGED as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: the zip cannot be unpacked: {damage(error)}") from error
    if not found:
        raise DataError(f"{path}: no file in the zip ends in {', '.join(PACKED)}")
    return [
        replace(row, member=Path(name).stem) for name, data in found.items() for row in _rows(data, f"{path}, {name}")
    ]


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in Path(name).parts)


def _rows(data: bytes, path: str) -> list[Row]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start + 1:,} is not UTF-8; export the file again as UTF-8") from error
    begins = text.lstrip()[:1]
    if not begins:
        raise DataError(f"{path}: the file is empty")
    if begins == "[":
        return _in_list(text, path)
    return _in_lines(text, path) if begins == "{" else _in_csv(text, path)


def _in_list(text: str, path: str) -> list[Row]:
    found = _decoded(text, path, 1)
    return [_row(value, f"{path}, record {number}") for number, value in enumerate(found, start=1)]


def _in_lines(text: str, path: str) -> list[Row]:
    lines = text.split("\n")
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if len(numbered) > 1 and not _is_json(numbered[0][1]):  # one object over several lines
        found = _decoded(text, path, 1)
        return [_row(found, f"{path}, record 1")]
    return [_row(_decoded(line, path, number), f"{path}, line {number}") for number, line in numbered]


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _decoded(text: str, path: str, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        why = "its end is missing" if cut else f"it is not JSON ({error.msg})"
        at = f"line {line + error.lineno - 1}, column {error.colno}"
        raise DataError(f"{path}, {at}: {why}; export the file again") from error


def _row(value: Any, place: str) -> Row:
    if not isinstance(value, dict):
        raise DataError(f"{place}: an object with names and values is needed, got {brief(json.dumps(value))}")
    return Row(place, value)


def _in_csv(text: str, path: str) -> list[Row]:
    first = text[: text.find("\n") if "\n" in text else len(text)]
    csv.field_size_limit(MOST)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in first else ",", strict=True)
    rows = []
    try:
        header = next(reader)
        for number, cells in enumerate(filter(None, reader), start=1):
            place = f"{path}, row {number}"
            if len(cells) != len(header):
                raise DataError(f"{place}: it has {len(cells)} cells, and the header {len(header)}")
            rows.append(Row(place, dict(zip(header, cells, strict=True)), flat=True))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: it is not CSV ({error}); export the file again") from error
    if not rows:
        raise DataError(f"{path}: the file has no rows below {brief(first)}")
    return rows


def write_json(values: Iterable[Any], path: Path) -> None:
    """Write a list of JSON to a new file, an object in each line.

    Raises:
        FileExistsError: the file is there.
    """
    _write(_listed(values), path)


def write_lines(values: Iterable[Any], path: Path) -> None:
    """Write an object of JSON in each line of a new file.

    Raises:
        FileExistsError: the file is there.
    """
    _write((f"{_dumped(value)}\n" for value in values), path)


def _listed(values: Iterable[Any]) -> Iterator[str]:
    yield "["
    for number, value in enumerate(values):
        yield f"{',' if number else ''}\n{_dumped(value)}"
    yield "\n]\n"


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)  # doccano guesses the charset, and nothing else is lost by it


def _write(parts: Iterable[str], path: Path) -> None:
    with written(path, new=True) as part, open(part, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(parts)


def text_in(row: Row, key: str) -> str:
    """Text of a cell.

    Raises:
        DataError: the cell is no text, or has half of a character, which no other file can hold.
    """
    value = row.value[key]
    if not isinstance(value, str):
        raise row.fault(f"{key!r} must be a text, got {brief(json.dumps(value))}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise row.fault(
            f"{key!r} has half of a character, a surrogate alone; correct it where it comes from"
        ) from error
    return value


def name_in(row: Row, value: Any) -> str:
    """Name of a class or a type.

    Raises:
        DataError: it is no text, or blank.
    """
    if not isinstance(value, str) or not value.strip():
        raise row.fault(f"a label must be a text, the name of a class, got {brief(json.dumps(value))}")
    return value


def names_in(row: Row, values: Any) -> tuple[str, ...]:
    """Names in a list, each once, sorted; a text is a list of one."""
    given = values if isinstance(values, list) else [values]
    return tuple(sorted({name_in(row, value) for value in given}))


def seconds_in(row: Row, value: Any) -> float | None:
    """Seconds that an answer took; None where there are none, or fewer than 0.

    Raises:
        DataError: it is no number.
    """
    if value in (None, ""):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError) as error:
        raise row.fault(f"seconds must be a number, got {brief(json.dumps(value))}") from error
    return found if math.isfinite(found) and found >= 0 else None


def time_in(row: Row, value: Any) -> datetime | None:
    """A point in time: ISO 8601, or seconds since 1970; without a time zone it is taken for UTC.

    Raises:
        DataError: it is none.
    """
    if value in (None, ""):
        return None
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value, UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise row.fault(f"a time must be as 2026-01-31T12:00:00Z, got {brief(json.dumps(value))}") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def probability_in(value: Any) -> float | None:
    """Probability of a suggestion; None where a tool's score is none."""
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
    return float(value) if known else None


def id_in(value: Any) -> str:
    """Name of an item's row; empty where it has none.

    >>> id_in(17), id_in("17"), id_in(17.0), id_in(None)
    ('17', '17', '17', '')
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
