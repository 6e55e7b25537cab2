"""Rows that are read and rows that are named are together the rows that were written."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.tables import Notes, ReadAs, read
from tutelage.tables.dialects import Dialect
from tutelage.tables.layout import quoting

PARTS = ["soup", "goal", "a, b", "c; d", "e\tf", "g | h", '5" pipe', '"quoted"', "it's", "über", "1,5", "x\ny", "#"]
TEXTS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map(" ".join)
ROWS = st.lists(st.tuples(TEXTS, st.sampled_from(["pos", "neg"])).map(list), min_size=1, max_size=25)
SEPARATORS = {"csv": ",;|", "tsv": "\t;", "txt": ",;\t|"}
SETTINGS = settings(max_examples=120, deadline=None, database=None)


@st.composite
def separated(draw, quoted: bool):
    """Name of a file, its bytes, and the rows in it; written by a program that quotes, or by one that does not."""
    ending = draw(st.sampled_from(list(SEPARATORS)))
    separator, end = draw(st.sampled_from(SEPARATORS[ending])), draw(st.sampled_from(["\n", "\r\n"]))
    rows = draw(ROWS)
    if quoted:
        held = io.StringIO()
        how = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
        csv.writer(held, delimiter=separator, lineterminator=end, quoting=how).writerows([["text", "label"], *rows])
        content = held.getvalue()
    else:
        end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
        bare = str.maketrans({separator: " ", "\n": " "})
        rows = [[text.translate(bare).strip('"'), label] for text, label in rows]
        content = "".join(f"{text}{separator}{label}{end}" for text, label in [["text", "label"], *rows])
    content = content if draw(st.booleans()) else content.removesuffix(end)
    data = content.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])))
    packing = draw(st.sampled_from(["", ".gz"]))
    return f"t.{ending}{packing}", gzip.compress(data) if packing else data, rows


def read_bytes(name: str, data: bytes, **how):
    notes = Notes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return read(path, ReadAs(**how), notes), notes


@SETTINGS
@given(separated(quoted=True))
def test_what_a_program_quotes_is_read_or_asked_about(file):
    name, data, rows = file
    found, notes = read_bytes(name, data)
    if not any(question.halts for question in notes.questions):
        assert found.frame.values.tolist() == rows
        assert not notes.faults
        assert found.seen.lines == 1 + found.seen.rows + found.seen.longer


@SETTINGS
@given(separated(quoted=False))
def test_what_is_written_without_quotes_is_read(file):
    name, data, rows = file
    found, notes = read_bytes(name, data)
    assert [[text.strip('"'), label] for text, label in found.frame.values.tolist()] == rows
    assert not notes.faults and not notes.questions
    assert found.seen.lines == 1 + found.seen.rows


@SETTINGS
@given(
    st.lists(st.sampled_from(["a good row,pos", "another,neg", "one cell", "three,of,them", "", "lone\x00zero,pos"]),
             min_size=1, max_size=30),
    st.sampled_from(["\n", "\r\n", "\r"]),
)  # fmt: skip
def test_rows_read_and_rows_left_out_are_the_rows_written(rows, end):
    content = end.join(["text,label", *["a good row,pos"] * 31, *rows])
    zeros = sum("\x00" in row for row in rows)
    if zeros > 1:  # else there are too many to be left out
        return
    found, notes = read_bytes("t.csv", content.encode(), skip_bad=True)
    full = [row for row in ["a good row,pos"] * 31 + rows if row]
    good = [row for row in full if row.count(",") == 1 and "\x00" not in row]
    assert found.frame.values.tolist() == [row.split(",") for row in good]
    assert [full[row - 1] for row in found.rows] == good
    assert found.seen.rows + found.seen.left_out == len(full)
    assert found.seen.lines == 1 + len(full) + found.seen.blank
    assert bool(found.seen.left_out) == any("Left out" in line for line in notes.lines)


@SETTINGS
@given(separated(quoted=True))
def test_a_strict_file_is_read_as_pandas_reads_it(file):
    name, data, _ = file
    if not name.endswith("csv") or data[:2] == b"\xff\xfe":
        return
    found, notes = read_bytes(name, data)
    separator = found.seen.separator
    text = data.removeprefix("\ufeff".encode())
    if quoting(text, Dialect(separator)) == "loose" or notes.questions:
        return
    usual = pd.read_csv(io.BytesIO(data), sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    pd.testing.assert_frame_equal(found.frame, usual)
