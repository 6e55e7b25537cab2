"""Kills, failing operations and damaged files: the library finishes, or says so in a line; nothing changes silently.

The long modes are `python benchmarks/studies/faults`; here is a bounded part, by fixed seeds.
"""

from __future__ import annotations

import itertools
import random

import pytest
from injected.errors import ERRORS, errors, failed, faults, harms_of
from injected.flips import TARGETS, flips
from injected.kills import killed, kills, points
from injected.layer import Harm
from injected.limits import FILE, with_small_files
from injected.same import contents, differences, litter
from injected.scenarios import ALL
from injected.together import TOGETHER, together
from injected.verdicts import Verdict, ended_in_one_line
from injected.warm import Came, Trial


def wrong(verdicts) -> list[Verdict]:
    found = list(verdicts)
    assert found
    return [each for each in found if each.fault]


# the harness sees faults


def test_a_place_comes_once_before_any_comes_twice(undisturbed):
    scenario = ALL["adapt"]
    operations = undisturbed.came(scenario).operations
    places = [place for _, place in points(operations, undisturbed)]
    different = len(set(places))
    assert len(set(places[:different])) == different > 10
    harms = faults(undisturbed.came(scenario, with_input=True).operations, undisturbed)
    assert len({(harm.at, harm.error, harm.way, harm.lasting) for harm, _ in harms}) == len(harms)
    assert {kind for kind, _ in operations} <= set(ERRORS) and harms_of(1, "write")[2] == Harm("half", 1, 28)


def test_what_is_not_equal_is_seen(tmp_path):
    (tmp_path / "a.json").write_text('{"seconds": 1, "score": 2}')
    (tmp_path / "b.csv").write_text("x")
    before = contents(tmp_path)
    (tmp_path / "a.json").write_text('{"seconds": 9, "score": 2}')
    assert not differences(before, contents(tmp_path))
    (tmp_path / "a.json").write_text('{"seconds": 9, "score": 3}')
    (tmp_path / "b.csv").rename(tmp_path / "c.csv.part")
    assert differences(before, contents(tmp_path)) == [
        "a.json differs at /score: 2 | 3", "b.csv is missing", "c.csv.part is new"
    ]  # fmt: skip
    assert litter(tmp_path) == ["c.csv.part"]


@pytest.mark.parametrize(
    ("code", "shown", "says"),
    [(1, "Traceback (most recent call last):", "exit code 1"), (2, "", "0 lines"), (2, "Error: a.csv\nmore", "1 lines"),
     (2, "Error: a.csv: KeyError('x')", "unclear"), (2, "Error: [Errno 5] Input/output error", "no file is named"),
     (2, "read\nError: a.csv, row 1: no label", ""), (-11, "", "exit code -11")],
)  # fmt: skip
def test_what_is_no_clear_line_is_seen(code, shown, says):
    said = ended_in_one_line(Came(code, shown, 1.0, False, [], 0))
    assert says in said and bool(says) == bool(said)


def test_a_trial_that_hangs_is_ended(undisturbed):
    came = undisturbed.warm.do(Trial([("call", "time:sleep", "x")], str(undisturbed.place.given)))
    assert (came.code, came.hung) == (1, False) and "TypeError" in came.shown
    came = undisturbed.warm.do(Trial([("call", "signal:pause")], str(undisturbed.place.given), limit=0.5))
    assert came.killed and came.hung


# the library


QUICK = ("encode", "adapt", "predict, table", "audit")


@pytest.mark.parametrize("name", QUICK)
def test_what_is_killed_anywhere_finishes_by_the_same_command(undisturbed, name):
    assert not wrong(itertools.islice(kills(ALL[name], undisturbed), 5))


@pytest.mark.parametrize("at", [0.7])
def test_a_fit_that_is_killed_finishes_by_the_same_command(undisturbed, at):
    scenario = ALL["fit tri_training, rows"]
    number = round(at * len(undisturbed.came(scenario).operations))
    assert not killed(scenario, undisturbed, Harm("before", number), "", None, random.Random(1)).fault


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_use_that_is_killed_anywhere_finishes_by_the_same_command(undisturbed, name):
    assert not wrong(itertools.islice(kills(ALL[name], undisturbed), 40))


@pytest.mark.parametrize("name", QUICK)
def test_a_file_operation_that_fails_is_survived_or_said(undisturbed, name):
    assert not wrong(itertools.islice(errors(ALL[name], undisturbed, alone=True), 7))


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_file_operation_that_fails_is_survived_or_said(undisturbed, name):
    assert not wrong(itertools.islice(errors(ALL[name], undisturbed), 150))


def test_a_full_disk_in_a_fit_is_said(undisturbed):
    scenario = ALL["fit tri_training, rows"]
    operations = undisturbed.came(scenario, with_input=True).operations
    number = next(i for i, (kind, path) in enumerate(operations, 1) if kind == "write" and "parts" in path)
    assert not failed(scenario, undisturbed, Harm("fail", number + 9, 28, lasting=True), "").fault


@pytest.mark.parametrize("name", ["finished, rows", "finished, verified", "cache"])
def test_a_damaged_file_changes_nothing_without_a_word(undisturbed, name):
    assert not wrong(itertools.islice(flips(TARGETS[name], undisturbed), 16))


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_no_damaged_file_changes_anything_without_a_word(undisturbed, name):
    assert not wrong(itertools.islice(flips(TARGETS[name], undisturbed), 300))


@pytest.mark.parametrize("size", FILE[1:2])
def test_files_that_may_not_grow_are_said(undisturbed, size):
    assert not with_small_files("fit tri_training, rows", undisturbed, size).fault


@pytest.mark.slow
@pytest.mark.parametrize("name", TOGETHER)
def test_several_at_once_give_what_each_gives_alone(undisturbed, name):
    assert not wrong(together(name, undisturbed))
