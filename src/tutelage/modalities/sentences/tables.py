"""Sentences and their tags in CoNLL files, and in tables as lists, a word a row, or as texts with spans.

Errors name the file, the row and the column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from tutelage.modalities.sentences.cells import decoded, given, items, numbers_in, word_list
from tutelage.modalities.sentences.conll import CONLL, write_conll
from tutelage.modalities.sentences.how import Mended, TagsAs
from tutelage.modalities.sentences.open_words import require_words
from tutelage.modalities.sentences.pieces import whole_words
from tutelage.modalities.sentences.place import Faults, Place, Reading
from tutelage.modalities.sentences.running import SAYS, is_running, word_offsets
from tutelage.modalities.sentences.source import Source, are_texts, source_of
from tutelage.modalities.sentences.spans import bio_of_spans
from tutelage.modalities.sentences.spelling import one_spelling
from tutelage.modalities.sentences.tags import bio_tags, labels_of_list, require_declared, tell_mended, written_tags
from tutelage.ops.tags import Offsets, span_rows
from tutelage.tables import UNHEARD, USUAL, Notes, ReadAs
from tutelage.tables.cells import noun

__all__ = ["CONLL", "Sentences", "TagsAs", "read_sentences", "span_rows", "tags_of_values", "write_conll"]

Tags = list[str | None] | None
"""Tags of one sentence; None is an untagged sentence, or a word without a distant tag."""


@dataclass(frozen=True)
class Sentences:
    """Sentences of a file, with their tags.

    Attributes:
        file: name of the file.
        tokens: words of n sentences.
        tags: tags of each sentence, in clean BIO; None is untagged.
        distant: distant tags of each sentence, in clean BIO; None is a sentence, or a word, without.
        rows: number of each sentence's row in a table, or of its first row or line where words have their own, from 1.
        offsets: start and end of each sentence's words in its text; None where the file holds no texts.
        repaired: number of tags and spans in the file that were repaired.
        empty: number of sentences without a word, which are left out.
        mended: first tag or span that was repaired, with its place, before and after; empty where there is none.
        as_written: whether each sentence is a row of the file, with all of its words.
    """

    file: str
    tokens: list[list[str]]
    tags: list[list[str] | None]
    distant: list[Tags]
    rows: list[int]
    offsets: list[Offsets] | None
    repaired: int
    empty: int = 0
    mended: str = ""
    as_written: bool = True

    def __len__(self) -> int:
        return len(self.tokens)

    def where(self, keep: np.ndarray) -> Sentences:
        """Sentences that the mask ``keep``, (n,), selects; the counts stay those of the file."""
        i = np.flatnonzero(keep)
        names = [f for f in ("tokens", "tags", "distant", "rows", "offsets") if getattr(self, f) is not None]
        return Sentences(**{**vars(self), **{f: [getattr(self, f)[j] for j in i] for f in names}})


class _Tagged(NamedTuple):
    """Sentences with their columns of tags.

    Attributes:
        words: words of each sentence.
        columns: columns of tags, in clean BIO.
        mended: what was mended in each column.
        offsets: start and end of each sentence's words in its text; None of lists.
        as_written: whether all words are those of the file.
    """

    words: list[list[str]]
    columns: list[list[Tags]]
    mended: list[Mended]
    offsets: list[Offsets] | None = None
    as_written: bool = True


def read_sentences(
    path: str | Path,
    tokens: str = "tokens",
    tags: str | None = None,
    distant: str | None = None,
    how: ReadAs = USUAL,
    notes: Notes = UNHEARD,
    needed: Sequence[str] | None = None,
    tags_as: TagsAs | None = None,
    only_words: bool = False,
) -> Sentences:
    """Sentences and tags of a CoNLL file (.conll, .txt, .bio, .iob) or a table.

    In a CoNLL file columns are numbered from 0. The word is in the first unless ``tokens`` is a number, or the first
    numbers the words; the tag is in the last unless ``tags`` is a number or ``distant`` is given. In jsonl and parquet
    files a cell of tokens is a list of words, or a text: then tags are spans, [start, end, type] or objects with these,
    and [] means no entity. In csv and tsv files a cell is a list of JSON or Python, or words separated by spaces;
    running text without tags is cut at the word boundaries of Unicode. A table may also hold a word a row. Tags may be
    numbers, with names or each a type: then 0 is outside. None and negative numbers are words without a tag. An empty
    cell, or an empty list of tags, is an untagged sentence.

    Args:
        path: the file.
        tokens, tags, distant: names of the columns of the sentences, tags and distant tags; None reads none.
        how: how the file is read.
        notes: takes what is noticed.
        needed: columns of tags that must exist, while others are passed over where they are missing; None needs all.
        tags_as: how tags are read, as far as the user says it.
        only_words: whether no tags are read, not even the last column of a CoNLL file.

    Raises:
        DataError: as `read_table`; or there is no such column; a word is no text, or blank; the numbers of tags and
            words differ; a tag is none of its column's scheme; a span is outside the text, empty, or overlaps another;
            or there is no sentence.
    """
    path = path if isinstance(path, Path) else Path(path)  # a block of a table stays one
    tags_as = tags_as or TagsAs()
    reading = Reading(tags_as, Faults(notes, bool(getattr(how, "skip_bad", False))))
    columns = None if only_words else (tags, distant)
    source = source_of(path, tokens, columns, how, notes, needed, tags_as)
    of_tags = [source.cells_of(name, reading.faults) for name in source.columns]
    texts = are_texts(source, of_tags) or _is_running(source, of_tags, reading)
    found = (_of_texts if texts else _of_lists)(source, of_tags, reading)
    return _checked(source, found, reading)


def _is_running(source: Source, of_tags: Sequence[list[object]], reading: Reading) -> bool:
    """Whether a file without tags holds running text; it is then said how it is cut into words."""
    if not source.of_text or source.gathered or any(cell is not None for cells in of_tags for cell in cells):
        return False
    if not is_running(source.cells):
        return False
    reading.notes.say(
        f"{source.path}: column {source.tokens!r} holds running text, which is cut into words {SAYS}, so that marks "
        "are words of their own; text whose words and marks have blanks between them is cut at the blanks."
    )
    return True


def _checked(source: Source, found: _Tagged, reading: Reading) -> Sentences:
    """Sentences that have words and can be read; what was mended is said."""
    for name, column, mended in zip(source.columns, found.columns, found.mended, strict=True):
        require_declared(source.place(name or ""), column, reading.how, reading.faults)
        tell_mended(source.place(name or ""), mended, reading.how, reading.notes)
    path, full = str(source.path), np.array([bool(sentence) for sentence in found.words], dtype=bool)
    kept = reading.faults.kept(len(full), path)
    empty = ~full
    empty[list(reading.faults.found)] = False  # they are named as rows that cannot be read
    if not full.any() and not reading.faults.found:
        reading.notes.fault(f"{path}: the file has no sentences")
    gold, weak = found.columns
    return Sentences(
        path, found.words, cast(list[list[str] | None], gold), weak, source.rows, found.offsets,
        sum(each.count for each in found.mended), int(empty.sum()),
        next((each.first for each in found.mended if each.first), ""), found.as_written and not source.gathered,
    ).where(full & kept)  # fmt: skip


def _of_texts(source: Source, of_tags: Sequence[list[object]], reading: Reading) -> _Tagged:
    """Texts whose tags are spans."""
    cells = source.cells
    offsets: list[Offsets] = reading.faults.each(source.place(), _word_offsets, cells, other=[])
    texts = [cell if isinstance(cell, str) else "" for cell in cells]
    words = [[text[a:b] for a, b in places] for text, places in zip(texts, offsets, strict=True)]
    columns: list[list[Tags]] = []
    mended = []
    for name, spans in zip(source.columns, of_tags, strict=True):
        if all(cell is None for cell in spans):
            columns.append([None] * len(spans))
            mended.append(Mended())
            continue
        unit = source.table.attrs.get("offsets")
        names = reading.how.names or source.names.get(name or "", ())
        tags, each = bio_of_spans(source.place(name or ""), spans, texts, offsets, names, reading, unit)
        columns.append(tags)
        mended.append(each)
    if source.of_text:
        reading.notes.say(
            f"{source.path}: column {source.tokens!r} holds texts with spans, which are cut into words {SAYS}, so that "
            "marks are words of their own."
        )
    return _Tagged(words, one_spelling(source.place(), columns, reading.how, reading.notes), mended, offsets)


def _of_lists(source: Source, of_tags: Sequence[list[object]], reading: Reading) -> _Tagged:
    """Lists of words with as many tags."""
    faults, notes, at = reading.faults, reading.notes, source.place()
    cells = faults.each(at, decoded, source.cells, other=None) if source.of_text else source.cells
    written: list[list[str]] = faults.each(at, word_list, cells, other=[])
    numbers = sum(map(numbers_in, cells))
    if numbers:
        are = "word is a number, read as a text" if numbers == 1 else "words are numbers, which are read as texts"
        notes.say(f"{at.whole}: {numbers} {are}.")
    places = [source.place(name or "") for name in source.columns]
    labels = [_labels(each, of, written, reading) for each, of in zip(places, of_tags, strict=True)]
    names = [source.names.get(name or "", ()) for name in source.columns]
    words, columns, mended = _in_bio(at, places, written, labels, names, reading)
    return _Tagged(words, columns, mended, as_written=words == written)


def _labels(at: Place, cells: Sequence[object], words: Sequence[list[str]], reading: Reading) -> list[Tags]:
    """Tags as they are written, of each sentence."""
    if all(cell is None for cell in cells):
        return [None] * len(cells)
    labels: list[Tags] = reading.faults.each(at, labels_of_list, cells, words, other=None)
    cut = [i for i, tags in enumerate(labels) if tags is not None and len(items(cells[i])) != len(tags)]
    if cut:
        reading.notes.say(
            f"{at.whole}: {len(cut)} sentences have more tags than words, and as many without those that are -100, "
            f"which are left out; the first is {at.row(cut[0])}."
        )
    return labels


def _in_bio(
    at: Place, places: Sequence[Place], words: list[list[str]], labels: list[list[Tags]],
    names: Sequence[Sequence[str]], reading: Reading,
) -> tuple[list[list[str]], list[list[Tags]], list[Mended]]:  # fmt: skip
    """Words, tags in clean BIO, and what was mended, of lists of words with two columns of tags: clean and distant."""
    require_words(at, places[0], words, labels[0], reading.notes)
    words, labels = whole_words(at, words, labels, reading.notes)
    plain = [
        written_tags(place, of, words, known, open_words, reading)
        for place, of, known, open_words in zip(places, labels, names, (False, True), strict=True)
    ]
    plain = one_spelling(at, plain, reading.how, reading.notes)
    read = [bio_tags(place, tags, words, reading.faults) for place, tags in zip(places, plain, strict=True)]
    return words, [tags for tags, _ in read], [mended for _, mended in read]


def tags_of_values(
    X: list[list[str]], y: Sequence[object], distant: Sequence[object], argument: str = "X", how: TagsAs | None = None,
    notes: Notes = UNHEARD,
) -> Sentences:  # fmt: skip
    """Sentences and tags that are Python values.

    Args:
        X: n sentences, each a list of words.
        y, distant: lists of tags, n each; None is an untagged sentence.
        argument: name of the argument that holds the sentences, for messages.
        how: how tags are read, as far as the user says it.
        notes: takes what is noticed.

    Raises:
        ValueError: the numbers of tags and words differ, or a tag is of no scheme; the message names the place.
    """
    reading, rows = Reading(how or TagsAs(), Faults(notes)), range(len(X))
    places = [Place("", "y", rows), Place("", "distant", rows)]
    labels = [_labels(at, cells, X, reading) for at, cells in zip(places, (y, distant), strict=True)]
    words, columns, mended = _in_bio(Place("", argument, rows), places, X, labels, ((), ()), reading)
    for at, column, each in zip(places, columns, mended, strict=True):
        require_declared(at, column, reading.how, reading.faults)
        if each.many:
            tell_mended(at, each, reading.how, notes)
    gold, weak = columns
    repaired, first = sum(each.count for each in mended), next((each.first for each in mended if each.first), "")
    tags = cast(list[list[str] | None], gold)
    return Sentences(argument, words, tags, weak, list(rows), None, repaired, mended=first, as_written=words == X)


def _word_offsets(cell: object) -> Offsets:
    """Start and end of each word of a text."""
    if given(cell) and not isinstance(cell, str):
        raise ValueError(f"not text but {noun(cell)}")
    return word_offsets(cell) if isinstance(cell, str) else []
