"""Texts and their labels in a table; errors say the file, the row and the column."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tutelage.data.tables import DataError, as_label, column, read_table

LONGEST = 100_000
"""Characters; a longer text is more likely an unclosed quote than a text."""


@dataclass(frozen=True)
class Texts:
    """A column of texts and, when asked for, one of labels (None = unlabelled).

    ``rows`` are the rows' numbers in the file, from 1, the header not counted.
    """

    file: str
    texts: list[str]
    labels: list[str | None]
    rows: list[int]

    def __len__(self) -> int:
        return len(self.texts)

    def where(self, keep: np.ndarray) -> Texts:
        """The rows that the mask ``keep`` selects."""
        i = np.flatnonzero(keep)
        return Texts(self.file, [self.texts[j] for j in i], [self.labels[j] for j in i], [self.rows[j] for j in i])


def read_texts(path: str | Path, text: str, label: str | None = None, charset: str = "utf-8") -> Texts:
    """Read the texts, and the labels when a column is named, of a file.

    Args:
        text: name of the text column.
        label: name of the label column; None gives only unknown labels.

    Raises:
        DataError: as `read_table`; or no such column; or a cell of the text column holds no text.
    """
    return texts_of(read_table(path, charset), path, text, label)


def texts_of(table: pd.DataFrame, path: str | Path, text: str, label: str | None = None) -> Texts:
    """The texts, and the labels when a column is named, of a table that was read from a file."""
    cells = column(table, text, path)
    labels: list[str | None] = [None] * len(table)
    if label:
        labels = [as_label(v) for v in column(table, label, path)]
    texts = []
    for row, cell in enumerate(cells, start=1):
        if isinstance(cell, (list, dict, bytes, np.ndarray)):
            raise DataError(f"{path}, row {row}, column {text!r}: not text but {type(cell).__name__}")
        texts.append("" if as_label(cell) is None else str(cell))
    return Texts(str(path), texts, labels, list(range(1, len(texts) + 1)))


def require_good_texts(data: Texts, text: str) -> None:
    """Raise DataError at the first text that is empty or longer than LONGEST characters."""
    for row, t in zip(data.rows, data.texts, strict=True):
        fault = text_fault(t)
        if fault:
            raise DataError(f"{data.file}, row {row}, column {text!r}: {fault}")


def text_fault(text: str) -> str | None:
    """What is wrong with a text that should be learnt from, or None.

    >>> text_fault("  ")
    'the text is empty'
    """
    if not text.strip():
        return "the text is empty"
    if len(text) > LONGEST:
        return f"the text has {len(text):,} characters, more than {LONGEST:,}; is a quote unclosed?"
    return None
