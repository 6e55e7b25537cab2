"""Events that a fit writes are read by TensorBoard's own reader."""

from __future__ import annotations

import json

import pytest

from benches import stopped_after

pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")


def events(folder) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    held = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    held.Reload()
    return {name: [(e.step, e.value) for e in held.Scalars(name)] for name in held.Tags()["scalars"]}


def test_a_fit_leaves_curves_scores_and_its_report(run, bench):
    code, shown = run(*bench.fit("drift", steps=40), "--track", "tensorboard")
    assert code == 0, shown
    folder = bench.folder / "tensorboard" / bench.out.name  # beside the run
    found, history = events(folder), json.loads((bench.out / "records.json").read_text())["history"]
    steps, values = zip(*found["candidate/loss.pool"], strict=True)
    assert list(steps) == [int(h["step"]) for h in history]
    assert values == pytest.approx([h["loss.pool"] for h in history], rel=1e-6)  # events are float32
    summary = json.loads((bench.out / "summary.json").read_text())
    assert found["final/test.accuracy"][0][1] == pytest.approx(summary["test"]["accuracy"])
    assert (folder / "report.html").read_bytes() == (bench.out / "report.html").read_bytes()
    whole = b"".join(path.read_bytes() for path in folder.glob("events*"))
    assert str(bench.folder).encode() not in whole


def test_a_fit_that_is_stopped_goes_on_in_its_folder(run, bench):
    to = bench.folder / "curves"
    words = ("--track", "tensorboard", "--track-to", to)
    with stopped_after(5):
        assert run(*bench.fit("drift", checkpoint_seconds=0, no_adapt=True), *words)[0] == 130
    assert run(*bench.fit("drift", checkpoint_seconds=0, no_adapt=True, resume=True), *words)[0] == 0
    assert [path.name for path in to.iterdir()] == [bench.out.name]
    found, history = events(to / bench.out.name), json.loads((bench.out / "records.json").read_text())["history"]
    assert [step for step, _ in found["candidate/round"]] == [int(h["step"]) for h in history]
    assert len(found["final/test.accuracy"]) == 1


@pytest.mark.parametrize("to", ["file/curves", "http://localhost:1/"])
def test_a_place_that_cannot_be_written_is_said_before_anything_is_read(run, bench, monkeypatch, to):
    (bench.folder / "file").write_text("")
    monkeypatch.chdir(bench.folder)
    code, shown = run(*bench.fit("drift"), "--track", "tensorboard", "--track-to", to)
    assert code == 2 and f"--track tensorboard: {to} cannot be used (" in " ".join(shown.split()), shown
    assert "Labelled texts" not in shown and not bench.out.exists()
