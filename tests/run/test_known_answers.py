"""Rows that a model labelled the last time are copied from its answer; the answer of another model is refused."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from benches import Bench
from tutelage import model
from tutelage.kinds import stored
from tutelage.kinds.known_answers import knowing
from tutelage.kinds.texts import Texts


@pytest.fixture(scope="module")
def world(tmp_path_factory, texts, encoder_folder):
    folder = tmp_path_factory.mktemp("answers")
    for name in ("train", "pool", "test"):
        getattr(texts, name).to_csv(folder / f"{name}.csv", index=False)
    pd.concat([texts.pool, texts.test]).drop(columns="label").to_csv(folder / "grown.csv", index=False)
    return Bench(folder, encoder_folder)


@pytest.fixture
def night(world, run):
    """The world with two runs, "out" and "other", and the answer of the first to the pool, known.csv."""
    for name, seed in (("out", 0), ("other", 1)):
        if not (world.folder / name).exists():
            assert run(*world.fit(out=world.folder / name, seed=seed, lr=0.05 + seed / 20, steps=30, test=None))[0] == 0
    if not (world.folder / "known.csv").exists():
        words = "predict", world.out, "--input", world.folder / "pool.csv", "--output", world.folder / "known.csv"
        assert run(*words)[0] == 0
    return world


def predict(night: Bench, output, *words, known="known.csv", of="out"):
    inside = night.folder / "grown.csv"
    return "predict", night.folder / of, "--input", inside, "--output", output, "--known", night.folder / known, *words


def plain(night: Bench, run, tmp_path) -> pd.DataFrame:
    assert run("predict", night.out, "--input", night.folder / "grown.csv", "--output", tmp_path / "plain.csv")[0] == 0
    return pd.read_csv(tmp_path / "plain.csv")


@pytest.mark.parametrize("in_memory", [True, False])
def test_known_rows_are_copied_and_the_others_labelled(night, run, tmp_path, monkeypatch, in_memory):
    if not in_memory:
        from tutelage.kinds import predicting

        monkeypatch.setattr(predicting, "ROWS_IN_MEMORY", 20)
    code, shown = run(*predict(night, tmp_path / "new.csv"))
    assert code == 0, shown
    assert "60 of 90 rows were labelled before, and are copied" in shown
    found, whole = pd.read_csv(tmp_path / "new.csv"), plain(night, run, tmp_path)
    assert found["predicted"].tolist() == whole["predicted"].tolist()
    assert np.allclose(found["probability"], whole["probability"], atol=1e-6)


def test_only_the_other_rows_reach_the_encoder(night, monkeypatch):
    kind, made = Texts(text="text"), model.load(night.out)
    known = knowing(kind, made, night.folder / "known.csv")
    asked = []
    real = model.Model.probabilities
    monkeypatch.setattr(model.Model, "probabilities", lambda m, items, tick=None: asked.extend(items) or real(m, items))
    grown = pd.read_csv(night.folder / "grown.csv")["text"].tolist()
    known.probabilities(grown)
    assert asked == grown[60:]


def test_an_answer_may_be_written_over(night, run, tmp_path):
    shutil.copy(night.folder / "known.csv", tmp_path / "labels.csv")
    code, shown = run(*predict(night, tmp_path / "labels.csv", known=tmp_path / "labels.csv"))
    assert code == 0, shown
    assert len(pd.read_csv(tmp_path / "labels.csv")) == 90


def test_the_answer_of_another_model_is_refused(night, run, tmp_path):
    code, shown = run(*predict(night, tmp_path / "new.csv", of="other"))
    assert code == 2
    assert "is the answer of another model" in shown
    assert not (tmp_path / "new.csv").exists()


def test_rows_without_a_label_are_labelled_anew(night, run, tmp_path):
    answer = pd.read_csv(night.folder / "known.csv")
    answer.loc[:9, "predicted"] = None
    answer.to_csv(tmp_path / "some.csv", index=False)
    code, shown = run(*predict(night, tmp_path / "new.csv", known=tmp_path / "some.csv"))
    assert code == 0, shown
    assert "50 of 90 rows were labelled before" in shown
    assert pd.read_csv(tmp_path / "new.csv")["predicted"].notna().all()


def turned(answer: pd.DataFrame) -> pd.Series:
    """The labels of an answer, of which the surest one is another."""
    row = answer["probability"].idxmax()
    other = {"food": "sport", "sport": "food"}[answer["predicted"][row]]
    return answer["predicted"].where(answer.index != row, other)


SPOILED = {
    "no columns": (lambda t: t.drop(columns="probability"), "no columns predicted and probability"),
    "another class": (lambda t: t.assign(predicted="sea"), "no class of this model"),
    "other probabilities": (lambda t: t.assign(probability=0.75), "is the answer of another model"),
    "one label": (lambda t: t.assign(predicted=turned(t)), "have another label there, so that labels were changed"),
    "no label": (lambda t: t.assign(predicted=""), "no row of it has a label"),
    "no texts": (lambda t: t.drop(columns="text"), "text"),
}


@pytest.mark.parametrize(("spoil", "says"), SPOILED.values(), ids=SPOILED)
def test_a_table_that_is_no_answer_of_it_is_refused(night, run, tmp_path, spoil, says):
    spoil(pd.read_csv(night.folder / "known.csv")).to_csv(tmp_path / "bad.csv", index=False)
    code, shown = run(*predict(night, tmp_path / "new.csv", known=tmp_path / "bad.csv"))
    assert code == 2, shown
    assert says in shown


def test_a_missing_answer_is_named(night, run, tmp_path):
    code, shown = run(*predict(night, tmp_path / "new.csv", known="none.csv"))
    assert code == 2
    assert "none.csv: no such file" in shown


def test_columns_of_the_users_of_the_same_names_are_passed_over(night, run, tmp_path):
    own = pd.read_csv(night.folder / "pool.csv").assign(predicted="mine", probability=0.6)
    own.to_csv(tmp_path / "own.csv", index=False)
    words = "predict", night.out, "--input", tmp_path / "own.csv", "--output", tmp_path / "answer.csv"
    assert run(*words)[0] == 0
    code, shown = run(*predict(night, tmp_path / "new.csv", known=tmp_path / "answer.csv"))
    assert code == 0, shown
    assert "60 of 90 rows were labelled before" in shown


def test_rows_of_numbers_are_known_too(run, tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    table = pd.DataFrame(rng.normal(size=(120, 3)) + y[:, None], columns=["a1", "a2", "a3"])
    table.assign(y=np.where(y, "up", "down"))[:40].to_csv(tmp_path / "train.csv", index=False)
    table[40:80].to_csv(tmp_path / "old.csv", index=False)
    table[40:].to_csv(tmp_path / "grown.csv", index=False)
    words = (
        "--features",
        "a",
        "--label",
        "y",
        "--steps",
        "8",
        "--folds",
        "2",
        "--repeats",
        "1",
        "--out",
        tmp_path / "run",
    )
    assert run("fit", "drift", "--train", tmp_path / "train.csv", "--unlabelled", tmp_path / "old.csv", *words)[0] == 0
    answer = tmp_path / "answer.parquet"
    assert run("predict", tmp_path / "run", "--input", tmp_path / "old.csv", "--output", answer)[0] == 0
    words = "--input", tmp_path / "grown.csv", "--output", tmp_path / "new.csv", "--known", answer, "--json"
    code, shown = run("predict", tmp_path / "run", *words)
    assert code == 0, shown
    line = next(line for line in shown.splitlines() if line.startswith("{"))
    assert "40 of 80 rows were labelled before" in json.loads(line)["words"]
    assert stored.ROWS_IN_MEMORY > 80


def test_images_are_refused(night):
    from tutelage.kinds.images import Images

    with pytest.raises(ValueError, match="--known is for texts and rows"):
        knowing(Images(images="image"), model.load(night.out), night.folder / "known.csv")
