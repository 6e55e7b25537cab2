"""What a run will take is foretold stage by stage, beside what the machine has, and compared with what it took."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from tutelage.fit import machine
from tutelage.fit.build import Items
from tutelage.fit.cost import AdaptingCost
from tutelage.fit.forecast import ENCODING, FOLDS, ORDER, REPORT, WEIGHING, Forecast, Stage, account
from tutelage.methods import METHODS
from tutelage.tasks import Classification


def forecast(*stages: Stage, peak: float = 0.0) -> Forecast:
    return Forecast(stages, {"reading": 3.0}, resident=1e9, peak=peak)


def test_what_is_held_stays_and_what_passes_is_given_back():
    found = forecast(
        Stage(ENCODING, held=2e9, passing=1e9), Stage(FOLDS, passing=3e9), Stage(WEIGHING, passing=1e9), Stage(REPORT)
    )
    assert found.memory == 1e9 + 2e9 + 3e9
    assert forecast(Stage(ENCODING, passing=5e9), Stage(FOLDS, held=1e9)).memory == 6e9
    assert forecast(Stage(REPORT), peak=4e9).memory == 4e9


def test_seconds_count_what_is_over_and_entries_of_one_stage_are_added():
    found = forecast(
        Stage(FOLDS, 0.5, 10, "steps", written=5), Stage(FOLDS, 0.25, 4, "steps", written=7), Stage(REPORT, 2)
    )
    assert found.seconds == 5 + 1 + 2
    assert found.disk == 12
    assert found.expected == {FOLDS: (6.0, 14.0), REPORT: (2.0, 0.0)}


def test_the_account_puts_what_was_predicted_beside_what_was():
    told = account(
        forecast(Stage(ENCODING, 2.0), Stage(REPORT, 1.0, written=3e6)),
        {"reading": 3.0, ENCODING: 4.0, "own": 1.0},
        2e9,
        4e6,
    )
    assert (told["before"], told["seconds"]) == (3.0, {"predicted": 3.0, "found": 5.0})
    assert told["disk_mb"] == {"predicted": 3.0, "found": 4.0}
    assert [row["name"] for row in told["stages"]] == ["reading", ENCODING, REPORT, "own"]
    assert told["stages"][2] == {"name": REPORT, "predicted": 1.0, "found": None}
    alone = account(None, {ENCODING: 4.0}, None, 0)
    assert alone["memory_mb"] == {"predicted": None, "found": None}


def test_all_stages_have_names_of_their_own():
    assert len(set(ORDER)) == len(ORDER)


def test_adaptations_cost_one_more_than_the_folds():
    cost = AdaptingCost(each=10, row=0.01, rows_of_a_fold=1000, readings=2)
    assert cost.seconds(folds=5, labels=100, pool=5000) == (6 * (10 + 1), (5 * 1000 + 5000) * 0.02)


def test_a_run_says_beforehand_and_afterwards_what_it_takes(run, bench, monkeypatch, tmp_path):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    code, shown = run(*bench.fit("drift", json=True))
    assert code == 0
    said = json.loads(shown[shown.index('{"command"') :].splitlines()[0])
    cost = json.loads((bench.out / "summary.json").read_text())["cost"]
    assert said["cost"] == cost
    assert re.search(r"^About \d+ seconds? more, \d\S* [MG]B of memory and \d\S* [KMG]B on disk\.$", shown, re.M)
    names = {row["name"] for row in cost["stages"] if row["predicted"] and row["found"]}
    assert names >= {ENCODING, "labels only", FOLDS, WEIGHING, "report"}
    for what in ("seconds", "memory_mb", "disk_mb"):
        assert cost[what]["predicted"] > 0 and cost[what]["found"] > 0
    whole = cost["before"] + cost["seconds"]["found"]
    assert sum(row["found"] or 0 for row in cost["stages"]) == pytest.approx(whole, abs=0.1)
    assert 0.4 < cost["disk_mb"]["predicted"] / cost["disk_mb"]["found"] < 2.5
    page = (bench.out / "report.html").read_text()
    assert "What it took" in page and "cross-validation, seconds" in page
    table = re.search(r'<section class="cost">.*?</section>', page, re.S)[0]
    assert {row.count("<th") + row.count("<td") for row in re.findall(r"<tr>.*?</tr>", table, re.S)} == {3}
    before = (bench.out / "report.html").read_bytes()
    assert run("report", bench.out)[0] == 0
    assert (bench.out / "report.html").read_bytes() == before


def test_the_lexical_encoder_is_counted_among_what_is_written(run, bench, monkeypatch, tmp_path):
    monkeypatch.setenv("TUTELAGE_CACHE", str(tmp_path / "cache"))
    assert run(*bench.fit("drift", encoder="lexical"))[0] == 0
    disk = json.loads((bench.out / "summary.json").read_text())["cost"]["disk_mb"]
    assert 0.75 < disk["predicted"] / disk["found"] < 1.25


def test_a_fit_that_needs_far_more_memory_than_there_is_is_refused_before_it_begins(run, bench, monkeypatch):
    monkeypatch.setattr(machine, "free_memory", lambda: 1000)
    code, shown = run(*bench.fit("drift"))
    assert code == 2
    assert re.search(
        r"Error: this fit needs about \d\S* [KM]B of memory, and 1 KB are free; .*60 unlabelled items", shown
    )
    assert not (bench.out / "summary.json").exists()


def test_where_memory_may_just_not_be_enough_this_is_a_warning(run, bench, monkeypatch):
    free = []
    real = machine.free_memory

    def nearly():  # a little less than what the second check needs
        free.append(real())
        return 10**15 if len(free) == 1 else LEFT[0]

    from tutelage.fit import foresight

    LEFT = [0]
    check = foresight.require_memory

    def looked(costs, need):
        LEFT[0] = int(need / 1.2)
        check(costs, need)

    monkeypatch.setattr(foresight, "require_memory", looked)
    monkeypatch.setattr(machine, "free_memory", nearly)
    code, shown = run(*bench.fit("supervised"))
    assert code == 0, shown
    assert re.search(r"Warning: This fit needs about \d\S* [KM]B of memory", shown)


def test_probabilities_of_very_many_classes_are_counted_before_anything_is_probed(monkeypatch):
    from tutelage.fit.cost import Costs
    from tutelage.fit.foresight import foreseen

    class Many:
        items = Items(Classification(100_000), np.zeros((4, 2)), np.zeros(4, dtype=int), np.zeros((200_000, 2)))

    monkeypatch.setattr(machine, "free_memory", lambda: 16 * 10**9)
    with pytest.raises(machine.NoRoomError, match=r"probabilities of 100,000 classes for each of 200,000 unlabelled"):
        foreseen(Costs(METHODS["drift"](), Many(), None, None, None), None, None)


def test_the_machine_tells_what_it_has(tmp_path):
    assert 0 < machine.resident() <= (machine.peak() or 2**60) * 1.1
    assert machine.slowness() > 0
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "b").write_bytes(b"1")
    assert machine.folder_bytes(tmp_path, {"parts"}) == 5
