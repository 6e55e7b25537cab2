"""How large the tables of parquet and arrow files become, told before any of it is decoded."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tutelage.tables import bounds

VALUE = 8
"""Bytes that a value of a table takes, about."""
BEGIN = b"ARROW1\0\0"
"""First bytes of an arrow file; a stream follows, as in a file that is a stream alone."""


def require_rows(rows: int, columns: int, size: int, path: str) -> None:
    """Check that a table has no more values than its file may unpack to; columns of nothing take no byte of it.

    Args:
        rows: number of rows.
        columns: number of columns.
        size: bytes of the file.
        path: the file, for the message.

    Raises:
        DataError: it has more.
    """
    bounds.require(rows * max(columns, 1) * VALUE, size, path)


def require_parquet(file: Any, size: int, path: str) -> None:
    """Check that a parquet file does not unpack to more than it may.

    A text that is there once in the file may be the value of each row. So texts take at most as many bytes as the
    longest in the file's own list of them, times the rows; where that is too much, they are counted.

    Args:
        file: the file's bytes, as `pyarrow.BufferReader` takes them.
        size: number of bytes.
        path: the file, for messages.

    Raises:
        DataError: it unpacks to more.
        pa.ArrowException: the file is damaged.
    """
    from pyarrow import parquet

    about = parquet.read_metadata(pa.BufferReader(file))
    require_rows(about.num_rows, about.num_columns, size, path)
    packed = sum(about.row_group(g).total_byte_size for g in range(about.num_row_groups))
    bounds.require(packed, size, path)
    texts = [j for j in range(about.num_columns) if about.schema.column(j).physical_type == "BYTE_ARRAY"]
    groups = range(about.num_row_groups)
    chunks = [(g, j, about.row_group(g).column(j)) for g in groups for j in texts]
    listed = [
        (g, about.schema.column(j).path, chunk.num_values, chunk.total_uncompressed_size)
        for g, j, chunk in chunks
        if chunk.has_dictionary_page
    ]
    if packed + sum(values * held for _, _, values, held in listed) <= bounds.most(size):
        return
    longest = [values * _longest(file, g, name) for g, name, values, _ in listed]
    if packed + sum(longest) > bounds.most(size):
        _count(file, sorted({name for _, name, _, _ in listed}), size, path)


def _longest(file: Any, group: int, name: str) -> int:
    """Bytes of the longest text in the list that a column has in a group of rows."""
    from pyarrow import parquet

    held = parquet.ParquetFile(pa.BufferReader(file), read_dictionary=[name])
    for batch in held.iter_batches(1, [group], [name]):
        longest = [pc.max(pc.binary_length(column.dictionary)).as_py() for column in _listed(batch.column(0))]
        return max((length or 0 for length in longest), default=0)
    return 0


def _count(file: Any, names: list[str], size: int, path: str) -> None:
    """Count the bytes of columns of texts, without decoding them, up to those that the file may unpack to."""
    from pyarrow import parquet

    total = 0
    for batch in parquet.ParquetFile(pa.BufferReader(file), read_dictionary=names).iter_batches(1 << 16, columns=names):
        for column in (each for whole in batch.columns for each in _listed(whole)):
            lengths = np.asarray(pc.binary_length(column.dictionary).fill_null(0), dtype=np.int64)
            total += int(lengths[np.asarray(column.indices.drop_null())].sum())
        bounds.require(total, size, path)


def _listed(column: Any) -> Iterator[Any]:
    """Texts that a column holds as places in a list of them, also those within its lists, maps and records."""
    if isinstance(column, pa.DictionaryArray):
        if len(column.dictionary):
            yield column
    elif pa.types.is_struct(column.type):
        for part in column.flatten():
            yield from _listed(part)
    elif pa.types.is_map(column.type):
        yield from _listed(column.keys)
        yield from _listed(column.items)
    elif pa.types.is_nested(column.type):
        yield from _listed(column.flatten())


def require_arrow(file: Any, size: int, path: str) -> None:
    """Check that the packed columns of an arrow file do not unpack to more than they may.

    Each buffer of such a column begins with the number of bytes that it unpacks to. A file that is damaged is left to
    whoever reads it.

    Args:
        file: the file's bytes.
        size: number of bytes.
        path: the file, for the message.

    Raises:
        DataError: they unpack to more.
    """
    buffer = pa.py_buffer(file)
    begin = len(BEGIN) if buffer.slice(0, len(BEGIN)).to_pybytes() == BEGIN else 0
    total = 0
    try:
        for message in pa.ipc.MessageReader.open_stream(pa.BufferReader(buffer.slice(begin))):
            total += _unpacked(message.metadata.to_pybytes(), message.body)
            bounds.require(total, size, path)
    except (pa.ArrowException, OSError, struct.error, IndexError):
        return


def _unpacked(head: bytes, body: Any) -> int:
    """Bytes that the packed buffers of a message unpack to.

    Args:
        head: the message's description, as the library FlatBuffers writes it: a number of a kind, and of a batch of
            rows the number of rows, nodes, buffers and how they are packed, in this order (`Message.fbs` of Arrow).
        body: the message's buffers.
    """
    message = _number(head, 0, "I")
    kind, batch = _field(head, message, 1), _field(head, message, 2)
    if not kind or not batch or head[kind] not in (2, 3):  # a list of a column's values, or rows
        return 0
    batch += _number(head, batch, "I")
    if head[kind] == 2:
        batch = _field(head, batch, 1)
        batch += _number(head, batch, "I")
    buffers, packing = _field(head, batch, 2), _field(head, batch, 3)
    if not buffers or not packing:
        return 0
    buffers += _number(head, buffers, "I")
    total = 0
    for i in range(_number(head, buffers, "I")):
        at, length = struct.unpack_from("<qq", head, buffers + 4 + 16 * i)
        if length > VALUE:
            (unpacked,) = struct.unpack("<q", body.slice(at, VALUE).to_pybytes())
            total += max(unpacked, 0)
    return total


def _number(head: bytes, place: int, kind: str) -> int:
    return int(struct.unpack_from(f"<{kind}", head, place)[0])


def _field(head: bytes, table: int, number: int) -> int:
    """Place of a field of a table; 0 where it is not there."""
    fields = table - _number(head, table, "i")
    at = 4 + 2 * number
    offset = _number(head, fields + at, "H") if at < _number(head, fields, "H") else 0
    return table + offset if offset else 0
