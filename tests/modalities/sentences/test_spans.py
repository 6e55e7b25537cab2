"""Spans are read as they were meant, however they are counted and written; or it is asked."""

from __future__ import annotations

import json
import unicodedata

import pytest

from tutelage.tables import ReadAs

NAMES = [("Otto Rossi", "PER"), ("Ada", "PER"), ("New York", "LOC")]
TEXT = "Otto Rossi met Ada in New York."
MEANT = ["B-PER", "I-PER", "O", "B-PER", "O", "B-LOC", "I-LOC", "O"]


def spans_of(text, length=len, first=0, closed=0):
    """Spans of the names, counted in other units, from another number, and with other ends."""
    found = []
    for name, kind in NAMES:
        at = text.index(name)
        start, end = length(text[:at]), length(text[: at + len(name)])
        found.append([start + first, end + first - closed, kind])
    return found


def utf16(text):
    return len(text.encode("utf-16-le")) // 2


def utf8(text):
    return len(text.encode())


def rows(text, count=6, **counted):
    return [{"text": text, "tags": spans_of(text, **counted)}] * count


def read(heard, table, **options):
    return heard("a.jsonl", table, tokens="text", **options)


def entities(got, i=0):
    """Words and type of each entity of a sentence."""
    from tutelage.ops.tags import entities

    return [(" ".join(got.found.tokens[i][a:b]), kind) for a, b, kind in entities(got.tags[i])]


@pytest.mark.parametrize("before", ["😀 ", "📣😀 ", "𝒳 and 𝒴: "])
def test_offsets_in_utf16_are_told_by_the_words(heard, before):
    """The control: the same texts counted in characters."""
    plain = [{"text": TEXT, "tags": spans_of(TEXT)}]
    got = read(heard, [*plain, *rows(before + TEXT, length=utf16)])
    control = read(heard, [*plain, *rows(before + TEXT)])
    assert entities(got, 1) == NAMES
    assert (got.tags, got.found.repaired) == (control.tags, 0)
    assert "offsets are counted in UTF-16 units: of 18 spans that this moves 18 fit words so, and 0 fit as" in got.said
    assert "first in row 2" in got.said
    assert not control.said and not control.asked


@pytest.mark.parametrize(
    ("text", "counted", "says"),
    [
        (f"Zürich: {TEXT}", {"length": utf8}, "in bytes of UTF-8"),
        (TEXT, {"closed": 1}, "in characters, with ends that belong to the span"),
        (TEXT, {"first": 1}, "in characters, from 1: "),
        (TEXT, {"first": 1, "closed": 1}, "in characters, from 1, with ends that belong to the span"),
        (f"😀 {TEXT}", {"length": utf16, "closed": 1}, "in UTF-16 units, with ends that belong to the span"),
        (f"a\r\nb\r\n{TEXT}", {"length": lambda t: len(t.replace("\r\n", "\n"))}, "with one for both signs"),
        (f"a\nb\n{TEXT}", {"length": lambda t: len(t.replace("\n", "\r\n"))}, "with two for a line's end"),
        (f"  \t{TEXT}", {"length": lambda t: len(t.lstrip())}, "from the first character that is not blank"),
        (f"Mu\u0308ller, {TEXT}", {"length": lambda t: len(t.replace("\u0308", ""))}, "without combining marks"),
        (f"Lǘ, {TEXT}", {"length": lambda t: len(unicodedata.normalize("NFD", t))}, "in letters and combining marks"),
    ],
)
def test_other_ways_of_counting_are_told_by_the_words(heard, text, counted, says):
    got = read(heard, rows(text, **counted))
    assert entities(got) == NAMES
    assert got.found.repaired == 0 and says in got.said
    assert not got.asked


def test_a_unit_can_be_named(heard):
    shifted = [{"text": f"😀 {TEXT}", "tags": [[3, 13, "PER"]]}] * 3
    assert read(heard, shifted, offsets="utf-16").tags[0][:4] == ["O", "B-PER", "I-PER", "O"]
    kept = read(heard, shifted, offsets="characters")
    assert kept.found.repaired == 3 and "'tto Rossi ' -> " not in kept.said
    with pytest.raises(ValueError, match="offsets must be one of characters, utf-16, utf-8, got 'bytes'"):
        read(heard, shifted, offsets="bytes")


def test_a_span_that_cuts_a_character_is_refused(heard):
    got = read(heard, [{"text": "😀 Otto", "tags": [[1, 3, "X"]]}, *rows(TEXT)], offsets="utf-16")
    (fault,) = got.notes.faults
    assert "row 1, column 'tags': span (1, 3, 'X') must have 0 <= start < end <= 6" in fault
    assert "it is counted in UTF-16 units" in fault


def test_where_only_some_spans_would_fit_it_is_asked(heard):
    got = read(heard, [*rows(f"😀 {TEXT}", 2), *rows(f"😀 {TEXT}", 1, length=utf16)])
    assert got.halts
    assert "of 9 spans whose places depend on the unit 3 do not fit words, and 3 of these would if they" in got.asked
    assert "--offsets utf-16; or --offsets characters" in got.asked


def test_few_spans_do_not_tell_that_ends_belong_to_spans(heard):
    got = read(heard, rows(TEXT, 1, closed=1))
    assert entities(got) == NAMES
    assert "3 tags or spans were not well formed and have been mended, the first in row 1: 'Otto Ross' -> " in got.said


def test_most_spans_mended_halts(heard):
    table = [{"text": TEXT, "tags": [[1, 9, "PER"], [23, 28, "LOC"]]}] * 4
    got = read(heard, table)
    assert got.halts and "8 of 8 entities were not well formed" in got.asked
    assert "the first in row 1: 'tto Ross' -> 'Otto Rossi'. To settle it: --mended take" in got.asked
    assert read(heard, table, mended="take").tags[0][:2] == ["B-PER", "I-PER"]


def test_each_chinese_character_is_a_word(heard):
    got = read(heard, [{"text": "我在北京工作。", "tags": [[2, 4, "LOC"]]}] * 6)
    assert not got.halts
    assert got.tags[0] == ["O", "O", "B-LOC", "I-LOC", "O", "O", "O"]


def test_where_most_spans_end_within_words_it_is_asked(heard):
    got = read(heard, [{"text": "서울에서 일했다", "tags": [[0, 2, "LOC"]]}] * 6)
    assert got.halts and "'서울' -> '서울에서'" in got.asked


@pytest.mark.parametrize(
    "write",
    [
        lambda a, b, k: {"start_offset": a, "end_offset": b, "label": k},
        lambda a, b, k: {"begin": a, "end": b, "entity": k},
        lambda a, b, k: {"start": a, "end": b, "labels": [k], "text": TEXT[a:b]},
        lambda a, b, k: {"start": a, "end": b, "entity_group": k, "word": TEXT[a:b].lower(), "score": 0.5},
        lambda a, b, k: {"start": float(a), "end": float(b), "tag": k},
        lambda a, b, k: {"offset": a, "length": b - a, "category": k},
        lambda a, b, k: [a, b, [k]],
        lambda a, b, k: [k, a, b],
        lambda a, b, k: [a, b, k, TEXT[a:b]],
    ],
)
def test_spans_have_many_forms(heard, write):
    got = read(heard, [{"text": TEXT, "tags": [write(*span) for span in spans_of(TEXT)]}, {"text": "No.", "tags": []}])
    assert got.tags == [MEANT, ["O", "O"]]
    assert not got.said and not got.asked


@pytest.mark.parametrize(
    "cell",
    [
        {"entities": spans_of(TEXT)},
        {"spans": [{"start": a, "end": b, "label": k} for a, b, k in spans_of(TEXT)]},
        dict(zip(("start", "end", "label"), map(list, zip(*spans_of(TEXT), strict=True)), strict=True)),
    ],
)
def test_spans_lie_in_objects(heard, cell):
    assert read(heard, [{"text": TEXT, "tags": cell}]).tags == [MEANT]


@pytest.mark.parametrize("write", [json.dumps, repr])
def test_spans_in_csv_are_of_json_or_python(heard, write):
    cells = [write(spans_of(TEXT)).replace('"', '""'), "[]"]
    got = heard("a.csv", f'text,tags\n"{TEXT}","{cells[0]}"\n"None.","{cells[1]}"\n', tokens="text")
    assert got.tags == [MEANT, ["O", "O"]]
    assert "texts with spans, which are cut into words at the word boundaries of Unicode" in got.said


def test_spans_of_words_with_letters_are_joined(heard):
    parts = [[0, 4, "B-PER"], [5, 10, "I-PER"], [15, 18, "B-PER"], [22, 25, "B-LOC"], [26, 30, "I-LOC"]]
    got = read(heard, [{"text": TEXT, "tags": parts}])
    assert got.tags == [MEANT]
    assert "types begin with B- and I-, so 2 spans are joined to the one before them" in got.said


def test_blanks_at_the_ends_of_spans_are_left_out(heard):
    got = read(heard, [{"text": TEXT, "tags": [[0, 11, "PER"], [14, 19, "PER"], [21, 30, "LOC"]]}] * 6)
    assert (got.tags[0], got.found.repaired, got.asked) == (MEANT, 0, "")
    assert "18 spans begin or end with a blank, which is left out, first in row 1" in got.said


def test_spans_that_are_told_twice_count_once(heard):
    got = read(heard, [{"text": TEXT, "tags": [*spans_of(TEXT), spans_of(TEXT)[0]]}])
    assert got.tags == [MEANT]
    assert "1 spans are told twice and count once, in row 1" in got.said


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([[0, 14, "A"], [5, 18, "B"]], r"spans (0, 14, 'A') and (5, 18, 'B') overlap"),
        ([[0, 10, "A"], [0, 10, "B"]], r"spans (0, 10, 'A') and (0, 10, 'B') overlap"),
        ([[0, 10, "A"], [5, 10, "B"]], r"spans (0, 10, 'A') and (5, 10, 'B') overlap"),
        ([[4, 4, "A"]], r"span (4, 4, 'A') must have 0 <= start < end <= 31"),
        ([[4, 5, "A"]], r"span (4, 5, 'A') covers no word"),
        ([[0, 99, "A"]], r"span (0, 99, 'A') must have 0 <= start < end <= 31, the length of the text"),
        ([{"start": 0, "end": 4, "labels": ["A", "B"]}], r"a span must have one type, got ['A', 'B']"),
        ([{"start": 0, "end": 4, "labels": []}], r"a span must be [start, end, type]"),
        (
            [{"start": 0, "end": 4, "label": "A", "text": "Ada"}],
            "span (0, 4, 'A') is said to be 'Ada', but the text has",
        ),
    ],
)
def test_all_bad_rows_are_named_at_once(heard, spans, message):
    table = [{"text": TEXT, "tags": spans_of(TEXT)}, *[{"text": TEXT, "tags": spans}] * 10]
    (fault,) = read(heard, table).notes.faults
    assert f"a.jsonl, row 2, column 'tags': {message}" in fault
    assert "; 9 more cannot be read: rows 3, 4, 5, 6, 7, 8, 9, 10 and 1 more; --skip-bad leaves such rows out" in fault


def test_bad_rows_are_left_out_where_that_is_said(heard):
    how = ReadAs(skip_bad=True)
    table = [{"text": TEXT, "tags": spans_of(TEXT)}, {"text": TEXT, "tags": [[0, 99, "A"]]}]
    got = read(heard, table, how=how)
    assert (got.tags, got.found.rows, got.notes.faults) == ([MEANT], [1], [])
    assert "1 row cannot be read and is left out: " in got.said and "row 2" in got.said
    none = read(heard, table[1:], how=how)
    assert "no row can be read, the first of 1 for this" in none.notes.faults[0]


def test_a_type_that_means_outside_is_asked_about(heard):
    table = [{"text": TEXT, "tags": [*spans_of(TEXT), [11, 14, "O"]]}] * 2
    got = read(heard, table)
    assert got.halts and "2 spans have the type 'O', which may mean that there is no entity" in got.asked
    assert read(heard, table, outside="O").tags == [MEANT] * 2
    assert read(heard, table, tags_are="types").tags[0][2] == "B-O"


def test_types_of_spans_lose_signs_that_are_not_seen(heard):
    table = [{"text": "Ada left", "tags": [[0, 3, "PER\u200b"]]}] * 2
    got = read(heard, table)
    assert got.tags[0] == ["B-PER", "O"]
    assert r"types of 2 spans hold signs that are not seen, which are left out: 'PER\u200b'." in got.said
    assert read(heard, table, spelling="as-is").tags[0] == ["B-PER\u200b", "O"]


def test_a_row_that_cannot_be_read_and_has_no_word_is_left_out_once(heard):
    table = [{"text": "Ada left", "tags": [[0, 3, "PER"]]}] * 2 + [{"text": "", "tags": [[None, 3, "PER"]]}]
    got = read(heard, table, how=ReadAs(skip_bad=True))
    assert (len(got.found), got.found.empty) == (2, 0)
    assert "1 row cannot be read and is left out" in got.said
