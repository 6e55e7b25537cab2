"""Base class of the kinds whose items have one class each. It holds every rule about their labels."""

from __future__ import annotations

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
from tutelage.kinds.base import EXCERPT, LEAST_SURE, Coded, Dataset, Kind, Measured, silent, warn_of_shared
from tutelage.kinds.entries import Entries, InTable, InValues, joined
from tutelage.kinds.tallies import Tally
from tutelage.kinds.teachers import declared, with_declared, with_weak_labels
from tutelage.model import Model
from tutelage.tasks import Classification
from tutelage.types import Say
from tutelage.weak import RawVotes, Said, Votes, read_columns, read_labels, read_votes
from tutelage.weak import label as label_model


@dataclass(frozen=True, kw_only=True)
class OneClass(Kind):
    """A kind whose items have one class each. Its fields are options that all such kinds have.

    Attributes:
        label: column of the labels; an empty label means unlabelled.
        votes: column of lists of votes, or common prefix of the columns of the rules' votes; -1 abstains.
        label_model: label model, which turns votes into labels; None is the default one.
        teacher: common prefix of the columns of a teacher's probabilities, each named by it and a class.
        teacher_label: column of a teacher's labels; an empty cell is silent.
        teacher_confidence: column of the teacher's confidence in each of its labels, in [0, 1].
    """

    label: str | None = None
    votes: str | None = None
    label_model: str | None = None
    teacher: str | None = None
    teacher_label: str | None = None
    teacher_confidence: str | None = None

    label_columns = ("label",)
    abstains = True

    def __post_init__(self) -> None:
        if self.teacher_confidence is not None and self.teacher_label is None:
            raise ValueError("--teacher-confidence needs --teacher-label, the column of the labels that it is about")
        if self.teacher_label is not None and self.teacher_label == self.label:
            raise ValueError(f"--teacher-label is the column of the labels, {self.label!r}; name the teacher's own")
        if self.teacher == "":
            raise ValueError("--teacher must be the prefix of the teacher's columns, got an empty one")

    @property
    def weak(self) -> bool:
        return self.votes is not None or self.taught

    @property
    def taught(self) -> bool:
        """Whether the options name a teacher."""
        return self.teacher is not None or self.teacher_label is not None

    @property
    def descriptions(self) -> Mapping[str, Sequence[str]] | None:
        """Sentences that describe each class; None where none is described.

        Raises:
            DataError: the descriptions are not valid.
        """
        return None

    # reading

    def labelled_only(self, test: Entries, say: Say) -> Entries:
        if not test.known.any():
            raise DataError(f"{test.at('label')}: every label is empty; nothing to score on")
        if not test.known.all():
            say(f"Not scored: {int((~test.known).sum())} rows of {test.places.source} without a label.")
        return test.where(test.known)

    def _votes(self, table: pd.DataFrame, path: Any, must_have: bool, *others: str | None) -> RawVotes | None:
        """Votes in a table; None where no option names votes, or where the table lacks them and may lack them.

        Args:
            table: the table.
            path: its file, for messages.
            must_have: whether a named column of votes must exist.
            others: columns that hold no votes, also where their names begin with the prefix.
        """
        columns = [str(c) for c in table.columns]
        there = self.votes is not None and any(c.startswith(self.votes) and c not in others for c in columns)
        if self.votes is None or not (must_have or there):
            return None
        return read_votes(table, self.votes, path, others)

    def said_in(
        self, table: pd.DataFrame, path: Any, must_have: bool, say: Say, *others: str | None
    ) -> tuple[Said, ...]:
        """What teachers said in the columns of a table; nothing where the table lacks them and may lack them.

        Args:
            table: the table.
            path: its file, for messages.
            must_have: whether the named columns must exist.
            say: called with sentences for the user.
            others: columns of items, labels and votes.
        """
        columns = [str(c) for c in table.columns]
        found: list[Said] = []
        if self.teacher is not None:
            own = (*others, self.teacher_label, self.teacher_confidence)
            if must_have or any(c.startswith(self.teacher) and c not in own for c in columns):
                found.append(read_columns(table, self.teacher, path, say, own))
        if self.teacher_label is not None and (must_have or self.teacher_label in columns):
            found.append(read_labels(table, self.teacher_label, self.teacher_confidence, path, say))
        return tuple(found)

    def of_these(self, found: Entries) -> str:
        """Words, for a message, that limit it to the items that can be read; empty where none is left out."""
        return ""

    def size_of(self, found: Entries) -> tuple[int, int] | None:
        """Height and width, in pixels, to which images are resized; None of other items."""
        return None

    def faults(self, found: Entries) -> list[str | None]:
        """Fault of each item, in words that are the same for the same fault; None for a good item."""
        return [None] * len(found)

    def file_names(self, found: Entries) -> list[str] | None:
        """Path of each item's own file, "" for an item without one; None where no item has a file."""
        return None

    def require_good(self, labelled: Entries) -> None:
        """Check the labelled items.

        Raises:
            DataError: an item cannot be learnt from; the message names its place.
        """

    def require_alike(self, train: Entries, others: Sequence[Entries]) -> None:
        """Check that items of all sources have the same form.

        Raises:
            DataError: a source's have not; the message names it.
        """

    # learning

    def learn(
        self, train: Entries, more: Entries | None, test: Entries | None, evidence: bool, say: Say = silent
    ) -> Dataset:
        labelled, parts = train.where(train.known), [train.where(~train.known), *([] if more is None else [more])]
        voted = [part.votes for part in (train, *parts) if part.votes is not None]
        described = self.descriptions
        said = declared((train, *parts), described)
        if not voted and not said and not len(labelled):
            these = self.of_these(train)
            raise DataError(f"{train.at('label')}: every label{these} is {train.places.empty}; label some rows")
        self.require_alike(train, [other for other in (more, test) if other is not None])
        self.require_good(labelled)
        classes = class_names(labelled, voted, say, said)
        if not classes:
            raise DataError(f"{train.at('votes')}: no rule votes on any row; there is nothing to learn from")
        require_two(classes, train.at("label") if len(labelled) or not voted else train.at("votes"))
        for votes in voted:
            votes.code([str(as_label(c)) for c in classes])  # names the row and the rule of a vote for another class
        y = codes(classes, labelled)
        if evidence:
            require_two_of_each(labelled, y, classes, bool(voted or said))
        pool = [self.good_pool(part, say) for part in parts]
        truth = np.concatenate([codes_if_known(classes, part.labels) for part in pool])
        items = Items(Classification(len(classes)), labelled.items, y, joined([p.items for p in pool]), truth)
        weak: dict[str, Any] = {}
        if voted or said:
            items, weak = with_weak_labels(items, classes, labelled, pool, self.label_model, described, say)
        names = [name for part in pool for name in part.names]
        if test is None:
            return Dataset(items, classes, names, weak=weak)
        shared = warn_of_shared(self.shared(test, [labelled, *pool]), self.words, test)
        return Dataset(items, classes, names, test.items, codes(classes, test), weak, shared=shared)

    def identity(self, item: Any) -> Hashable:
        """Key by which two items count as duplicates."""
        return item if isinstance(item, Hashable) else np.asarray(item).tobytes()

    def shared(self, test: Entries, learnt: Sequence[Entries]) -> int:
        """Number of test items that are also among the entries that are learnt from."""
        known = {self.identity(item) for part in learnt for item in part.items}
        return sum(self.identity(item) in known for item in test.items)

    def coded(self, items: Sequence[list[Any]], labels: Sequence[list[Any]], weak: list[Any] | None = None) -> Coded:
        """Items with class numbers. Classes are sorted by length of name, then by name, so that 10 follows 9."""
        named = [[as_label(v) for v in part] for part in labels]
        names = sorted({n for part in named for n in part if n is not None}, key=lambda n: (len(n), n))
        y = [codes_if_known(names, part) for part in named]
        counts = [np.ones(len(part), dtype=np.int64) for part in y]
        found = Coded(Classification(len(names)), [self.given(part) for part in items], y, counts, classes=tuple(names))
        if weak is None:
            return found
        votes = [[v] for v in weak] if np.ndim(weak[0]) == 0 else weak
        table = np.stack([np.asarray(v) for v in votes]).astype(np.int64)
        said = Votes(table, [f"rule {j + 1}" for j in range(table.shape[1])], names)
        covered = np.flatnonzero(said.covered)
        return replace(found, covered=covered, target=label_model(said, "majority")[covered], votes=said)

    # scoring and showing

    def truth(self, test: Entries, model: Model) -> tuple[Sequence[Any], np.ndarray]:
        return test.items, codes(model.classes, test)

    def measured(
        self, model: Model, examples: Examples, items: Sequence[Any], truth: np.ndarray, show: bool = False
    ) -> Measured:
        p = model.predict_units(examples)
        tally = Tally(p.shape[1]).add(truth, p.argmax(1), p.max(1))
        return Measured(class_scores(truth, p), tally, [], (p.max(1), p.argmax(1) == truth))

    @staticmethod
    def in_words(scores: Mapping[str, Any]) -> tuple[str, str]:
        low, high = (100 * v for v in scores["interval"])
        accuracy = f"accuracy {100 * scores['accuracy']:.1f} % ({low:.1f} to {high:.1f})"
        return accuracy, f"macro F1 {100 * scores['macro_f1']:.1f} %"

    def shown_item(self, item: Any, name: str, characters: int = EXCERPT) -> dict[str, str]:
        """Parts of an item that a page shows: "text", and of an image also "image", a picture in base64.

        Args:
            item: the item.
            name: name of the item; "" where it has none.
            characters: number of characters of a text that are shown, at most.
        """
        return {"text": name}

    def _least_sure(self, data: Dataset, i: int) -> dict[str, Any]:
        """Parts of the pool's i-th item that a report shows."""
        name = data.names[i] if len(data.names) else f"{self.words.thing} {i + 1} of the pool"
        found = self.shown_item(data.items.pool[i], name)
        return {"pieces": [(found["text"], None)]} | ({"image": found["image"]} if "image" in found else {})

    def shown_pool(self, model: Model, pool: Examples, data: Dataset) -> dict[str, Any]:
        p = model.predict_units(pool)
        top, share = p.max(1), np.bincount(p.argmax(1), minlength=p.shape[1]) / len(p)
        classes = [str(c) for c in data.classes]
        least = [
            self._least_sure(data, int(i)) | {"label": classes[int(p[i].argmax())], "probability": float(top[i])}
            for i in np.argsort(top, kind="stable")[:LEAST_SURE]
        ]
        return {"least_sure": least, "pool_classes": dict(zip(classes, map(float, share), strict=True))}

    # Python values

    def values(
        self, items: Any, y: Sequence[Any], votes: Any = None, argument: str = "X", said: Sequence[Said] = ()
    ) -> Entries:
        """Entries made of an estimator's arguments.

        Args:
            items: n items, as `given` returns them.
            y: labels, (n,); None is unlabelled.
            votes: votes of rules, (n, rules); None or -1 abstains.
            argument: name of the argument that holds the items, for messages.
            said: what teachers said of the items.
        """
        places = InValues({"item": argument, "label": "y", "votes": "votes"}, range(len(items)))
        raw = None if votes is None else votes_of(votes, len(items))
        return Entries(items, list(y), places, raw, said=said)


def table_of(path: Any, charset: str) -> tuple[pd.DataFrame, list[int]]:
    """The table in a file, and the numbers of its rows, counted from 1."""
    table = read_table(path, charset)
    return table, list(range(1, len(table) + 1))


def in_table(path: Any, rows: Sequence[int], **columns: str | None) -> InTable:
    """Places in a table.

    Args:
        path: file of the table.
        rows: numbers of the entries' rows, from 1.
        columns: name of the column that holds each part of the entries, by part; None where none does.
    """
    return InTable(str(path), rows, columns)


def class_names(labelled: Entries, voted: Sequence[RawVotes], say: Say, declared: Sequence[Any] = ()) -> list[Any]:
    """Names of the classes, sorted: the labels and what teachers declare, or else the labels that rules vote for.

    Labels from files are texts. Labels from Python keep their type; votes from Python that are all whole numbers
    become numbers.

    Args:
        labelled: labelled entries.
        voted: votes of rules.
        say: called with sentences for the user.
        declared: classes that teachers and descriptions know.
    """
    in_values = isinstance(labelled.places, InValues)
    if declared:
        return with_declared(labelled, voted, declared, say)
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
    """Check that there are at least two classes.

    Args:
        classes: names of the classes.
        place: place of the labels, for the message.

    Raises:
        DataError: there is one class, or none.
    """
    if len(classes) < 2:
        raise DataError(f"{place}: only one class, {(*classes, '')[0]!r}; two are needed")


def require_two_of_each(labelled: Entries, y: np.ndarray, classes: Sequence[Any], weak: bool) -> None:
    """Check that a label of each class can be held out.

    Args:
        labelled: labelled entries.
        y: their class numbers, (n,).
        classes: names of the classes.
        weak: whether there are votes, too.

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
    """Class numbers of the labels of entries, (n,).

    Args:
        classes: names of the classes, in the order of their numbers.
        test: labelled entries.

    Raises:
        DataError: a label is none of the classes; the message names the first such label.
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
    """Class numbers of labels, (n,); -1 where a label is missing or none of the classes."""
    code = {c: i for i, c in enumerate(classes)}
    return np.array([code.get(label, -1) for label in labels], dtype=np.int64)


def class_scores(y: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Accuracy with its interval, and macro F1, as plain values.

    Args:
        y: class numbers, (n,).
        probabilities: predicted probabilities, (n, c).
    """
    guess = probabilities.argmax(1)
    found = wilson(float(accuracy_score(y, guess)), len(y))
    macro = f1_score(y, guess, average="macro", zero_division=0.0)
    return {
        "rows": len(y), "measure": "accuracy", "accuracy": found.score, "interval": [found.low, found.high],
        "macro_f1": float(macro),
    }  # fmt: skip


def votes_of(votes: Any, rows: int) -> RawVotes:
    """Votes made of Python values.

    Args:
        votes: labels that rules vote for, (rows, rules); None, NaN or -1 abstains. The columns of a data frame name
            the rules.
        rows: number of items.

    Raises:
        ValueError: the shape is not (rows, rules), or a vote is a number with a fraction.
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
