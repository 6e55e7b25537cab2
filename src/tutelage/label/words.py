"""What a fit says where it fails, in the words of the labelling page, which has no options."""

from __future__ import annotations

import re

from tutelage.pages.sentences import QUOTED, Sentence

OPTION = re.compile(r"[,;:]?\s*(?:or\s+)?[^,;:()]*(?<![\w-])--[a-z][^,;()]*")
"""Pattern of a clause on an option of the command line."""

BRACKETS = re.compile(r"\s*\([^()]*(?:(?<![\w-])--[a-z]|docs: )[^()]*\)")
"""Pattern of words in brackets on an option, or on a page of the documentation."""


def on_page(log: str) -> str:
    r"""The error at the end of a log without what only the command line can do, and what to do on the page.

    Args:
        log: what the command printed.

    Returns:
        Empty where the log has no error.

    >>> on_page("Read.\nError: class 'z' has one label; label one more row of it, or pass --no-evidence")[:75]
    "Nothing was learnt: class 'z' has one label; label one more row of it. Labe"
    >>> on_page("Error: class '--text; a' has one label, or pass --no-evidence")[:51]
    "Nothing was learnt: class '--text; a' has one label"
    """
    lines = log.splitlines()
    last = next((k for k in range(len(lines) - 1, -1, -1) if lines[k].startswith("Error")), None)
    if last is None:
        return ""
    sentence = Sentence(" ".join(lines[last:]).removeprefix("Error:").strip())
    sentence.name(QUOTED)
    sentence.sub(BRACKETS, "")
    sentence.sub(OPTION, "")
    said = sentence.text.strip(" ,;:.")
    said = said or "the command could not go on"
    return (
        f"Nothing was learnt: {said}. Label more, and learn again; the command and its own words are under "
        "\u201cCommands and log\u201d."
    )
