"""Patterns of rules end in time, and ordinary ones find what the re module finds, in every thread."""

from __future__ import annotations

import json
import re
import threading
import time

import pytest

from tutelage.tables import DataError
from tutelage.weak import patterns
from tutelage.weak.patterns import SlowPatternError, search
from tutelage.weak.rules import LabellingFunction, apply_rules, read_rules

ORDINARY = [
    r"http|www", r"(?-i:US)\b", r"(?i)free money", r"\bsoups?\b", r"^\s*$", r"\d{2,4}[-/.]\d\d", r"[A-ZÄÖÜ]{3,}",
    r"(?P<a>\w)\w*(?P=a)", r"(\w)\1", r"!{2,}|\?{2,}", r"(?<!not )good", r"good(?! bye)", r"[^\x00-\x7f]",
    r"\S+@\S+\.\w+", r"a.c", r"(?s)a.c", r"(?m)^the", r"[\[\]]", r"[a-z&&b]", r"\.\.\.|…",
    r"\$\d+(?:,\d{3})*(?:\.\d\d)?", r"(?x) a  b # c", r"straße|ſ", r"\Athe", r"end\Z", r"x{2}", r"x{,2}y",
    r"(?:un)?happy", r"[\w.+-]+", r"\W{3}", r"\bкот", r"İ|ı", r"é", "x{d}", "price{i}", "(?:god){e<=1}", r"\\{2}",
    r"\N{DIGIT ONE}\d", "[{]", r"\{", "{", "b{,1}c",
]  # fmt: skip
TEXTS = [
    "", " ", "see WWW.X.COM", "carefree moneybags", "Free  money!", "free money", "the us and the US",
    "soup of soups", "12-31", "2024/01", "ÄÖÜ ABC", "level noon aa", "wow!!! what??", "not good", "good bye",
    "good", "café ñ", "a@b.com", "a\nc", "abc", "no\nthe end", "[x]", "… and ...", "$1,000.50", "ab",
    "STRASSE straße", "the end", "end", "xx", "xxy", "y", "unhappy", "кот и пёс", "İstanbul ısı", "K", "日本語 テスト",
    "안녕하세요", "مرحبا بالعالم", "a\x85b", "\u2028",
]  # fmt: skip


def elsewhere(call):
    """Result of a call in a thread that is not the main one."""
    found = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("pattern", ORDINARY)
def test_ordinary_patterns_find_what_re_finds(pattern):
    compiled = LabellingFunction("rule", "label", pattern=pattern).expression()
    expected = [compiled.search(text) is not None for text in TEXTS]
    assert [search(compiled, text) for text in TEXTS] == expected
    assert elsewhere(lambda: [search(compiled, text) for text in TEXTS]) == expected


SLOW = [(r"a.*b.*c", "a" * 200_000), (r"(a|a)*$", "a" * 60 + "b")]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [(r"(a+)+$", "a" * 60 + "b"), (r"(?:\w+\s?)+x", "a" * 300), (r"\d+x", "1" * 20_000)],
)
def test_repeats_of_repeats_take_no_time(pattern, text):
    begin = time.process_time()
    assert not search(re.compile(pattern), text)
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(("pattern", "text"), SLOW)
def test_a_slow_pattern_is_stopped(pattern, text):
    begin = time.process_time()
    with pytest.raises(SlowPatternError, match=rf"more than 0\.05 seconds on a text of {len(text):,} characters"):
        search(re.compile(pattern), text, 0.05)
    assert time.process_time() - begin < 1


def test_a_slow_pattern_is_stopped_in_other_threads():
    def call():
        with pytest.raises(SlowPatternError, match=r"more than 0\.05 seconds"):
            search(re.compile(r"a.*b.*c"), "a" * 50_000, 0.05)
        return True

    assert elsewhere(call)


PAIRS = [("[[:digit:]]", "7"), ("[[:alpha:]]x", "a9:]x")]


def test_a_class_of_posix_is_one():
    found = [LabellingFunction("rule", "a", pattern=p).vote(text) for p, text in PAIRS]
    assert found == ["a", None]


def test_the_message_names_row_and_rule(monkeypatch):
    monkeypatch.setattr(patterns, "LIMIT", 0.02)
    monkeypatch.setattr(search, "__defaults__", (0.02,))
    rules = [LabellingFunction("good", "a", pattern="a"), LabellingFunction("loop", "b", pattern=r"(a|a)*$")]
    with pytest.raises(DataError, match=r"t\.csv, row 2, rule 'loop': the pattern takes more than 0\.02 seconds"):
        apply_rules(rules, ["a", "a" * 60 + "b"], "t.csv")


@pytest.mark.parametrize(
    ("pattern", "says"),
    [("(" * 20_000 + ")" * 20_000, "groups within too many groups"), ("a{99999999999}", "bad pattern 'a{99999999999}'"),
     ("(", "bad pattern")],
)  # fmt: skip
def test_patterns_that_no_engine_takes_are_refused(pattern, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        LabellingFunction("a", "b", pattern=pattern)


def test_rules_in_brackets_beyond_count_are_refused(tmp_path):
    (tmp_path / "r.json").write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(DataError, match=r"r\.json: not readable as json \(it has brackets within brackets"):
        read_rules(tmp_path / "r.json")


def test_ten_thousand_rules_are_read_in_a_second(tmp_path):
    rules = [{"name": f"r{i}", "label": "a", "keywords": ["b"]} for i in range(10_000)]
    (tmp_path / "r.json").write_text(json.dumps(rules))
    begin = time.process_time()
    assert len(read_rules(tmp_path / "r.json")) == 10_000
    assert time.process_time() - begin < 10
