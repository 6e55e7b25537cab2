"""Tables of rows of numbers: columns of numbers, a column of lists of numbers, or arrays of an npz file."""

from __future__ import annotations

import datetime
import zipfile
import zlib
from collections.abc import Hashable, Sequence
from numbers import Real
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32

from tutelage.modalities.rows.decimals import with_points
from tutelage.tables import UNHEARD, DataError, Notes, ReadAs, no_column, read

NPZ = ".npz"
"""Ending of a file of numpy arrays."""

TIMES = (datetime.date, datetime.time, datetime.timedelta)
"""Types of cells that pandas would turn into numbers without a word."""

ALL = "all"
"""Word that stands for every column without labels."""


def is_unnamed(column: str) -> bool:
    """Whether a column has no name, such as the index that pandas writes."""
    return not column.strip() or column.startswith("Unnamed: ")


def feature_columns(
    columns: Sequence[Hashable], features: Sequence[str], path: str | Path, others: Sequence[str | None] = ()
) -> list[str]:
    """Names of the columns of features.

    Args:
        columns: names of the table's columns.
        features: names of columns; or one word: a name, names separated by commas, a prefix of names, or "all" for
            every other column.
        path: file of the table, for messages.
        others: columns that are no features, also where they have the prefix: those of the labels.

    Raises:
        DataError: there is no such column, or a named column holds labels.

    >>> feature_columns(["id", "x1", "x2", "y"], ["x"], "t.csv"), feature_columns(["a", "b", "y"], ["all"], "", ["y"])
    (['x1', 'x2'], ['a', 'b'])
    """
    have = [str(c) for c in columns]
    asked = list(features)
    if len(asked) == 1 and asked[0] not in have:
        (word,) = asked
        able = [c for c in have if c not in others and not (word == ALL and is_unnamed(c))]
        if word == ALL:
            if not able:
                raise DataError(f"{path}: no column is left for the features; it has {', '.join(map(repr, have))}")
            return able
        begin = [c for c in able if word and c.startswith(word)]
        asked = begin or word.split(",")
    twice = [name for i, name in enumerate(asked) if name in asked[:i]]
    if twice:
        raise DataError(f"{path}: column {twice[0]!r} is named twice among the features")
    missing = [name for name in asked if name not in have]
    if missing:
        name, rest = missing[0], ", ".join(map(repr, have))
        begins = f", and none that begins with {name!r}" if len(features) == 1 else ""
        blanks = "; if blanks separate its cells, say --separator space"
        hint = blanks if len(have) == 1 and name in have[0].split() else ""
        raise DataError(f"{path}: no column {name!r}{begins}; it has {rest}{hint}")
    labels = [name for name in asked if name in others]
    if labels:
        raise DataError(f"{path}: column {labels[0]!r} is of the labels, so it cannot be a feature")
    return asked


def read_features(
    table: pd.DataFrame,
    features: Sequence[str],
    path: str | Path,
    others: Sequence[str | None] = (),
    exact: bool = False,
    notes: Notes = UNHEARD,
) -> Float32[np.ndarray, "n d"]:
    """Features of a table's n rows, (n, d), float32.

    Args:
        table: table, as `tutelage.tables.read_table` gives it.
        features: names of columns, as `feature_columns` takes them. The cells of a single column may be lists of equal
            length, also as text: numbers separated by commas or spaces, in brackets or not.
        path: file of the table, for messages.
        others: columns that are no features: those of the labels.
        exact: whether the names are those of columns, not prefixes.
        notes: takes what is noticed, such as decimal commas.

    Raises:
        DataError: there is no such column; a cell holds no numbers, or one that is not finite; or lists differ in
            length.

    >>> read_features(pd.DataFrame({"x": ["[1, 2.5]", "3 4"]}), ["x"], "t.csv").tolist()
    [[1.0, 2.5], [3.0, 4.0]]
    """
    if exact and features[0] not in table.columns:
        raise DataError(f"{path}: {no_column(features[0], [str(c) for c in table.columns])}")
    names = feature_columns(list(table.columns), features, path, others)
    table = with_points(table, names, path, notes)
    if len(names) == 1:
        rows = [_numbers(cell, _place(path, row, names[0])) for row, cell in enumerate(table[names[0]], start=1)]
        for row, numbers in enumerate(rows, start=1):
            if len(numbers) != len(rows[0]):
                raise DataError(f"{_place(path, row, names[0])}: {len(numbers)} numbers, but {len(rows[0])} in row 1")
        found = np.stack(rows)
    else:
        found = np.stack([_column(table[c], path, c) for c in names], axis=1)
    wrong = np.argwhere(~np.isfinite(found))
    if len(wrong):
        row, j = wrong[0].tolist()
        # a single column of lists has one name for all its features
        raise DataError(f"{_place(path, row + 1, names[j % len(names)])}: a feature is {found[row, j]}, not finite")
    return found


def _place(path: str | Path, row: int, name: str) -> str:
    return f"{path}, row {row}, column {name!r}"


def _numbers(cell: object, place: str) -> Float32[np.ndarray, " d"]:
    """Numbers of a cell that holds a list, or a text of numbers, (d,)."""
    cell = [cell] if isinstance(cell, Real) else cell
    parts = cell.strip(" []()").replace(",", " ").split() if isinstance(cell, str) else cell
    if not isinstance(parts, (list, tuple, np.ndarray)) or not len(parts):
        raise DataError(f"{place}: not a list of numbers but {str(cell)[:60]!r}")
    try:
        with np.errstate(over="ignore"):
            found = np.asarray(parts, dtype=np.float64).astype(np.float32)
    except (ValueError, TypeError) as e:
        raise DataError(f"{place}: not a list of numbers but {str(cell)[:60]!r}") from e
    if found.ndim != 1:
        raise DataError(f"{place}: a list of lists; each row must be one list of numbers")
    return found


def _column(cells: pd.Series, path: str | Path, name: str) -> Float32[np.ndarray, " n"]:
    times = cells.dtype.kind in "mM" or (cells.dtype == object and cells.map(lambda v: isinstance(v, TIMES)).any())
    if times:
        raise DataError(f"{path}, column {name!r}: times, not numbers; say in numbers what matters about them")
    numbers = pd.to_numeric(cells, errors="coerce")
    bad = np.flatnonzero(numbers.isna().to_numpy() & ~cells.isin(["nan", "NaN"]).to_numpy())
    if len(bad):
        row = int(bad[0])
        raise DataError(f"{_place(path, row + 1, name)}: not a number but {str(cells.iloc[row])[:60]!r}")
    with np.errstate(over="ignore"):
        return numbers.to_numpy(dtype=np.float64).astype(np.float32)


def _arrays(path: Path, wanted: Sequence[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Those of the wanted arrays that an npz file has, by name, and the names of all its arrays.

    Raises:
        DataError: the file is damaged, or a wanted array is.
    """
    try:
        with zipfile.ZipFile(path) as file:
            names = [name.removesuffix(".npy") for name in file.namelist()]
            found = {}
            for name in filter(names.__contains__, wanted):
                found[name] = _array(file, name, path)
            return found, names
    except (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as e:
        raise DataError(f"{path}: not readable as npz ({e})") from e


def _array(file: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    try:
        with file.open(f"{name}.npy") as held:
            found: np.ndarray = np.lib.format.read_array(held, allow_pickle=False)
            return found
    except (ValueError, KeyError, zlib.error) as e:
        hint = "it holds objects of Python; save it as texts or numbers" if "Object arrays" in str(e) else str(e)
        raise DataError(f"{path}, array {name!r}: not readable ({hint})") from e


def read_row_table(
    path: str | Path, how: ReadAs, notes: Notes, features: str, label: str | None = None, must_have: bool = True
) -> pd.DataFrame:
    """Table of rows of numbers. The arrays of an npz file become columns; the features become a column of lists.

    Args:
        path: csv, tsv, jsonl, parquet or npz file.
        how: how files are read.
        notes: takes what is noticed.
        features: name of an npz file's array of features, (n, d).
        label: name of an npz file's array of labels, (n,); None reads none.
        must_have: whether the array of labels must exist.

    Raises:
        DataError: as `tutelage.tables.read_table`; or the npz file is damaged, lacks an array, or has one of
            another shape.
    """
    path = Path(path)
    if path.suffix.lower() != NPZ or not path.exists():
        return read(path, how, notes).frame
    arrays, names = _arrays(path, [features, *([] if label is None else [label])])
    for name in (features, label if must_have else None):
        if name is not None and name not in arrays:
            raise DataError(f"{path}: no array {name!r}; it has {', '.join(map(repr, names))}")
    x = arrays[features]
    if x.ndim != 2 or not len(x) or x.dtype.kind not in "fiub":
        raise DataError(
            f"{path}, array {features!r}: must be numbers of shape (n, d), got {x.dtype} of shape {x.shape}"
        )
    table = pd.DataFrame({features: list(x)})
    if label is not None and label in arrays:
        y = arrays[label]
        if y.shape != (len(x),):
            raise DataError(f"{path}, array {label!r}: must be of shape ({len(x)},), got {y.shape}")
        table[label] = y
    return table
