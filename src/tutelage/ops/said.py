"""What a command or a fit says: warnings and sentences are kept, so that its summary and its report say them, too."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tutelage.ops.pages import Page, on_page
from tutelage.types import Say

WARNING, SAID = "warning", "said"
"""Kinds of lines: a warning, and any other sentence."""


class Heard:
    """Lines that were said, each once, in the order in which they were said first.

    Args:
        tell: called with each sentence that is no warning; None tells nobody.

    Attributes:
        lines: the lines, each with its "words" and its "kind".
        write: called with all lines whenever there is a new one; None keeps them here alone.

    >>> heard = Heard()
    >>> with hearing(heard), warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     warn("3 texts are also in the training data")
    ...     heard.say("Reading with minilm.")
    >>> heard.lines[0]
    {'words': '3 texts are also in the training data', 'kind': 'warning'}
    >>> heard.warnings
    ['3 texts are also in the training data']
    """

    def __init__(self, tell: Say | None = None) -> None:
        self.tell = tell
        self.lines: list[dict[str, str]] = []
        self.write: Callable[[list[dict[str, str]]], object] | None = None

    def say(self, words: str) -> None:
        """Keep a sentence, and pass it on."""
        self.keep(words, SAID)
        if self.tell is not None:
            self.tell(words)

    def keep(self, words: str, kind: str) -> None:
        """Keep a line, unless it is kept already.

        Args:
            words: the line.
            kind: WARNING or SAID.
        """
        if (line := {"words": words, "kind": kind}) not in self.lines:
            self.lines.append(line)
            if self.write is not None:
                self.write(self.lines)

    def resume(self, before: list[dict[str, str]], write: Callable[[list[dict[str, str]]], object]) -> None:
        """Go on where a stopped run was, whose finished parts warn no more.

        Args:
            before: lines of the stopped run.
            write: called with all lines whenever there is a new one.
        """
        self.lines = [*before, *(line for line in self.lines if line not in before)]
        self.write = write
        write(self.lines)

    @property
    def warnings(self) -> list[str]:
        """Words of the warnings."""
        return [line["words"] for line in self.lines if line["kind"] == WARNING]


_HEARD: ContextVar[Heard | None] = ContextVar("heard", default=None)
"""Who hears the library's warnings, also those that Python's filters hide because they were shown before."""


@contextmanager
def hearing(heard: Heard) -> Iterator[Heard]:
    """Context in which all warnings that are shown, and all of this library, are kept, too.

    Args:
        heard: keeps them.
    """
    before, token = warnings.showwarning, _HEARD.set(heard)

    def show(message: Warning | str, *rest: Any, **more: Any) -> None:
        heard.keep(str(message), WARNING)
        before(message, *rest, **more)

    warnings.showwarning = show
    try:
        yield heard
    finally:
        warnings.showwarning = before
        _HEARD.reset(token)


@contextmanager
def silence() -> Iterator[None]:
    """Context of work that is tried and not wanted, such as steps that are timed: nobody hears its warnings.

    >>> heard = Heard()
    >>> with hearing(heard), silence():
    ...     warn("the anticipating term is exactly zero")
    >>> heard.lines
    []
    """
    token = _HEARD.set(None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _HEARD.reset(token)


def tell(words: str) -> None:
    """Say a sentence about this moment alone: it is shown where somebody is `hearing`, and no summary keeps it.

    Args:
        words: the sentence.

    >>> heard = Heard(print)
    >>> with hearing(heard):
    ...     tell("Another fit uses this pool, too.")
    Another fit uses this pool, too.
    >>> heard.lines
    []
    """
    if (heard := _HEARD.get()) is not None and heard.tell is not None:
        heard.tell(words)


def warn(words: str, category: type[Warning] = UserWarning, stacklevel: int = 2, page: Page | None = None) -> None:
    """Warn, and keep the words where somebody is `hearing`.

    Args:
        words: the warning.
        category: class of the warning.
        stacklevel: number of the frame that it is about, counted as by `warnings.warn`: 2 is the caller's caller.
        page: page of the documentation that explains it; None where the words name one already.
    """
    words = words if page is None else on_page(words, page)
    if (heard := _HEARD.get()) is not None:
        heard.keep(words, WARNING)
    warnings.warn(words, category, stacklevel=stacklevel + 1)
