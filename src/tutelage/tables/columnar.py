"""Files that hold a table column by column: parquet, feather and arrow files, and folders of saved data sets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from tutelage.data.errors import DataError, damage
from tutelage.tables.expanding import require_arrow, require_parquet, require_rows
from tutelage.tables.headers import names_of
from tutelage.tables.how import ReadAs
from tutelage.tables.notes import Notes
from tutelage.tables.seen import Found

STATE, SPLITS, FEATURES = "state.json", "dataset_dict.json", b"huggingface"
"""File that marks a saved data set, file that marks one of several splits, and the key of a schema's features."""
TRAIN = "train"
"""Split that is read where the user names none."""


READING = (
    pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, MemoryError,
    RecursionError,
)  # fmt: skip
"""Errors of the libraries that read these files, where one is damaged."""


def read_columns(data: bytes | pa.Buffer, ending: str, path: str) -> Found:
    """The table in a parquet, feather or arrow file.

    Args:
        data: bytes of the file.
        ending: ending of the file's name.
        path: the file, for messages.

    Raises:
        DataError: the file is damaged.
    """
    try:
        return _parquet(data, path) if ending == ".parquet" else _found(_arrow(data, path), "arrow", path)
    except READING as e:
        if isinstance(e, DataError):
            raise
        raise DataError(f"{path}: not readable as {ending[1:]} ({_damage(e)})") from e


def _damage(error: BaseException) -> str:
    """Words on what is wrong with a damaged file."""
    if isinstance(error, (KeyError, TypeError, AttributeError, IndexError)):
        return "a part of it is missing or of another form; save it again"
    return damage(error)


def is_saved(path: Path) -> bool:
    """Whether a folder holds a data set as the library `datasets` saves it, with splits or without."""
    return path.is_dir() and any((path / name).is_file() for name in (STATE, SPLITS))


def read_saved(path: Path, how: ReadAs, notes: Notes) -> Found:
    """The table in a folder of a saved data set.

    Args:
        path: the folder.
        how: how files are read; its sheet names one of several splits.
        notes: takes what is noticed.

    Raises:
        DataError: a file is missing or damaged, or there is no such split.
    """
    try:
        saved = Saved.at(path, how, notes)
        found = _found(saved.rows(0, len(saved)), "datasets", str(path), saved.features)
    except READING as e:
        if isinstance(e, DataError):
            raise
        raise DataError(f"{path}: not readable as a saved data set ({_damage(e)})") from e
    return Found(found.frame, found.format, None, {**found.facts, "member": saved.split})


@dataclass(frozen=True)
class Saved:
    """A saved data set, whose files are mapped into memory.

    Attributes:
        table: rows of all its files.
        chosen: numbers of the rows that the data set has of these, in its order; None: it has all.
        features: type of each column, as the library `datasets` writes it.
        split: name of the split; empty of a data set without splits.
    """

    table: pa.Table
    chosen: pa.ChunkedArray | None
    features: Mapping[str, Any]
    split: str

    @staticmethod
    def at(path: Path, how: ReadAs, notes: Notes) -> Saved:
        """The data set of a folder; see `read_saved` for the arguments and errors."""
        split = ""
        if (path / SPLITS).is_file():
            splits = json.loads((path / SPLITS).read_text("utf-8"))["splits"]
            split = _split(path, splits, how, notes)
        folder = path / split
        state = json.loads((folder / STATE).read_text("utf-8"))
        table = pa.concat_tables([_mapped(folder / file["filename"]) for file in state["_data_files"]])
        chosen = state.get("_indices_data_files") or state.get("_indices_files")
        rows = pa.concat_tables([_mapped(folder / file["filename"]) for file in chosen]).column(0) if chosen else None
        return Saved(table, rows, _features_in(folder), split)

    def __len__(self) -> int:
        return self.table.num_rows if self.chosen is None else len(self.chosen)

    def rows(self, start: int, count: int) -> pa.Table:
        """Some rows, from a number on."""
        if self.chosen is None:
            return self.table.slice(start, count)
        return self.table.take(self.chosen.slice(start, count))


def block_of(table: pa.Table, form: str, path: str, features: Mapping[str, Any] | None = None) -> Found:
    """Rows of a file of columns, checked as those of a whole file are.

    Args:
        table: the rows.
        form: name of the format.
        path: the file, for messages.
        features: type of each column as the library `datasets` writes it; None looks for it in the table.

    Raises:
        DataError: the rows are damaged.
    """
    try:
        return _found(table, form, path, features)
    except READING as e:
        if isinstance(e, DataError):
            raise
        raise DataError(f"{path}: not readable as {form} ({_damage(e)})") from e


def class_names(features: Mapping[str, Any]) -> dict[str, list[str]]:
    """Names of the classes by column, in the order of their numbers, as the library `datasets` writes them.

    Args:
        features: type of each column; a class, or a list of classes, has its names.

    >>> class_names({"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}, "text": {"_type": "Value"}})
    {'label': ['neg', 'pos']}
    """
    found = {}
    for name, kind in features.items():
        if names := _names_in(kind):
            found[str(name)] = names
    return found


def _names_in(kind: Any) -> list[str]:
    """Names of the classes in a column's type, also where it is a list of classes; empty where it is none."""
    if isinstance(kind, list):
        return _names_in(kind[0]) if kind else []
    if not isinstance(kind, dict):
        return []
    if kind.get("_type") == "ClassLabel" and isinstance(kind.get("names"), list):
        return [str(each) for each in kind["names"]]
    return _names_in(kind.get("feature"))


def _parquet(data: bytes | pa.Buffer, path: str) -> Found:
    from pyarrow import parquet

    schema = parquet.read_schema(pa.BufferReader(data))
    names_of(schema.names, path)  # refuses equal names
    require_parquet(data, len(data), path)
    frame = pd.read_parquet(pa.BufferReader(data)).rename(columns=str)  # a data frame may have numbers for names
    whole = [field.name for field in schema if pa.types.is_integer(field.type) and field.name in frame.columns]
    if torn := [name for name in whole if pd.api.types.is_float_dtype(frame[name].dtype)]:  # some cells are empty
        frame = _with_whole_numbers(frame, parquet.read_table(pa.BufferReader(data), columns=torn))
    return _found(frame, "parquet", path, _features(schema))


def _with_whole_numbers(frame: pd.DataFrame, table: pa.Table) -> pd.DataFrame:
    """The frame with whole numbers of a table as such, though cells are empty: as floats large ones would be others."""
    for name in table.column_names:
        column = table[name]
        if pa.types.is_integer(column.type) and column.null_count:
            frame[name] = column.to_pandas(integer_object_nulls=True).to_numpy()
    return frame


def _arrow(data: bytes | pa.Buffer, path: str) -> pa.Table:
    """Table of an arrow file, or of a stream of arrow tables."""
    require_arrow(data, len(data), path)
    try:
        table = pa.ipc.open_file(pa.BufferReader(data)).read_all()
    except pa.ArrowInvalid:
        table = pa.ipc.open_stream(pa.BufferReader(data)).read_all()
    require_rows(table.num_rows, table.num_columns, len(data), path)
    return table


def _mapped(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as held:
        return pa.ipc.open_stream(held).read_all()


def _found(table: pa.Table | pd.DataFrame, form: str, path: str, features: Mapping[str, Any] | None = None) -> Found:
    if isinstance(table, pa.Table):
        names_of(table.schema.names, path)
        table.validate(full=True)  # a damaged file may hold texts that are none
        features = features or _features(table.schema)
        table = _with_whole_numbers(table.to_pandas().rename(columns=str), table)
    classes = class_names(features or {})
    for name in table.columns:
        if isinstance(table[name].dtype, pd.StringDtype):
            pa.array(table[name].array).validate(full=True)
        if isinstance(table[name].dtype, pd.CategoricalDtype):
            classes.setdefault(name, [str(each) for each in table[name].cat.categories])
    return Found(table, form, None, {"classes": classes})


def _features(schema: pa.Schema) -> Mapping[str, Any]:
    """Types of the columns that the library `datasets` keeps in a schema; empty where there are none."""
    try:
        found = json.loads((schema.metadata or {})[FEATURES])["info"]["features"]
    except (KeyError, ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _features_in(folder: Path) -> Mapping[str, Any]:
    """Types of the columns of a saved data set; empty where it has no file of them."""
    try:
        found = json.loads((folder / "dataset_info.json").read_text("utf-8"))["features"]
    except (OSError, KeyError, ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _split(path: Path, splits: list[str], how: ReadAs, notes: Notes) -> str:
    if how.sheet is not None and how.sheet not in splits:
        raise DataError(f"{path}: no split {how.sheet!r}; it has {', '.join(map(repr, splits))}")
    if how.sheet is not None or len(splits) == 1:
        return how.sheet or splits[0]
    if TRAIN not in splits:
        raise DataError(f"{path}: several splits, {', '.join(splits)}; name the folder of one, {path / splits[0]}")
    others = [split for split in splits if split != TRAIN]
    notes.ask(
        f"{path}: of the splits {', '.join(splits)}, {TRAIN!r} is read",
        f"--sheet={TRAIN} says so",
        f"name the folder of another one, such as {path / others[0]}",
        page="file-parts",
    )
    return TRAIN
