"""Lists and objects that a cell of text holds, as JSON, Python, NumPy or a data base writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tutelage.tables.cells import python_value

STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
"""Pattern of a text in quotation marks."""
CALL = re.compile(
    rf"\b(?:np\.|numpy\.|torch\.)?(?:array|asarray|tensor|set|frozenset|str_|bool_|int\d+|float\d+)"
    rf"\(((?:{STRING}|[^()'\"])*?)(?:,\s*\w+=[^(),]*)*\)"
)
"""Pattern of a value that is printed with its type around it, such as ``array(['a'], dtype=object)``."""
DEEPEST = 100
"""Number of calls within calls, at most, that are taken for the names of types around a value."""
BESIDE = re.compile(rf"({STRING})\s*(?=['\"])")
"""Pattern of a text that is followed by another one without a comma, as NumPy prints lists."""
NUMBER = r"(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|True|False)"
"""Pattern of a number, as NumPy prints it."""
NUMBERS = re.compile(rf"\[\s*{NUMBER}(?:\s+{NUMBER})*\s*\]", re.IGNORECASE)
"""Pattern of a list of numbers, as NumPy prints it."""
BARE = re.compile(r"\[\s*(\w[\w.+-]*(?:\s*,\s*\w[\w.+-]*)*)\s*\]|\{\s*(\w[\w.+-]*(?:\s*,\s*\w[\w.+-]*)*)\s*\}")
"""Pattern of words without quotation marks, in brackets or in braces."""
ESCAPED = re.compile(r'\\(["\\])')
"""Pattern of a quotation mark, or a backslash, behind a backslash."""
BYTES = re.compile(r"""b(?:'([^'\\]*)'|"([^"\\]*)")""")
"""Pattern of bytes, as Python prints them."""
AS_WRITTEN = frozenset(["nan", "none", "null", "unk", "unknown", "pad", "mask", "cls", "sep"])
"""Words, in lower case, that are written in brackets to say something else than a label."""


def is_structured(cell: str) -> bool:
    """Whether a text may be a list or an object.

    >>> is_structured(" ['a']"), is_structured("array(['a'])"), is_structured("a")
    (True, True, False)
    """
    text = cell.strip()
    if text[:1] in ("[", "{", "(") or (text[-1:] == ")" and CALL.match(text) is not None):
        return True
    return BYTES.fullmatch(text) is not None


def decoded(text: str) -> Any:
    r"""List or object that a text writes; the text itself where it writes none.

    Quotation marks and backslashes may be escaped, as some programs write them into csv files.

    Args:
        text: the text, without blanks around it.

    >>> decoded("['a' 'b']"), decoded("array(['a'], dtype=object)"), decoded("[1 0]"), decoded("set()")
    (['a', 'b'], ['a'], [1, 0], [])
    >>> decoded("{food}"), decoded("(other)"), decoded(r'[\"a\"]')
    (['food'], '(other)', ['a'])
    """
    if (held := BYTES.fullmatch(text)) is not None:
        return [held[1] or held[2] or ""]
    plain = ESCAPED.sub(r"\1", text)
    readers: tuple[Callable[[str], Any], ...] = (json.loads, _numbers, lambda written: python_value(_apart(written)))
    for written in dict.fromkeys((text, plain)):
        for read in readers:
            try:
                found = read(written)
            except (ValueError, RecursionError):
                continue
            return found if isinstance(found, (list, tuple, set, dict)) else text
    return _bare(text)


def _numbers(text: str) -> Any:
    """List of numbers that NumPy prints, without commas.

    Raises:
        ValueError: the text is no such list.
    """
    if not NUMBERS.fullmatch(text):
        raise ValueError(f"no numbers in brackets: {text[:60]!r}")
    return [python_value(part) for part in text[1:-1].split()]


def _apart(text: str) -> str:
    """The text of a value, with commas between texts that lie side by side, and without names of types around it.

    Python would join texts that lie side by side.
    """
    for _ in range(DEEPEST):
        if (inner := CALL.sub(_inside, text)) == text:
            break
        text = inner
    return BESIDE.sub(r"\1, ", text)


def _inside(call: re.Match[str]) -> str:
    inside = call[1].strip()
    alone = call[0] == call.string.strip() and inside[:1] not in ("[", "{", "(")
    return f"[{inside}]" if alone or not inside else inside


def _bare(text: str) -> Any:
    found = BARE.fullmatch(text)
    if found is None:
        return text
    words = re.split(r"\s*,\s*", found[1] or found[2])
    return text if len(words) == 1 and words[0].casefold() in AS_WRITTEN else words
