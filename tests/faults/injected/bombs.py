"""Inputs that are more than they look: nesting, many columns or classes, a long cell, and what unpacks to much."""

from __future__ import annotations

import random
from collections.abc import Callable


def _nested(draw: random.Random) -> tuple[str, bytes]:
    deep = draw.choice((200, 2_000, 100_000))
    opened, closed = draw.choice((("[", "]"), ('{"a":', "}")))
    cell = opened * deep + "1" + closed * deep
    form = draw.choice(("json", "jsonl", "csv"))
    row = f'[{{"text": {cell}, "label": "a"}}, {{"text": "x", "label": "b"}}]'
    if form == "jsonl":
        row = "\n".join([f'{{"text": {cell}, "label": "a"}}', '{"text": "x", "label": "b"}'])
    return f"train.{form}", row.encode() if form != "csv" else f'text,label\n"{cell}",a\nx,b\n'.encode()


def _wide(draw: random.Random) -> tuple[str, bytes]:
    count = draw.choice((2_000, 20_000))
    names = ",".join(["text", "label", *(f"c{i}" for i in range(count))])
    row = ",".join(["x y", "a", *["1"] * count])
    return "train.csv", f"{names}\n{row}\n{row.replace('a', 'b', 1)}\n".encode()


def _long_cell(draw: random.Random) -> tuple[str, bytes]:
    cell = draw.choice(("word ", "x", "é", '""')) * draw.choice((50_000, 1_000_000))
    return "train.csv", f'text,label\n"{cell}",a\nx,b\n'.encode()


def _many_classes(draw: random.Random) -> tuple[str, bytes]:
    count = draw.choice((1_000, 20_000))
    return "train.csv", ("text,label\n" + "".join(f"t {i},class {i}\n" for i in range(count))).encode()


def _packed(draw: random.Random) -> tuple[str, bytes]:
    import bz2
    import gzip
    import lzma

    name, pack = draw.choice(((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)))
    line, size = draw.choice((b"text,label\nx,a\n", b"\0", b"x")), draw.choice((2, 20))
    size = min(size, 2) if len(line) > 1 else size  # rows are read one by one: 20 MB of them are a large table
    return f"train.csv{name}", pack(line * (size * 10**6 // len(line)))


def _parquet(draw: random.Random) -> tuple[str, bytes]:
    import io

    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    count, long = draw.choice(((10**5, 10), (10**5, 1_000), (2 * 10**6, 1_000)))  # 1 MB, 100 MB, 2 GB of text
    held = io.BytesIO()
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array(["x" * long]))
    label = pa.DictionaryArray.from_arrays(pa.array(np.arange(count, dtype=np.int32) % 2), pa.array(["a", "b"]))
    parquet.write_table(pa.table({"text": text, "label": label}), held)
    return "train.parquet", held.getvalue()


def _png(draw: random.Random) -> tuple[str, bytes]:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    side = draw.choice((20_000, 60_000))
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")
    return "train/a/x.png", b"\x89PNG\r\n\x1a\n" + body


BOMBS: dict[str, Callable[[random.Random], tuple[str, bytes]]] = {
    "nested": _nested, "wide": _wide, "long cell": _long_cell, "many classes": _many_classes, "packed": _packed,
    "parquet": _parquet, "image": _png,
}  # fmt: skip
"""Inputs that are more than they look, by name."""
