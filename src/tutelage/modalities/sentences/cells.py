"""Lists in the cells of a table: of JSON, of Python, as numpy prints them, or words separated by spaces."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import cast

import numpy as np

from tutelage.tables import as_label
from tutelage.tables.cells import noun, python_value

QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
"""Pattern of a text in a list of Python."""
ITEM = rf"{QUOTED}|[-+]?[0-9.]+(?:e[-+]?[0-9]+)?|None|nan|True|False"
"""Pattern of an element of a list of Python."""
PRINTED = re.compile(rf"\[\s*(?:{ITEM})(?:\s+(?:{ITEM}))*\s*\]")
"""Pattern of a list as numpy prints it, without commas."""
CALLED = re.compile(r"(?:np\.|numpy\.)?(?:array|list|tuple)\((.*?)(?:,\s*dtype=[^)]*)?\)", re.DOTALL)
"""Pattern of an array or a list as Python shows it."""

BRACKETED = re.compile(r"\[[^\[\]\"']+\]")
"""Pattern of a word in brackets."""


def given(cell: object) -> bool:
    """Whether a cell holds anything."""
    return isinstance(cell, (list, tuple, dict, np.ndarray)) or as_label(cell) is not None


def decoded(cell: object) -> object:
    """List in a cell of text; a cell that is no text is returned as it is.

    Raises:
        ValueError: the cell begins and ends as a list does, but is none.

    >>> decoded('["a", "b"]'), decoded("['a', 'b']"), decoded("['a' 'b']"), decoded("a b")
    (['a', 'b'], ['a', 'b'], ['a', 'b'], ['a', 'b'])
    """
    if not isinstance(cell, str):
        return cell
    parts = cell.split()
    if not parts:
        return None
    text = cell.strip()
    if parts[0].startswith("[") and parts[-1].endswith("]"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as e:
            found = of_python(text)
            if found is not None:
                return found
            if (parts[0], parts[-1]) != ("[", "]") and not BRACKETED.fullmatch(parts[0]):  # else brackets are words
                raise ValueError(f"not a JSON list: {' '.join(parts)[:40]!r}{_shortened(text)}") from e
    if text[0] in "(anlt{" and text[-1] in ")}":
        return _dict(text) or of_python(text) or parts
    return parts


def _dict(text: str) -> dict[str, object] | None:
    """Object of JSON in a text; None where there is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def of_python(text: str) -> list[object] | dict[str, object] | None:
    """List, tuple or dict as Python or numpy writes it; None where a text is none of them.

    >>> of_python("('a', 'b')"), of_python("[ 0  1 -1]"), of_python("array(['a', 'b'], dtype=object)")
    (['a', 'b'], ['0', '1', '-1'], ['a', 'b'])
    >>> of_python("(see below)"), of_python("['a', 'b' 'c']")
    (None, None)
    """
    called = CALLED.fullmatch(text)
    text = called[1].strip() if called else text
    if PRINTED.fullmatch(text) and "..." not in text:
        found = re.findall(ITEM, text)
        return [python_value(item) if item[0] in "'\"" else item.replace("None", "") for item in found]
    tokens = [match[0] for match in re.finditer(rf"{QUOTED}|[^'\"\s]+|['\"]", text)]
    if any(a[0] in "'\"" and b[0] in "'\"" for a, b in pairwise(tokens)):  # Python would glue such neighbours to one
        return None
    for written in (text, re.sub(r"\bnan\b", "None", text)):
        try:
            found = python_value(written)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
        if isinstance(found, (list, tuple)) and ... not in found and (found or text[0] == "["):
            return list(found)
        return None
    return None


def _shortened(text: str) -> str:
    return "; it was shortened with '...' when it was written" if "..." in text else ""


def items(cell: object) -> list[object]:
    """Elements of a list in a cell; none of an empty cell.

    Raises:
        ValueError: the cell holds something else.
    """
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if isinstance(cell, tuple):
        cell = list(cell)
    if given(cell) and not isinstance(cell, list):
        raise ValueError(f"not a list but {noun(cell)}")
    return cell if isinstance(cell, list) else []


def word_list(cell: object) -> list[str]:
    """Words of a sentence in a cell, with numbers as texts.

    Raises:
        ValueError: the cell is no list, or an element is no word.

    >>> word_list(["in", 2018])
    ['in', '2018']
    """
    words = items(cell)
    for position, word in enumerate(words, start=1):
        if type(word) in (int, float) and as_label(word) is not None:
            words = [*words[: position - 1], as_label(word), *words[position:]]
        elif not isinstance(word, str) or not word.strip():
            got = noun(word) if isinstance(word, np.ndarray) else repr(word)
            raise ValueError(f"word {position} must be text and not blank, got {got}")
    return cast(list[str], words)


def numbers_in(cell: object) -> int:
    """Number of a list's elements that are numbers; 0 of a cell without a list."""
    if not isinstance(cell, (list, tuple, np.ndarray)) or {int, float}.isdisjoint(map(type, cell)):
        return 0
    return sum(type(word) in (int, float) for word in cell)
