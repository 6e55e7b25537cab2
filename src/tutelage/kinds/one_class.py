"""Base class of the kinds whose items have one class each. It holds every rule about their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score

from tutelage.data import Examples, Groups
from tutelage.fit.build import Items
from tutelage.fit.evidence import wilson
from tutelage.kinds.asked_labels import drawn_in, is_selected
from tutelage.kinds.base import Kind
from tutelage.kinds.class_labels import (
    MISS,
    as_classes,
    class_names,
    codes,
    codes_if_known,
    labels_of_cells,
    named_by_number,
    require_two,
    require_two_of_each,
    settled,
)
from tutelage.kinds.commonest import always, commonest_of
from tutelage.kinds.copied import copied_in_pool, with_tested
from tutelage.kinds.copies import note_copies
from tutelage.kinds.dataset import EXCERPT, LEAST_SURE, PICTURED, Coded, Dataset, Measured, warn_of_shared
from tutelage.kinds.declared import fault_teachers, require_described
from tutelage.kinds.declared_shares import shares_in, shares_of_classes
from tutelage.kinds.entries import Entries, InTable, InValues, Sought, items_of_pool, names_of_pool
from tutelage.kinds.odd_labels import (
    CLASSES_SHOWN,
    ask_of_classes,
    ask_of_refused,
    no_votes,
)
from tutelage.kinds.odd_votes import ask_of_votes, look_at_numbers
from tutelage.kinds.one_vote import once_with_origins, one_vote_each
from tutelage.kinds.rare import require_rare, without_rare
from tutelage.kinds.tallies import Tally
from tutelage.kinds.teachers import declared, with_declared, with_weak_labels
from tutelage.model import Model
from tutelage.tables import UNHEARD, DataError, Notes, ReadAs, as_label, column, read
from tutelage.tables.labels import LabelsAs
from tutelage.tables.name_lists import listed_names, shown
from tutelage.tasks import Classification
from tutelage.weak import RawVotes, Said, Votes, read_columns, read_labels, read_votes
from tutelage.weak import label as label_model


@dataclass(frozen=True, kw_only=True)
class OneClass(Kind):
    """A kind whose items have one class each. Its fields are options that all such kinds have.

    Args:
        classes: names of the classes, separated by commas, in double quotation marks where one has a comma; any other
            label is then an error.
        unlabelled_as: labels that mean that there is no label, separated in the same way.
        spelling: "fold" takes labels for one class that differ by case, blanks or unseen characters alone; "as-is" does
            not.
        rare: what becomes of classes with one label: leave-out, or merge:NAME; by default an error.
        unseen: "miss" counts test rows of classes without a label as missed; by default an error.
        shares: how common each class is in the pool, such as spam=0.04,ham=0.96; by default it is estimated.

    Attributes:
        label: column of the labels; an empty label means unlabelled.
        votes: column of lists of votes, or common prefix of the columns of the rules' votes; -1 abstains.
        label_model: label model, which turns votes into labels; None is the default one.
        teacher: common prefix of the columns of a teacher's probabilities, each named by it and a class.
        teacher_label: column of a teacher's labels; an empty cell is silent.
        teacher_confidence: column of the teacher's confidence in each of its labels, in [0, 1].
    """

    label: str | None = None
    classes: tuple[str, ...] = ()
    unlabelled_as: tuple[str, ...] = ()
    spelling: str = "fold"
    rare: str | None = None
    unseen: str | None = None
    shares: tuple[str, ...] = ()
    votes: str | None = None
    label_model: str | None = None
    teacher: str | None = None
    teacher_label: str | None = None
    teacher_confidence: str | None = None

    label_columns = ("label",)
    label_reading = ("unlabelled_as", "spelling", "unseen")
    abstains = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("classes", "unlabelled_as"):
            object.__setattr__(self, name, listed_names(getattr(self, name)))
        shares_in(self.shares)
        require_rare(self.rare, self.labels_as)
        if self.unseen not in (None, MISS):
            raise ValueError(f"unseen must be miss, got {self.unseen!r}")
        if self.teacher_confidence is not None and self.teacher_label is None:
            raise ValueError("--teacher-confidence needs --teacher-label, the column of the labels that it is about")
        if self.teacher_label is not None and self.teacher_label == self.label:
            raise ValueError(f"--teacher-label is the column of the labels, {self.label!r}; name the teacher's own")
        if self.teacher == "":
            raise ValueError("--teacher must be the prefix of the teacher's columns, got an empty one")

    @property
    def labels_as(self) -> LabelsAs:
        """How labels are read."""
        return LabelsAs(classes=self.classes, unlabelled_as=self.unlabelled_as, spelling=self.spelling)

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

    def label_cells(self, table: pd.DataFrame, path: Any, sought: Sought, notes: Notes) -> list[Any] | None:
        """Cells of the column of labels; None where no option names it, or where the table may lack it and does."""
        if self.label is None:
            return None
        if self.label not in table and not sought.labels:
            if sought.weak:
                notes.say(f"{path} has no column {self.label!r}: no row of it has a clean label.")
            return None
        cells = list(column(table, self.label, path))
        names = table.attrs.get("classes", {}).get(self.label)
        return cells if names is None else named_by_number(cells, names, f"{path}, column {self.label!r}", notes)

    def with_labels(self, found: Entries, cells: Sequence[Any] | None, how: ReadAs, notes: Notes) -> Entries:
        """Entries with the labels that cells hold, without rows whose label cannot be read.

        Args:
            found: n entries without labels.
            cells: cells of the labels, (n,); None where there are none.
            how: how files are read.
            notes: takes what is noticed.
        """
        if cells is None:
            return found
        labels, good = labels_of_cells(cells, lambda i: found.at("label", i), notes, how.skip_bad)
        if found.table is not None and len(found.table) == len(labels):
            ask_of_refused(found.table, labels, found.places.source, str(self.label), notes)
        return replace(found, labels=labels) if good.all() else replace(found, labels=labels).where(good)

    def settled_labels(
        self, train: Entries, more: Entries | None, test: Entries | None, notes: Notes
    ) -> tuple[Entries, Entries | None, Entries | None]:
        first, second, third = settled([train, more, test], self.labels_as, notes)
        if not isinstance(train.places, InValues):
            fault_teachers(filter(None, (first, second, third)), self.classes, notes)
            look_at_numbers(train.votes, self.classes, notes)
        return first or train, second, third

    def columns(self) -> dict[str, str]:
        others = {
            self.votes: "votes", self.teacher and f"{self.teacher}...": "teacher",
            self.teacher_label: "teacher_label", self.teacher_confidence: "teacher_confidence",
        }  # fmt: skip
        return super().columns() | {column: what for column, what in others.items() if column}

    def note(self, train: Entries, more: Entries | None, test: Entries | None, notes: Notes) -> None:
        super().note(train, more, test, notes)
        counts = Counter(str(label) for label in train.labels if label is not None)
        if not self.classes and not isinstance(train.places, InValues):
            ask_of_classes(self, counts, train, notes)
        if train.votes is not None and not self.classes:
            ask_of_votes(train.votes, notes)
        note_copies(self, [train] if more is None else [train, more], notes)

    def note_counts(
        self, parts: Sequence[Entries], test: Entries | None, notes: Notes, groups: Groups | None = None
    ) -> None:
        super().note_counts(parts, test, notes, groups)
        counts = Counter(str(label) for label in parts[0].labels if label is not None)
        if counts:
            told = dict(sorted(counts.items()))
            named = ", ".join(f"{shown(label)} {count:,}" for label, count in list(told.items())[:CLASSES_SHOWN])
            more_of = f", and {len(counts) - CLASSES_SHOWN} more" if len(counts) > CLASSES_SHOWN else ""
            notes.fact("classes", f"Classes: {named}{more_of}.", told)

    def labelled_only(self, test: Entries, notes: Notes) -> Entries:
        if not test.known.any():
            raise DataError(f"{test.at('label')}: every label is empty; nothing to score on")
        if not test.known.all():
            count = int((~test.known).sum())
            notes.say(f"Not scored: {count} {'row' if count == 1 else 'rows'} of {test.places.source} without a label.")
        return test.where(test.known)

    def _votes(self, table: pd.DataFrame, path: Any, sought: Sought, *others: str | None) -> RawVotes | None:
        """Votes in a table; None where no option names votes, or where the table lacks them and may lack them.

        Args:
            table: the table.
            path: its file, for messages.
            sought: what is sought beside the items.
            others: columns that hold no votes, also where their names begin with the prefix.
        """
        columns = [str(c) for c in table.columns]
        there = self.votes is not None and any(c.startswith(self.votes) and c not in others for c in columns)
        if self.votes is None or sought.weak is None or not (sought.weak or there):
            return None
        return read_votes(table, self.votes, path, others)

    def said_in(
        self, table: pd.DataFrame, path: Any, sought: Sought, notes: Notes, *others: str | None
    ) -> tuple[Said, ...]:
        """What teachers said in the columns of a table; nothing where the table lacks them and may lack them.

        Args:
            table: the table.
            path: its file, for messages.
            sought: what is sought beside the items.
            notes: takes what is noticed.
            others: columns of items, labels and votes.
        """
        if sought.weak is None:
            return ()
        columns = [str(c) for c in table.columns]
        found: list[Said] = []
        if self.teacher is not None:
            own = (*others, self.teacher_label, self.teacher_confidence)
            if sought.weak or any(c.startswith(self.teacher) and c not in own for c in columns):
                found.append(read_columns(table, self.teacher, path, notes, own))
        if self.teacher_label is not None and (sought.weak or self.teacher_label in columns):
            found.append(read_labels(table, self.teacher_label, self.teacher_confidence, path, notes))
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

    def written_item(self, item: Any) -> str | None:
        """The whole item as a cell of a table; None where it is no text."""
        return None

    def good_labelled(self, labelled: Entries, notes: Notes) -> Entries:
        """Labelled entries that can be learnt from. The others are a fault, or left out and said."""
        return labelled

    def require_alike(self, train: Entries, others: Sequence[Entries]) -> None:
        """Check that items of all sources have the same form.

        Raises:
            DataError: a source's have not; the message names it.
        """

    # learning

    def learn(
        self, train: Entries, more: Entries | None, test: Entries | None, evidence: bool, notes: Notes = UNHEARD
    ) -> Dataset:
        labelled, parts = train.where(train.known), [train.where(~train.known), *([] if more is None else [more])]
        voted = [part.votes for part in (train, *parts) if part.votes is not None]
        described = self.descriptions
        said = declared((train, *parts), described)
        if not voted and not said and not len(labelled):
            these = self.of_these(train)
            other = "; or describe the classes, --describe" if "describe" in {f.name for f in fields(self)} else ""
            raise DataError(f"{train.at('label')}: every label{these} is {train.places.empty}; label some rows{other}")
        self.require_alike(train, [other for other in (more, test) if other is not None])
        labelled = self.good_labelled(labelled, notes)
        if notes.faults:
            notes.settle()
        voted_once = one_vote_each(self, labelled, notes)
        labelled, groups = voted_once.labelled, voted_once.groups
        labelled = without_rare(labelled, self.rare, self.labels_as, notes)
        strangers = voted_once.strangers
        if len(labelled) < len(voted_once.labelled):
            left = set(labelled.labels)
            kept = np.flatnonzero([label in left for label in voted_once.labelled.labels])
            groups, strangers = None if groups is None else groups.subset(kept), strangers[kept]
        if said and (not self.classes or isinstance(train.places, InValues)):
            classes = with_declared(labelled, voted, said, notes)
        else:
            classes = class_names(labelled, voted, self.labels_as, notes)
            require_described(described or (), classes, train.places.source)
        if not classes:
            raise DataError(no_votes(train))
        require_two(classes, train.at("label") if len(labelled) or not voted else train.at("votes"))
        for votes in voted:
            votes.code([str(as_label(c)) for c in classes])  # names the row and the rule of a vote for another class
        y = codes(classes, labelled, notes)
        if evidence:
            require_two_of_each(labelled, y, classes, bool(voted or said), groups)
        pool = [self.good_pool(part, notes) for part in parts]
        pool, origins = once_with_origins(self, train, pool, notes, bool(voted or said))
        fewer = len(labelled) + sum(map(len, pool)) < len(train) + (0 if more is None else len(more))
        if fewer or (groups is not None and groups.shared):
            self.note_counts([labelled, *pool], test, notes, groups)
        truth = np.concatenate([codes_if_known(classes, part.labels) for part in pool])
        items = Items(Classification(len(classes)), labelled.items, y, items_of_pool(pool), truth, groups=groups)
        told = shares_of_classes(shares_in(self.shares), classes, y, self.labels_as)
        items = replace(items, shares=told, selected=is_selected(labelled.asked))
        weak: dict[str, Any] = {}
        if voted or said:
            items, weak = with_weak_labels(items, classes, labelled, pool, self.label_model, described, notes)
        about: dict[str, Any] = {"repeated": voted_once.copied, "strangers": strangers, "origins": origins}
        about["drawn_gone"] = drawn_in(voted_once.labelled.asked) - drawn_in(labelled.asked)  # of rare classes
        found = Dataset(items, classes, names_of_pool(pool), weak=weak, asked=labelled.asked, **about)
        if test is None:
            return found
        copied = copied_in_pool(self, test.items, items, pool[-1].stored, strangers)
        items = with_tested(self, items, test.items, warn_of_shared(copied, self.words, test), pool[-1].stored)
        return replace(
            found, items=items, test=test.items, truth=codes(classes, test, notes, self.unseen), copied=copied
        )

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

    def as_classes(self, found: Entries, model: Model, notes: Notes) -> Entries:
        return as_classes(found, model.classes, self.labels_as, notes)

    def truth(self, test: Entries, model: Model, notes: Notes = UNHEARD) -> tuple[Sequence[Any], np.ndarray]:
        return test.items, codes(model.classes, test, notes, self.unseen)

    def measured(
        self, model: Model, examples: Examples, items: Sequence[Any], truth: np.ndarray, show: bool = False
    ) -> Measured:
        p, unread = model.predict_units(examples), model.unread(items)
        guess, sure = np.where(unread, -1, p.argmax(1)), np.where(unread, 0.0, p.max(1))
        scores = class_scores(truth, guess) | {"commonest": self.commonest(model.classes, truth)}
        scores |= {"unread": int(unread.sum())} if unread.any() else {}
        return Measured(scores, Tally(p.shape[1]).add(truth, guess, sure), [], (sure, guess == truth))

    def commonest(
        self, classes: Sequence[Any], y: np.ndarray, weight: np.ndarray | None = None
    ) -> dict[str, Any] | None:
        return commonest_of(classes, y, weight)

    @staticmethod
    def in_words(scores: Mapping[str, Any]) -> tuple[str, str]:
        low, high = (100 * v for v in scores["interval"])
        accuracy = f"accuracy {100 * scores['accuracy']:.1f} % ({low:.1f} to {high:.1f})"
        common = scores.get("commonest")  # of an earlier version there is none
        beside = f", {always(common)}" if common else ""
        return accuracy, f"macro F1 {100 * scores['macro_f1']:.1f} %{beside}"

    def shown_item(self, item: Any, name: str, characters: int = EXCERPT) -> dict[str, str]:
        """Parts of an item that a page shows: "text", and of an image also "image", a picture in base64.

        Args:
            item: the item.
            name: name of the item; "" where it has none.
            characters: number of characters of a text that are shown, at most.
        """
        return {"text": name}

    def _least_sure(self, data: Dataset, i: int, pictured: bool) -> dict[str, Any]:
        """Parts of the pool's i-th item that a report shows, and "whole" where a report shows less of it."""
        item, name = data.items.pool[i], data.name_of(i, self.words.thing)
        whole = self.written_item(item)
        if not pictured:
            return {"pieces": [(name, None)]} if whole is None else {"pieces": [], "whole": whole}
        found = self.shown_item(item, name)
        image = {"image": found["image"]} if "image" in found else {}
        return {"pieces": [(found["text"], None)]} | image | ({} if whole is None else {"whole": whole})

    def shown_pool(self, model: Model, pool: Examples, data: Dataset) -> dict[str, Any]:
        top, said = model.surest(pool)
        share = np.bincount(said, minlength=len(data.classes)) / len(said)
        classes = [str(c) for c in data.classes]
        least = [
            self._least_sure(data, int(i), rank < PICTURED)
            | {"label": classes[int(said[i])], "probability": float(top[i])}
            for rank, i in enumerate(np.argsort(top, kind="stable")[:LEAST_SURE])
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


def table_of(path: Any, how: ReadAs, notes: Notes) -> tuple[pd.DataFrame, list[int]]:
    """The table in a file, and the numbers of its rows, counted from 1."""
    table = read(path, how, notes)
    return table.frame, list(table.rows)


def in_table(path: Any, rows: Sequence[int], **columns: str | None) -> InTable:
    """Places in a table.

    Args:
        path: file of the table.
        rows: numbers of the entries' rows, from 1.
        columns: name of the column that holds each part of the entries, by part; None where none does.
    """
    return InTable(str(path), rows, columns)


def class_scores(y: np.ndarray, guess: np.ndarray) -> dict[str, Any]:
    """Accuracy with its interval, and macro F1, as plain values.

    Args:
        y: class numbers, (n,).
        guess: predicted class numbers, (n,); -1, which no class has, is wrong.
    """
    found = wilson(float(accuracy_score(y, guess)), len(y))
    there = np.union1d(y, guess[guess >= 0])
    macro = f1_score(y, guess, labels=there, average="macro", zero_division=0.0)
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
