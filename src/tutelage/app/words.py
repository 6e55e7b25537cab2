"""What commands say, in the words of the page: names of fields in place of options, of files in place of paths."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

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

CLAUSE = re.compile(r"(?:[,;:]|\band\b)?\s*(?:or )?(?:[^,;:.()]*?\b)?(?:pass|see|with|name it, as by|give) --[^,;)]*")
"""Pattern of a clause on an option that the page has no field for."""

OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")
"""Pattern of an option."""

QUOTED = re.compile(r"(?<![\w=])('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")(?!\w)")
"""Pattern of a name or cell in a message, which is quoted as Python quotes it."""

KEPT = re.compile("\ue000(\\d+)\ue001")
"""Pattern of what stands in place of a name meanwhile, in letters that no message has."""


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
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\ue000{len(kept) - 1}\ue001"

    like_options = sorted((name for name in names if "--" in name), key=len, reverse=True)
    for name in like_options:
        says = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", keep, says)
    says = _worded(QUOTED.sub(keep, says), folder)
    while KEPT.search(says):  # a quoted cell may hold a name
        says = KEPT.sub(lambda found: kept[int(found[1])], says)
    return says


def _worded(says: str, folder: Path) -> str:
    """A sentence without names in the words of the page."""
    says = SETTLES.sub("", PAGE.sub("", says.removeprefix("Error: ")))
    says = re.sub(rf"{re.escape(str(folder))}/(?:[^\s:,]+\.tutelage/(?:jobs/\d+/)?)?", "", says)
    says = re.sub(r"for --kind \w+", "for this “Kind”", says)
    says = re.sub(r"(?:pass|with|give|name) --(charset|separator) (\S+?)(?=[\s,;.)]|$)", _chosen, says)
    says = re.sub(r"name it, as by --text COLUMN", "choose it under “Items”", says)
    says = BESIDE.sub("", says)
    says = OPTION.sub(lambda found: f"“{FIELDS[found[1]]}”" if found[1] in FIELDS else found[0], says)
    says = re.sub(r"(?:; )?for other data see “Kind”", "; for other data choose another “Kind”", says)
    says = CLAUSE.sub("", says) if "--" in says else says
    return OPTION.sub(lambda found: f"the option {found[1].replace('-', ' ')} of the command", says).strip()


def _chosen(found: re.Match[str]) -> str:
    return f"choose {found[2]} under “{FIELDS[found[1]]}”"
