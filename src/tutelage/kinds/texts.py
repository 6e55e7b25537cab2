"""Tables of texts with labels, and with votes of rules."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tutelage.data.tables import DataError, read_table
from tutelage.fit.build import Items
from tutelage.kinds.base import Inputs, Say
from tutelage.kinds.classes import (
    class_names,
    class_scores,
    codes,
    codes_if_known,
    labelled_only,
    require_two,
    require_two_of_each,
)
from tutelage.modalities.text.tables import Texts, read_texts, require_good_texts, text_fault, texts_of
from tutelage.run.options import Request
from tutelage.tasks import Classification
from tutelage.weak import RawVotes, Votes, apply_rules, labels_of_votes, read_rules, read_votes

__all__ = ["TextInputs", "codes", "labelled_only", "read_text_inputs", "text_scores"]

text_scores = class_scores


@dataclass(frozen=True)
class TextInputs(Inputs):
    """Texts, each of one class."""

    kind: ClassVar[str] = "text"
    things: ClassVar[str] = "texts"

    def scores(self, said: np.ndarray) -> dict[str, Any]:
        return class_scores(self.truth, said)


@dataclass(frozen=True)
class Part:
    """The rows of one file, and the votes on them where there are any."""

    texts: Texts
    votes: RawVotes | None

    def where(self, keep: np.ndarray) -> Part:
        return Part(self.texts.where(keep), self.votes.where(keep) if self.votes else None)


def read_text_inputs(request: Request, say: Say) -> TextInputs:
    """Read and check the tables of a classification."""
    assert request.text is not None
    train = _part(request, request.train, request.label, say)
    known = np.array([v is not None for v in train.texts.labels])
    labelled, unknown = train.where(known), train.where(~known)
    if not request.weak and not known.any():
        raise DataError(f"{request.train}, column {request.label!r}: every label is empty; label some rows")
    require_good_texts(labelled.texts, request.text)
    parts = [unknown]
    if request.unlabelled is not None:
        parts.append(_part(request, request.unlabelled, request.label, say, must_have=False))
    voted = [part.votes for part in (train, *parts) if part.votes]
    classes = class_names(labelled.texts, say)
    if not classes:  # no clean label: the rules say what there is
        classes = sorted({v for votes in voted for v in votes.labels()})
        say(f"Classes, by the votes: {', '.join(classes)}.")
    require_two(classes, f"{request.train}, column {request.label or request.votes!r}")
    for votes in voted:
        votes.code(classes)  # names the row and the rule of a vote for another class
    y = codes(classes, labelled.texts)
    if request.evidence:
        require_two_of_each(request, labelled.texts, y, classes)
    pool = [_good(part, say) for part in parts]
    texts = [t for part in pool for t in part.texts.texts]
    truth = codes_if_known(classes, [v for part in pool for v in part.texts.labels])
    items = Items(Classification(len(classes)), labelled.texts.texts, y, texts, truth)
    weak: dict[str, Any] = {}
    if request.weak:
        items, weak = _with_votes(request, items, classes, labelled, pool, say)
    test = _test(request, classes, [*labelled.texts.texts, *texts], say) if request.test is not None else None
    if test is None:
        return TextInputs(items, classes, weak=weak)
    return TextInputs(items, classes, test.texts, codes(classes, test), weak)


def _part(request: Request, path: Any, labels: str | None, say: Say, must_have: bool = True) -> Part:
    """Texts, labels and votes of one file; columns that it need not have are left out where it lacks them."""
    assert request.text is not None
    table = read_table(path, request.charset)
    there = [str(c) for c in table.columns]
    texts = texts_of(table, path, request.text, labels if must_have or labels in there else None)
    votes, others = None, (request.text, request.label)
    if request.rules is not None:
        votes = apply_rules(read_rules(request.rules), texts.texts, str(path))
    elif request.votes is not None and (
        must_have or any(c.startswith(request.votes) and c not in others for c in there)
    ):
        votes = read_votes(table, request.votes, path, others)
    return Part(texts, votes)


def _good(part: Part, say: Say) -> Part:
    """The rows whose text can be learnt from."""
    faults = [text_fault(t) for t in part.texts.texts]
    if any(faults):
        first = next(i for i, fault in enumerate(faults) if fault)
        say(
            f"Left out of the pool: {sum(map(bool, faults))} of {len(faults)} texts of {part.texts.file} "
            f"(first: row {part.texts.rows[first]}, {faults[first]})."
        )
    return part.where(np.array([fault is None for fault in faults], dtype=bool))


def _with_votes(
    request: Request, items: Items, classes: list[str], labelled: Part, pool: list[Part], say: Say
) -> tuple[Items, dict[str, Any]]:
    """The items with labels from the votes, and what is known of those who voted."""
    names = next(part.votes.names for part in (labelled, *pool) if part.votes is not None)
    for part in pool:
        if part.votes is not None and part.votes.names != names:
            raise DataError(f"{part.texts.file}: the rules are {part.votes.names}, but in {request.train} {names}")
    tables = [
        part.votes.code(classes).table if part.votes else np.full((len(part.texts), len(names)), -1)
        for part in (labelled, *pool)
    ]
    everything = Votes(np.concatenate(tables), names, classes)
    clean = np.append(items.y, np.full(len(items.pool), -1))
    if not everything.covered.any():
        raise DataError(f"{request.train}: no rule votes on any row; there is nothing to learn from")
    probabilities, weak = labels_of_votes(everything, clean, request.label_model)
    count = len(items.y)
    covered = np.flatnonzero(everything.covered[count:])
    if not len(covered):
        raise DataError(
            f"{request.train}: no rule votes on an unlabelled row; every row that is voted on has a clean label already"
        )
    for name in weak["silent"]:
        say(f"Rule {name} abstains on every row.")
    say(
        f"Rules: {len(names)}, which vote on {len(covered)} of {len(items.pool)} unlabelled rows; "
        f"labels by {weak['label_model']}."
    )
    weak |= {"rows": len(items.pool), "covered": len(covered), "clean_labels": count}
    return (
        Items(items.task, items.labelled, items.y, items.pool, items.truth, covered, probabilities[count:][covered]),
        weak,
    )


def _test(request: Request, classes: list[str], learnt: list[str], say: Say) -> Texts:
    assert request.test is not None and request.text is not None and request.label is not None
    test = labelled_only(read_texts(request.test, request.text, request.label, request.charset), request.label, say)
    codes(classes, test)
    shared = len(set(test.texts) & set(learnt))
    if shared:
        warn = f"{shared} texts of {request.test} are also in the training data: the test score flatters."
        warnings.warn(warn, stacklevel=2)
    return test
