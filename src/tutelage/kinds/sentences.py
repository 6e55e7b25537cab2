"""Sentences with tags, and with distant tags."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tutelage.data.tables import DataError
from tutelage.fit.build import Items
from tutelage.fit.evidence import estimate
from tutelage.kinds.base import Inputs, Say
from tutelage.modalities.sentences.tables import Sentences, read_sentences
from tutelage.ops.tags import entity_counts, entity_scores, f1_influence
from tutelage.run.options import Request
from tutelage.tasks import Tagging, tag_names

Tags = Sequence[Sequence[str]]


@dataclass(frozen=True)
class SentenceInputs(Inputs):
    """Sentences, each word of which has a tag."""

    kind: ClassVar[str] = "tagging"
    things: ClassVar[str] = "sentences"

    def scores(self, said: np.ndarray) -> dict[str, Any]:
        assert isinstance(self.items.task, Tagging)
        counts = np.array([len(s) for s in self.test], dtype=np.int64)
        return tag_scores(self.truth, self.items.task.decode(said.argmax(1), counts))


def read_sentence_inputs(request: Request, say: Say) -> SentenceInputs:
    """Read and check the tables of a tagging task."""
    train = _file(request, request.train, say)
    known = np.array([t is not None for t in train.tags])
    labelled, unknown = train.where(known), train.where(~known)
    if not request.weak and not known.any():
        raise DataError(f"{request.train}, column {request.tags!r}: every sentence is untagged; tag some")
    parts = [unknown]
    if request.unlabelled is not None:
        parts.append(_file(request, request.unlabelled, say, must_have=False))
    if request.evidence and len(labelled) == 1:
        raise DataError(
            f"{request.train}, column {request.tags!r}: one sentence is tagged; tag one more (the evidence needs two), "
            "or pass --no-evidence"
        )
    names = tag_names([*labelled.tags, *(d for part in (train, *parts) for d in part.distant)])
    if len(names) == 1:
        raise DataError(f"{request.train}, column {request.tags or request.distant!r}: no entity in any sentence")
    if request.evidence and len(labelled) and len(tag_names(labelled.tags)) == 1:
        raise DataError(
            f"{request.train}, column {request.tags!r}: no entity in a tagged sentence; tag one with some (evidence "
            "needs them), or pass --no-evidence"
        )
    code = {name: i for i, name in enumerate(names)}
    y = np.array([code[tag] for tags in labelled.tags if tags is not None for tag in tags], dtype=np.int64)
    pool = [tokens for part in parts for tokens in part.tokens]
    items = Items(Tagging(len(names), names), labelled.tokens, y, pool)
    weak: dict[str, Any] = {}
    if request.distant is not None:
        distant = [d for part in parts for d in part.distant]
        items, weak = _with_distant(request, items, code, labelled, distant, say)
    if request.test is None:
        return SentenceInputs(items, list(names), weak=weak)
    test = _test(request, code, [*labelled.tokens, *pool], say)
    return SentenceInputs(items, list(names), test.tokens, test.tags, weak)


def _file(request: Request, path: Path, say: Say, distant: bool = True, must_have: bool = True) -> Sentences:
    assert request.tokens is not None
    rules = request.distant if distant else None
    found = read_sentences(path, request.tokens, request.tags, rules, request.charset, must_have)
    if found.repaired:
        say(f"{path}: {found.repaired} tags or spans were not well formed and have been mended.")
    if found.empty:
        say(f"{path}: {found.empty} sentences without a word are left out.")
    if len(found) > 1 and all(len(words) == 1 for words in found.tokens):
        say(f"{path}: every sentence has one word only; a row (or a block of lines) must be a whole sentence.")
    return found


def _with_distant(
    request: Request, items: Items, code: dict[str, int], labelled: Sentences, distant: list[Any], say: Say
) -> tuple[Items, dict[str, Any]]:
    """The items with distant tags, and what is known of those."""
    covered, target, silent_is_outside = distant_target(distant, code)
    if not len(covered):
        raise DataError(f"{request.train}, column {request.distant!r}: no distant tag on any untagged sentence")
    if silent_is_outside:
        say(f"Column {request.distant!r} never says outside: words of which it says nothing are taken to be.")
    weak: dict[str, Any] = {
        "rows": len(items.pool), "covered": len(covered), "clean_labels": len(labelled),
        "words": len(target), "covered_words": int((target >= 0).sum()),
    }  # fmt: skip
    if len(labelled) and all(d is not None for d in labelled.distant):
        guess = [[tag or "O" for tag in d] for d in labelled.distant if d is not None]
        weak |= {"on_clean_labels": entity_scores([t for t in labelled.tags if t is not None], guess)}
    say(f"Distant tags on {len(covered)} of {len(items.pool)} untagged sentences.")
    return Items(items.task, items.labelled, items.y, items.pool, items.truth, covered, target), weak


def distant_target(
    distant: Sequence[Sequence[str | None] | None], code: dict[str, int]
) -> tuple[np.ndarray, np.ndarray, bool]:
    """The numbers of the sentences with distant tags, and the class numbers of their words, -1 = nothing is said.

    Where no tag is O, words of which nothing is said are taken to be outside: the third answer is True.

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


def _test(request: Request, code: dict[str, int], learnt: list[list[str]], say: Say) -> Sentences:
    assert request.test is not None
    test = tagged_only(_file(request, request.test, say, distant=False), say)
    unseen = sorted({tag[2:] for tags in test.tags if tags for tag in tags if tag not in code})
    if unseen:
        warnings.warn(
            f"{request.test} has entities of types that were never tagged in training and count as missed: "
            f"{', '.join(unseen)}.",
            stacklevel=2,
        )
    shared = len({tuple(s) for s in test.tokens} & {tuple(s) for s in learnt})
    if shared:
        warnings.warn(
            f"{shared} sentences of {request.test} are also in the training data: the test score flatters.",
            stacklevel=2,
        )
    return test


def tagged_only(test: Sentences, say: Say) -> Sentences:
    """The tagged sentences of a test table; DataError where there are none."""
    tagged = np.array([t is not None for t in test.tags])
    if not tagged.any():
        raise DataError(f"{test.file}: every sentence is untagged; nothing to score on")
    if not tagged.all():
        say(f"Not scored: {int((~tagged).sum())} sentences of {test.file} without tags.")
    return test.where(tagged)


def tag_scores(true: Tags, guess: Tags) -> dict[str, Any]:
    """Precision, recall and F1 of entities, with the F1's interval over sentences."""
    found = estimate(f1_influence(entity_counts(true, guess)), "entity F1")
    return {
        "rows": len(true),
        "measure": "entity F1",
        **entity_scores(true, guess),
        "interval": [found.low, found.high],
    }
