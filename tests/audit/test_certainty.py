"""The certainty of an audit, against closed forms and against records of planted and of people's own errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tutelage.audit.certainty import FITTED, SATURATION, Certainty, purity_of, with_wrong

RECORD = Path(__file__).parents[2] / "benchmarks" / "results" / "audit_calibration.jsonl"


def lines():
    return [json.loads(line) for line in RECORD.read_text().splitlines()]


def test_neutral_numbers_only_saturate():
    p = np.array([0.01, 0.2, 0.5, 0.8])
    log_odds = SATURATION * np.tanh(np.log(p / (1 - p)) / SATURATION)
    np.testing.assert_allclose(Certainty((0.0, 0.0), (0.0, 0.0))(p, 0.3), 1 / (1 + np.exp(-log_odds)))


def test_the_numbers_scale_and_shift_the_log_odds_by_the_purity():
    p, purity = np.array([0.5]), 1 / (1 + np.exp(-3.0))  # u = 1, and no log-odds to scale
    found = Certainty((0.3, 0.2), (0.5, 0.25))(p, float(purity))
    np.testing.assert_allclose(np.log(found / (1 - found)), 0.75)


@pytest.mark.parametrize("purity", [0.0, 0.3, 0.9, 1.0])
def test_the_order_stays_and_nothing_becomes_sure(purity):
    p = np.concatenate([[0.0], np.linspace(1e-6, 1 - 1e-6, 999), [1.0]])
    found = FITTED(p, purity)
    assert (np.diff(found) >= 0).all()
    assert found[0] == 0
    assert found[500] < found[-1] < 1


def test_purer_classes_make_it_surer():
    assert FITTED(np.array([0.9]), 0.95) > FITTED(np.array([0.9]), 0.6)


def test_purity_counts_neighbours_of_the_same_likeliest_class():
    posterior = np.eye(2)[[0, 0, 1, 1]]
    assert purity_of(np.array([[1], [0], [3], [0]]), posterior) == 0.75
    assert purity_of(np.zeros((4, 0), dtype=int), posterior) == 0.5


def test_other_classes_keep_their_shares():
    raw = np.array([[0.1, 0.6, 0.3], [1.0, 0.0, 0.0]])
    found = with_wrong(raw, np.array([0, 0]), np.array([0.6, 0.0]))
    np.testing.assert_allclose(found, [[0.4, 0.4, 0.2], [1.0, 0.0, 0.0]])


def test_the_shipped_numbers_are_the_recorded_ones():
    (shipped,) = [line for line in lines() if line["data"] == "all"]
    assert (tuple(shipped["scale"]), tuple(shipped["shift"])) == (FITTED.scale, FITTED.shift)


def test_calibrated_counts_are_nearer_than_the_raw_ones_on_most_sets():
    """Of each data set, judged by the numbers of the others: expected against found, over all of its audits."""
    of = [line for line in lines() if line["data"] != "all"]
    names = sorted({line["data"] for line in of})
    assert len(names) >= 7
    off = {}
    for how in ("raw", "calibrated"):
        sums = {
            name: [sum(line[f"{how}_{what}"] for line in of if line["data"] == name) for what in ("expected", "found")]
            for name in names
        }
        off[how] = {name: abs(np.log((expected + 1) / (found + 1))) for name, (expected, found) in sums.items()}
    nearer = [name for name in names if off["calibrated"][name] <= off["raw"][name]]
    assert len(nearer) > len(names) / 2, off
    assert np.mean(list(off["calibrated"].values())) < np.mean(list(off["raw"].values()))
