"""What a kind of data is: its options, how it is read, learnt, answered, scored and shown. Nobody else asks which."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from torch import nn

from tutelage.data import Examples
from tutelage.data.tables import write_table
from tutelage.fit.build import Items
from tutelage.fit.defaults import Asked, Defaults
from tutelage.fit.fit_rows import Wiring
from tutelage.kinds.entries import Entries
from tutelage.kinds.tallies import Tally
from tutelage.modalities.base import Reader
from tutelage.model import Model
from tutelage.tasks import Task
from tutelage.types import Say, Tick

LEAST_SURE = 12
"""Items of the pool that a report shows, those of the lowest probability."""

EXCERPT = 280
"""Characters of a text that a report shows."""

HIDDEN: Mapping[str, Any] = {"command_line": False}
"""Metadata of a field that Python users alone can give."""


def silent(line: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Files:
    """Files that a fit reads.

    Attributes:
        train: table or folder with labels.
        unlabelled: table or folder with more items.
        test: table or folder with labels to score on.
        charset: of csv, tsv and jsonl files.
        evidence: the evidence is gathered, so that something of each class must be held out.
    """

    train: Path
    unlabelled: Path | None = None
    test: Path | None = None
    charset: str = "utf-8"
    evidence: bool = True


@dataclass(frozen=True)
class Dataset:
    """A user's data, read and checked.

    Attributes:
        items: what is learnt from.
        classes: names of the classes, by number; of sentences the tags.
        names: of the pool's items, for a report.
        test: items to score on; empty where none were given.
        truth: class numbers, lists of tags, or masks of the test items.
        weak: what is known of the weak labels, for the summary; empty without.
        size: height and width that images are brought to.
        left_out: where the images are that cannot be read, and what is wrong with each.
    """

    items: Items
    classes: list[Any]
    names: Sequence[str] = ()
    test: Sequence[Any] = ()
    truth: Any = None
    weak: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    left_out: tuple[str, ...] = ()

    def about(self) -> dict[str, Any]:
        """What a summary says of the data besides their counts."""
        images = {} if self.size is None else {"size": list(self.size), "left_out": list(self.left_out)}
        return images | ({"weak": self.weak} if self.weak else {})


@dataclass(frozen=True)
class Words:
    """Words of a kind, for messages and the report.

    Attributes:
        things, thing: the items, many and one.
        classes: what the labels are called.
        rows: the entries of a test source; test: the source itself.
        column: heading over an item that is shown; guess: heading over its picture.
        probability: heading over how sure the model is of it.
        pool: what the shares of the classes are of.
        taken: what Python values are taken for this kind, as a hint; empty where there is no doubt.
        beside: heading over items that are shown beside their truth; beside_note: what is to be seen there.
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


@dataclass(frozen=True)
class Coded:
    """Items of two or more sources with class numbers, for a benchmark that hides and draws labels itself.

    Attributes:
        task: what is answered of them.
        items: of each source.
        y: class numbers of the units of each source, -1 = unknown.
        counts: units of each item, of each source.
        covered: numbers of the first source's items that have weak labels; None without.
        target: weak labels of those items' units, as in `fit.build.Items`.
        size: height and width of images, where they are known.
    """

    task: Task
    items: list[Any]
    y: list[np.ndarray]
    counts: list[np.ndarray]
    covered: np.ndarray | None = None
    target: np.ndarray | None = None
    size: tuple[int, int] | None = None


class Measured(NamedTuple):
    """A model's answers on labelled items, measured.

    Attributes:
        scores: the score with its interval, and others beside it, as plain values.
        tally: confusion and calibration.
        shown: some items beside their truth, as plain values for the report; empty where nothing is shown.
    """

    scores: dict[str, Any]
    tally: Tally
    shown: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Kind(ABC):
    """A kind of data, with its options as fields.

    Attributes:
        name: the kind's name, in options, protocols, records and saved models.
        task_word: the word of the option --task for it, where there is one.
        estimator: name of the class of `tutelage.estimators` that learns from Python values of this kind.
        item_columns, label_columns: options that name the column of the items and that of the labels.
        reading: other options that say how items are read, not how they are learnt.
        words: for messages and the report.
        version: version of the code that reads, cuts and encodes items; raised by hand when results change by it.
        reads_folders: items may be the files of a folder.
        writes_table: predictions are written as a table, not into a folder.
        of_numbers: items are rows of numbers, which scikit-learn can check.
    """

    name: ClassVar[str]
    task_word: ClassVar[str] = ""
    estimator: ClassVar[str] = "Classifier"
    item_columns: ClassVar[tuple[str, ...]]
    label_columns: ClassVar[tuple[str, ...]]
    reading: ClassVar[tuple[str, ...]] = ()
    words: ClassVar[Words]
    version: ClassVar[int] = 1
    of_numbers: ClassVar[bool] = False
    reads_folders: ClassVar[bool] = False
    writes_table: ClassVar[bool] = True

    # what the options say

    @property
    def weak(self) -> bool:
        """Whether the options name rules, votes or distant tags."""
        return False

    @property
    @abstractmethod
    def defaults(self) -> Defaults:
        """How what these options ask for is trained unless the user says otherwise."""

    @property
    def whole(self) -> bool:
        """Whether a network is trained on the items themselves, not a head on an encoder's features."""
        return False

    @property
    def network_name(self) -> str:
        """Name of the network in records of benchmarks; empty for a head on an encoder's features."""
        return ""

    @property
    def own_network(self) -> bool:
        """Whether the network is the user's own."""
        return False

    def record(self, weak: bool) -> str:
        """The name under which benchmarks of such fits are recorded, such as "weak texts" or "small_cnn images"."""
        finetuned = "finetuned" * bool(getattr(self, "finetune", False))
        return " ".join(filter(None, ("weak" * weak, finetuned, self.network_name, self.name)))

    def require_columns(self, files: Files) -> None:
        """Check that the options name the columns that reading the files needs.

        Raises:
            ValueError: one is not named; said with its option.
        """
        for path in filter(None, (files.train, files.unlabelled, files.test)):
            if path.is_dir() and not self.reads_folders:
                raise ValueError(f"{path} is a folder, but {self.words.things} are read from tables")
        missing = [f"--{name}" for name in self._needed(files) if not getattr(self, name)]
        if missing:
            others = "" if any(getattr(self, n) for n in self.item_columns) else "; for other data see --kind"
            raise ValueError(
                f"{' and '.join(missing)} must be given for --kind {self.name}: the name of a column{others}"
            )
        self._require_scored(files)

    def _require_scored(self, files: Files) -> None:
        (label,) = self.label_columns
        if files.test is not None and getattr(self, label) is None:
            raise ValueError(f"--test needs --{label}, the column to score on")

    def _needed(self, files: Files) -> tuple[str, ...]:
        return self.item_columns if self.weak else (*self.item_columns, *self.label_columns)

    def settled(self, files: Files, say: Say = silent, others: Sequence[str] = ()) -> Self:
        """The kind with its options as the training table settles them, such as the columns that a prefix stands for.

        Args:
            others: columns that are no items.

        Raises:
            DataError: the table has not what an option names.
        """
        return self

    @classmethod
    def told_by_folder(cls, path: Path) -> bool:
        """Whether a path is a folder of items of this kind; what has no ending is one, also if it is not there."""
        return False

    @classmethod
    def recognises(cls, X: Any) -> bool:
        """Whether Python values are items of this kind, given that its estimator got them."""
        return True

    def given(self, X: Any, argument: str = "X") -> Any:
        """Python values as items of this kind.

        Args:
            argument: name of the argument that holds them.

        Raises:
            ValueError: one is not of this kind; said with its place.
        """
        return X

    # reading

    @abstractmethod
    def entries(
        self, path: Path, charset: str = "utf-8", say: Say = silent, must_have: bool = True, weak: bool = True
    ) -> Entries:
        """The entries of a table or folder.

        Args:
            must_have: columns of labels must be there; else those that are not there are not read.
            weak: read labels by rules too.

        Raises:
            DataError: something is wrong with the file; said with file, row and column.
        """

    def checked(self, found: Entries, say: Say = silent) -> tuple[Entries, tuple[str, ...]]:
        """The entries whose items can be read, after a look at every one; and the faults of the others."""
        return found, ()

    @abstractmethod
    def labelled_only(self, test: Entries, say: Say) -> Entries:
        """The entries of a test source that have labels.

        Raises:
            DataError: none has.
        """

    @abstractmethod
    def learn(
        self, train: Entries, more: Entries | None, test: Entries | None, evidence: bool, say: Say = silent
    ) -> Dataset:
        """What entries give to learn from and to score on, after every rule about labels is checked.

        Args:
            train: entries some of which have labels.
            more: entries whose labels, where there are any, are only used to check pseudo-labels.
            test: labelled entries.
            evidence: something of each class must be held out.

        Raises:
            DataError: a rule about labels is broken; said with the place.
        """

    def read(self, files: Files, say: Say = silent) -> Dataset:
        """The user's data, read from files and checked.

        Raises:
            DataError: something is wrong with a file; said with file, row and column.
        """
        charset = files.charset
        train = self.entries(files.train, charset, say)
        more = self.entries(files.unlabelled, charset, say, must_have=False) if files.unlabelled is not None else None
        test = self.entries(files.test, charset, say, weak=False) if files.test is not None else None
        test = None if test is None else self.labelled_only(test, say)
        left_out: list[str] = []
        parts: list[Entries | None] = []
        for part in (train, more, test):  # a missing column is found before a million images are looked at
            good, faults = (None, ()) if part is None else self.checked(part, say)
            parts.append(good)
            left_out += faults
        assert parts[0] is not None
        found = self.learn(parts[0], parts[1], parts[2], files.evidence, say)
        return replace(found, left_out=(*left_out, *found.left_out)) if left_out else found

    def digests(self, data: Dataset) -> dict[str, str]:
        """Hashes of the content of items that lie in files of their own, by the name of the part."""
        return {}

    # learning

    @abstractmethod
    def reader(self, size: tuple[int, int] | None = None) -> Reader:
        """What reads the items for a network.

        Args:
            size: height and width that images are brought to.
        """

    def wiring(self, asked: Asked, data: Dataset) -> Wiring:
        """How items of this kind become a problem."""
        how = self.defaults(asked)
        record = self.record(data.items.weak)
        return Wiring(self.reader(data.size), how, self.whole, record, self.words.things, self.own_network)

    def model(self, data: Dataset, network: nn.Module, reader: Reader, cache: Path | None = None) -> Model:
        """The fitted model."""
        return Model(list(data.classes), network.cpu(), reader.to("cpu"), data.items.task, cache)

    # answering

    @abstractmethod
    def answered(
        self, model: Model, path: Path, charset: str, say: Say, tick: Tick, encoded: bool = True
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        """A table, and the columns to be added to it.

        Args:
            encoded: encoded images may stay in the table; else they are named.
        """

    def predict(self, model: Model, path: Path, output: Path, charset: str, say: Say, tick: Tick) -> str:
        """Write what the model answers, and return what was written in a sentence.

        Raises:
            DataError: a file cannot be read, or the output not be written.
        """
        table, added = self.answered(model, path, charset, say, tick, output.suffix.lower() == ".parquet")
        replaced = [column for column in added if column in table.columns]
        if replaced:
            say(f"In {output} these columns are replaced: {', '.join(replaced)}.")
        write_table(table.assign(**added), output)
        return f"{len(table)} rows labelled: {output}"

    @abstractmethod
    def coded(self, items: Sequence[list[Any]], labels: Sequence[list[Any]], weak: list[Any] | None = None) -> Coded:
        """Cells of tables as items with class numbers, without any rule about which labels must be known.

        Args:
            items, labels: of each source.
            weak: labels by rules of the first source.
        """

    # scoring

    @abstractmethod
    def measured(
        self, model: Model, examples: Examples, items: Sequence[Any], truth: Any, show: bool = False
    ) -> Measured:
        """The model's answers on labelled items.

        Args:
            examples: the items as the model's network reads them.
            truth: class numbers, lists of tags, or masks of the items.
            show: draw some items beside their truth, where the kind does.
        """

    @abstractmethod
    def truth(self, test: Entries, model: Model) -> tuple[Sequence[Any], Any]:
        """The items of labelled entries that can be scored, and their truth.

        Raises:
            DataError: a label that the model does not know.
        """

    def score(self, model: Model, path: Path, charset: str, say: Say) -> dict[str, Any]:
        """The scores of a model on a labelled source."""
        test, _ = self.checked(self.labelled_only(self.entries(path, charset, say, weak=False), say), say)
        items, truth = self.truth(test, model)
        return self.measured(model, model.examples(items), items, truth).scores

    @staticmethod
    @abstractmethod
    def in_words(scores: Mapping[str, Any]) -> tuple[str, str]:
        """The score with its interval, and the other scores beside it."""

    # showing

    def shown_held_out(self, data: Dataset, probabilities: np.ndarray) -> dict[str, Any]:
        """What a report shows of held-out predictions besides confusion and calibration, as plain values."""
        return {}

    @abstractmethod
    def shown_pool(self, model: Model, pool: Examples, data: Dataset) -> dict[str, Any]:
        """The pool's items that the model is least sure of, and the share of each class, as plain values."""

    def legend(self, classes: Sequence[str]) -> dict[str, Any]:
        """What a report says once of all that it shows, as plain values."""
        return {}


Make = Callable[[], nn.Module]
"""Makes the user's own network."""
