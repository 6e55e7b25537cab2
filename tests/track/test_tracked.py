"""What a tracker is told of a fit, and that a tracker that fails costs the fit nothing but its curves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import tutelage
from benches import stopped_after
from tutelage.ops import points
from tutelage.ops.side_by_side import side_by_side
from tutelage.track import base, tracked
from tutelage.track.base import without_secrets


class Fake:
    """A tracker in memory, which fails at the n-th message where that is asked for."""

    place = "a fake store"

    def __init__(self, fails_at: int | None = None) -> None:
        self.runs, self.fails_at, self.messages, self.closed = {}, fails_at, 0, []

    def open(self) -> None:
        pass

    def begin(self, known, name, parameters):
        self.id = known if known in self.runs else f"run{len(self.runs)}"
        self.runs.setdefault(self.id, {"name": name, "parameters": parameters, "points": [], "outcome": None})
        return self.id

    def last(self):
        steps = {}
        for point in self.runs[self.id]["points"]:
            name = point.name.rpartition("/")[0]
            steps[name] = max(point.step, steps.get(name, 0))
        return steps

    def points(self, points):
        self.messages += 1
        if self.messages == self.fails_at:
            raise OSError("the store\nis gone")
        self.runs[self.id]["points"] += points

    def concluded(self, known):
        return known not in self.runs or self.runs[known]["outcome"] is not None

    def conclude(self, outcome):
        self.runs[self.id]["outcome"] = outcome
        self.closed.append("concluded")

    def stop(self):
        self.closed.append("stopped")


@pytest.fixture
def fake(monkeypatch):
    made = Fake()
    monkeypatch.setattr("tutelage.track.following.opened", lambda *given: made)
    return made


def told(fake) -> dict[str, dict[int, float]]:
    """Values by name and step; each is told once."""
    found: dict[str, dict[int, float]] = {}
    for point in fake.runs[fake.id]["points"]:
        assert point.step not in found.setdefault(point.name, {}), point
        found[point.name][point.step] = point.value
    return found


def test_the_points_are_those_of_the_history_and_the_scores_those_of_the_summary(run, bench, fake):
    code, shown = run(*bench.fit("drift", steps=40), "--track", "tensorboard")
    assert code == 0, shown
    found = told(fake)
    history = json.loads((bench.out / "records.json").read_text())["history"]
    for key in ("loss.supervised", "loss.pool", "anticipating"):
        assert found[f"candidate/{key}"] == {int(h["step"]): h[key] for h in history}
    folds = {name.partition("/")[0] for name in found if "fold" in name}
    assert len(folds) > 1 and all(f"{fold}/held_out" in found for fold in folds)  # a curve of each training
    kept, summary = fake.runs[fake.id], json.loads((bench.out / "summary.json").read_text())
    assert kept["outcome"].scores["test.accuracy"] == summary["test"]["accuracy"]
    assert kept["outcome"].scores["evidence.low"] == summary["evidence"]["low"]
    assert kept["outcome"].report == bench.out / "report.html" and fake.closed == ["concluded"]
    assert (kept["parameters"]["method"], kept["parameters"]["steps"], kept["parameters"]["labelled"]) == (
        "drift", "40", "16"
    )  # fmt: skip


def test_nothing_of_the_machine_is_told(run, bench, fake, monkeypatch):
    monkeypatch.setenv("MY_SECRET_TOKEN", "hush-hush")
    assert run(*bench.fit("supervised"), "--no-evidence", "--track", "mlflow")[0] == 0
    kept = fake.runs[fake.id]
    words = repr([kept["parameters"], kept["points"], kept["outcome"].scores, kept["outcome"].words])
    for secret in ("hush-hush", str(bench.folder), str(Path.home())):
        assert secret not in words
    assert kept["parameters"]["kind.encoder"] == bench.encoder.name  # a folder by its name alone
    assert "track" not in (bench.out / "run.json").read_text()


def test_a_fit_that_is_stopped_goes_on_in_the_same_tracked_run(run, bench, fake):
    words = ("--track", "tensorboard")
    with stopped_after(5):
        code, _ = run(*bench.fit("drift", checkpoint_seconds=0, no_adapt=True), *words)
    assert code == 130 and fake.closed == ["stopped"]
    first, before = fake.id, len(fake.runs[fake.id]["points"])
    assert json.loads((bench.out / "tracked.json").read_text())["id"] == first
    code, shown = run(*bench.fit("drift", checkpoint_seconds=0, no_adapt=True, resume=True), *words)
    assert code == 0, shown
    assert list(fake.runs) == [first] and len(fake.runs[first]["points"]) > before
    history = json.loads((bench.out / "records.json").read_text())["history"]
    assert list(told(fake)["candidate/round"]) == [int(h["step"]) for h in history]  # whole, and each point once


def test_a_finished_fit_is_concluded_once_more_only_where_it_was_not(run, bench, fake):
    words = ("--no-evidence", "--track", "tensorboard")
    assert run(*bench.fit("supervised"), *words)[0] == 0
    assert run(*bench.fit("supervised", resume=True), *words)[0] == 0
    assert fake.closed == ["concluded"]
    fake.runs[fake.id]["outcome"] = None  # as where the process was killed before the end of it
    assert run(*bench.fit("supervised", resume=True), *words)[0] == 0
    assert fake.closed == ["concluded"] * 2 and list(fake.runs) == [fake.id]


def test_a_store_that_fails_midway_is_said_once_and_the_run_is_the_same(run, bench, fake):
    assert run(*bench.fit("drift", out=bench.folder / "alone"))[0] == 0
    fake.fails_at = 2
    code, shown = run(*bench.fit("drift"), "--track", "tensorboard")
    said = " ".join(shown.split())
    assert code == 0, shown
    assert said.count("could not be written (the store is gone). The fit goes on, and is not tracked any more.") == 1
    assert fake.runs[fake.id]["outcome"] is None and fake.messages == 2
    models = [(folder / "model" / "model.safetensors").read_bytes() for folder in (bench.out, bench.folder / "alone")]
    assert models[0] == models[1]


def test_fits_of_python_are_tracked_each_by_itself(texts, encoder_folder, fake):
    with tracked("tensorboard"):
        for seed in (0, 1):
            made = tutelage.Classifier("drift", encoder=encoder_folder, steps=8, evidence=False, random_state=seed)
            made.fit(list(texts.train.text), list(texts.train.label), list(texts.pool.text))
    assert len(fake.runs) == 2 and fake.closed == ["concluded"] * 2
    assert [kept["parameters"]["seed"] for kept in fake.runs.values()] == ["0", "1"]
    values = told(fake)["candidate/loss.pool"]
    assert list(values.values()) == [h["loss.pool"] for h in made.history_]


def test_an_encoder_that_is_adapted_has_curves_of_its_own(run, bench, fake):
    code, shown = run(*bench.fit("supervised", adapt=True), "--track", "tensorboard")
    assert code == 0, shown
    names = {name for name in told(fake) if name.startswith("adapted-")}
    assert {name.partition("/")[2] for name in names} >= {"round"}, names
    assert any("/loss." in name for name in names), names


def spoken(number: int, tick) -> int:
    points.tell(f"training{number}", [{"step": 1.0, "loss": float(number)}])
    return os.getpid()


def test_points_of_copies_of_this_process_are_told_here(monkeypatch):
    heard: list = []
    with points.listening(lambda name, history, done: heard.append((os.getpid(), name, history, done))):
        workers = side_by_side([lambda tick, n=n: spoken(n, tick) for n in range(4)], lambda *now: None, 2)
    assert os.getpid() not in workers and {process for process, *_ in heard} == {os.getpid()}
    assert sorted(name for _, name, *_ in heard) == [f"training{n}" for n in range(4)]


def test_what_cannot_be_is_one_line_before_anything_is_read(run, bench, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    code, shown = run(*bench.fit("drift"), "--track", "wandb")
    assert (code, "--track must be mlflow or tensorboard, got 'wandb'" in shown) == (2, True), shown
    code, shown = run(*bench.fit("drift"), "--track-to", "x")
    assert (code, "--track-to says where a tracker writes: name one by --track" in shown) == (2, True), shown
    monkeypatch.setattr(base.importlib.util, "find_spec", lambda name: None)
    code, shown = run(*bench.fit("drift"), "--track", "mlflow")
    assert (code, "pip install 'tutelage[mlflow]'" in shown) == (2, True), shown
    assert not bench.out.exists() and "Labelled texts" not in shown


def test_passwords_are_never_shown():
    uri = "postgresql://me:pa%40ss@host:5432/runs?token=abc"
    words = f"could not connect to {uri}: password authentication of me:pa%40ss failed (token=abc)"
    shown = without_secrets(words, uri)
    assert not [secret for secret in ("pa%40ss", "abc") if secret in shown] and "host:5432/runs" in shown
