"""What commands say, in the words of the page: names of fields in place of options, of files in place of paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tutelage.pages.sentences import QUOTED, Sentence

FIELDS = {
    "text": "Items", "tokens": "Items", "images": "Items", "features": "Items", "label": "Labels", "tags": "Labels",
    "kind": "Kind", "charset": "Letters", "separator": "Cells end with",
}  # fmt: skip
"""Labels of the fields of the page, by the option of the command line that they stand for."""

PAGE = re.compile(r" ?\(docs: [^)]*\)")
"""Pattern of the name of a page of the documentation behind a sentence."""

SETTLES = re.compile(r"\. To settle it: .*", re.DOTALL)
"""Pattern of what settles a question, which the page offers as buttons."""

BESIDE = re.compile(r" ?\([^()]*--[a-z][^()]*\)")
"""Pattern of words in brackets on an option."""

DESCRIBE = re.compile(r"; or describe the classes, --describe\b")
"""Pattern of what only the command line can do about a table without labels."""

CLAUSE = re.compile(
    r"([,;:]|\band\b)?\s*(?:or )?(?:[^,;:.()]*?\b)?(?:pass|see|with|name one with|name it, as by|give) --[^,;)]*"
    r"(, or (?![^,;]*--))?"
)
"""Pattern of a clause on an option that the page has no field for, and of what leads to another thing to do."""

OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")
"""Pattern of an option."""


def on_page(says: str, folder: Path, names: Iterable[str] = ()) -> str:
    """A sentence of a command in the words of the page. Names of files and classes, and quoted cells, stay as they are.

    Args:
        says: the sentence.
        folder: folder of the files.
        names: names of files and classes that the sentence may hold without quotes.

    >>> desk = Path("/home/ann/tutelage")
    >>> on_page("/home/ann/tutelage/a.csv: byte 0xfc is not utf-8: pass --charset cp1252", desk)
    'a.csv: byte 0xfc is not utf-8: choose cp1252 under “Letters”'
    >>> on_page("--text and --label must be given for --kind texts", desk)
    '“Items” and “Labels” must be given for this “Kind”'
    >>> on_page("one sentence is tagged; tag one more (the evidence needs two), or pass --no-evidence", desk)
    'one sentence is tagged; tag one more (the evidence needs two)'
    >>> on_page("my --text.csv, column '--label': pass --charset cp1252", desk, ["my --text.csv"])
    "my --text.csv, column '--label': choose cp1252 under “Letters”"
    """
    sentence = Sentence(says)
    for name in sorted((name for name in names if "--" in name), key=len, reverse=True):
        sentence.name(re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])"))
    sentence.name(QUOTED)
    sub = sentence.sub
    sub(r"\AError: ", "")
    sub(PAGE, "")
    sub(SETTLES, "")
    sub(rf"{re.escape(str(folder))}/(?:[^\s:,]+\.tutelage/(?:jobs/\d+/)?)?", "")
    sub(r"for --kind \w+", "for this “Kind”")
    sub(r"(?:pass|with|give|name) --(charset|separator) (\S+?)(?=[\s,;.)]|$)", _chosen)
    sub(r"name it, as by --text COLUMN", "choose it under “Items”")
    sub(BESIDE, "")
    sub(DESCRIBE, "")
    sub(OPTION, lambda found: f"“{FIELDS[found[1]]}”" if found[1] in FIELDS else found[0])
    sub(r"(?:; )?for other data see “Kind”", "; for other data choose another “Kind”")
    if "--" in sentence.seen:
        sub(CLAUSE, lambda found: f"{found[1]} " if found[2] else "")
    sub(OPTION, lambda found: f"the option {found[1].replace('-', ' ')} of the command")
    return sentence.text.strip()


def begun(says: str, names: Iterable[str]) -> str:
    """A sentence with a capital letter, unless it begins with the name of a file.

    Args:
        says: the sentence.
        names: names of files.

    >>> begun("kunden.csv, row 1: empty", ["kunden.csv"]), begun("is 'a' the text?", ["kunden.csv"])
    ('kunden.csv, row 1: empty', "Is 'a' the text?")
    """
    return says if says.startswith(tuple(names)) else says[:1].upper() + says[1:]


def _chosen(found: Sequence[str]) -> str:
    return f"choose {found[2]} under “{FIELDS[found[1]]}”"
