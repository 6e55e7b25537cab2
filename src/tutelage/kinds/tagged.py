"""Tagged sentences: predicted tags, scores of entities, distant tags, and tags as Python users give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tutelage.fit.build import Items
from tutelage.fit.evidence import estimate
from tutelage.kinds.entries import Entries, unknown
from tutelage.model import Model
from tutelage.ops.tags import entities, entity_counts, entity_scores, f1_influence
from tutelage.tables import DataError, Notes
from tutelage.tasks import Tagging

Pieces = list[tuple[str, str | None]]
"""Pieces of a text in order, each with the type of its entity, or None outside entities."""


def decoded(model: Model, sentences: Sequence[Sequence[str]], probabilities: np.ndarray) -> list[list[str]]:
    """Predicted tags of each sentence, in clean BIO.

    Args:
        model: fitted model.
        sentences: sentences, each a list of words.
        probabilities: probabilities of all their words, (words, c).
    """
    task = Tagging(len(model.classes), tuple(map(str, model.classes)))
    return task.tags(probabilities.argmax(1), np.array([len(s) for s in sentences], dtype=np.int64))


def tag_scores(true: Sequence[Sequence[str]], guess: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Precision, recall and F1 of entities, and an interval of the F1, as plain values.

    Args:
        true: tags of n sentences, BIO.
        guess: predicted tags of the same sentences, BIO.
    """
    found = estimate(f1_influence(entity_counts(true, guess)))
    return {
        "rows": len(true), "measure": "entity F1", **entity_scores(true, guess), "interval": [found.low, found.high],
    }  # fmt: skip


def marked(words: Sequence[str], tags: Sequence[str]) -> Pieces:
    """Pieces of a sentence, cut at its entities.

    >>> marked(["in", "New", "York"], ["O", "B-LOC", "I-LOC"])
    [('in', None), ('New York', 'LOC')]
    """
    pieces: Pieces = []
    at = 0
    for start, end, kind in [*entities(tags), (len(words), len(words), "")]:
        if at < start:
            pieces.append((" ".join(words[at:start]), None))
        if start < end:
            pieces.append((" ".join(words[start:end]), kind))
        at = end
    return pieces


def with_distant(
    items: Items, code: dict[str, int], labelled: Entries, pool: Sequence[Entries], notes: Notes
) -> tuple[Items, dict[str, Any]]:
    """The items with distant tags, and statistics of these tags for the summary."""
    place = labelled.at("distant")
    covered, target, silent_is_outside = distant_target([d for part in pool for d in part.distant], code)
    if not len(covered):
        raise DataError(f"{place}: no distant tag on any untagged sentence")
    if silent_is_outside:
        notes.say(f"{place} never says outside: words of which it says nothing are taken to be.")
    about: dict[str, Any] = {
        "rows": len(items.pool), "covered": len(covered), "clean_labels": len(labelled),
        "words": len(target), "covered_words": int((target >= 0).sum()),
    }  # fmt: skip
    if len(labelled) and all(d is not None for d in labelled.distant):
        guess = [[tag or "O" for tag in d] for d in labelled.distant]
        about |= {"on_clean_labels": entity_scores(labelled.labels, guess)}
    notes.say(f"Distant tags on {len(covered)} of {len(items.pool)} untagged sentences.")
    return replace(items, covered=covered, target=target), about


def distant_target(
    distant: Sequence[Sequence[str | None] | None], code: Mapping[str, int]
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Targets made of distant tags.

    Args:
        distant: distant tags of each sentence; None for a sentence, or a word, without.
        code: class number of each tag.

    Returns:
        Numbers of the sentences with distant tags, (n,); class numbers of their words, (words,), -1 is unknown; and
        whether words without a distant tag count as outside ("O"), which they do where no distant tag is "O".

    >>> covered, target, outside = distant_target([["B-PER", None], None, [None]], {"O": 0, "B-PER": 1})
    >>> covered.tolist(), target.tolist(), outside
    ([0, 2], [1, 0, 0], True)
    """
    outside = not any(tag == "O" for tags in distant if tags for tag in tags)
    said = [i for i, tags in enumerate(distant) if tags is not None and any(tags)]
    if outside and said:
        said = [i for i, tags in enumerate(distant) if tags is not None]
    empty = "O" if outside else ""
    target = [code.get(tag or empty, -1) for i in said for tag in distant[i] or []]
    return np.array(said, dtype=np.int64), np.array(target, dtype=np.int64), outside


def cells_of(y: Any, sentences: list[list[str]], name: str) -> list[Any]:
    """Lists of tags of each sentence, as they are given; None for a sentence without.

    Args:
        y: lists of tags; None or -1 is an untagged sentence. None: all are untagged.
        sentences: the sentences.
        name: name of the argument that holds the tags, for messages.

    Raises:
        ValueError: there are more or fewer lists than sentences.
    """
    if y is None:
        return [None] * len(sentences)
    if len(y) != len(sentences):
        raise ValueError(f"X has {len(sentences)} sentences, but {name} has {len(y)}")
    cells = [list(tags) if np.iterable(tags) and not isinstance(tags, str) else tags for tags in y]
    return [tags if isinstance(tags, list) or not unknown(tags) else None for tags in cells]


def tags_of_cells(cells: list[Any]) -> list[list[str] | None]:
    """Tags as texts. "0" and -1, by which a rule says nothing of a word, become "O"."""
    return [None if c is None else ["O" if str(t) in ("-1", "0") else str(t) for t in c] for c in cells]
