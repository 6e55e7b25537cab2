"""Labelling functions: patterns, key words and Python functions that vote for a class or abstain."""

from __future__ import annotations

import inspect
import json
import re
import sys
import unicodedata
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from tutelage.files import naming
from tutelage.tables import DataError, as_label, require_regular
from tutelage.tables.cells import quoted, why_no_json
from tutelage.tables.label_cells import UNSEEN_CHARACTERS
from tutelage.weak.patterns import SlowPatternError, search
from tutelage.weak.votes import RawVotes

UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""Characters of scripts without spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, Japanese, Chinese."""

FORM = 'such as [{"name": "soups", "label": "food", "keywords": ["soup", "stew"]}]'
"""Words on the form of rules in a file of JSON."""

HANGUL = "\u1100-\u11ff\uac00-\ud7af"
"""Characters of Korean words, to which particles are attached."""

MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0962\u0963\u0981-\u0d63"
"""Accents and vowel signs, which belong to a word and which regular expressions do not count as letters."""


@dataclass(frozen=True)
class LabellingFunction:
    r"""A labelling function. It has exactly one of ``pattern``, ``keywords`` and ``function``.

    Args:
        name: name of the function in tables and messages.
        label: label that a pattern or key words vote for; None with ``function``, which gives the label itself.
        pattern: regular expression that is searched for anywhere in the text, upper and lower case alike (``(?-i:US)``
            keeps the case).
        keywords: whole words or phrases, upper and lower case alike; one of them in the text is enough. In scripts
            without spaces between words they may stand anywhere, and so may emoticons.
        function: function of a text that gives a label, or None or -1 to abstain.

    Raises:
        ValueError: not exactly one of the three is given, a pattern is not valid, a key word is empty, or a label is
            missing or superfluous.

    >>> money = LabellingFunction("money", "spam", keywords=("free money",))
    >>> [money.vote(text) for text in ("Free  money!", "carefree moneybags")]
    ['spam', None]
    """

    name: str
    label: str | None = None
    pattern: str | None = None
    keywords: tuple[str, ...] | None = None
    function: Callable[[str], object] | None = None

    def __post_init__(self) -> None:
        given = [k for k in ("pattern", "keywords", "function") if getattr(self, k) is not None]
        if len(given) != 1:
            got = " and ".join(given) or "none"
            raise ValueError(f"rule {self.name!r} must have one of pattern, keywords and function, got {got}")
        if (self.function is None) != (as_label(self.label) is not None):
            needed = "no label, its function gives it" if self.function else "a label"
            raise ValueError(f"rule {self.name!r} must have {needed}, got {self.label!r}")
        if self.keywords is not None:
            words = self.keywords if isinstance(self.keywords, (tuple, list)) else ()
            if not words or not all(isinstance(w, str) and w.strip() for w in words):
                raise ValueError(f"rule {self.name!r}: keywords must be a list of words, got {self.keywords!r}")
        try:
            self.expression()
        except (re.error, TypeError, OverflowError) as e:
            raise ValueError(f"rule {self.name!r}: bad pattern {quoted(self.pattern)} ({e})") from e
        except RecursionError as e:
            deep = f"bad pattern {quoted(self.pattern)} (groups within too many groups)"
            raise ValueError(f"rule {self.name!r}: {deep}") from e

    def expression(self) -> re.Pattern[str] | None:
        """The regular expression of a pattern or of key words; None for a function."""
        if self.keywords is not None:
            return re.compile("|".join(_alone(plain(phrase).split()) for phrase in self.keywords), re.IGNORECASE)
        if self.pattern is None:
            return None
        return _compiled(self.pattern)

    def vote(self, text: str) -> object:
        """The vote on a text: a label, or None to abstain; a ``function`` may also give -1 to abstain.

        Raises:
            SlowPatternError: the pattern takes more than `patterns.LIMIT` seconds on the text.
        """
        if self.function is not None:
            return self.function(text)
        expression = self.expression()  # the re module keeps it compiled
        return self.label if expression and search(expression, plain(text)) else None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what other versions of Python may read otherwise, such as "[[a]"
        return re.compile(plain(pattern) if isinstance(pattern, str) else pattern, re.IGNORECASE)


def plain(text: str) -> str:
    r"""A text without characters that cannot be seen, and with letters and their accents composed.

    >>> plain("cafe\u0301 fr\u200bee")
    'café free'
    """
    return unicodedata.normalize("NFC", text.translate(UNSEEN_CHARACTERS))


def _alone(words: Sequence[str]) -> str:
    """Pattern of words in a row that stand alone, where their script has spaces between words.

    A phrase without a letter, such as an emoticon, may stand anywhere.
    """
    inside = r"\s+".join(map(re.escape, words))
    if not re.search(r"\w", "".join(words)):
        return inside
    first, last = words[0][0], words[-1][-1]
    beside = rf"[^\W{UNSPACED}]|[{MARKS}]"
    before = "" if re.match(f"[{UNSPACED}]", first) else rf"(?<!{beside})"
    after = "" if re.match(f"[{UNSPACED}{HANGUL}]", last) else rf"(?!{beside})"
    return f"{before}{inside}{after}"


def apply_rules(rules: Sequence[LabellingFunction], texts: Sequence[str], file: str = "texts") -> RawVotes:
    """Votes of every rule on every text, (n, m).

    Args:
        rules: m rules, with different names.
        texts: n texts.
        file: name of the texts' file, for messages.

    Raises:
        DataError: a rule's own function fails, or gives something that is no label, or a pattern takes more than
            `patterns.LIMIT` seconds on a text; the message names rule and row.
        ValueError: there is no rule, or two have the same name.

    >>> apply_rules([LabellingFunction("link", "spam", pattern="http|www")], ["see WWW.X.COM", "hello"]).table.tolist()
    [[0], [-1]]
    """
    names = [rule.name for rule in rules]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"rules must be at least one, with different names, got {names}")
    columns = [[_vote(rule, text, row, file) for row, text in enumerate(texts, start=1)] for rule in rules]
    return RawVotes.of(file, names, zip(*columns, strict=True))


def _vote(rule: LabellingFunction, text: str, row: int, file: str) -> object:
    """The vote of a rule on a text, or a DataError that names file, row and rule."""
    try:
        return rule.vote(text)
    except SlowPatternError as e:
        raise DataError(f"{file}, row {row}, rule {rule.name!r}: {e}") from e
    except (Exception, SystemExit) as e:  # the user's code may raise anything
        raise DataError(f"{file}, row {row}, function {rule.name!r}: {type(e).__name__}: {e}") from e


def read_rules(path: str | Path) -> list[LabellingFunction]:
    """Labelling functions from a .json or a .py file.

    A .json file is a list of objects with "label", either "regex" (or "pattern") or "keywords" (a list), and perhaps
    "name" (else "rule 1" and so on); other keys are ignored.

    In a .py file, every function that is defined there and whose name does not begin with "_" is a labelling function:
    it takes a text and returns a label, or None or -1 to abstain. The file is executed with all rights of the user:
    only ever pass a path that the user gave.

    Raises:
        DataError: the file does not exist, has another ending, cannot be read or has no rule; or a rule is not valid
            (the message gives its number).
    """
    path = Path(path)
    if path.suffix not in (".json", ".py"):
        raise DataError(f"{path}: rules must be in a .json or a .py file; {FORM}")
    require_regular(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    return _python_rules(path) if path.suffix == ".py" else _json_rules(path)


def _json_rules(path: Path) -> list[LabellingFunction]:
    """Labelling functions from a .json file; see `read_rules`."""
    try:
        with naming(path):
            items = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as e:
        raise DataError(f"{path}: not readable as json (byte {e.start + 1} is not UTF-8)") from e
    except json.JSONDecodeError as e:
        raise DataError(f"{path}: not readable as json ({e})") from e
    except (ValueError, RecursionError) as e:
        raise DataError(f"{path}: not readable as json ({why_no_json(e)})") from e
    if not isinstance(items, list) or not items:
        raise DataError(f"{path}: must be a list of rules with at least one, got {str(items)[:40]}; {FORM}")
    rules: list[LabellingFunction] = []
    names: set[str] = set()
    for number, item in enumerate(items, start=1):
        here = f"{path}, rule {number}"
        if not isinstance(item, dict):
            raise DataError(f"{here}: must be an object with label and regex or keywords, got {str(item)[:40]}")
        label, keywords = item.get("label"), item.get("keywords")
        if isinstance(label, (list, dict)):
            raise DataError(f"{here}: label must be text or a number, got {str(label)[:40]}")
        pattern = item.get("regex", item.get("pattern"))
        if pattern is None and keywords is None:
            raise DataError(f"{here}: must have regex or keywords, got {', '.join(map(str, item)) or 'nothing'}")
        if isinstance(keywords, list):
            keywords = tuple(keywords)
        name = str(item.get("name", f"rule {number}"))
        if name in names:
            raise DataError(f"{here}: an earlier rule has its name {quoted(name)}")
        names.add(name)
        try:
            rules.append(LabellingFunction(name, as_label(label), pattern, keywords))
        except ValueError as e:
            raise DataError(f"{here}: {e}") from e
    return rules


def _python_rules(path: Path) -> list[LabellingFunction]:
    """Labelling functions from a .py file, which is executed; see `read_rules`."""
    module = ModuleType(f"rules in {path.name}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses in the file look for it
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as e:
        raise DataError(f"{path}: cannot be run ({type(e).__name__}: {e})") from e
    finally:
        del sys.modules[module.__name__]
    rules: list[LabellingFunction] = []
    for name, value in vars(module).items():
        function = inspect.isfunction(inspect.unwrap(value))  # also one that is decorated
        if name.startswith("_") or not function or value.__module__ != module.__name__:
            continue
        try:
            inspect.signature(value).bind("text")
        except TypeError as e:
            raise DataError(f"{path}, rule {len(rules) + 1}: {name} must take one argument, the text ({e})") from e
        rules.append(LabellingFunction(name, function=value))
    if not rules:
        raise DataError(f"{path}: defines no function whose name does not begin with _")
    return rules
