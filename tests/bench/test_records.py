"""Records of methods are made from recorded lines, with care where these are few."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tutelage.bench import records
from tutelage.bench.protocol import Protocol
from tutelage.cli import build
from tutelage.fit.auto import CANDIDATES
from tutelage.fit.evidence import Prior
from tutelage.fit.recorded import Gains, recorded_prior
from tutelage.run.screen import Screen

ROOT = Path(__file__).parents[2]


def frame(by_data, seeds=3, setting="10 labels"):
    """Fits whose change is the same for all seeds of a data set."""
    rows = [(d, setting, change) for d, change in by_data.items() for _ in range(seeds)]
    return pd.DataFrame(rows, columns=["data", "setting", "change"])


def test_a_prior_of_many_data_sets_is_their_mean_and_spread():
    rng = np.random.default_rng(0)
    many = {f"d{i}": v for i, v in enumerate(rng.normal(0.03, 0.02, 2000))}
    got = records.prior(frame(many))
    assert got.mean == pytest.approx(0.03, abs=0.002)
    assert got.spread == pytest.approx(0.02, abs=0.002)
    assert got.runs == 2000


def test_more_seeds_make_a_prior_no_surer():
    few, many = (records.prior(frame({"a": 0.02, "b": 0.04}, seeds)) for seeds in (1, 50))
    assert few == many
    assert few.runs == 2


def test_few_data_sets_leave_it_near_the_neutral_prior():
    got = records.prior(frame({"a": 0.04, "b": 0.04}))
    assert 0.02 < got.mean < 0.04
    assert got.spread > Prior().spread - 0.005
    assert records.prior(frame({"a": 0.04}, 20)) == Prior()


def test_seeds_and_settings_that_differ_widen_it():
    still = frame({f"d{i}": 0.02 for i in range(20)})
    moved = still.assign(change=still.change + np.tile([-0.1, 0.0, 0.1], 20))
    apart = pd.concat([still.assign(change=0.12), still.assign(change=-0.08, setting="30 labels")])
    calm = records.prior(still)
    for shaken in (records.prior(moved), records.prior(apart)):
        assert shaken.spread > 2 * calm.spread
        assert shaken.mean < calm.mean


def test_every_data_set_weighs_the_same_whatever_its_fits():
    rows = pd.concat([frame({"a": 0.0}, 30), frame({"b": 0.06}, 1)])
    assert records.prior(rows) == records.prior(frame({"a": 0.0, "b": 0.06}, 1))


SETTINGS = ({"labels": 4}, {"weak": True}, {"noise": "symmetric 20"})


@pytest.fixture
def recorded():
    data = [{"name": n, "kind": "texts", "file": n} for n in "abc"]
    variants = ({"name": "drift, slow", "method": "drift", "fields": {"decay": 0.99}},)
    protocol = Protocol(name="p", methods=("drift", "auto"), variants=variants, settings=SETTINGS, data=data)
    scores = {"labels only": 0.5, "drift": 0.6, "auto": 0.7, "drift, slow": 0.4}
    rows = [
        {"data": d.name, "setting": s.name, "seed": seed, "method": m, "score": v}
        for d, s in protocol.cells() for seed in (0, 1) for m, v in scores.items()
    ]  # fmt: skip
    broken = {"data": "a", "setting": "4 labels", "seed": 2, "method": "drift", "error": "no"}
    return protocol, [*rows, broken]


def test_changes_are_of_methods_as_they_are_where_fits_compare_with_the_same(recorded):
    found = records.changes(*recorded)
    assert set(found.setting) == {"4 labels"}
    assert set(found.method) == {"drift", "auto"}
    assert set(found.kind) == {"texts"}
    assert found.groupby("method").change.first().round(6).to_dict() == {"auto": 0.2, "drift": 0.1}
    assert len(found) == 3 * 2 * 2


def test_gains_are_of_methods_and_variants_by_draw(recorded):
    found = records.gains(*recorded)
    assert len(found) == 6
    assert found[0] == {"data": "a", "kind": "texts", "gains": {"drift": 0.1, "drift, slow": -0.1}}


def test_recorded_gains_stay_unless_they_are_to_be_renewed(recorded, tmp_path):
    old = [{"data": "a", "kind": "texts", "gains": {"drift": 0.9}}]
    (tmp_path / "gains.json").write_text(json.dumps(old))
    assert records.write([recorded], None, tmp_path) == (2, 5)
    assert json.loads((tmp_path / "gains.json").read_text())[:1] == old
    assert records.write([recorded], None, tmp_path, renew=True) == (2, 6)
    priors = json.loads((tmp_path / "priors.json").read_text())
    assert priors["texts"]["drift"]["runs"] == 3


def test_the_kinds_of_recorded_networks_are_told_apart():
    data = [{"name": "m", "kind": "masks", "file": "m"}]
    of = {"name": "p", "methods": ("drift",), "settings": ({"labels": 4},)}
    made = [Protocol(**of, data=data, steps={"network": "unet"})]
    made += [Protocol(**of, data=[{"name": "t", "kind": "texts", "file": "t"}], steps={"network": "whole"})]
    made += [Protocol(**of, data=[{"name": "t", "kind": "images", "file": "t"}], steps={"network": "small_cnn"})]
    assert [next(iter(records.comparable(p).values())) for p in made] == [
        "unet masks", "finetuned texts", "small_cnn images",
    ]  # fmt: skip


def test_the_command_makes_the_records_that_come_with_the_library(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    kept = ROOT / "src" / "tutelage" / "fit" / "records"
    (tmp_path / "gains.json").write_text((kept / "gains.json").read_text())
    words = ["bench", "records", "--out", str(tmp_path)]
    build(words, Screen())(words, result_action="return_value")
    assert "priors and the gains of" in capsys.readouterr().out
    for name in ("priors.json", "gains.json"):
        assert (tmp_path / name).read_text() == (kept / name).read_text()


def test_what_comes_with_the_library_is_found_by_the_names_that_fits_ask_for():
    for kind in ("texts", "rows", "images", "sentences", "unet masks"):
        assert recorded_prior("drift", kind).runs >= records.LEAST_DATA_SETS
        assert recorded_prior("drift", kind).spread > 0.03
    for kind in ("weak texts", "finetuned texts", "small_cnn images", "own rows"):
        assert recorded_prior("drift", kind) == Prior()


@pytest.mark.parametrize("kind", ["texts", "rows", "images"])
def test_other_kinds_records_do_not_change_what_auto_knows(kind):
    path = ROOT / "src" / "tutelage" / "fit" / "records" / "gains.json"
    found = json.loads(path.read_text())
    complete = [r for r in found if r["gains"].keys() >= CANDIDATES.keys()]
    assert len(complete) < len(found)
    every, same = (Gains.of(r, list(CANDIDATES), kind) for r in (found, complete))
    assert np.array_equal(every.mean, same.mean)
    assert np.array_equal(every.covariance, same.covariance)
