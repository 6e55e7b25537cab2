"""Tags of words: conversion of all schemes to BIO, entities, their counts and scores, and the error of an F1."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tutelage.ops.checks import one_of

Scheme = Literal["BIO", "BIOES", "IO", "IOB1", "IOE"]
"""Scheme of the tags of a corpus."""
Span = tuple[int, int, str]
"""Start, end (exclusive) and type of an entity; counted in words or in characters."""
Offsets = list[tuple[int, int]]
"""Start and end (exclusive) of each word in a text, in characters."""

LETTERS = {"BIO": "BI", "BIOES": "BIMELSUW", "IO": "I", "IOB1": "BI", "IOE": "IEL"}
"""Letters before the types, by scheme."""
ALLOWED = {
    "BIO": "O, B-TYPE or I-TYPE",
    "BIOES": "O, or a TYPE after B-, I-, E- or S- (M-, L-, U- and W- are read too)",
    "IO": "O, 0, I-TYPE or a bare type",
    "IOB1": "O, B-TYPE or I-TYPE",
    "IOE": "O, I-TYPE, E-TYPE or L-TYPE",
}
"""Words, for messages, that say which tags a scheme allows."""
OPENERS = ("B-", "I-", "S-", "U-", "W-")
"""Beginnings of an entity's first tag; in a corpus with none of them, "E-mail" is a bare type."""
NOT_BARE = (*OPENERS, "b-", "i-")
"""Beginnings that no bare type has."""


def scheme(tags: Iterable[Sequence[str]]) -> Scheme:
    """Scheme of a whole corpus, told by the letters before its types.

    "BIOES" where one of E, S (or M, L, U, W of BMES and BILOU) occurs, "IOE" where only I and E (or L) do, "IO" where
    types are bare or only follow I-, "IOB1" where every B- divides two entities of one type and others begin with I-,
    else "BIO".

    >>> scheme([["O", "B-PER", "I-PER"]]), scheme([["S-LOC", "O"]]), scheme([["Price", "O"]]), scheme([["0", "3"]])
    ('BIO', 'BIOES', 'IO', 'IO')
    >>> scheme([["I-PER", "B-PER", "O", "I-LOC"]]), scheme([["I-PER", "E-PER", "E-PER"]])
    ('IOB1', 'IOE')
    """
    sentences = list(tags)
    seen: set[str] = set().union(*sentences) - {"O"}
    if not any(tag.startswith(OPENERS) for tag in seen):
        return "IO"
    marked = {tag for tag in seen if tag[:1] in LETTERS["BIOES"] and tag[1:2] == "-"}
    letters = {tag[0] for tag in marked}
    if marked == seen and letters - set("I") and not letters - set("IEL"):
        return "IOE"
    if letters - set("BI"):
        return "BIOES"
    if letters == {"I"} and marked == seen:
        return "IO"
    return "IOB1" if marked == seen and letters == set("BI") and all(map(_only_divides, sentences)) else "BIO"


def _only_divides(tags: Sequence[str]) -> bool:
    """Whether each B- of a sentence follows a word of its own type, as in IOB1."""
    return all(tag[0] != "B" or before[1:] == tag[1:] for before, tag in zip(["O", *tags], tags, strict=False))


def to_bio(tags: Sequence[str], scheme: Scheme) -> tuple[list[str], int]:
    """Tags of one sentence in clean BIO, where I-X only follows B-X or I-X.

    An I-X (or E-X) that continues no X becomes B-X, which is one repair. In "IO" a run of one type is one entity, "O"
    and "0" are outside, and nothing is a repair, nor in "IOB1" and "IOE".

    Returns:
        As many tags as given, and the number of repairs.

    Raises:
        ValueError: a tag is none of the scheme's; the message names its position, from 1.

    >>> to_bio(["I-PER", "I-PER", "I-LOC"], "BIO"), to_bio(["3", "3", "0", "1"], "IO")
    ((['B-PER', 'I-PER', 'B-LOC'], 2), (['B-3', 'I-3', 'O', 'B-1'], 0))
    """
    clean, repairs = _cleaned(tags, scheme)
    return clean, len(repairs)


def first_repair(tags: Sequence[str], scheme: Scheme) -> int | None:
    """Number of the first word, from 0, whose tag `to_bio` repairs; None where there is none.

    >>> first_repair(["O", "I-PER"], "BIO"), first_repair(["O", "B-PER"], "BIO")
    (1, None)
    """
    return next(iter(_cleaned(tags, scheme)[1]), None)


def _cleaned(tags: Sequence[str], scheme: Scheme) -> tuple[list[str], list[int]]:
    """Clean BIO, and the numbers of the repaired words, from 0; see `to_bio`."""
    one_of("scheme", scheme, tuple(LETTERS))
    clean, repairs, opened = [], [], ""
    for position, tag in enumerate(tags):
        if tag == "O" or (tag == "0" and scheme == "IO"):
            clean.append("O")
            opened = ""
            continue
        letter, kind = _letter_and_type(tag, scheme, position + 1)
        inside = letter in "IMEL"
        goes_on = inside and kind == opened
        if inside and not goes_on and scheme in ("BIO", "BIOES"):
            repairs.append(position)
        clean.append(("I-" if goes_on else "B-") + kind)
        opened = kind if letter in "BIM" else ""
    return clean, repairs


def _letter_and_type(tag: str, scheme: Scheme, position: int) -> tuple[str, str]:
    letter, dash, kind = tag[:1], tag[1:2], tag[2:]
    if dash == "-" and letter in LETTERS[scheme] and kind.strip():
        return letter, kind
    if scheme == "IO" and tag.strip() and tag != "o" and not tag.startswith(NOT_BARE):
        return "I", tag
    raise ValueError(f"tag {position} must be {ALLOWED[scheme]}, got {tag!r}")


def from_spans(words: Offsets, spans: Sequence[Span], length: int) -> tuple[list[str], int]:
    """Clean BIO tags of words made of spans of characters. A span covers every word that it touches.

    Args:
        words: start and end of the words in the text.
        spans: entities, in characters, in any order; a span that ends within a word is widened to it, which is one
            repair.
        length: number of characters of the text.

    Returns:
        A tag for each word, and the number of repairs.

    Raises:
        ValueError: a span is empty, outside the text, on no word, without a type, or shares a word with another.

    >>> from_spans([(0, 3), (4, 8)], [(5, 8, "LOC")], 8)
    (['O', 'B-LOC'], 1)
    """
    tags, repaired, before = ["O"] * len(words), 0, (0, 0, "")
    starts, ends = [w[0] for w in words], [w[1] for w in words]
    for span in sorted(spans):
        start, end, kind = span
        if not 0 <= start < end <= length:
            raise ValueError(f"span {span} must have 0 <= start < end <= {length}, the length of the text")
        if not kind.strip():
            raise ValueError(f"span {span} has no type")
        if start < before[1]:
            raise ValueError(f"spans {before} and {span} overlap")
        first, last = bisect_right(ends, start), bisect_left(starts, end) - 1
        if first > last:
            raise ValueError(f"span {span} covers no word")
        if tags[first] != "O":
            raise ValueError(f"spans {before} and {span} meet in one word")
        repaired += (starts[first], ends[last]) != (start, end)
        tags[first : last + 1] = [f"B-{kind}"] + [f"I-{kind}"] * (last - first)
        before = span
    return tags, repaired


def entities(tags: Sequence[str]) -> list[Span]:
    """Entities of one sentence, from its BIO tags, counted in words; unclean BIO is repaired as by `to_bio`.

    Raises:
        ValueError: as `to_bio`.

    >>> entities(["B-PER", "I-PER", "O", "I-LOC"])
    [(0, 2, 'PER'), (3, 4, 'LOC')]
    """
    clean = to_bio(tags, "BIO")[0]
    ends = [i for i, tag in enumerate(clean, start=1) if tag != "O" and clean[i : i + 1] != ["I" + tag[1:]]]
    starts = [i for i, tag in enumerate(clean) if tag[0] == "B"]
    return [(start, end, clean[start][2:]) for start, end in zip(starts, ends, strict=True)]


def span_rows(
    tokens: Sequence[Sequence[str]], tags: Sequence[Sequence[str]], offsets: Sequence[Offsets] | None = None
) -> list[list[dict[str, int | str]]]:
    """Entities of each sentence with start, end (exclusive), type and text, counted in characters of its text.

    Args:
        tokens: words of each sentence.
        tags: BIO tags of each sentence.
        offsets: start and end of each sentence's words in its text; None takes the words with a space between.

    >>> span_rows([["to", "New", "York"]], [["O", "B-LOC", "I-LOC"]])
    [[{'start': 3, 'end': 11, 'type': 'LOC', 'text': 'New York'}]]
    """
    sentences = []
    for i, (words, labels) in enumerate(zip(tokens, tags, strict=True)):
        ends = np.cumsum([len(word) + 1 for word in words]).tolist()
        places = offsets[i] if offsets else [(e - 1 - len(w), e - 1) for w, e in zip(words, ends, strict=True)]
        rows: list[dict[str, int | str]] = []
        for first, last, kind in entities(labels):
            start, end, text = places[first][0], places[last - 1][1], ""
            for word, (at, _) in zip(words[first:last], places[first:last], strict=True):
                text = text.ljust(at - start) + word
            rows.append({"start": start, "end": end, "type": kind, "text": text})
        sentences.append(rows)
    return sentences


def entity_counts(true: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """Counts of each sentence's right, predicted and true entities. An entity is right if its words and its type are.

    Args:
        true: tags of n sentences, BIO.
        predicted: predicted tags of the same sentences, BIO.

    Returns:
        Counts (n, 3): true positives tp, predicted p, true (gold) g.

    Raises:
        ValueError: the numbers of sentences or words differ; or as `to_bio`.

    >>> entity_counts([["B-PER", "I-PER", "O"]], [["B-PER", "O", "B-LOC"]]).tolist()
    [[0, 2, 1]]
    """
    _require_same_words(true, predicted)
    counts = np.zeros((len(true), 3), dtype=np.int64)
    for i, (t, p) in enumerate(zip(true, predicted, strict=True)):
        gold, found = set(entities(t)), set(entities(p))
        counts[i] = len(gold & found), len(found), len(gold)
    return counts


def entity_scores(true: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, float]:
    """Precision, recall and F1 over all entities, strict: words and type must both be right.

    ``precision = TP / P``, ``recall = TP / G``, ``f1 = 2 TP / (P + G)``, each in [0, 1], and 0 where it is 0 / 0.
    The numbers are those of nervaluate's strict mode.

    Args:
        true: tags of n sentences, BIO.
        predicted: predicted tags of the same sentences, BIO.

    Raises:
        ValueError: as `entity_counts`.

    Source: Tjong Kim Sang and De Meulder, CoNLL 2003 (exact); Segura-Bedmar et al., SemEval 2013, task 9 (strict).

    >>> entity_scores([["B-PER", "O", "B-LOC"]], [["B-PER", "O", "O"]])["recall"]
    0.5
    """
    from nervaluate import Evaluator

    _require_same_words(true, predicted)
    sides = [[to_bio(tags, "BIO")[0] for tags in side] or [[]] for side in (true, predicted)]
    types = sorted({tag[2:] for side in sides for tags in side for tag in tags} - {""})
    strict = Evaluator(*sides, tags=types, loader="list").evaluate()["overall"]["strict"]
    return {"precision": float(strict.precision), "recall": float(strict.recall), "f1": float(strict.f1)}


def _require_same_words(true: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    if len(true) != len(predicted):
        raise ValueError(f"true has {len(true)} sentences and predicted {len(predicted)}; they must be the same")
    for number, (t, p) in enumerate(zip(true, predicted, strict=True), start=1):
        if len(t) != len(p):
            raise ValueError(f"sentence {number} has {len(t)} true tags and {len(p)} predicted; they must pair")


def f1_influence(counts: ArrayLike) -> NDArray[np.float64]:
    """Scores of sentences whose mean is the F1 of all, and whose spread gives its standard error (delta method).

    ``f_i = F1 + (2 tp_i - F1 (p_i + g_i)) / mean(p + g)`` with ``F1 = 2 TP / (P + G)``: the F1 made linear around the
    totals. ``std(f) / sqrt(n)`` is the standard error where sentences are independent; scores of two systems on the
    same sentences can be paired.

    Args:
        counts: tp, p and g of each sentence, (n, 3), see `entity_counts`.

    Returns:
        Scores (n,), which may lie outside [0, 1]; zeros where there is no entity at all.

    Raises:
        ValueError: the shape is not (n, 3).

    Source: the ratio estimator's linear form; Cochran, Sampling Techniques, 3rd ed. 1977, chapter 6.

    >>> f1_influence([[1, 1, 1], [0, 1, 1], [0, 0, 0]]).tolist()
    [1.25, -0.25, 0.5]
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != 3:
        raise ValueError(f"counts must be of shape (n, 3), got {table.shape}")
    right, weight = 2 * table[:, 0], table[:, 1] + table[:, 2]
    if not weight.sum():
        return np.zeros(len(table))
    f1 = right.sum() / weight.sum()
    influence: NDArray[np.float64] = f1 + (right - f1 * weight) / weight.mean()
    return influence
