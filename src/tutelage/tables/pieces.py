"""Pieces of a table's file, as they are cut before anything in them is read, so that another process can read them.

A piece of text is read with the header in front, by the code that reads whole files. How many rows lie behind it is
known when those are read; until then it is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tutelage.data.errors import DataError
from tutelage.tables.charsets import decoded
from tutelage.tables.columnar import block_of
from tutelage.tables.delimited import read_delimited
from tutelage.tables.dialects import HEAD, dialect_of
from tutelage.tables.endings import packing_of
from tutelage.tables.exports.plain import as_plain
from tutelage.tables.how import ReadAs
from tutelage.tables.json_rows import read_json
from tutelage.tables.layout import quoting
from tutelage.tables.letters import check_letters
from tutelage.tables.notes import Notes
from tutelage.tables.packed import json_within, misnamed
from tutelage.tables.seen import FileSeen, Found, Table

LINES = (".jsonl", ".ndjson")
"""Endings of files with an object of JSON in each line."""

LASTING = ("charset", "marked", "separator", "quote", "classes", "member")
"""Facts on a piece that hold for the whole file."""


@dataclass(frozen=True)
class Piece:
    """A piece of a table's file.

    Attributes:
        path: the file.
        held: bytes of a file of text, or rows of a file of columns; None where the whole file is read when it is.
        form: ending of a file of text, or name of the format of a file of columns.
        how: how it is read.
        number: number of the piece in its file, from 0.
        header: lines that name the columns, of pieces behind the first one.
        features: type of each column as the library `datasets` writes it; None looks for it in the rows.
    """

    path: Path
    held: bytes | pa.Table | None
    form: str
    how: ReadAs
    number: int = 0
    header: bytes = b""
    features: Mapping[str, Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Values to be pickled: of rows those of the piece alone, and not all that it is a part of."""
        return self.__dict__ | ({"held": _Sent(_as_bytes(self.held))} if isinstance(self.held, pa.Table) else {})

    def __setstate__(self, state: dict[str, Any]) -> None:
        held = state["held"]
        table = pa.ipc.open_stream(held.data).read_all() if isinstance(held, _Sent) else held
        self.__dict__.update(state | {"held": table})

    @property
    def rows(self) -> int:
        """Number of its rows: of a file of columns, and about that of a file of text; 0 of a file read as a whole."""
        if isinstance(self.held, pa.Table):
            return int(self.held.num_rows)
        if self.held is None:
            return 0
        quoted = self.form not in LINES and self.how.quote in (None, "double")
        lines = _lines(self.held, quoted)
        return max(lines - (self.number == 0 and self.form not in LINES and self.how.names is None), 0)

    def read(self, behind: int, notes: Notes) -> tuple[Found, int] | None:
        """The rows of the piece, and their count with those that are left out; None where it is blank.

        Args:
            behind: number of rows before it in the file.
            notes: takes what looks odd in it.

        Raises:
            DataError: it cannot be read.
        """
        path = str(self.path)
        if isinstance(self.held, pa.Table):
            made = as_plain(block_of(self.held, self.form, path, self.features), path, Notes())
            return made, self.held.num_rows
        found = self._text(named(self.path, behind), notes)
        if found is None:
            return None
        made = as_plain(found, path, Notes())
        count = len(made.frame) + int(made.facts.get("left_out", 0))
        return made, max(count, *(made.rows[-1:] or [0])) if made.rows is not None else count

    def _text(self, name: str, notes: Notes) -> Found | None:
        assert isinstance(self.held, bytes)
        path, form, how = self.path, self.form, self.how
        if self.number == 0 and (says := misnamed(self.held)):
            raise DataError(f"{path}: not readable as {form[1:]}; the file {says}")
        text = decoded(self.held, how, name)
        check_letters(text.data, name, notes)
        if not text.data.strip():
            return None
        if form in LINES:
            return read_json(text, form, how, name, notes)
        if self.number == 0:
            if says := json_within(text.data):
                raise DataError(f"{path}: not readable as {form[1:]}; the file {says}")
            how = header_of(text.data, form, how)[1]
        else:
            text = replace(text, data=self.header + text.data)
        if how.quote != "none" and quoting(text.data, _dialect(text.data, form, how)) == "loose":
            notes.say(
                f"{path}: quotation marks are within cells, too, so that a row may be cut where a block ends; "
                "--quote none, if they are characters like others",
            )
        return read_delimited(text, form, how, name, notes)

    def table(self, behind: int, notes: Notes) -> tuple[Table | None, int]:
        """The rows of the piece as a table, None where there is none, and their count; see `read`.

        Args:
            behind: number of rows before it in the file.
            notes: takes what looks odd in it.

        Raises:
            DataError: it cannot be read.
        """
        if self.held is None:
            from tutelage.tables.read import read

            whole = read(self.path, self.how, notes)
            return whole, len(whole.frame)
        found = self.read(behind, notes)
        if found is None or not len(found[0].frame):
            return None, 0 if found is None else found[1]
        made, count = found
        numbers = made.rows if made.rows is not None else range(1, len(made.frame) + 1)
        seen = seen_of(made, self.path)
        made.frame.attrs.update({"classes": dict(seen.classes)} if seen.classes else {})
        return Table(made.frame, seen, [row + behind for row in numbers]), count


@dataclass(frozen=True)
class _Sent:
    """Rows as they are pickled."""

    data: Any


def _as_bytes(table: pa.Table) -> Any:
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    return out.getvalue().to_pybytes()


def named(path: Path, behind: int) -> str:
    """Name of a file in messages on a piece that lies behind so many rows.

    >>> named(Path("a.csv"), 0), named(Path("a.csv"), 3000)
    ('a.csv', 'a.csv (rows are counted behind row 3,000)')
    """
    return f"{path} (rows are counted behind row {behind:,})" if behind else str(path)


def seen_of(found: Found, path: Path, names: list[str] | None = None) -> FileSeen:
    """What a piece tells of its file, without the number of its rows.

    Args:
        found: rows of the piece.
        path: the file.
        names: names of the file's columns; None are those of the piece.
    """
    facts = {k: v for k, v in found.facts.items() if k in LASTING} | {"packed": packing_of(path)}
    return FileSeen(str(path), found.format, 0, names or [str(name) for name in found.frame.columns], **facts)


def _lines(data: bytes, quoted: bool) -> int:
    r"""Number of lines; quotation marks hold ends of lines that do not count.

    >>> _lines(b'a\n"b\n"\nc', True), _lines(b'a\n"b\n"\nc', False)
    (3, 4)
    """
    last = bool(data) and not data.endswith((b"\n", b"\r"))
    if not quoted or b'"' not in data:
        return (data.count(b"\n") or data.count(b"\r")) + last
    characters = np.frombuffer(data, dtype=np.uint8)
    marks, ends = np.flatnonzero(characters == ord('"')), np.flatnonzero(characters == ord("\n"))
    return int((np.searchsorted(marks, ends) % 2 == 0).sum()) + last


def _dialect(data: bytes, ending: str, how: ReadAs) -> Any:
    return dialect_of(data[: 4 * HEAD].decode("utf-8", "ignore")[:HEAD], ending, how, len(data) < HEAD)


def header_of(data: bytes, ending: str, how: ReadAs) -> tuple[bytes, ReadAs]:
    """The lines that name the columns, and how all further pieces are read: by the separator of the first.

    Args:
        data: the first piece of a file of text, decoded.
        ending: ending of the file.
        how: how it is read.
    """
    dialect = _dialect(data, ending, how)
    quote = "single" if dialect.quote == "'" else how.quote
    pinned = replace(how, separator=how.separator or dialect.separator, quote=quote)
    if how.names is not None:
        return b"", pinned
    end, at = (b"\n" if b"\n" in data else b"\r"), 0
    for _ in range(1 + dialect.named):
        at = (data.find(end, at) + 1) or len(data)
        while dialect.quote == '"' and data.count(b'"', 0, at) % 2 and at < len(data):
            at = (data.find(end, at) + 1) or len(data)
    header = data[:at]
    return (header[data.find(end) + 1 :] if dialect.named else header), pinned
