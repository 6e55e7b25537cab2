"""A table that is written in parts, each whole or not at all, and joined to one file when all of them are there."""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa

from tutelage.data.errors import DataError
from tutelage.files import BadFileError, naming, read_json, write_json, written
from tutelage.files.described import PartsAbout, PartTold
from tutelage.tables.endings import ending_of, packing_of
from tutelage.tables.write import write_table

JOINED = (".csv", ".tsv", ".jsonl", ".parquet")
"""Endings of the tables that can be written in parts, those of text also with .gz or .zst behind it."""

ABOUT = "about.json"
"""File of a folder of parts that tells what they are parts of."""

PIECE = 1 << 22
"""Bytes that are copied at once."""


class Parts:
    """Parts of a table, in a folder beside the file that they are joined to.

    Args:
        output: the file.
        about: plain values that tell what the table is made of.
        resume: go on behind the parts that are there, as far as they are whole; else begin anew.

    Attributes:
        done: number of rows of each part that is there.
        counts: whole numbers that were given with each part.

    Raises:
        DataError: such a table cannot be written in parts; or the parts that are there are of another table.
        OSError: the folder cannot be written.
    """

    def __init__(self, output: Path, about: Mapping[str, Any], resume: bool) -> None:
        self.output, self.ending = output, ending_of(output)
        if self.ending not in JOINED:
            raise DataError(
                f"{output}: so many rows are written in parts, as {', '.join(JOINED[:-1])} or {JOINED[-1]}; name such "
                "a file"
            )
        self.folder = output.with_name(f"{output.name}.parts")
        self.done: list[int] = []
        self.counts: list[list[int]] = []
        plain = json.loads(json.dumps(about))
        if resume and (self.folder / ABOUT).exists():
            self._take_over(plain)
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        with naming(self.folder):
            self.folder.mkdir()
            write_json(self.folder / ABOUT, {"about": plain})

    def _take_over(self, about: Mapping[str, Any]) -> None:
        try:
            before = read_json(self.folder / ABOUT, PartsAbout)["about"]
        except BadFileError as e:
            raise DataError(f"{self.folder}: damaged ({e}); leave out --resume to begin anew") from e
        if before != about:
            changed = sorted(key for key in before | about if before.get(key) != about.get(key))
            raise DataError(
                f"{self.folder} holds parts of other predictions; different: {', '.join(changed)}. Leave out --resume "
                "to begin anew"
            )
        while (told := self._told(len(self.done))) is not None:
            self.done.append(told["rows"])
            self.counts.append(told["counts"])

    def _part(self, number: int) -> Path:
        return self.folder / f"{number:06}{self.ending}"

    def _told(self, number: int) -> PartTold | None:
        """What is told of a part; None where it is not there, or not as it was written."""
        path = self._part(number)
        try:
            told: PartTold = read_json(path.with_suffix(".told"), PartTold)
            return told if told["crc"] == _checksum(path) else None
        except (OSError, BadFileError):
            return None

    def add(self, table: pd.DataFrame, counts: list[int]) -> None:
        """Write a part.

        Args:
            table: its rows.
            counts: whole numbers to be kept with it.

        Raises:
            OSError: the disk is full; the parts before it stay.
        """
        path = self._part(len(self.done))
        write_table(table, path)
        write_json(path.with_suffix(".told"), {"rows": len(table), "crc": _checksum(path), "counts": counts})
        self.done.append(len(table))
        self.counts.append(counts)

    def join(self) -> None:
        """Write the file of all parts, whole or not at all, and remove these.

        Raises:
            DataError: a column has values of different types in different parts.
            OSError: the disk is full; the parts stay.
        """
        paths = [self._part(number) for number in range(len(self.done))]
        with written(self.output) as part:
            if self.ending == ".parquet":
                _join_columns(paths, part, self.output)
            else:
                with closing(_packing(part, packing_of(self.output))) as out:
                    for piece in _pieces(paths, header=self.ending != ".jsonl"):
                        out.write(piece)
        shutil.rmtree(self.folder, ignore_errors=True)


def _checksum(path: Path) -> int:
    crc = 0
    with naming(path), path.open("rb") as f:
        while held := f.read(PIECE):
            crc = zlib.crc32(held, crc)
    return crc


def _packing(path: Path, packing: str) -> IO[bytes]:
    """A file that packs what is written."""
    found: Any
    if packing == "gzip":
        found = gzip.GzipFile(path, "wb", mtime=0)
    elif packing == "zstandard":
        found = pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), "zstd")
    else:
        found = path.open("wb")
    return found  # type: ignore[no-any-return]


def _pieces(paths: list[Path], header: bool) -> Iterator[bytes]:
    """Bytes of files of text, of which all but the first are without their first line, where that is a header."""
    for number, path in enumerate(paths):
        with naming(path), path.open("rb") as f:
            if header and number:
                _pass_header(f)
            while held := f.read(PIECE):
                yield held


def _pass_header(f: IO[bytes]) -> None:
    """Read the header, which is longer than a line where a name in quotation marks holds the end of one."""
    line = f.readline()
    while line.count(b'"') % 2:
        more = f.readline()
        if not more:
            return
        line += more


def _join_columns(paths: list[Path], part: Path, output: Path) -> None:
    from pyarrow import parquet

    schemas = [parquet.read_schema(path) for path in paths]
    try:
        whole = pa.unify_schemas([schema.remove_metadata() for schema in schemas], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as e:
        raise DataError(f"{output}: a column has values of different types ({e}); write jsonl") from e
    with parquet.ParquetWriter(part, whole) as out:
        for path in paths:
            out.write_table(parquet.read_table(path).cast(whole))
