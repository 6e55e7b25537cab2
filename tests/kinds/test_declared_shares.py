"""Declared shares of the classes: as an option and in Python, what is refused, and what they do to a fit."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tutelage import Classifier
from tutelage.kinds.declared_shares import shares_in, shares_of_classes
from tutelage.tables import DataError
from tutelage.tables.labels import LabelsAs

NAMES, Y = ["ham", "spam"], np.array([0, 0, 1, 1])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["spam"], "NAME=SHARE"),
        (["spam=a"], r"share of 'spam' must be a number in \[0, 1\], got 'a'"),
        (["spam=1.4,ham=0.1"], "got '1.4'"),
        (["spam=nan"], "got 'nan'"),
        (["spam=0.1,spam=0.9"], "twice"),
        ({"spam": None}, "got None"),
    ],
)
def test_what_is_no_share_is_refused(given, told):
    with pytest.raises(ValueError, match=told):
        shares_in(given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"spma": 0.1}, "nearest is 'spam'"),
        ({"spam": 0.3, "ham": 0.3}, "sum to 1, got 0.6"),
        ({"spam": 1.0}, "leaves nothing for 'ham'"),
        ({"spam": 0.0}, "does not occur"),
    ],
)
def test_shares_that_do_not_fit_the_classes_are_refused(given, told):
    with pytest.raises(DataError, match=told):
        shares_of_classes(given, NAMES, Y, LabelsAs())


def test_a_class_is_found_in_another_spelling_and_rounding_is_allowed():
    found = shares_of_classes({"SPAM": 0.333, "Ham": 0.666}, NAMES, Y, LabelsAs())
    assert found == pytest.approx([2 / 3, 1 / 3], abs=1e-3)
    with pytest.raises(DataError, match="nothing of"):
        shares_of_classes({"a": 0.5}, ["a", "b", "c"], np.array([0, 1, 2]), LabelsAs())


def rows(n: int, rare: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < rare).astype(int)
    return (rng.normal(size=(n, 3)) + 1.2 * y[:, None]).astype(np.float32), y


def test_declared_shares_move_what_is_predicted_and_scored():
    x, y = rows(600, 0.5, 0)
    labels = np.where(np.arange(600) < 40, y, -1)
    settings = {"steps": 60, "folds": 2, "repeats": 1}
    even = Classifier("mean_teacher", **settings).fit(x, labels)
    rare = Classifier("mean_teacher", shares={0: 0.98, 1: 0.02}, **settings).fit(x, labels)
    assert rare.prevalence_.declared and rare.prevalence_.moved
    test = rows(600, 0.02, 1)[0]
    assert rare.predict(test).mean() < 0.5 * even.predict(test).mean()
    assert "Declared shares of the classes" in rare.evidence_.words()
    assert "Declared" not in even.evidence_.words()


def test_the_option_is_in_the_summary_and_a_wrong_class_stops(tmp_path, run):
    x, y = rows(200, 0.5, 2)
    table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(label=np.where(y == 1, "spam", "ham"))
    table.loc[40:, "label"] = ""
    table.to_csv(tmp_path / "a.csv", index=False)
    words = ["fit", "mean_teacher", "--train", str(tmp_path / "a.csv"), "--features", "a", "b", "c"]
    words += ["--label", "label", "--steps", "40", "--folds", "2", "--repeats", "1"]
    code, said = run(*words, "--out", str(tmp_path / "no"), "--shares", "sapm=0.1")
    assert code == 2 and "nearest is 'spam'" in said
    code, said = run(*words, "--out", str(tmp_path / "run"), "--shares", "spam=0.1")
    assert code == 0 and "of the labels and 10 % of the pool" in said
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["prevalence"]["declared"] and summary["prevalence"]["classes"]["spam"]["pool"] == pytest.approx(0.1)
    assert "Declared shares of the classes" in summary["evidence"]["words"]
