"""Spreadsheets are read like csv files: texts, whole numbers, dates, one sheet, its header."""

from __future__ import annotations

import datetime
import io

import pytest
from table_files import noted, quiet, rows_of, written

from tutelage.tables import DataError, read

openpyxl = pytest.importorskip("openpyxl")
HEADER = ["text", "label", "n"]
ROWS = [["the soup", "food", 1], ["a goal", "sport", 2], ["the cake", "food", 3]]


def book(hidden=(), **sheets) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(row)
    held = io.BytesIO()
    made.save(held)
    return held.getvalue()


def test_a_plain_sheet_is_read_without_a_word(tmp_path):
    found, notes = noted(written(tmp_path, "t.xlsx", book(S=[HEADER, *ROWS])))
    assert quiet(notes) and found.seen.format == "spreadsheet" and found.seen.member == "S"
    assert rows_of(found) == [[text, label, str(n)] for text, label, n in ROWS]


def test_cells_become_texts(tmp_path):
    day = datetime.datetime(2024, 1, 2)
    cells = [3, 3.5, 0.1, "007", day.date(), day.replace(hour=3), True, None, 12345678901, " pad "]
    names = [f"c{i}" for i in range(len(cells))]
    found, _ = noted(written(tmp_path, "t.xlsx", book(S=[names, cells])))
    assert rows_of(found) == [
        ["3", "3.5", "0.1", "007", "2024-01-02", "2024-01-02T03:00:00", "True", "", "12345678901", " pad "]
    ]


def test_a_title_and_blank_rows_are_passed_over_and_said(tmp_path):
    rows = [[], ["My title"], [], HEADER, *ROWS[:2], [], ROWS[2], []]
    found, notes = noted(written(tmp_path, "t.xlsx", book(S=rows)))
    assert len(found.frame) == 3 and found.seen.columns == HEADER
    assert "below the title 'My title'" in notes.lines[0] and "1 row is blank" in notes.lines[1]


def test_other_sheets_are_asked_about(tmp_path):
    path = written(tmp_path, "t.xlsx", book(A=[HEADER, *ROWS], B=[HEADER, ROWS[0]], C=[], hidden=("B",)))
    found, notes = noted(path)
    assert len(found.frame) == 3
    (question,) = notes.questions
    assert "sheet 'A' (4 rows) is read, but not 'B' (2 rows)" in question.asks and not question.halts
    assert [len(noted(path, sheet=name)[0].frame) for name in ("A", "B", "2")] == [3, 1, 1]
    with pytest.raises(DataError, match="no sheet 'Z'; it has 'A', 'B', 'C'"):
        noted(path, sheet="Z")


def test_the_first_sheet_with_rows_is_read(tmp_path):
    found, notes = noted(written(tmp_path, "t.xlsx", book(empty=[], full=[HEADER, *ROWS])))
    assert found.seen.member == "full" and quiet(notes)


def test_errors_and_formulas_without_a_value_are_counted(tmp_path):
    found, notes = noted(written(tmp_path, "t.xlsx", book(S=[HEADER, ["a", "=1+1", 1], ["b", "#N/A", 2]])))
    assert [row[1] for row in rows_of(found)] == ["", ""]
    assert "read as empty: 2 cells with errors, or with formulas without a value" in notes.lines[0]


@pytest.mark.parametrize("above", [[], [["", "My title"], []]])
def test_cells_that_are_merged_downwards_have_one_value_and_it_is_said(tmp_path, above):
    made = openpyxl.Workbook()
    for row in [
        *above,
        ["", *HEADER],
        *(["", text, "food" if i == 0 else None, i] for i, (text, _, _) in enumerate(ROWS)),
    ]:
        made.active.append(row)
    top = len(above) + 2
    made.active.merge_cells(start_row=top, end_row=top + 2, start_column=3, end_column=3)
    made.active.merge_cells(start_row=1, end_row=1, start_column=2, end_column=3)
    made.save(tmp_path / "t.xlsx")
    found, notes = noted(tmp_path / "t.xlsx")
    assert [row[1] for row in rows_of(found)] == ["food"] * 3
    says = f"2 cells have the value of the one above, with which it is merged (first: row {top + 1} of the sheet)."
    assert notes.lines[0].endswith(says)


def test_columns_without_a_header_are_named_by_the_user(tmp_path):
    path = written(tmp_path, "t.xlsx", book(S=ROWS))
    assert noted(path, columns="text,label,n")[0].seen.columns == HEADER
    with pytest.raises(DataError, match="--columns names 2 columns, but the rows have 3"):
        noted(path, columns="text,label")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.xlsx", b"<html><table></table></html>", "not readable as a spreadsheet.*it is a web page"),
        ("t.xls", b"text\tlabel\na\tb\n", "not readable as a spreadsheet.*it looks like text"),
        ("t.xlsx", b"PK\x03\x04", "not readable as a spreadsheet"),
        ("t.ods", b"", "not readable as a spreadsheet"),
        ("t.xlsx", None, "the file has no rows"),
    ],
)
def test_what_is_no_spreadsheet(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        read(written(tmp_path, name, book(S=[]) if content is None else content))


def test_sheets_of_older_programs(tmp_path):
    xlwt = pytest.importorskip("xlwt")
    made = xlwt.Workbook()
    sheet = made.add_sheet("S")
    for i, row in enumerate([HEADER, *ROWS]):
        for j, cell in enumerate(row):
            sheet.write(i, j, cell)
    made.save(str(tmp_path / "t.xls"))
    assert rows_of(noted(tmp_path / "t.xls")[0]) == [[text, label, str(n)] for text, label, n in ROWS]
