"""Tables that are read block by block, so that one larger than the memory can be gone through.

Each block is read as a file of its own, with the header in front, by the code that reads whole files, so that it is
checked in the same way: its cells, its charset and how far it may unpack. What only a whole file tells is not looked
for, rows of totals, and what is said of shares, such as that of bad rows, is said of each block.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from tutelage.data.errors import DataError, NoRowsError, damage
from tutelage.files import naming
from tutelage.tables import bounds
from tutelage.tables.charsets import MARKS, decoded
from tutelage.tables.columnar import READING, Saved, block_of, is_saved
from tutelage.tables.delimited import read_delimited
from tutelage.tables.dialects import HEAD, dialect_of
from tutelage.tables.endings import ARROW, SEPARATED, ending_of, packing_of
from tutelage.tables.expanding import require_arrow, require_parquet, require_rows
from tutelage.tables.exports.plain import as_plain
from tutelage.tables.how import ReadAs
from tutelage.tables.json_rows import read_json
from tutelage.tables.layout import quoting
from tutelage.tables.letters import check_letters
from tutelage.tables.notes import Notes
from tutelage.tables.packed import DAMAGED, content, json_within, misnamed, require_regular
from tutelage.tables.seen import FileSeen, Found, Table
from tutelage.tables.several import Stamp
from tutelage.tables.streamed import is_streamed, opened

if sys.platform == "win32":
    from pathlib import WindowsPath as PlainPath
else:
    from pathlib import PosixPath as PlainPath

ROWS_A_BLOCK = 16_384
"""Rows of a file of columns that are read at once."""

BYTES_A_BLOCK = 1 << 23
"""Bytes of a file of text that are read at once, about."""

NEW_LINES = 20
"""Lines on blocks behind the first one, at most, that say what no block before them said."""

WIDE = ("utf-16", "utf-32", "utf_16", "utf_32")
"""Beginnings of the names of charsets in which the byte of a line's end may be a part of another character."""

LINES = (".jsonl", ".ndjson")
"""Endings of files with an object of JSON in each line."""


class Block(PlainPath):
    """A part of a file that was read, in the place of the path of a file.

    Attributes:
        table: its rows, numbered as in the file.
        whole: the whole file, for what no block tells alone; None where it is not known.
    """

    table: Table
    whole: Whole | None

    @staticmethod
    def of(path: Path, table: Table, whole: Whole | None = None) -> Block:
        """The block of a file."""
        made = Block(path)
        made.table, made.whole = table, whole
        return made


@dataclass
class Whole:
    """A file that is read in blocks, for what only all of them tell.

    Attributes:
        again: function that reads all its blocks once more.
        told: what they told, by a name; it is asked for where a block gives reason to.
    """

    again: Callable[[], Iterator[Table]]
    told: dict[str, Any] = field(default_factory=dict)


def count_of_rows(path: Path, how: ReadAs) -> int:
    """Number of rows of a file that can be read in blocks, or a number above it: that of its lines; 0 of another file.

    That of a data set that is streamed is not known, and taken for endless.

    Args:
        path: the file, a folder of a saved data set, or the name of a data set that is streamed.
        how: how it is read.

    Raises:
        DataError: the file is damaged.
    """
    if is_streamed(path):
        return sys.maxsize
    if (held := _held(path, how, Notes())) is not None:
        return held.count
    if not _of_lines(path, how):
        return 0
    return sum(piece.count(b"\n") or piece.count(b"\r") for piece in _pieces(path))


def in_blocks(path: Path, how: ReadAs, notes: Notes, columns: Sequence[str] | None = None) -> Iterator[Table]:
    """The table of a file, block by block, in the order of its rows.

    Args:
        path: the file, a folder of a saved data set, or the name of a data set that is streamed.
        how: how it is read, as far as the user says it.
        notes: takes what was seen of the file, and what looks odd in it; of later blocks what none before them said.
        columns: columns of a file of columns that are read, as far as it has them; None reads all.

    Raises:
        DataError: the file cannot be read, or changes meanwhile; the message names the file and where in it.
    """
    if is_streamed(path):
        yield from _of_stream(path, notes, columns)
        return
    if not path.exists():
        raise DataError(f"{path}: no such file")
    require_regular(path)
    stamp, held = Stamp.of(path), _held(path, how, notes)
    if held is None and not _of_lines(path, how):
        from tutelage.tables.read import read

        yield read(path, how, notes)
        return
    heard = OfBlocks(path, notes)
    parts = _of_columns(held, path, columns) if held is not None else _of_text(path, how, heard)
    rows, behind, kept = 0, 0, None
    for found, count in parts:
        stamp.require_same(path)
        numbers = found.rows if found.rows is not None else range(1, len(found.frame) + 1)
        if len(found.frame):
            names = [str(name) for name in (found.frame.columns if held is None else held.names)]
            kept = kept or FileSeen(str(path), found.format, 0, names, **_lasting(found, path))
            found.frame.attrs.update({"classes": dict(kept.classes)} if kept.classes else {})
            yield Table(found.frame, kept, [row + behind for row in numbers])
        rows, behind = rows + len(found.frame), behind + count
    stamp.require_same(path)
    if kept is None:
        raise NoRowsError(f"{path}: the file has no rows")
    notes.saw(replace(kept, rows=rows))


def _of_stream(path: Path, notes: Notes, columns: Sequence[str] | None) -> Iterator[Table]:
    """The rows of a data set that is streamed; of its columns those that are named, as far as it has them."""
    stream, rows, kept = opened(path), 0, None
    features = stream.features or {}
    for table in stream.tables(ROWS_A_BLOCK):
        names = table.column_names
        wanted = [name for name in names if columns is None or name in columns]
        read = table.select(wanted) if wanted else table
        found = as_plain(block_of(read, "datasets", str(path), features), str(path), Notes())
        kept = kept or FileSeen(str(path), found.format, 0, names, **_lasting(found, path))
        found.frame.attrs.update({"classes": dict(kept.classes)} if kept.classes else {})
        yield Table(found.frame, kept, range(rows + 1, rows + 1 + len(found.frame)))
        rows += len(found.frame)
    if kept is None:
        raise DataError(f"{path}: the data set has no rows")
    notes.saw(replace(kept, rows=rows))


def _lasting(found: Found, path: Path) -> dict[str, Any]:
    """Facts on a block that hold for the whole file."""
    lasting = ("charset", "marked", "separator", "quote", "classes", "member")
    return {k: v for k, v in found.facts.items() if k in lasting} | {"packed": packing_of(path)}


@dataclass
class OfBlocks:
    """Passes on what is noticed of blocks: of the first all, of the others what none before said, whatever its numbers.

    Attributes:
        path: the file.
        notes: what it is passed on to.
    """

    path: Path
    notes: Notes
    said: set[str] = field(default_factory=set)
    more: int = 0

    def name(self, behind: int) -> str:
        """Name of the file in messages on a block that lies behind so many rows."""
        return f"{self.path} (rows are counted behind row {behind:,})" if behind else str(self.path)

    def take(self, of: Notes, behind: int) -> None:
        """Pass on what was noticed of a block."""
        for line in of.lines:
            if self._new(line, behind):
                self.notes.say(line)
        for question in of.questions:
            if self._new(question.asks, behind):
                self.notes.ask(question.asks, *question.options, page=question.page, halts=question.halts)
        for fault in of.faults:
            self.notes.fault(fault)
        if of.faults:
            raise DataError(*of.faults, noted=True)

    def _new(self, line: str, behind: int) -> bool:
        key = re.sub(r"[\d,.]+", "#", line.replace(self.name(behind), str(self.path)))
        if key in self.said or (behind and self.more >= NEW_LINES):
            return False
        self.said.add(key)
        self.more += behind > 0
        return True


# files of columns


@dataclass(frozen=True)
class _Held:
    """A file of columns, of which any rows can be asked for.

    Attributes:
        count: number of rows.
        form: name of the format.
        source: the file of parquet, the table, or the saved data set.
        names: names of its columns.
    """

    count: int
    form: str
    source: Any
    names: Sequence[str]


def _held(path: Path, how: ReadAs, notes: Notes) -> _Held | None:
    """The file of columns at a path; None where it is none.

    Raises:
        DataError: it is damaged.
    """
    from pyarrow import parquet

    ending = ending_of(path)
    try:
        if is_saved(path):
            saved = Saved.at(path, how, notes)
            return _Held(len(saved), "datasets", saved, saved.table.column_names)
        if ending not in ARROW or packing_of(path) or not path.is_file():
            return None
        data = content(path, how).data
        if ending == ".parquet":
            require_parquet(data, len(data), str(path))
            file = parquet.ParquetFile(pa.BufferReader(data))
            return _Held(file.metadata.num_rows, "parquet", file, file.schema_arrow.names)
        require_arrow(data, len(data), str(path))
        try:
            table = pa.ipc.open_file(pa.BufferReader(data)).read_all()
        except pa.ArrowInvalid:
            table = pa.ipc.open_stream(pa.BufferReader(data)).read_all()
        require_rows(table.num_rows, table.num_columns, len(data), str(path))
        return _Held(table.num_rows, "arrow", table, table.column_names)
    except READING as e:
        if isinstance(e, DataError):
            raise
        raise DataError(f"{path}: not readable ({damage(e)})") from e


def _of_columns(held: _Held, path: Path, columns: Sequence[str] | None) -> Iterator[tuple[Found, int]]:
    features = held.source.features if isinstance(held.source, Saved) else None
    for table in _tables(held, path, columns):
        yield as_plain(block_of(table, held.form, str(path), features), str(path), Notes()), table.num_rows


def _tables(held: _Held, path: Path, columns: Sequence[str] | None) -> Iterator[pa.Table]:
    source = held.source
    if isinstance(source, (pa.Table, Saved)):
        for start in range(0, held.count, ROWS_A_BLOCK):
            count = min(ROWS_A_BLOCK, held.count - start)
            yield source.slice(start, count) if isinstance(source, pa.Table) else source.rows(start, count)
        return
    there = source.schema_arrow.names
    wanted = [name for name in there if name in columns] if columns is not None else None
    try:
        for batch in source.iter_batches(ROWS_A_BLOCK, columns=wanted or None):
            yield pa.Table.from_batches([batch], source.schema_arrow if not wanted else None)
    except READING as e:
        if isinstance(e, DataError):
            raise
        raise DataError(f"{path}: not readable as parquet ({e})") from e


# files of text


def _of_lines(path: Path, how: ReadAs) -> bool:
    """Whether a file's text can be cut where lines end."""
    wide = how.charset.lower().replace("_", "-").startswith(WIDE) or _marked_wide(path)
    return not wide and path.is_file() and ending_of(path) in (*SEPARATED, *LINES) and path.suffix.lower() != ".zip"


def _marked_wide(path: Path) -> bool:
    with _opened(path) as f:
        begins = f.read(4)
    return any(begins.startswith(mark) for mark, charset in MARKS.items() if charset.startswith(WIDE))


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Context of a file of text that is open, unpacked as it is read.

    Raises:
        DataError: it is packed, and cut or damaged.
    """
    packing: Any = packing_of(path)
    try:
        with naming(path), closing(_unpacked(path, packing)) as f:
            yield f
    except DataError:
        raise
    except DAMAGED as e:
        if not packing or getattr(e, "errno", None):  # of the disk, not of what unpacks
            raise
        raise DataError(f"{path}: not readable as {packing} ({damage(e)})") from e


def _unpacked(path: Path, packing: Any) -> IO[bytes]:
    if packing == "zstandard":
        return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")  # type: ignore[no-any-return]
    opening: Any = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}.get(packing, open)
    found: IO[bytes] = opening(path, "rb")
    return found


def _pieces(path: Path) -> Iterator[bytes]:
    """Bytes of a file of text, unpacked, BYTES_A_BLOCK at a time."""
    size, total = path.stat().st_size, 0
    with _opened(path) as f:
        while piece := f.read(BYTES_A_BLOCK):
            total += len(piece)
            if packing_of(path):
                bounds.require(total, size, str(path))
            yield bytes(piece)


def _cuts(path: Path, quoted: bool) -> Iterator[bytes]:
    """Pieces of a file of text that end where a row ends.

    Args:
        path: the file.
        quoted: whether quotation marks may hold the ends of lines.
    """
    left = b""
    for piece in _pieces(path):
        held = left + piece
        end = b"\n" if b"\n" in held else b"\r"
        at = held.rfind(end) + 1
        if quoted and b'"' in held[:at] and held.count(b'"', 0, at) % 2:  # the last line's end is within a cell
            at = _even(held, end, at)
        if at:
            yield held[:at]
        left = held[at:]
    if left:
        yield left


def _even(held: bytes, end: bytes, at: int) -> int:
    """Place behind the last line's end before ``at`` that has an even number of quotation marks before it."""
    marks = held.count(b'"', 0, at)
    while at and marks % 2:
        before = held.rfind(end, 0, at - 1) + 1
        marks -= held.count(b'"', before, at)
        at = before
    return at


def _of_text(path: Path, how: ReadAs, heard: OfBlocks) -> Iterator[tuple[Found, int]]:
    ending, header, behind = ending_of(path), b"", 0
    for number, piece in enumerate(_cuts(path, ending not in LINES and how.quote in (None, "double"))):
        notes, name = Notes(), heard.name(behind)
        if number == 0 and (says := misnamed(piece)):
            raise DataError(f"{path}: not readable as {ending[1:]}; the file {says}")
        text = decoded(piece, how, name)
        check_letters(text.data, name, notes)
        if not text.data.strip():
            continue
        if ending in LINES:
            found = read_json(text, ending, how, name, notes)
        else:
            if number == 0:
                if says := json_within(text.data):
                    raise DataError(f"{path}: not readable as {ending[1:]}; the file {says}")
                header, how = _header(text.data, ending, how)
            else:
                text = replace(text, data=header + text.data)
            if how.quote != "none" and quoting(text.data, _dialect(text.data, ending, how)) == "loose":
                notes.say(
                    f"{path}: quotation marks are within cells, too, so that a row may be cut where a block ends; "
                    "--quote none, if they are characters like others",
                )
            found = read_delimited(text, ending, how, name, notes)
        heard.take(notes, behind)
        found = as_plain(found, str(path), Notes())
        count = len(found.frame) + int(found.facts.get("left_out", 0))
        count = max(count, *(found.rows[-1:] or [0])) if found.rows is not None else count
        yield found, count
        behind += count


def _dialect(data: bytes, ending: str, how: ReadAs) -> Any:
    return dialect_of(data[: 4 * HEAD].decode("utf-8", "ignore")[:HEAD], ending, how, len(data) < HEAD)


def _header(data: bytes, ending: str, how: ReadAs) -> tuple[bytes, ReadAs]:
    """The lines that name the columns, and how all further blocks are read: by the separator of the first."""
    dialect = _dialect(data, ending, how)
    quote = "single" if dialect.quote == "'" else how.quote
    pinned = replace(how, separator=how.separator or dialect.separator, quote=quote)
    if how.names is not None:
        return b"", pinned
    end, at = (b"\n" if b"\n" in data else b"\r"), 0
    for _ in range(1 + dialect.named):
        at = (data.find(end, at) + 1) or len(data)
        while dialect.quote == '"' and data.count(b'"', 0, at) % 2 and at < len(data):
            at = (data.find(end, at) + 1) or len(data)
    header = data[:at]
    return (header[data.find(end) + 1 :] if dialect.named else header), pinned
