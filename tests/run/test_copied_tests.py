"""A test that holds copies of items that were learnt from is scored with and without them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

from forging import sealed_anew
from tutelage import Classifier, load
from tutelage.files import BadFileError
from tutelage.kinds import KINDS
from tutelage.kinds.copied import copied_of
from tutelage.modalities.head import Head

FAST = ("--features", "a,b,c", "--label", "label", "--steps", 30, "--no-evidence")


def rows(seed: int, count: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 2, count)
    x = np.where(y[:, None], 1, -1) + 1.5 * draw.normal(size=(count, 2))
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": 7.0, "label": np.where(y, "yes", "no")}).round(4)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copied")
    train, test = rows(0, 60), rows(1, 40)
    train.loc[40:, "label"] = ""
    train.to_csv(folder / "train.csv", index=False)
    test.to_csv(folder / "clean.csv", index=False)
    pd.concat([test, train[:10]]).to_csv(folder / "test.csv", index=False)
    return folder


@pytest.fixture
def fitted(run, tables, tmp_path):
    def fit(test: str):
        files = ("--train", tables / "train.csv", "--test", tables / test)
        code, shown = run("fit", "supervised", *files, *FAST, "--out", tmp_path / test)
        assert code == 0, shown
        return json.loads((tmp_path / test / "summary.json").read_text()), " ".join(shown.split()), tmp_path / test

    return fit


@pytest.mark.filterwarnings("ignore:10 rows")
def test_a_run_and_a_score_of_it_say_what_the_copies_flatter(run, fitted, tables):
    summary, shown, out = fitted("test.csv")
    clean, said, _ = fitted("clean.csv")
    without = summary["test_without_copies"]
    assert summary["shared"] == without["copies"] == 10
    assert without["accuracy"] == clean["test"]["accuracy"] and without["rows"] == 40
    assert "10 of the 50 rows of the test are copies of rows that were learnt from: accuracy" in shown
    assert f"without them accuracy {100 * without['accuracy']:.1f} %" in shown
    assert "test_without_copies" not in clean and "copies of rows" not in said

    code, shown = run("score", out, "--test", tables / "test.csv", "--json")
    found = json.loads(shown)
    assert code == 0 and found["without_copies"] == without
    assert without["words"] in " ".join(run("score", out, "--test", tables / "test.csv")[1].split())
    assert "without_copies" not in json.loads(run("score", out, "--test", tables / "clean.csv", "--json")[1])


@pytest.mark.filterwarnings("ignore:10 rows")
def test_a_score_on_the_training_file_says_so(run, fitted, tables):
    out = fitted("test.csv")[2]
    shown = " ".join(run("score", out, "--test", tables / "train.csv")[1].split())
    assert "All 40 rows of the test are copies of rows that were learnt from: accuracy" in shown


def test_a_model_saved_before_knows_no_item_and_a_damaged_one_is_refused(run, fitted, tables):
    out = fitted("clean.csv")[2]
    known = out / "model" / "known.safetensors"
    assert known.stat().st_size < 2_000
    known.write_bytes(known.read_bytes()[:-8])
    assert run("score", out, "--test", tables / "train.csv")[0] == 2
    known.unlink()
    sealed_anew(out / "model")
    code, shown = run("score", out, "--test", tables / "train.csv")
    assert code == 0 and "copies" not in shown


def test_python_models_know_what_they_learnt_after_they_are_saved(tmp_path):
    table = rows(3, 40)
    x, y = np.array(table[["a", "b", "c"]], dtype=np.float32), table["label"].tolist()
    model = Classifier(steps=20, evidence=False).fit(x, y)
    model.save(tmp_path / "model")
    again, kind = load(tmp_path / "model"), KINDS["rows"]()
    asked = np.concatenate([x[:3], x[:3] + 1])
    assert copied_of(kind, again, asked).tolist() == [2] * 3 + [0] * 3
    again.known = {"keys": np.zeros(3)}
    with pytest.raises(BadFileError, match="damaged"):
        copied_of(kind, again, asked)


def test_a_feature_that_never_changed_changes_no_prediction():
    table = rows(4, 60)
    x, y = np.array(table[["a", "b", "c"]], dtype=np.float32), table["label"].tolist()
    model = Classifier("mean_teacher", steps=30, evidence=False).fit(x, [*y[:30], *[-1] * 30])
    other = x.copy()
    other[:, 2] = -4_000
    np.testing.assert_array_equal(model.predict_proba(x), model.predict_proba(other))
    other[:, 1] = -4_000
    assert (model.predict_proba(x) != model.predict_proba(other)).any()


def test_a_silenced_feature_has_no_weight_and_moves_no_centre():
    x = torch.tensor([[1.0, 5.0], [3.0, 5.0], [9.0, 5.0], [7.0, 5.0]])
    head = Head(2, 2).standardise(x, per_feature=True).silence(torch.tensor([False, True]))
    head.centre_between(x, torch.tensor([0, 0, 1, 1]))
    assert head.mean.isfinite().all() and head.mean[1] == 5
    assert torch.equal(head(x), head(x + torch.tensor([0.0, 100.0])))
