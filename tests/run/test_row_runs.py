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


def test_columns_named_again_are_those_of_the_training_in_its_order(run, wines):
    fitted(run, wines, "all")
    table = pd.read_csv(wines / "test.csv")
    table[list(table)[::-1]].to_csv(wines / "turned.csv", index=False)
    shown = [run("score", wines / "out", "--test", wines / f"{name}.csv", *more)
             for name, more in (("test", ()), ("turned", ()), ("turned", ("--features", "all")))]  # fmt: skip
    assert [code for code, _ in shown] == [0, 0, 0]
    assert len({text for _, text in shown}) == 1
    code, text = run("score", wines / "out", "--test", wines / "test.csv", "--features", "ash", "alcohol")
    assert code == 2 and "--features must name 4 columns in the order of the training" in text


def test_a_column_that_is_missing_is_no_prefix_of_others(run, wines):
    fitted(run, wines, "ash")
    pd.read_csv(wines / "test.csv").drop(columns="ash").to_csv(wines / "less.csv", index=False)
    code, shown = run("score", wines / "out", "--test", wines / "less.csv")
    assert code == 2 and "less.csv: no column 'ash'; it has" in shown


def test_times_are_not_taken_for_numbers(run, wines):
    table = pd.read_csv(wines / "train.csv", keep_default_na=False)
    table["drawn"] = pd.Timestamp("2026-11-28")
    table.to_parquet(wines / "dated.parquet")
    words = ("--train", wines / "dated.parquet", "--features", "ash", "drawn")
    code, shown = run("fit", "supervised", *words, *WORDS, "--out", wines / "o")
    assert code == 2 and "column 'drawn': times, not numbers" in shown


def test_an_index_without_a_name_is_no_feature(run, wines):
    for name in ("train", "test"):
        pd.read_csv(wines / f"{name}.csv", keep_default_na=False).to_csv(wines / f"{name}.csv")
    _, shown = fitted(run, wines, "all")
    assert "Features: 4 columns, bottle, alcohol, ash, ashes of." in shown


@pytest.mark.parametrize("factor", [1e-7, 1e20])
def test_units_of_measure_do_not_matter(run, wines, factor):
    plain, _ = fitted(run, wines, "alcohol", "ash", out="plain")
    for name in ("train", "test"):
        table = pd.read_csv(wines / f"{name}.csv", keep_default_na=False)
        table["ash"] *= factor
        table.to_csv(wines / f"{name}.csv", index=False)
    other, _ = fitted(run, wines, "alcohol", "ash")
    assert other["test"]["accuracy"] == pytest.approx(plain["test"]["accuracy"], abs=0.03)


def test_rows_of_another_width_are_refused_before_anything_is_trained(run, wines):
    rng = np.random.default_rng(0)
    for name, width in (("train", 4), ("wide", 5)):
        np.savez(wines / f"{name}.npz", x=rng.normal(size=(20, width)), grower=np.arange(20) % 2)
    words = ("--train", wines / "train.npz", "--features", "x", *WORDS, "--out")
    for option in ("--test", "--unlabelled"):
        code, shown = run("fit", "supervised", *words, wines / "o", option, wines / "wide.npz")
        assert code == 2 and "5 numbers in each row, but 4 in" in shown and "wide.npz" in shown
    assert run("fit", "supervised", *words, wines / "o")[0] == 0
    code, shown = run("predict", wines / "o", "--input", wines / "wide.npz", "--output", wines / "p.csv")
    assert code == 2 and "5 numbers in each row, but the model was fitted on 4" in shown


def test_columns_of_a_data_frame_may_be_numbered_and_other_tables_need_no_votes(run, wines):
    table = pd.read_csv(wines / "train.csv", keep_default_na=False)
    numbered = pd.DataFrame({0: table.alcohol, 1: table.ash, 2: table.grower})
    numbered.to_parquet(wines / "numbered.parquet")
    words = ("--train", wines / "numbered.parquet", "--features", "0", "1", "--label", "2", *WORDS[2:])
    assert run("fit", "supervised", *words, "--out", wines / "n")[0] == 0
    table["a"] = [["Rossi" if alcohol > 12.5 else "Bianchi", "-1"] for alcohol in table.alcohol]
    table.to_parquet(wines / "voted.parquet")
    words = ("--train", wines / "voted.parquet", "--features", "alcohol", "ash", "--votes", "a", *WORDS)
    assert run("fit", "supervised", *words, "--out", wines / "v")[0] == 0
    code, shown = run("predict", wines / "v", "--input", wines / "test.csv", "--output", wines / "p.csv")
    assert code == 0, shown


def test_a_model_says_how_many_numbers_it_wants(run, wines):
    from tutelage import load

    fitted(run, wines, "alcohol", "ash")
    assert load(wines / "out").predict(np.array([[12.0, 2.0], [13.0, 1.0]])).tolist() == ["Bianchi", "Rossi"]
    with pytest.raises(ValueError, match="an item has 3 features, but the model was fitted on 2"):
        load(wines / "out").predict(np.zeros((1, 3)))
