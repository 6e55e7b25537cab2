"""Messages fit on a screen, whatever a file holds."""

from __future__ import annotations

from tutelage.data.errors import LONGEST, DataError
from tutelage.tables import Notes


def test_long_messages_lose_their_middle():
    message = f"a.csv, row 7: {'x' * 9_999}; name another column"
    shown = str(DataError(message))
    assert len(shown) == LONGEST
    assert shown.startswith("a.csv, row 7: xxx") and shown.endswith("xxx; name another column")


def test_each_of_several_messages_is_shortened_alone():
    faults = DataError("a" * 9_999, "short", "b" * 9_999)
    assert [len(message) for message in faults.messages] == [LONGEST, 5, LONGEST]
    assert str(faults) == "\n".join(faults.messages)


def test_what_is_noticed_is_shortened():
    notes = Notes()
    long = "x" * 9_999
    notes.say(long)
    notes.ask(long, long, page="copies")
    notes.fault(long)
    notes.fact("classes", long, {})
    assert [len(line) for line in (*notes.lines, *notes.faults, notes.facts["classes"].says)] == [LONGEST] * 3
    assert len(notes.questions[0].asks) == len(notes.questions[0].options[0]) == LONGEST
