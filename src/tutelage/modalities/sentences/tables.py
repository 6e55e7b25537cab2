"""Sentences and their tags in CoNLL files, and in tables as lists or as texts with spans.

Errors name the file, the row and the column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import pandas as pd

from tutelage.data.tables import FORMATS, DataError, as_label, column, ending_of, read_table, undecodable
from tutelage.ops.tags import Offsets, Scheme, Span, from_spans, scheme, span_rows, to_bio

__all__ = ["CONLL", "Sentences", "read_sentences", "span_rows", "write_conll"]

CONLL = (".conll", ".txt", ".bio", ".iob")
"""Endings of CoNLL files."""
WORD = re.compile(r"\w+|[^\w\s]")
"""Pattern of a word in a text: letters and digits, or one other character."""
Tags = list[str | None] | None
"""Tags of one sentence; None is an untagged sentence, or a word without a distant tag."""
T = TypeVar("T")
"""Type of a result."""


@dataclass(frozen=True)
class Sentences:
    """Sentences of a file, with their tags.

    Attributes:
        file: name of the file.
        tokens: words of n sentences.
        tags: tags of each sentence, in clean BIO; None is untagged.
        distant: distant tags of each sentence, in clean BIO; None is a sentence, or a word, without.
        rows: number of each sentence's row in a table, or of its first line in a CoNLL file, from 1.
        offsets: start and end of each sentence's words in its text; None where the file holds no texts.
        repaired: number of tags and spans in the file that were repaired.
        empty: number of sentences without a word, which are left out.
    """

    file: str
    tokens: list[list[str]]
    tags: list[list[str] | None]
    distant: list[Tags]
    rows: list[int]
    offsets: list[Offsets] | None
    repaired: int
    empty: int = 0

    def __len__(self) -> int:
        return len(self.tokens)

    def where(self, keep: np.ndarray) -> Sentences:
        """Sentences that the mask ``keep``, (n,), selects; the counts stay those of the file."""
        i = np.flatnonzero(keep)
        names = [f for f in ("tokens", "tags", "distant", "rows", "offsets") if getattr(self, f) is not None]
        return Sentences(**{**vars(self), **{f: [getattr(self, f)[j] for j in i] for f in names}})


@dataclass(frozen=True)
class _Place:
    """A column of a file, with the numbers of its rows."""

    file: Path
    name: str
    rows: list[int]

    def each(self, read: Callable[..., T], *columns: Iterable[object]) -> list[T]:
        """Results of ``read`` for each row's cells; a ValueError becomes a DataError that names the place."""
        found = []
        for row, *cells in zip(self.rows, *columns, strict=True):
            try:
                found.append(read(*cells))
            except ValueError as e:
                raise DataError(f"{self.file}, row {row}, column {self.name!r}: {e}") from e
        return found


def read_sentences(
    path: str | Path,
    tokens: str = "tokens",
    tags: str | None = None,
    distant: str | None = None,
    charset: str = "utf-8",
    must_have: bool = True,
) -> Sentences:
    """Sentences and tags of a CoNLL file (.conll, .txt, .bio, .iob) or a table.

    In a CoNLL file columns are numbered from 0. The word is in the first unless ``tokens`` is a number; the tag is in
    the last unless ``tags`` is a number or ``distant`` is given. In jsonl and parquet files a cell of tokens is a list
    of words, or a text: then tags are spans, [start, end, type] or {"start", "end", "label" or "type"}, and [] means no
    entity. In csv and tsv files a cell is a JSON list, or words separated by spaces. Tags may be numbers: 0 is outside,
    others are types, and -1 in ``distant`` is a word without a distant tag. An empty cell, or an empty list of tags, is
    an untagged sentence.

    Args:
        path: the file.
        tokens, tags, distant: names of the columns of the sentences, tags and distant tags; None reads none.
        charset: character set of a CoNLL, csv, tsv or jsonl file.
        must_have: whether the columns of tags must exist; else a missing one is skipped.

    Raises:
        DataError: as `read_table`; or there is no such column; a word is no text, or blank; the numbers of tags and
            words differ; a tag is none of its column's scheme; a span is outside the text, empty, or overlaps another;
            or there is no sentence.
    """
    path = Path(path)
    if ending_of(path) in CONLL and path.exists():
        table = _read_conll(path, charset)
        tokens = tokens if tokens.isdigit() else "0"
        if distant is None and not (tags and tags.isdigit()):
            tags = table.columns[-1] if len(table.columns) > 1 else None
    elif ending_of(path) in FORMATS or not path.exists():
        table = read_table(path, charset)
        table.index = pd.RangeIndex(1, len(table) + 1)
    else:
        raise DataError(f"{path}: file name must end in one of {', '.join(CONLL + FORMATS)}")
    rows, cells = table.index.tolist(), column(table, tokens, path).tolist()
    at = _Place(path, tokens, rows)
    offsets: list[Offsets] | None = None
    if ending_of(path) in (".jsonl", ".parquet") and isinstance(next(filter(_given, cells), None), str):
        offsets = at.each(_word_offsets, cells)
        words = [[text[a:b] for a, b in places] for text, places in zip(cells, offsets, strict=True)]
    else:
        words = at.each(_word_list, at.each(_decoded, cells) if ending_of(path) in (".csv", ".tsv") else cells)
    read, repaired = [], 0
    for name, open_words in ((tags, False), (distant, True)):
        at = _Place(path, name or "", rows)
        given: list[object] = [None] * len(rows)
        if name is not None and (must_have or name in table.columns):
            given = at.each(_decoded, column(table, name, path))
        if offsets is None:
            mended = _bio_of_lists(at, given, words, open_words)
        else:
            mended = at.each(_bio_of_spans, given, cells, offsets)
        read.append([sentence for sentence, _ in mended])
        repaired += sum(number for _, number in mended)
    full = np.array([bool(sentence) for sentence in words])
    if not full.any():
        raise DataError(f"{path}: the file has no sentences")
    gold = cast(list[list[str] | None], read[0])
    return Sentences(str(path), words, gold, read[1], rows, offsets, repaired, int((~full).sum())).where(full)


def _read_conll(path: Path, charset: str) -> pd.DataFrame:
    """Table of a CoNLL file: a row for each sentence, numbered by its first line, with cells that are lists.

    The columns are named by their numbers.
    """
    try:
        lines = path.read_text("utf-8-sig" if charset.lower() in ("utf-8", "utf8") else charset).split("\n")
    except UnicodeDecodeError as e:
        raise DataError(undecodable(path, charset, e)) from e
    except LookupError as e:
        raise DataError(f"charset {charset!r} is not known") from e
    sentences: dict[int, list[list[str]]] = {}
    begin = width = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            begin = 0
            continue
        cells = re.split(r" *\t *" if "\t" in line else " +", line.strip(" "))
        begin, width = begin or number, width or len(cells)
        if len(cells) != width:
            raise DataError(f"{path}, row {number}: {len(cells)} columns where row {min(sentences)} has {width}")
        sentences.setdefault(begin, []).append(cells)
    columns = {str(k): [[cells[k] for cells in s] for s in sentences.values()] for k in range(max(width, 1))}
    return pd.DataFrame(columns, index=list(sentences))


def _given(cell: object) -> bool:
    return isinstance(cell, (list, dict, np.ndarray)) or as_label(cell) is not None


def _decoded(cell: object) -> object:
    """List in a cell of text: JSON, or words separated by spaces; a cell that is no text is returned as it is."""
    if not isinstance(cell, str):
        return cell
    parts = cell.split()
    if parts and parts[0].startswith("[") and parts[-1].endswith("]"):
        try:
            return json.loads(cell)
        except json.JSONDecodeError as e:
            if (parts[0], parts[-1]) != ("[", "]"):  # else brackets that are words
                raise ValueError(f"not a JSON list: {' '.join(parts)[:40]}") from e
    return parts or None


def _items(cell: object) -> list[object]:
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if _given(cell) and not isinstance(cell, list):
        raise ValueError(f"not a list but {type(cell).__name__}")
    return cell if isinstance(cell, list) else []


def _word_list(cell: object) -> list[str]:
    words = _items(cell)
    for position, word in enumerate(words, start=1):
        if not isinstance(word, str) or not word.strip():
            raise ValueError(f"word {position} must be text and not blank, got {word!r}")
    return cast(list[str], words)


def _word_offsets(cell: object) -> Offsets:
    if _given(cell) and not isinstance(cell, str):
        raise ValueError(f"not text but {type(cell).__name__}")
    return [match.span() for match in WORD.finditer(cell)] if isinstance(cell, str) else []


def _bio_of_lists(at: _Place, cells: list[object], words: list[list[str]], open_words: bool) -> list[tuple[Tags, int]]:
    """Tags in clean BIO, and number of repairs, of each sentence; the whole column has one scheme."""
    labels = at.each(tags_of_list, cells, words, [open_words] * len(words))
    kind = scheme_of(labels)
    return at.each(clean_bio, labels, [kind] * len(words))


def tags_of_list(cell: object, words: list[str], open_words: bool) -> Tags:
    """Tags of a sentence as they are written; None for a sentence, or a word, without.

    Args:
        cell: list of tags; None or an empty list is an untagged sentence.
        words: words of the sentence.
        open_words: whether words without a tag are allowed.

    Raises:
        ValueError: the cell is no list of tags, their number is not that of the words, or a word lacks its tag.

    >>> tags_of_list(["B-PER", None], ["Ada", "left"], True), tags_of_list(None, ["Ada", "left"], False)
    (['B-PER', None], None)
    """
    items = _items(cell)
    if items and len(items) != len(words):
        raise ValueError(f"{len(items)} tags for {len(words)} words")
    if any(isinstance(item, (list, dict)) for item in items):
        raise ValueError(f"a tag must be text or a number, got {str(items)[:60]}")
    given = [as_label(item) for item in items]
    labels = [None if label == "-1" else label for label in given]
    if any(given) and not all(labels) and not open_words:
        position = labels.index(None)
        raise ValueError(f"tag {position + 1} is {items[position]!r}; only a distant column may leave words open")
    return labels if any(given) or (open_words and items) else None


def scheme_of(sentences: Iterable[Tags]) -> Scheme:
    """Scheme of the tags of sentences, some of which, or words of which, may have no tag."""
    return scheme([label or "O" for label in sentence or []] for sentence in sentences)


def clean_bio(labels: Tags, kind: Scheme) -> tuple[Tags, int]:
    """Tags of a sentence in clean BIO, and the number of repairs.

    Args:
        labels: tags of the sentence, as they are written.
        kind: scheme of these tags.
    """
    clean, repaired = to_bio([label or "O" for label in labels or []], kind)
    return labels and [new if label else None for new, label in zip(clean, labels, strict=True)], repaired


def _bio_of_spans(cell: object, text: object, words: Offsets) -> tuple[Tags, int]:
    length = len(text) if isinstance(text, str) else 0
    tags, repaired = from_spans(words, [_span(item) for item in _items(cell)], length)
    return (list(tags) if _given(cell) else None), repaired


def _span(item: object) -> Span:
    if isinstance(item, dict):
        item = [item.get("start"), item.get("end"), item.get("label") or item.get("type")]
    if isinstance(item, list) and [type(part) for part in item] == [int, int, str]:
        return item[0], item[1], item[2]
    raise ValueError(f"a span must be [start, end, type] or have start, end and label or type, got {item!r}")


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
    Path(path).write_text("\n".join(lines), encoding="utf-8", newline="\n")
