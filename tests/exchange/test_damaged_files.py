"""A file that is damaged anywhere is read, or refused in words; nothing else happens."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tutelage.exchange import FORMATS, Answer, Question, Record, Span, Suggestion, read
from tutelage.tables import DataError, Notes

VALUES = st.sampled_from(
    [None, True, 0, -1, 3, 1e308, float("nan"), "", " ", "x", "\ud83d", "😀", [], [None], ["x"], [["x"]], [0, 1], {},
     {"x": 1}, {"start": 0, "end": 1, "label": "x"}, [[0, 1, "x"]], [{"start": 0, "end": 9, "label": "x"}], 10**30]
)  # fmt: skip
RECORDS = {
    False: [
        Record("bread 😀", id="1", answers=(Answer(("food",), "ann", seconds=1.5), Answer(None, "b", "skipped"))),
        Record("goal", id="2", suggestion=Suggestion(("sport",), 0.5)),
    ],
    True: [
        Record("😀 Ada left", id="1", answers=(Answer((Span(2, 5, "PER"),), "ann"), Answer((), "b"))),
        Record("home", id="2", suggestion=Suggestion((Span(0, 4, "LOC"),), 0.5)),
    ],
}  # fmt: skip


def places(value, at=()):
    """Paths to all values within a value of JSON."""
    yield at
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*at, key))


def put(rows, at, value, removed):
    rows = copy.deepcopy(rows)
    if not at:
        return value
    within = rows
    for key in at[:-1]:
        within = within[key]
    if removed:
        del within[at[-1]]
    else:
        within[at[-1]] = value
    return rows


@pytest.mark.parametrize("examples", [100, pytest.param(3000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("of_spans", [False, True], ids=["classes", "spans"])
@pytest.mark.parametrize("name", FORMATS)
def test_any_value_may_be_another_or_be_missing(name, of_spans, examples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    tool = FORMATS[name]
    file = folder / f"a{tool.ending}"
    tool.write(RECORDS[of_spans], file, Question.of(RECORDS[of_spans]), Notes())
    text = file.read_text()
    rows = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    ways = list(places(rows))

    @settings(max_examples=examples, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(ways), VALUES, st.booleans()), min_size=1, max_size=3), st.booleans())
    @example([((), [], False)], False)
    def check(changes, lines):
        damaged = rows
        for at, value, removed in changes:
            try:
                damaged = put(damaged, at, value, removed)
            except (KeyError, IndexError, TypeError):  # an earlier change took the place away
                continue
        in_lines = lines and isinstance(damaged, list)
        file.write_text("\n".join(map(json.dumps, damaged)) if in_lines else json.dumps(damaged))
        try:
            found = read(file)
        except DataError as fault:
            assert str(file) in str(fault)
        else:
            assert all(isinstance(record, Record) for record in found.records)

    check()


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_cut_anywhere_is_refused_or_read(name, tmp_path):
    tool = FORMATS[name]
    file = tmp_path / f"a{tool.ending}"
    tool.write(RECORDS[True], file, Question.of(RECORDS[True]), Notes())
    data = file.read_bytes()
    for end in range(0, len(data), 7):
        file.write_bytes(data[:end])
        try:
            read(file)
        except DataError as fault:
            assert str(file) in str(fault)
