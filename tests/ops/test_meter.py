"""Stages are measured where the work is done, and what is left of a run follows what they really took."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tutelage.ops import bar as bars
from tutelage.ops.bar import ticking
from tutelage.ops.meter import Expected, Meter, metered, metering, stage


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def meter(clock):
    return Meter(clock)


def test_a_stage_within_another_is_counted_once(meter, clock):
    meter.enter("folds")
    clock.now = 2
    meter.enter("adapting")
    clock.now = 5
    meter.leave()
    clock.now = 6
    meter.leave()
    clock.now = 9
    assert meter.spent() == {"folds": 3.0, "adapting": 3.0}


def test_stages_are_counted_by_the_meter_of_the_run_alone():
    with stage("nobody measures"):
        assert metered() is None
    with metering() as outer:
        with metering() as inner, stage("reading"):
            assert inner is outer is metered()
        with pytest.raises(KeyError), stage("failing"):
            raise KeyError
    assert list(outer.seconds) == ["reading", "failing"]
    assert metered() is None


def test_what_is_left_begins_as_it_was_foretold(meter):
    assert meter.left() is None and meter.share() is None
    meter.foretell({"encoding": Expected(30, 100), "folds": Expected(60, 10), "report": Expected(10)})
    assert meter.left() == pytest.approx(100)
    assert meter.share() == 0


def test_a_stage_goes_on_at_its_own_pace_and_the_others_follow(meter, clock):
    meter.foretell({"encoding": Expected(30, 100), "folds": Expected(60, 10), "report": Expected(10)})
    meter.enter("encoding")
    clock.now = 30
    meter.tick("encoding", 50)  # twice as slow as expected
    slow = meter.left()
    assert 30 + 70 < slow < 30 + 2 * 70
    clock.now = 60
    meter.tick("encoding", 100)
    meter.leave()
    meter.enter("folds")
    assert 70 < meter.left() < 140
    meter.tick("fold 1", 5)
    clock.now = 180
    meter.tick("fold 2", 5)
    assert meter.left() < 10 * 2.1  # all steps of the folds are done
    assert meter.share() == pytest.approx(180 / (180 + meter.left()))


def test_a_stage_that_was_passed_over_is_left_out_and_the_share_never_falls(meter, clock):
    meter.foretell({"encoding": Expected(10), "adapting": Expected(80), "report": Expected(10)})
    meter.enter("encoding")
    clock.now = 10
    before = meter.share()
    meter.leave()
    meter.enter("report")
    assert meter.left() == pytest.approx(10, rel=0.01)
    assert meter.share() > before
    clock.now = 11
    jumped = meter.share()
    meter.foretell({"report": Expected(1000)})
    assert meter.share() == jumped


def test_a_stage_that_takes_longer_than_expected_has_nothing_left_and_no_less(meter, clock):
    meter.foretell({"report": Expected(5)})
    meter.enter("report")
    clock.now = 50
    assert meter.left() == 0
    assert meter.share() == 1


def shown(terminal: bool, quiet: bool = False) -> tuple[str, str]:
    """What a bar of a whole run wrote, and how much it said to be done."""
    held = io.StringIO()
    console = Console(file=held, force_terminal=terminal, width=100, color_system=None)
    with ticking(console, quiet) as tick:
        tick("reading", 1, 2)
        tick.meter.foretell({"encoding": Expected(3600, 100), "folds": Expected(3600, 10)})
        with stage("encoding"):
            tick("encoding", 0, 100)
            said = tick.said
            tick.progress.refresh()
    return held.getvalue(), said


def test_the_bar_is_that_of_the_whole_run_as_soon_as_it_is_foretold():
    text, said = shown(terminal=True)
    assert said == "0 % done, about 2.0 hours left"
    assert said in text and "encoding" in text


def test_where_no_bar_can_be_drawn_a_line_is_written_from_time_to_time(monkeypatch):
    assert shown(terminal=False)[0].strip() == ""
    monkeypatch.setattr(bars, "LINE_EVERY", 0.0)
    assert shown(terminal=False)[0].strip() == "0 % done, about 2.0 hours left: encoding"
    assert shown(terminal=False, quiet=True)[0] == ""
