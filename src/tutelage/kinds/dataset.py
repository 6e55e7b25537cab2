"""What a kind of data reads and gives: files, the data set made of them, scores, and the words for its items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from tutelage.fit.build import Items
from tutelage.kinds.contradictions import Copied
from tutelage.kinds.entries import Entries
from tutelage.kinds.origins import Origins
from tutelage.kinds.tallies import Tally
from tutelage.ops.said import warn
from tutelage.tables import USUAL, ReadAs
from tutelage.tasks import Task
from tutelage.weak import Votes

LEAST_SURE = 200
"""Number of the pool's items that a run lists, at most: those that the model is least sure of."""

PICTURED = 12
"""Number of these that have a picture."""

EXCERPT = 280
"""Characters of a text that a report shows, at most."""

HIDDEN: Mapping[str, Any] = {"command_line": False}
"""Metadata of a field that is no option of the command line; only Python users can set it."""


@dataclass(frozen=True)
class Files:
    """Files that a fit reads.

    Attributes:
        train: table or folder of training items, labelled or not.
        unlabelled: table or folder of further items for the pool, or a folder or pattern of tables.
        test: table or folder of labelled items to score on.
        how: how files are read.
        evidence: whether the evidence is gathered; each class then needs a label to hold out.
        answers: tables of labels that were asked for, see `tutelage.kinds.asked_labels`.
    """

    train: Path
    unlabelled: Path | None = None
    test: Path | None = None
    how: ReadAs = USUAL
    evidence: bool = True
    answers: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A user's data, read and checked.

    Attributes:
        items: labelled items and pool to learn from.
        classes: names of the classes, in the order of their numbers; of sentences the tags.
        names: names of the pool's items, for the report; empty where they have none.
        test: items to score on; empty where none were given.
        truth: labels of the test items: class numbers, (n,), lists of tags, or masks, (n, h, w).
        weak: statistics of the weak labels, for the summary; empty without weak labels.
        size: height and width, in pixels, to which images are resized; None of other items.
        left_out: sentences that name each image that cannot be read, and its fault.
        copied: of what each test item is a copy, int8, (n,), see `Kind.copied`; empty where none were given.
        repeated: what was found of labelled items that occur several times; None where there are none.
        strangers: mask of the labelled items that are nearly equal to others, and are no copies of them, (k,); None:
            there are none.
        origins: where the items come from; None where nobody asks for it, as of the clients of a federation.
        asked: by which selector the label of each labelled item was asked for, (k,), None of a label that was there
            anyway; empty where none was asked for.
        drawn_gone: number of labels that were drawn at random and are not learnt, as of classes that are left out.
    """

    items: Items
    classes: list[Any]
    names: Sequence[str] = ()
    test: Sequence[Any] = ()
    truth: Any = None
    weak: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    left_out: tuple[str, ...] = ()
    copied: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int8))
    repeated: Copied | None = None
    strangers: np.ndarray | None = None
    origins: Origins | None = None
    asked: Sequence[str | None] = ()
    drawn_gone: int = 0

    @property
    def pool_at(self) -> np.ndarray | None:
        """Number in the pool of each unlabelled entry's item, (n,), where equal ones are there once; else None."""
        return None if self.origins is None else self.origins.at

    @property
    def shared(self) -> int:
        """Number of test items that are copies of items to learn from."""
        return int((self.copied > 0).sum())

    def name_of(self, i: int, thing: str) -> str:
        """Name of the pool's i-th item; by default its place, with the kind's word for an item."""
        return self.names[i] if len(self.names) else f"{thing} {i + 1} of the pool"

    def about(self) -> dict[str, Any]:
        """Entries of the summary about the data, besides the counts."""
        images = {} if self.size is None else {"size": list(self.size), "left_out": list(self.left_out)}
        shared = {"shared": self.shared} if self.shared else {}
        copies = {"copies": self.repeated.as_dict()} if self.repeated is not None else {}
        return images | shared | copies | ({"weak": self.weak} if self.weak else {})


def require_classes(named: Sequence[str], data: Dataset) -> None:
    """Check that the data have the classes that a method names.

    Args:
        named: names of classes, see `Method.named_classes`.
        data: the data.

    Raises:
        ValueError: they lack one; the message names those that are there.
    """
    classes = [str(c) for c in data.classes]
    for name in named:
        if name not in classes:
            raise ValueError(f"other must be one of the classes {', '.join(classes)}, got {name!r}")


@dataclass(frozen=True)
class Words:
    """Words for a kind's items and labels, used in messages and in the report.

    Attributes:
        things, thing: word for the items, in the plural and in the singular.
        classes: word for the classes.
        rows, test: word for the items of a test source, and for the source itself.
        column: heading of the report's column of the least sure items.
        guess: heading of the column of their pictures.
        probability: heading of the column of their probabilities.
        pool: word for the units whose classes are counted.
        taken: hint that says which Python values are read as this kind; empty where there is no doubt.
        beside, beside_note: heading of, and note on, the items that are shown beside their labels.
        unit: words before what is said of an item's least sure part; empty where an item has no parts.
    """

    things: str
    thing: str
    classes: str = "classes"
    rows: str = "rows"
    test: str = "test table"
    column: str = ""
    guess: str = ""
    probability: str = "probability"
    pool: str = "pool"
    taken: str = ""
    beside: str = ""
    beside_note: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Coded:
    """Items of several sources with class numbers, for a benchmark that hides and draws labels itself.

    Attributes:
        task: the task, with its number of classes.
        items: items of each source.
        y: class numbers of the units of each source, (units,); -1 is unknown.
        counts: number of units of each item, (n,), for each source.
        covered: numbers of the first source's items that have weak labels; None without weak labels.
        target: weak labels of those items' units, as in `fit.build.Items`.
        size: height and width of images, in pixels; None where they are not known.
        classes: names of the classes, in the order of their numbers; empty where the kind names none.
        votes: votes of rules on the first source's items; None without any.
    """

    task: Task
    items: list[Any]
    y: list[np.ndarray]
    counts: list[np.ndarray]
    covered: np.ndarray | None = None
    target: np.ndarray | None = None
    size: tuple[int, int] | None = None
    classes: tuple[str, ...] = ()
    votes: Votes | None = None


class Measured(NamedTuple):
    """Scores of a model on labelled items.

    Attributes:
        scores: the score, its interval, and further scores, by name, as plain values.
        tally: counts for the confusion matrix and the calibration.
        shown: some items with predictions and labels, as plain values for the report; empty where none are shown.
        sure: of items of one class each, the probabilities of their predicted classes, and whether these are right,
            both (n,); None of other items.
    """

    scores: dict[str, Any]
    tally: Tally
    shown: list[dict[str, Any]]
    sure: tuple[np.ndarray, np.ndarray] | None = None


Make = Callable[[], nn.Module]
"""Function that makes the user's own network."""


def warn_of_shared(copied: np.ndarray, words: Words, test: Entries) -> np.ndarray:
    """Warn where test items are copies of items that are learnt from; returns ``copied``, see `Kind.copied`."""
    shared = int((copied > 0).sum())
    if shared:
        are = (
            f"{words.thing} of {test.places.source} is"
            if shared == 1
            else f"{words.things} of {test.places.source} are"
        )
        apart = ", and scored apart" if shared < len(copied) else ""
        warn(f"{shared} {are} also in the training data, or nearly{apart}.", stacklevel=2, page="copies")
    return copied
