"""Cells that begin like a formula are written as texts where that is asked for, and are read as given again."""

from __future__ import annotations

import csv

import pandas as pd
import pytest

from tutelage.tables import write_table
from tutelage.tables.formulas import as_given, safe_cells

EVIL = ["=cmd|'/c calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1"]
GOOD = ["soup", "-2", "+1.5e3", "'tis", "a=b", "", "1-2"]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_cells_and_names_like_formulas_get_an_apostrophe_on_request_alone(name, tmp_path):
    table = pd.DataFrame({"=text": EVIL + GOOD, "number": [-1.5] * 14, "list": [["=1"]] * 14})

    def cells(asked: bool) -> list[list[str]]:
        with safe_cells(asked):
            write_table(table, tmp_path / name)
        with open(tmp_path / name, encoding="utf-8", newline="") as file:
            return list(csv.reader(file, delimiter="\t" if name == "t.tsv" else ","))

    plain, safe = cells(False), cells(True)
    assert [row[0] for row in plain] == ["=text", *EVIL, *GOOD]
    assert [row[0] for row in safe] == ["'=text", *("'" + cell for cell in EVIL), *GOOD]
    assert [row[1:] for row in safe] == [row[1:] for row in plain]
    assert [as_given(row[0]) for row in safe] == [row[0] for row in plain]


def test_parquet_keeps_cells_as_they_are(tmp_path):
    with safe_cells():
        write_table(pd.DataFrame({"text": EVIL}), tmp_path / "t.parquet")
    assert pd.read_parquet(tmp_path / "t.parquet")["text"].tolist() == EVIL


def test_relabel_takes_labels_with_the_apostrophe(run, tmp_path):
    pd.DataFrame({"text": ["a", "b", "c"], "label": ["=x", "'=y", "z"]}).to_csv(tmp_path / "t.csv", index=False)
    suspects = pd.DataFrame({"row": [1, 3], "given": ["'=x", "z"], "suggested": ["z", "'=x"]})
    suspects.to_csv(tmp_path / "s.csv", index=False)
    words = ("--train", tmp_path / "t.csv", "--label", "label", "--suspects", tmp_path / "s.csv")
    code, shown = run("relabel", *words, "--output", tmp_path / "o.csv")
    assert code == 0, shown
    assert pd.read_csv(tmp_path / "o.csv")["label"].tolist() == ["z", "'=y", "=x"]
    code, shown = run("relabel", *words, "--output", tmp_path / "safe.csv", "--safe-cells")
    assert code == 0, shown
    assert pd.read_csv(tmp_path / "safe.csv")["label"].tolist() == ["z", "'=y", "'=x"]
