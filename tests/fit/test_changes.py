"""What is said to have changed between two models of a pool, against independent counts and tests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from tutelage.fit.changes import Looked, changes, drift


def looked(before, now=None, sure=0.9, of=None) -> Looked:
    before = np.array(before)
    now = before if now is None else np.array(now)
    return Looked(before, now, np.full(len(before), sure), len(before), of or len(before))


def drawn(counts) -> Looked:
    return looked(np.repeat(np.arange(len(counts)), counts))


def test_drift_is_pearsons_test():
    old, new = np.array([60, 40]), np.array([30, 70])
    found = drift(drawn(old), drawn(new), 2)
    expected = (old + new) / 2
    statistic = (((old - expected) ** 2 + (new - expected) ** 2) / expected).sum()
    assert found.statistic == pytest.approx(statistic)
    assert found.p == pytest.approx(chi2.sf(statistic, 1))
    assert found.distance == pytest.approx(0.3)
    assert found.drifted


def test_rare_classes_are_counted_as_one():
    """Of each of the last three classes fewer than five rows are expected in a part: the test has two columns."""
    found = drift(drawn([92, 2, 3, 3]), drawn([82, 6, 6, 6]), 4)
    assert found.freedom == 1
    assert found.statistic == pytest.approx(drift(drawn([92, 8]), drawn([82, 18]), 2).statistic)


def test_one_class_alone_has_not_drifted():
    assert drift(drawn([5, 0]), drawn([9, 0]), 2).p == 1


def test_equal_shares_are_called_drifted_as_often_as_the_level_says():
    rng = np.random.default_rng(0)
    p = [drift(drawn(rng.multinomial(400, [0.7, 0.2, 0.1])), drawn(rng.multinomial(100, [0.7, 0.2, 0.1])), 3).p
         for _ in range(500)]  # fmt: skip
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09


def test_without_new_rows_nothing_is_tested():
    found = changes(["a", "b"], "texts", looked([0, 1]), looked(np.zeros(0, dtype=int)))
    assert found["drift"] is None
    assert list(found["looked_at"]) == ["old"]


def test_units_that_depend_on_each_other_have_no_interval_and_no_test():
    found = changes(["a", "b"], "sentences", drawn([90, 10]), drawn([10, 90]), single=False)
    assert found["drift"] is None
    assert found["classes"]["a"]["new"]["low"] is None
    assert "drift" not in " ".join(found["words"])


def test_agreement_and_the_most_frequent_changes_are_counted():
    old, new = looked([0, 0, 1, 1], [0, 1, 1, 1]), looked([0, 0, 1], [1, 1, 0])
    found = changes(["ham", "spam"], "texts", old, new)
    assert found["agreement"]["old"]["share"] == 0.75
    assert found["agreement"]["new"]["share"] == 0
    assert found["classes"]["ham"]["old"]["agreement"] == 0.5
    assert found["moves"] == [{"from": "ham", "to": "spam", "count": 3}, {"from": "spam", "to": "ham", "count": 1}]
    assert "The most frequent changes: ham to spam (3), spam to ham (1)." in found["words"]


def test_how_many_rows_were_looked_at_is_said():
    found = changes(["a", "b"], "texts", looked([0, 1], of=5_000), looked([0]))
    assert found["words"][0] == "Looked at: 2 of 5,000 old texts, evenly spaced."
