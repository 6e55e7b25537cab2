"""Packed files are unpacked; what a file is in truth is named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile

import pyarrow as pa
import pytest
from table_files import noted, quiet, rows_of, written

from tutelage.tables import DataError, ending_of, read
from tutelage.weak import read_rules

CSV = b"text,label\na,x\nb,y\n"
ROWS = [["a", "x"], ["b", "y"]]


def zstandard(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def zipped(**members: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return held.getvalue()


PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstandard}
NAMES = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstandard"}


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize(("ending", "data"), [(".csv", CSV), (".tsv", CSV.replace(b",", b"\t")), (".jsonl", None)])
def test_the_ending_before_the_compression_decides_the_format(tmp_path, packing, ending, data):
    data = data or b'{"text": "a", "label": "x"}\n{"text": "b", "label": "y"}\n'
    found, notes = noted(written(tmp_path, f"t{ending}{packing}", PACK[packing](data)))
    assert rows_of(found) == ROWS and quiet(notes)
    assert (found.seen.packed, found.seen.format) == (NAMES[packing], ending[1:])


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("spoilt", [lambda data: data[:-6], lambda data: b"no" + data[2:], lambda data: b""])
def test_a_damaged_file_is_refused(tmp_path, packing, spoilt):
    path = written(tmp_path, f"t.csv{packing}", spoilt(PACK[packing](CSV * 100)))
    with pytest.raises(DataError, match=f"not readable as {NAMES[packing]}|the file is empty"):
        read(path)


def test_two_packed_parts_are_read_both(tmp_path):
    found, _ = noted(written(tmp_path, "t.csv.gz", gzip.compress(CSV, mtime=0) + gzip.compress(b"c,z\n")))
    assert rows_of(found) == [*ROWS, ["c", "z"]]


def test_the_only_table_of_a_zip_is_read(tmp_path):
    data = zipped(**{"in/train.csv": CSV, "in/readme.md": b"x", "__MACOSX/in/._train.csv": b"x", ".hidden.csv": b"x"})
    found, notes = noted(written(tmp_path, "t.zip", data))
    assert rows_of(found) == ROWS and quiet(notes)
    assert (found.seen.packed, found.seen.member, found.seen.format) == ("zip", "in/train.csv", "csv")
    assert rows_of(noted(written(tmp_path, "u.csv.zip", zipped(data=CSV)))[0]) == ROWS


def test_of_several_tables_in_a_zip_one_is_named(tmp_path):
    path = written(tmp_path, "t.zip", zipped(**{"train.csv": CSV, "test.csv": b"text\nc\n"}))
    with pytest.raises(DataError, match=r"2 tables in the zip: train.csv, test.csv; name one with --sheet"):
        read(path)
    assert rows_of(noted(path, sheet="test.csv")[0]) == [["c"]]


def test_a_zip_without_a_table(tmp_path):
    with pytest.raises(DataError, match=r"no table in the zip, which holds a\.pdf"):
        read(written(tmp_path, "t.zip", zipped(**{"a.pdf": b"x"})))
    with pytest.raises(DataError, match="not readable as zip"):
        read(written(tmp_path, "u.zip", b"PK\x03\x04"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (gzip.compress(CSV, mtime=0), "is packed by gzip: add .gz to its name"),
        (zipped(a=b"x"), "is a zip file or a spreadsheet"),
        (b"PAR1....", "is a parquet file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is only a pointer of Git LFS"),
        (b"<!DOCTYPE html>\n<html></html>", "is a web page"),
        (b"%PDF-1.7", "is a PDF"),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_what_a_file_is_in_truth(tmp_path, ending, content, says):
    with pytest.raises(DataError, match=f"not readable as {ending}; the file {says}"):
        read(written(tmp_path, f"t.{ending}", content))


def test_a_compression_alone_tells_no_format(tmp_path):
    with pytest.raises(DataError, match=r"file name must end in one of \.csv"):
        read(written(tmp_path, "t.gz", gzip.compress(CSV, mtime=0)))
    assert [ending_of(tmp_path / name) for name in ("a.csv.gz", "a.tar.gz", "a.v2.csv")] == [".csv", ".gz", ".csv"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_is_refused_before_it_is_read(tmp_path):
    for name in ("t.csv", "t.parquet", "t.csv.gz"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(DataError, match="not a regular file but a pipe"):
            read(tmp_path / name)
    os.mkfifo(tmp_path / "rules.json")
    with pytest.raises(DataError, match="not a regular file but a pipe"):
        read_rules(tmp_path / "rules.json")
