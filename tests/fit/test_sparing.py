"""The precision of a network that is trained whole is chosen once for a fit, and said."""

from __future__ import annotations

import pytest

from tutelage.fit.auto import Auto
from tutelage.fit.defaults import HEAD, TRANSFORMER, Asked
from tutelage.fit.setup import FolderStore, MemoryStore
from tutelage.fit.sparing import spared
from tutelage.kinds import KINDS
from tutelage.methods import Drift, MixMatch
from tutelage.tasks import Classification

METHOD = Drift().settled(Classification(2))


def spare(asked, gain=1.0, store=None, method=METHOD):
    lines = []
    how = spared(TRANSFORMER(asked), method, lambda device: gain, "cpu", store or MemoryStore(), lines.append)
    return how.training, lines


@pytest.mark.parametrize(("gain", "amp"), [(2.1, "bfloat16"), (1.4, "float32"), (0.5, "float32")])
def test_auto_takes_what_the_probe_finds_faster_by_far(gain, amp):
    training, (line,) = spare(Asked(amp="auto"), gain)
    assert training.amp == amp
    assert line.startswith(f"Trained whole in {amp} (auto: bfloat16 is ")
    assert ("2.0 times as slow as" if gain == 0.5 else f"{gain} times as fast as") in line


def test_a_stopped_fit_goes_on_in_the_precision_that_it_began_with(tmp_path):
    assert spare(Asked(amp="auto"), 3.0, FolderStore(tmp_path))[0].amp == "bfloat16"
    assert spare(Asked(amp="auto"), 0.3, FolderStore(tmp_path))[0].amp == "bfloat16"


def test_all_that_is_spared_is_said_and_nothing_of_a_plain_training():
    training, (line,) = spare(Asked(amp="bfloat16", accumulate=4, checkpoint_activations=True))
    assert (training.amp, training.accumulate, training.checkpoint_activations) == ("bfloat16", 4, True)
    assert line == (
        "Trained whole in bfloat16, each step in 4 parts, its activations computed again in the backward pass."
    )
    assert spare(Asked()) == (TRANSFORMER(Asked()).training, [])


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (MixMatch(), "accumulate must be 1 for mixmatch, got 2: its loss is no sum of means"),
        (Auto(), "accumulate must be 1 where the method is chosen automatically, got 2"),
    ],
)
def test_a_method_that_cannot_go_through_parts_is_refused_beforehand(method, message):
    with pytest.raises(ValueError, match=message):
        spare(Asked(accumulate=2), method=method)


def test_a_head_on_features_has_nothing_to_spare():
    kind, texts = KINDS["rows"](features=("a",), label="b"), KINDS["texts"](text="text", label="label")
    with pytest.raises(ValueError, match=r"^--amp is of networks trained whole, .* is trained here; leave it out"):
        kind.how(Asked(amp="auto"))
    with pytest.raises(
        ValueError, match=r"--accumulate and --compile are of networks .*; add --finetune, or leave them"
    ):
        texts.how(Asked(accumulate=2, compile=True))
    assert texts.how(Asked()).training == HEAD(Asked()).training


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Asked(amp="half"), "amp must be one of float32, bfloat16, auto, got 'half'"),
        (Asked(accumulate=0), "accumulate must be at least 1, got 0"),
        (Asked(compile=True, checkpoint_activations=True), "give compile or checkpoint_activations, not both"),
    ],
)
def test_what_cannot_be_asked_is_named(asked, message):
    with pytest.raises(ValueError, match=message):
        TRANSFORMER(asked)
