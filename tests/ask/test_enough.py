"""What more labels are likely to bring: what recorded curves say, with intervals that hold on new data."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.ask.enough import Curve, Outlook, outlook, packaged

AT = np.array([10.0, 20, 50, 100, 200, 400])


def power(name, error, slope, draws=None):
    """A curve whose error falls as a power of the labels, with binomial noise in what is held out."""
    scores = 1 - error * (AT / 10) ** -slope
    held = scores if draws is None else draws.binomial(AT.astype(int), scores) / AT
    return Curve(name, AT, held, scores)


def the_same(gain=0.05):
    return [Curve(f"set {i}", AT, np.full(6, 0.5), 0.5 + gain * np.arange(6)) for i in range(4)]


def test_curves_that_are_all_alike_leave_no_doubt():
    found = outlook([10, 50], [0.5, 0.5], [50, 150], recorded=the_same())
    assert found.gain == pytest.approx([5, 10])
    assert found.low == pytest.approx(found.gain)
    assert found.high == pytest.approx(found.gain)
    assert found.labels == 50
    assert found.sets == 4


def test_a_minute_is_worth_the_gain_over_the_time_of_the_labels():
    found = outlook([50], [0.5], [50], seconds_per_label=30, recorded=the_same(), worth=0.2)
    assert found.per_minute == pytest.approx([5 / 25])
    assert not found.stop
    assert outlook([50], [0.5], [50], seconds_per_label=30, recorded=the_same(), worth=0.21).stop


def test_one_number_of_labels_that_is_worth_it_is_reason_to_go_on():
    scores = np.array([0.5, 0.5, 0.5, 0.5, 0.9, 0.9])  # a plateau, and then a step
    curves = [Curve(f"set {i}", AT, np.full(6, 0.5), scores) for i in range(3)]
    assert outlook([50], [0.5], [20, 50], recorded=curves).stop
    assert not outlook([50], [0.5], [20, 50, 150], recorded=curves).stop


def test_a_larger_error_promises_more_where_the_records_say_so():
    curves = [power(f"set {i}", error, 0.5) for i, error in enumerate(np.linspace(0.2, 0.8, 13))]
    low, high = (outlook([10], [1 - error], [10], recorded=curves).gain[0] for error in (0.3, 0.7))
    share = 1 - 2**-0.5  # of the error is gone when the labels have doubled
    assert low == pytest.approx(100 * 0.3 * share, abs=1)
    assert high == pytest.approx(100 * 0.7 * share, abs=1)


def test_intervals_cover_new_data():
    draws, inside, times = np.random.default_rng(0), 0, 300
    for _ in range(times):
        sets = [(draws.uniform(0.2, 0.7), draws.uniform(0.1, 0.6)) for _ in range(13)]
        curves = [power(f"set {i}", *each, draws) for i, each in enumerate(sets) for _ in range(3)]
        new, truth = curves[-1], 100 * curves[-1].gain(50, 50)
        found = outlook(AT[:3], new.held_out[:3], [50], recorded=curves, without=["set 12"])
        assert found.sets == 12
        inside += found.low[0] <= truth <= found.high[0]
    assert 0.85 <= inside / times <= 0.98


def test_beyond_the_records_the_same_ratio_counts():
    curves = [power(f"set {i}", 0.5, 0.5) for i in range(3)]
    found = outlook([4000], [0.9], [4000], recorded=curves)
    assert found.beyond.tolist() == [True]
    assert found.gain[0] == pytest.approx(100 * (np.interp(200, AT, curves[0].scores) * -1 + curves[0].scores[-1]))
    assert not outlook([50], [0.5], [50], recorded=curves).beyond[0]


def test_the_library_brings_curves_of_many_data_sets():
    curves = packaged()
    sets = {c.data for c in curves}
    assert len(sets) >= 8
    for curve in curves:
        assert (np.diff(curve.labels) > 0).all()
        for values in (curve.held_out, curve.scores):
            assert len(values) == len(curve.labels)
            assert ((values >= 0) & (values <= 1)).all()
    found = outlook([20, 40, 70], [0.55, 0.64, 0.7])
    assert found.sets == len(sets)
    assert found.more == (20, 50, 200)
    assert (found.low < found.gain).all()
    assert (found.gain < found.high).all()
    assert outlook([20, 40, 70], [0.55, 0.64, 0.7], without=["trec"]).sets == len(sets) - 1


def test_words_say_all_of_it():
    found = outlook([50], [0.5], [50], recorded=the_same())
    assert found.words() == (
        "Another 50 labels are likely to bring +5.0 points (+5.0 to +5.0), 0.40 a minute of labelling. Points are "
        "those of the labels-only model, in brackets their 90 % interval. Go on."
    )
    enough = outlook([50], [0.5], [50], recorded=the_same(0), worth=0.1)
    assert enough.words().endswith("Enough: a minute is likely to bring less than 0.1 points.")
    assert isinstance(enough, Outlook)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": [10, 10], "held_out": [0.5, 0.5]}, "labels must rise from a number above 0"),
        ({"labels": [10]}, "labels and held_out must be as many numbers"),
        ({"labels": [], "held_out": []}, "labels and held_out must be as many numbers"),
        ({"held_out": [0.5, 1.5]}, r"held_out must be in \[0, 1\]"),
        ({"held_out": [0.5, np.nan]}, r"held_out must be in \[0, 1\]"),
        ({"more": [0]}, "more must be a whole number"),
        ({"more": []}, "more must have a number of labels"),
        ({"seconds_per_label": 0}, "seconds_per_label must be above 0"),
        ({"worth": -1}, "worth must be at least 0"),
        ({"recorded": the_same()[:2]}, "recorded must hold curves of 3 data sets at least, got 2"),
        ({"without": ["set 0", "set 1"]}, "recorded must hold curves of 3 data sets at least, got 2"),
    ],
)
def test_what_cannot_be_is_named(change, words):
    given = {"labels": [10, 20], "held_out": [0.5, 0.6], "more": [20], "recorded": the_same()} | change
    with pytest.raises(ValueError, match=words):
        outlook(**given)


def test_no_gain_leads_beyond_all_items():
    for score in (0.9, 0.95, 1.0):
        found = outlook([10, 20], [0.3, score])
        assert (100 * score + found.high <= 100 + 1e-9).all() and (found.low <= found.gain).all()
        assert (found.gain <= found.high).all()
    assert not found.stop and "by chance: go on" in found.words()
