"""Tables of rows of numbers: columns of numbers, a column of lists of numbers, or arrays of an npz file."""

from __future__ import annotations

import datetime
import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Hashable, Sequence
from numbers import Real
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np
import pandas as pd
from jaxtyping import Float32

from tutelage.data.errors import damage
from tutelage.modalities.rows.faults import Faults
from tutelage.tables import UNHEARD, DataError, Notes, ReadAs, bounds, no_column, read, require_regular, separator_hint
from tutelage.tables.decimals import with_points
from tutelage.tables.seen import FileSeen

NPZ = ".npz"
"""Ending of a file of numpy arrays."""

TIMES = (datetime.date, datetime.time, datetime.timedelta)
"""Types of cells that pandas would turn into numbers without a word."""
SWITCHES = {"true": 1, "false": 0}
"""Numbers of the words, in small letters, that pandas and R write for truth."""

DAMAGED = (
    ValueError, KeyError, TypeError, SyntaxError, TokenError, zlib.error, EOFError, OverflowError, MemoryError,
    RecursionError,
)  # fmt: skip
"""Errors of numpy on the description of an array, and of the library that unpacks it, where a file is damaged."""

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
        no_feature = frozenset(others)
        able = [c for c in have if c not in no_feature and not (word == ALL and is_unnamed(c))]
        if word == ALL:
            if not able:
                raise DataError(f"{path}: no column is left for the features; it has {', '.join(map(repr, have))}")
            return able
        begin = [c for c in able if word and c.startswith(word)]
        asked = begin or word.split(",")
    twice = [name for name, count in Counter(asked).items() if count > 1]
    if twice:
        raise DataError(f"{path}: column {twice[0]!r} is named twice among the features")
    there = set(have)
    missing = [name for name in asked if name not in there]
    if missing:
        name, rest = missing[0], ", ".join(map(repr, have))
        begins = f", and none that begins with {name!r}" if len(features) == 1 else ""
        raise DataError(f"{path}: no column {name!r}{begins}; it has {rest}{separator_hint(name, have)}")
    labels = sorted(set(asked).intersection(filter(None, others)), key=asked.index)
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
    faults: Faults | None = None,
) -> Float32[np.ndarray, "n d"]:
    """Features of a table's n rows, (n, d), float32; NaN in rows that cannot be read and may be left out.

    Args:
        table: table, as `tutelage.tables.read_table` gives it.
        features: names of columns, as `feature_columns` takes them. The cells of a single column may be lists of equal
            length, also as text: numbers separated by commas or spaces, in brackets or not.
        path: file of the table, for messages.
        others: columns that are no features: those of the labels.
        exact: whether the names are those of columns, not prefixes.
        notes: takes what is noticed, such as decimal commas.
        faults: takes cells without a number, and says whether their rows may be left out; None allows none.

    Raises:
        DataError: there is no such column; a cell holds no numbers, or one that is not finite; or lists differ in
            length.

    >>> read_features(pd.DataFrame({"x": ["[1, 2.5]", "3 4"]}), ["x"], "t.csv").tolist()
    [[1.0, 2.5], [3.0, 4.0]]
    """
    if exact and features[0] not in table.columns:
        raise DataError(f"{path}: {no_column(features[0], [str(c) for c in table.columns])}")
    names = feature_columns(list(table.columns), features, path, others)
    if (plain := _of_numbers(table, names)) is not None:
        return plain
    table = _with_switches(with_points(table, names, path, notes), names, path, notes)
    faults = faults or Faults(path, range(1, len(table) + 1))
    if len(names) == 1:
        found = _lists(table[names[0]], names[0], faults)
    else:
        found = np.stack([_column(cells, path, str(name), faults) for name, cells in table[names].items()], axis=1)
    faults.settle(notes)
    return found


def _of_numbers(table: pd.DataFrame, names: Sequence[str]) -> Float32[np.ndarray, "n d"] | None:
    """Features of several columns of nothing but finite numbers, which need no look at each; None of others."""
    if len(names) < 2 or not all(isinstance(kind, np.dtype) and kind.kind in "fiu" for kind in table[names].dtypes):
        return None
    with np.errstate(over="ignore"):
        found: np.ndarray = table[names].to_numpy(dtype=np.float64).astype(np.float32)
    return found if np.isfinite(found).all() else None


def _with_switches(table: pd.DataFrame, names: Sequence[str], path: str | Path, notes: Notes) -> pd.DataFrame:
    """The table, with 1 and 0 in place of "True" and "False" in columns of nothing else but empty cells."""
    found = {}
    for name in names if len(names) > 1 else ():
        first = next((cell for cell in table[name] if not isinstance(cell, str) or cell.strip()), None)
        if isinstance(first, str) and first.strip().casefold() in SWITCHES:
            cells = table[name].astype(object)
            numbers = cells.map(lambda cell: SWITCHES.get(str(cell).strip().casefold()))
            empty = cells.map(lambda cell: isinstance(cell, str) and not cell.strip())
            if (numbers.notna() | empty).all():
                found[name] = cells.where(empty, numbers) if empty.any() else numbers.astype(float)
    if found:
        columns = f"column {next(iter(found))!r}" if len(found) == 1 else f"{len(found)} columns"
        notes.say(f"{path}: {columns} of True and False, read as 1 and 0.")
    return table.assign(**found)


def _lists(cells: pd.Series, name: str, faults: Faults) -> Float32[np.ndarray, "n d"]:
    """Numbers of a column of lists, or of texts of numbers, (n, d)."""
    rows: dict[int, np.ndarray] = {}
    for row, cell in enumerate(cells):
        try:
            rows[row] = _numbers(cell)
        except DataError as fault:
            faults.add(name, row, str(fault))
    usual = Counter(map(len, rows.values())).most_common(1)
    first = next((row for row, numbers in rows.items() if len(numbers) == usual[0][0]), 0)
    others = [row for row, numbers in rows.items() if len(numbers) != len(rows[first])]
    if 2 * len(others) > len(cells):
        raise DataError(
            f"{faults.path}, column {name!r}: {len(others):,} of {len(cells):,} rows have not as many numbers as row "
            f"{faults.rows[first]}, {len(rows[first])} (the first: row {faults.rows[others[0]]}, "
            f"{len(rows[others[0]])}); give each row as many, such as by cutting or padding"
        )
    for row, numbers in list(rows.items()):
        if len(numbers) != len(rows[first]):
            faults.add(name, row, f"{len(numbers)} numbers, but {len(rows[first])} in row {faults.rows[first]}")
            del rows[row]
        elif not np.isfinite(numbers).all():
            faults.add(name, row, f"a feature is {numbers[~np.isfinite(numbers)][0]}, not finite")
    missing = np.full(len(rows[first]) if rows else 1, np.nan, dtype=np.float32)
    return np.stack([rows.get(row, missing) for row in range(len(cells))])


def _numbers(cell: object) -> Float32[np.ndarray, " d"]:
    """Numbers of a cell that holds a list, or a text of numbers, (d,)."""
    cell = [cell] if isinstance(cell, Real) else cell
    parts = cell.strip(" []()").replace(",", " ").split() if isinstance(cell, str) else cell
    if not isinstance(parts, (list, tuple, np.ndarray)) or not len(parts):
        raise DataError(f"not a list of numbers but {str(cell)[:60]!r}")
    try:
        with np.errstate(over="ignore"):
            found = np.asarray(parts, dtype=np.float64).astype(np.float32)
    except OverflowError as e:  # a whole number of JSON, of hundreds of digits
        raise DataError("a feature is inf, not finite") from e
    except (ValueError, TypeError) as e:
        raise DataError(f"not a list of numbers but {str(cell)[:60]!r}") from e
    if found.ndim != 1:
        raise DataError("a list of lists; each row must be one list of numbers")
    return found


def _column(cells: pd.Series, path: str | Path, name: str, faults: Faults) -> Float32[np.ndarray, " n"]:
    times = cells.dtype.kind in "mM" or (cells.dtype == object and cells.map(lambda v: isinstance(v, TIMES)).any())
    if times:
        raise DataError(f"{path}, column {name!r}: times, not numbers; say in numbers what matters about them")
    try:
        found = pd.to_numeric(cells, errors="coerce")
    except OverflowError:
        found = pd.to_numeric(cells.map(_as_float), errors="coerce")
    with np.errstate(over="ignore"):
        numbers = found.to_numpy(dtype=np.float64, na_value=np.nan).astype(np.float32)
    for row in np.flatnonzero(~np.isfinite(numbers)).tolist():
        cell = cells.iloc[row]
        number = not np.isnan(numbers[row]) or (isinstance(cell, str) and cell in ("nan", "NaN"))
        what = f"a feature is {numbers[row]}, not finite" if number else f"not a number but {str(cell)[:60]!r}"
        faults.add(name, row, what)
    return numbers


def _as_float(cell: object) -> object:
    """A cell; a whole number that no float holds, as JSON may have it, is infinite.

    >>> _as_float(10**400), _as_float(7), _as_float("7")
    (inf, 7, '7')
    """
    if not isinstance(cell, int) or isinstance(cell, bool):
        return cell
    try:
        float(cell)
    except OverflowError:
        return math.inf if cell > 0 else -math.inf
    return cell


def _arrays(path: Path, wanted: Sequence[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Those of the wanted arrays that an npz file has, by name, and the names of all its arrays.

    Raises:
        DataError: the file is damaged, or a wanted array is.
    """
    require_regular(path)
    try:
        with zipfile.ZipFile(path) as file:
            names = [name.removesuffix(".npy") for name in file.namelist()]
            found = {}
            for name in filter(names.__contains__, wanted):
                found[name] = _array(file, name, path)
            return found, names
    except (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as e:
        raise DataError(f"{path}: not readable as npz ({damage(e)})") from e


def _array(file: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    """Array of an npz file, after a check that the file holds as many bytes as its shape says."""
    here = f"{path}, array {name!r}"
    try:
        member = file.getinfo(f"{name}.npy")
        bounds.require(member.file_size, member.compress_size, here)
        with file.open(member) as held:
            _require_filled(held, member.file_size, here)
        with file.open(member) as held:
            found: np.ndarray = np.lib.format.read_array(held, allow_pickle=False)
            return found
    except DataError:
        raise
    except DAMAGED as e:
        hint = "it holds objects of Python; save it as texts or numbers" if "Object arrays" in str(e) else damage(e)
        raise DataError(f"{here}: not readable ({hint})") from e


def _require_filled(held: IO[bytes], size: int, here: str) -> None:
    """Check that an array is as large as its first bytes say, before memory is taken for it.

    Args:
        held: the array's file.
        size: its bytes.
        here: the array, for the message.

    Raises:
        DataError: it is not.
        ValueError: the first bytes are damaged.
    """
    version = np.lib.format.read_magic(held)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(held)
    needed = math.prod(shape) * kind.itemsize
    if not kind.hasobject and needed != size - held.tell():
        raise DataError(
            f"{here}: not readable (its first bytes say {math.prod(shape):,} values, which take {needed:,} bytes, but "
            f"it has {size - held.tell():,})"
        )


def read_row_table(
    path: str | Path, how: ReadAs, notes: Notes, features: str, label: str | None = None, must_have: bool = True
) -> tuple[pd.DataFrame, Sequence[int]]:
    """Table of rows of numbers, and the numbers of its rows in the file, from 1.

    The arrays of an npz file become columns; the features become a column of lists.

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
    path = path if isinstance(path, Path) else Path(path)  # a block of a table stays one
    if path.suffix.lower() != NPZ or not path.exists():
        found = read(path, how, notes)
        return found.frame, found.rows
    arrays, names = _arrays(path, [features, *([] if label is None else [label])])
    for name in (features, label if must_have else None):
        if name is not None and name not in arrays:
            raise DataError(f"{path}: no array {name!r}; it has {', '.join(map(repr, names))}")
    x = arrays[features]
    if x.ndim != 2 or not x.size or x.dtype.kind not in "fiub":
        raise DataError(
            f"{path}, array {features!r}: must be numbers of shape (n, d), got {x.dtype} of shape {x.shape}"
        )
    table = pd.DataFrame({features: list(x)})
    if label is not None and label in arrays:
        y = arrays[label]
        if y.shape != (len(x),):
            raise DataError(f"{path}, array {label!r}: must be of shape ({len(x)},), got {y.shape}")
        table[label] = y
    notes.saw(FileSeen(str(path), "npz", len(table), names))
    return table, range(1, len(table) + 1)
