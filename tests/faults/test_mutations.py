"""Mutated inputs of all formats are read, or refused in clear words, in bounded time and memory."""

from __future__ import annotations

import faulthandler
import json
import os
import random

import pytest
from injected import mutations
from injected.changes import mutated
from injected.mutations import FORMS, KINDS, Input, inputs, told
from injected.warm import Trial

FEW = dict.fromkeys(KINDS, 50) | {"bombs": 4, "config": 50, "rules": 50, "model": 30}


def test_mutated_bytes_are_others_by_every_seed_the_same():
    found = [mutated(random.Random(seed), b"text,label\na b,food\n" * 9, b"PAR1" * 99) for seed in range(99)]
    assert len(set(found)) > 90
    assert found == [mutated(random.Random(seed), b"text,label\na b,food\n" * 9, b"PAR1" * 99) for seed in range(99)]


def test_what_hangs_what_dies_and_what_is_raised_is_named(monkeypatch):
    """The watchdog names the input, and goes on with the next one."""

    def read(number, folder):
        if number == 1:
            while True:
                pass
        if number == 2:
            faulthandler.disable()  # pytest's would print the stack of a fault that is meant
            os.kill(os.getpid(), 11)
        if number == 3:
            raise KeyError("x")
        if number == 4:
            bytearray(2**30)  # more than it may have
        return "read"

    monkeypatch.setattr(mutations, "reading", lambda form: read)
    found = {each.number: (each.outcome, each.fault) for each in inputs("x", range(6), 0.3, 2**28)}
    assert found[0] == found[5] == ("read", "")
    assert "takes more than" in found[1][1] and "code -11" in found[2][1]
    assert "KeyError" in found[3][1] and found[4] == ("no memory", "")


@pytest.mark.parametrize("form", FORMS)
def test_mutated_inputs_are_read_or_refused(undisturbed, tmp_path, form):
    words = ("call", "injected.mutations:write", form, "0", str(FEW[form]), str(tmp_path / "found"))
    came = undisturbed.warm.do(Trial([words], str(tmp_path)))
    assert came.code == 0, came.shown
    found = [Input(**json.loads(line)) for line in (tmp_path / "found").read_text().splitlines()]
    assert [each for each in found if each.fault] == []
    assert len(found) == FEW[form] and max(each.peak for each in found) < 2_000


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_thousands_of_mutated_inputs_are_read_or_refused(form):
    assert [each for each in told(form, 1_000, 20 * FEW[form]) if each.fault] == []
