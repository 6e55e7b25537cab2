"""What kinds have in common of which each item has one class: every rule about their labels, written once."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score

from tutelage.data import Examples
from tutelage.data.tables import DataError, as_label, read_table
from tutelage.fit.build import Items
from tutelage.fit.evidence import wilson
from tutelage.kinds.base import EXCERPT, LEAST_SURE, Coded, Dataset, Kind, Measured, silent
from tutelage.kinds.entries import Entries, InTable, InValues, joined
from tutelage.kinds.tallies import Tally
from tutelage.model import Model
from tutelage.tasks import Classification
from tutelage.types import Say
from tutelage.weak import RawVotes, Votes, labels_of_votes, read_votes
from tutelage.weak import label as label_model


@dataclass(frozen=True, kw_only=True)
class OneClass(Kind):
    """A kind of which each item has one class. Its fields are options that all such kinds have.

    Attributes:
        label: column of the labels; an empty label means unlabelled.
        votes: column with a list of votes a row, or the common prefix of one column for each rule; -1 abstains.
        label_model: how votes become labels.
    """

    label: str | None = None
    votes: str | None = None
    label_model: str | None = None

    label_columns = ("label",)

    @property
    def weak(self) -> bool:
        return self.votes is not None

    # reading

    def labelled_only(self, test: Entries, say: Say) -> Entries:
        if not test.known.any():
            raise DataError(f"{test.at('label')}: every label is empty; nothing to score on")
        if not test.known.all():
            say(f"Not scored: {int((~test.known).sum())} rows of {test.places.source} without a label.")
        return test.where(test.known)

    def _votes(self, table: pd.DataFrame, path: Any, must_have: bool, *others: str | None) -> RawVotes | None:
        """The votes in a table; None where none are asked for, or where the table need not have them and has not."""
        columns = [str(c) for c in table.columns]
        there = self.votes is not None and any(c.startswith(self.votes) and c not in others for c in columns)
        if self.votes is None or not (must_have or there):
            return None
        return read_votes(table, self.votes, path, others)

    def of_these(self, found: Entries) -> str:
        """Which items a fault is said of, where some are left out."""
        return ""

    def size_of(self, found: Entries) -> tuple[int, int] | None:
        """Height and width that images are brought to; None of other items."""
        return None

    def faults(self, found: Entries) -> list[str | None]:
        """What is wrong with each item that could be read, None where nothing is, without numbers of its own."""
        return [None] * len(found)

    def file_names(self, found: Entries) -> list[str] | None:
        """Paths of items that are files of their own, "" for one that is not; None where none is."""
        return None

    def require_good(self, labelled: Entries) -> None:
        """Check the labelled items.

        Raises:
            DataError: one cannot be learnt from; said with its place.
        """

    def good_pool(self, pool: Entries, say: Say) -> Entries:
        """The items of the pool that can be learnt from; the others are counted and said."""
        return pool

    # learning

    def learn(
        self, train: Entries, more: Entries | None, test: Entries | None, evidence: bool, say: Say = silent
    ) -> Dataset:
        labelled, parts = train.where(train.known), [train.where(~train.known), *([] if more is None else [more])]
        voted = [part.votes for part in (train, *parts) if part.votes is not None]
        if not voted and not len(labelled):
            these = self.of_these(train)
            raise DataError(f"{train.at('label')}: every label{these} is {train.places.empty}; label some rows")
        self.require_good(labelled)
        classes = class_names(labelled, voted, say)
        if not classes:
            raise DataError(f"{train.at('votes')}: no rule votes on any row; there is nothing to learn from")
        require_two(classes, train.at("label") if len(labelled) or not voted else train.at("votes"))
        for votes in voted:
            votes.code([str(as_label(c)) for c in classes])  # names the row and the rule of a vote for another class
        y = codes(classes, labelled)
        if evidence:
            require_two_of_each(labelled, y, classes, bool(voted))
        pool = [self.good_pool(part, say) for part in parts]
        truth = np.concatenate([codes_if_known(classes, part.labels) for part in pool])
        items = Items(Classification(len(classes)), labelled.items, y, joined([p.items for p in pool]), truth)
        weak: dict[str, Any] = {}
        if voted:
            items, weak = self._with_votes(items, classes, labelled, pool, say)
        names = [name for part in pool for name in part.names]
        if test is None:
            return Dataset(items, classes, names, weak=weak)
        self.warn_of_shared(test, [labelled, *pool])
        return Dataset(items, classes, names, test.items, codes(classes, test), weak)

    def _with_votes(
        self, items: Items, classes: Sequence[Any], labelled: Entries, pool: list[Entries], say: Say
    ) -> tuple[Items, dict[str, Any]]:
        """The items with labels from the votes, and what is known of the rules that voted."""
        source = labelled.places.source
        rules = next(part.votes.names for part in (labelled, *pool) if part.votes is not None)
        for part in pool:
            if part.votes is not None and part.votes.names != rules:
                raise DataError(f"{part.places.source}: the rules are {part.votes.names}, but in {source} {rules}")
        names = [str(as_label(c)) for c in classes]
        tables = [
            part.votes.code(names).table if part.votes else np.full((len(part), len(rules)), -1)
            for part in (labelled, *pool)
        ]
        everything = Votes(np.concatenate(tables), rules, names)
        clean = np.append(items.y, np.full(len(items.pool), -1))
        if not everything.covered.any():
            raise DataError(f"{labelled.at('votes')}: no rule votes on any row; there is nothing to learn from")
        probabilities, weak = labels_of_votes(everything, clean, self.label_model)
        count = len(items.y)
        covered = np.flatnonzero(everything.covered[count:])
        if not len(covered):
            raise DataError(
                f"{labelled.at('votes')}: no rule votes on an unlabelled row; every row that is voted on has a clean "
                "label already"
            )
        for name in weak["silent"]:
            say(f"Rule {name} abstains on every row.")
        say(
            f"Rules: {len(rules)}, which vote on {len(covered)} of {len(items.pool)} unlabelled rows; "
            f"labels by {weak['label_model']}."
        )
        weak |= {"rows": len(items.pool), "covered": len(covered), "clean_labels": count}
        return replace(items, covered=covered, target=probabilities[count:][covered]), weak

    def identity(self, item: Any) -> Hashable:
        """What two items have in common when they are the same."""
        return item if isinstance(item, Hashable) else np.asarray(item).tobytes()

    def warn_of_shared(self, test: Entries, learnt: Sequence[Entries]) -> None:
        """Warn where items to score on are also among those that are learnt from."""
        known = {self.identity(item) for part in learnt for item in part.items}
        shared = len({self.identity(item) for item in test.items} & known)
        if shared:
            source = f"{shared} {self.words.things} of {test.places.source}"
            warnings.warn(f"{source} are also in the training data: the test score flatters.", stacklevel=2)

    def coded(self, items: Sequence[list[Any]], labels: Sequence[list[Any]], weak: list[Any] | None = None) -> Coded:
        """Items with class numbers in the order of the classes' names, shorter names first, so that 10 follows 9."""
        named = [[as_label(v) for v in part] for part in labels]
        names = sorted({n for part in named for n in part if n is not None}, key=lambda n: (len(n), n))
        y = [codes_if_known(names, part) for part in named]
        counts = [np.ones(len(part), dtype=np.int64) for part in y]
        found = Coded(Classification(len(names)), [self.given(part) for part in items], y, counts)
        if weak is None:
            return found
        votes = [[v] for v in weak] if np.ndim(weak[0]) == 0 else weak
        table = np.stack([np.asarray(v) for v in votes]).astype(np.int64)
        said = Votes(table, [f"rule {j + 1}" for j in range(table.shape[1])], names)
        covered = np.flatnonzero(said.covered)
        return replace(found, covered=covered, target=label_model(said, "majority")[covered])

    # scoring and showing

    def truth(self, test: Entries, model: Model) -> tuple[Sequence[Any], np.ndarray]:
        return test.items, codes(model.classes, test)

    def measured(
        self, model: Model, examples: Examples, items: Sequence[Any], truth: np.ndarray, show: bool = False
    ) -> Measured:
        p = model.predict(examples)
        tally = Tally(p.shape[1]).add(truth, p.argmax(1), p.max(1))
        return Measured(class_scores(truth, p), tally, [])

    @staticmethod
    def in_words(scores: Mapping[str, Any]) -> tuple[str, str]:
        low, high = (100 * v for v in scores["interval"])
        accuracy = f"accuracy {100 * scores['accuracy']:.1f} % ({low:.1f} to {high:.1f})"
        return accuracy, f"macro F1 {100 * scores['macro_f1']:.1f} %"

    def shown_item(self, item: Any, name: str, characters: int = EXCERPT) -> dict[str, str]:
        """An item as a page shows it: "text", and perhaps "image", a picture in base64.

        Args:
            name: what the item is called; "" where it has no name.
            characters: of a text, at most.
        """
        return {"text": name}

    def _least_sure(self, data: Dataset, i: int) -> dict[str, Any]:
        """The i-th item of the pool for a report."""
        name = data.names[i] if len(data.names) else f"{self.words.thing} {i + 1} of the pool"
        found = self.shown_item(data.items.pool[i], name)
        return {"pieces": [(found["text"], None)]} | ({"image": found["image"]} if "image" in found else {})

    def shown_pool(self, model: Model, pool: Examples, data: Dataset) -> dict[str, Any]:
        p = model.predict(pool)
        top, share = p.max(1), np.bincount(p.argmax(1), minlength=p.shape[1]) / len(p)
        classes = [str(c) for c in data.classes]
        least = [
            self._least_sure(data, int(i)) | {"label": classes[int(p[i].argmax())], "probability": float(top[i])}
            for i in np.argsort(top, kind="stable")[:LEAST_SURE]
        ]
        return {"least_sure": least, "pool_classes": dict(zip(classes, map(float, share), strict=True))}

    # Python values

    def values(self, items: Any, y: Sequence[Any], votes: Any = None, argument: str = "X") -> Entries:
        """Entries of the arguments of a function.

        Args:
            items: as `given` returns them.
            y: labels, None where unknown.
            votes: labels given by rules, (n, rules), None or -1 = abstains.
            argument: name of the argument that holds the items.
        """
        places = InValues({"item": argument, "label": "y", "votes": "votes"}, range(len(items)))
        raw = None if votes is None else votes_of(votes, len(items))
        return Entries(items, list(y), places, raw)


def table_of(path: Any, charset: str) -> tuple[pd.DataFrame, list[int]]:
    """A table, and the numbers of its rows, from 1."""
    table = read_table(path, charset)
    return table, list(range(1, len(table) + 1))


def in_table(path: Any, rows: Sequence[int], **columns: str | None) -> InTable:
    """Places in a table, whose columns are given by what is in them."""
    return InTable(str(path), rows, columns)


def class_names(labelled: Entries, voted: Sequence[RawVotes], say: Say) -> list[Any]:
    """The labels there are, sorted; where there are none those that rules vote for.

    Of files they are texts; of Python values they keep their type, and votes that all are whole numbers become numbers.
    """
    in_values = isinstance(labelled.places, InValues)
    if len(labelled):
        classes = np.unique(labelled.labels).tolist() if in_values else sorted({str(v) for v in labelled.labels})
        if "-1" in classes:
            say("Label -1 is read as a class of its own; an unlabelled row has an empty label.")
        return classes
    names = sorted({v for votes in voted for v in votes.labels()})
    say(f"Classes, by the votes: {', '.join(names)}.")
    if in_values and all(v.isascii() and v.isdigit() and v == str(int(v)) for v in names):
        return sorted(int(v) for v in names)
    return names


def require_two(classes: Sequence[Any], place: str) -> None:
    """Check that there are two classes.

    Raises:
        DataError: there is one, or none.
    """
    if len(classes) < 2:
        raise DataError(f"{place}: only one class, {(*classes, '')[0]!r}; two are needed")


def require_two_of_each(labelled: Entries, y: np.ndarray, classes: Sequence[Any], weak: bool) -> None:
    """Check that something of each class can be held out.

    Raises:
        DataError: a class has one label; or, beside votes, the clean labels are all of one class.
    """
    counts, skip = np.bincount(y, minlength=len(classes)), labelled.places.skip
    few = np.flatnonzero(counts == 1)
    if len(few):
        lonely = int(np.flatnonzero(y == few[0])[0])
        raise DataError(
            f"{labelled.at('label', lonely)}: class {classes[int(few[0])]!r} has one label; label one more row of it "
            f"(the evidence needs two), or {skip}"
        )
    if weak and len(y) and (counts > 0).sum() < 2:
        raise DataError(
            f"{labelled.at('label')}: the clean labels are all of class {classes[int(counts.argmax())]!r}; label rows "
            f"of another, or {skip}"
        )


def codes(classes: Sequence[Any], test: Entries) -> np.ndarray:
    """Class numbers of labels, (n,).

    Raises:
        DataError: one was never seen in training; the first is named.
    """
    code = {c: i for i, c in enumerate(classes)}
    for i, label in enumerate(test.labels):
        if label not in code:
            unseen = sorted({str(u) for u in test.labels if u not in code})
            raise DataError(
                f"{test.places.at('row', i)}: label {label!r} was not among the training labels "
                f"{', '.join(map(str, classes))}; unseen in this file: {', '.join(unseen)}"
            )
    return np.array([code[label] for label in test.labels], dtype=np.int64)


def codes_if_known(classes: Sequence[Any], labels: Sequence[Any]) -> np.ndarray:
    """Class numbers of labels, (n,), -1 where there is none or it is of no class."""
    code = {c: i for i, c in enumerate(classes)}
    return np.array([code.get(label, -1) for label in labels], dtype=np.int64)


def class_scores(y: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Accuracy with its interval, and macro F1, of probabilities (n, c) for class numbers (n,)."""
    guess = probabilities.argmax(1)
    found = wilson(float(accuracy_score(y, guess)), len(y))
    macro = f1_score(y, guess, average="macro", zero_division=0.0)
    return {
        "rows": len(y), "measure": "accuracy", "accuracy": found.score, "interval": [found.low, found.high],
        "macro_f1": float(macro),
    }  # fmt: skip


def votes_of(votes: Any, rows: int) -> RawVotes:
    """Votes of Python values as a table of labels, None where a rule abstains.

    Raises:
        ValueError: they are not (rows, rules), or one is a number with a fraction.
    """
    table = np.asarray(votes, dtype=object)
    if table.ndim != 2 or len(table) != rows or not table.size:
        raise ValueError(f"votes must be of shape ({rows}, rules), got {table.shape}")
    columns = votes.columns if isinstance(votes, pd.DataFrame) else range(table.shape[1])
    raw = RawVotes.of("votes", [str(c) for c in columns], table.tolist())
    for vote in pd.unique(table.ravel()):
        if isinstance(vote, float) and not vote.is_integer() and not np.isnan(vote):
            i, j = np.argwhere(table == vote)[0]
            raise ValueError(f"votes[{i}, {j}] must be a label or -1, got {vote}")
    return raw
