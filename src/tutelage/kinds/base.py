"""Base class of the kinds of data. Whatever depends on the kind is in its class: options, reading, scores, report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from torch import nn

from tutelage.adapting.how import Adapting
from tutelage.copies import Keys, Prints
from tutelage.data import Examples, Groups
from tutelage.data.columns import Form
from tutelage.data.marks import marks
from tutelage.engines import USUAL as USUAL_ENGINE
from tutelage.engines import Wanted
from tutelage.fit import abstention
from tutelage.fit.abstention import Promise
from tutelage.fit.calibration import NONE, Calibration
from tutelage.fit.defaults import Asked, Defaults, How
from tutelage.fit.fit_rows import Wiring
from tutelage.kinds.answers import counted_as_wrong, withheld, written
from tutelage.kinds.copied import kept_prints, known_prints, without_copies
from tutelage.kinds.dataset import Coded, Dataset, Files, Measured, Words
from tutelage.kinds.entries import LEARNT, SCORED, Entries, Sought
from tutelage.kinds.exchanged import Exchanged
from tutelage.kinds.faces import Face
from tutelage.kinds.one_vote import EACH, OFF, ONCE
from tutelage.kinds.predicting import InParts, in_parts, predict_in_parts, require_room
from tutelage.kinds.reading import columns_in_words, columns_there, counts_of
from tutelage.modalities.base import Reader
from tutelage.modalities.precision import gain
from tutelage.model import Model
from tutelage.ops.checks import one_of
from tutelage.tables import (
    PREDICTED,
    UNHEARD,
    USUAL,
    Notes,
    ReadAs,
    holds_table,
)
from tutelage.tables.several import is_several
from tutelage.tables.streamed import is_streamed
from tutelage.types import Tick


@dataclass(frozen=True, kw_only=True)
class Kind(ABC):
    """A kind of data. Its fields are its options.

    Args:
        group: column of what labelled items belong together by, such as an author, a patient or a page: they are held
            out together, and intervals are by groups; an empty cell is a group of its own.
        copies: "once" merges labelled items that are equal and have equal labels, so that each has one vote; "each"
            keeps a vote for each copy; "off" takes nothing for a copy.

    Attributes:
        name: name of the kind in options, protocols, records and summaries.
        task_word: word of the option --task for the kind; empty where there is none.
        estimator: name of the class in `tutelage.estimators` that learns from Python values of this kind.
        item_columns, label_columns: options that name the columns of the items, and those of the labels.
        label_reading: options that say how labels are read, and may be others for another source.
        reading: other options that change how items are read, but not how a network learns them.
        words: words for messages and the report.
        version: number of the code's version, raised by hand when reading or encoding items changes results.
        hub_task: what such a model does, by the name that the Hub has for it; empty where it has none.
        reads_folders: whether items may be the files of a folder.
        nothing: items that hold nothing, such as an empty text, which nobody can label.
        shows_pictures: whether an item is a picture to a person who looks at it.
        writes_table: whether predictions are written as a table; else they are files in a folder.
        of_numbers: whether items are rows of numbers, which scikit-learn can check.
        of_texts: whether each item is a text, which a language model can read.
        abstains: whether an item may get no label where it is not sure enough.
        prints_class: class of what `prints` makes.
        adapts: whether the items are read by an encoder of text, which can be adapted to them.
        stores: whether a pool of such items may lie on disk, see `tutelage.kinds.stored`.
        shaping: options that say what network there is and what it reads, so that a fit that goes on from a run takes
            them from it; a kind may lack some.
        ordered: options that name columns in the order in which a network reads them.
        cell: JSON schema of a cell that holds an item, or a part of one; None where items are files.
        exchanged: how items and labels are exchanged with annotation tools; None where they are not.
    """

    name: ClassVar[str]
    task_word: ClassVar[str] = ""
    estimator: ClassVar[str] = "Classifier"
    item_columns: ClassVar[tuple[str, ...]]
    label_columns: ClassVar[tuple[str, ...]]
    label_reading: ClassVar[tuple[str, ...]] = ()
    reading: ClassVar[tuple[str, ...]] = ()
    words: ClassVar[Words]
    hub_task: ClassVar[str] = ""
    version: ClassVar[int] = 1
    of_numbers: ClassVar[bool] = False
    of_texts: ClassVar[bool] = False
    adapts: ClassVar[bool] = False
    reads_folders: ClassVar[bool] = False
    nothing: ClassVar[tuple[Any, ...]] = ()
    shows_pictures: ClassVar[bool] = False
    writes_table: ClassVar[bool] = True
    abstains: ClassVar[bool] = False
    stores: ClassVar[bool] = False
    prints_class: ClassVar[type[Prints]] = Keys
    shaping: ClassVar[tuple[str, ...]] = (
        "encoder", "finetune", "network", "size", "max_length", "precision", "adapt"
    )  # fmt: skip
    ordered: ClassVar[tuple[str, ...]] = ()
    cell: ClassVar[Mapping[str, Any] | None] = None
    exchanged: ClassVar[Exchanged | None] = None
    group: str | None = None
    copies: str = ONCE

    def __post_init__(self) -> None:
        one_of("copies", self.copies, (ONCE, EACH, OFF))

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
            if is_streamed(path) and not (path == files.unlabelled and self.stores):
                raise ValueError(
                    f"{path}: only a pool of texts or rows, --unlabelled, is streamed from the Hub; save the data set "
                    "by its method save_to_disk, and name the folder"
                )
            if path == files.unlabelled and self.stores and is_several(path):
                continue
            if not (holds_table(path) or self.reads_folders):
                raise ValueError(f"{path} is a folder, but {self.words.things} are read from tables")
        missing = [f"--{name}" for name in self._needed(files) if not getattr(self, name)]
        if missing:
            others = "" if any(getattr(self, n) for n in self.item_columns) else "; for other data see --kind"
            raise ValueError(
                f"{' and '.join(missing)} must be given for --kind {self.name}: the name of a column{others}"
                f"{columns_there(files.train)}"
            )
        self._require_scored(files)

    def require_items(self, path: Path) -> None:
        """Check that the options name the columns of the items, as they do not where a fit was on Python values.

        Raises:
            ValueError: a column is not named; the message says which option names it.
        """
        needed = set(self._needed(Files(path))) & set(self.item_columns)
        missing = [f"--{name}" for name in self.item_columns if name in needed and not getattr(self, name)]
        if missing:
            folder = f"; or give a folder of {self.words.things}" if self.reads_folders else ""
            options = " and ".join(missing)
            raise ValueError(f"{options} must be given: the run does not name the column in {path}{folder}")

    def _require_scored(self, files: Files) -> None:
        (label,) = self.label_columns
        if files.test is not None and getattr(self, label) is None:
            raise ValueError(f"--test needs --{label} COLUMN, the column to score on")

    def _needed(self, files: Files) -> tuple[str, ...]:
        return self.item_columns if self.weak else (*self.item_columns, *self.label_columns)

    def again(self, **changed: Any) -> Self:
        """The kind of a finished run with some options changed, to predict or to score other items."""
        return replace(self, **changed)

    @classmethod
    def require_kept(cls, options: Mapping[str, Any]) -> None:
        """Check that options from a run's run.json are such as a run keeps: that none names a file that would be read.

        Args:
            options: options of the kind by name.

        Raises:
            ValueError: one does.
        """

    def settled(self, files: Files, notes: Notes = UNHEARD, others: Sequence[str] = ()) -> Self:
        """The kind with options completed from the training table, such as the columns that a prefix stands for.

        Args:
            files: files of the fit, of which the training table is read.
            others: columns of the table that hold no part of an item.

        Raises:
            DataError: the table lacks a column that an option names.
        """
        return self

    def onward(self, size: tuple[int, int] | None = None) -> Self:
        """The kind of a finished run, for a fit that goes on from its model: no encoder is adapted anew.

        Args:
            size: height and width to which the run resized images, in pixels; None of other items.
        """
        own = {f.name for f in fields(self)}
        changes: dict[str, Any] = {"adapt": None} if "adapt" in own else {}
        return replace(self, **changes | ({"size": size} if size is not None and "size" in own else {}))

    def read_as(self, how: ReadAs) -> Self:
        """The kind of a finished run as it reads other items, where how files are read also says something of items.

        Args:
            how: how files are read.
        """
        return self

    @classmethod
    def told_by_folder(cls, path: Path) -> bool:
        """Whether a path is taken for a folder of items of this kind."""
        return False

    @classmethod
    def told_by_cells(cls, cells: Mapping[str, Sequence[Any]]) -> Sequence[str]:
        """Columns of a table that look like items of this kind; empty where none does.

        Args:
            cells: cells of each column that are not empty, at least one; lists stand as lists.
        """
        return ()

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

    # copies

    def identity(self, item: Any) -> Hashable:
        """Key by which two items count as equal."""
        return item if isinstance(item, Hashable) else np.asarray(item).tobytes()

    def prints(self, items: Sequence[Any], known: Prints | None = None) -> Prints:
        """Prints of items, by which their copies are known.

        Args:
            items: n items, as `entries` and `given` make them.
            known: prints of items that they will be compared with.
        """
        return Keys.of([self.identity(item) for item in items])

    def same(self, items: Sequence[Any]) -> np.ndarray:
        """Group number of each item, int64, (n,): equal for items that are copies of each other, equal or nearly so.

        Groups are numbered by their first item, from 0.

        Args:
            items: n items, as `entries` and `given` make them.
        """
        return np.arange(len(items)) if self.equal_by_chance(items) else self.prints(items).groups()

    def copied(
        self, items: Sequence[Any], labelled: Sequence[Any], pool: Sequence[Any], strangers: np.ndarray | None = None
    ) -> np.ndarray:
        """Of what each item is a copy, int8, (n,): 0 of none, 1 of an item of the pool, 2 of a labelled item.

        Args:
            items: n items.
            labelled: labelled items that are learnt from.
            pool: items of the pool.
            strangers: mask of the labelled items that are nearly equal to others and no copies, see `nearness`.
        """
        known = known_prints(self, labelled, pool, strangers)
        return self.prints(items, known).within(known, len(labelled))

    def exact_key(self, item: Any) -> Hashable:
        """Key by which two items are equal as they were given, so that one of them can stand for both."""
        return item if isinstance(item, Hashable) else np.asarray(item).tobytes()

    def stored_form(self, items: Any) -> Form:
        """Form of the column of a pool's items on disk, where the kind stores them.

        Args:
            items: some of the items.
        """
        raise NotImplementedError

    def stored_keys(self, items: Any) -> np.ndarray:
        """Hash of each item by which two are equal as they were given, (n,), uint64, where the kind stores them."""
        raise NotImplementedError

    def pool_keys(self, items: Sequence[Any]) -> np.ndarray:
        """Hash of each item of a pool by which it is known again, (n,), uint64, in every process the same.

        Args:
            items: n items.
        """
        return Keys.of([self.exact_key(item) for item in items]).keys

    def equal_by_chance(self, items: Sequence[Any]) -> bool:
        """Whether so many equal items are to be expected that equality says nothing: then none is a copy.

        Args:
            items: n items.
        """
        return False

    def equal_key(self, item: Any) -> Hashable:
        """Key by which two items say the same, and not nearly so alone."""
        return self.exact_key(item)

    def label_key(self, label: Any) -> Hashable:
        """Key by which two labels count as equal."""
        return label if isinstance(label, Hashable) else tuple(label)

    def in_a_word(self, item: Any) -> str:
        """The item for a table; empty where it cannot be written."""
        return item if isinstance(item, str) else ""

    def label_cell(self, label: Any) -> Any:
        """The label as a cell of a table that may lie anywhere."""
        return label

    def label_in_words(self, label: Any) -> str:
        """The label for a table."""
        return str(label)

    # reading

    @abstractmethod
    def entries(self, path: Path, how: ReadAs = USUAL, notes: Notes = UNHEARD, sought: Sought = LEARNT) -> Entries:
        """Entries of a table or folder.

        Args:
            path: the table or folder.
            how: how files are read.
            notes: takes what is noticed.
            sought: what is sought beside the items.

        Raises:
            DataError: the file cannot be read; the message names file, row and column.
        """

    def settled_labels(
        self, train: Entries, more: Entries | None, test: Entries | None, notes: Notes
    ) -> tuple[Entries, Entries | None, Entries | None]:
        """The same entries, whose labels are the names of their classes.

        Args:
            train: training entries.
            more: further entries for the pool; None where there are none.
            test: entries to score on; None where there are none.
            notes: takes what is noticed.
        """
        return train, more, test

    def relabelled(self, found: Entries, labels: list[Any], asked: list[str | None]) -> Entries:
        """The same entries with other labels, and by which selector each was asked for.

        Args:
            found: n entries.
            labels: their labels, as `entries` reads them, (n,).
            asked: names of the selectors, (n,); None of a label that nobody asked for.
        """
        return replace(found, labels=labels, asked=asked)

    def checked(self, found: Entries, notes: Notes = UNHEARD) -> tuple[Entries, tuple[str, ...]]:
        """Entries whose items can be read, and sentences on the others that name each and its fault."""
        return found, ()

    def note_bad_labels(self, found: Entries, notes: Notes) -> None:
        """Note labels that cannot be read, where the items are refused already, so that all faults are told at once.

        Args:
            found: entries whose items can be read.
            notes: takes the faults.
        """

    def bad_in_pool(self, pool: Entries) -> dict[int, str]:
        """What is wrong with the entries of a pool that cannot be learnt from, by their numbers, ascending.

        Of each entry it is told by the entry alone, so that a pool may be gone through block by block.
        """
        return {}

    def good_pool(self, pool: Entries, notes: Notes) -> Entries:
        """Entries of the pool that can be learnt from. The number of the others is said."""
        return pool

    @abstractmethod
    def labelled_only(self, test: Entries, notes: Notes) -> Entries:
        """Labelled entries of a test source.

        Raises:
            DataError: no entry has a label.
        """

    @abstractmethod
    def learn(
        self, train: Entries, more: Entries | None, test: Entries | None, evidence: bool, notes: Notes = UNHEARD
    ) -> Dataset:
        """Dataset made of entries: items to learn from and items to score on. Checks every rule about labels.

        Args:
            train: training entries, labelled or not.
            more: further entries for the pool; their labels are never learnt, only compared with pseudo-labels.
            test: labelled entries to score on.
            evidence: whether the evidence is gathered; each class then needs a label to hold out.
            notes: takes what is noticed.

        Raises:
            DataError: a rule about labels is broken; the message names the place.
        """

    def note(self, train: Entries, more: Entries | None, test: Entries | None, notes: Notes) -> None:
        """Note what the entries hold: how many are labelled, what columns are taken for, and what is odd about them.

        Args:
            train: training entries.
            more: further entries for the pool; None where there are none.
            test: entries to score on; None where there are none.
            notes: takes the counts.
        """
        if notes.files:
            notes.fact("columns", columns_in_words(self.columns(), notes), self.columns())
        self.note_counts([train, *filter(None, [more])], test, notes)

    def note_counts(
        self, parts: Sequence[Entries], test: Entries | None, notes: Notes, groups: Groups | None = None
    ) -> None:
        """Note how many entries are labelled, in place of what was noted before; see `counts_of`.

        Args:
            parts: training entries, and after them further entries for the pool.
            test: entries to score on; None where there are none.
            notes: takes the counts.
            groups: which of the training entries, all labelled then, are copies of one item; None counts each.
        """
        notes.fact("items", *counts_of(parts, test, self.words.things, groups))

    def columns(self) -> dict[str, str]:
        """What each column that an option names is taken for, by its name."""
        named = {name: getattr(self, name, None) for name in (*self.item_columns, *self.label_columns)}
        named |= {"group": self.group}
        return {str(column): name for name, column in named.items() if isinstance(column, str)}

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

    def require_encoder(self) -> None:
        """Check that the named encoder may exist, before anything is read; a kind without such a name has no check.

        Raises:
            OSError: there is no such encoder; the message names the nearest.
        """

    def wiring(self, asked: Asked, data: Dataset, auto: bool = False) -> Wiring:
        """Settings by which the dataset's items become a problem to fit: readers, defaults and record.

        Args:
            asked: the user's wishes for training and evidence.
            data: the dataset.
            auto: whether the method is chosen automatically.
        """
        how = self.how(asked)
        record = self.record(False)
        readers = self.readers(data.size, auto and asked.evidence)
        adapt = self.adapting(auto, asked.evidence)
        return Wiring(readers, how, self.whole, record, self.words.things, self.own_network, adapt, gain)

    def how(self, asked: Asked) -> How:
        """How a fit of this kind goes.

        Args:
            asked: the user's wishes for training and evidence.

        Raises:
            ValueError: a value is out of its range, or is that of a network trained whole where there is none.
        """
        if asked.of_whole and not (self.whole or self.own_network):
            names, many = " and ".join(asked.of_whole), len(asked.of_whole) > 1
            whole = "set finetune=True" if asked.in_python else "add --finetune"
            add = f"{whole}, or leave" if hasattr(self, "finetune") else "leave"
            raise ValueError(
                f"{names} {'are' if many else 'is'} of networks trained whole, and a head on features is trained here; "
                f"{add} {'them' if many else 'it'} out"
            )
        return self.defaults(asked)

    def model(
        self, data: Dataset, network: nn.Module, reader: Reader, cache: Path | Literal[False] | None = None,
        calibration: Calibration = NONE,
    ) -> Model:  # fmt: skip
        """Fitted model, on the CPU.

        Args:
            data: dataset that was learnt, for the names of its classes and the task.
            network: fitted network.
            reader: reader of the network's items.
            cache: folder of the feature cache; None is the user's cache folder; False keeps nothing.
            calibration: temperature of the model, and the held-out predictions that it abstains by.
        """
        held_out = abstention.kept(calibration) if self.abstains else {}
        task, temperature = data.items.task, calibration.temperature
        learnt, known = marks(data.items.labelled), kept_prints(self, data)
        classes, network, reader = list(data.classes), network.cpu(), reader.to("cpu")
        return Model(classes, network, reader, task, cache, temperature, held_out, learnt, known)

    # answering

    @abstractmethod
    def answered(
        self, model: Model, path: Path, how: ReadAs, notes: Notes, tick: Tick, encoded: bool = True
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        """A table of items, and the columns of the model's predictions, by name.

        Args:
            model: fitted model.
            path: table or folder of items.
            how: how files are read.
            notes: takes what is noticed.
            tick: called with the progress.
            encoded: whether encoded images may stay in the table; else their names take their place.
        """

    def labelled(
        self, model: Model, path: Path, how: ReadAs, notes: Notes, tick: Tick, promised: Promise | None,
        encoded: bool = True,
    ) -> tuple[pd.DataFrame, dict[str, Any]]:  # fmt: skip
        """A table of items, and the columns of predictions without the labels that a promise withholds.

        Args:
            model: fitted model.
            path: table or folder of items.
            how: how files are read.
            notes: takes what is noticed.
            tick: called with the progress.
            promised: what is promised of the labels that are given; None labels every row.
            encoded: whether encoded images may stay in the table, see `answered`.

        Raises:
            DataError: an item cannot be read.
        """
        table, added = self.answered(model, path, how, notes, tick, encoded)
        notes.settle()
        return table, added if promised is None else withheld(added, promised, model, notes)

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

    def predict(
        self,
        model: Model,
        path: Path,
        output: Path,
        how: ReadAs,
        notes: Notes,
        tick: Tick,
        abstain: float | None = None,
        resume: bool = False,
        wanted: Wanted = USUAL_ENGINE,
    ) -> str:
        """Write the model's predictions to a file, and return a sentence about it.

        Args:
            model: fitted model.
            path: table or folder of items.
            output: table to write: that of the items with columns of predictions.
            how: how files are read.
            notes: takes what is noticed.
            tick: called with the progress.
            abstain: give no label where the share of wrong ones among those given would exceed this, in (0, 1); None
                labels every row.
            resume: go on where a command of the same options was stopped, as it can of many rows.
            wanted: engine that labels the rows, where they are read in blocks.

        Raises:
            DataError: a file cannot be read, or the output cannot be written.
            ValueError: ``abstain`` is out of its range, or it or the engine is not for this kind.
            ImportError: the engine is not installed.
        """
        promised = self.promise(model, abstain)
        if self.stores:
            require_room(path, how, output)
        if in_parts(self, path, how, wanted):
            task = InParts(self, model, path, output, how, notes, promised, resume, wanted)
            return predict_in_parts(task, tick)
        encoded = output.suffix.lower() == ".parquet"
        table, added = self.labelled(model, path, how, notes, tick, promised, encoded)
        item, label = (str(getattr(self, names[0])) for names in (self.item_columns, self.label_columns))
        where = written(path, table, added, output, (item, None if label == "None" else label), notes)
        given = sum(label is not None for label in added[PREDICTED])
        if promised is None and given == len(table):
            return f"{len(table)} rows labelled: {where}"
        return f"{given} of {len(table)} rows labelled ({100 * given / max(len(table), 1):.1f} %): {where}"

    @abstractmethod
    def coded(self, items: Sequence[list[Any]], labels: Sequence[list[Any]], weak: list[Any] | None = None) -> Coded:
        """Items with class numbers, made of tables' cells. No rule says which labels must be known.

        Args:
            items: cells of the items of each source.
            labels: cells of the labels of each source; None is unknown.
            weak: cells of the first source's weak labels.
        """

    # asking

    def table_to_ask(self, items: Sequence[Any], frame: pd.DataFrame | None, path: Path) -> pd.DataFrame:
        """Table of items that are to be labelled, (k rows), which `entries` reads again wherever it lies.

        Args:
            items: k items.
            frame: their rows in the table that they come from, (k rows); None where that is no table in memory.
            path: source of the items.

        Raises:
            DataError: the items cannot be written so.
        """
        (column,) = (str(getattr(self, name)) for name in self.item_columns)
        return pd.DataFrame({column: list(items)}) if frame is None else frame

    def require_there(self, found: Entries, path: Path, how: ReadAs) -> None:
        """Check that the items of a table of answers are those that it names, as items in files may not be.

        Args:
            found: entries of the table.
            path: the table.
            how: how it is read.

        Raises:
            DataError: one is another one; the message names its row.
        """

    def guesses(self, model: Model, items: Sequence[Any]) -> list[str] | None:
        """Label that a model gives each of some items, in words; None where a label is no word.

        Args:
            model: fitted model.
            items: n items.
        """
        return [str(model.classes[i]) for i in model.surest(model.examples(items))[1].tolist()]

    def face(self, item: Any, name: str = "") -> Face:
        """What a person sees of an item who is to label it.

        Args:
            item: the item.
            name: name of the item; empty where it has none.

        Raises:
            DataError: the item cannot be read any more.
            ValueError: no person can label such an item by naming classes.
        """
        return Face(text=self.in_a_word(item), name=name)

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

    def commonest(
        self, classes: Sequence[Any], y: np.ndarray, weight: np.ndarray | None = None
    ) -> dict[str, Any] | None:
        """The commonest "class" of labels and its "share", which always saying it is right; None where none is one.

        Args:
            classes: names of the classes.
            y: class numbers of the items' units, (units,); -1 is a class that the model does not know.
            weight: how much each unit counts, (units,); None counts each once.
        """
        return None

    def as_classes(self, found: Entries, model: Model, notes: Notes) -> Entries:
        """Entries to score on, whose labels are the names of the model's classes.

        Args:
            found: entries of a labelled source.
            model: fitted model.
            notes: takes what is decided.
        """
        return found

    @abstractmethod
    def truth(self, test: Entries, model: Model, notes: Notes = UNHEARD) -> tuple[Sequence[Any], Any]:
        """Items of labelled entries, and their labels as `measured` takes them.

        Args:
            test: the labelled entries.
            model: fitted model.
            notes: takes what is noticed.

        Raises:
            DataError: a label is none of the model's classes.
        """

    def score(
        self, model: Model, path: Path, how: ReadAs, notes: Notes, abstain: float | None = None
    ) -> dict[str, Any]:
        """Scores of a model on a labelled table or folder, by name, as plain values.

        Args:
            model: fitted model.
            path: labelled table or folder.
            how: how files are read.
            notes: takes what is noticed.
            abstain: also measure, as "abstain", what becomes of this promise, see `predict`; None measures nothing.

        Raises:
            DataError: a file cannot be read, or a label is none of the model's classes.
            ValueError: ``abstain`` is out of its range, or not for this kind.
        """
        promised = self.promise(model, abstain)
        found = self.as_classes(self.entries(path, how, notes, SCORED), model, notes)
        notes.settle()
        test, _ = self.read_as(how).checked(self.labelled_only(found, notes), notes)
        if notes.unsettled:
            self.note_bad_labels(test, notes)
            notes.settle()
        items, truth = self.truth(test, model, notes)
        notes.settle()
        examples = model.examples(items)
        measured = self.measured(model, examples, items, truth)
        if unread := measured.scores.get("unread"):
            notes.say(counted_as_wrong(unread, len(items), self.words), page="nothing-to-read")
        scores = measured.scores | without_copies(self, model, examples, items, truth, measured.scores)
        if promised is None or measured.sure is None:
            return scores
        notes.say(promised.words())
        return scores | {"abstain": abstention.measured(promised, *measured.sure)}

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
