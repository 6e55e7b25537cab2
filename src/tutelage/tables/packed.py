"""Bytes of a file, unpacked where it is compressed, and the format that they have."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from tutelage.data.errors import DataError, damage
from tutelage.tables.bounds import read_within, require
from tutelage.tables.endings import ARROW, FORMATS, NAMED, ending_of, packing_of
from tutelage.tables.how import ReadAs

PICTURE = re.compile(r"\.(?:png|jpe?g|bmp|gif|webp|tiff?)$", re.IGNORECASE)
"""Pattern of the end of an image's name."""
DAMAGED = (
    OSError, MemoryError, EOFError, ValueError, RuntimeError, NotImplementedError, lzma.LZMAError, zlib.error,
    zipfile.BadZipFile, struct.error, pa.ArrowException,
)  # fmt: skip
"""Errors of the libraries that unpack, where a file is damaged, cut, encrypted or of an unknown method."""

OBJECT = re.compile(rb'\{\s*"[^"\n]*"\s*:|\[\s*\{\s*"')
"""Pattern of the beginning of JSON, an object or an array of objects."""

BEGINNINGS: Mapping[bytes, str] = {
    b"\x1f\x8b": "is packed by gzip: add .gz to its name",
    b"\x28\xb5\x2f\xfd": "is packed by zstandard: add .zst to its name",
    b"BZh": "is packed by bzip2: add .bz2 to its name",
    b"\xfd7zXZ": "is packed by xz: add .xz to its name",
    b"PK\x03\x04": "is a zip file or a spreadsheet: let its name end in .zip or .xlsx",
    b"\xd0\xcf\x11\xe0": "is an old spreadsheet: let its name end in .xls",
    b"PAR1": "is a parquet file: let its name end in .parquet",
    b"ARROW1": "is an arrow file: let its name end in .arrow",
    b"SQLite format 3": "is a database of SQLite: export its table as csv",
    b"%PDF": "is a PDF: export its table as csv",
    b"version https://git-lfs": "is only a pointer of Git LFS: fetch the file itself with git lfs pull",
    b"<!doctype html": "is a web page: fetch the file itself",
    b"<html": "is a web page: fetch the file itself, or save its table as csv",
}
"""What the first bytes of a file say of it, in lower case where they are letters of a web page."""


@dataclass(frozen=True)
class Content:
    """Content of a file.

    Attributes:
        data: bytes, unpacked; those of a file of columns may lie in the file still.
        ending: ending that tells the format of a table.
        packed: compression of the file; empty where there is none.
        member: name of the file within a zip; empty for others.
        others: names of further files within it that could be tables, but are taken for none.
    """

    data: Any
    ending: str
    packed: str = ""
    member: str = ""
    others: tuple[str, ...] = ()


def content(path: Path, how: ReadAs) -> Content:
    """Content of a file.

    Args:
        path: the file.
        how: how it is read; its sheet names one of several tables in a zip.

    Raises:
        DataError: the file cannot be read or unpacked, or a zip holds no table, or several.
    """
    require_regular(path)
    packed = packing_of(path)
    try:
        data = _mapped(path) if not packed and ending_of(path) in ARROW else path.read_bytes()
    except OSError as e:
        raise DataError(f"{path}: the file cannot be read ({e.strerror or e})") from e
    if not packed:
        return Content(data, ending_of(path))
    unpack = UNPACK[packed]
    try:
        if packed == "zip":
            return _member(path, data, how)
        with unpack(data) as stream:
            return Content(read_within(stream, len(data), str(path)), ending_of(path), packed)
    except DataError:
        raise
    except DAMAGED as e:
        raise DataError(f"{path}: not readable as {packed} ({damage(e)})") from e


def require_regular(path: Path) -> None:
    """Check that a path that exists is that of a regular file: a pipe may never end, and is read once only.

    Raises:
        DataError: it is a pipe, a device or a socket.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise DataError(f"{path}: not a regular file but a pipe, a device or a socket; save what it gives in a file")


def _mapped(path: Path) -> Any:
    """Bytes of a file that is read in parts; an empty file cannot be mapped."""
    if not path.stat().st_size:
        return b""
    with pa.memory_map(str(path)) as held:
        return held.read_buffer()


def misnamed(data: bytes) -> str:
    """What the first bytes say of a file that is no text; empty where they say nothing.

    >>> misnamed(b"PAR1...")
    'is a parquet file: let its name end in .parquet'
    """
    head = data[:64].lstrip()
    return next(
        (says for begin, says in BEGINNINGS.items() if head.startswith(begin) or head.lower().startswith(begin)), ""
    )


def json_within(text: bytes) -> str:
    r"""What a text says that holds JSON under another ending; empty for other texts.

    >>> json_within(b'{"text": "a"}\n'), json_within(b"text,label\n")
    ('holds JSON: let its name end in .jsonl', '')
    """
    begins = text.lstrip()
    if not OBJECT.match(begins):
        return ""
    try:
        row = json.loads(begins.split(b"\n", 1)[0])
    except (ValueError, RecursionError):
        row = None
    return f"holds JSON: let its name end in {'.jsonl' if isinstance(row, dict) else '.json'}"


def _member(path: Path, data: bytes, how: ReadAs) -> Content:
    """Content of the only table in a zip, or of the one that the user names."""
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        files = [name for name in held.namelist() if not name.endswith("/") and not _hidden(name)]
        tables = [name for name in files if _format(name) in FORMATS]
        named = [name for name in tables if how.sheet in (name, PurePosixPath(name).name)]
        if len(files) == 1 and not tables and ending_of(path) in FORMATS:  # t.csv.zip with a file without an ending
            return Content(unpacked(held, files[0], path), ending_of(path), "zip", files[0])
        if len(files) == 1 and not tables and _format(files[0]) == PurePosixPath(path.stem).suffix.lower() != "":
            return Content(unpacked(held, files[0], path), _format(files[0]), "zip", files[0])  # t.conll in t.conll.zip
        found = named or tables
        if len(found) > 1:  # such as a table and README.txt
            found = [name for name in found if _format(name) != ".txt"] or found
        if not found:
            unpack = "; of images, unpack it, and name the folder" * any(map(PICTURE.search, files))
            holds = ", ".join(files[:5]) + (" ..." if len(files) > 5 else "") or "nothing"
            raise DataError(f"{path}: no table in the zip, which holds {holds}; a table's name ends in {NAMED}{unpack}")
        if len(found) > 1:
            listed = ", ".join(found[:10]) + (" ..." if len(found) > 10 else "")
            raise DataError(f"{path}: {len(found)} tables in the zip: {listed}; name one with --sheet, or unpack it")
        others = () if named else tuple(name for name in tables if name != found[0])
        return Content(unpacked(held, found[0], path), _format(found[0]), "zip", found[0], others)


def unpacked(held: zipfile.ZipFile, name: str, path: Path) -> bytes:
    """Bytes of a file in a zip, as far as it may unpack to as many.

    Args:
        held: the zip.
        name: name of the file within it.
        path: the zip's path, for messages.

    Raises:
        DataError: it unpacks to more than it may.
    """
    member = held.getinfo(name)
    require(member.file_size, member.compress_size, str(path))
    with held.open(member) as stream:
        return read_within(stream, member.compress_size, str(path))


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _format(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


UNPACK: Mapping[str, Callable[[bytes], Any]] = {
    "gzip": lambda data: gzip.GzipFile(fileobj=io.BytesIO(data)),
    "bzip2": lambda data: bz2.BZ2File(io.BytesIO(data)),
    "xz": lambda data: lzma.LZMAFile(io.BytesIO(data)),  # noqa: SIM115 (its caller closes it)
    "zstandard": lambda data: pa.CompressedInputStream(pa.BufferReader(data), "zstd"),
    "zip": io.BytesIO,
}
"""Streams that unpack the bytes of a file, by compression; a zip is unpacked by member."""


def packed(data: bytes, packing: str) -> bytes:
    """Bytes in a compression that tables are written in, "gzip" or "zstandard".

    >>> gzip.decompress(packed(b"a,b", "gzip"))
    b'a,b'
    """
    if packing == "gzip":
        return gzip.compress(data, mtime=0)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())
