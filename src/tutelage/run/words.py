"""Words of a command line, before they are parsed: which options they name, with which values, and of which kind."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from tutelage import kinds
from tutelage.data.nearest import SHORT, did_you_mean
from tutelage.ops.visible import is_unicode, visible


def kind_of(words: Sequence[str]) -> str:
    """Name of the kind of data that the words of a command line tell.

    >>> kind_of(["--train", "a.csv", "--tokens", "words"]), kind_of(["--task=image"]), kind_of([])
    ('sentences', 'images', 'texts')

    Raises:
        ValueError: --kind names no kind.
    """
    for option in ("--kind", "--task"):
        if (word := value_of(option, words)) is not None:
            return kinds.named(word)
    train, start = value_of("--train", words), value_of("--from", words)
    if start is not None and (of_run := kinds.of_run(Path(start))) is not None:
        return of_run
    return kinds.told_by(names_of(words), None if train is None else Path(train)) or kinds.DEFAULT


def value_of(option: str, words: Sequence[str]) -> str | None:
    """Value of an option: the word after it, or after its equals sign; None where the option is not given.

    Args:
        option: the option, such as "--kind".
        words: words of a command line.
    """
    for i, word in enumerate(words):
        if word.startswith(f"{option}="):
            return word.split("=", 1)[1]
        if word == option and i + 1 < len(words):
            return words[i + 1]
    return None


def names_of(words: Sequence[str]) -> list[str]:
    """Names of the options among words, as Python writes them; "no_" is dropped."""
    found = [word[2:].split("=")[0].replace("-", "_") for word in words if word.startswith("--") and len(word) > 2]
    return [name.removeprefix("no_") for name in found]


def require_known(what: str, name: str | None, known: Collection[str]) -> None:
    """Check the name of a command or a method at once, without the import of every one of them.

    Args:
        what: what the name is of, for the message.
        name: the name; None, or an option, is not checked.
        known: names that exist.

    Raises:
        ValueError: there is none of that name; the message has the nearest.

    >>> require_known("method", "drft", ["drift", "vat"])
    Traceback (most recent call last):
    ValueError: no method 'drft' (did you mean 'drift'?); there are drift, vat
    """
    if name and not name.startswith("-") and name not in known:
        raise ValueError(f"no {what} {name!r}{did_you_mean(name, known, SHORT)}; there are {', '.join(known)}")


def require_unicode(words: Sequence[str]) -> None:
    r"""Check that the words of a command line are UTF-8, as no table, report or summary can hold others.

    Args:
        words: words of a command line.

    Raises:
        ValueError: a word is not, such as the name of a file that an older system made.

    >>> require_unicode(["--train", "\udcff.csv"])
    Traceback (most recent call last):
    ValueError: \xff.csv: not UTF-8 but other bytes; rename the file or folder
    """
    for word in words:
        if not is_unicode(word):
            raise ValueError(f"{visible(word)}: not UTF-8 but other bytes; rename the file or folder")
