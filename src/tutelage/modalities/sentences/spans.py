"""Tags made of spans of texts, as many tools write them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tutelage.modalities.sentences.cells import given, items
from tutelage.modalities.sentences.how import Mended
from tutelage.modalities.sentences.offsets import Counting, RawSpan, Texts, counting_of, same, trimmed
from tutelage.modalities.sentences.place import Place, Reading
from tutelage.modalities.sentences.spelling import visible
from tutelage.ops.tags import Offsets, Span, from_spans
from tutelage.tables import Notes

STARTS = ("start", "start_offset", "startOffset", "start_char", "begin", "begin_offset", "from", "offset")
"""Keys of a span's first place."""
ENDS = ("end", "end_offset", "endOffset", "end_char", "stop", "to")
"""Keys of the place behind a span's last."""
TYPES = ("label", "type", "labels", "entity", "entity_group", "tag", "class", "category", "entity_type", "types")
"""Keys of a span's type."""
REPEATED = ("text", "word", "surface", "mention", "value", "string")
"""Keys of the text that a span repeats."""
NO_TYPE = ("o", "outside", "none", "null", "nil", "no_entity", "non_entity", "background")
"""Types of spans, in lower case, that mean that there is no entity."""
SEVERAL = 5
"""Number of empty lists from which on they are said."""
WITHIN = ("entities", "spans", "ents", "annotations", "labels", "label", "result")
"""Keys of a list of spans in an object."""


Tags = list[str | None] | None
"""Tags of one sentence; None is an untagged sentence, or a word without a tag."""
Read = tuple[Tags, int, str]
"""Tags of one sentence, number of spans that were mended, and the first of them in words."""


def bio_of_spans(
    at: Place, cells: Sequence[object], texts: Sequence[str], words: Sequence[Offsets], names: Sequence[str],
    reading: Reading, unit: str | None = None,
) -> tuple[list[Tags], Mended]:  # fmt: skip
    """Tags in clean BIO of each sentence, and what was mended.

    Args:
        at: the column.
        cells: lists of spans; an empty cell is an untagged sentence.
        texts: the texts.
        words: start and end of each text's words.
        names: names of the types, where spans have their numbers.
        reading: how tags are read; takes what is noticed.
        unit: unit of the offsets, see `offsets.NAMED`, as the file says; None finds it out.
    """
    faults, notes = reading.faults, reading.notes
    written: list[list[RawSpan]] = faults.each(at, lambda cell: _spans(cell, names), cells, other=[])
    _tell_empty(at, cells, written, notes)
    spans = written if reading.how.spelling == "as-is" else _seen(at, written, notes)
    given_so = Texts(texts, words, spans)
    how = counting_of(at, given_so, notes, reading.how.offsets or unit)
    spans = faults.each(at, lambda i: _counted(given_so, i, how), range(len(texts)), other=[])
    spans = faults.each(at, _as_repeated, spans, texts, other=[])
    spans = _pieces_joined(at, spans, texts, notes)
    spans = _told_once(at, _without_outside(at, spans, reading), notes)
    shown: list[Read] = faults.each(at, _tags, cells, spans, texts, words, other=(None, 0, ""))
    _tell_blanks(at, spans, texts, notes)
    first = next((f"{at.row(i)}: {said}" for i, (_, _, said) in enumerate(shown) if said), "")
    return [tags for tags, _, _ in shown], Mended(sum(n for _, n, _ in shown), sum(map(len, spans)), first)


def _tell_empty(at: Place, cells: Sequence[object], spans: Sequence[Sequence[RawSpan]], notes: Notes) -> None:
    """Say how many cells have an empty list, unless the export of a tool says it."""
    empty = [i for i, (cell, each) in enumerate(zip(cells, spans, strict=True)) if given(cell) and not each]
    if len(empty) >= SEVERAL and not any(file.made for file in notes.files if file.file == at.source):
        notes.say(
            f"{at.whole}: {len(empty)} rows have an empty list, a text without an entity (first: {at.row(empty[0])}); "
            "empty the cell of a text that nobody looked at."
        )


def _seen(at: Place, spans: list[list[RawSpan]], notes: Notes) -> list[list[RawSpan]]:
    """Spans whose types have no signs that are not seen, which is said."""
    hidden = [span.kind for each in spans for span in each if visible(span.kind) != span.kind]
    if not hidden:
        return spans
    notes.say(
        f"{at.whole}: types of {len(hidden)} spans hold signs that are not seen, which are left out: {hidden[0]!a}."
    )
    return [[span._replace(kind=visible(span.kind)) for span in each] for each in spans]


def _spans(cell: object, names: Sequence[str]) -> list[RawSpan]:
    """Spans in a cell."""
    if isinstance(cell, dict):
        columns = [key for key in cell if isinstance(cell[key], (list, np.ndarray))]
        inner = next((cell[key] for key in WITHIN if key in columns), None)
        if len(columns) > 1 and any(key in cell for key in STARTS):  # a list for each key, as datasets keep them
            cell = [dict(zip(columns, each, strict=True)) for each in zip(*(cell[c] for c in columns), strict=True)]
        elif inner is not None:
            cell = inner
    return [_span(item, names) for item in items(cell)]


def _span(item: object, names: Sequence[str]) -> RawSpan:
    """A span as a list, or as an object with keys."""
    repeated: object = None
    if isinstance(item, np.ndarray):
        item = item.tolist()
    shown = item
    if isinstance(item, dict):
        start, end, kind, repeated = (_of(item, keys) for keys in (STARTS, ENDS, TYPES, REPEATED))
        if end is None and isinstance(item.get("length"), int) and isinstance(start, int):
            end = start + item["length"]
        item = shown = [start, end, kind]
    if isinstance(item, tuple):
        item = list(item)
    if isinstance(item, list) and len(item) == 4 and isinstance(item[3], str):
        item, repeated = item[:3], item[3]
    if isinstance(item, list) and len(item) == 3:
        item = [*item[1:], item[0]] if isinstance(item[0], str) and type(item[1]) is type(item[2]) is int else item
        start, end, kind = _whole(item[0]), _whole(item[1]), _kind(item[2], names)
        if type(start) is type(end) is int and isinstance(kind, str) and kind.strip():
            return RawSpan(start, end, kind, repeated if isinstance(repeated, str) and repeated.strip() else None)
    hint = "; tags of words need lists of words in place of texts" if isinstance(shown, str) else ""
    raise ValueError(f"a span must be [start, end, type] or have start, end and label or type, got {shown!r}{hint}")


def _of(item: Mapping[str, object], keys: Sequence[str]) -> object:
    return next((item[key] for key in keys if item.get(key) is not None), None)


def _whole(value: object) -> object:
    """A number as int where it is whole, as tables with gaps hold it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _kind(value: object, names: Sequence[str]) -> object:
    """Type of a span: the only one of a list, or the name of a number."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        if len(value) > 1:
            raise ValueError(f"a span must have one type, got {list(value)!r}")
        value = next(iter(value), None)
    return names[value] if type(value) is int and 0 <= value < len(names) else value


def _counted(given_so: Texts, i: int, how: Counting) -> list[RawSpan]:
    """Spans of a text in characters, each of which lies in the text."""
    spans = given_so.counted(i, how)
    for old, new in zip(given_so.spans[i], spans, strict=True):
        if not 0 <= new.start < new.end <= len(given_so.texts[i]):
            length, shown = len(given_so.texts[i]), (old.start, old.end, old.kind)
            ways = f"; it is counted {how.words()}" if how != Counting() else ""
            raise ValueError(f"span {shown} must have 0 <= start < end <= {length}, the length of the text{ways}")
    return spans


def _as_repeated(spans: list[RawSpan], text: str) -> list[RawSpan]:
    """The spans, each of which is the text that it repeats."""
    for span in spans:
        found = text[span.start : span.end]
        if span.text is not None and not same(span.text, found):
            raise ValueError(
                f"span {(span.start, span.end, span.kind)} is said to be {span.text[:40]!r}, but the text has "
                f"{found[:40]!r} there"
            )
    return spans


def _pieces_joined(at: Place, spans: list[list[RawSpan]], texts: Sequence[str], notes: Notes) -> list[list[RawSpan]]:
    """Spans of entities, where the file has one for each word, with B- and I- before the type."""
    kinds = {span.kind for each in spans for span in each}
    if not any(kind.startswith("I-") for kind in kinds) or not all(re.fullmatch(r"[BI]-.+", kind) for kind in kinds):
        return spans
    joined = []
    for each, text in zip(spans, texts, strict=True):
        found: list[RawSpan] = []
        for span in sorted(each, key=lambda s: (s.start, s.end)):
            before = found[-1] if found else None
            near = before is not None and before.kind == span.kind[2:] and not text[before.end : span.start].strip()
            if before is not None and near and span.kind[0] == "I" and before.end <= span.start:
                found[-1] = before._replace(end=span.end, text=None)
            else:
                found.append(span._replace(kind=span.kind[2:]))
        joined.append(found)
    count = sum(map(len, spans)) - sum(map(len, joined))
    notes.say(f"{at.whole}: types begin with B- and I-, so {count} spans are joined to the one before them.")
    return joined


def _without_outside(at: Place, spans: list[list[RawSpan]], reading: Reading) -> list[list[RawSpan]]:
    """The spans without those of the type that means outside; it is asked where a type seems to mean that."""
    outside = reading.how.outside
    counts = Counter(span.kind for each in spans for span in each)
    if outside is not None and outside in counts:
        reading.notes.say(
            f"{at.whole}: {counts[outside]} spans of the type {outside!r} are left out: they are outside."
        )
        return [[span for span in each if span.kind != outside] for each in spans]
    for kind in counts if reading.how.tags_are != "types" else ():
        if kind.lower() in NO_TYPE:
            first = next(i for i, each in enumerate(spans) if any(span.kind == kind for span in each))
            reading.notes.ask(
                f"{at.whole}: {counts[kind]} spans have the type {kind!r}, which may mean that there is no entity; the "
                f"first in {at.row(first)}",
                at.option("outside", kind) + " (such spans are left out)",
                at.option("tags_are", "types") + " (it is a type)",
                halts=True,
                page="tag-notation",
            )
    return spans


def _told_once(at: Place, spans: list[list[RawSpan]], notes: Notes) -> list[list[RawSpan]]:
    """The spans without those that are told twice."""
    once = [list({s[:3]: s for s in each}.values()) for each in spans]
    twice = [i for i, (a, b) in enumerate(zip(spans, once, strict=True)) if len(a) != len(b)]
    if twice:
        count = sum(len(spans[i]) - len(once[i]) for i in twice)
        notes.say(f"{at.whole}: {count} spans are told twice and count once, in {at.named(twice)}.")
    return once


def _tags(cell: object, spans: list[RawSpan], text: str, words: Offsets) -> Read:
    """Tags of one sentence."""
    plain: list[Span] = [(*trimmed(text, s.start, s.end), s.kind) for s in spans]
    for start, end, kind in plain:
        if not text[start:end].strip():
            raise ValueError(f"span {(start, end, kind)} covers no word")
    tags, mended = from_spans(words, plain, len(text))
    said = ""
    if mended:
        starts, ends = {a for a, _ in words}, {b for _, b in words}
        start, end, _ = next(s for s in sorted(plain) if s[0] not in starts or s[1] not in ends)
        touched = [word for word in words if word[0] < end and word[1] > start]
        said = f"{text[start:end]!r} -> {text[touched[0][0] : touched[-1][1]]!r}"
    return (list(tags) if given(cell) else None), mended, said


def _tell_blanks(at: Place, spans: Sequence[Sequence[RawSpan]], texts: Sequence[str], notes: Notes) -> None:
    """Say how many spans begin or end with a blank."""
    blank = [
        i for i, each in enumerate(spans) for s in each if texts[i][s.start].isspace() or texts[i][s.end - 1].isspace()
    ]
    if blank:
        first = at.row(blank[0])
        notes.say(f"{at.whole}: {len(blank)} spans begin or end with a blank, which is left out, first in {first}.")
