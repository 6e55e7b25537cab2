"""Faulty inputs of sentences with tags: tables of lists, a word a row, texts with spans, and CoNLL files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from faulty.case import Case, Draw
from faulty.columns import in_order
from faulty.conll import of_lines
from faulty.formats import FORMATS, LINE_FAULTS, put
from faulty.labels import reading_options
from faulty.tags import Sentence, as_tagged, corpus
from faulty.texts import sources

LISTS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "json": json.dumps,
    "python": repr,
    "numpy": lambda items: "[" + " ".join(map(repr, items)) + "]",
    "blanks": lambda items: " ".join(map(str, items)),
    "array": lambda items: f"array({items!r}, dtype=object)",
    "tuple": lambda items: repr(tuple(items)),
    "commas": lambda items: ",".join(map(str, items)),
}
"""Ways of writing a list in a cell."""
ODD_CELLS: tuple[Any, ...] = (
    "", None, [], "[]", 3, "x", {"a": 1}, [[]], "[1, 2", float("nan"), [None], [""], "['a', ...]",
)  # fmt: skip
"""Cells that hold no good list."""


def options(draw: Draw, case: Case, types: Sequence[str]) -> None:
    """Options on how tags are read, now and then."""
    if draw.chance(8):
        every = ",".join(["O", *(f"{letter}-{kind}" for kind in types for letter in "BI")])
        case.options["classes"] = draw.rarely(
            draw.one([",".join(types), every]), [f"O,B-{types[0]}", "O,B-X,I-X", "x,x"]
        )
        case.name("X", "x")
    for name, values in (
        ("tags_are", ["types", "bio", "bio"]), ("outside", ["O", "X", "_", types[0]]),
        ("open_words", ["outside", "untagged"]), ("offsets", ["characters", "utf-16", "utf-8"]),
        ("mended", ["take"]), ("sentence_id", ["sentence", "row"]), ("spelling", ["fold", "as-is"]),
    ):  # fmt: skip
        if draw.chance(6):
            case.options[name] = draw.rarely(draw.one(values), ["x"])


def drawn(draw: Draw) -> Case:
    """A faulty input of sentences."""
    form = draw.one(["conll", "conll", "lists", "lists", "lists", "words", "spans", "spans"])
    if form == "conll":
        return of_lines(draw, options)
    ending, types = (
        draw.one([each for each in FORMATS if each != "txt"]),
        draw.one([("PER", "LOC"), ("food", "sport"), ("geo-loc", "B"), ("1", "2")]),
    )
    case = Case("sentences", ending, {"tokens": "tokens", "tags": "tags"})
    case.fault(form)
    case.name(*types)
    options(draw, case, types)
    write = {"lists": _lists, "words": _words, "spans": _spans}[form]
    style = (
        draw.one(list(LISTS)) if ending in ("csv", "tsv", "txt", "xlsx") else draw.rarely("list", ["json", "python"])
    )
    for source, count in sources(draw):
        sentences = corpus(draw, count, types, {"train": 0, "unlabelled": 100, "test": 200}[source])
        tagged = as_tagged(draw, case, sentences, types)
        columns = write(draw, case, tagged, style)
        if source == "unlabelled" and draw.chance(80):
            columns.pop("tags", None)
        before = case.rows
        put(draw, case, source, ending, in_order(draw, case, columns))
        if form == "words" and before is not None and case.rows is not None:  # a row more is a word more
            case.rows = None if {*LINE_FAULTS} & {*case.faults} else before + len(sentences)
    if case.options.get("tags_are") == "types":
        case.classes = None  # each tag is one then, with its letter
    reading_options(draw, case)
    return case


def _odd(draw: Draw, case: Case, columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Columns of which now and then some cells are odd."""
    if columns["tokens"] and draw.chance(15):
        case.fault("odd cells")
        cells, odd = columns[draw.one(list(columns))], draw.one(ODD_CELLS)
        for _ in range(draw.whole(1, 3)):
            cells[draw.whole(0, len(cells) - 1)] = odd
    return columns


def _lists(draw: Draw, case: Case, tagged: Sequence[Sentence], style: str) -> dict[str, list[Any]]:
    write = LISTS[style]
    columns: dict[str, list[Any]] = {"tokens": [], "tags": []}
    for words, tags in tagged:
        columns["tokens"].append(write(words))
        columns["tags"].append(None if tags is None else write(tags))
    if draw.chance(15):
        case.fault("distant")
        case.options["distant"] = "distant"
        silent = draw.one(["", None, "O", "-1", -1, "O"])
        columns["distant"] = [
            None if tags is None else write([tag if draw.chance(60) else silent for tag in tags]) for _, tags in tagged
        ]
    return _odd(draw, case, columns)


def _words(draw: Draw, case: Case, tagged: Sequence[Sentence], style: str) -> dict[str, list[Any]]:
    """A word a row, with a column that numbers the sentences, or with blank rows between them, or with neither."""
    told = draw.rarely(draw.one(["sentence_id", "sentence", "Sentence #", "blank"]), ["none", "apart"])
    columns: dict[str, list[Any]] = {"tokens": [], "tags": []} | ({told: []} if told not in ("blank", "none") else {})
    for number, (words, tags) in enumerate(tagged, start=1):
        each = tags or [None] * len(words)
        each = [*each, *[None] * len(words)][: len(words)]
        columns["tokens"] += words
        columns["tags"] += each
        first = f"Sentence: {number}" if told == "Sentence #" else number
        if told in columns:
            rest = None if told == "Sentence #" else number
            columns[told] += [first, *[rest] * (len(words) - 1)][: len(words)]
        if told == "blank":
            columns["tokens"].append(None)
            columns["tags"].append(None)
    if told == "apart":
        columns[told] = columns[told][::-1]
    if told == "none":
        case.rows = None  # then each word may be a sentence
    return columns


def _spans(draw: Draw, case: Case, tagged: Sequence[Sentence], style: str) -> dict[str, list[Any]]:
    """Texts with spans in one of many forms and units."""
    unit = draw.one(["characters", "characters", "characters", "utf-16", "utf-8", "from 1", "closed"])
    keys = draw.one([None, None, ("start", "end", "label"), ("start_offset", "end_offset", "label"),
                     ("begin", "end", "type"), ("startOffset", "endOffset", "labels"),
                     ("start", "end", "text")])  # fmt: skip
    fault = draw.rarely("", ["outside", "overlap", "empty", "twice", "no type", "within", "number", "swapped", "blank"])
    if fault or unit != "characters":
        case.fault(f"spans {fault or unit}")
    if fault == "no type":
        case.classes = None
    columns: dict[str, list[Any]] = {"tokens": [], "tags": []}
    for words, tags in tagged:
        text = " ".join(str(word) for word in words)
        spans = _spans_of(text, words, tags, unit) if tags is not None else None
        if spans:
            spans = _faulty_spans(spans, fault, len(text))
        if spans is not None and keys:
            spans = [dict(zip(keys, span, strict=True)) for span in spans]
        columns["tokens"].append(text)
        columns["tags"].append({"entities": spans} if spans is not None and draw.chance(2) else spans)
    return _odd(draw, case, columns)


def _spans_of(text: str, words: Sequence[Any], tags: Sequence[Any], unit: str) -> list[list[Any]]:
    """Spans of the words with a tag, each of its own, in a unit."""
    lengths = {"utf-16": lambda t: len(t.encode("utf-16-le")) // 2, "utf-8": lambda t: len(t.encode())}
    length = lengths.get(unit, len)
    found, at = [], 0
    for word, tag in zip(words, tags, strict=False):
        end = at + len(str(word))
        if isinstance(tag, str) and tag[:2] in ("B-", "I-"):
            start, stop = length(text[:at]) + (unit == "from 1"), length(text[:end]) - (unit == "closed")
            found.append([start, stop, tag[2:]])
        at = end + 1
    return found


def _faulty_spans(spans: list[list[Any]], fault: str, length: int) -> list[list[Any]]:
    (start, end, kind), rest = spans[0], spans[1:]
    return {
        "": spans, "outside": [[start, end + length, kind], *rest], "overlap": [*spans, [start, end + 2, kind]],
        "empty": [[start, start, kind], *rest], "twice": [*spans, spans[0]], "no type": [[start, end, None], *rest],
        "within": [[start + 1, end, kind], *rest], "number": [[float(start), str(end), 7], *rest],
        "swapped": [[end, start, kind], *rest], "blank": [[start, end + 1, kind], *rest],
    }[fault]  # fmt: skip
