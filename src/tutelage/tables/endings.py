"""Endings of the names of files: the format of a table, and how it is packed."""

from __future__ import annotations

from pathlib import Path

SEPARATED = (".csv", ".tsv", ".tab", ".txt")
"""Endings of files whose lines are rows and whose cells are separated by a character."""
JSON = (".jsonl", ".ndjson", ".json")
"""Endings of files of JSON."""
SHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
"""Endings of spreadsheets."""
ARROW = (".parquet", ".feather", ".arrow")
"""Endings of files that hold a table column by column."""
PACKINGS = {".gz": "gzip", ".zst": "zstandard", ".bz2": "bzip2", ".xz": "xz", ".zip": "zip"}
"""Compressions of files, by the ending that follows the format's."""
SPACY = ".spacy"
"""Ending of collections of documents of spaCy."""
FORMATS = (*SEPARATED, *JSON, *SHEETS, *ARROW, SPACY)
"""Endings of the tables that can be read, also where the ending of a compression follows."""
NAMED = ".csv, .tsv, .txt, .json, .jsonl, .parquet, .feather, .arrow, .xlsx, .xls, .xlsb or .ods"
"""Phrase that lists the usual endings of tables."""


def packing_of(path: Path) -> str:
    """Compression of a file by the last ending of its name, such as "gzip"; empty where there is none."""
    return PACKINGS.get(path.suffix.lower(), "")


def ending_of(path: Path) -> str:
    """Ending of a file's name, with its dot, in lower case; that of a compression is passed over behind a table's.

    >>> ending_of(Path("a.CSV")), ending_of(Path("a.csv.gz")), ending_of(Path("a.gz"))
    ('.csv', '.csv', '.gz')
    """
    before = Path(path.stem).suffix.lower()
    return before if packing_of(path) and before in FORMATS else path.suffix.lower()


def readable() -> str:
    """Phrase that lists the endings of the tables that can be read.

    >>> readable()
    '.csv, ... or .ods, also with .gz, .zst, .bz2, .xz or .zip behind it'
    """
    *others, last = PACKINGS
    return f"{NAMED}, also with {', '.join(others)} or {last} behind it"
