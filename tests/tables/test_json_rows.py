"""JSON is read by lines and as a whole, however it is written."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from table_files import noted, quiet, rows_of, written

from tutelage.tables import DataError, ReadAs, read

RECORDS = [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}, {"text": "c", "label": "x"}]
ROWS = [list(record.values()) for record in RECORDS]
LINES = "".join(json.dumps(record) + "\n" for record in RECORDS)
FRAME = pd.DataFrame(RECORDS)


@pytest.mark.parametrize("ending", ["jsonl", "ndjson", "json"])
@pytest.mark.parametrize(
    "content",
    [
        LINES,
        LINES.replace("\n", "\r\n"),
        LINES.replace("\n", "\r"),
        LINES + "\n\n",
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        "\n".join(json.dumps(record, indent=2) for record in RECORDS),
        " ".join(map(json.dumps, RECORDS)),
        ",\n".join(json.dumps(record, indent=1) for record in RECORDS),
    ],
)
def test_objects_are_rows_however_they_are_written(tmp_path, ending, content):
    found, notes = noted(written(tmp_path, f"t.{ending}", content))
    assert rows_of(found) == ROWS and found.seen.columns == ["text", "label"]
    assert quiet(notes)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (json.dumps({"version": 1, "data": RECORDS}), "the rows are the list 'data' of one object"),
        (FRAME.to_json(orient="split"), "the rows are the arrays of 'data', named by 'columns'"),
        (json.dumps(FRAME.to_dict("list")), "the columns are the lists of one object"),
        (FRAME.to_json(), "the columns are the objects of one object"),
        (json.dumps(FRAME.to_dict("list"), indent=1), "the columns are the lists of one object"),
    ],
)
def test_objects_of_rows_and_columns(tmp_path, content, says):
    found, notes = noted(written(tmp_path, "t.json", content))
    assert rows_of(found) == ROWS and says in notes.lines[0] and says in found.seen.made


def test_rows_by_name_and_arrays(tmp_path):
    found, _ = noted(written(tmp_path, "t.json", FRAME.to_json(orient="index")))
    assert found.seen.columns == ["key", "text", "label"] and rows_of(found)[1] == ["1", "b", "y"]
    path = written(tmp_path, "u.json", FRAME.to_json(orient="values"))
    with pytest.raises(DataError, match="arrays without names; --columns NAME,NAME"):
        read(path)
    assert rows_of(noted(path, columns="text,label")[0]) == ROWS


def test_all_bad_lines_are_named_at_once(tmp_path):
    path = written(tmp_path, "t.jsonl", LINES + "{bad\n\n" + LINES + '[1]\n{"text": "a", "text": "b"}\n')
    found, notes = noted(path)
    (fault,) = notes.faults
    assert "row 4 is not JSON" in fault and "(3 such rows; then 8, 9)" in fault and "--skip-bad" in fault
    assert "1 line is blank and passed over (first: line 5)" in notes.lines[0]
    found, notes = noted(path, skip_bad=True)
    assert rows_of(found) == ROWS + ROWS and list(found.rows) == [1, 2, 3, 5, 6, 7]
    assert found.seen.left_out == 3 and "Left out of" in notes.lines[-1]


def test_a_key_that_is_there_twice_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"row 1 is not JSON .the key 'text' is there twice"):
        read(written(tmp_path, "t.jsonl", '{"text": "a", "text": "b"}\n'))


def test_a_key_in_two_spellings_is_asked_about(tmp_path):
    _, notes = noted(written(tmp_path, "t.jsonl", LINES + '{"text": "d", "Label": "x"}\n'))
    assert "in 1 row (first: row 4) stands 'Label' where others have 'label'" in notes.questions[0].asks
    assert quiet(noted(written(tmp_path, "u.jsonl", LINES + '{"text": "d"}\n'))[1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hello", "row 1 is not JSON"),
        ("[1, 2]", "row 1 must be a JSON object, got 1"),
        ('{"a": [1], "b": [1, 2]}', "columns of different lengths: 'a' has 1, 'b' has 2"),
        ('{"a": [{"x": 1}], "b": [{"y": 1}]}', "2 lists of rows, 'a', 'b'; keep one of them"),
        ("[]", "the file has no rows"),
        ("[" * 100_000, "row 1 is not JSON"),
        ('[["a"], ["b", "c"]]', "arrays without names"),
    ],
)
def test_json_that_is_no_table(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read(written(tmp_path, "t.json", content))


def test_an_array_in_each_line(tmp_path):
    path = written(tmp_path, "t.jsonl", '["a", "x"]\n["b", "y"]\n')
    with pytest.raises(DataError, match="--columns NAME,NAME names their columns"):
        read(path)
    assert rows_of(read(path, ReadAs(columns="text,label"))) == [["a", "x"], ["b", "y"]]


def test_objects_of_python_are_told_from_json(tmp_path):
    with pytest.raises(DataError, match=r"as Python writes it, not JSON: write each row by json\.dumps"):
        noted(written(tmp_path, "t.jsonl", "{'a': 'x'}\n{'a': 'y'}\n"))[1].settle()


def test_two_spellings_of_a_key_that_are_as_frequent_are_asked_about_once(tmp_path):
    path = written(tmp_path, "a.jsonl", '{"a": "x", "Label": "y"}\n{"a": "z", "label": "y"}\n')
    _, notes = noted(path)
    assert len(notes.questions) == 1
