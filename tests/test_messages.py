"""Tests of the page of messages: no message on it breaks a rule, and the rules find what they are for."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import messages  # noqa: E402


def test_no_message_of_the_page_breaks_a_rule():
    text = messages.PAGE.read_text(encoding="utf-8")
    assert messages.faults(text) == []
    assert text.count("\n- ") > 500
    assert all(f"## {title}\n" in text for title in messages.SECTIONS.values())


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        ("t.csv, column None: the text is empty", "names None"),
        ("Traceback (most recent call last)", "is a traceback"),
        ("got <tutelage.tables.Notes object at 0x7f>", "names a class of Python"),
        ("t.csv: : the text is empty", "has a doubled mark"),
    ],
)
def test_a_message_that_breaks_a_rule_is_found(message, rule):
    assert messages.faults(f"- {message}\n") == [f"{rule}: {message}"]
    assert messages.faults(f"- the label '{message}' is no class\n") == []


def test_a_message_is_told_without_the_folders_of_tests_and_can_be_printed():
    for worker in ("", "popen-gw1/"):
        folder = f"/tmp/pytest-of-me/pytest-3/{worker}test_a_file0"
        assert messages.plain(f"{folder}/t.csv: a bell \x07\n rings") == r"t.csv: a bell \x07 rings"
        assert messages.plain(f"{folder} is empty") == "FOLDER is empty"
