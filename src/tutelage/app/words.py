"""What commands say, in the words of the page: names of fields in place of options, of files in place of paths."""

from __future__ import annotations

import re
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

OPTION = re.compile(r"--([a-z][a-z-]*)")
"""Pattern of an option."""


def on_page(says: str, folder: Path) -> str:
    """A sentence of a command in the words of the page.

    Args:
        says: the sentence.
        folder: folder of the files.

    >>> desk = Path("/home/ann/tutelage")
    >>> on_page("/home/ann/tutelage/a.csv: byte 0xfc is not utf-8: pass --charset cp1252", desk)
    'a.csv: byte 0xfc is not utf-8: choose cp1252 under “Letters”'
    >>> on_page("--text and --label must be given for --kind texts", desk)
    '“Items” and “Labels” must be given for this “Kind”'
    >>> on_page("one sentence is tagged; tag one more (the evidence needs two), or pass --no-evidence", desk)
    'one sentence is tagged; tag one more (the evidence needs two)'
    """
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
