"""Round trips: from the command to Python and back, with equal predictions."""

from __future__ import annotations

import errno
import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from torch import nn

from tutelage import Classifier, Drift, Segmenter, Tagger
from tutelage.files import BadFileError
from tutelage.plots import confusion

FAST = {"steps": 8, "folds": 2, "repeats": 1}


def test_texts_from_the_command_to_python_and_back(bench, run):
    assert run(*bench.fit("drift", test=None), "--decay", "0.8")[0] == 0
    said = bench.folder / "said.csv"
    assert run("predict", bench.out, "--input", bench.folder / "test.csv", "--output", said)[0] == 0
    first = pd.read_csv(said)
    model = Classifier.load(bench.out)
    assert model.predict(first.text).tolist() == first.predicted.tolist()
    np.testing.assert_allclose(model.predict_proba(first.text).max(1), first.probability, atol=1e-6)
    assert model.classes_.tolist() == ["food", "sport"] and model.score(first.text, first.label) >= 0
    assert (model.method, model.steps, model.folds, model.encoder) == (Drift(decay=0.8), 8, 2, str(bench.encoder))
    summary = json.loads((bench.out / "summary.json").read_text())
    assert model.evidence_.harm == summary["evidence"]["harm"] and model.returned_ == summary["returned"]
    model.save(bench.folder / "again")
    assert run("predict", bench.folder / "again", "--input", bench.folder / "test.csv", "--output", said)[0] == 0
    pd.testing.assert_frame_equal(pd.read_csv(said), first)
    code, shown = run("score", bench.folder / "again", "--test", bench.folder / "test.csv", "--json")
    assert code == 0 and json.loads(shown)["accuracy"] == model.score(first.text, first.label)
    again = model.fit(first.text, first.label)  # a loaded estimator is fitted again, as it was asked
    assert again.evidence_.labels == len(first)


def test_texts_from_python_to_the_command(bench, texts, run):
    test = bench.folder / "test.csv"
    model = Classifier(encoder=str(bench.encoder), **FAST)
    model.fit(texts.train.text.tolist(), texts.train.label.tolist(), X_unlabelled=texts.pool.text.tolist())
    model.save(bench.folder / "run")
    words = ("predict", bench.folder / "run", "--input", test, "--output", bench.folder / "said.csv")
    code, shown = run(*words)
    assert code == 2 and "--text must be given" in shown
    assert run(*words, "--text", "text")[0] == 0
    assert pd.read_csv(bench.folder / "said.csv").predicted.tolist() == model.predict(texts.test.text).tolist()
    loaded = Classifier.load(bench.folder / "run")
    np.testing.assert_array_equal(loaded.predict_proba(texts.test.text), model.predict_proba(texts.test.text))
    assert loaded.summary() == model.summary()
    assert confusion(loaded).alt == confusion(model).alt == confusion(bench.folder / "run").alt
    assert loaded.history_ == json.loads(json.dumps(model.history_))
    before = (bench.folder / "run" / "report.html").read_text()
    assert "Did the pool help?" in before and len(pd.read_csv(bench.folder / "run" / "least_sure.csv")) > 0
    assert run("report", bench.folder / "run")[0] == 0
    assert (bench.folder / "run" / "report.html").read_text() == before


@pytest.mark.parametrize("named", [True, False])
def test_rows_from_python_to_the_command(tmp_path, run, named):
    x, y = load_digits(return_X_y=True)
    columns = [f"pixel{i}" for i in range(64)]
    table = pd.DataFrame(x[:200], columns=columns)
    model = Classifier("supervised", **FAST, random_state=3)
    if named:
        model.fit(table, pd.Series(y[:200], name="digit"))
    else:
        model.fit(x[:200], y[:200])
    model.save(tmp_path / "run")
    table.assign(digit=y[:200]).to_csv(tmp_path / "t.csv", index=False)
    features = [] if named else ["--features", "pixel"]
    words = ("predict", tmp_path / "run", "--input", tmp_path / "t.csv", "--output", tmp_path / "s.csv", *features)
    code, shown = run(*words)
    assert code == 0, shown
    assert pd.read_csv(tmp_path / "s.csv").predicted.tolist() == model.predict(table if named else x[:200]).tolist()
    label = [] if named else ["--label", "digit"]
    code, shown = run("score", tmp_path / "run", "--test", tmp_path / "t.csv", "--json", *features, *label)
    score = model.score(table if named else x[:200], y[:200])
    assert code == 0 and json.loads(shown)["accuracy"] == pytest.approx(score)
    loaded = Classifier.load(tmp_path / "run")
    assert loaded.n_features_in_ == 64 and loaded.random_state == 3 and loaded.classes_.tolist() == list(range(10))
    others = pd.DataFrame(x, columns=columns) if named else x
    np.testing.assert_array_equal(loaded.predict_proba(others), model.predict_proba(others))


def test_a_tagger_and_a_segmenter_are_loaded(tmp_path, encoder_folder, squares, small_networks):
    sentences = [["soup", "today"], ["goal", "again"]] * 4
    tagger = Tagger(encoder=str(encoder_folder), steps=5, evidence=False)
    tagger.fit(sentences, [["B-FOOD", "O"], ["B-SPORT", "O"]] * 4).save(tmp_path / "t")
    assert Tagger.load(tmp_path / "t").predict(sentences) == tagger.predict(sentences)
    assert [p.shape for p in Tagger.load(tmp_path / "t").predict_log_proba(sentences[:1])] == [(2, 5)]
    drawn = squares(8, 0)
    segmenter = Segmenter("mean_teacher", steps=2, evidence=False).fit(drawn.pixels, drawn.masks)
    segmenter.save(tmp_path / "s")
    np.testing.assert_array_equal(Segmenter.load(tmp_path / "s").predict(drawn.pixels), segmenter.predict(drawn.pixels))
    with pytest.raises(ValueError, match=r"holds a model of sentences: load it by Tagger.load"):
        Classifier.load(tmp_path / "t")


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        Classifier.load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"run.json is missing"):
        Classifier.load(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(BadFileError, match="not written by tutelage"):
        Classifier.load(tmp_path)


def test_nothing_of_an_older_run_stays_in_the_folder(bench, run):
    assert run(*bench.fit("drift", test=None))[0] == 0
    before = {path.name for path in bench.out.iterdir()}
    assert {"least_sure.csv", "plots"} <= before
    (bench.out / "reference").mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    model = Classifier("supervised", **FAST, evidence=False).fit(rng.normal(size=(20, 3)), np.arange(20) % 2)
    model.save(bench.out)
    assert not {"reference", "least_sure.csv"} & {path.name for path in bench.out.iterdir()}
    assert Classifier.load(bench.out).n_features_in_ == 3
    assert {path.name for path in (bench.out / "plots").iterdir()} <= {"losses.png", "pseudo_labels.png"}


def test_a_run_of_a_table_knows_the_names_of_its_features(run, tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(40, 3)), columns=["a", "b", "c"]).assign(y=np.arange(40) % 2)
    table.to_csv(tmp_path / "t.csv", index=False)
    words = "--features", "a", "b", "c", "--label", "y", "--steps", "4", "--no-evidence", "--out", tmp_path / "run"
    code, shown = run("fit", "supervised", "--train", tmp_path / "t.csv", *words)
    assert code == 0, shown
    model = Classifier.load(tmp_path / "run")
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(table[["a", "b", "c"]])
    with pytest.raises(ValueError, match="same order"):
        model.predict(table[["c", "b", "a"]])


@pytest.mark.parametrize("name", ["amp", "checkpoint_activations"])
def test_wishes_for_networks_trained_whole_are_refused_in_the_words_of_python(name):
    value = {"amp": "bfloat16"}.get(name, True)
    with pytest.raises(ValueError, match=rf"^{name} is of networks trained whole.*; leave it out$"):
        Classifier("supervised", **{name: value}).fit(np.eye(12), np.arange(12) % 2)


@pytest.mark.parametrize(("missing", "classes"), [(None, [-1, 0, 1]), ("?", ["a", "b", "c"]), (-99, [0, 1, 2])])
def test_the_label_that_means_none_is_kept(tmp_path, missing, classes):
    rng = np.random.default_rng(0)
    y = np.array([classes[i % 3] for i in range(60)], dtype=object)
    x = rng.normal(size=(60, 4)) + np.eye(3, 4)[np.arange(60) % 3] * 4
    model = Classifier("supervised", **FAST, missing_label=missing, evidence=False)
    model.fit(x, [missing if i % 4 == 3 else label for i, label in enumerate(y)])
    model.save(tmp_path / "run")
    loaded = Classifier.load(tmp_path / "run")
    assert loaded.missing_label == missing and loaded.score(x, y) == model.score(x, y)
    assert loaded.fit(x, y).classes_.tolist() == classes


def test_a_damaged_record_is_refused_by_its_file(bench, run):
    assert run(*bench.fit("drift", test=None))[0] == 0
    for damaged in ({"summary": {}, "history": []}, {"summary": [], "history": []}, {"history": 3}):
        (bench.out / "records.json").write_text(json.dumps(damaged))
        code, shown = run("report", bench.out)
        assert code == 2 and "records.json" in shown and "Traceback" not in shown


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    return rng.normal(size=(40, 4)) + 3 * y[:, None], y


def test_a_save_that_fails_leaves_the_run_that_is_there(tmp_path, rows, monkeypatch):
    x, y = rows
    Classifier("supervised", **FAST, evidence=False).fit(x, y).save(tmp_path / "run")
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    other = Classifier("supervised", **FAST, network=lambda: nn.Linear(4, 2), evidence=False).fit(x, y)
    with pytest.raises(TypeError, match="cannot be saved"):
        other.save(tmp_path / "run")
    with pytest.raises(TypeError, match="cannot be saved"):
        other.save(tmp_path / "new")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tutelage.report.page.write_report", full)
        with pytest.raises(OSError, match="No space left"):
            Classifier("mean_teacher", **FAST, evidence=False).fit(x, y).save(tmp_path / "run")
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_is_no_run_is_not_overwritten(tmp_path, rows):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "mine.png").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="is no run's, and holds plots: name another folder"):
        Classifier("supervised", **FAST, evidence=False).fit(*rows).save(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["plots", "mine.png"]


def test_a_loaded_run_is_saved_into_its_own_folder(bench, run):
    assert run(*bench.fit("drift", test=None, finetune=True))[0] == 0
    items = pd.read_csv(bench.folder / "test.csv").text
    model = Classifier.load(bench.out)
    model.save(bench.out)
    np.testing.assert_array_equal(Classifier.load(bench.out).predict_proba(items), model.predict_proba(items))
