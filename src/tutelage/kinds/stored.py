"""A pool that is read block by block, and lies on disk where it is too large for the memory."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutelage.data.columns import TEXTS, Columns, Form, folder_of
from tutelage.kinds.entries import Entries, InValues
from tutelage.kinds.on_disk import KEY, LABEL, Stored, blank
from tutelage.kinds.pool_folder import READ, folder_for, held_folder
from tutelage.kinds.pool_reading import Reading
from tutelage.tables import DataError, Notes, ReadAs, holds_table
from tutelage.tables.blocks import count_of_rows
from tutelage.tables.several import files_of, is_several

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

ROWS_IN_MEMORY = 200_000
"""Rows of the files of a pool, at most, that are held in memory; of more the items lie on disk.

A text of a pool takes some 3 KB while a fit holds it in memory, so that these are 600 MB.
"""

VALUES_A_BLOCK = 8192
"""Python values that are written to disk at once."""


def is_stored(kind: Kind, path: Path | None, how: ReadAs) -> bool:
    """Whether a pool is read block by block: several files, or one of more rows than are held in memory.

    Args:
        kind: kind of the data, with its options.
        path: file, folder or pattern; None where there is none.
        how: how files are read.
    """
    if path is None or not kind.stores:
        return False
    if is_several(path):
        return True
    return path.exists() and not kind.weak and holds_table(path) and count_of_rows(path, how) > ROWS_IN_MEMORY


def stored_pool(kind: Kind, path: Path, how: ReadAs, notes: Notes, before: int) -> Entries:
    """Entries of a pool that is read block by block.

    Args:
        kind: kind of the data, with its options.
        path: file, folder or pattern.
        how: how files are read.
        notes: takes what is noticed.
        before: number of items, at most, that are to come before these.

    Raises:
        DataError: a file cannot be read, has other columns than the first one, or changes meanwhile; or there is
            nothing to learn from in any of them.
        OSError: the disk is full; what was read stays, and the next time goes on behind it.
    """
    if kind.weak:
        raise DataError(
            f"{path}: votes, rules and a teacher speak of the rows of one file; join the files, or leave them out"
        )
    files = files_of(path)
    of = Reading(kind, path, files, how, notes)
    if sum(count_of_rows(file, how) for file in files) <= ROWS_IN_MEMORY:
        return of.in_memory()
    folder, hold = held_folder(folder_for(kind, path, how))
    try:
        return of.on_disk(folder / READ, before, hold)
    except BaseException:  # its traceback would keep the hold
        hold.end()
        raise


def stored_values(
    kind: Kind, values: Iterable[Any], argument: str, read: Callable[[list[Any]], Any], before: int
) -> Entries:  # fmt: skip
    """Entries of the items that a Python iterable gives, such as a streamed data set; it is gone through once.

    Up to ROWS_IN_MEMORY items are held in memory; more lie in a temporary folder, which is removed when Python ends.

    Args:
        kind: kind of the items.
        values: the items, one after the other; or records that hold one each.
        argument: name of the argument that they are given as, for messages.
        read: function that makes items of a list of values.
        before: number of items, at most, that are to come before these.

    Raises:
        ValueError: there is none, or a record holds several values of which none has the name of the kind's column.
    """
    places = {"item": argument, "label": "y", "votes": "votes"}
    given = (_value(kind, each, argument) for each in values)
    some = list(islice(given, ROWS_IN_MEMORY + 1))
    if len(some) <= ROWS_IN_MEMORY:
        items = read(some)
        return Entries(items, [None] * len(items), InValues(places, range(len(items))))
    folder = Path(tempfile.mkdtemp(prefix="tutelage-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    whole, held, free = chain(some, given), None, 0
    while block := list(islice(whole, VALUES_A_BLOCK)):
        items = read(block)
        if held is None:
            form = kind.stored_form(items)
            free = before if form.dtype != "text" else 0
            forms = {"item": form, KEY: Form("<u8"), LABEL: TEXTS}
            held = Columns(folder / READ, forms, {})
            held.append(blank(forms, free))
        held.append({"item": items, KEY: kind.stored_keys(items), LABEL: [""] * len(items)})
    assert held is not None
    held.finish()
    return Stored(held, InValues(places, range(len(held) - free)), False, free).entries()


def _value(kind: Kind, given: Any, argument: str) -> Any:
    """The item of a record; other values are items themselves."""
    if not isinstance(given, Mapping):
        return given
    name = kind.words.column if kind.words.column in given else next(iter(given), "") if len(given) == 1 else ""
    if not name:
        raise ValueError(
            f"{argument} gives records of {', '.join(map(repr, given))}; give the items alone, such as "
            f"(record[{next(iter(given), 'text')!r}] for record in data)"
        )
    return given[name]


def in_files(items: Any, path: Path) -> bool:
    """Whether the items of a pool lie on disk, or come of several files, which are known by their beginnings."""
    return folder_of(items) is not None or is_several(path)
