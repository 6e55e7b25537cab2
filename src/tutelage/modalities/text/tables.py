"""Tables of texts and labels. Errors name the file, the row and the column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tutelage.tables import DataError, as_label, column
from tutelage.tables.cells import noun

LONGEST = 100_000
"""Number of characters of a text, at most; a longer one is more likely an unclosed quote than a text."""


@dataclass(frozen=True)
class Texts:
    """Texts of a table, with their labels.

    Attributes:
        file: name of the table's file.
        texts: n texts.
        labels: label of each text; None is unlabelled.
        rows: number of each text's row in the file, from 1, without the header.
    """

    file: str
    texts: list[str]
    labels: list[str | None]
    rows: list[int]

    def __len__(self) -> int:
        return len(self.texts)

    def where(self, keep: np.ndarray) -> Texts:
        """Texts that the mask ``keep``, (n,), selects."""
        i = np.flatnonzero(keep)
        return Texts(self.file, [self.texts[j] for j in i], [self.labels[j] for j in i], [self.rows[j] for j in i])


def texts_of(table: pd.DataFrame, path: str | Path, text: str, label: str | None = None) -> Texts:
    """Texts of a table, with their labels where a column is named.

    Args:
        table: the table, as `tutelage.tables.read_table` gives it.
        path: file of the table, for messages.
        text: name of the column of the texts.
        label: name of the column of the labels; None leaves all texts unlabelled.

    Raises:
        DataError: there is no such column, or a cell of the texts holds something else.
    """
    cells = column(table, text, path)
    labels: list[str | None] = [None] * len(table)
    if label:
        labels = [as_label(v) for v in column(table, label, path)]
    texts = []
    for row, cell in enumerate(cells, start=1):
        if isinstance(cell, (list, dict, bytes, np.ndarray)):
            raise DataError(f"{path}, row {row}, column {text!r}: not text but {noun(cell)}")
        texts.append("" if as_label(cell) is None else str(cell))
    return Texts(str(path), texts, labels, list(range(1, len(texts) + 1)))


def bad_texts(texts: Sequence[str]) -> dict[int, str]:
    """Faults of texts, by the number of the text, from 0; good ones have none.

    >>> bad_texts(["soup", " "])
    {1: 'the text is empty'}
    """
    return {i: fault for i, text in enumerate(texts) if (fault := text_fault(text))}


def text_fault(text: str) -> str | None:
    """Fault of a text that should be learnt from; None for a good text.

    >>> text_fault("  ")
    'the text is empty'
    """
    if not text.strip():
        return "the text is empty"
    if len(text) > LONGEST:
        return f"the text has {len(text):,} characters, more than {LONGEST:,}; is a quote unclosed?"
    return None
