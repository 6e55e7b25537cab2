"""Warnings and sentences are kept, once each, also where Python's filters hide a warning."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tutelage.ops.said import Heard, hearing, warn


def test_a_warning_is_kept_though_the_filters_hide_it():
    for action in ("ignore", "default", "default"):  # "default" shows a warning of a line once
        with warnings.catch_warnings(), hearing(Heard()) as heard:
            warnings.simplefilter(action)
            warn("3 texts are also in the training data", stacklevel=1)
        assert heard.lines == [{"words": "3 texts are also in the training data", "kind": "warning"}]


def test_warnings_of_other_libraries_are_kept_where_they_are_shown_and_passed_on():
    with warnings.catch_warnings(record=True) as shown, hearing(Heard()) as heard:
        warnings.simplefilter("always")
        warnings.warn("overflow in exp", RuntimeWarning, stacklevel=1)
        warn("odd", stacklevel=1)
    assert heard.warnings == ["overflow in exp", "odd"]
    assert [str(one.message) for one in shown] == ["overflow in exp", "odd"]
    assert shown[1].filename == __file__


def test_a_warning_is_about_the_callers_caller():
    def reads():
        warn("odd")

    with pytest.warns(UserWarning, match="odd") as shown:
        reads()  # here
    assert Path(shown[0].filename).read_text().splitlines()[shown[0].lineno - 1].strip() == "reads()  # here"


def test_nobody_hears_after_the_context():
    with hearing(Heard()) as heard:
        pass
    with pytest.warns(UserWarning, match="later"):
        warn("later")
    assert heard.lines == []


def test_sentences_are_passed_on_and_kept_once():
    said = []
    heard = Heard(said.append)
    heard.say("a")
    heard.say("a")
    assert said == ["a", "a"]
    assert heard.lines == [{"words": "a", "kind": "said"}]


def test_a_resumed_run_has_the_lines_of_the_stopped_one_first():
    kept = []
    heard = Heard()
    heard.keep("read", "warning")
    heard.resume([{"words": "read", "kind": "warning"}, {"words": "in training", "kind": "warning"}], kept.append)
    heard.say("done")
    assert [line["words"] for line in heard.lines] == ["read", "in training", "done"]
    assert kept[-1] == heard.lines
