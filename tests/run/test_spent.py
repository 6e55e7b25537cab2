"""What a point of accuracy cost, from two runs and what was paid between them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tutelage import files
from tutelage.run.spent import Point, Spent


@pytest.fixture
def runs(run, bench):
    """Two runs with the same test, of which the second is told to be right more often, and a teacher's table."""
    assert run(*bench.fit("supervised"))[0] == 0
    assert run(*bench.fit("supervised", out=bench.folder / "after", seed=1))[0] == 0
    pool = pd.read_csv(bench.folder / "pool.csv")
    pool.assign(p_food=0.9, p_sport=0.1).to_parquet(bench.folder / "said.parquet")
    return bench


def scored(folder, accuracy, half):
    """Put a score in a run's summary, by its accuracy and the half-width of its interval."""
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    summary["test"] |= {"accuracy": accuracy, "interval": [accuracy - half, accuracy + half]}
    files.write_json(path, summary)
    files.seal(folder)  # else it would be told that the summary was edited


def test_a_point_costs_what_was_spent_over_the_points(run, runs):
    scored(runs.out, 0.70, 0.03)
    scored(runs.folder / "after", 0.80, 0.04)
    cost = runs.folder / "cost.json"
    cost.write_text(json.dumps({"command": "annotate", "tokens": [9000, 1000], "cost": 2.0}))
    said = runs.folder / "said.parquet"
    words = ("teacher", said, "--label", "label", "--runs", runs.out, runs.folder / "after")
    rows = len(pd.read_parquet(said))
    code, shown = run(*words, "--spent", cost)
    assert code == 0, shown
    assert f"{rows} rows, 10,000 tokens, 2" in shown and "+10.0 points (+5.0 to +15.0)" in shown
    assert f"A point of accuracy cost {rows / 10:.0f} rows, 1,000 tokens, 0.2 " in shown
    code, shown = run(*words, "--spent", "2.5", "--json")
    point = json.loads(shown[shown.index("{") :])["point"]
    assert point["spent"] == {"rows": rows, "tokens": None, "money": 2.5}
    assert [point["low"], point["high"]] == pytest.approx([0.05, 0.15])


def test_where_the_difference_is_not_clear_a_point_has_no_price():
    words = Point(0.7, 0.71, "on held-out labels", -0.02, 0.04, Spent(100)).words()
    assert words[-1] == "The difference is not clear, so that a point has no price yet."
    assert np.char.find(words[0], "+1.0 points (-2.0 to +4.0)") > 0


def test_where_the_accuracy_fell_no_point_was_bought():
    words = Point(0.8, 0.7, "on 99 texts", -0.13, -0.07, Spent(10)).words()
    assert words[-1] == "The accuracy fell, so that no point was bought."


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--runs", "{out}"), "--runs must be two"),
        (("--spent", "3"), "--spent needs --runs"),
        (("--runs", "{out}", "--runs", "nowhere"), "nowhere"),
        (("--runs", "{out}", "--runs", "{out}", "--spent", "-1"), "--spent must be at least 0"),
        (("--runs", "{out}", "--runs", "{out}", "--spent", "{said}"), "printed"),
        (("--runs", "{out}", "--runs", "{out}", "--spent", "none.json"), "none.json"),
    ],
)
def test_what_cannot_be_is_one_line(run, runs, words, message):
    here = {"out": str(runs.out), "said": str(runs.folder / "train.csv")}
    code, shown = run("teacher", runs.folder / "said.parquet", "--label", "label", *(w.format(**here) for w in words))
    assert code == 2 and message in shown and "Traceback" not in shown, shown
