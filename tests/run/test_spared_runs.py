"""A run of a network trained whole says what it was spared, keeps it in run.json, and goes on in the same way."""

from __future__ import annotations

import json

import pytest

from tutelage.modalities import precision

SPARED = {"finetune": True, "amp": "auto", "accumulate": 2, "checkpoint_activations": True, "checkpoint_seconds": 0}


class StopError(KeyboardInterrupt):
    """Ctrl-C at a chosen step."""


def test_a_spared_run_is_resumed_to_the_same_bits_though_the_probe_says_otherwise_by_then(run, bench, monkeypatch):
    from tutelage.train import loop

    monkeypatch.setattr(precision, "once", lambda what, measure: 3.0)
    precision.gain.cache_clear()
    code, shown = run(*bench.fit("drift", out=bench.folder / "whole", **SPARED))
    assert code == 0, shown
    assert (
        "Trained whole in bfloat16 (auto: bfloat16 is 3.0 times as fast as float32 here), each step in 2 parts" in shown
    )
    real, left = loop.descend, [11]

    def counted(*words):
        left[0] -= 1
        if left[0] < 0:
            raise StopError
        real(*words)

    monkeypatch.setattr(loop, "descend", counted)
    assert run(*bench.fit("drift", **SPARED))[0] == 130
    monkeypatch.setattr(loop, "descend", real)
    monkeypatch.setattr(precision, "once", lambda what, measure: 0.5)
    precision.gain.cache_clear()
    code, shown = run(*bench.fit("drift", **SPARED | {"accumulate": 1}, resume=True))
    assert code != 0 and "accumulate" in shown
    code, shown = run(*bench.fit("drift", **SPARED, resume=True))
    assert code == 0, shown
    one, other = (folder / "model" / "model.safetensors" for folder in (bench.out, bench.folder / "whole"))
    assert one.read_bytes() == other.read_bytes()
    asked = json.loads((bench.out / "run.json").read_text())
    assert {n: asked[n] for n in ("amp", "accumulate", "compile", "checkpoint_activations")} == {
        "amp": "auto", "accumulate": "2", "compile": "False", "checkpoint_activations": "True",
    }  # fmt: skip
    training = json.loads((bench.out / "summary.json").read_text())["training"]
    assert (training["amp"], training["accumulate"]) == ("bfloat16", 2)
    precision.gain.cache_clear()


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        (
            "mixmatch",
            {"finetune": True, "accumulate": 2},
            "accumulate must be 1 for mixmatch, got 2: its loss is no sum",
        ),
        ("drift", {"accumulate": 2}, "--accumulate is of networks trained whole"),
        ("drift", {"finetune": True, "amp": "half"}, "amp must be one of float32, bfloat16, auto, got 'half'"),
    ],
)
def test_what_cannot_be_spared_is_refused_before_a_folder_is_made(method, options, message, run, bench):
    code, shown = run(*bench.fit(method, **options))
    assert code != 0
    assert message in shown.replace("\n", " ")
    assert not bench.out.exists()
