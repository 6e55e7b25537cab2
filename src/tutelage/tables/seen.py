"""What was seen of a file that holds a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from tutelage.tables.cells import brief

SHOWN = 12
"""Number of columns that are named at most."""


@dataclass(frozen=True)
class FileSeen:
    """What was seen of a file.

    Attributes:
        file: path of the file, as it was given.
        format: format that it was read as: "csv", "jsonl", "spreadsheet", "Label Studio" and the like.
        rows: number of rows that were read.
        columns: names of the columns.
        charset: character set of a text file; empty for others.
        marked: whether a text file begins with a byte order mark.
        packed: compression, "gzip", "zstandard", "bzip2", "xz" or "zip"; empty where there is none.
        separator, quote, escape: dialect of a csv or tsv file; empty where it has none of them.
        lines: number of lines of a text file, its header included; None for others. Of csv and tsv files they are the
            header's, the rows', those that rows are longer than a line, and those that are blank or left out.
        spanning: rows of a csv or tsv file that are longer than a line, at most 100 of them: row, first and last line,
            from 1.
        longer: number of lines by which rows are longer than a line, in all.
        blank: number of blank lines between the rows and behind them.
        left_out: number of rows that are left out, since they cannot be read or repeat the header.
        member: sheet of a spreadsheet, file within a zip, or split of a saved data set; empty for others.
        classes: names of the classes by column, as the file's own metadata have them, in the order of their numbers.
        made: sentence on how an export of another tool became rows and columns; empty where nothing was made.
    """

    file: str
    format: str
    rows: int
    columns: Sequence[str]
    charset: str = ""
    marked: bool = False
    packed: str = ""
    separator: str = ""
    quote: str = ""
    escape: str = ""
    lines: int | None = None
    spanning: Sequence[tuple[int, int, int]] = ()
    longer: int = 0
    blank: int = 0
    left_out: int = 0
    member: str = ""
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    made: str = ""

    def line(self) -> str:
        r"""What was seen, in a line.

        >>> FileSeen("a.csv", "csv", 64, ["text", "label"], "utf-8", separator=";", lines=65).line()
        "a.csv: csv, separator ';', utf-8, 65 lines; 64 rows, columns text, label."
        """
        named = {"\t": "tab"}.get(self.separator, repr(self.separator))
        parts = [
            self.format, self.packed, self.member and f"{self.member!r}", self.separator and f"separator {named}",
            self.quote and f"quotes {self.quote}", self.escape and f"escapes {self.escape}", self.charset,
            "a byte order mark" * self.marked,
            "" if self.lines is None or self.format == "json" else f"{self.lines:,} line{'s' * (self.lines != 1)}",
        ]  # fmt: skip
        rows = f"{self.rows:,} row{'s' * (self.rows != 1)}"
        columns = [
            *map(brief, self.columns[:SHOWN]),
            *([f"and {len(self.columns) - SHOWN} more"] * (len(self.columns) > SHOWN)),
        ]
        of = f", columns {', '.join(columns)}" if columns else ""
        return f"{self.file}: {', '.join(filter(None, parts))}; {rows}{of}."

    def as_dict(self) -> dict[str, Any]:
        """The facts as a summary holds them."""
        spanning = [list(lines) for lines in self.spanning]
        classes = {name: list(names) for name, names in self.classes.items()}
        return asdict(self) | {"columns": list(self.columns), "spanning": spanning, "classes": classes}


@dataclass(frozen=True)
class Found:
    """Rows that were read from a file of one format.

    Attributes:
        frame: cells.
        format: name of the format, as `FileSeen` has it.
        rows: number of each row in the file, from 1; None where every row was read.
        facts: further facts for `FileSeen`, by name.
    """

    frame: pd.DataFrame
    format: str
    rows: Sequence[int] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes:
        frame: cells, of which those of csv and tsv files and of spreadsheets are text; its index counts from 0.
        seen: what was seen of the file.
        rows: number of each row in the file, from 1, (n,); they have gaps where rows are left out.
    """

    frame: pd.DataFrame
    seen: FileSeen
    rows: Sequence[int]
