"""What became of pseudo-labels: counted by hand, and alarms where they collapse."""

from __future__ import annotations

import numpy as np
import pytest

from tutelage.fit.confirmation import Confirmation
from tutelage.fit.ledger import Ledger
from tutelage.fit.prevalence import declared

CLASSES = ["a", "b", "c"]


def ledger(blocks, rows, single=True):
    """A ledger of blocks (round, first, last, labeller) with rows (item, unit, label, weight, flips)."""
    sizes = [len(part) for part in rows]
    item, unit, label, weight, flips = map(np.array, zip(*[row for part in rows for row in part], strict=True))
    sized = np.array([[*b, n] for b, n in zip(blocks, sizes, strict=True)])
    return Ledger(
        "candidate", "fixmatch", ("student", "partner"), sized,
        tuple("somebody" for _ in blocks), item, unit, label, np.full(len(item), 0.9), weight.astype(float), flips,
        1, 100, 100, 100, single,
    )  # fmt: skip


def test_what_was_learnt_revised_and_swallowed_is_counted():
    found = Confirmation.of(
        ledger(
            [(0, 1, 5, 0), (0, 6, 10, 0), (0, 11, 15, 0)],
            [
                [(0, 0, 0, 1, 0), (1, 0, 1, 1, 0), (2, 0, 1, 0, 0), (3, 0, 2, 0.5, 0)],
                [(1, 0, 0, 1, 1), (2, 0, 0, 1, 1), (4, 0, 2, 0, 0)],
                [(1, 0, 1, 1, 2), (3, 0, 2, 0, 0)],
            ],
        ),
        3, None,
    )  # fmt: skip
    assert (found.learnt, found.unrevised) == (4, 3)  # 0, 1, 2 and 3; of these 1 was revised after it was learnt
    assert found.flips.tolist() == [[0, 1, 0], [2, 0, 0], [0, 0, 0]]
    assert found.first.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3])  # 0, 1 and 3
    assert found.last.tolist() == pytest.approx([2 / 3, 1 / 3, 0]) and found.in_use == 3  # 0 a, 1 b, 2 a
    assert found.pairs(CLASSES) == [("b", "a", 2), ("a", "b", 1)]
    words = found.words(CLASSES, "texts")
    assert "4 texts were learnt; 75 % of them were never revised" in words[0]
    assert "from b to a (2), from a to b (1)" in words[1]


def test_two_labellers_and_the_words_of_a_sentence_are_told_apart():
    found = Confirmation.of(
        ledger(
            [(1, 1, 5, 0), (1, 1, 5, 1), (2, 6, 9, 1)],
            [[(0, 0, 0, 1, 0), (0, 1, 1, 1, 0)], [(0, 0, 1, 1, 0)], [(0, 0, 2, 1, 1)]], single=False,
        ),
        3, None,
    )  # fmt: skip
    assert (found.learnt, found.unrevised, found.in_use) == (3, 2, 3)
    assert found.flips.sum() == 1 and found.flips[1, 2] == 1
    assert found.first.tolist() == pytest.approx([1 / 3, 2 / 3, 0])
    assert "3 words were learnt" in found.words(CLASSES, "sentences")[0]


def ended_at(*counts, steps=50):
    """A ledger at whose end, after so many steps, each class has so many pseudo-labels."""
    labels = np.repeat(np.arange(len(counts)), counts)
    return ledger([(0, 1, steps, 0)], [[(i, 0, int(c), 1, 0) for i, c in enumerate(labels)]])


@pytest.mark.parametrize(
    ("counts", "labels", "says"),
    [
        ((97, 2, 1), [0.4, 0.3, 0.3], "97.0 % of those that counted were a, where at most 40.0 %"),
        ((94, 3, 3), [0.4, 0.3, 0.3], ""),
        ((97, 2, 1), [0.9, 0.05, 0.05], ""),
        ((97, 2, 1), None, "97.0 % of those that counted were a."),
        ((15, 0, 0), [0.4, 0.3, 0.3], ""),
        ((17, 0, 0), [0.4, 0.3, 0.3], "100.0 % of those"),
        ((60, 40, 0), [0.4, 0.3, 0.3], "none of the 100 that counted was c, of which there are labels"),
        ((60, 40, 0), [0.5, 0.45, 0.05], ""),
        ((60, 40, 0), None, ""),
    ],
)
def test_an_alarm_is_raised_where_labels_collapse_and_else_not(counts, labels, says):
    found = Confirmation.of(ended_at(*counts), 3, None if labels is None else np.array(labels)).alarm(CLASSES)
    assert (says in found) if says else found == ""


def test_of_a_training_that_hardly_began_nothing_is_said():
    assert Confirmation.of(ended_at(99, 1, 0), 3, np.full(3, 1 / 3)).alarm(CLASSES)
    assert not Confirmation.of(ended_at(99, 1, 0, steps=49), 3, np.full(3, 1 / 3)).alarm(CLASSES)


def test_shares_that_are_declared_count():
    even, y = np.full(3, 1 / 3), np.arange(3)
    assert Confirmation.of(ended_at(98, 1, 1), 3, even).alarm(CLASSES)
    known = declared(np.array([0.98, 0.01, 0.01]), y)
    assert not Confirmation.of(ended_at(98, 1, 1), 3, even, known).alarm(CLASSES)
    assert Confirmation.of(ended_at(60, 40, 0), 3, even).alarm(CLASSES)
    assert not Confirmation.of(ended_at(60, 40, 0), 3, even, declared(np.array([0.6, 0.4, 0.0]), y)).alarm(CLASSES)


def test_labels_that_never_counted_are_told_so():
    rows = [[(0, 0, 1, 0, 0), (1, 0, 1, 0, 0)]]
    found = Confirmation.of(ledger([(0, 1, 5, 0)], rows), 3, np.full(3, 1 / 3))
    assert found.learnt == 0 and found.alarm(CLASSES) == ""
    assert found.words(CLASSES, "texts") == ["candidate (fixmatch): no pseudo-label ever counted."]
