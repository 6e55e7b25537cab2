"""Files whose lines are rows and whose cells are separated by a character: csv, tsv and txt files."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NoReturn

import pandas as pd
import pyarrow as pa

from tutelage.data.errors import NoRowsError
from tutelage.tables.careful import NOWHERE, Careful
from tutelage.tables.charsets import Text
from tutelage.tables.dialects import (
    HEAD,
    SEPARATORS,
    Dialect,
    cells_of,
    comments_above,
    dialect_of,
    in_words,
    title_above,
)
from tutelage.tables.exports.unread import of_text, refuse
from tutelage.tables.headers import ask_of_header, names_of, without_repeats
from tutelage.tables.how import ReadAs
from tutelage.tables.layout import line_count, quoting
from tutelage.tables.notes import Notes
from tutelage.tables.odd import excerpt
from tutelage.tables.parsing import Cells, parsed
from tutelage.tables.seen import Found

ESCAPED = re.compile(rb'\\(["\\])')
"""Pattern of a quotation mark, or a backslash, behind a backslash."""


def read_delimited(text: Text, ending: str, how: ReadAs, path: str, notes: Notes) -> Found:
    """The table in a text of separated cells. Cells stay texts.

    Args:
        text: text of the file.
        ending: ending of the file's name.
        how: how files are read.
        path: the file, for messages.
        notes: takes what is noticed.

    Raises:
        DataError: the file is empty, or the names of its columns are not different.
    """
    if not text.data or text.data.isspace():
        raise NoRowsError(f"{path}: the file is empty")
    head = text.data[: 4 * HEAD].decode("utf-8", "ignore")
    head, whole = head[:HEAD], len(text.data) <= 4 * HEAD and len(head) <= HEAD
    refuse(of_text(head), path)
    dialect = dialect_of(head, ending, how, whole)
    if how.separator is None and how.names is None and (below := title_above(head, whole)):
        _ask_of_title(head, below, path, notes)
    data = text.data[_second_line(text.data) :] if dialect.named else text.data
    if not data.strip():
        raise NoRowsError(f"{path}: the file has no rows below its first line, which names the separator")
    data, escape = _unescaped(data, dialect)
    state = quoting(data, dialect)
    found = None if text.holes or state == "loose" else _plain(data, dialect, state, how)
    if found is None:
        careful = Careful(data, dialect, state, how, path, notes)
        found, dialect = careful.cells(), careful.shown()
    _say_dialect(text, dialect, escape, ending, how, path, notes)
    facts = {
        "charset": text.charset, "marked": text.marked, "separator": dialect.separator.replace(NOWHERE, ""),
        "quote": "" if state == "none" else dialect.quote, "escape": escape, "lines": line_count(text.data),
    }  # fmt: skip
    found = _named(found, how, path, notes)
    facts |= {name: getattr(found, name) for name in ("spanning", "longer", "blank", "left_out")}
    rows = None if found.rows is None else found.rows.tolist()
    return Found(found.frame, ending[1:].replace("tab", "tsv"), rows, facts)


def _ask_of_title(head: str, separator: str, path: str, notes: Notes) -> NoReturn:
    lines = [line for line in head.splitlines() if line.strip()]
    comments = comments_above(lines)
    first, second = (excerpt(lines[i].encode()) for i in (0, comments or 1))
    if comments:
        notes.halt(
            f"{path}: its first {'line' if comments == 1 else f'{comments} lines'}, such as {first}, begin with # like "
            f"comments, above the header {second}",
            "take these lines out of the file",
            "--separator tab, if each line is one text",
            page="header",
        )
    notes.halt(
        f"{path}: the first line, {first}, has one cell, but each other line has several, separated by "
        f"{in_words(separator)}: is it a title above the header {second}, or does it name the one column of texts",
        "take the title out of the file",
        "--separator tab, if each line is one text",
        page="header",
    )


def _second_line(data: bytes) -> int:
    """Place where the second line of a text begins."""
    end = data.find(b"\n") + 1 or len(data)
    lone = data.find(b"\r", 0, end)
    return end if lone < 0 or data[lone + 1 : lone + 2] == b"\n" else lone + 1


def _unescaped(data: bytes, dialect: Dialect) -> tuple[bytes, str]:
    """The text with doubled marks in place of escaped ones, and the character that escapes; empty for none."""
    if dialect.quote != '"' or b"\\" not in data or b'\\"' not in data or quoting(data, dialect) != "loose":
        return data, ""
    whole = b"\\" not in ESCAPED.sub(b"", data)  # backslashes are escaped, too

    def plain(match: re.Match[bytes]) -> bytes:
        return b'""' if match[1] == b'"' else b"\\" if whole else match[0]

    changed = ESCAPED.sub(plain, data)
    return (changed, "\\") if quoting(changed, dialect) == "strict" else (data, "")


def _plain(data: bytes, dialect: Dialect, state: str, how: ReadAs) -> Cells | None:
    """Cells of a text each line of which is a row of as many cells as the header; None of another."""
    line = data[: _second_line(data)]
    dialect = dialect if state == "strict" else replace(dialect, quote="")
    if not line.strip() or (dialect.quote and line.count(dialect.quote.encode()) % 2):
        return None
    header = None if how.names is not None else cells_of(line.decode().rstrip("\r\n"), dialect)
    width = len(header or how.names or ())
    begin = 0 if header is None else len(line)
    try:
        frame = parsed(pa.py_buffer(data).slice(begin), width, dialect)
    except pa.ArrowInvalid:
        return None
    return Cells(header, frame) if len(frame) + (header is not None) == line_count(data) else None


def _say_dialect(text: Text, dialect: Dialect, escape: str, ending: str, how: ReadAs, path: str, notes: Notes) -> None:
    """Say in one sentence how the file is read, as far as it is unusual and the user did not say it."""
    parts = []
    if text.marked and text.charset != "utf-8":
        parts.append(f"read as {text.charset}, as its byte order mark says")
    there = dialect.separator.encode() in text.data
    if there and dialect.separator not in (how.separator, SEPARATORS.get(ending, ""), NOWHERE):
        parts.append(f"its cells are separated by {in_words(dialect.separator)}")
    if dialect.quote not in ('"', "") and how.quote is None:
        parts.append(f"its cells are in single quotation marks ({dialect.quote})")
    if escape:
        parts.append("quotation marks within cells are escaped by backslashes")
    if parts:
        notes.say(f"{path}: {'; '.join(parts)}.")


def _named(found: Cells, how: ReadAs, path: str, notes: Notes) -> Cells:
    """The cells, their columns named by the header or by the user."""
    names = list(how.names or ()) if found.header is None else found.header
    if len(found.frame):
        found = found.where(without_repeats(names, found.frame, path, notes))
    if found.header is not None:
        ask_of_header(found.header, found.frame, how, path, notes)
        names = names_of(found.header, path)
    found.frame.columns = pd.Index(names)
    return found
