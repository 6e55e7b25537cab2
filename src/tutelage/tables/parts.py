"""A table that is written in parts, each whole or not at all, and joined to one file when all of them are there."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from tutelage.data.errors import DataError
from tutelage.files import BadFileError, naming, one_writer, read_json, write_atomically, write_json, written
from tutelage.files.described import PartsAbout, PartTold
from tutelage.files.lock import LOCK
from tutelage.files.whole import is_part
from tutelage.tables.endings import ending_of, packing_of
from tutelage.tables.to_sheet import write_sheet

JOINED = (".csv", ".tsv", ".jsonl", ".parquet", ".xlsx")
"""Endings of the tables that can be written in parts, those of text also with .gz or .zst behind it."""

ABOUT = "about.json"
"""File of a folder of parts that tells what they are parts of."""

OWN = re.compile(r"\d{6}\.(?:told|[a-z.]+)")
"""Pattern of the names of parts, and of what is told of them."""

PIECE = 1 << 22
"""Bytes that are copied at once."""


def ending_of_part(output: Path) -> str:
    """Ending of the parts of a table; those of a spreadsheet are files of columns.

    Args:
        output: file that they are joined to.

    >>> ending_of_part(Path("a.csv.gz")), ending_of_part(Path("a.xlsx"))
    ('.csv', '.parquet')
    """
    ending = ending_of(output)
    return ".parquet" if ending == ".xlsx" else ending


@contextmanager
def in_folder(output: Path, about: Mapping[str, Any], resume: bool) -> Iterator[Parts]:
    """Context of the parts of a table, which no other process writes meanwhile.

    Args:
        output: file that they are joined to.
        about: plain values that tell what the table is made of.
        resume: go on behind the parts that are there, as far as they are whole; else begin anew.

    Raises:
        DataError: such a table cannot be written in parts; the parts that are there are of another table; or the
            folder holds files of somebody else's.
        BusyError: another process writes these parts.
        OSError: the folder cannot be written.
    """
    if ending_of(output) not in JOINED:
        raise DataError(
            f"{output}: so many rows are written in parts, as {', '.join(JOINED[:-1])} or {JOINED[-1]}; name such "
            "a file"
        )
    folder = output.with_name(f"{output.name}.parts")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise DataError(f"{folder}: parts are to be written there, but it is no folder; move it, or name another file")
    with naming(folder):
        folder.mkdir(exist_ok=True)
    with one_writer(folder):
        yield Parts(output, folder, about, resume)


class Parts:
    """Parts of a table, in a folder beside the file that they are joined to; see `in_folder`.

    Args:
        output: the file.
        folder: the folder.
        about: plain values that tell what the table is made of.
        resume: go on behind the parts that are there, as far as they are whole; else begin anew.

    Attributes:
        done: number of rows of each part that is there.
        counts: whole numbers that were given with each part.

    Raises:
        DataError: the parts that are there are of another table, or the folder holds files of somebody else's.
        OSError: the folder cannot be written.
    """

    def __init__(self, output: Path, folder: Path, about: Mapping[str, Any], resume: bool) -> None:
        self.output, self.ending, self.folder = output, ending_of_part(output), folder
        self.done: list[int] = []
        self.counts: list[list[int]] = []
        plain = json.loads(json.dumps(about))
        if resume and (self.folder / ABOUT).exists():
            self._take_over(plain)
            return
        self._clear()
        with naming(self.folder):
            write_json(self.folder / ABOUT, {"about": plain})

    def _clear(self) -> None:
        """Remove the parts, and nothing else.

        Raises:
            DataError: the folder holds files of somebody else's.
        """
        there = [path for path in self.folder.iterdir() if path.name != LOCK]
        strange = [path for path in there if not (path.name == ABOUT or OWN.fullmatch(path.name) or is_part(path))]
        if strange:
            raise DataError(
                f"{strange[0]}: no part of a table, in the folder of those of {self.output}; move it, or name another "
                "file to write"
            )
        for path in there:
            path.unlink()

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

    def put(self, data: bytes, rows: int, counts: list[int]) -> None:
        """Write a part.

        Args:
            data: bytes of a file of this ending, not packed; none where there are no rows.
            rows: number of its rows.
            counts: whole numbers to be kept with it.

        Raises:
            OSError: the disk is full; the parts before it stay.
        """
        path = self._part(len(self.done))
        write_atomically(path, data)
        self._tell(path, rows, counts)

    def _tell(self, path: Path, rows: int, counts: list[int]) -> None:
        write_json(path.with_suffix(".told"), {"rows": rows, "crc": _checksum(path), "counts": counts})
        self.done.append(rows)
        self.counts.append(counts)

    def join(self) -> None:
        """Write the file of all parts, whole or not at all, and remove these.

        Raises:
            DataError: a column has values of different types in different parts.
            OSError: the disk is full; the parts stay.
        """
        paths = [self._part(number) for number, rows in enumerate(self.done) if rows]
        with written(self.output) as part:
            if ending_of(self.output) == ".xlsx":
                _join_to_sheet(paths, part, self.output.name)
            elif self.ending == ".parquet":
                _join_columns(paths, part, self.output)
            else:
                with closing(_packing(part, packing_of(self.output))) as out:
                    for piece in _pieces(paths, header=self.ending != ".jsonl"):
                        out.write(piece)
        self._clear()
        with suppress(OSError):  # its lock goes with it; a folder that stays is empty
            (self.folder / LOCK).unlink(missing_ok=True)
            self.folder.rmdir()


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

    schemas = [parquet.read_schema(path).remove_metadata() for path in paths]
    try:
        whole = pa.unify_schemas(schemas, promote_options="permissive")
        with parquet.ParquetWriter(part, whole) as out:
            for path in paths:
                out.write_table(parquet.read_table(path).cast(whole))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as e:
        raise DataError(f"{output}: {_unlike(schemas)}; name a file that ends in .jsonl") from e


def _join_to_sheet(paths: Sequence[Path], part: Path, says: str) -> None:
    """Write one sheet of the rows of files of columns, a batch of rows at a time."""
    from pyarrow import parquet

    def rows() -> Iterator[tuple[Any, ...]]:
        for path in paths:
            with parquet.ParquetFile(path) as held:
                for batch in held.iter_batches():
                    yield from zip(*batch.to_pydict().values(), strict=True)

    write_sheet(parquet.read_schema(paths[0]).names, rows(), part, says)


def _unlike(schemas: Sequence[Any]) -> str:
    """Words on the first column whose values have different types in different tables."""
    for name in dict.fromkeys(name for schema in schemas for name in schema.names):
        types = dict.fromkeys(str(schema.field(name).type) for schema in schemas if name in schema.names)
        if len(types.keys() - {"null"}) > 1:
            return f"column {name!r} has values of different types in different rows ({', '.join(types)})"
    return "a column has values of different types in different rows"
