"""Faulty CoNLL files: columns in several orders, comments, documents, and odd lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from faulty.case import Case, Draw
from faulty.formats import damaged, packed
from faulty.labels import reading_options
from faulty.tags import Sentence, as_tagged, corpus
from faulty.texts import sources

COLUMNS: dict[str, Callable[[int, str, str], list[str]]] = {
    "word tag": lambda i, word, tag: [word, tag],
    "word pos tag": lambda i, word, tag: [word, "NN" if i % 2 else "DT", tag],
    "number word tag": lambda i, word, tag: [str(i + 1), word, tag],
    "tag word": lambda i, word, tag: [tag, word],
    "conllu": lambda i, word, tag: [str(i + 1), word, word.lower(), "NOUN", "_", "_", "0", "root", "_", f"NE={tag}"],
    "2003": lambda i, word, tag: [word, "NN", "B-NP", tag],
    "misc last": lambda i, word, tag: [word, tag, "_"],
    "word": lambda i, word, tag: [word],
    "wnut": lambda i, word, tag: [word, tag],
}
"""Columns of a line, by the name of the layout: functions of the number of the word, the word and the tag."""
ODD_LINES = ("# a comment", "# sent_id = 3", "#hashtag O", "-DOCSTART- O", "-DOCSTART- -X- -X- O", "\t", "x",
    "x\ty\tz\tu\tv\tw",
             "x  O", "1-2\tam\t_", "O", "\ufeffx O", "-DOCEND-", " ", "x y O", "<doc>", "...")  # fmt: skip
"""Lines that are no words with their tags, or look so."""


def _lines(draw: Draw, sentences: Sequence[Sentence], layout: str, between: str) -> list[str]:
    write = COLUMNS[layout]
    lines = ["-DOCSTART- -X- -X- O", ""] if draw.chance(15) else []
    for number, (words, tags) in enumerate(sentences, start=1):
        if draw.chance(10):
            lines.append(f"# sent_id = {number}")
        each = [*(tags or []), *[""] * len(words)]
        for i, word in enumerate(words):
            cells = write(i, str(word), "" if each[i] is None else str(each[i]))
            lines.append(between.join(cells))
        lines.append("")
    return lines


def of_lines(draw: Draw, options: Callable[[Draw, Case, Sequence[str]], None]) -> Case:
    """A faulty input of CoNLL files."""
    ending, types = (
        draw.one([".conll", ".txt", ".bio", ".iob2", ".conllu"]),
        draw.one([("PER", "LOC"), ("geo-loc", "MISC")]),
    )
    layout, between = draw.one(list(COLUMNS)), draw.one([" ", "\t", "\t", "  "])
    case = Case("sentences", "CoNLL", {"tokens": draw.rarely("word", ["0", "1"]), "tags": "tag"})
    case.fault(layout)
    case.name(*types)
    options(draw, case, types)
    if draw.chance(15):
        case.options["tags"] = draw.rarely(draw.one(["1", "2", "3"]), ["9", "-1"])
        case.classes = None  # another column has other types
    for source, count in sources(draw):
        sentences = corpus(draw, count, types, {"train": 0, "unlabelled": 100, "test": 200}[source])
        lines = _lines(draw, as_tagged(draw, case, sentences, types), layout, between)
        rows: int | None = len(sentences)
        for odd in draw.some(ODD_LINES, draw.one([0, 0, 0, 1, 2])):
            case.fault("odd line")
            lines.insert(draw.whole(0, len(lines)), odd)
            rows = case.classes = None
        if draw.chance(5):
            lines = [line for line in lines if line]  # without blank lines
            rows = None
        end = draw.one(["\n", "\n", "\r\n"])
        text = end.join([*lines, ""]).encode(draw.one(["utf-8", "utf-8", "utf-8-sig", "utf-16"]))
        data, _ = damaged(draw, text, case, None)
        rows = rows if data == text else None  # a line more or less is a word, or the end of a sentence
        name, data = packed(draw, f"{source}{ending}", data)
        case.content[name], case.sources[source] = data, name
        case.counts(rows)
    if layout in ("tag word", "conllu", "misc last", "word", "2003") or case.options.get("tags_are") == "types":
        case.classes = None  # a user may have to name the columns
    reading_options(draw, case)
    return case
