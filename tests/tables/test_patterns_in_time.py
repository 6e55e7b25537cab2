"""Patterns of our own meet long cells of strangers, and take time in proportion to their length."""

from __future__ import annotations

import contextlib
import time

import pytest

from tutelage.copies.frames import SENTENCE
from tutelage.modalities.images.paths import BARE
from tutelage.tables.exports.argilla import BETWEEN
from tutelage.tables.label_cells import label_in
from tutelage.tables.scores import NotALabelError
from tutelage.tables.totals import _is_total

LONG = 300_000

CALLS = {
    "a pause of blanks": lambda: SENTENCE.split("a" + " " * LONG + "b"),
    "an image that is none": lambda: BARE.fullmatch("/9j/" + " " * LONG + "!"),
    "calls within calls": lambda: label_in("array(" * (LONG // 6) + ")"),
    "a long number": lambda: _is_total("1" * LONG),
    "blanks between marks": lambda: BETWEEN.sub("", "'" + " " * LONG + "x"),
    "brackets": lambda: label_in("[" * LONG + "]" * LONG),
}


@pytest.mark.parametrize("what", CALLS)
def test_long_cells_take_no_minutes(what):
    begin = time.process_time()
    with contextlib.suppress(NotALabelError):
        CALLS[what]()
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    ("text", "parts"),
    [("one.  two -- three", ["one.", "two", "three"]), ("a  --  -- b", ["a", "-- b"]), ("a.\n\n-- b", ["a.", "-- b"])],
)
def test_sentences_are_parted_as_before(text, parts):
    assert SENTENCE.split(text) == parts
