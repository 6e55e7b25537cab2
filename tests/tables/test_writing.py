"""What is written is read again, in every format that can be written."""

from __future__ import annotations

import pandas as pd
import pytest

from tutelage.tables import DataError, read, writable, write_table

TEXTS = ["a, b", 'says "no"', "tab\there", "=1+1"]
TABLE = pd.DataFrame({"text": TEXTS, "label": ["x", "", "z", "x"], "n": [1, 2, 3, 4]})


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet", "xlsx", "csv.gz", "tsv.zst", "jsonl.gz"])
def test_what_is_written_is_read(tmp_path, ending):
    if ending == "xlsx":
        pytest.importorskip("openpyxl")
    write_table(TABLE, tmp_path / f"t.{ending}")
    assert read(tmp_path / f"t.{ending}").frame.astype(str).to_dict("list") == TABLE.astype(str).to_dict("list")
    assert [file.name for file in tmp_path.iterdir()] == [f"t.{ending}"]


@pytest.mark.parametrize("name", ["t.txt", "t.csv.bz2", "t.parquet.gz", "t.xlsx.gz", "t.gz", "t.ods"])
def test_formats_that_are_read_only(tmp_path, name):
    with pytest.raises(DataError, match=r"must end in one of .csv, .tsv, .jsonl, .json, .parquet, .xlsx, also with"):
        writable(tmp_path / name)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("tutelage.tables.write.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'tutelage\[sheets\]'; or name a csv file"):
        writable(tmp_path / "t.xlsx")


def test_lists_of_texts_and_numbers_are_json_in_parquet(tmp_path):
    table = pd.DataFrame({"spans": [[[0, 3, "PER"]], None], "words": [["a", "b"], []], "n": [1, 2]})
    write_table(table, tmp_path / "t.parquet")
    found = pd.read_parquet(tmp_path / "t.parquet")
    assert found.spans[0] == '[[0, 3, "PER"]]' and found.spans.isna().tolist() == [False, True]
    assert found.words[0].tolist() == ["a", "b"]
