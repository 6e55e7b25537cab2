"""CoNLL files: a line for each word with its columns, and a blank line after each sentence; read and written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pandas as pd

from tutelage.files import write_atomically
from tutelage.tables import DataError, Notes, ReadAs, ending_of
from tutelage.tables.read import text_of

CONLL = (".conll", ".txt", ".bio", ".iob", ".conllu", ".iob2")
"""Endings of CoNLL files."""
TAG = re.compile(r"[BIESLMUW]-\S+")
"""Pattern of a tag with its letter."""
DOCUMENT = re.compile(r"-DOC(START|END)-.*")
"""Pattern of a word that begins or ends a document."""
KEYED = re.compile(r"#\s*\w+\s*[=:]|#\s+(sent_id|id|text|newdoc|newpar|source|doc)\b")
"""Pattern of a comment with a name and a value."""
PAIRS = re.compile(r"[^|=\s]+=[^|]*(\|[^|=\s]+(=[^|]*)?)*")
"""Pattern of keys with values, as in the column MISC of CoNLL-U."""
BETWEEN = re.compile(r"[0-9]+[-.][0-9]+")
"""Pattern of the number of a multiword token, 1-2, or an empty node, 1.1, of CoNLL-U."""
LEAST_ALIKE = 0.5
"""Share of the lines that must have the same number of columns; in other files no line's columns are filled up."""


@dataclass
class Lines:
    """Lines of a CoNLL file, sorted into sentences.

    Attributes:
        path: the file.
        width: number of columns.
        sentences: cells of each sentence's lines, by the number of its first line, from 1.
        comments, filled: numbers of the lines that are comments, and of those that lack their last columns.
        long: number of the first line of its sentence, by the number of each line that has too many columns.
    """

    path: Path
    width: int = 1
    sentences: dict[int, list[list[str]]] = field(default_factory=dict)
    comments: list[int] = field(default_factory=list)
    filled: list[int] = field(default_factory=list)
    long: dict[int, int] = field(default_factory=dict)


def read_conll(path: Path, how: ReadAs, notes: Notes) -> pd.DataFrame:
    """Table of a CoNLL file: a row for each sentence, numbered by its first line, with cells that are lists.

    The columns are named by their numbers. Comments are passed over, and so are multiword tokens and empty nodes where
    the first column numbers the words; missing last columns are empty.

    Args:
        path: the file.
        how: how the file is read.
        notes: takes what is passed over or filled.

    Raises:
        DataError: the file is not in its charset; or lines have more columns than others.
    """
    texts = text_of(path, how, notes).split("\n")
    lines = _sorted(path, texts)
    _tell(lines, texts, notes, bool(getattr(how, "skip_bad", False)))
    if numbered(([cells[0] for cells in s] for s in lines.sentences.values()), lines.width):
        _without_ranges(lines, notes)
    columns = {str(k): [[cells[k] for cells in s] for s in lines.sentences.values()] for k in range(lines.width)}
    return pd.DataFrame(columns, index=list(lines.sentences))


def _sorted(path: Path, texts: Sequence[str]) -> Lines:
    """The lines of a file in sentences."""
    split = [[] if "-DOC" in text and _is_document(text) else _cells(text) for text in texts]
    plain = [cells for cells in split if cells and cells[0][0:1] != "#"]
    widths = Counter(map(len, plain))
    lines = Lines(path, max(widths, key=lambda w: widths[w], default=1))
    alike = widths[lines.width] >= LEAST_ALIKE * sum(widths.values())
    tags = {"O", *(cells[-1] for cells in plain if len(cells) == lines.width)}
    begin = 0
    for number, (text, cells) in enumerate(zip(texts, split, strict=True), start=1):
        if not cells:
            begin = 0
            continue
        if len(cells) == lines.width and text[0] != "#":
            begin = begin or number
            lines.sentences.setdefault(begin, []).append(cells)
            continue
        if text.startswith("#") and _is_comment(text, cells, lines.width, tags, bool(begin)):
            lines.comments.append(number)
            begin = 0
            continue
        begin = begin or number
        fitting = cells if len(cells) == lines.width else _otherwise(text, cells, lines.width)
        if len(fitting) > lines.width or (len(fitting) < lines.width and not alike):
            lines.long[number] = begin
            continue
        missing = lines.width - len(fitting)
        if missing:
            lines.filled.append(number)
        lines.sentences.setdefault(begin, []).append(fitting + [""] * missing)
    return lines


def _otherwise(text: str, cells: list[str], width: int) -> list[str]:
    """Cells of a line with several blanks or tabs between two of them, where these are as many as in other lines."""
    again = re.split(r"[ \t]+", text.strip(" \t"))
    return again if len(again) == width else cells


def _cells(text: str) -> list[str]:
    """Cells of a line; none of a blank one."""
    if not text.strip():
        return []
    if "\t" not in text:
        return [cell for cell in text.split(" ") if cell]
    return [cell.strip(" ") for cell in text.split("\t")] if " " in text else text.split("\t")


def _is_document(text: str) -> bool:
    """Whether a line begins or ends a document."""
    return any(map(DOCUMENT.fullmatch, text.split()[:2]))


def _is_comment(text: str, cells: Sequence[str], width: int, tags: set[str], within: bool) -> bool:
    """Whether a line that begins with # is a comment, and no word with its tag."""
    if len(cells) == width and (width == 1 or cells[-1] in tags or TAG.fullmatch(cells[-1])):
        return False
    if len(cells) == width or within:
        return KEYED.match(text) is not None or (not within and text[1:2] == " ")
    return True


def _tell(lines: Lines, texts: Sequence[str], notes: Notes, skip: bool) -> None:
    """Note the comments, and the lines that were filled up; fault those with too many columns, or leave them out."""
    path = lines.path
    if lines.comments:
        first, shown = lines.comments[0], texts[lines.comments[0] - 1].strip()[:40]
        notes.say(f"{path}: {len(lines.comments)} comments are passed over, the first in row {first}: {shown!r}.")
    if lines.filled:
        first = lines.filled[0]
        shown = texts[first - 1].strip()[:40]
        notes.say(
            f"{path}: {len(lines.filled)} rows lack their last columns, which are read as empty, the first in row "
            f"{first}: {shown!r}."
        )
    if not lines.long:
        return
    first, many, bad = min(lines.long), len(lines.long), set(lines.long.values())
    like = f"row {min(lines.sentences, default=first)} has {lines.width}"
    said = f"{path}, row {first}: {len(_cells(texts[first - 1]))} columns where {like}"
    if skip and bad < set(lines.sentences) | bad:
        notes.say(
            f"{path}: {len(bad)} sentences have rows with other columns and are left out, the first: {said}.",
            page="left-out",
        )
        lines.sentences = {n: each for n, each in lines.sentences.items() if n not in bad}
        return
    others = f"; so have {many - 1} more rows" * (many > 1)
    untagged = "; words without tags belong into a file of their own, --unlabelled" * (lines.width == 1)
    notes.fault(f"{said}{others}; a CoNLL file has one word a line, and as many columns in each{untagged}")


def numbered(first: Iterable[Sequence[str]], width: int) -> bool:
    """Whether the first of three or more columns counts the words of each sentence, as in CoNLL-U.

    Args:
        first: cells of the first column, of each sentence.
        width: number of columns.

    >>> numbered([["1", "2", "2-3", "3"], ["1"]], 3), numbered([["1", "2"]], 2), numbered([["In", "2024"]], 3)
    (True, False, False)
    """
    longest = 0
    for cells in first:
        counts = [cell for cell in cells if not BETWEEN.fullmatch(cell)]
        if width < 3 or not all(count.isdecimal() for count in counts):
            return False
        if any(int(b) != int(a) + 1 for a, b in pairwise(counts)):
            return False
        longest = max(longest, len(counts))
    return longest > 1


def _without_ranges(lines: Lines, notes: Notes) -> None:
    """Drop the multiword tokens and the empty nodes of CoNLL-U, and say so."""
    dropped = 0
    for number, each in list(lines.sentences.items()):
        kept = [cells for cells in each if not BETWEEN.fullmatch(cells[0])]
        dropped += len(each) - len(kept)
        lines.sentences[number] = kept
    if dropped:
        notes.say(f"{lines.path}: {dropped} multiword tokens (1-2) and empty nodes (1.1) are passed over.")


def column_of_words(table: pd.DataFrame, path: Path, notes: Notes) -> str:
    """Name of the column of the words: the second where the first numbers them, which is said; else the first."""
    if not numbered(table["0"], len(table.columns)):
        return "0"
    notes.say(f"{path}: column 0 numbers the words; the words are read from column 1.")
    return "1"


def column_of_tags(table: pd.DataFrame, words: str, path: Path, notes: Notes) -> str | None:
    """Name of the column of the tags: the last one; None where there is none.

    It is asked where the last column has no tags, as that of CoNLL-U, or no entity, and another column has.
    """
    last = str(table.columns[-1])
    if last == words:
        return None
    if key_of_tags(table[last]):
        return last
    seen = {str(name): {tag for cell in table[name] for tag in cell} for name in table.columns if str(name) != words}
    told = [name for name, tags in seen.items() if any(map(TAG.fullmatch, tags)) and all(map(_is_tag, tags))]
    others = [f"--tags {name} (such as {min(seen[name] - {'O'})!r})" for name in told if name != last]
    empty = seen[last] <= {"_", "-", "*"} and bool(seen[last])
    outside = seen[last] <= {"O", ""} or "O" not in seen[last]
    if empty or any("=" in cell for cell in seen[last]) or (others and last not in told and outside):
        says = ", ".join(sorted(map(repr, seen[last]))[:3])
        plain = [name for name, cells in seen.items() if name != last and not all(map(str.isdecimal, cells))]
        sure = [f"--tags {last}"] * (not empty and not _holds_pairs(table[last]))
        options = (*(others or [f"--tags {name}" for name in plain[:3]]), *sure)
        notes.ask(
            f"{path}: the last column holds no tags of entities, but {says}", *options, halts=True, page="tag-columns"
        )
    kinds = {name: {tag[2:] for tag in seen[name] if TAG.fullmatch(tag)} for name in told}
    alike = [name for name in told if name != last and kinds[name] & kinds.get(last, set())]
    if alike:
        options = (*(f"--tags {name}" for name in alike), f"--tags {last} (as now)")
        notes.ask(
            f"{path}: columns {', '.join(alike)} and {last} hold tags of the same types", *options, page="tag-columns"
        )
    return last


def _holds_pairs(column: Iterable[Sequence[str]]) -> bool:
    """Whether the cells of a column are keys with values, or empty."""
    cells = {cell for each in column for cell in each} - {"", "_"}
    return bool(cells) and all(map(PAIRS.fullmatch, cells))


def key_of_tags(column: Iterable[Sequence[str]]) -> str:
    """Key whose values are tags in a column of keys with values; empty where there is none.

    Args:
        column: cells of each sentence.

    >>> key_of_tags([["_", "SpaceAfter=No|NER=B-PER"]]), key_of_tags([["SpaceAfter=No"]])
    ('NER', '')
    """
    column = list(column)
    if not _holds_pairs(column):
        return ""
    values: dict[str, set[str]] = {}
    for cell in {cell for each in column for cell in each} - {"", "_"}:
        for key, value in _pairs(cell).items():
            values.setdefault(key, set()).add(value)
    told = [key for key, tags in values.items() if any(map(TAG.fullmatch, tags)) and all(map(_is_tag, tags))]
    return min(told, default="")


def with_values(table: pd.DataFrame, name: str | None, path: Path, notes: Notes) -> pd.DataFrame:
    """The table, in which a column of keys with values, as MISC of CoNLL-U, holds the tags that are the values of one.

    Args:
        table: table of a CoNLL file.
        name: name of the column of the tags; None changes nothing.
        path: the file, for messages.
        notes: takes a sentence on the key.
    """
    if name is None or name not in table or not (key := key_of_tags(table[name])):
        return table
    notes.say(f"{path}: column {name} holds keys with values, of which {key}= is the tag; words without it are O.")
    table = table.copy()
    table[name] = pd.Series([[_pairs(cell).get(key, "O") for cell in each] for each in table[name]], index=table.index)
    return table


def _pairs(cell: str) -> dict[str, str]:
    """Values in a cell by their keys."""
    parts = (part.partition("=") for part in cell.split("|"))
    return {key: value for key, sign, value in parts if sign}


def _is_tag(cell: str) -> bool:
    """Whether a cell holds a tag with its letter, or one that means outside."""
    return cell in ("O", "", "_", "-") or TAG.fullmatch(cell) is not None


def write_conll(path: str | Path, tokens: Sequence[Sequence[str]], tags: Sequence[Sequence[str] | None]) -> None:
    """Write a CoNLL file: a line for each word, with a tab and its tag, and a blank line after each sentence.

    Args:
        path: file to write.
        tokens: words of each sentence.
        tags: tags of each sentence; None leaves them empty.

    Raises:
        DataError: the ending is not that of a CoNLL file, or a word holds a tab or a line break.
    """
    if ending_of(Path(path)) not in CONLL:
        raise DataError(f"{path}: file name must end in one of {', '.join(CONLL)}")
    lines = []
    for words, labels in zip(tokens, tags, strict=True):
        lines += [f"{word}\t{tag}" for word, tag in zip(words, labels or [""] * len(words), strict=True)] + [""]
    for line in lines:
        if re.search(r"[\r\n]|\t.*\t", line):
            raise DataError(f"{path}: a word may hold no tab and no line's end, got {line!r}")
    write_atomically(Path(path), "\n".join(lines).encode())
