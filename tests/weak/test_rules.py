"""Rules vote as they are written; what is wrong with one is said with its number or name."""

from __future__ import annotations

import json
import sys

import pytest

from tutelage.tables import DataError
from tutelage.weak import LabellingFunction, apply_rules, read_rules


@pytest.mark.parametrize(
    ("rule", "text", "votes"),
    [
        (LabellingFunction("r", "x", pattern=r"^how (many|much)\b"), "HOW MANY are there", True),
        (LabellingFunction("r", "x", pattern=r"^how (many|much)\b"), "so how many", False),
        (LabellingFunction("r", "x", pattern=r"(?-i:US)\b"), "tell us", False),
        (LabellingFunction("r", "x", keywords=("win", "free entry")), "You WIN!", True),
        (LabellingFunction("r", "x", keywords=("win", "free entry")), "window", False),
        (LabellingFunction("r", "x", keywords=("win", "free entry")), "a free\nentry", True),
        (LabellingFunction("r", "x", keywords=("c++",)), "I like C++.", True),
        (LabellingFunction("r", "x", keywords=("c++",)), "c+", False),
        (LabellingFunction("r", "x", keywords=("足球",)), "昨天的足球比赛", True),
        (LabellingFunction("r", "x", keywords=("サッカー", "win")), "昨日のサッカーは", True),
        (LabellingFunction("r", "x", keywords=("ฟุตบอล",)), "ดูฟุตบอลกัน", True),
        (LabellingFunction("r", "x", keywords=("football",)), "看football比赛", True),
        (LabellingFunction("r", "x", keywords=("café",)), "the cafe\u0301 there", True),
        (LabellingFunction("r", "x", keywords=("cafe",)), "the cafe\u0301 there", False),
        (LabellingFunction("r", "x", pattern="caf\u00e9"), "the cafe\u0301 there", True),
        (LabellingFunction("r", "x", keywords=("free",)), "fr\u200bee", True),
        (LabellingFunction("r", "x", keywords=(":)",)), "fine:) thanks", True),
        (LabellingFunction("r", "x", keywords=("काम",)), "यह काम है", True),
        (LabellingFunction("r", "x", keywords=("축구",)), "어제 축구를 봤다", True),
        (LabellingFunction("r", "x", keywords=("काम",)), "कामों में", False),
    ],
)
def test_a_rule_votes_where_it_fires(rule, text, votes):
    assert rule.vote(text) == ("x" if votes else None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label": "x"}, "'r' must have one of pattern, keywords and function, got none"),
        ({"label": "x", "pattern": "a", "keywords": ("b",)}, "got pattern and keywords"),
        ({"pattern": "a"}, "'r' must have a label, got None"),
        ({"pattern": "a", "label": " "}, "'r' must have a label, got ' '"),
        ({"function": len, "label": "x"}, "'r' must have no label, its function gives it, got 'x'"),
        ({"label": "x", "pattern": "(a"}, r"'r': bad pattern '\(a' \(.*unterminated"),
        ({"label": "x", "pattern": 3}, "'r': bad pattern 3"),
        ({"label": "x", "keywords": "free"}, "keywords must be a list of words, got 'free'"),
        ({"label": "x", "keywords": ()}, "keywords must be a list of words"),
        ({"label": "x", "keywords": ("a", " ")}, "keywords must be a list of words"),
    ],
)
def test_a_rule_at_fault_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LabellingFunction("r", **arguments)


def test_a_function_says_its_label_or_abstains():
    answers = {"a": 0, "b": -1, "c": None, "d": "1", "e": 1.0}
    raw = apply_rules([LabellingFunction("f", function=answers.get)], list("abcde"))
    assert raw.code(["0", "1"]).table.ravel().tolist() == [0, -1, -1, 1, 1]


def test_every_rule_votes_on_every_text():
    rules = [LabellingFunction("a", "spam", keywords=("win",)), LabellingFunction("b", "ham", pattern="mum")]
    votes = apply_rules(rules, ["win, mum", "mum", "-"]).code(["ham", "spam"])
    assert votes.names == ["a", "b"]
    assert votes.table.tolist() == [[1, 0], [-1, 0], [-1, -1]]


def test_no_text_gives_no_row():
    assert apply_rules([LabellingFunction("a", "spam", pattern="x")], []).table.shape == (0, 1)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda text: 1 // len(text), r"t\.csv, row 2, function 'f': ZeroDivisionError"),
        (lambda text: text or sys.exit(1), r"t\.csv, row 2, function 'f': SystemExit: 1"),
        (lambda text: text or ["x"], r"t\.csv, row 2, function 'f': \['x'\] is no label"),
    ],
)
def test_a_function_that_fails_is_named_with_the_row(function, message):
    with pytest.raises(DataError, match=message):
        apply_rules([LabellingFunction("f", function=function)], ["a", ""], "t.csv")


@pytest.mark.parametrize(
    "rules", [[], [LabellingFunction("a", "x", pattern="x"), LabellingFunction("a", "y", pattern="y")]]
)
def test_rules_have_different_names(rules):
    with pytest.raises(ValueError, match="at least one, with different names"):
        apply_rules(rules, ["x"])


def test_json_rules_are_read(tmp_path):
    items = [
        {"label": 1, "regex": "( |^)who", "exemplar": "Who ?"},
        {"label": "spam", "keywords": ["win"], "name": "prizes"},
    ]
    (tmp_path / "r.json").write_text(json.dumps(items), encoding="utf-8-sig")
    assert read_rules(tmp_path / "r.json") == [
        LabellingFunction("rule 1", "1", pattern="( |^)who"),
        LabellingFunction("prizes", "spam", keywords=("win",)),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "not readable as json"),
        ("{}", "must be a list of rules"),
        ("[]", "must be a list of rules with at least one"),
        ('{"food": ["soup"]}', r"with at least one, got .*; such as \[.\"name\": \"soups\", \"label\": \"food\", "),
        ('[{"label": 1, "regex": "a"}, 3]', "rule 2: must be an object"),
        ('[{"label": 1, "regex": "a"}, {"label": 1, "regex": "("}]', r"rule 2: rule 'rule 2': bad pattern '\('"),
        ('[{"label": 1}]', "rule 1: must have regex or keywords, got label"),
        ('[{"regex": "a"}]', "rule 1: .* must have a label"),
        ('[{"label": ["x"], "regex": "a"}]', r"rule 1: label must be text or a number, got \['x'\]"),
        ('[{"label": "x", "keywords": "win"}]', "rule 1: .*keywords must be a list of words, got 'win'"),
        ('[{"label": "x", "keywords": 3}]', "rule 1: .*keywords must be a list of words, got 3"),
        (
            '[{"label": 1, "regex": "a", "name": "n"}, {"label": 1, "regex": "a", "name": "n"}]',
            "rule 2: an earlier rule has its name 'n'",
        ),
    ],
)
def test_a_json_file_at_fault_is_refused_with_the_rules_number(tmp_path, content, message):
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(DataError, match=rf"r\.json.*{message}"):
        read_rules(tmp_path / "r.json")


PYTHON = """
from __future__ import annotations
from dataclasses import dataclass
from functools import lru_cache
from textwrap import dedent
import re

@dataclass
class Word:
    text: str

LINK = Word("http")

def link(text):
    return "spam" if _has(text, LINK) else -1

@lru_cache
def short(text: str, limit: int = 5):
    return "ham" if len(text) < limit else None

def _has(text, word):
    return re.search(word.text, text)
"""


def test_public_functions_of_a_python_file_are_rules(tmp_path):
    (tmp_path / "r.py").write_text(PYTHON)
    raw = apply_rules(read_rules(tmp_path / "r.py"), ["http://x", "hi", "a long text"])
    assert raw.names == ["link", "short"]
    assert raw.code(["ham", "spam"]).table.tolist() == [[1, -1], [-1, 0], [-1, -1]]
    assert [p.name for p in tmp_path.iterdir()] == ["r.py"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("def f(:", r"cannot be run \(SyntaxError"),
        ("1 / 0", r"cannot be run \(ZeroDivisionError"),
        ("import sys; sys.exit(3)", r"cannot be run \(SystemExit: 3"),
        ("def _f(text): return 1", "defines no function"),
        ("from textwrap import dedent", "defines no function"),
        ("def a(text): return 1\ndef f(text, other): return 1", "rule 2: f must take one argument"),
    ],
)
def test_a_python_file_at_fault_is_refused(tmp_path, content, message):
    (tmp_path / "r.py").write_text(content)
    with pytest.raises(DataError, match=rf"r\.py.*{message}"):
        read_rules(tmp_path / "r.py")


@pytest.mark.parametrize(("name", "message"), [("r.toml", "in a .json or a .py file"), ("r.json", "no such file")])
def test_only_files_that_there_are_of_known_kinds(tmp_path, name, message):
    with pytest.raises(DataError, match=message):
        read_rules(tmp_path / name)


def test_a_pattern_that_later_versions_of_python_may_read_otherwise_gives_no_warning(tmp_path):
    (tmp_path / "rules.json").write_text(json.dumps([{"label": "x", "regex": "[[a]"}]))
    (rule,) = read_rules(tmp_path / "rules.json")
    assert (rule.vote("a"), rule.vote("b")) == ("x", None)
