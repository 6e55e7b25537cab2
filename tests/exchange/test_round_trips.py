"""Records come back from each tool's file as they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.exchange.formats import FORMATS, read
from tutelage.exchange.records import GIVEN, NONE, SKIPPED, UNSURE, Answer, Question, Record, Span, Suggestion
from tutelage.exchange.rows import How

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
NAMES = st.sampled_from(["food", "sport", "C#", "a, b", "Ärger", "<&\"'>", "🍕", "1", "None"])
TIMES = st.datetimes(datetime(2001, 1, 1), datetime(2037, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))
CLASSES = st.sets(NAMES, min_size=1, max_size=3).map(lambda names: tuple(sorted(names)))


@st.composite
def spans(draw, text):
    found = set()
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text) - 1))
        found.add(Span(start, draw(st.integers(start + 1, len(text))), draw(NAMES)))
    return tuple(sorted(found))


@st.composite
def answers(draw, label, states):
    state = draw(st.sampled_from(states))
    found = draw(label) if state in (GIVEN, UNSURE) else None
    if state == UNSURE and draw(st.booleans()):
        found = None
    seconds = draw(st.none() | st.floats(0, 1e6))
    return Answer(
        found if state == GIVEN else found or None, draw(st.sampled_from(["", "ann", "bob@x.org", "7", "007"])), state,
        seconds, draw(st.none() | TIMES), draw(st.sampled_from(["", "so\nwhat?", "😀"])),
    )  # fmt: skip


@st.composite
def projects(draw, of_spans):
    texts = draw(st.lists(TEXTS, min_size=1, max_size=5, unique=True))
    states = [GIVEN, SKIPPED, UNSURE] + [NONE] * (not of_spans)
    records = []
    for number, text in enumerate(texts, start=1):
        label = spans(text) if of_spans else CLASSES
        said = draw(st.lists(answers(label, states), max_size=3))
        guess = draw(st.none() | st.builds(Suggestion, label, st.none() | st.floats(0, 1)))
        records.append(Record(text, None, draw(st.sampled_from(["", f"a.csv, {number}"])), tuple(said), guess))
    return records


def again(records, name, folder, question=None, how=None):
    """Records that a tool's file gives back."""
    file = folder / f"of_{name}{FORMATS[name].ending}"
    file.unlink(missing_ok=True)
    FORMATS[name].write(records, file, question)
    found = read(file, how or How(offsets=OFFSETS[name]))
    assert found.format is FORMATS[name]
    return list(found.records)


OFFSETS = {"label-studio": None, "prodigy": None, "argilla": "utf-16", "doccano": "utf-16"}
"""What the offsets of a tool's files count; None where the file shows it."""


def in_order(records, name):
    """Records whose answers are in an order of their own, where a tool's file sorts them by question."""
    if name != "argilla":
        return records
    return [replace(record, answers=tuple(sorted(record.answers, key=repr))) for record in records]


@pytest.mark.parametrize("examples", [15, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("of_spans", [False, True], ids=["classes", "spans"])
def test_texts(name, of_spans, examples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")

    @settings(max_examples=examples, deadline=None)
    @given(projects(of_spans))
    def check(records):
        question = Question.of(records, spans=of_spans)
        found = again(records, name, folder, question, How(offsets=OFFSETS[name], spans=of_spans))
        assert in_order(found, name) == in_order(records, name)

    check()


@pytest.mark.parametrize("name", FORMATS)
def test_images(name, tmp_path):
    answer = Answer(("cat",), "ann", seconds=2.5, time=datetime(2026, 1, 31, tzinfo=UTC) + timedelta(seconds=9))
    records = [
        Record(image="/pets/a b.png", id="1", answers=(answer, replace(answer, annotator="bob"))),
        Record(image="https://example.org/ä.jpg", id="2", suggestion=Suggestion(("dog",), 0.75)),
        Record(image="c.png", answers=(Answer(None, "ann", SKIPPED),)),
    ]
    assert again(records, name, tmp_path) == records


@pytest.mark.parametrize("name", FORMATS)
def test_spans_beyond_emoji_are_known_by_the_edges_of_words(name, tmp_path):
    records = [Record("😀 Ada left Paris", answers=(Answer((Span(2, 5, "PER"), Span(11, 16, "LOC")), "ann"),))]
    assert again(records, name, tmp_path, how=How()) == records
