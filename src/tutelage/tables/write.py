"""Tables written to files, whole or not at all."""

from __future__ import annotations

import csv
import json
import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
import pyarrow as pa

from tutelage.data.errors import DataError
from tutelage.files import clear_parts, written
from tutelage.tables.endings import ending_of, packing_of
from tutelage.tables.formulas import harmless
from tutelage.tables.packed import packed
from tutelage.tables.to_sheet import write_sheet

TEXTS = (".csv", ".tsv", ".jsonl", ".json")
"""Endings of the tables that are written as text, also with .gz or .zst behind it."""
WRITTEN = (*TEXTS, ".parquet", ".xlsx")
"""Endings of the tables that can be written."""
PACKED = ("gzip", "zstandard")
"""Compressions that tables of text can be written in."""


def write_table(table: pd.DataFrame, path: str | Path, new: bool = False) -> None:
    """Write a table in the format of the file's ending. Lists in cells of csv, tsv and xlsx files are written as JSON.

    Within `safe_cells`, csv and tsv files have an apostrophe before cells that look like formulas.

    Args:
        table: the table.
        path: file to write.
        new: whether it takes the place of no file.

    Raises:
        DataError: the ending is unknown, the folder is missing, or cells cannot be written in this format.
        FileExistsError: the file is to be new, and is there.
    """
    named = writable(path)
    path = named.resolve()
    if path.exists() and not path.is_file():  # a device or a pipe
        _write(table, path, ending_of(named), named.name)
        return
    clear_parts(path.parent, path.name)
    with written(path, new) as part:
        _write(table, part, ending_of(named), named.name)
        if packing := packing_of(named):
            part.write_bytes(packed(part.read_bytes(), packing))


def _write(table: pd.DataFrame, path: Path, kind: str, says: str) -> None:
    if kind == ".parquet":
        _typed(table).to_parquet(path, index=False)
    elif any(isinstance(cell, bytes) for name in table for cell in table[name][:100]):
        raise DataError(f"{path}: encoded images can be written to parquet only")
    elif kind in (".jsonl", ".json"):
        with open(path, "w", encoding="utf-8") as f:
            _as_records(table, f, kind == ".jsonl")
    elif kind == ".xlsx":
        write_sheet(list(table.columns), table.itertuples(index=False, name=None), path, says)
    else:
        _delimited(table, path, "\t" if kind == ".tsv" else ",")


def _as_records(table: pd.DataFrame, file: TextIO, lines: bool) -> None:
    """Write the rows as objects of JSON, a line each or in a list; numbers keep all their digits."""
    columns = {str(name): map(_in_json, table[name].tolist()) for name in table}
    texts = (
        json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, separators=(",", ":"))
        for row in zip(*columns.values(), strict=True)
    )
    if lines:
        file.writelines(f"{text}\n" for text in texts)
    else:
        file.write(f"[{','.join(texts)}]")


def _in_json(value: Any) -> Any:
    """A cell as a value that JSON can hold; None for what is missing, and for numbers that are not finite."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, list | tuple):
        return [_in_json(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _in_json(each) for name, each in value.items()}
    return value if isinstance(value, str | int | float | bool) else str(value)


def csv_of(table: pd.DataFrame) -> bytes:
    r"""The bytes of a csv file of a table, as `write_table` writes them.

    >>> csv_of(pd.DataFrame({"text": ["a soup"], "words": [["a", "soup"]]})).decode()
    'text,words\na soup,"[""a"", ""soup""]"\n'
    """
    return str(_delimited(table, None, ",")).encode()


def _delimited(table: pd.DataFrame, path: Path | None, separator: str) -> str | None:
    """Write a csv or tsv file; its text where no path is given."""
    whole = harmless(_flat(table))
    returns = any("\r" in str(cell) for name in whole.select_dtypes(exclude="number") for cell in whole[name])
    quoting: Any = csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL  # unquoted, a bare "\r" ends a line
    found: str | None = whole.to_csv(path, index=False, sep=separator, quoting=quoting)
    return found


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with JSON in the columns whose cells have no common type, such as [0, 3, "PER"]."""
    mixed = [name for name in table if table[name].dtype == object and not _has_type(table[name])]
    return table.assign(**{str(name): table[name].map(_as_json) for name in mixed})


def _has_type(cells: pd.Series) -> bool:
    try:
        pa.array(cells, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return False
    return True


def _as_json(cell: Any) -> str | None:
    return cell if cell is None or isinstance(cell, str) else json.dumps(cell, default=_plain, ensure_ascii=False)


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """The table with lists and dicts as JSON."""
    listed = [c for c in table if table[c].map(lambda v: isinstance(v, (list, dict, np.ndarray))).any()]
    flat: dict[str, Any] = {
        str(c): [None if _missing(v) else json.dumps(v, default=_plain, ensure_ascii=False) for v in table[c]]
        for c in listed
    }
    return table.assign(**flat)


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    """A numpy value as a value that JSON can hold."""
    return value.tolist()


def writable(path: str | Path) -> Path:
    """The path as a `Path`, after a check that a table can be written there.

    Raises:
        DataError: the ending is unknown, the folder is missing, or a package that writes the format is.
    """
    path = Path(path)
    packing = packing_of(path)
    if ending_of(path) not in WRITTEN or (packing and (packing not in PACKED or ending_of(path) not in TEXTS)):
        names, texts = ", ".join(WRITTEN), ", ".join(TEXTS)
        raise DataError(f"{path}: file name must end in one of {names}, also with .gz or .zst behind {texts}")
    if not path.parent.is_dir():
        raise DataError(f"{path.parent}: no such folder")
    if ending_of(path) == ".xlsx" and find_spec("openpyxl") is None:
        raise DataError(
            f"{path}: xlsx files are written by openpyxl: pip install 'tutelage[sheets]'; or name a csv file"
        )
    return path
