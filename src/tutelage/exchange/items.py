"""Items in the rows of a tool's file: under which key they are, and whether they are texts or images."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from tutelage.data.errors import DataError
from tutelage.exchange.records import Record
from tutelage.exchange.rows import How, Row, text_in

TEXTS, IMAGES = ("text",), ("image", "images", "img", "filename", "path")
"""Keys under which tools have texts, and images."""
ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff")
"""Endings of names of images."""


def item_key(path: Path, rows: Sequence[Mapping[str, Any]], beside: Collection[str], how: How) -> str:
    """Key under which rows have their items.

    Args:
        path: the file, for messages.
        rows: the cells among which the items are, of each row.
        beside: keys that hold no items.
        how: how the file is read, which may name the key.

    Raises:
        DataError: none or several may be the key; the message says by which option it is named.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    if how.item is not None and how.item in names:
        return how.item
    usual = next((name for name in (*TEXTS, *IMAGES) if name in names), None)
    if usual is not None:
        return usual
    texts = [name for name in names if name not in beside and all(isinstance(row.get(name), str) for row in rows)]
    if len(texts) != 1:
        raise DataError(
            f"{path}: none of {', '.join(map(repr, names)) or 'no key'} is known to hold the items; name the one that "
            "does by --text or --images"
        )
    return texts[0]


def is_image(key: str, cell: str) -> bool:
    """Whether a cell holds the path or the address of an image, or an image itself.

    >>> is_image("photo", "pets/1.JPG"), is_image("text", "a.png is a file")
    (True, False)
    """
    return key in IMAGES or (key not in TEXTS and (cell.lower().endswith(ENDINGS) or cell.startswith("data:image/")))


def record_of(
    row: Row, cells: Mapping[str, Any], key: str, name: str, path: Callable[[str], str] = str
) -> Record:  # fmt: skip
    """Record of the item in a row, without answers.

    Args:
        row: the row.
        cells: the cells among which the item is.
        key: key of the item.
        name: name of the item's row; empty where it has none.
        path: function that makes the path of an image of its address.

    Raises:
        DataError: the row has no item.
    """
    if key not in cells or cells[key] is None:
        there = ", ".join(map(repr, cells)) or "nothing"
        raise row.fault(f"no item under {key!r}, as the other rows have; it has {there}")
    text = text_in(Row(row.place, cells), key)
    if is_image(key, text):
        return Record(image=path(text), id=name)
    return Record(text, id=name)
