"""Faulty files of every format: a table or one clear refusal, and no row is lost without a word."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from faulty.formats import ADDED, LINE_FAULTS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tutelage.tables import DataError, Notes, ReadAs, read

PARTS = [
    "soup", "goal", "a, b", "c; d", "e\tf", "g|h", '5" pipe', '"quoted"', "it's", "'single'", "über", "Příliš", "日本",
    "😀", "1,5", "2.5", "-1", "nan", "\\", '\\"', "=1", "# x", "{y}", "[z]", "x\ny",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map(" ".join)
ROWS = st.lists(st.tuples(TEXTS, st.sampled_from(["pos", "neg", ""]), st.integers(0, 9).map(str)), max_size=20)
FORMATS = ["csv", "csv", "csv", "tsv", "tsv", "txt", "jsonl", "json", "xlsx", "parquet", "feather", "arrow"]
PLACE = st.integers(0, 10_000)


def encoded(ending: str, names: list[str], rows: list[tuple[str, ...]], draw) -> bytes:
    """Bytes of a file of a format."""
    frame, held = pd.DataFrame(rows, columns=names, dtype=str), io.BytesIO()
    if ending == "jsonl":
        return "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows).encode()
    if ending == "json":
        return json.dumps([dict(zip(names, row, strict=True)) for row in rows]).encode()
    if ending == "xlsx":
        pytest.importorskip("openpyxl")
        frame.to_excel(held, index=False)
    elif ending == "parquet":
        frame.to_parquet(held)
    elif ending in ("feather", "arrow"):
        frame.to_feather(held)
    else:
        text = io.StringIO()
        separator = "\t" if ending == "tsv" else draw(st.sampled_from(",,;|"))
        quoted = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
        end = draw(st.sampled_from(["\n", "\r\n"]))
        csv.writer(text, delimiter=separator, quoting=quoted, lineterminator=end).writerows([names, *rows])
        return text.getvalue().encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"])))
    return held.getvalue()


@st.composite
def faulty(draw):
    """Name of a file, its bytes, the number of rows that were written, the names of its faults, and options."""
    ending, names = draw(st.sampled_from(FORMATS)), ["text", "label", "id"][: draw(st.sampled_from([1, 2, 2, 3]))]
    rows = [row[: len(names)] for row in draw(ROWS)]
    data, faults = encoded(ending, names, rows, draw), []
    for _ in range(draw(st.integers(0, 3))):
        fault = draw(st.sampled_from([*LINE_FAULTS, "cut", "bytes", "garbage"]))
        faults.append(fault)
        if fault == "cut":
            data = data[: draw(PLACE) % (len(data) + 1)]
        elif fault == "bytes":
            at = draw(PLACE) % (len(data) + 1)
            data = data[:at] + draw(st.binary(min_size=1, max_size=4)) + data[at + 1 :]
        elif fault == "garbage":
            data = draw(st.binary(max_size=200))
        else:
            lines = data.split(b"\n")
            data = b"\n".join(LINE_FAULTS[fault](lines, draw(PLACE) % len(lines)))
    packing = draw(st.sampled_from(["", "", "", ".gz", ".zip"]))
    if packing == ".gz":
        data = gzip.compress(data)
    if packing == ".zip":
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr(f"t.{ending}", data)
        data = held.getvalue()
    option = st.fixed_dictionaries({}, optional={
        "skip_bad": st.just(True), "quote": st.sampled_from(["double", "single", "none"]),
        "separator": st.sampled_from([",", ";", "tab"]), "columns": st.sampled_from(["text", "text,label", "header"]),
        "charset": st.sampled_from(["cp1250", "shift_jis"]), "sheet": st.sampled_from(["1", "x"]),
    })  # fmt: skip
    how = draw(st.one_of(st.just({}), st.just({}), option))
    return f"t.{ending}{packing}", data, len(rows), faults, how


def check(file) -> None:
    name, data, count, faults, how = file
    notes = Notes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            found = read(path, ReadAs(**how), notes)
        except DataError as refused:
            assert str(refused).strip()
            assert "Traceback" not in str(refused)
            return
    assert len(found.frame) == found.seen.rows == len(found.rows)
    said = notes.lines or notes.questions or notes.faults
    if not said and not how and set(faults) <= ADDED:
        assert len(found.frame) >= count, "rows are lost without a word"


FEW = settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@FEW
@given(faulty())
def test_faulty_files_are_read_or_refused(file):
    check(file)


@pytest.mark.slow
@settings(FEW, max_examples=10_000)
@given(faulty())
def test_ten_thousand_faulty_files_are_read_or_refused(file):
    check(file)
