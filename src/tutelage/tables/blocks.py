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
from tutelage.tables.endings import ARROW, SEPARATED, ending_of, packing_of
from tutelage.tables.expanding import require_arrow, require_parquet, require_rows
from tutelage.tables.exports.plain import as_plain
from tutelage.tables.how import ReadAs
from tutelage.tables.notes import Notes
from tutelage.tables.packed import DAMAGED, content, require_regular
from tutelage.tables.pieces import LINES, Piece, header_of, named, seen_of
from tutelage.tables.seen import Table
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
    return sum(piece.count(b"\n") or piece.count(b"\r") for piece in _pieces(path, BYTES_A_BLOCK))


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
    rows, behind, kept = 0, 0, None
    for piece in _of_file(held, path, how, columns, Size.usual()):
        stamp.require_same(path)
        said = Notes()
        both = piece.read(behind, said)
        heard.take(said, behind)
        if both is None:
            continue
        found, count = both
        numbers = found.rows if found.rows is not None else range(1, len(found.frame) + 1)
        if len(found.frame):
            kept = kept or seen_of(found, path, None if held is None else list(map(str, held.names)))
            found.frame.attrs.update({"classes": dict(kept.classes)} if kept.classes else {})
            yield Table(found.frame, kept, [row + behind for row in numbers])
        rows, behind = rows + len(found.frame), behind + count
    stamp.require_same(path)
    if kept is None:
        raise NoRowsError(f"{path}: the file has no rows")
    notes.saw(replace(kept, rows=rows))


@dataclass(frozen=True)
class Size:
    """How much is read at once.

    Attributes:
        rows: rows of a file of columns.
        bytes: bytes of a file of text, about.
    """

    rows: int
    bytes: int

    @staticmethod
    def usual() -> Size:
        """ROWS_A_BLOCK and BYTES_A_BLOCK."""
        return Size(ROWS_A_BLOCK, BYTES_A_BLOCK)


def pieces_of(path: Path, how: ReadAs, size: Size) -> Iterator[Piece]:
    """The pieces of a file in the order of its rows, of which nothing is read yet; see `in_blocks`.

    A file that cannot be cut is one piece.

    Args:
        path: the file, a folder of a saved data set, or the name of a data set that is streamed.
        how: how it is read, as far as the user says it.
        size: how much a piece holds.

    Raises:
        DataError: the file is damaged, or changes meanwhile.
    """
    if is_streamed(path):
        stream = opened(path)
        for number, table in enumerate(stream.tables(size.rows)):
            yield Piece(path, table, "datasets", how, number, features=stream.features or {})
        return
    if not path.exists():
        raise DataError(f"{path}: no such file")
    require_regular(path)
    stamp, held = Stamp.of(path), _held(path, how, Notes())
    if held is None and not _of_lines(path, how):
        yield Piece(path, None, ending_of(path), how)
        return
    for piece in _of_file(held, path, how, None, size):
        stamp.require_same(path)
        yield piece
    stamp.require_same(path)


def _of_file(held: _Held | None, path: Path, how: ReadAs, columns: Sequence[str] | None, size: Size) -> Iterator[Piece]:
    """The pieces of a file of columns, or of one of text."""
    if held is None:
        yield from _of_text(path, how, size.bytes)
        return
    features = held.source.features if isinstance(held.source, Saved) else None
    for number, table in enumerate(_tables(held, path, columns, size.rows)):
        yield Piece(path, table, held.form, how, number, features=features)


def _of_stream(path: Path, notes: Notes, columns: Sequence[str] | None) -> Iterator[Table]:
    """The rows of a data set that is streamed; of its columns those that are named, as far as it has them."""
    stream, rows, kept = opened(path), 0, None
    features = stream.features or {}
    for table in stream.tables(ROWS_A_BLOCK):
        names = table.column_names
        wanted = [name for name in names if columns is None or name in columns]
        read = table.select(wanted) if wanted else table
        found = as_plain(block_of(read, "datasets", str(path), features), str(path), Notes())
        kept = kept or seen_of(found, path, names)
        found.frame.attrs.update({"classes": dict(kept.classes)} if kept.classes else {})
        yield Table(found.frame, kept, range(rows + 1, rows + 1 + len(found.frame)))
        rows += len(found.frame)
    if kept is None:
        raise DataError(f"{path}: the data set has no rows")
    notes.saw(replace(kept, rows=rows))


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

    def has_news(self, of: Notes, behind: int) -> bool:
        """Whether anything that was noticed of a block would be passed on."""
        each = (*of.lines, *(question.asks for question in of.questions))
        return bool(of.faults) or any(self._unsaid(line, behind) is not None for line in each)

    def _unsaid(self, line: str, behind: int) -> str | None:
        """What tells a line from others, whatever its numbers; None where it is not to be said."""
        key = re.sub(r"[\d,.]+", "#", line.replace(named(self.path, behind), str(self.path)))
        return None if key in self.said or (behind and self.more >= NEW_LINES) else key

    def _new(self, line: str, behind: int) -> bool:
        key = self._unsaid(line, behind)
        if key is None:
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


def _tables(held: _Held, path: Path, columns: Sequence[str] | None, rows: int) -> Iterator[pa.Table]:
    source = held.source
    if isinstance(source, (pa.Table, Saved)):
        for start in range(0, held.count, rows):
            count = min(rows, held.count - start)
            yield source.slice(start, count) if isinstance(source, pa.Table) else source.rows(start, count)
        return
    there = source.schema_arrow.names
    wanted = [name for name in there if name in columns] if columns is not None else None
    try:
        for batch in source.iter_batches(rows, columns=wanted or None):
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


def _pieces(path: Path, each: int) -> Iterator[bytes]:
    """Bytes of a file of text, unpacked, so many at a time."""
    size, total = path.stat().st_size, 0
    with _opened(path) as f:
        while piece := f.read(each):
            total += len(piece)
            if packing_of(path):
                bounds.require(total, size, str(path))
            yield bytes(piece)


def _cuts(path: Path, quoted: bool, size: int) -> Iterator[bytes]:
    """Pieces of a file of text that end where a row ends.

    Args:
        path: the file.
        quoted: whether quotation marks may hold the ends of lines.
        size: bytes of a piece, about.
    """
    left = b""
    for piece in _pieces(path, size):
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


def _of_text(path: Path, how: ReadAs, size: int) -> Iterator[Piece]:
    ending, first, header = ending_of(path), b"", b""
    for number, data in enumerate(_cuts(path, ending not in LINES and how.quote in (None, "double"), size)):
        if number == 1 and ending not in LINES:
            begins = decoded(first, how, str(path)).data
            header, how = header_of(begins, ending, how) if begins.strip() else (b"", how)
        yield Piece(path, data, ending, how, number, header)
        first = data if number == 0 else b""
