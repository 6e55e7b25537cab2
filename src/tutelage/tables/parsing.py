"""Cells of rows that all have as many, parsed at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from tutelage.tables.dialects import Dialect

BLOCK = 1 << 24
"""Bytes that are parsed at once, at least."""


@dataclass(frozen=True)
class Cells:
    """Cells of a file.

    Attributes:
        header: cells of its header; None where it has none.
        frame: cells of its rows, in columns named by their numbers.
        rows: number of each row, from 1, (n,); None where every row was read.
        spanning, longer, blank, left_out: as those of `FileSeen`.
    """

    header: list[str] | None
    frame: pd.DataFrame
    rows: np.ndarray | None = None
    spanning: tuple[tuple[int, int, int], ...] = ()
    longer: int = 0
    blank: int = 0
    left_out: int = 0

    def where(self, keep: np.ndarray) -> Cells:
        """Cells of the rows that the mask ``keep``, (n,), selects; the others are left out."""
        if keep.all():
            return self
        rows = np.arange(1, len(keep) + 1) if self.rows is None else self.rows
        frame = self.frame[keep].reset_index(drop=True)
        return replace(self, frame=frame, rows=rows[keep], left_out=self.left_out + int((~keep).sum()))


def parsed(body: pa.Buffer, width: int, dialect: Dialect, longest: int = 0) -> pd.DataFrame:
    """Cells of rows that all have as many, in columns named by their numbers.

    Args:
        body: text of the rows, without a header.
        width: number of cells of each row.
        dialect: what separates and quotes the cells.
        longest: number of bytes of the longest row; 0 where it is not known.

    Raises:
        pa.ArrowInvalid: a row has another number of cells, or is longer than a block.
    """
    names = [str(i) for i in range(width)]
    if not body.size:
        return pd.DataFrame({name: pd.Series(dtype=str) for name in names})
    table = csv.read_csv(
        pa.BufferReader(body),
        csv.ReadOptions(column_names=names, block_size=max(BLOCK, 2 * longest)),
        csv.ParseOptions(
            delimiter=dialect.separator, quote_char=dialect.quote or False, newlines_in_values=bool(dialect.quote)
        ),
        csv.ConvertOptions(
            column_types={name: pa.large_string() for name in names}, strings_can_be_null=False, check_utf8=False
        ),
    )
    frame: pd.DataFrame = table.to_pandas()
    return frame
