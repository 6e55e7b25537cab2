"""Tables in files: which format a file has, and the table in it. Errors name the file, the row and the column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage.data.errors import DataError, NoRowsError
from tutelage.data.nearest import SHORT, nearest
from tutelage.files import naming
from tutelage.tables.blocks import Block
from tutelage.tables.charsets import decoded
from tutelage.tables.columnar import is_saved, read_columns, read_saved
from tutelage.tables.delimited import read_delimited
from tutelage.tables.endings import ARROW, FORMATS, JSON, PACKINGS, SHEETS, SPACY, readable
from tutelage.tables.exports.plain import as_plain
from tutelage.tables.exports.spacy_docs import read_collection
from tutelage.tables.exports.unread import of_file, refuse
from tutelage.tables.file_names import require_unicode
from tutelage.tables.how import USUAL, ReadAs
from tutelage.tables.json_rows import read_json
from tutelage.tables.letters import check_letters
from tutelage.tables.notes import UNHEARD, Notes
from tutelage.tables.packed import Content, content, json_within, misnamed
from tutelage.tables.seen import FileSeen, Found, Table
from tutelage.tables.sheets import read_sheet
from tutelage.tables.text_folder import holds_texts, read_text_folder
from tutelage.tables.totals import without_totals

TOGETHER = "parts of one table are to be joined first, such as by pandas.concat"
"""Words on several files that hold one table."""


def read(path: str | Path, how: ReadAs = USUAL, notes: Notes = UNHEARD) -> Table:
    """The table in a file, or in a folder of a saved data set or of texts.

    Cells of csv and tsv files and of spreadsheets stay texts.

    Args:
        path: the file or folder.
        how: how it is read, as far as the user says it.
        notes: takes what was seen of the file, and what looks odd in it.

    Raises:
        DataError: the file is missing, damaged or without rows, has an unknown ending, or is not in its charset.
    """
    if isinstance(path, Block):
        return path.table
    path = Path(path)
    require_unicode(path)
    if not path.exists():
        raise DataError(f"{path}: no such file{_why_none(path)}")
    packing: Mapping[str, Any] = {}
    if path.is_dir():
        found = _of_folder(path, how, notes)
    else:
        with naming(path):
            held = content(path, how)
        if held.others:
            notes.say(f"{path}: {held.member!r} is read; left out: {', '.join(map(repr, held.others[:3]))}.")
        found = _of_file(held, how, path, notes)
        if how.sheet is not None and held.ending not in (*SHEETS, SPACY) and held.packed != "zip":
            notes.say(f"{path}: --sheet {how.sheet} means nothing here, since such a file holds one table only.")
        packing = {"packed": held.packed} | ({"member": held.member} if held.member else {})
    return _table(found, packing, path, how, notes)


def read_bytes(data: bytes, path: Path, how: ReadAs = USUAL, notes: Notes = UNHEARD) -> Table:
    r"""The table in the bytes of a file that is not packed and need not exist; see `read`.

    Args:
        data: the bytes.
        path: name of the file, whose ending tells the format, for messages.
        how: how it is read, as far as the user says it.
        notes: takes what was seen of it, and what looks odd in it.

    Raises:
        DataError: as `read`.

    >>> read_bytes(b"text\na soup\n", Path("a.csv")).frame.to_dict("list")
    {'text': ['a soup']}
    """
    return _table(_of_file(Content(data, path.suffix.lower()), how, path, notes), {"packed": ""}, path, how, notes)


def _table(found: Found, packing: Mapping[str, Any], path: Path, how: ReadAs, notes: Notes) -> Table:
    """The table that was found in a file; rows of totals are asked about.

    Raises:
        NoRowsError, DataError: there is no row.
    """
    if found.frame.empty:
        if notes.faults:  # they say why
            raise DataError(*notes.faults, noted=True)
        raise NoRowsError(f"{path}: the file has no rows")
    found = without_totals(found, how, str(path), notes)
    columns = [str(name) for name in found.frame.columns]
    seen = FileSeen(str(path), found.format, len(found.frame), columns, **{**found.facts, **packing})
    notes.saw(seen)
    if seen.classes:
        found.frame.attrs["classes"] = dict(seen.classes)
    return Table(found.frame, seen, found.rows if found.rows is not None else range(1, len(found.frame) + 1))


def _why_none(path: Path) -> str:
    """Words, for a message, on a path that is not there."""
    if re.match(r"(https?|ftp|s3|gs|hf):/", str(path)):
        return "; it is an address: fetch the file first"
    if any(sign in str(path) for sign in "*?["):
        return f"; one file is read, not all that a pattern names: {TOGETHER}"
    try:
        there = {other.stem: other.name for other in path.parent.iterdir()}
    except OSError:  # neither is the folder
        there = {}
    near = nearest(path.stem, there, SHORT)
    return ("" if path.suffix else " or folder") + (f"; the nearest is {there[near]!r}" if near else "")


def read_table(path: str | Path, how: ReadAs = USUAL) -> pd.DataFrame:
    """The cells of the table in a file; see `read` for the arguments and errors."""
    return read(path, how).frame


def column_names(path: Path, how: ReadAs = USUAL) -> list[str]:
    """Names of the columns of the table in a file.

    Raises:
        DataError: as `read`.
    """
    return list(read(path, how, Notes()).seen.columns)  # what is odd is noted when the table is read to be learnt from


def holds_table(path: Path) -> bool:
    """Whether a path is a file, or a folder of a saved data set, so that its table is read."""
    return not path.is_dir() or is_saved(path)


def text_of(path: Path, how: ReadAs, notes: Notes = UNHEARD) -> str:
    """Text of a file, unpacked and decoded.

    Args:
        path: the file.
        how: how it is read.
        notes: takes what is noticed.

    Raises:
        DataError: the file cannot be read or unpacked, or is not in its charset.
    """
    text = decoded(content(path, how).data, how, path)
    check_letters(text.data, str(path), notes)
    return text.data.decode()


def _of_folder(path: Path, how: ReadAs, notes: Notes) -> Found:
    if is_saved(path):
        return as_plain(read_saved(path, how, notes), str(path), notes)
    if holds_texts(path):
        return read_text_folder(path, how, notes)
    within = [*sorted(path.iterdir()), *sorted(path.glob("*/*"))]
    files = [file for file in within if file.suffix.lower() in (*FORMATS, *PACKINGS)]
    hint = f"; name one file in it, such as {files[0]}" if files else ""
    if len(files) > 1:
        parts = " (pandas.read_parquet(FOLDER) makes a column of folders named COLUMN=VALUE)"
        hint += f"; {TOGETHER}{parts if any('=' in file.parent.name for file in files) else ''}"
    raise DataError(f"{path}: neither a saved data set nor a folder of texts{hint}")


def _of_file(held: Content, how: ReadAs, path: Path, notes: Notes) -> Found:
    if held.ending not in FORMATS:
        refuse(of_file(path), path)
        raise DataError(f"{path}: file name must end in one of {readable()}")
    if held.ending == SPACY:
        return as_plain(Found(pd.DataFrame(), ""), str(path), notes, read_collection(path))
    if held.ending in ARROW:
        return as_plain(read_columns(held.data, held.ending, str(path)), str(path), notes)
    if held.ending in SHEETS:
        return as_plain(read_sheet(held.data, how, str(path), notes), str(path), notes)
    if says := misnamed(held.data):
        raise DataError(f"{path}: not readable as {held.ending[1:]}; the file {says}")
    text = decoded(held.data, how, path)
    check_letters(text.data, str(path), notes)
    if held.ending in JSON:
        return read_json(text, held.ending, how, str(path), notes)
    if says := json_within(text.data):
        raise DataError(f"{path}: not readable as {held.ending[1:]}; the file {says}")
    return as_plain(read_delimited(text, held.ending, how, str(path), notes), str(path), notes)
