"""Spreadsheets hold what they are given: no formula runs, no number is rounded, no character is lost."""

from __future__ import annotations

import datetime
import zipfile

import pandas as pd
import pytest

from tutelage.tables import DataError, read, to_sheet, write_table
from tutelage.tables.how import USUAL

openpyxl = pytest.importorskip("openpyxl")

ODD = [
    "=1+1", "+1", "-1+2", "@SUM(A1)", "#N/A", "=cmd|' /C calc'!A0", "007", "12345678901234567890", "1e5", "TRUE",
    "a\x01b", "a\x1b[31m", "a\rb", "a\r\nb", "_x0001_", "_x005F_", "a_b", " pad ", "😀" * 20, "a\tb",
]  # fmt: skip


def written(tmp_path, table):
    write_table(table, tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    return sheet, read(tmp_path / "t.xlsx").frame


def test_texts_stay_the_texts_that_they_are(tmp_path):
    sheet, frame = written(tmp_path, pd.DataFrame({"text": ODD, "=1+1": "x"}))
    assert frame["text"].tolist() == ODD and list(frame) == ["text", "=1+1"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "inlineStr"}
    assert b"<f>" not in zipfile.ZipFile(tmp_path / "t.xlsx").read("xl/worksheets/sheet1.xml")
    unescaped = [openpyxl.utils.escape.unescape(row[0].value) for row in sheet.iter_rows(min_row=2)]
    assert unescaped == ODD  # openpyxl gives what the XML holds, and undoes it by a function of its own


def test_numbers_stay_numbers_as_long_as_a_sheet_keeps_their_digits(tmp_path):
    day = datetime.date(2024, 1, 2)
    old = datetime.date(1850, 1, 2)
    values = [1, -5, 2**40, 10**15, -(10**17) - 1, 0.1, 1 / 3, float("inf"), True, day, old, None, "end"]
    sheet, _ = written(tmp_path, pd.DataFrame({"n": pd.Series(values, dtype=object)}))
    found = [row[0].value for row in sheet.iter_rows(min_row=2)]
    texts = {
        3: "1000000000000000",
        4: "-100000000000000001",
        7: "inf",
        9: datetime.datetime(2024, 1, 2),
        10: "1850-01-02",
    }
    assert found == [texts.get(i, value) for i, value in enumerate(values)][: len(found)] and len(found) >= 11


def test_a_text_that_no_cell_holds_is_named(tmp_path):
    with pytest.raises(DataError, match=r"t.xlsx, row 2: a text of 40,000 characters, and a cell .* 32,767"):
        write_table(pd.DataFrame({"text": ["a", "x" * 40_000]}), tmp_path / "t.xlsx")
    assert not list(tmp_path.iterdir())
    whole = pd.DataFrame({"text": ["x" * 32_767]})
    _, frame = written(tmp_path, whole)
    assert frame["text"][0] == whole["text"][0]


def test_characters_are_counted_as_a_sheet_does(tmp_path):
    with pytest.raises(DataError, match="characters"):
        write_table(pd.DataFrame({"text": ["😀" * 20_000]}), tmp_path / "t.xlsx")  # two units of UTF-16 each


def test_more_rows_than_a_sheet_has_are_said_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(to_sheet, "ROWS", 4)
    for name, rows in (("a.csv", 2), ("b.csv", 2)):
        write_table(pd.DataFrame({"text": ["two\nlines"] * rows}), tmp_path / name)
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    to_sheet.require_fits(files[:1], USUAL, tmp_path / "t.xlsx")
    with pytest.raises(DataError, match=r"t.xlsx: 4 rows do not fit in a sheet, which has 4 with its header"):
        to_sheet.require_fits(files, USUAL, tmp_path / "t.xlsx")
    with pytest.raises(DataError, match="more rows do not fit"):
        write_table(pd.DataFrame({"n": range(4)}), tmp_path / "t.xlsx")


def test_a_text_that_is_too_long_is_said_before_the_work(tmp_path):
    write_table(pd.DataFrame({"text": ["a", "x" * 33_000]}), tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"a.csv, row 2, column 'text': a text of 33,000 characters"):
        to_sheet.require_fits([tmp_path / "a.csv"], USUAL, tmp_path / "t.xlsx")


def test_what_is_no_character_is_written_out(tmp_path):
    sheet, frame = written(tmp_path, pd.DataFrame({"text": pd.Series(["a\uffff", "b\udc80"], dtype=object)}))
    assert frame["text"].tolist() == ["a_xFFFF_", "b_xDC80_"] and sheet["A2"].value == "a_xFFFF_"
