"""However a tool writes tags: what is read is what was meant, or it is asked or refused, or said."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tutelage.modalities.sentences.tables import read_sentences
from tutelage.ops.tags import entities
from tutelage.tables import DataError, Notes

TYPES = ("PER", "LOC", "geo-loc")
WORDS = ("Otto", "Rossi", "met", "Müller", "in", "Ulm", "2018", "#1", "#", "O", "B-PER", "and", ".", "naïve")

# how the letters of an entity of n words are written


def bio(n):
    return "B" + "I" * (n - 1)


def bioes(n):
    return "S" if n == 1 else "B" + "I" * (n - 2) + "E"


def bilou(n):
    return "U" if n == 1 else "B" + "I" * (n - 2) + "L"


def bmewo(n):
    return "W" if n == 1 else "B" + "M" * (n - 2) + "E"


def io(n):
    return "I" * n


LETTERS = (bio, bioes, bilou, bmewo, io)
FORMS = {
    "B-X": lambda letter, kind: f"{letter}-{kind}", "X-B": lambda letter, kind: f"{kind}-{letter}",
    "B_X": lambda letter, kind: f"{letter}_{kind}", "X_B": lambda letter, kind: f"{kind}_{letter}",
    "b-X": lambda letter, kind: f"{letter.lower()}-{kind}", "B-[X]": lambda letter, kind: f"{letter}-[{kind}]",
    "[B-X]": lambda letter, kind: f"[{letter}-{kind}]", "B": lambda letter, kind: letter,
    "X": lambda letter, kind: kind, "B/X": lambda letter, kind: f"{letter}/{kind}",
    "B X": lambda letter, kind: f"{letter} {kind}",
}  # fmt: skip
FILES = ("jsonl", "parquet", "json in csv", "python in csv", "numpy in csv", "conll", "word rows")


@st.composite
def corpora(draw):
    """Words and entities of a few sentences; two entities of one type never touch."""
    corpus = []
    for _ in range(draw(st.integers(1, 6))):
        words = draw(st.lists(st.sampled_from(WORDS), min_size=2, max_size=9))
        spans, at, before = [], 0, ""
        while at < len(words):
            end = min(len(words), at + draw(st.integers(1, 3)))
            kind = draw(st.sampled_from(("", "", *TYPES)))
            if kind and (kind != before or not spans or spans[-1][1] < at):
                spans.append((at, end, kind))
            before, at = kind, end
        corpus.append((words, spans))
    return corpus


def tags_of(words, spans, letters, form, outside):
    tags = [outside] * len(words)
    for start, end, kind in spans:
        tags[start:end] = [form(letter, kind) for letter in letters(end - start)]
    return tags


def write(folder, kind, words, tags):
    """A file of this kind; its path, and the names of its columns."""
    table = pd.DataFrame({"tokens": words, "tags": tags})
    if kind == "jsonl":
        path = folder / "a.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_dict("records")))
    elif kind == "parquet":
        table.to_parquet(path := folder / "a.parquet")
    elif kind.endswith("csv"):
        how = {"j": json.dumps, "p": repr, "n": lambda cell: str(pd.Series(cell).to_numpy())}[kind[0]]
        table.map(how).to_csv(path := folder / "a.csv", index=False)
    elif kind == "conll":
        path = folder / "a.conll"
        sentences = ["\n".join(f"{w}\t{t}" for w, t in zip(*s, strict=True)) for s in zip(words, tags, strict=True)]
        path.write_text("\n\n".join(sentences) + "\n")
    else:
        rows = [(i, w, t) for i, s in enumerate(zip(words, tags, strict=True)) for w, t in zip(*s, strict=True)]
        pd.DataFrame(rows, columns=["sentence_id", "tokens", "tags"]).to_csv(path := folder / "a.csv", index=False)
    return path


def heard(kind, words, tags):
    """Sentences and notes of a file; None and the error where it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path, notes = write(Path(folder), kind, words, tags), Notes()
        try:
            found = read_sentences(path, "tokens", "tags", notes=notes)
            notes.settle()
        except DataError as error:
            assert str(error) and "\n\n" not in str(error)
            return None, notes
        return found, notes


def found_entities(found):
    return [[] if tags is None else entities(tags) for tags in found.tags]


@settings(max_examples=250, deadline=None, derandomize=True)
@given(corpora(), st.sampled_from(LETTERS), st.sampled_from(sorted(FORMS)), st.sampled_from("Oo0"),
       st.sampled_from(FILES))  # fmt: skip
def test_tags_by_any_habit_are_what_was_meant_or_halt(corpus, letters, form, outside, kind):
    words, meant = [w for w, _ in corpus], [spans for _, spans in corpus]
    tags = [tags_of(w, spans, letters, FORMS[form], outside) for w, spans in corpus]
    found, notes = heard(kind, words, tags)
    if found is None:
        return
    assert found.tokens == words, notes.lines
    if form in ("B", "X") or letters is io:  # what the form leaves out: types, or the borders of equal neighbours
        places = [[(a, b) for a, b, _ in spans] for spans in meant]
        if form == "B" and any(s[i][1] == s[i + 1][0] for s in meant for i in range(len(s) - 1)) and letters is io:
            return
        assert [[(a, b) for a, b, _ in spans] for spans in found_entities(found)] == places, notes.lines
    else:
        assert found_entities(found) == meant, notes.lines
    if form not in ("B-X", "X") and any(meant):
        assert notes.lines


@settings(max_examples=120, deadline=None, derandomize=True)
@given(corpora(), st.permutations(["B-PER", "I-PER", "B-LOC", "I-LOC", "B-geo-loc", "I-geo-loc"]),
       st.sampled_from(["jsonl", "parquet", "json in csv", "conll", "word rows"]))  # fmt: skip
def test_numbers_of_letters_and_types_halt_unless_no_entity_is_cut(corpus, names, kind):
    words, meant = [w for w, _ in corpus], [spans for _, spans in corpus]
    assume(len({kind for spans in meant for *_, kind in spans}) > 1)
    code = {name: i for i, name in enumerate(["O", *names])}
    numbers = [[code[t] for t in tags_of(w, spans, bio, FORMS["B-X"], "O")] for w, spans in corpus]
    found, _ = heard(kind, words, numbers)
    if found is not None:
        assert [[s[:2] for s in spans] for spans in found_entities(found)] == [
            [s[:2] for s in spans] for spans in meant
        ]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(corpora(), st.integers(0, 10**6), st.sampled_from([-100, -1, None, "", "_", "X|Y", "B-PER I-LOC", 7, "b"]))
def test_a_word_whose_tag_is_none_or_strange_never_becomes_an_entity_in_silence(corpus, place, strange):
    words = [w for w, _ in corpus]
    tags = [tags_of(w, spans, bio, FORMS["B-X"], "O") for w, spans in corpus]
    places = [(i, j) for i, each in enumerate(tags) for j in range(len(each))]
    i, j = places[place % len(places)]
    tags[i] = [*tags[i][:j], strange, *tags[i][j + 1 :]]
    assume(any(str(tag).startswith("B-") for each in tags for tag in each if tag != strange))
    found, notes = heard("jsonl", words, tags)
    if found is not None:
        assert notes.lines or found.tags[i] is None
        assert {kind for spans in found_entities(found) for *_, kind in spans} <= set(TYPES)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.sampled_from(["", "😀 ", "Zürich, ", "a\r\nb\r\n", "  "]), st.booleans()), min_size=1, max_size=8
    ),
    st.sampled_from(["characters", "utf-16", "utf-8", "one line end", "stripped"]),
    st.booleans(),
    st.booleans(),
)
def test_spans_by_any_way_of_counting_are_what_was_meant_or_said(starts, unit, closed, repeated):
    length = {
        "characters": len, "utf-16": lambda t: len(t.encode("utf-16-le")) // 2, "utf-8": lambda t: len(t.encode()),
        "one line end": lambda t: len(t.replace("\r\n", "\n")), "stripped": lambda t: len(t.lstrip()),
    }[unit]  # fmt: skip
    rows, meant = [], []
    for before, two in starts:
        text, spans = f"{before}Otto Rossi visited Wilhelmine", []
        for name, kind in [("Otto Rossi", "PER"), ("Wilhelmine", "PER")][: 1 + two]:
            at = text.index(name)
            span = {"start": length(text[:at]), "end": length(text[: at + len(name)]) - closed, "label": kind}
            spans.append(span | ({"text": name} if repeated else {}))
        rows.append({"tokens": text, "tags": spans})
        meant.append(["Otto Rossi", "Wilhelmine"][: 1 + two])
    with tempfile.TemporaryDirectory() as folder:
        path, notes = Path(folder) / "a.jsonl", Notes()
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        try:
            found = read_sentences(path, "tokens", "tags", notes=notes)
            notes.settle()
        except DataError:
            return
    read = [
        [" ".join(words[a:b]) for a, b, _ in entities(tags)]
        for words, tags in zip(found.tokens, found.tags, strict=True)
    ]
    assert read == meant or notes.lines, notes.lines
    if repeated:
        assert read == meant
