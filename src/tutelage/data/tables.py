"""Tables in csv, tsv, jsonl and parquet files. Errors name the file, the row and the column."""

from __future__ import annotations

import csv
import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tutelage.data.errors import DataError as DataError  # noqa: PLC0414 (re-exported)

FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")
"""Endings of the tables that can be read and written."""
SEPARATORS = {".csv": ",", ".tsv": "\t"}
"""Separator of the cells, by ending."""
WHOLE = re.compile(r"-?[0-9]+\.0")
"""Pattern of a whole number with ".0", as csv files hold it where the column has empty cells."""
HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""Pattern of a surrogate in JSON: half of a character beyond the first 65,536."""


def ending_of(path: Path) -> str:
    """Ending of a file's name, with its dot, in lower case."""
    return path.suffix.lower()


def read_table(path: str | Path, charset: str = "utf-8") -> pd.DataFrame:
    """Table of a csv, tsv, jsonl or parquet file. Cells of csv and tsv files stay texts.

    Args:
        path: the file.
        charset: character set of a csv, tsv or jsonl file.

    Raises:
        DataError: the file is missing, damaged or without rows, has an unknown ending, or is not in ``charset``.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: no such file{'' if path.suffix else ' or folder'}")
    if ending_of(path) not in FORMATS:
        raise DataError(f"{path}: file name must end in one of {', '.join(FORMATS)}")
    try:
        table = _read(path, charset)
    except UnicodeDecodeError as e:
        raise DataError(undecodable(path, charset, e)) from e
    except LookupError as e:
        raise DataError(f"charset {charset!r} is not known") from e
    except pd.errors.EmptyDataError as e:
        raise DataError(f"{path}: the file is empty") from e
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError, OSError) as e:
        if isinstance(e, DataError):
            raise
        raise DataError(f"{path}: not readable as {ending_of(path)[1:]} ({str(e).strip()})") from e
    if table.empty:
        raise DataError(f"{path}: the file has no rows")
    return table


def _read(path: Path, charset: str) -> pd.DataFrame:
    if ending_of(path) == ".parquet":
        return pd.read_parquet(path).rename(columns=str)  # a data frame may have numbers for names
    encoding = _encoding(charset)
    if ending_of(path) == ".jsonl":
        return pd.DataFrame(_json_lines(path, encoding))
    separator = SEPARATORS[ending_of(path)]
    first = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding=encoding, header=None, nrows=1)
    names = first.iloc[0].tolist()
    twice = [name for name in names if name and names.count(name) > 1]
    if twice:
        raise DataError(f"{path}: {names.count(twice[0])} columns are named {twice[0]!r}; each needs its own name")
    with warnings.catch_warnings():  # pandas would drop the cells of a first row wider than the header
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding=encoding, index_col=False)


def _encoding(charset: str) -> str:
    return "utf-8-sig" if charset.lower() in ("utf-8", "utf8") else charset


def _json_lines(path: Path, charset: str) -> list[dict[str, object]]:
    rows = []
    with open(path, encoding=charset) as f:
        for number, line in enumerate(f, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as e:
                raise DataError(f"{path}: row {number} is not JSON ({e})") from e
            if HALF.search(line) and not _whole(row):
                raise DataError(f"{path}: row {number} has half a character, as of an emoji cut in two")
            if not isinstance(row, dict):
                raise DataError(f"{path}: row {number} must be a JSON object, got {line.strip()[:40]}")
            rows.append(row)
    return rows


def _whole(value: object) -> bool:
    """Whether a value's text can be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def undecodable(path: Path, charset: str, error: UnicodeDecodeError) -> str:
    """Message that a file is not in a character set, with a guess at the right one."""
    from charset_normalizer import from_bytes

    with open(path, "rb") as f:
        head = f.read(1_000_000)
    guesses = [name for match in from_bytes(head) for name in match.could_be_from_charset]
    western = [name for name in guesses if name in ("cp1252", "latin_1")]  # by far the likeliest of those that fit
    guess = next(iter(western or guesses), "")
    hint = f"; it looks like {guess}: pass --charset {guess}" if guess else ""
    bad = error.object[error.start : error.start + 1].hex()
    return f"{path}: byte 0x{bad} is not {charset}{hint}"


def column_names(path: Path, charset: str = "utf-8") -> list[str]:
    """Names of the columns of the table in a file.

    Raises:
        DataError: as `read_table`.
    """
    if ending_of(path) not in SEPARATORS:
        return [str(c) for c in read_table(path, charset).columns]
    try:
        with open(path, encoding=_encoding(charset), newline="") as f:
            first = next(csv.reader(f, delimiter=SEPARATORS[ending_of(path)]), [])
    except (UnicodeDecodeError, LookupError, csv.Error):
        return [str(c) for c in read_table(path, charset).columns]  # which says what is wrong
    if not any(name.strip() for name in first):
        return [str(c) for c in read_table(path, charset).columns]
    return [name or f"Unnamed: {i}" for i, name in enumerate(first)]  # as pandas calls them


def column(table: pd.DataFrame, name: str, path: str | Path) -> pd.Series:
    """Column of a table by name, (n,).

    Args:
        table: the table.
        name: name of the column.
        path: file of the table, for the message.

    Raises:
        DataError: there is no such column; the message names those there are.
    """
    if name not in table.columns:
        raise DataError(f"{path}: no column {name!r}; it has {', '.join(map(repr, table.columns))}")
    return table[name]


def as_label(value: object) -> str | None:
    """Label of a cell, as text; None for an empty cell. Whole numbers have no ".0", so that all file formats agree.

    >>> as_label(3.0), as_label("3.0"), as_label(" spam "), as_label(""), as_label(float("nan"))
    ('3', '3', 'spam', None, None)
    """
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    label = str(value).strip()
    return (label[:-2] if WHOLE.fullmatch(label) else label) or None


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table in the format of the file's ending. Lists in cells of csv and tsv files are written as JSON.

    Raises:
        DataError: the ending is unknown, the folder is missing, or encoded images cannot be written in this format.
    """
    named = writable(path)
    path = named.resolve()
    if path.exists() and not path.is_file():  # a device or a pipe
        _write(table, path, ending_of(named))
        return
    part = path.with_name(path.name + ".part")  # a crash leaves the old file or the new one, never a half
    try:
        _write(table, part, ending_of(named))
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    part.replace(path)


def _write(table: pd.DataFrame, path: Path, kind: str) -> None:
    if kind == ".parquet":
        table.to_parquet(path, index=False)
    elif any(isinstance(cell, bytes) for name in table for cell in table[name][:100]):
        raise DataError(f"{path}: encoded images can be written to parquet only")
    elif kind == ".jsonl":
        with open(path, "w", encoding="utf-8") as f:
            table.to_json(f, orient="records", lines=True, force_ascii=False, double_precision=15)
    else:
        listed = [c for c in table if table[c].map(lambda v: isinstance(v, (list, dict, np.ndarray))).any()]
        cells = {str(c): [json.dumps(v, default=_plain, ensure_ascii=False) for v in table[c]] for c in listed}
        whole = table.assign(**cells)
        returns = any("\r" in str(cell) for name in whole.select_dtypes(exclude="number") for cell in whole[name])
        quoting: Any = csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL  # unquoted, a bare "\r" ends a line
        whole.to_csv(path, index=False, sep="\t" if kind == ".tsv" else ",", quoting=quoting)


def _plain(value: Any) -> Any:
    """A numpy value as a value that JSON can hold."""
    return value.tolist()


def writable(path: str | Path) -> Path:
    """The path as a `Path`, after a check that a table can be written there.

    Raises:
        DataError: the ending is unknown, or the folder is missing.
    """
    path = Path(path)
    if ending_of(path) not in FORMATS:
        raise DataError(f"{path}: file name must end in one of {', '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise DataError(f"{path.parent}: no such folder")
    return path
