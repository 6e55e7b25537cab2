"""A file of which each row is there several times gives the run of the rows alone; contradictions are listed."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

WORDS = ("--features", "a,b", "--label", "label", "--steps", 20, "--folds", 3, "--repeats", 2)


@pytest.fixture
def measured(tmp_path):
    """Rows of two classes that overlap, 16 with labels and 30 without."""
    rng = np.random.default_rng(0)
    y = np.arange(46) % 2
    table = pd.DataFrame({"a": y + rng.normal(size=46), "b": rng.normal(size=46), "label": np.where(y, "yes", "no")})
    table.loc[16:, "label"] = ""
    return table.round(3).assign(author=[f"author {i % 8}" for i in range(46)]), tmp_path


def fitted(run, folder, table, name, *words):
    table.to_csv(folder / f"{name}.csv", index=False)
    out = folder / name
    code, shown = run("fit", "mean_teacher", "--train", folder / f"{name}.csv", *WORDS, *words, "--out", out)
    assert code == 0, shown
    return json.loads((out / "summary.json").read_text()), shown, out


def test_rows_that_are_there_three_times_give_the_run_of_the_rows_alone_bit_for_bit(run, measured):
    table, folder = measured
    alone, shown, one = fitted(run, folder, table, "once")
    thrice, told, three = fitted(run, folder, pd.concat([table] * 3), "thrice")
    same = ("evidence", "calibration", "reference", "candidate", "returned", "labelled", "unlabelled")
    assert {k: alone[k] for k in same} == {k: thrice[k] for k in same}
    before, after = (load_file(out / "model" / "model.safetensors") for out in (one, three))
    assert before.keys() == after.keys() and all((before[k] == after[k]).all() for k in before)
    assert "copies" not in alone and "occur more than once" not in shown
    assert thrice["copies"]["items"] == 16 and thrice["copies"]["contradictions"] == 0
    assert "16 labelled rows occur more than once: 48 rows are 16 rows; each has one vote." in told
    assert thrice["copies"]["flattered"]["leaking"] > thrice["copies"]["flattered"]["honest"]
    assert not (three / "contradictions.csv").exists()


def test_contradictions_are_listed_and_counted_as_one_label_each(run, measured):
    table, folder = measured
    second = table[:16].copy()
    second.loc[[0, 3], "label"] = ["yes", "no"]
    summary, shown, out = fitted(run, folder, pd.concat([table, second]), "two")
    assert summary["evidence"]["labels"] == 16 and summary["labelled"] == 16
    assert "2 of the 16 rows that occur more than once have different labels" in shown
    listed = pd.read_csv(out / "contradictions.csv")
    assert listed["rows"].tolist() == ["row 1; row 47", "row 4; row 50"]
    assert listed["labels"].tolist() == ["no; yes", "yes; no"]
    assert summary["copies"]["kappa"] == pytest.approx(0.75, abs=0.01)


def test_the_evidence_says_of_how_many_authors_the_labels_are(run, measured):
    table, folder = measured
    words = ("--group", "author")
    table.loc[:15, "label"] = ["yes", "yes", "no", "no"] * 4  # each author has one class
    summary, shown, _ = fitted(run, folder, table, "authors", *words)
    assert summary["evidence"]["labels"] == 16 and summary["evidence"]["clusters"] == 8
    assert "With 16 labels in 8 groups by author, which say as much as" in shown
    assert summary["copies"]["group"] == "author" and summary["copies"]["several"] == 0
