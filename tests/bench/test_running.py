"""Protocols are read and refused, every method of a cell gets the same, and runs resume."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tutelage.bench.cells import cell, draw
from tutelage.bench.learners import LEARNERS
from tutelage.bench.protocol import DataSet, Protocol, read_protocol
from tutelage.bench.running import held, jobs, missing, read_rows, record, run, run_all
from tutelage.bench.sets import load
from tutelage.cli import build
from tutelage.run.screen import Screen
from tutelage.tables import DataError

TOML = """
name = "small"
methods = ["supervised", "mean_teacher"]
seeds = [0, 1]
settings = [{ labels = 4 }]
grid = { mean_teacher = { decay = [0.5, 0.9] } }

[steps]
steps = 20

[tuning]
folds = 2

[[data]]
name = "digits"
kind = "rows"
file = "scikit-learn:digits"
split = ""
pool = 300
scored = 200
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "small"', "name = ", "no TOML"),
        ('name = "small"', "", "name: Field required"),
        ("labels = 4", "labels = -1", "settings.0.labels: Input should be greater than or equal to 0"),
        ("steps = 20", "stepz = 20", "steps.stepz: Extra inputs are not permitted"),
        ('"mean_teacher"]', '"mean_teachr"]', "methods: 'mean_teachr' must be one of"),
        ("decay =", "decoy =", "mean_teacher has no hyper-parameter 'decoy'"),
        ("[0.5, 0.9]", "[0.5, 9.0]", r"decay must be in \[0, 1\], got 9.0"),
        ("labels = 4", 'labels = 4, only = ["mnist"]', "only: 'mnist' must be one of digits"),
        ("[0.5, 0.9]", '["a"]', "mean_teacher: a number, FROM:TO or FROM:TO@BEGIN:END is needed, got 'a'"),
        ("[0.5, 0.9]", '["0:2"]', r"mean_teacher: decay must be in \[0, 1\], got 2.0"),
        ("[0.5, 0.9]", "[]", "grid.mean_teacher.decay: List should have at least 1 item"),
        ('"mean_teacher"]', '"mean_teacher", "supervised"]', "methods: 'supervised' is there twice"),
        ("[0, 1]", "[0, 0]", "seeds: 0 is there twice"),
        ("{ labels = 4 }", "{ labels = 4 }, { labels = 4 }", r"settings: \('digits', '4 labels'\) is there twice"),
        ("[steps]", 'variants = [{ name = "auto", method = "drift", fields = {} }]\n[steps]', "'auto' is there twice"),
        ("steps = 20", "steps = 20\nbudget = 20", "steps.budget: Input should be greater than or equal to 40"),
    ],
)
def test_a_protocol_that_is_wrong_is_refused_with_file_and_key(small, old, new, said):
    small.write_text(TOML.replace(old, new))
    with pytest.raises(ValueError, match=said) as e:
        read_protocol(small)
    assert str(small) in str(e.value)


def made(path: Path, views=("weak",), seed=0):
    protocol = read_protocol(path)
    (data, setting), *_ = protocol.cells()
    return cell(protocol.model_dump_json(), path.parent, data, setting, seed, views)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('split = ""', "", 'scikit-learn:digits has no parts: say split = ""'),
        ("scored = 200", "scored = 1797", "scored must be below 1797, all its rows, got 1797"),
    ],
)
def test_data_that_cannot_be_cut_are_refused(small, old, new, said):
    small.write_text(TOML.replace(old, new))
    with pytest.raises(DataError, match=said):
        load(*_first(small))


def test_what_is_scored_must_be_labelled(tmp_path):
    pd.DataFrame(
        {"text": list("abcd"), "label": ["x", "y", "x", None], "split": ["train", "train", "test", "test"]}
    ).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match=r"t.csv, row 4: no label, in the part to score on"):
        load(DataSet(name="t", kind="texts", file="t.csv"), tmp_path)


def test_every_method_gets_the_same_labels_weights_and_batches(small):
    one, other = made(small), made(small, ("strong", "weak"))
    assert np.array_equal(one.drawn.labelled.items, other.drawn.labelled.items)
    assert all(
        torch.equal(t, other.problem.network(3).state_dict()[n]) for n, t in one.problem.network(3).state_dict().items()
    )
    a, b = (c.problem.loader(seed=3).batch(5, 0.1) for c in (one, other))
    assert torch.equal(a.labelled.index, b.labelled.index)
    assert torch.equal(a.unlabelled.index, b.unlabelled.index)


def test_labels_are_so_many_of_each_class_and_no_row_is_in_two_parts(small):
    drawn = made(small).drawn
    assert np.bincount(drawn.labelled.y).tolist() == [4] * 10
    rows = [row.tobytes() for part in (drawn.labelled, drawn.rest, drawn.test) for row in part.items]
    assert len(drawn.rest) == 300 - 40
    assert len(rows) == 500
    assert len(set(rows)) == len({r.tobytes() for r in load(*_first(small)).learn.items}) + 200


def _first(path: Path):
    (data, _), *_ = read_protocol(path).cells()
    return data, path.parent


def test_seeds_draw_other_labels_and_with_resplit_another_test_part(small):
    assert not np.array_equal(made(small).drawn.labelled.items, made(small, seed=1).drawn.labelled.items)
    assert np.array_equal(made(small).drawn.test.items, made(small, seed=1).drawn.test.items)
    small.write_text(TOML.replace('split = ""', 'split = ""\nresplit = true'))
    assert not np.array_equal(made(small).drawn.test.items, made(small, seed=1).drawn.test.items)


def test_a_run_is_reproducible_and_records_what_was_chosen(small):
    protocol = read_protocol(small)
    job = next(j for j in jobs(protocol) if j.learner == "mean_teacher")
    one, again = (run(protocol, small.parent, job) for _ in range(2))
    assert one["chosen"]["decay"] in (0.5, 0.9)
    assert len(one["held_out"]) == 40
    assert 0.2 < one["score"] < 1 > one["pool_score"] > 0.2
    assert {k: v for k, v in one.items() if k not in ("seconds", "peak_mb")} == {
        k: v for k, v in again.items() if k not in ("seconds", "peak_mb")
    }


def test_true_labels_of_the_pool_change_nothing(small, monkeypatch):
    protocol = read_protocol(small)
    job = next(j for j in jobs(protocol) if j.learner == "mean_teacher")
    before = run(protocol, small.parent, job)

    def turned(*args):
        drawn = draw(*args)
        return replace(drawn, rest=replace(drawn.rest, y=(drawn.rest.y + 1) % 10))

    monkeypatch.setattr("tutelage.bench.cells.draw", turned)
    cell.cache_clear()
    after = run(protocol, small.parent, job)
    cell.cache_clear()
    assert (after["score"], after["held_out"]) == (before["score"], before["held_out"])
    assert after["pool_score"] < 0.3 < before["pool_score"]


def test_what_is_done_is_not_done_again(small, tmp_path):
    protocol, path = read_protocol(small), tmp_path / "out.jsonl"
    todo = missing(protocol, [])
    assert len(todo) == 2 * 5
    quick = [j for j in todo if j.learner in ("majority class", "supervised")]
    failed = record(run_all(protocol, small.parent, quick, 1, 10_000), path, lambda done: None)
    rows = read_rows(path)
    assert (failed, len(rows)) == (0, 4)
    assert len(missing(protocol, rows)) == 6
    with open(path, "a") as f:
        f.write('{"data": "digits", "sco')  # a kill in the middle of a line
    assert read_rows(path) == rows
    with held(path) as mended:
        assert mended == rows
        with pytest.raises(ValueError, match="another run adds to it"), held(path):
            pass
    rest = [j for j in missing(protocol, rows) if j.learner == "labels only"]
    record(run_all(protocol, small.parent, rest, 2, 10_000), path, lambda done: None)
    assert len(read_rows(path)) == 6


def test_a_changed_protocol_makes_its_lines_missing_again(small):
    protocol = read_protocol(small)
    rows = [{**j.name, "score": 0.5} for j in jobs(protocol)]
    assert not missing(protocol, rows)
    small.write_text(TOML.replace("[0.5, 0.9]", "[0.5, 0.8]"))
    assert {j.learner for j in missing(read_protocol(small), rows)} == {"mean_teacher"}
    small.write_text(TOML.replace("steps = 20", "steps = 30"))
    assert len(missing(read_protocol(small), rows)) == len(rows)


def test_a_number_of_a_variant_may_be_a_ramp(small):
    ramp = 'variants = [{ name = "rising", method = "mean_teacher", fields = { weight = "0:1@0:0.5" } }]\n[steps]'
    small.write_text(TOML.replace("[steps]", ramp))
    asked = read_protocol(small)
    job = next(job for job in missing(asked, []) if job.name["method"] == "rising")
    (line,) = run_all(asked, small.parent, [job], 1, 10_000)
    assert line["score"] > 0.5, line
    assert job.name not in [other.name for other in missing(asked, [line])]
    for other in ('"0:2@0:0.5"', "0.0", "1.0"):
        small.write_text(small.read_text().replace('"0:1@0:0.5"', other))
        todo = [(again.learner, again.seed) for again in missing(read_protocol(small), [line])]
        assert ("rising", job.seed) in todo
        small.write_text(small.read_text().replace(f"weight = {other}", 'weight = "0:1@0:0.5"'))


def test_a_broken_line_is_said_with_its_number(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text('{"a": 1}\n{"a": \n{"a": 2}\n')
    with pytest.raises(ValueError, match=r"out.jsonl, line 2: no JSON"):
        read_rows(path)


def test_a_method_that_breaks_is_a_line_too_and_the_others_go_on(small, monkeypatch):
    def broken(*_):
        raise RuntimeError("out of something")

    monkeypatch.setitem(LEARNERS, "labels only", broken)
    protocol = read_protocol(small)
    job = next(j for j in jobs(protocol) if j.learner == "labels only")
    assert run(protocol, small.parent, job)["error"] == "RuntimeError: out of something"


def test_one_label_a_class_can_be_compared_too(small):
    small.write_text(TOML.replace("labels = 4", "labels = 1").replace("grid = {", "# grid = {"))
    protocol = read_protocol(small)
    found = {j.learner: run(protocol, small.parent, j) for j in jobs(protocol) if j.seed == 0}
    assert all(0.05 < r["score"] < 0.9 for r in found.values())


def test_noise_of_labels_is_none_of_the_pool(small):
    small.write_text(TOML.replace("labels = 4", 'labels = 20, noise = "symmetric 80"'))
    protocol = read_protocol(small)
    (data, setting), *_ = protocol.cells()
    drawn, clean = draw(data, setting, small.parent, 0), load(data, small.parent)
    truth = {row.tobytes(): y for row, y in zip(clean.learn.items, clean.learn.y, strict=True)}
    assert all(truth[r.tobytes()] == y for r, y in zip(drawn.rest.items, drawn.rest.y, strict=True))
    assert setting.name == "20 labels, symmetric 80"


def test_what_a_method_cannot_do_is_a_line_with_the_error(small, tmp_path):
    small.write_text(TOML.replace('"supervised", "mean_teacher"', '"mean_teacher", "self_distiller"')
                     .replace("labels = 4", "weak = true"))  # fmt: skip
    protocol = read_protocol(small)
    rows = [run(protocol, small.parent, j) for j in jobs(protocol)[:1]]
    assert rows[0]["error"] == "digits has no weak labels: name their column"
    assert missing(protocol, rows)[0].name == jobs(protocol)[0].name


@pytest.mark.parametrize("noise", ["symmetric 40", "next_class 20"])
def test_labels_are_noisy_by_the_rate(small, noise):
    small.write_text(TOML.replace("labels = 4", f'noise = "{noise}"'))
    protocol = read_protocol(small)
    (data, setting), *_ = protocol.cells()
    drawn, clean = draw(data, setting, small.parent, 0), load(data, small.parent)
    truth = {row.tobytes(): y for row, y in zip(clean.learn.items, clean.learn.y, strict=True)}
    wrong = np.mean([truth[r.tobytes()] != y for r, y in zip(drawn.labelled.items, drawn.labelled.y, strict=True)])
    assert wrong == pytest.approx(float(noise.split()[1]) / 100, abs=0.05)
    assert setting.name == noise


def test_noisy_labels_of_a_file_go_by_the_row_s_index(tmp_path):
    y = np.arange(12) % 2
    items = [[float(v), 0.0] for v in y]
    rows = pd.DataFrame({"x": items, "label": y, "index": 100 + np.arange(12), "split": ["train"] * 8 + ["test"] * 4})
    rows.to_parquet(tmp_path / "x.parquet")
    noisy = pd.DataFrame({"index": 100 + np.arange(12), "worst": 1 - y}).astype(np.int16)  # small, as files keep them
    noisy.sample(frac=1, random_state=0).to_parquet(tmp_path / "noisy.parquet")
    data = {"name": "d", "kind": "rows", "file": "x.parquet", "items": "x", "noisy_file": "noisy.parquet"}
    protocol = Protocol(
        name="p", methods=("gce",), settings=({"noise": "worst"},), data=(data,), steps={"steps": 30, "lr": 0.1}
    )
    (of, setting), *_ = protocol.cells()
    drawn = draw(of, setting, tmp_path, 0)
    assert drawn.labelled.y.tolist() == (1 - drawn.labelled.items[:, 0]).tolist()
    rows = [run(protocol, tmp_path, j) for j in jobs(protocol) if j.seed == 0 and j.learner == "gce"]
    assert [r["score"] for r in rows] == [0]  # all that is learnt is wrong


def test_texts_with_votes_and_sentences_with_tags_are_read(tmp_path):
    texts = pd.DataFrame({
        "text": ["good film", "bad film"] * 6, "label": ["pos", "neg"] * 6, "split": ["train"] * 8 + ["test"] * 4,
        "votes": [[1, -1], [-1, 0]] * 6,
    })  # fmt: skip
    texts.to_parquet(tmp_path / "t.parquet")
    words = pd.DataFrame({
        "tokens": [["Ann", "sings"]] * 6, "tags": [["B-PER", "O"]] * 6, "split": ["train"] * 3 + ["test"] * 3,
        "far": [["O", "O"]] * 6,
    })  # fmt: skip
    words.to_parquet(tmp_path / "w.parquet")
    common = {"name": "p", "methods": ("supervised",), "settings": ({"weak": True},)}
    text = {"name": "t", "kind": "texts", "file": "t.parquet", "weak": "votes"}
    word = {
        "name": "w", "kind": "sentences", "file": "w.parquet", "items": "tokens", "labels": "tags", "weak": "far",
    }  # fmt: skip
    of_texts, of_words = Protocol(**common, data=(text, word)).data
    found = load(of_texts, tmp_path)
    assert found.learn.y.tolist() == [1, 0] * 4
    assert found.target.argmax(1).tolist() == [1, 0] * 4
    tagged = load(of_words, tmp_path)
    assert tagged.learn.y.tolist() == [1, 0] * 3
    assert tagged.target.tolist() == [0] * 6
    assert tagged.learn.counts.tolist() == [2, 2, 2]


PARENT = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from tutelage.bench.running import _begin
if __name__ == "__main__":
    with ProcessPoolExecutor(1, get_context("spawn"), _begin) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_its_processes_end_with_a_run_that_is_killed(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    with subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True) as parent:
        child = Path("/proc") / parent.stdout.readline().strip() / "stat"
        assert child.exists()
        parent.kill()
    for _ in range(100):
        if not child.exists() or child.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("the process is still there")


def test_the_command_runs_what_is_missing_and_says_so(small, capsys):
    words = ["bench", "run", str(small), "--methods", "majority class", "--processes", "1"]
    build(words, Screen())(words, result_action="return_value")
    out = small.parent.parent / "results" / "protocols" / "small.jsonl"
    assert "small: 2 runs to do, at most 1 side by side" in capsys.readouterr().out
    assert [json.loads(line)["seed"] for line in out.read_text().splitlines()] == [0, 1]
    with pytest.raises(ValueError, match="no results of 'drift'"):
        build(words, Screen())(["bench", "table", str(small), "--methods", "drift"], result_action="return_value")
    build(words, Screen())([*words, "--seeds", "0", "1"], result_action="return_value")
    assert "small: 0 runs to do" in capsys.readouterr().out
    with pytest.raises(ValueError, match="methods must be one of majority class"):
        build(words, Screen())(["bench", "run", str(small), "--methods", "drift"], result_action="return_value")
