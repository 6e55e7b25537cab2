"""Hyper-parameters: ranges, and numbers that change over training."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle

import numpy as np
import pytest
import torch

from tutelage.data import Features, Loader
from tutelage.fit.fit import settings
from tutelage.methods import (
    METHODS,
    Dmt,
    Drift,
    FixMatch,
    MeanTeacher,
    NoisyStudent,
    SelfTraining,
    TemporalEnsembling,
)  # fmt: skip
from tutelage.methods.fields import Ramp
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training, train

TASK = Classification(3)
STEPS = 12


@pytest.fixture(scope="module")
def loader():
    rows = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    pool = Features(rows[12:])
    return Loader(Features(rows[:12]), torch.arange(12) % 3, pool, 6, 8, strong=[Features(rows[12:] + 0.1)])


def network(seed: int = 0) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Head(5, 3, 8, 0.1)


def trained(method, loader, **changes):
    return train(method, TASK, network(), loader, Training(STEPS, lr=1e-2), **changes)


def same(one, other):
    return all(
        torch.equal(t, other.seats[who].module.state_dict()[n])
        for who in one.seats
        for n, t in one.seats[who].module.state_dict().items()
    )


@pytest.mark.parametrize(("begin", "end"), [(0.0, 1.0), (0.1, 0.8), (0.5, 0.5), (0.0, 0.0), (1.0, 1.0)])
def test_a_ramp_is_a_line_between_two_plateaus(begin, end):
    ramp, t = Ramp(2.0, -1.0, begin, end), np.linspace(0, 1, 101)
    expected = np.interp(t, [begin, end], [2.0, -1.0]) if begin < end else np.where(t >= begin, -1.0, 2.0)
    np.testing.assert_allclose([ramp.at(v) for v in t], expected, atol=1e-12)


@pytest.mark.parametrize("text", ["0.3", "0.3:0.5", "0.3:0.5@0.1:0.8", "-4.0:0.0@0.0:0.5"])
def test_a_ramp_is_read_as_it_is_written(text):
    assert str(Ramp.parse(text)) == text


@pytest.mark.parametrize("text", ["", "a", "1:2:3", "1:2@", "1:2@0.5", "1@0:1", "1:2@0:1:2"])
def test_text_that_is_no_number_and_no_ramp_is_refused(text):
    with pytest.raises(ValueError, match="FROM:TO"):
        Ramp.parse(text)


def test_shares_of_training_out_of_order_are_refused():
    with pytest.raises(ValueError, match=r"end must be in \[0.5, 1\], got 0.2"):
        Ramp.parse("1:2@0.5:0.2")
    with pytest.raises(ValueError, match=r"begin must be in \[0, 1\], got -0.1"):
        Ramp(1, 2, -0.1)


def test_both_ends_of_a_ramp_are_checked_and_only_numbers_that_need_not_be_whole_may_change():
    for ramp in (Ramp(0.5, 1.5), Ramp(1.5, 0.5)):
        with pytest.raises(ValueError, match=r"threshold must be in \[0, 1\], got 1.5"):
            FixMatch(threshold=ramp)
    with pytest.raises(ValueError, match=r"decay must be below 1, got 1\.0"):
        TemporalEnsembling(decay=Ramp(0.5, 1.0))
    with pytest.raises(TypeError, match="rounds must be a whole number"):
        SelfTraining(rounds=Ramp(1, 2))
    with pytest.raises(TypeError, match="hard is no number"):
        NoisyStudent(hard=Ramp(0, 1))
    with pytest.raises(ValueError, match="weights must be one of"):
        Drift(weights=Ramp(0, 1))


@pytest.mark.parametrize("way", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), dataclasses.replace])
def test_a_ramp_is_the_same_in_a_copy_and_is_not_its_first_value(way):
    method = MeanTeacher(weight=Ramp(0.5, 2.0, 0.1, 0.9))
    assert way(method) == method
    assert way(method).at(0.5).weight == method.at(0.5).weight == 1.25
    assert method != MeanTeacher(weight=0.5)
    assert json.loads(json.dumps(settings(method)))["weight"] == "0.5:2.0@0.1:0.9"


def test_a_method_without_ramps_is_itself_at_any_time():
    for kind in METHODS.values():
        method = kind()
        assert method.at(0.3) is method


FLAT = {
    "drift": ("weight", "decay", "interaction", "temperature"), "fixmatch": ("threshold",), "uda": ("temperature",),
    "self_training": ("weight",), "dmt": ("gamma",), "gce": ("power",), "dividemix": ("warm_up", "weight"),
    "label_propagation": ("weight",), "elr": ("decay",),
}  # fmt: skip


@pytest.mark.parametrize("name", FLAT)
def test_a_ramp_that_stays_level_trains_like_the_number_bit_for_bit(name, loader):
    plain = METHODS[name]().settled(TASK)
    level = dataclasses.replace(plain, **{f: Ramp(v := getattr(plain, f), v) for f in FLAT[name]})
    runs = [trained(m, loader) for m in (plain, level)]
    assert runs[0].history == runs[1].history
    assert same(*runs)


def test_the_loss_the_rule_and_what_is_between_rounds_see_the_present_value(loader):
    seen = {"loss": [], "rule": [], "keep": []}

    class Told(Dmt):
        @property
        def rule(self):
            seen["rule"].append(self.gamma)
            return super().rule

        def keep(self, memory):
            seen["keep"].append(self.gamma)
            super().keep(memory)

        def loss(self, *args):
            seen["loss"].append(self.gamma)
            return super().loss(*args)

    trained(Told(rounds=1, partners="self", gamma=Ramp(0.0, 12.0)), loader)
    assert seen["loss"] == pytest.approx(np.arange(STEPS))  # twelve steps of twelve, over all of training
    assert seen["keep"] == [6.0]
    assert seen["rule"][1:] == seen["loss"]


def test_a_teacher_whose_decay_changes_is_averaged_with_each_value(loader):
    decays, teachers, students = Ramp(0.0, 1.0), [], []

    def watch(run):
        for who, kept in (("teacher", teachers), ("student", students)):
            kept.append(next(iter(run.seats[who].params.values())).detach().clone())
        return {}

    training = Training(5, lr=1e-2, records=5)
    start = network()
    train(MeanTeacher(decay=decays), TASK, start, loader, training, watch=watch)
    before = next(iter(start.parameters())).detach()
    for k in range(5):  # the teacher is played before the student's step
        played = students[k - 1] if k else before
        expected = torch.lerp(teachers[k - 1] if k else before, played, 1 - decays.at(k / 5))
        assert torch.allclose(teachers[k], expected, atol=1e-6)


@pytest.mark.parametrize("stop", [3, 7])
def test_a_training_with_ramps_resumes_to_the_same_bits(loader, tmp_path, stop):
    class CutError(Exception):
        pass

    def cut(step):
        if step == stop:
            raise CutError

    method = SelfTraining(rounds=1, weight=Ramp(0.0, 2.0, 0.2, 0.7))
    whole = trained(method, loader)
    training, path = Training(STEPS, lr=1e-2, checkpoint_every=0), tmp_path / "run"
    with pytest.raises(CutError):
        train(method, TASK, network(), loader, training, path=path, tick=cut)
    again = train(method, TASK, network(), loader, training, path=path)
    assert again.history == whole.history
    assert same(whole, again)


def test_a_number_that_is_not_read_while_training_cannot_be_a_ramp():
    from tutelage.methods import METHODS
    from tutelage.methods.fields import may_ramp

    for name, kind in METHODS.items():
        for field in kind.still:
            with pytest.raises(TypeError, match=f"{field} is no number that is read while {name} trains"):
                kind(**{field: Ramp(0.5, 0.6)})
            assert field not in may_ramp(kind)
    assert sum(len(kind.still) for kind in METHODS.values()) == 41
