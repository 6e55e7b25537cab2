"""The journal: every answer is kept, none is doubled, and what is damaged is told and left alone."""

from __future__ import annotations

import errno
import os

import pytest

from tutelage.files import BadFileError
from tutelage.label.journal import Answer, Journal


def an_answer(number: int, **changed) -> Answer:
    given = {"by": "ann", "item": f"{number:016x}", "row": number - 1, "act": "label", "label": "süß", "seconds": 0.0}
    return Answer(number, "2026-11-30T12:00:00Z", **given | changed)


def test_answers_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, {"table": "ask.csv"})
    answers = [
        an_answer(1), an_answer(2, act="undo", label="", back=1), an_answer(3, note="a\nb \u2028 \x00", seen=True),
        an_answer(4, seconds=None, together=4, asked="random"),
    ]  # fmt: skip
    journal.add(*answers[:2])
    journal.add(*answers[2:])
    journal.close()
    again = Journal(path)
    assert again.answers == answers and again.about == {"table": "ask.csv"} and again.following == 5
    assert path.read_bytes().count(b"\n") == 5


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_was_cut_off_is_left_out_and_the_rest_goes_on(tmp_path, cut):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.add(an_answer(1))
    whole = path.read_bytes()
    journal.add(an_answer(2))
    journal.close()
    path.write_bytes(path.read_bytes()[:-cut])
    again = Journal(path)
    assert again.torn and [a.number for a in again.answers] == [1]
    assert path.read_bytes() == whole
    again.add(an_answer(2, label="other"))
    again.close()
    assert [a.label for a in Journal(path).answers] == ["süß", "other"]


@pytest.mark.parametrize("at", range(0, 300, 7))
def test_a_changed_byte_is_told_with_its_line_and_nothing_is_written(tmp_path, at):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.add(an_answer(1), an_answer(2))
    journal.close()
    data = bytearray(path.read_bytes())
    data[at] ^= 0x04
    path.write_bytes(data)
    with pytest.raises(BadFileError, match=r"journal.jsonl, line [1-3]"):
        Journal(path)
    assert path.read_bytes() == data


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.add(an_answer(1))
    before, write = path.read_bytes(), os.write

    def full(file: int, data: bytes) -> int:
        if len(data) < 60:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[:50])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        journal.add(an_answer(2))
    monkeypatch.undo()
    assert path.read_bytes() == before and journal.following == 2
    journal.add(an_answer(2))
    assert len(Journal(path).answers) == 2


def test_a_file_that_others_change_or_replace_is_not_written_to_and_one_that_is_removed_is_written_anew(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    with path.open("ab") as file:
        file.write(b"mine\n")
    with pytest.raises(BadFileError, match="was changed by another program"):
        journal.add(an_answer(1))
    path.unlink()
    journal.add(an_answer(1))
    path.unlink()
    path.write_text("other\n")
    with pytest.raises(BadFileError, match=r"was replaced by another file.*with the 1 answers so far"):
        journal.add(an_answer(2))
    assert path.read_text() == "other\n" and journal.following == 2
    path.unlink()
    path.parent.rename(path.parent.with_name("elsewhere"))
    journal.add(an_answer(2), an_answer(3))
    assert path.stat().st_mode & 0o777 == 0o600
    journal.add(an_answer(4))
    again = Journal(path)
    assert again.answers == journal.answers and again.following == 5 and not again.torn


def test_another_file_is_no_journal(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"text": "mine"}\n')
    with pytest.raises(BadFileError, match="line 1"):
        Journal(path)
    assert path.read_text() == '{"text": "mine"}\n'
