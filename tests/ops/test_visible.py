"""Words of files are shown as they are, but for characters that steer a terminal, reorder a line, or hide."""

from __future__ import annotations

import io
import sys
import unicodedata

import pytest
from rich.console import Console

from tutelage.ops.bar import ticking
from tutelage.ops.visible import is_unicode, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\x08\x7f", "a\\rb\\x08\\x7f"),
        ("\u202egpj.exe\u2066", "\\u202egpj.exe\\u2066"),
        ("a\u200bb\ufeff\U000e0041", "a\\u200bb\\ufeff\\U000e0041"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\udcff\ud83d", "\\xff\\ud83d"),
        ("a\tb\nc", "a\tb\nc"),
        ("über 日本語 नमस्ते สวัสดี می‌خواهم 👩‍👩‍👧 :x: [bold]", "über 日本語 नमस्ते สวัสดี می‌خواهم 👩‍👩‍👧 :x: [bold]"),
    ],
)  # fmt: skip
def test_what_steers_is_written_out_and_the_rest_stays(text, shown):
    assert visible(text) == shown


def test_no_control_or_bidirectional_character_is_left():
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    left = set(visible(every, lines=False))
    assert {c for c in left if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")} == {"\t"}
    steer = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not {c for c in left if unicodedata.bidirectional(c) in steer}
    assert is_unicode("".join(left))


def test_lines_may_be_written_out_too():
    assert visible("a\nb", lines=False) == "a\\nb"


def test_the_bar_shows_names_as_they_are_and_steers_nothing():
    held = io.StringIO()
    with ticking(Console(file=held, force_terminal=True, width=100, color_system=None)) as tick:
        tick("[bold]a :x: \u202eb\x1b[2J", 1, 2)
        tick.progress.refresh()
    assert "[bold]a :x: \\u202eb\\x1b[2J" in held.getvalue()
    assert "\x1b[2J" not in held.getvalue()
