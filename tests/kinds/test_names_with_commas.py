"""Labels that hold commas can be named on the command line, and questions write them so that they can be typed."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from tutelage.kinds import KINDS
from tutelage.tables.name_lists import as_option, names_in

ROWS = [{"label": name} for name in ("food", "sport", "food, sport", "salt, pepper") for _ in range(2)]


def test_questions_quote_labels_with_commas_and_their_options_settle_them(looked):
    _, notes = looked(ROWS, label="label")
    (question,) = notes.questions
    none, every = question.options
    assert none == """--unlabelled-as '"food, sport"', so that these rows have no label"""
    options = {"unlabelled_as": (shlex.split(none)[1].rstrip(","),)}
    labels, again = looked(ROWS, label="label", **options)
    assert sorted(set(labels)) == ["food", "salt, pepper", "sport"] and not again.questions
    labels, again = looked(ROWS, label="label", classes=(shlex.split(every)[1].rstrip(","),))
    assert len(set(labels)) == 4 and not again.questions


def test_names_are_read_once_also_where_one_alone_holds_a_comma():
    kind = KINDS["texts"](text="text", label="label", unlabelled_as=('"food, sport"',))
    assert kind.unlabelled_as == replace(kind, label="topic").unlabelled_as == ("food, sport",)


@pytest.mark.parametrize("names", [["a, b"], ["a", 'say "a"'], ["it's", "-1"], ["-1"], ["a b,c", "#1", "\\N"]])
def test_options_are_read_as_they_are_written(names):
    (word,) = shlex.split(as_option("classes", names).removeprefix("--classes=").removeprefix("--classes "))
    assert names_in(word) == names
