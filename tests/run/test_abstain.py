"""predict --abstain and score --abstain: rows without a label, what is promised, and what becomes of it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tutelage import Classifier, load

FAST = ("--steps", 40, "--folds", 2, "--repeats", 1)


def rows(rng, count, spread=1.0):
    y = rng.integers(0, 2, count)
    x = np.where(y[:, None], 1, -1) + spread * rng.normal(size=(count, 2))
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "label": np.where(y, "yes", "no")})


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("abstain"), np.random.default_rng(0)
    for name, count, known in (("train", 160, 120), ("few", 60, 10), ("test", 400, 400)):
        table = rows(rng, count)
        table.loc[known:, "label"] = ""
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture
def fitted(run, tables, tmp_path):
    def fit(train, *more):
        words = ("--features", "a,b", "--label", "label", *FAST, "--out", tmp_path / train, *more)
        code, shown = run("fit", "supervised", "--train", tables / f"{train}.csv", *words)
        assert code == 0, shown
        return tmp_path / train, shown

    return fit


def predicted(run, folder, tables, *words):
    code, shown = run("predict", folder, "--input", tables / "test.csv", "--output", folder / "out.csv", *words)
    assert code == 0, shown
    return pd.read_csv(folder / "out.csv", keep_default_na=False), " ".join(shown.split())


def test_rows_that_are_not_sure_get_no_label(run, fitted, tables):
    folder, shown = fitted("train")
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["calibration"]["words"] in " ".join(shown.split())
    assert summary["calibration"]["labels"] == 120
    assert summary["calibration"]["words"].split("(")[0].strip() in (folder / "report.html").read_text()
    assert load(folder).temperature == summary["calibration"]["temperature"]
    all_of_them, _ = predicted(run, folder, tables)
    some, shown = predicted(run, folder, tables, "--abstain", "0.05")
    answered = some["predicted"] != ""
    truth = pd.read_csv(tables / "test.csv")["label"]
    assert 0.3 < answered.mean() < 1
    assert (some["predicted"] == all_of_them["predicted"])[answered].all()
    assert some["probability"].equals(all_of_them["probability"])
    assert some["probability"][answered].min() >= some["probability"][~answered].max()
    assert (some["predicted"] != truth)[answered].mean() <= 0.05 < (all_of_them["predicted"] != truth).mean()
    assert "at most 5 % wrong labels among them, with 80 % confidence, by 120 held-out labels" in shown
    assert f"{answered.sum()} of 400 rows labelled (" in shown


def test_a_score_measures_what_becomes_of_a_promise(run, fitted, tables):
    folder, _ = fitted("train")
    code, shown = run("score", folder, "--test", tables / "test.csv", "--abstain", "0.05", "--json")
    found = json.loads(shown)["abstain"]
    some, _ = predicted(run, folder, tables, "--abstain", "0.05")
    truth = pd.read_csv(tables / "test.csv")["label"]
    given = some["predicted"] != ""
    assert code == 0 and found["answered"] == pytest.approx(given.mean())
    assert found["error"] == pytest.approx((some["predicted"] != truth)[given].mean())
    code, shown = run("score", folder, "--test", tables / "test.csv", "--abstain", "0.05")
    assert f"{100 * given.mean():.1f} % of the rows get one" in " ".join(shown.split())
    assert "abstain" not in json.loads(run("score", folder, "--test", tables / "test.csv", "--json")[1])


@pytest.mark.parametrize("words", [(), ("--no-evidence",)])
def test_too_few_labels_promise_nothing_and_say_how_many_it_takes(run, fitted, tables, words):
    folder, shown = fitted("few", *words)
    some, said = predicted(run, folder, tables, "--abstain", "0.05")
    assert (some["predicted"] == "").all() and (some["probability"] > 0).all()
    assert f"it takes 32 right held-out labels of high probability, and this model has {0 if words else 10}" in said
    assert ("No held-out label says how far the probabilities can be believed" in " ".join(shown.split())) == bool(
        words
    )


@pytest.mark.parametrize("error", ["0", "1", "1.5", "-0.1"])
def test_a_share_out_of_its_range_is_refused_before_the_work(run, fitted, tables, error):
    folder, _ = fitted("few")
    words = ("--input", tables / "test.csv", "--output", folder / "out.csv", f"--abstain={error}")
    code, shown = run("predict", folder, *words)
    assert code == 2 and "abstain must be" in shown and not (folder / "out.csv").exists()


def test_rows_whose_classes_are_drawn_otherwise_are_told(run, fitted, tables):
    folder, _ = fitted("train")
    table = pd.read_csv(tables / "test.csv")
    table = pd.concat([table[table.label == "yes"], table[table.label == "no"][:20]])
    table.to_csv(folder / "uneven.csv", index=False)
    words = ("--input", folder / "uneven.csv", "--output", folder / "o.csv", "--abstain", "0.05")
    assert "The classes of these rows are not drawn like the labels'" in " ".join(
        run("predict", folder, *words)[1].split()
    )


@pytest.mark.parametrize("classes", [(3, 5), ("no", "yes"), (False, True)])
def test_an_estimator_gives_no_class_where_it_is_not_sure(classes):
    rng = np.random.default_rng(0)
    table = rows(rng, 700)
    x, y = table[["a", "b"]].to_numpy(), np.array(classes)[(table["label"] == "yes").to_numpy().astype(int)]
    model = Classifier("supervised", steps=40, folds=2, repeats=1).fit(x[:120], y[:120])
    plain, some = model.predict(x[120:]), model.predict(x[120:], abstain=0.05)
    none = -1 if classes == (3, 5) else None
    given = np.array([label is not None and label != -1 for label in some])
    assert 0.3 < given.mean() < 1 and (some[given] == plain[given]).all()
    assert set(some[~given].tolist()) == {none}
    assert (some[given] != y[120:][given]).mean() <= 0.06
    with pytest.warns(UserWarning, match="it takes 161 right held-out labels"):
        assert set(model.predict(x[120:], abstain=0.01).tolist()) == {none}
