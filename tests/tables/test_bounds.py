"""A small file that unpacks to a large table is refused in a line, before it fills the memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import struct
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from tutelage.modalities.rows.tables import read_row_table
from tutelage.tables import USUAL, DataError, Notes, bounds, read
from tutelage.tables.expanding import _unpacked

TEXT = b"text,label\nsoup,food\n" + b"x" * 3_000_000 + b",food\n"


def zstandard(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def zipped(data: bytes, name: str = "t.csv") -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return held.getvalue()


def written(write, *args, **options) -> bytes:
    held = io.BytesIO()
    write(*args, held, **options)
    return held.getvalue()


SAME = pa.table({"text": pa.DictionaryArray.from_arrays(pa.array(np.zeros(4000, np.int32)), pa.array(["x" * 1000])),
                 "label": ["a", "b"] * 2000})  # fmt: skip
PLAIN = pa.table({"text": ["x" * 1000] * 4000, "label": ["a", "b"] * 2000})
NESTED = pa.table({"text": [["x" * 1000, "y"]] * 4000, "of": [{"of": "x" * 1000}] * 4000,
                   "map": pa.array([[("k", "x" * 1000)]] * 4000, pa.map_(pa.string(), pa.string()))})  # fmt: skip
NOTHING = pa.table({"text": pa.nulls(500_000), "label": pa.nulls(500_000)})

BOMBS = {
    "t.csv.gz": gzip.compress(TEXT),
    "t.csv.bz2": bz2.compress(TEXT),
    "t.csv.xz": lzma.compress(TEXT, preset=0),
    "t.csv.zst": zstandard(TEXT),
    "t.csv.zip": zipped(TEXT),
    "t.xlsx": zipped(b" " * 3_000_000, "xl/worksheets/sheet1.xml"),
    "same.parquet": written(parquet.write_table, SAME, store_schema=False),
    **{f"{c}.parquet": written(parquet.write_table, NESTED.select([c])) for c in NESTED.column_names},
    "rows.parquet": written(parquet.write_table, pa.table({"a": pa.array(np.zeros(300_000, np.int8))})),
    "t.feather": written(feather.write_feather, PLAIN, compression="zstd"),
    "t.arrow": written(feather.write_feather, NOTHING, compression="uncompressed"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_unpacks_beyond_the_bound_is_refused_and_the_bound_can_be_raised(name, tmp_path, monkeypatch):
    path = tmp_path / name
    path.write_bytes(BOMBS[name])
    monkeypatch.setenv(bounds.VARIABLE, "0.001")
    with pytest.raises(
        DataError, match=rf"{name}: its [\d,]+ bytes unpack to more than 0\.001\d* GB.*set {bounds.VARIABLE}"
    ):
        read(path, USUAL, Notes())
    monkeypatch.setenv(bounds.VARIABLE, "1")
    if name != "t.xlsx":  # which is no spreadsheet
        assert len(read(path, USUAL, Notes()).frame) >= 2


def test_ordinary_tables_are_read_whatever_the_bound(tmp_path, monkeypatch):
    monkeypatch.setenv(bounds.VARIABLE, "0.000001")
    frame = pd.DataFrame({"text": [f"text number {i}" for i in range(2000)], "label": ["a", "b"] * 1000})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_feather(tmp_path / "t.feather")
    frame.to_csv(tmp_path / "t.csv.gz", index=False)
    for name in ("t.parquet", "t.feather", "t.csv.gz"):
        assert read(tmp_path / name, USUAL, Notes()).frame["text"].tolist() == frame["text"].tolist()


@pytest.mark.parametrize("said", ["0", "-1", "nan", "inf", "ten"])
def test_a_bound_that_is_no_number_is_refused(said, monkeypatch):
    monkeypatch.setenv(bounds.VARIABLE, said)
    with pytest.raises(DataError, match=rf"{bounds.VARIABLE} must be a number of gigabytes above 0, got '{said}'"):
        bounds.most(1)


def test_packed_buffers_say_how_large_they_become():
    data = written(feather.write_feather, PLAIN, compression="zstd")
    messages = list(pa.ipc.MessageReader.open_stream(pa.BufferReader(data[8:])))
    total = sum(_unpacked(message.metadata.to_pybytes(), message.body) for message in messages)
    assert total == sum(
        buffer.size for column in PLAIN.columns for chunk in column.chunks for buffer in chunk.buffers() if buffer
    )


def test_a_cell_far_away_is_named_and_fills_no_memory(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for place, value in (("A1", "text"), ("B1", "label"), ("A2", "a"), ("B2", "x"), ("XFD1048576", "z")):
        book.active[place] = value
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(DataError, match=r"t\.xlsx: its cells reach as far as XFD1048576, which makes 17,179,869,184"):
        read(tmp_path / "t.xlsx", USUAL, Notes())


def test_a_spreadsheet_whose_parts_are_damaged_is_refused(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active["A1"] = "text"
    book.save(tmp_path / "t.xlsx")
    data = bytearray((tmp_path / "t.xlsx").read_bytes())
    with zipfile.ZipFile(tmp_path / "t.xlsx") as held:
        for member in held.infolist():
            begin = member.header_offset + 30 + len(member.filename)
            data[begin : begin + 4] = b"\xff" * 4
    (tmp_path / "t.xlsx").write_bytes(data)
    with pytest.raises(DataError, match=r"t\.xlsx: not readable as a spreadsheet \("):
        read(tmp_path / "t.xlsx", USUAL, Notes())


def npz(shape: str, kind: str = "'<f4'", body: bytes = b"") -> bytes:
    head = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return zipped(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + body, "x.npy")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            npz("(1000000000000, 4)"),
            "its first bytes say 4,000,000,000,000 values, which take 16,000,000,000,000 bytes",
        ),
        (npz("(3, 4)", body=bytes(47)), "its first bytes say 12 values, which take 48 bytes, but it has 47"),
        (npz("(-1, 4)"), "not readable"),
        (npz("(1000000000000, 0)"), ""),
        (npz("('a',)"), "its parts cannot be decoded"),
        (npz("(__import__('os'),)"), "its parts cannot be decoded"),
        (npz("(" * 3000), "not readable"),
        (npz("(3,)", "'|O'"), "it holds objects of Python"),
        (npz("(3,)", "'zz'"), "not readable"),
    ],
)
def test_arrays_whose_first_bytes_lie_are_refused(data, says, tmp_path):
    (tmp_path / "t.npz").write_bytes(data)
    with pytest.raises(DataError, match=r"t\.npz, array 'x': ") as refused:
        read_row_table(tmp_path / "t.npz", USUAL, Notes(), "x")
    assert says in str(refused.value)


@pytest.mark.parametrize("name", ["t.json", "t.jsonl"])
@pytest.mark.parametrize("depth", [101, 900, 100_000])
def test_brackets_within_brackets_are_refused_by_row(name, depth, tmp_path):
    (tmp_path / name).write_text('{"text": "a", "label": ' + "[" * depth + "]" * depth + "}\n" + '{"text": "b"}\n')
    with pytest.raises(DataError, match=rf"{name}: row 1 is not JSON \(it has brackets within brackets"):
        notes = Notes()
        read(tmp_path / name, USUAL, notes)
        notes.settle()


def test_a_number_of_too_many_digits_is_refused_by_row(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"text": ' + "1" * 5000 + "}\n" + '{"text": "b"}\n')
    with pytest.raises(
        DataError, match=re.escape("row 1 is not JSON (it has a whole number of more than 4,300 digits)")
    ):
        notes = Notes()
        read(tmp_path / "t.jsonl", USUAL, notes)
        notes.settle()
