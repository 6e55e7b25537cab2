"""Columns of a table, and the label that a cell holds."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tutelage.data.errors import DataError
from tutelage.data.nearest import SHORT, nearest

WHOLE = re.compile(r"-?[0-9]+\.0")
"""Pattern of a whole number with ".0", as csv files hold it where the column has empty cells."""
MOST = 20
"""Number of columns that a message names, at most."""
LABEL = 60
"""Number of characters of a label that a message shows, at most."""
SHAPE = re.compile("polygon|rectangle|ellipse|keypoint|vector")
"""Pattern of Label Studio's words for labels of shapes in images."""
WORDS = 5
"""Number of words from which on a name of a column is rather a text."""


def column(table: pd.DataFrame, name: str, path: str | Path) -> pd.Series:
    """Column of a table by name, (n,).

    Args:
        table: the table.
        name: name of the column.
        path: file of the table, for the message.

    Raises:
        DataError: there is no such column; the message names the others, and the nearest of them; or its labels are of
            a sort that is not read.
    """
    if name not in table.columns and (held := table.attrs.get("unread", {}).get(name)):
        out = "; draw them as masks, one PNG of class numbers for each image" if SHAPE.match(held) else ""
        raise DataError(f"{path}: labels of {name!r} are {held}, which are not read{out}")
    if name not in table.columns:
        raise DataError(f"{path}: {no_column(name, [str(other) for other in table.columns])}")
    return table[name]


def no_column(name: str, others: Sequence[str]) -> str:
    """Phrase that there is no such column: the first columns that there are, and the nearest one.

    Args:
        name: name of the column that was looked for.
        others: names of the columns.

    >>> no_column("label", ["text", "Label "])
    "no column 'label'; it has 'text', 'Label '; the nearest is 'Label '"
    """
    shown = ", ".join(map(repr, others[:MOST])) + (f" and {len(others) - MOST} more" if len(others) > MOST else "")
    if hint := separator_hint(name, others):
        return f"no column {name!r}; it has {shown}{hint}"
    if near := nearest(name, others, SHORT):
        return f"no column {name!r}; it has {shown}; the nearest is {near!r}"
    long = any(len(other.split()) > WORDS for other in others)
    hint = "; if its first line is a row, --columns NAME,NAME names the columns" if long else ""
    return f"no column {name!r}; it has {shown}{hint}"


def separator_hint(name: str, others: Sequence[str]) -> str:
    """Advice that names the separator of a file, where its only column holds a name beside another; else empty.

    Args:
        name: name of the column that was looked for.
        others: names of the columns.

    >>> separator_hint("label", ["text~label"]), separator_hint("label", ["labels"])
    ("; if '~' separates its cells, say --separator '~'", '')
    """
    if len(others) != 1 or name == others[0]:
        return ""
    if name in others[0].split():
        return "; if blanks separate its cells, say --separator space"
    found = re.search(rf"^{re.escape(name)}([^\w\s.-])|([^\w\s.-]){re.escape(name)}(?:\2|$)", others[0])
    sign = repr(found[1] or found[2]) if found else ""
    return f"; if {sign} separates its cells, say --separator {sign}" if sign else ""


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


def noun(value: object) -> str:
    """Noun for the value of a cell, for messages.

    >>> noun([1]), noun({}), noun("a"), noun(3), noun(True), noun(b"x"), noun(None)
    ('a list', 'an object', 'text', 'a number', 'a truth value', 'bytes', 'nothing')
    """
    nouns: tuple[tuple[Any, str], ...] = (
        (str, "text"), ((bytes, bytearray, memoryview), "bytes"), ((bool, np.bool_), "a truth value"),
        ((int, float, complex, np.number), "a number"), ((list, tuple, set, frozenset, np.ndarray), "a list"),
        (Mapping, "an object"), (type(None), "nothing"),
    )  # fmt: skip
    return next((word for kinds, word in nouns if isinstance(value, kinds)), "a date or another value")


def brief(text: str) -> str:
    """A text in one line, of which only the beginning is shown where it is long, so that a label fits into a sentence.

    >>> brief("food"), len(brief("a text" * 99))
    ('food', 61)
    """
    line = " ".join(text.splitlines()) if "\n" in text or "\r" in text else text
    return line if len(line) <= LABEL else line[:LABEL] + "…"


def quoted(value: object) -> str:
    """A label as Python writes it: a text in quotation marks, of which only the beginning is shown where it is long.

    >>> quoted("food"), quoted(3)
    ("'food'", '3')
    """
    return repr(brief(value) if isinstance(value, str) else value)


def why_no_json(error: Exception) -> str:
    """Words on what is wrong with a text that is not JSON.

    Args:
        error: what the decoder of JSON raised.

    >>> why_no_json(RecursionError())
    'it has brackets within brackets, more deeply than can be read'
    """
    if isinstance(error, RecursionError):
        return "it has brackets within brackets, more deeply than can be read"
    if "set_int_max_str_digits" in str(error):
        return f"it has a whole number of more than {sys.get_int_max_str_digits():,} digits"
    return str(error)


def python_value(text: str) -> Any:
    r"""Value that a text writes as Python does.

    Args:
        text: the text; signs behind a backslash that Python does not know stay as they are, without a warning.

    Raises:
        ValueError: the text writes no value.

    >>> python_value("['a', 1]"), python_value(r"['a\,']")
    (['a', 1], ['a\\,'])
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as e:
            raise ValueError(f"no value of Python: {text[:60]!r}") from e
