"""Files of JSON: an object in each line, or arrays and objects that hold rows or columns."""

from __future__ import annotations

import difflib
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage.data.errors import DataError
from tutelage.tables.cells import why_no_json
from tutelage.tables.charsets import UNREADABLE, Text
from tutelage.tables.exports.plain import as_plain
from tutelage.tables.exports.tools import recognised
from tutelage.tables.exports.unread import of_value, refuse
from tutelage.tables.how import ReadAs
from tutelage.tables.layout import line_count
from tutelage.tables.notes import Notes
from tutelage.tables.odd import FEW, SHOWN, counted, places
from tutelage.tables.seen import Found

HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""Pattern of a surrogate in JSON: half of a character beyond the first 65,536."""
SPACE = re.compile(r"[ \t\r\n,]*")
"""Pattern of what may be between two values."""
ALIKE = 0.8
"""Likeness from which on two names of columns may be one name in two spellings."""
Row = dict[str, Any]
"""Row of a table, by the names of its columns."""


def _once(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return row


DEEPEST = 100
"""Number of brackets within brackets of a value of JSON, at most; no tool writes a tenth of them."""


def deeper(value: Any, most: int = DEEPEST) -> bool:
    """Whether a value holds lists and objects within each other, more deeply than they may.

    Args:
        value: a value of JSON.
        most: number of brackets within brackets, at most.

    >>> deeper([[1]], 1), deeper([{"a": 1}], 2)
    (True, False)
    """
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if most < 1:
        return isinstance(value, (dict, list))
    return any(deeper(each, most - 1) for each in held if isinstance(each, (dict, list)))


DECODER = json.JSONDecoder(object_pairs_hook=_once)
"""Decoder of JSON that refuses a key that is there twice, of which one value would be lost."""


@dataclass
class _Lines:
    """Rows of a text with an object in each line, with their numbers, and the rows and lines that hold none."""

    rows: list[Row]
    numbers: list[int]
    bad: list[tuple[int, str]]
    blank: list[int]


def read_json(text: Text, ending: str, how: ReadAs, path: str, notes: Notes) -> Found:
    """The table in a text of JSON.

    Args:
        text: text of the file.
        ending: ending of the file's name.
        how: how files are read.
        path: the file, for messages.
        notes: takes what is noticed.

    Raises:
        DataError: the text is not JSON, or its JSON is no table.
    """
    found = _lines(text)
    in_parts = not found.rows or bool(found.bad and found.bad[0][0] == 1)
    whole = _whole(text.data) if in_parts or (ending == ".json" and len(found.rows) == 1) else None
    facts: dict[str, Any] = {"charset": text.charset, "marked": text.marked, "lines": line_count(text.data)}
    if whole is None:
        rows, kept, left_out = _good(found, text, how, path, notes)
        facts |= {"left_out": left_out, "blank": len(found.blank)}
    elif isinstance(whole, list) and (made_of := recognised(whole, Path(path))) is not None:
        return as_plain(Found(pd.DataFrame(), "json", None, facts), path, notes, made_of)
    else:
        refuse(of_value(whole), path)
        rows, made = rows_of(whole, how, path)
        kept, facts["made"] = None, made
        if made:
            notes.say(f"{path}: {made}.")
    if (made_of := recognised(rows, Path(path))) is not None:
        return as_plain(Found(pd.DataFrame(), "json", None, facts), path, notes, made_of)
    _ask_of_keys(rows, path, notes)
    return Found(pd.DataFrame(rows), "jsonl" if whole is None else "json", kept, facts)


def rows_of(value: Any, how: ReadAs, path: str) -> tuple[list[Row], str]:
    """Rows in a value of JSON, and a sentence on how it became rows; empty for an array of objects.

    Args:
        value: the value: objects, an object of columns, an object that holds one list, or an array of arrays.
        how: how files are read; its columns name those of an array of arrays.
        path: the file, for messages.

    Raises:
        DataError: the value is no table.

    >>> rows_of({"data": [{"text": "a"}]}, ReadAs(), "t.json")
    ([{'text': 'a'}], "the rows are the list 'data' of one object")
    """
    if isinstance(value, list):
        return _of_list(value, how, path)
    if not isinstance(value, dict):
        raise DataError(f"{path}: a JSON object or array of rows is needed, got {_shown(value)}")
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):  # pandas: orient="split"
        return _of_arrays(
            value["data"], list(map(str, value["columns"])), path
        ), "the rows are the arrays of 'data', named by 'columns'"
    lists = {name: held for name, held in value.items() if isinstance(held, list)}
    of_rows = [name for name, held in lists.items() if held and all(isinstance(row, dict) for row in held)]
    if len(of_rows) > 1:
        raise DataError(f"{path}: {len(of_rows)} lists of rows, {', '.join(map(repr, of_rows))}; keep one of them")
    if of_rows:
        return lists[of_rows[0]], f"the rows are the list {of_rows[0]!r} of one object"
    return _of_object(value, lists, path)


def _of_list(value: list[Any], how: ReadAs, path: str) -> tuple[list[Row], str]:
    """Rows of an array of objects, or of arrays."""
    if value and all(isinstance(row, list) for row in value):
        names = how.names or (tuple(map(str, value[0])) if how.columns else None)
        if names is None:
            raise DataError(f"{path}: the rows are arrays without names; --columns NAME,NAME names their columns")
        return _of_arrays(value if how.names else value[1:], names, path), "each array is a row"
    for number, row in enumerate(value, start=1):
        if not isinstance(row, dict):
            raise DataError(f"{path}: row {number} must be a JSON object, got {_shown(row)}")
    return value, ""


def _of_object(value: dict[str, Any], lists: dict[str, list[Any]], path: str) -> tuple[list[Row], str]:
    """Rows of an object without a list of rows: an object of columns, of rows by name, or one row."""
    if lists and len(lists) == len(value):
        lengths = {name: len(held) for name, held in lists.items()}
        if len(set(lengths.values())) > 1:
            of = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
            raise DataError(f"{path}: columns of different lengths: {of}")
        rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
        return rows, "the columns are the lists of one object"
    if not value or not all(isinstance(held, dict) for held in value.values()):
        return [value], "the only object is a row"
    keys = [list(held) for held in value.values()]
    if all(key.isdigit() for key in keys[0]) and all(each == keys[0] for each in keys):
        rows = [{name: value[name][key] for name in value} for key in keys[0]]
        return rows, "the columns are the objects of one object, as pandas writes them"
    rows = [{"key": key, **held} for key, held in value.items()]
    return rows, "the rows are the objects of one object, and their names the column 'key'"


def _of_arrays(rows: Sequence[Any], names: Sequence[str], path: str) -> list[Row]:
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(names):
            has = counted(len(row), "cell") if isinstance(row, list) else "no array"
            raise DataError(f"{path}: row {number} has {has}, but there are {counted(len(names), 'column')}")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _lines(text: Text) -> _Lines:
    """Rows of the lines that hold an object each; a line that holds none is bad."""
    found, number, row = _Lines([], [], [], []), 0, 0
    data = text.data if b"\n" in text.data or b"\r" not in text.data else text.data.replace(b"\r", b"\n")
    for number, line in enumerate(io.BytesIO(data), start=1):
        if not line.strip():
            found.blank.append(number)
            continue
        row += 1
        if fault := _add(line, row, found):
            found.bad.append((row, fault))
            if row == 1 and not line.strip().startswith(b"{"):  # an array, or another format
                break
    while found.blank and found.blank[-1] == number:  # blank lines at the end are usual
        found.blank.pop()
        number -= 1
    return found


def _add(line: bytes, number: int, found: _Lines) -> str:
    """Add the row of a line; returns its fault, empty for none."""
    try:
        row = DECODER.decode(line.decode())
    except (ValueError, RecursionError) as e:
        if line.lstrip().startswith(b"{'"):
            return "is an object as Python writes it, not JSON: write each row by json.dumps"
        return f"is not JSON ({why_no_json(e)})"
    if not isinstance(row, dict):
        array = "; put the rows into one array, in a file that ends in .json" if isinstance(row, list) else ""
        return f"must be a JSON object, got {_shown(row)}{array}"
    if line.count(b"[") + line.count(b"{") > DEEPEST and deeper(row):
        return "is not JSON (it has brackets within brackets, more deeply than can be read)"
    if HALF.search(line) and not _is_text(row):
        return "has half a character, as of an emoji cut in two"
    found.rows.append(row)
    found.numbers.append(number)
    return ""


def _good(found: _Lines, text: Text, how: ReadAs, path: str, notes: Notes) -> tuple[list[Row], list[int] | None, int]:
    """Rows of a text with an object in each line, their numbers, and how many are left out."""
    if found.blank:
        are = "1 line is" if len(found.blank) == 1 else f"{len(found.blank)} lines are"
        notes.say(f"{path}: {are} blank and passed over (first: line {found.blank[0]}).")
    bad = list(found.bad)
    if text.holes:
        both = zip(found.numbers, found.rows, strict=True)
        holed = [number for number, row in both if UNREADABLE in json.dumps(row, ensure_ascii=False)]
        bad = sorted([*bad, *((number, "has bytes that cannot be read") for number in holed)])
    if not bad:
        return found.rows, None, 0
    numbers = [number for number, _ in bad]
    first, why = bad[0]
    more = places(numbers)
    what = f"{path}: row {first} {why}" + (f" ({len(bad)} such rows{more})" if more else "")
    if how.skip_bad and len(bad) <= FEW * (len(bad) + len(found.rows)):
        notes.say(f"Left out of {path}: {counted(len(bad), 'row')} (first: row {first} {why}{more}).", page="left-out")
    else:
        hint = "" if how.skip_bad or not found.rows else "; --skip-bad leaves out what cannot be read"
        notes.fault(f"{what}{hint}")
    left = set(numbers)
    kept = [(number, row) for number, row in zip(found.numbers, found.rows, strict=True) if number not in left]
    return [row for _, row in kept], [number for number, _ in kept], len(bad)


def _whole(data: bytes) -> Any:
    """Value of a text that is JSON as a whole, or several values one behind another; None of another."""
    text = data.decode()
    try:
        value = DECODER.decode(text)
        return value if not deeper(value) and _is_text(value) else None
    except (ValueError, RecursionError):
        pass
    values: list[Any] = []
    place = _behind_space(text, 0)
    try:
        while place < len(text):
            value, place = DECODER.raw_decode(text, place)
            values.append(value)
            place = _behind_space(text, place)
    except (ValueError, RecursionError):
        return None
    arrays = all(isinstance(value, list) and not any(isinstance(each, dict) for each in value) for value in values)
    alike = arrays or all(isinstance(value, dict) for value in values)
    return values if values and alike and not deeper(values) and _is_text(values) else None


def _behind_space(text: str, place: int) -> int:
    match = SPACE.match(text, place)
    return place if match is None else match.end()


def _ask_of_keys(rows: Sequence[Row], path: str, notes: Notes) -> None:
    """Ask about names of columns that stand for each other, as two spellings of one do."""
    counts = Counter(key for row in rows for key in row)
    full = [key for key, count in counts.items() if count == len(rows)]
    partial = [key for key in counts if key not in full]
    for rare in sorted(partial, key=lambda key: counts[key])[:20]:
        for usual in partial:
            if (counts[usual], usual) <= (counts[rare], rare) or counts[usual] + counts[rare] > len(rows):
                continue
            alike = usual.strip().casefold() == rare.strip().casefold()
            if not alike and difflib.SequenceMatcher(None, usual, rare).ratio() < ALIKE:
                continue
            if not any(usual in row and rare in row for row in rows):
                first = next(number for number, row in enumerate(rows, start=1) if rare in row)
                where = f"in {counted(counts[rare], 'row')} (first: row {first})"
                notes.ask(
                    f"{path}: {where} stands {rare!r} where others have {usual!r}",
                    f"rename {rare!r} in the file",
                    page="header",
                )


def _shown(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= SHOWN else shown[:SHOWN] + "…"


def _is_text(value: Any) -> bool:
    """Whether a value's text can be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
