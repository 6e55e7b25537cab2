"""Votes that are numbers are said, and zeros that may be silence are asked about."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.kinds.declared import weak_named
from tutelage.kinds.entries import Entries, InValues
from tutelage.kinds.odd_votes import ask_of_votes, look_at_numbers
from tutelage.tables import DataError, Notes
from tutelage.tables.doubtful import Counted
from tutelage.tables.labels import LabelsAs, Spelled
from tutelage.weak import RawVotes

FIRE = [[1, 0], [0, 1], [0, 0], [0, 0], [1, 0]]


def looked(cells, *classes):
    notes = Notes()
    look_at_numbers(RawVotes.of("t.csv", ["a", "b"], cells), classes, notes)
    return notes


def test_zeros_of_rules_that_never_abstain_are_asked_about():
    (question,) = looked(FIRE).questions
    assert "no rule ever abstains, 7 of 10 votes are 0" in question.asks


@pytest.mark.parametrize(
    "cells",
    [
        [[1, 0], [0, -1], [0, 0], [0, 0]],  # a rule abstains
        [[1, 1], [0, 0], [0, 0], [1, 1], [0, 0]],  # as classifiers agree
        [[1, 0], [1, 0], [1, 0], [0, 0]],  # a rule that mostly votes 1
        [["food", "sport"], ["sport", "food"]],
    ],
)
def test_zeros_that_are_votes_are_not(cells):
    assert not looked(cells).questions


def test_it_is_said_which_class_each_number_is():
    assert looked([[0, -1], [2, 1]], "food", "sport", "travel").lines == [
        "t.csv: votes that are numbers are classes, in their order: 0 'food', 1 'sport', 2 'travel'."
    ]
    assert not looked([["food", "1"], ["0", "sport"]], "0", "1").lines


def test_a_rule_that_votes_the_same_on_every_row_is_said():
    notes = Notes()
    ask_of_votes(RawVotes.of("t.csv", ["a", "b"], [["food", "sport"], ["food", ""]]), notes)
    assert notes.lines == ["Rule 'a' votes for 'food' on every row: it tells nothing. (docs: warnings/votes)"]


@pytest.mark.parametrize(
    "vote, hint",
    [
        ("2", "from 0 to 1; these end at 2: if 0 means that a rule abstains, write -1 for it and 1 less"),
        ("1", "numbers where --classes names the classes in their order, from 0 to 1$"),
        ("foods", "the nearest is 'food'"),
        ("travel", "not among the classes 'food', 'sport'$"),
    ],
)
def test_votes_for_other_classes_are_refused_with_a_way(vote, hint):
    with pytest.raises(DataError, match=hint):
        RawVotes.of("t.csv", ["a"], [[vote]]).code(["food", "sport"])


def test_a_vote_of_thousands_of_digits_is_none_of_the_classes():
    votes = RawVotes.of("t.csv", ["a", "b"], [["9" * 5000, 1], [0, "01"]])
    look_at_numbers(votes, ("food", "sport"), Notes())
    spelled = Spelled.counted(Counted({"food": 1}, 1, str), LabelsAs(classes=("food", "sport")), Notes())
    named = weak_named(Entries(["x", "y"], [None] * 2, InValues({}, np.arange(2)), votes), spelled).votes
    assert sorted(label for label in named.found if len(label) < 9) == ["food", "sport"]
    with pytest.raises(DataError, match="function 'a': votes for '9999"):
        named.code(["food", "sport"])
