"""Runs of rows of numbers: spreadsheets whose columns have names of their own."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

WORDS = ("--label", "grower", "--steps", 40, "--folds", 2, "--repeats", 1)


@pytest.fixture
def wines(tmp_path):
    """Wines of two growers, who differ in alcohol and ash, with the bottle's number and a price that tells all."""
    rng = np.random.default_rng(0)
    for name, count, known in (("train", 60, 20), ("test", 40, 40)):
        y = rng.integers(0, 2, count)
        grower = np.where(y, "Rossi", "Bianchi").astype(object)
        grower[known:] = ""
        cells = {"bottle": range(count), "alcohol": 12 + y + 0.2 * rng.normal(size=count), "grower": grower}
        cells |= {"ash": 2 - y + 0.2 * rng.normal(size=count), "ashes of": y}
        pd.DataFrame(cells).to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def fitted(run, wines, *features: str, out: str = "out"):
    named = ("--train", wines / "train.csv", "--test", wines / "test.csv", "--features", *features)
    code, shown = run("fit", "supervised", *named, *WORDS, "--out", wines / out)
    assert code == 0, shown
    return json.loads((wines / out / "summary.json").read_text()), shown


@pytest.mark.parametrize("features", [("alcohol", "ash"), ("alcohol,ash",)])
def test_features_are_columns_by_name(run, wines, features):
    summary, shown = fitted(run, wines, *features)
    assert "Features: 2 columns, alcohol, ash." in shown
    assert summary["kind"] == "rows" and summary["test"]["accuracy"] > 0.9


def test_all_features_are_every_column_but_the_labels(run, wines):
    _, shown = fitted(run, wines, "all")
    assert "Features: 4 columns, bottle, alcohol, ash, ashes of." in shown


def test_new_rows_are_read_by_the_names_that_the_run_learnt_in_whatever_order(run, wines):
    fitted(run, wines, "all")
    table = pd.read_csv(wines / "test.csv")
    table["alien"] = "not a number"
    for name, columns in (("a", list(table)), ("b", list(table)[::-1])):
        table[columns].to_csv(wines / f"{name}.csv", index=False)
        words = ("--input", wines / f"{name}.csv", "--output", wines / f"{name}_out.csv")
        assert run("predict", wines / "out", *words)[0] == 0
    a, b = (pd.read_csv(wines / f"{name}_out.csv") for name in "ab")
    assert a["probability"].equals(b["probability"])
    table.drop(columns="ash").to_csv(wines / "less.csv", index=False)
    code, shown = run("predict", wines / "out", "--input", wines / "less.csv", "--output", wines / "o.csv")
    assert code == 2 and "less.csv: no column 'ash'; it has" in shown


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (("alcohol", "sugar"), "no column 'sugar'; it has 'bottle', 'alcohol', 'grower', 'ash', 'ashes of'"),
        (("alcohol", "grower"), "column 'grower' is of the labels, so it cannot be a feature"),
        (("sugar",), "no column 'sugar', and none that begins with 'sugar'"),
    ],
)
def test_a_column_that_cannot_be_a_feature_is_named(run, wines, features, words):
    code, shown = run(
        "fit", "supervised", "--train", wines / "train.csv", "--features", *features, *WORDS, "--out", wines / "o"
    )
    assert code == 2 and words in " ".join(shown.split()) and not (wines / "o").exists()


def test_an_audit_does_not_learn_from_the_column_of_the_truth(run, wines):
    table = pd.read_csv(wines / "test.csv").drop(columns="ashes of")
    table["truth"] = table["grower"]
    table.to_csv(wines / "given.csv", index=False)
    words = ("--features", "all", "--label", "grower", "--truth", "truth", "--out", wines / "audit")
    code, shown = run("audit", "--train", wines / "given.csv", *words)
    assert code == 0, shown
    assert "Features: 3 columns, bottle, alcohol, ash." in shown
