"""The walks of docs/design.md, taken literally: its blocks of code are read from the page and run."""

from __future__ import annotations

import json
import re
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tutelage.kinds
import tutelage.methods
from tutelage import kinds
from tutelage.methods import catalogue

PAGE = (Path(__file__).parents[1] / "docs" / "design.md").read_text(encoding="utf-8")


def blocks(heading: str) -> list[str]:
    """The blocks of Python below a heading, up to the next one."""
    below = PAGE.split(f"## {heading}")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", below, re.S)


def imported(monkeypatch, name: str, source: str) -> types.ModuleType:
    """A module of the library made from source, as if its file were there."""
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(source, name, "exec"), module.__dict__)
    return module


@pytest.fixture
def points(tmp_path):
    """Tables of points of two classes, east and west of a river; most labels are empty."""
    rng = np.random.default_rng(0)
    for name, count, known in (("train", 60, 20), ("test", 40, 40)):
        east = rng.normal(size=count)
        label = np.where(east > 0, "right bank", "left bank").astype(object)
        label[known:] = ""
        pd.DataFrame({"e": east, "n": rng.normal(size=count), "bank": label}).to_csv(tmp_path / f"{name}.csv")
    return tmp_path


def test_a_method_is_added_by_a_file_and_a_row(monkeypatch, run, points):
    source, row = blocks("Add a method: a file, its test, a row")
    module = imported(monkeypatch, "tutelage.methods.agree", source)
    entry = eval(row, vars(catalogue))
    monkeypatch.setitem(catalogue.TABLE, entry.name, entry)
    assert entry.sentence == module.Agree.__doc__.splitlines()[0]
    assert tutelage.methods.METHODS["agree"] is module.Agree
    assert "agree" in run("methods")[1]
    words = ["--train", points / "train.csv", "--features", "e", "--label", "bank", "--steps", "20", "--folds", "2"]
    code, shown = run("fit", "agree", *words, "--weight", "0.5", "--out", points / "out")
    assert code == 0, shown
    summary = json.loads((points / "out" / "summary.json").read_text())
    assert (summary["method"], summary["settings"]["weight"], summary["kind"]) == ("agree", 0.5, "rows")


def test_a_kind_is_added_by_a_file_and_a_row(monkeypatch, run, points):
    source, row = blocks("Add a kind: a file, its test, a row")
    imported(monkeypatch, "tutelage.kinds.points", source)
    for name, value in eval(row, vars(kinds)).items():
        monkeypatch.setitem(kinds.TABLE, name, value)
    _, shown = run("fit", "drift", "--kind", "points", "--help")
    assert "--east" in shown and "--north" in shown and "--text" not in shown and "--votes" not in shown
    words = ["--train", points / "train.csv", "--east", "e", "--north", "n", "--label", "bank", "--steps", "60"]
    code, shown = run("fit", "drift", *words, "--test", points / "test.csv", "--out", points / "out")
    assert code == 0, shown
    summary = json.loads((points / "out" / "summary.json").read_text())
    assert (summary["kind"], summary["things"], summary["labelled"], summary["unlabelled"]) == (
        "points",
        "points",
        20,
        40,
    )
    assert summary["test"]["accuracy"] > 0.8
    assert "points it is least sure of" in (points / "out" / "report.html").read_text()
    code, shown = run("score", points / "out", "--test", points / "test.csv", "--json")
    assert json.loads(shown)["accuracy"] == summary["test"]["accuracy"]
    code, _ = run("predict", points / "out", "--input", points / "test.csv", "--output", points / "said.csv")
    said, true = (pd.read_csv(points / name) for name in ("said.csv", "test.csv"))
    assert code == 0 and (said.predicted == true.bank).mean() == summary["test"]["accuracy"]
    code, shown = run("audit", *words[:-2], "--out", points / "audit")
    assert code == 0, shown
    (points / "train.csv").write_text("e,n,bank\n1,2,left\nfar,2,right\n")
    code, shown = run("fit", "drift", *words, "--out", points / "again")
    assert code == 2 and "train.csv, row 2, column 'e': not a list of numbers but 'far'" in shown
