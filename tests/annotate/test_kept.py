"""Replies that are kept: the same after reading, whatever was cut off or damaged, and written by many threads."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tutelage.annotate import Kept, Prompt, Reply, Scripted, annotate
from tutelage.annotate.chat import key_of
from tutelage.annotate.kept import FILE

REPLIES = {
    "a": Reply("spam", "m", (-0.1, -2.5), (3, 4)), "b": Reply('näh "crc": \n\u2028', "m", None, (0, 0), True),
    "c": Reply("", "m", refused="no"),
}  # fmt: skip


def test_replies_are_read_as_they_were_written(tmp_path):
    kept = Kept(tmp_path)
    for key, reply in REPLIES.items():
        kept.add(key, reply)
    kept.close()
    again = Kept(tmp_path)
    assert again.replies == REPLIES and again.damaged == 0
    again.close()
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_wherever_a_line_is_cut_off_the_others_stay(tmp_path):
    kept = Kept(tmp_path)
    for key, reply in REPLIES.items():
        kept.add(key, reply)
    kept.close()
    whole = (tmp_path / FILE).read_bytes()
    ends = [i + 1 for i, c in enumerate(whole) if c == 10]
    for cut in range(0, len(whole), 7):
        (tmp_path / FILE).write_bytes(whole[:cut])
        again = Kept(tmp_path)
        assert len(again) == sum(end <= cut for end in ends)
        assert again.damaged == (cut not in (0, *ends))
        again.add("d", REPLIES["a"])
        again.close()
        third = Kept(tmp_path)
        assert third.damaged == 0 and third.get("d") == REPLIES["a"]
        third.close()


def test_threads_write_whole_lines(tmp_path):
    kept = Kept(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: kept.add(str(i), Reply("x" * (i % 50), "m")), range(100)))
    kept.close()
    again = Kept(tmp_path)
    assert again.replies == kept.replies and len(again) == 100 and not again.damaged
    again.close()


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    kept = Kept(tmp_path)
    kept.add("a", REPLIES["a"])
    before, write = (tmp_path / FILE).read_bytes(), os.write

    def full(file, data):
        write(file, data[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left") as found:
            kept.add("b", REPLIES["b"])
    assert found.value.filename == str(tmp_path / FILE)
    assert (tmp_path / FILE).read_bytes() == before and kept.get("b") is None
    kept.close()


def test_annotating_from_python_keeps_replies_and_asks_nothing_twice(tmp_path):
    asked = []

    def says(text):
        asked.append(text)
        return "spam"

    for _ in range(2):
        kept = Kept(tmp_path)
        found = annotate(["a", "b", "a", " "], Scripted(says), Prompt(("spam", "ham")), kept)
        kept.close()
        assert found.labels == ["spam", "spam", "spam", None] and len(kept) == 2
    assert sorted(asked) == ["a", "b"]


def test_the_hash_is_of_model_messages_and_parameters():
    prompt, model = Prompt(("spam", "ham")), Scripted(lambda text: "spam")
    key = key_of(model, prompt.request("a"))
    assert key == key_of(Scripted(lambda text: "ham"), Prompt(("spam", "ham")).request("a"))
    others = [
        key_of(model, prompt.request("b")), key_of(model, prompt.request("a"), 1),
        key_of(model, Prompt(("ham", "spam")).request("a")),
        key_of(model, Prompt(("spam", "ham"), task="T").request("a")),
        key_of(model, Prompt(("spam", "ham"), {"spam": ("bad",)}).request("a")),
        key_of(Scripted(lambda text: "spam", "other"), prompt.request("a")),
    ]  # fmt: skip
    assert len({key, *others}) == 7
