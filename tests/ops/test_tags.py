"""Every scheme is read as the entities it was written from, and scores agree with counting by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tutelage.ops.tags import (
    entities,
    entity_counts,
    entity_scores,
    f1_influence,
    from_spans,
    scheme,
    span_rows,
    to_bio,
)

ALPHABETS = {  # begin, inside, end, single
    "BIO": "BIIB",
    "BIOES": "BIES",
    "BILOU": "BILU",
    "BMES": "BMES",
    "BMEW": "BMEW",
}


def random_spans(rng, length, types=("PER", "LOC", "geo-loc")):
    """Entities that may touch, of 1 to 4 words."""
    spans, at = [], int(rng.integers(0, 3))
    while at < length:
        end = min(length, at + int(rng.integers(1, 5)))
        spans.append((at, end, str(rng.choice(types))))
        at = end + int(rng.integers(0, 3))
    return spans


def written(spans, length, letters):
    begin, inside, end, single = letters
    tags = ["O"] * length
    for first, last, kind in spans:
        marks = single if last - first == 1 else begin + inside * (last - first - 2) + end
        tags[first:last] = [f"{mark}-{kind}" for mark in marks]
    return tags


def by_hand(true, predicted):
    """Precision, recall, F1 from the entities of clean BIO, found by a pattern over the joined tags."""
    sides = []
    for side in (true, predicted):
        found = set()
        for number, tags in enumerate(side):
            line = "".join(f"{tag} " for tag in tags)
            for match in re.finditer(r"B-(\S+) (?:I-\1 )*", line):
                start = line[: match.start()].count(" ")
                found.add((number, start, start + match.group().count(" "), match.group(1)))
        sides.append(found)
    gold, got = sides
    right = len(gold & got)
    divide = lambda a, b: a / b if b else 0.0  # noqa: E731
    return divide(right, len(got)), divide(right, len(gold)), divide(2 * right, len(got) + len(gold))


@pytest.fixture
def pairs():
    """True and predicted tags of 60 sentences; a third of the predictions are right."""
    rng = np.random.default_rng(0)
    true, predicted = [], []
    for _ in range(60):
        length = int(rng.integers(1, 15))
        spans = random_spans(rng, length)
        true.append(written(spans, length, "BIIB"))
        guess = spans if rng.random() < 0.33 else random_spans(rng, length)
        predicted.append(written(guess, length, "BIIB"))
    return true, predicted


@pytest.mark.parametrize("letters", ALPHABETS.values(), ids=ALPHABETS)
def test_each_scheme_gives_back_the_entities_it_was_written_from(letters):
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 20, 40)
    spans = [random_spans(rng, n) for n in lengths]
    corpus = [written(s, n, letters) for s, n in zip(spans, lengths, strict=True)]
    assert scheme(corpus) == ("BIO" if letters == "BIIB" else "BIOES")
    for tags, wanted in zip(corpus, spans, strict=True):
        clean, repaired = to_bio(tags, scheme(corpus))
        assert repaired == 0
        assert clean == written(wanted, len(tags), "BIIB")
        assert entities(clean) == wanted


@pytest.mark.parametrize(
    ("corpus", "wanted"),
    [
        ([["O", "O"]], "IO"),
        ([], "IO"),
        ([["0", "3", "3"]], "IO"),
        ([["Location", "O"], ["E-mail"]], "IO"),
        ([["geo-loc", "O"]], "IO"),
        ([["I-PER", "O"], ["I-LOC"]], "IO"),
        ([["O"], ["B-PER"]], "BIO"),
        ([["I-PER", "O"], ["PER"]], "BIO"),
        ([["S-PER"]], "BIOES"),
        ([["B-PER", "M-PER"]], "BIOES"),
        ([["I-PER", "E-PER"]], "IOE"),
        ([["O", "E-PER", "I-LOC"]], "IOE"),
        ([["I-PER", "E-PER", "S-PER"]], "BIOES"),
        ([["I-PER", "B-PER"], ["I-LOC"]], "IOB1"),
        ([["I-PER", "B-LOC"]], "BIO"),
        ([["B-PER"], ["I-PER", "B-PER"]], "BIO"),
    ],
)
def test_the_scheme_is_told_by_the_letters(corpus, wanted):
    assert scheme(corpus) == wanted


@pytest.mark.parametrize(
    ("tags", "kind", "clean", "repaired"),
    [
        ("O I-PER I-PER", "BIO", "O B-PER I-PER", 1),
        ("B-PER I-LOC I-LOC", "BIO", "B-PER B-LOC I-LOC", 1),
        ("B-PER O I-PER", "BIO", "B-PER O B-PER", 1),
        ("B-PER B-PER", "BIO", "B-PER B-PER", 0),
        ("E-PER O I-PER", "BIOES", "B-PER O B-PER", 2),
        ("B-PER E-PER I-PER", "BIOES", "B-PER I-PER B-PER", 1),
        ("S-PER I-PER", "BIOES", "B-PER B-PER", 1),
        ("B-PER L-LOC U-PER", "BIOES", "B-PER B-LOC B-PER", 1),
        ("I-PER I-PER I-LOC O I-LOC", "IO", "B-PER I-PER B-LOC O B-LOC", 0),
        ("Price Price O geo-loc", "IO", "B-Price I-Price O B-geo-loc", 0),
        ("3 3 0 1 3", "IO", "B-3 I-3 O B-1 B-3", 0),
        ("", "BIO", "", 0),
        ("I-PER I-PER B-PER O I-LOC", "IOB1", "B-PER I-PER B-PER O B-LOC", 0),
        ("I-PER E-PER E-PER O I-LOC", "IOE", "B-PER I-PER B-PER O B-LOC", 0),
    ],
)
def test_sentences_are_read_as_clean_bio(tags, kind, clean, repaired):
    assert to_bio(tags.split(), kind) == (clean.split(), repaired)


def test_clean_bio_is_left_alone_and_any_letters_become_clean():
    rng = np.random.default_rng(2)
    letters = ["O", "B-X", "I-X", "B-Y", "I-Y"]
    for _ in range(200):
        clean, repaired = to_bio(tags := [str(t) for t in rng.choice(letters, 8)], "BIO")
        changed = sum(a != b for a, b in zip(tags, clean, strict=True))
        assert repaired == changed
        assert to_bio(clean, "BIO") == (clean, 0)
        assert entities(tags) == entities(clean)
        for before, tag in zip(["O", *clean], clean, strict=False):
            assert not tag.startswith("I-") or before[1:] == tag[1:]


@pytest.mark.parametrize(
    ("tags", "kind", "message"),
    [
        (["O", "X-PER"], "BIO", r"tag 2 must be O, B-TYPE or I-TYPE, got 'X-PER'"),
        (["B-"], "BIO", r"tag 1 must be O, B-TYPE or I-TYPE, got 'B-'"),
        (["B-PER", "PER"], "BIO", r"tag 2 .* got 'PER'"),
        (["0"], "BIO", r"tag 1 .* got '0'"),
        ([""], "BIO", r"tag 1 .* got ''"),
        (["S-PER"], "BIO", r"got 'S-PER'"),
        (["S- "], "BIOES", r"tag 1 must be O, or a TYPE after B-.* got 'S- '"),
        (["Price", "B-Price"], "IO", r"tag 2 must be O, 0, I-TYPE or a bare type, got 'B-Price'"),
        (["o"], "IO", "got 'o'"),
        (["b-per"], "IO", "got 'b-per'"),
        (["I-"], "IO", "got 'I-'"),
        (["O"], "IOB", "scheme must be one of BIO, BIOES, IO, IOB1, IOE, got 'IOB'"),
    ],
)
def test_tags_of_no_scheme_are_refused_with_their_position(tags, kind, message):
    with pytest.raises(ValueError, match=message):
        to_bio(tags, kind)


def test_spans_of_characters_become_tags_of_the_words_they_touch():
    words = [(0, 3), (4, 7), (8, 12), (12, 13)]  # "San Sep Lima."
    assert from_spans(words, [(8, 12, "LOC"), (0, 7, "PER")], 13) == (["B-PER", "I-PER", "B-LOC", "O"], 0)
    assert from_spans(words, [(1, 5, "PER"), (7, 12, "LOC")], 13) == (["B-PER", "I-PER", "B-LOC", "O"], 2)
    assert from_spans(words, [], 13) == (["O"] * 4, 0)


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([(3, 3, "A")], r"span \(3, 3, 'A'\) must have 0 <= start < end <= 13"),
        ([(5, 2, "A")], r"must have 0 <= start < end"),
        ([(-1, 2, "A")], r"must have 0 <= start < end"),
        ([(8, 14, "A")], r"\(8, 14, 'A'\) must have .* <= 13, the length of the text"),
        ([(4, 7, "B"), (0, 5, "A")], r"spans \(0, 5, 'A'\) and \(4, 7, 'B'\) overlap"),
        ([(0, 1, "A"), (2, 3, "B")], r"spans \(0, 1, 'A'\) and \(2, 3, 'B'\) meet in one word"),
        ([(3, 4, "A")], r"span \(3, 4, 'A'\) covers no word"),
        ([(0, 3, " ")], r"has no type"),
    ],
)
def test_spans_that_cannot_be_tags_are_refused(spans, message):
    with pytest.raises(ValueError, match=message):
        from_spans([(0, 3), (4, 7), (8, 12), (12, 13)], spans, 13)


def test_rows_of_spans_point_into_the_text():
    words = ["New", "York", ",", "to", "Li", "Bo", "Li"]
    tags = ["B-LOC", "I-LOC", "O", "O", "B-PER", "I-PER", "B-PER"]
    joined = " ".join(words)
    for row in span_rows([words], [tags])[0]:
        assert joined[row["start"] : row["end"]] == row["text"]
    text = "New York, to  Li Bo  Li"
    offsets = [(0, 3), (4, 8), (8, 9), (10, 12), (14, 16), (17, 19), (21, 23)]
    rows = span_rows([words], [tags], [offsets])[0]
    assert [(r["type"], r["text"]) for r in rows] == [("LOC", "New York"), ("PER", "Li Bo"), ("PER", "Li")]
    assert all(text[r["start"] : r["end"]] == r["text"] for r in rows)
    spans = [(r["start"], r["end"], r["type"]) for r in rows]
    assert from_spans(offsets, spans, len(text)) == (tags, 0)
    assert span_rows([["a"], []], [["O"], []]) == [[], []]


def test_counts_ask_for_the_same_words_and_type():
    true = [["B-PER", "I-PER", "O", "B-LOC"]] * 4
    predicted = [
        ["B-PER", "I-PER", "O", "B-LOC"],
        ["B-PER", "O", "O", "B-LOC"],
        ["B-LOC", "I-LOC", "O", "O"],
        ["I-PER", "I-PER", "I-LOC", "I-LOC"],
    ]
    assert entity_counts(true, predicted).tolist() == [[2, 2, 2], [1, 2, 2], [0, 1, 2], [1, 2, 2]]


def test_counts_and_the_library_agree_with_counting_by_hand(pairs):
    tp, p, g = entity_counts(*pairs).sum(0)
    wanted = by_hand(*pairs)
    assert 0.2 < wanted[2] < 0.8
    np.testing.assert_allclose([tp / p, tp / g, 2 * tp / (p + g)], wanted, rtol=1e-12)
    np.testing.assert_allclose([entity_scores(*pairs)[k] for k in ("precision", "recall", "f1")], wanted, rtol=1e-12)


def test_the_library_scores_unclean_tags_as_the_counts_do():
    rng = np.random.default_rng(3)
    letters = ["O", "B-X", "I-X", "B-geo-loc", "I-geo-loc"]
    true, predicted = ([[str(t) for t in rng.choice(letters, 6)] for _ in range(40)] for _ in range(2))
    tp, p, g = entity_counts(true, predicted).sum(0)
    scores = entity_scores(true, predicted)
    assert tp
    np.testing.assert_allclose(list(scores.values()), [tp / p, tp / g, 2 * tp / (p + g)], rtol=1e-12)


@pytest.mark.parametrize("side", [[], [[]], [["O"], ["O", "O"]]])
def test_scores_without_entities_are_zero(side):
    assert entity_scores(side, side) == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


@pytest.mark.parametrize("score", [entity_counts, entity_scores])
def test_sentences_and_words_must_pair(score):
    with pytest.raises(ValueError, match="true has 1 sentences and predicted 2"):
        score([["O"]], [["O"], ["O"]])
    with pytest.raises(ValueError, match="sentence 2 has 2 true tags and 1 predicted"):
        score([["O"], ["O", "O"]], [["O"], ["O"]])


def test_the_mean_influence_is_the_f1(pairs):
    values = f1_influence(entity_counts(*pairs))
    assert values.shape == (60,)
    assert values.mean() == pytest.approx(by_hand(*pairs)[2], rel=1e-12)


def test_an_influence_is_the_derivative_of_the_f1_by_the_weight_of_a_sentence(pairs):
    counts = entity_counts(*pairs)
    f1 = lambda weights: 2 * weights @ counts[:, 0] / (weights @ counts[:, 1:].sum(1))  # noqa: E731
    slopes = [f1(np.ones(60) + 1e-6 * row) - f1(np.ones(60) - 1e-6 * row) for row in np.eye(60)]
    np.testing.assert_allclose(f1_influence(counts), f1(np.ones(60)) + 60 * np.array(slopes) / 2e-6, atol=1e-7)


def test_the_standard_error_of_influences_is_that_of_the_bootstrap():
    rng = np.random.default_rng(4)
    gold = rng.poisson(1.5, 300)
    right = rng.binomial(gold, 0.7)
    counts = np.stack([right, right + rng.poisson(0.4, 300), gold], axis=1)
    values = f1_influence(counts)
    tp, p, g = np.moveaxis(counts[rng.integers(0, 300, (2000, 300))].sum(1), 1, 0)
    assert values.std(ddof=1) / 300**0.5 == pytest.approx((2 * tp / (p + g)).std(), rel=0.15)


def test_influences_without_entities_are_zero_and_shapes_are_checked():
    assert f1_influence(np.zeros((3, 3), dtype=int)).tolist() == [0, 0, 0]
    assert f1_influence(np.zeros((0, 3), dtype=int)).shape == (0,)
    with pytest.raises(ValueError, match=r"counts must be of shape \(n, 3\), got \(3,\)"):
        f1_influence([1, 2, 3])
