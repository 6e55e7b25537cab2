"""Answers to a question: options as the words that they are, read once of what a user would type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

FLAGS = frozenset(("skip-bad", "masks-turned", "no-masks-turned"))
"""Options without a value that settle questions."""

TO_FILL_IN = {
    "classes": "NAMES", "columns": r"NAME1\b.*", "encoder": "NAME", "features": "COLUMN", "label": "COLUMN",
    "mask-colours": "FILE", "mask-values": r"VALUE,VALUE", "sentence-id": "COLUMN", "size": "HEIGHT", "tags": "COLUMN",
    "text": "COLUMN", "votes": "PREFIX",
}  # fmt: skip
"""Pattern of what stands, by option, in place of a value that the user is to think of."""

SETTLES = (
    FLAGS | TO_FILL_IN.keys()
    | {"kind", "max-length", "odd-texts", "quote", "separator", "charset", "sheet", "spelling", "tokens", "train",
       "unlabelled-as", "void"}
)  # fmt: skip
"""Options that settle questions."""

NAME = re.compile(r"--([a-z][a-z-]*)")
"""Pattern of the name of an option."""

WORD = re.compile(r"""[ =]((?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\;,()]|,(?=\S)|(?<=[ =]),$)+)""")
"""Pattern of a value as a shell reads it; a comma, semicolon or bracket behind it belongs to the sentence."""

NEXT = re.compile(r"(?:, and |; or )(?=--)")
"""Pattern of what stands between two answers that are told in one sentence."""

PLAIN = re.compile(r"[\w.-]+", re.ASCII)
"""Pattern of a value that needs no quotation marks."""


@dataclass(frozen=True)
class Answer:
    """An answer to a question.

    Attributes:
        words: words that it adds to a command: each is an option with its value, "--name=value", or a flag, "--name".
        means: what it means; empty where the words say it.
    """

    words: tuple[str, ...]
    means: str = ""

    @property
    def typed(self) -> str:
        """The words as they are typed in a shell.

        >>> print(Answer(("--sheet=it's", "--skip-bad")).typed)
        --sheet='it'"'"'s' --skip-bad
        """
        parts = (word.partition("=") for word in self.words)
        return " ".join(f"{name}={as_word(value)}" if sign else name for name, sign, value in parts)


def as_word(value: str) -> str:
    """A value as it is typed in a shell, in quotation marks unless it is letters, digits, dots and hyphens.

    >>> as_word("train"), as_word("a, b"), as_word("--out=x")
    ('train', "'a, b'", "'--out=x'")
    """
    return value if PLAIN.fullmatch(value) else "'" + value.replace("'", "'\"'\"'") + "'"


def answers_of(options: Iterable[str]) -> tuple[Answer, ...]:
    """Answers that can be given as they are: without those in which the user is to fill something in.

    Args:
        options: options that settle a question, as they are typed, each with a few words on what it then means.

    >>> answers_of(["--unlabelled-as 'to do' (they mean none)", "--classes NAMES, if each is a class"])
    (Answer(words=('--unlabelled-as=to do',), means='they mean none'),)
    >>> [each.words for each in answers_of(["--sheet='a' says so, and --sheet=TBD reads another", "--skip-bad leaves"])]
    [('--sheet=a',), ('--sheet=TBD',), ('--skip-bad',)]
    """
    found: list[Answer] = []
    for option in options:
        for told in _apart(option):
            words, end, whole = [], 0, True
            while (name := NAME.match(told, end)) is not None:
                value = None if name[1] in FLAGS else WORD.match(told, name.end())
                whole &= name[1] in SETTLES and (value is not None) == (name[1] not in FLAGS)
                given = "" if value is None else "".join(shlex.split(value[1]))
                whole &= not (name[1] in TO_FILL_IN and re.fullmatch(TO_FILL_IN[name[1]], given))
                whole &= not given.endswith(",...")
                words.append(name[0] if value is None else f"{name[0]}={given}")
                end = name.end() if value is None else value.end()
                end += told.startswith(" --", end)
            means = told[end:].lstrip(" ,;")
            if words and whole:
                found.append(Answer(tuple(words), means[1:-1] if means[:1] == "(" and means[-1:] == ")" else means))
    return tuple(dict.fromkeys(found))


def _apart(option: str) -> list[str]:
    """The answers that are told in one sentence; what stands in quotation marks is no end of one."""
    parts, begin, end = [], 0, 0
    while end < len(option):
        if (name := NAME.match(option, end)) is not None:
            value = None if name[1] in FLAGS else WORD.match(option, name.end())
            end = name.end() if value is None else value.end()
        elif (between := NEXT.match(option, end)) is not None:
            parts.append(option[begin:end])
            begin = end = between.end()
        else:
            end += 1
    return [*parts, option[begin:]]
