"""Base class of the kinds of data. Whatever depends on the kind is in its class: options, reading, scores, report."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd
from torch import nn

from tutelage.adapting.how import Adapting
from tutelage.data import Examples
from tutelage.data.marks import marks
from tutelage.data.tables import write_table
from tutelage.fit import abstention
from tutelage.fit.abstention import Promise
from tutelage.fit.build import Items
from tutelage.fit.calibration import NONE, Calibration
from tutelage.fit.defaults import Asked, Defaults
from tutelage.fit.fit_rows import Wiring
from tutelage.kinds.entries import Entries
from tutelage.kinds.tallies import Tally
from tutelage.modalities.base import Reader
from tutelage.model import Model
from tutelage.tasks import Task
from tutelage.types import Say, Tick
from tutelage.weak import Votes

LEAST_SURE = 12
"""Number of the pool's items that a report shows: those that the model is least sure of."""

EXCERPT = 280
"""Characters of a text that a report shows, at most."""

HIDDEN: Mapping[str, Any] = {"command_line": False}
"""Metadata of a field that is no option of the command line; only Python users can set it."""


def silent(line: str) -> None:
    """Show nothing; the default of arguments that show the user a sentence."""


@dataclass(frozen=True)
class Files:
    """Files that a fit reads.

    Attributes:
        train: table or folder of training items, labelled or not.
        unlabelled: table or folder of further items for the pool.
        test: table or folder of labelled items to score on.
        charset: character set of csv, tsv and jsonl files.
        evidence: whether the evidence is gathered; each class then needs a label to hold out.
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
        items: labelled items and pool to learn from.
        classes: names of the classes, in the order of their numbers; of sentences the tags.
        names: names of the pool's items, for the report; empty where they have none.
        test: items to score on; empty where none were given.
        truth: labels of the test items: class numbers, (n,), lists of tags, or masks, (n, h, w).
        weak: statistics of the weak labels, for the summary; empty without weak labels.
        size: height and width, in pixels, to which images are resized; None of other items.
        left_out: sentences that name each image that cannot be read, and its fault.
        shared: number of test items that are also among the items to learn from.
    """

    items: Items
    classes: list[Any]
    names: Sequence[str] = ()
    test: Sequence[Any] = ()
    truth: Any = None
    weak: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    left_out: tuple[str, ...] = ()
    shared: int = 0

    def about(self) -> dict[str, Any]:
        """Entries of the summary about the data, besides the counts."""
        images = {} if self.size is None else {"size": list(self.size), "left_out": list(self.left_out)}
        shared = {"shared": self.shared} if self.shared else {}
        return images | shared | ({"weak": self.weak} if self.weak else {})


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


@dataclass(frozen=True, kw_only=True)
class Kind(ABC):
    """A kind of data. Its fields are its options.

    Attributes:
        name: name of the kind in options, protocols, records and summaries.
        task_word: word of the option --task for the kind; empty where there is none.
        estimator: name of the class in `tutelage.estimators` that learns from Python values of this kind.
        item_columns, label_columns: options that name the columns of the items, and those of the labels.
        reading: other options that change how items are read, but not how a network learns them.
        words: words for messages and the report.
        version: number of the code's version, raised by hand when reading or encoding items changes results.
        reads_folders: whether items may be the files of a folder.
        writes_table: whether predictions are written as a table; else they are files in a folder.
        of_numbers: whether items are rows of numbers, which scikit-learn can check.
        abstains: whether an item may get no label where it is not sure enough.
        adapts: whether the items are read by an encoder of text, which can be adapted to them.
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
    adapts: ClassVar[bool] = False
    reads_folders: ClassVar[bool] = False
    writes_table: ClassVar[bool] = True
    abstains: ClassVar[bool] = False

    # what the options say

    @property
    def weak(self) -> bool:
        """Whether the options name weak labels: rules, votes, teachers or distant tags."""
        return False

    @property
    @abstractmethod
    def defaults(self) -> Defaults:
        """Defaults of training, evidence and batch sizes for the network that the options ask for."""

    @property
    def whole(self) -> bool:
        """Whether a whole network is trained on the items; else a head is trained on a frozen encoder's features."""
        return False

    @property
    def network_name(self) -> str:
        """Name of the network in benchmark records; empty where the network is an encoder's or a head on one."""
        return ""

    @property
    def own_network(self) -> bool:
        """Whether the network is the user's own."""
        return False

    def record(self, weak: bool) -> str:
        """Name under which benchmarks of such fits are recorded, such as "weak texts" or "small_cnn images".

        Args:
            weak: whether there are weak labels.
        """
        finetuned = "finetuned" * bool(getattr(self, "finetune", False))
        return " ".join(filter(None, ("weak" * weak, finetuned, self.network_name, self.name)))

    def require_columns(self, files: Files) -> None:
        """Check that the options name the columns that are needed to read the files.

        Raises:
            ValueError: a column is not named; the message says which option names it.
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
            hint = (
                ""
                if not self.weak
                else f"; or leave out --test, and score the run: tutelage score RUN --test FILE --{label} COLUMN"
            )
            raise ValueError(f"--test needs --{label}, the column to score on{hint}")

    def _needed(self, files: Files) -> tuple[str, ...]:
        return self.item_columns if self.weak else (*self.item_columns, *self.label_columns)

    def again(self, **changed: Any) -> Self:
        """The kind of a finished run with some options changed, to predict or to score other items."""
        return replace(self, **changed)

    def settled(self, files: Files, say: Say = silent, others: Sequence[str] = ()) -> Self:
        """The kind with options completed from the training table, such as the columns that a prefix stands for.

        Args:
            files: files of the fit, of which the training table is read.
            others: columns of the table that hold no part of an item.

        Raises:
            DataError: the table lacks a column that an option names.
        """
        return self

    @classmethod
    def told_by_folder(cls, path: Path) -> bool:
        """Whether a path is taken for a folder of items of this kind."""
        return False

    @classmethod
    def recognises(cls, X: Any) -> bool:
        """Whether Python values, given to this kind's estimator, are items of this kind."""
        return True

    def given(self, X: Any, argument: str = "X") -> Any:
        """Items of this kind made of Python values.

        Args:
            X: Python values, as a user gives them to the estimator.
            argument: name of the estimator's argument, for messages.

        Raises:
            ValueError: a value is no item of this kind; the message names its place.
        """
        return X

    # reading

    @abstractmethod
    def entries(
        self, path: Path, charset: str = "utf-8", say: Say = silent, must_have: bool = True, weak: bool = True
    ) -> Entries:
        """Entries of a table or folder.

        Args:
            path: the table or folder.
            charset: character set of csv, tsv and jsonl files.
            say: called with sentences for the user.
            must_have: whether columns of labels must exist; else a missing one is skipped.
            weak: whether weak labels are read, too.

        Raises:
            DataError: the file cannot be read; the message names file, row and column.
        """

    def checked(self, found: Entries, say: Say = silent) -> tuple[Entries, tuple[str, ...]]:
        """Entries whose items can be read, and sentences on the others that name each and its fault."""
        return found, ()

    def good_pool(self, pool: Entries, say: Say) -> Entries:
        """Entries of the pool that can be learnt from. The number of the others is said."""
        return pool

    @abstractmethod
    def labelled_only(self, test: Entries, say: Say) -> Entries:
        """Labelled entries of a test source.

        Raises:
            DataError: no entry has a label.
        """

    @abstractmethod
    def learn(
        self, train: Entries, more: Entries | None, test: Entries | None, evidence: bool, say: Say = silent
    ) -> Dataset:
        """Dataset made of entries: items to learn from and items to score on. Checks every rule about labels.

        Args:
            train: training entries, labelled or not.
            more: further entries for the pool; their labels are never learnt, only compared with pseudo-labels.
            test: labelled entries to score on.
            evidence: whether the evidence is gathered; each class then needs a label to hold out.
            say: called with sentences for the user.

        Raises:
            DataError: a rule about labels is broken; the message names the place.
        """

    def read(self, files: Files, say: Say = silent) -> Dataset:
        """Dataset read from files and checked.

        Raises:
            DataError: a file cannot be learnt from; the message names file, row and column.
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
        """Hashes of the items' contents, by part of the data, so that --resume sees changed files; empty for tables."""
        return {}

    # learning

    @abstractmethod
    def reader(self, size: tuple[int, int] | None = None) -> Reader:
        """Reader that turns the items into a network's inputs.

        Args:
            size: height and width, in pixels, to which images are resized, where the options name none.
        """

    def readers(self, size: tuple[int, int] | None, auto: bool) -> tuple[Reader, ...]:
        """Readers among which the labels choose; one where the options name the encoder, or where there is no choice.

        Args:
            size: as in `reader`.
            auto: whether the method is chosen automatically, too.
        """
        return (self.reader(size),)

    def adapting(self, auto: bool, evidence: bool) -> Adapting | None:
        """How the encoder is adapted to the labels; None where it stays as it is.

        Args:
            auto: whether the method is chosen automatically.
            evidence: whether the evidence is gathered.

        Raises:
            ValueError: the options ask for it, and no evidence is gathered.
        """
        return None

    def wiring(self, asked: Asked, data: Dataset, auto: bool = False) -> Wiring:
        """Settings by which the dataset's items become a problem to fit: readers, defaults and record.

        Args:
            asked: the user's wishes for training and evidence.
            data: the dataset.
            auto: whether the method is chosen automatically.
        """
        how = self.defaults(asked)
        record = self.record(False)
        readers = self.readers(data.size, auto and asked.evidence)
        adapt = self.adapting(auto, asked.evidence)
        return Wiring(readers, how, self.whole, record, self.words.things, self.own_network, adapt)

    def model(
        self, data: Dataset, network: nn.Module, reader: Reader, cache: Path | None = None,
        calibration: Calibration = NONE,
    ) -> Model:  # fmt: skip
        """Fitted model, on the CPU.

        Args:
            data: dataset that was learnt, for the names of its classes and the task.
            network: fitted network.
            reader: reader of the network's items.
            cache: folder of the feature cache; None is the user's cache folder.
            calibration: temperature of the model, and the held-out predictions that it abstains by.
        """
        held_out = abstention.kept(calibration) if self.abstains else {}
        task, temperature = data.items.task, calibration.temperature
        learnt = marks(data.items.labelled)
        return Model(list(data.classes), network.cpu(), reader.to("cpu"), task, cache, temperature, held_out, learnt)

    # answering

    @abstractmethod
    def answered(
        self, model: Model, path: Path, charset: str, say: Say, tick: Tick, encoded: bool = True
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        """A table of items, and the columns of the model's predictions, by name.

        Args:
            model: fitted model.
            path: table or folder of items.
            charset: character set of csv, tsv and jsonl files.
            say: called with sentences for the user.
            tick: called with the progress.
            encoded: whether encoded images may stay in the table; else their names take their place.
        """

    def promise(self, model: Model, error: float | None) -> Promise | None:
        """What the model can promise of the error among the rows that it labels; None where nothing is asked.

        Args:
            model: fitted model.
            error: largest share of wrong labels among those given, in (0, 1); None asks nothing.

        Raises:
            ValueError: ``error`` is out of its range, or items of this kind have no single label to withhold.
        """
        if error is None:
            return None
        if not self.abstains:
            raise ValueError(
                f"--abstain is for items of one class each, and {self.words.things} have labels within; leave it out"
            )
        return abstention.promise(model.held_out, error)

    def withheld(self, added: dict[str, Any], promised: Promise, model: Model, say: Say) -> dict[str, Any]:
        """Columns of predictions without the labels that are not sure enough; what is promised is said.

        Args:
            added: columns "label" and "probability".
            promised: what can be promised.
            model: fitted model.
        """
        number = {c: i for i, c in enumerate(model.classes)}
        predicted = np.array([number[label] for label in added["label"] if label is not None], dtype=np.int64)
        given = promised.answers(np.asarray(added["probability"], dtype=np.float64))
        say(promised.words())
        if given.any() and (apart := abstention.differs(model.held_out, predicted, len(number))):
            say(
                f"The classes of these rows are not drawn like the labels' ({100 * apart:.0f} % would have to change "
                "class): the promise is for rows that are drawn like the labels."
            )
        return added | {"label": [label if g else None for label, g in zip(added["label"], given, strict=True)]}

    def predict(
        self, model: Model, path: Path, output: Path, charset: str, say: Say, tick: Tick, abstain: float | None = None
    ) -> str:
        """Write the model's predictions to a file, and return a sentence about it.

        Args:
            model: fitted model.
            path: table or folder of items.
            output: table to write: that of the items with columns of predictions.
            charset: character set of csv, tsv and jsonl files.
            say: called with sentences for the user.
            tick: called with the progress.
            abstain: give no label where the share of wrong ones among those given would exceed this, in (0, 1); None
                labels every row.

        Raises:
            DataError: a file cannot be read, or the output cannot be written.
            ValueError: ``abstain`` is out of its range, or not for this kind.
        """
        promised = self.promise(model, abstain)
        table, added = self.answered(model, path, charset, say, tick, output.suffix.lower() == ".parquet")
        replaced = [column for column in added if column in table.columns]
        if replaced:
            say(f"In {output} these columns are replaced: {', '.join(replaced)}.")
        if promised is None:
            write_table(table.assign(**added), output)
            return f"{len(table)} rows labelled: {output}"
        added = self.withheld(added, promised, model, say)
        write_table(table.assign(**added), output)
        given = sum(label is not None for label in added["label"])
        return f"{given} of {len(table)} rows labelled ({100 * given / max(len(table), 1):.1f} %): {output}"

    @abstractmethod
    def coded(self, items: Sequence[list[Any]], labels: Sequence[list[Any]], weak: list[Any] | None = None) -> Coded:
        """Items with class numbers, made of tables' cells. No rule says which labels must be known.

        Args:
            items: cells of the items of each source.
            labels: cells of the labels of each source; None is unknown.
            weak: cells of the first source's weak labels.
        """

    # scoring

    @abstractmethod
    def measured(
        self, model: Model, examples: Examples, items: Sequence[Any], truth: Any, show: bool = False
    ) -> Measured:
        """Scores of a model on labelled items.

        Args:
            model: fitted model.
            examples: examples made of the items, for the model's network.
            items: the items.
            truth: labels of the items: class numbers, (n,), lists of tags, or masks, (n, h, w).
            show: whether some items are drawn beside their labels, where the kind does so.
        """

    @abstractmethod
    def truth(self, test: Entries, model: Model) -> tuple[Sequence[Any], Any]:
        """Items of labelled entries, and their labels as `measured` takes them.

        Raises:
            DataError: a label is none of the model's classes.
        """

    def score(self, model: Model, path: Path, charset: str, say: Say, abstain: float | None = None) -> dict[str, Any]:
        """Scores of a model on a labelled table or folder, by name, as plain values.

        Args:
            model: fitted model.
            path: labelled table or folder.
            charset: character set of csv, tsv and jsonl files.
            say: called with sentences for the user.
            abstain: also measure, as "abstain", what becomes of this promise, see `predict`; None measures nothing.

        Raises:
            DataError: a file cannot be read, or a label is none of the model's classes.
            ValueError: ``abstain`` is out of its range, or not for this kind.
        """
        promised = self.promise(model, abstain)
        test, _ = self.checked(self.labelled_only(self.entries(path, charset, say, weak=False), say), say)
        items, truth = self.truth(test, model)
        found = self.measured(model, model.examples(items), items, truth)
        if promised is None or found.sure is None:
            return found.scores
        say(promised.words())
        return found.scores | {"abstain": abstention.measured(promised, *found.sure)}

    @staticmethod
    @abstractmethod
    def in_words(scores: Mapping[str, Any]) -> tuple[str, str]:
        """Two phrases for people: the score with its interval, and further scores."""

    # showing

    def shown_held_out(self, data: Dataset, probabilities: np.ndarray) -> dict[str, Any]:
        """Plain values for the report on held-out predictions, besides confusion and calibration.

        Args:
            data: dataset that was learnt.
            probabilities: held-out probabilities of the labelled items' units, (units, c).
        """
        return {}

    @abstractmethod
    def shown_pool(self, model: Model, pool: Examples, data: Dataset) -> dict[str, Any]:
        """Plain values for the report on the pool: the least sure items, and the share of each predicted class.

        Args:
            model: fitted model.
            pool: examples of the pool, for the model's network.
            data: dataset that was learnt.
        """

    def legend(self, classes: Sequence[str]) -> dict[str, Any]:
        """Plain values that explain all pictures of the report, such as the classes' colours."""
        return {}


Make = Callable[[], nn.Module]
"""Function that makes the user's own network."""


def warn_of_shared(shared: int, words: Words, test: Entries) -> int:
    """Warn where test items are also learnt from; returns their number ``shared``."""
    if shared:
        are = (
            f"{words.thing} of {test.places.source} is"
            if shared == 1
            else f"{words.things} of {test.places.source} are"
        )
        warnings.warn(f"{shared} {are} also in the training data: the test score flatters.", stacklevel=2)
    return shared
