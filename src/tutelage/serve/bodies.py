"""Bodies of requests: the table in each, and whether it is one that is read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage.ops.checks import in_range
from tutelage.serve.refusals import RefusedError
from tutelage.tables import USUAL, FileSeen, Notes, Table, read_bytes
from tutelage.tables.blocks import Block
from tutelage.tables.cells import noun, why_no_json
from tutelage.tables.json_rows import DECODER, DEEPEST, HALF, deeper

JSON, CSV = "application/json", "text/csv"
"""Types of content that are read and written."""

NAMES = {JSON: Path("request.json"), CSV: Path("request.csv")}
"""What messages call a request, by the type of its content."""

CELLS = 5_000_000
"""Rows times columns of a request, at most: rows of JSON may each name columns of their own."""

COLUMNS = 5_000
"""Columns of a request of csv, at most, where the run has no more than half as many: others are passed over."""

ROWS = "rows"
"""Key of the rows in a request of JSON."""


@dataclass(frozen=True)
class Limits:
    """How much may be asked.

    Attributes:
        rows: rows of a request, at most.
        bytes: bytes of a request's body, at most.
        waiting: requests that are read or wait for the model at the same time, at most.
        seconds: seconds in which a body must have arrived.

    Raises:
        ValueError: one is below 1.
    """

    rows: int = 10_000
    bytes: int = 8_000_000
    waiting: int = 256
    seconds: float = 30.0

    def __post_init__(self) -> None:
        for name in ("rows", "bytes", "waiting"):
            in_range(f"--max-{name}", getattr(self, name), 1)


def content_type(given: str) -> str:
    """Type of the content of a request, JSON or CSV.

    Args:
        given: the header Content-Type.

    Raises:
        RefusedError: it is another, or in another charset than UTF-8.

    >>> content_type("text/csv; charset=UTF-8")
    'text/csv'
    """
    kind, *parameters = (part.strip().lower() for part in given.split(";"))
    if kind not in NAMES:
        shown = f"not {kind[:60]!r}" if kind else "and none is named"
        raise RefusedError(415, f"Content-Type must be {JSON} or {CSV}, {shown}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(" \"'") not in ("utf-8", "utf8", "us-ascii"):
            raise RefusedError(415, f"the charset must be utf-8, got {value[:60]!r}")
    return kind


def accepted(given: str) -> str:
    """Type of the content of the answer: of JSON and csv the one that is preferred; of two alike JSON.

    Args:
        given: the header Accept; empty accepts all.

    Raises:
        RefusedError: neither is accepted.

    >>> accepted(""), accepted("text/html, text/*;q=0.5"), accepted("text/csv;q=0.1, application/json;q=0")
    ('application/json', 'text/csv', 'text/csv')
    """
    weights: dict[str, float] = {}
    for part in given.lower().split(",") if given.strip() else ["*/*"]:
        kind, *parameters = (word.strip() for word in part.split(";"))
        weights[kind] = max(weights.get(kind, 0.0), _weight(parameters))
    best = {}
    for kind in (JSON, CSV):
        patterns = (kind, f"{kind.partition('/')[0]}/*", "*/*")
        best[kind] = next((weights[pattern] for pattern in patterns if pattern in weights), 0.0)
    chosen = max(best, key=lambda kind: best[kind])
    if not best[chosen] > 0:
        raise RefusedError(406, f"answers are {JSON} or {CSV}, and Accept names neither")
    return chosen


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if math.isfinite(weight) else 0.0
    return 1.0


def table_in(body: bytes, kind: str, columns: Sequence[str], limits: Limits, notes: Notes) -> Block:
    """The table in a body, in the place of a file.

    Args:
        body: the body.
        kind: type of its content, JSON or CSV.
        columns: columns of the items; a row of JSON that is no object is the cell of the only one.
        limits: how much may be asked.
        notes: takes what looks odd in it.

    Raises:
        RefusedError: it cannot be read, or holds too much.
        DataError: its csv is no table.
    """
    _require_utf8(body)
    if kind == CSV:
        _require_narrow(body, columns)
    found = _of_json(body, columns, limits) if kind == JSON else read_bytes(body, NAMES[CSV], USUAL, notes)
    _require_few(len(found.frame), found.frame.shape[1], limits)
    return Block.of(NAMES[kind], found)


def _require_utf8(body: bytes) -> None:
    if not body.strip():
        raise RefusedError(400, "the body is empty")
    try:
        body.decode()
    except UnicodeDecodeError as e:
        raise RefusedError(400, f"the body is not utf-8 (byte {e.start + 1:,})") from e


def _require_narrow(body: bytes, columns: Sequence[str]) -> None:
    """Check that the first line of a csv names no absurd number of columns, which take long to be read."""
    header = body.lstrip().split(b"\n", 1)[0]
    named, most = 1 + max(map(header.count, (b",", b";", b"\t", b"|"))), max(COLUMNS, 2 * len(columns))
    if named > most:
        raise RefusedError(413, f"the first line names {named:,} columns, more than {most:,}")


def _require_few(rows: int, columns: int, limits: Limits) -> None:
    if rows > limits.rows:
        raise RefusedError(413, f"{rows:,} rows are more than {limits.rows:,}; ask of them in several requests")
    if rows * columns > CELLS:
        raise RefusedError(413, f"{rows:,} rows of {columns:,} columns are more than {CELLS:,} cells")


def _of_json(body: bytes, columns: Sequence[str], limits: Limits) -> Table:
    rows = rows_in(_value(body), columns)
    names = list(dict.fromkeys(name for row in rows for name in row))
    _require_few(len(rows), len(names), limits)
    seen = FileSeen(str(NAMES[JSON]), "json", len(rows), names, "utf-8")
    return Table(pd.DataFrame(rows, columns=pd.Index(names, dtype=object)), seen, range(1, len(rows) + 1))


def _value(body: bytes) -> Any:
    """Value of a body of JSON.

    Raises:
        RefusedError: it is no JSON, or one that no table holds.
    """
    try:
        value = DECODER.decode(body.decode("utf-8-sig"))
        if deeper(value, DEEPEST):
            raise RecursionError
        if HALF.search(body):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as e:
        raise RefusedError(400, "the body has half a character, as of an emoji cut in two") from e
    except (ValueError, RecursionError) as e:
        raise RefusedError(400, f"the body is not JSON ({why_no_json(e)})") from e
    return value


def rows_in(value: Any, columns: Sequence[str]) -> list[Mapping[str, Any]]:
    """Rows in a request's value of JSON.

    Args:
        value: an object with a list of rows.
        columns: columns of the items.

    Raises:
        RefusedError: it is none.

    >>> rows_in({"rows": ["a soup", {"text": "a goal"}]}, ["text"])
    [{'text': 'a soup'}, {'text': 'a goal'}]
    """
    if not isinstance(value, dict):
        raise RefusedError(422, f"an object with the key {ROWS!r} is needed, got {noun(value)}")
    others = [name for name in value if name != ROWS]
    if others or ROWS not in value:
        got = f"got {', '.join(repr(name)[:60] for name in others[:5])}" if others else "got none"
        raise RefusedError(422, f"an object must have the key {ROWS!r} alone, {got}")
    rows = value[ROWS]
    if not isinstance(rows, list):
        raise RefusedError(422, f"{ROWS!r} must be a list, got {noun(rows)}")
    if not rows:
        raise RefusedError(422, f"{ROWS!r} is empty")
    if len(columns) == 1:
        return [row if isinstance(row, dict) else {columns[0]: row} for row in rows]
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise RefusedError(422, f"{NAMES[JSON]}: row {number} must be an object by column, got {noun(row)}")
    return rows
