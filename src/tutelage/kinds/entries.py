"""Entries of a file, a folder or Python values: each has an item, a label or none, and a place for messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd

from tutelage.data.columns import Chain, OnDisk
from tutelage.weak import RawVotes, Said


@runtime_checkable
class Places(Protocol):
    """Names of a source and of the places in it, for messages."""

    @property
    def source(self) -> str:
        """Name of the source: a file, a folder, or the argument of a function."""

    @property
    def empty(self) -> str:
        """Words for a missing label in this source."""

    @property
    def no_copies(self) -> str:
        """Advice on how to say that equal items are no copies."""

    @property
    def skip(self) -> str:
        """Advice that says how a user goes without the evidence."""

    @property
    def keeps_all(self) -> bool:
        """Whether every unlabelled entry stays in the pool, since the user expects a prediction for each."""

    def at(self, what: str, i: int | None = None) -> str:
        """Name of a place, for messages.

        Args:
            what: part of an entry: "item", "label", "votes", "distant" or "row".
            i: number of the entry, from 0; None for the part of all entries.
        """

    def short(self, i: int) -> str:
        """Name of the i-th entry's place within the source."""

    def where(self, keep: np.ndarray) -> Places:
        """Places of the entries that the mask ``keep``, (n,), selects."""


@dataclass(frozen=True)
class InTable:
    """Places in a table. Rows are counted from 1, without the header.

    Attributes:
        source: name of the file.
        rows: number of each entry's row, (n,).
        columns: name of the column that holds each part of the entries, by part; None where none does.
        files: path of each entry's file within a folder that is read as a table, (n,); empty of a table.

    >>> InTable("a.csv", [6, 7], {"label": "topic"}).at("label", 1)
    "a.csv, row 7, column 'topic'"
    >>> InTable("news", [1, 2], {"item": "text"}, ["food/1.txt", "food/2.txt"]).at("item", 1)
    'news/food/2.txt'
    """

    source: str
    rows: Sequence[int]
    columns: Mapping[str, str | None]
    files: Sequence[str] = ()
    empty = "empty"
    skip = "pass --no-evidence"
    no_copies = "pass --copies off"
    keeps_all = False

    def short(self, i: int) -> str:
        return self.files[i] if self.files else f"row {self.rows[i]}"

    def at(self, what: str, i: int | None = None) -> str:
        if self.files:
            return self.source if i is None else (Path(self.source) / self.files[i]).as_posix()
        column = self.columns.get(what)
        parts = [f"row {self.rows[i]}" if i is not None else "", f"column {column!r}" if column else ""]
        return ", ".join([self.source, *filter(None, parts)])

    def where(self, keep: np.ndarray) -> InTable:
        kept = np.flatnonzero(keep).tolist()
        return replace(self, rows=[self.rows[i] for i in kept], files=[self.files[i] for i in kept if self.files])


@dataclass(frozen=True)
class InFolder:
    """Places in a folder, whose entries are files.

    Attributes:
        source: path of the folder.
        names: path of each entry's file within the folder.

    >>> InFolder("pets", ["cat/1.jpg"]).at("label"), InFolder("pets", ["cat/1.jpg"]).at("label", 0)
    ('pets', 'pets/cat/1.jpg')
    """

    source: str
    names: Sequence[str]
    empty = "empty"
    skip = "pass --no-evidence"
    no_copies = "pass --copies off"
    keeps_all = False

    def short(self, i: int) -> str:
        return self.names[i]

    def at(self, what: str, i: int | None = None) -> str:
        return self.source if i is None else (Path(self.source) / self.names[i]).as_posix()

    def where(self, keep: np.ndarray) -> InFolder:
        return replace(self, names=[self.names[i] for i in np.flatnonzero(keep).tolist()])


@dataclass(frozen=True)
class InValues:
    """Places in the arguments of a function, counted from 0.

    Attributes:
        arguments: name of the argument that holds each part of the entries, by part.
        index: number of each entry in the arguments, (n,).

    >>> InValues({"item": "X", "label": "y"}, [0, 6]).at("label", 1)
    'y[6]'
    """

    arguments: Mapping[str, str]
    index: Sequence[int]
    empty = "-1 or None"
    skip = "set evidence=False"
    no_copies = "set copies='off'"
    keeps_all = True

    @property
    def source(self) -> str:
        return self.arguments["item"]

    def short(self, i: int) -> str:
        return f"[{self.index[i]}]"

    def at(self, what: str, i: int | None = None) -> str:
        name = self.arguments.get(what, self.source)
        return name if i is None else f"{name}[{self.index[i]}]"

    def where(self, keep: np.ndarray) -> InValues:
        return replace(self, index=[self.index[i] for i in np.flatnonzero(keep).tolist()])


@dataclass(frozen=True)
class InBoth:
    """Places of entries of two sources, one after the other; words are those of the first.

    Attributes:
        first, second: places in the two sources.
        count: number of entries of the first.

    >>> both = InBoth(InTable("a.csv", [6], {"label": "topic"}), InTable("b.csv", [2], {}), 1)
    >>> both.at("label", 0), both.short(0), both.short(1)
    ("a.csv, row 6, column 'topic'", 'row 6', 'b.csv, row 2')
    """

    first: Places
    second: Places
    count: int

    @property
    def source(self) -> str:
        return self.first.source

    @property
    def empty(self) -> str:
        return self.first.empty

    @property
    def no_copies(self) -> str:
        return self.first.no_copies

    @property
    def skip(self) -> str:
        return self.first.skip

    @property
    def keeps_all(self) -> bool:
        return self.first.keeps_all

    def short(self, i: int) -> str:
        if i < self.count:
            return self.first.short(i)
        return f"{Path(self.second.source).name}, {self.second.short(i - self.count)}"

    def at(self, what: str, i: int | None = None) -> str:
        if i is None or i < self.count:
            return self.first.at(what, i)
        return self.second.at(what, i - self.count)

    def where(self, keep: np.ndarray) -> Places:
        of_first, of_second = keep[: self.count], keep[self.count :]
        if not of_second.any():
            return self.first.where(of_first)
        if not of_first.any():
            return self.second.where(of_second)
        return InBoth(self.first.where(of_first), self.second.where(of_second), int(of_first.sum()))


def by_source(found: Entries) -> list[Entries]:
    """Entries of each source, in their order; of one source the entries themselves."""
    if not isinstance(found.places, InBoth):
        return [found] if len(found) else []
    of_first = np.arange(len(found)) < found.places.count
    return [each for mask in (of_first, ~of_first) if mask.any() for each in by_source(found.where(mask))]


class OnDiskEntries(Protocol):
    """Entries whose items lie on disk."""

    @property
    def keys(self) -> np.ndarray:
        """Hash of each item, by which equal ones are known, (n,), uint64."""

    def where(self, keep: np.ndarray) -> Entries:
        """Entries that the mask ``keep``, (n,), selects."""

    def after(self, items: Any) -> Any:
        """The items, and rows of numbers, (k, d), before them."""


@dataclass(frozen=True)
class Entries:
    """Entries of one source.

    Attributes:
        items: n items: texts, sentences, images, or an array of rows, (n, ...).
        labels: label of each item; None is unlabelled.
        places: places of the entries, for messages.
        votes: votes of rules on the entries; None where there are none.
        names: names of the items, for a report; empty where they have none.
        sizes: heights and widths of images, in pixels, (n, 2).
        turns: EXIF orientations of images, (n,), 1 to 8; empty of other items.
        looked: report on a check of the source's images; None of other items.
        offsets: start and end of each sentence's words in its text, in characters; empty where no texts were given.
        distant: distant tags of each sentence; None for a sentence without.
        table: the table that was read, which may have more rows than there are entries; None of other sources.
        left_out: number of the source's items that cannot be read and have no entry.
        said: what teachers said of the entries.
        facts: facts on all of the source's items, as plain values, by name; empty where the kind tells none.
        group: name of the group of each entry, such as its author; None for one without. Empty where none was asked.
        weight: how much the label of each entry counts, (n,), above 0; None counts all alike.
        asked: by which selector the label of each entry was asked for, see `tutelage.ask`, (n,); None of a label that
            was there anyway, and of an entry without one. Empty where none was asked for.
        stored: the same entries where their items lie on disk, see `tutelage.kinds.stored`; None in memory.
    """

    items: Any
    labels: list[Any]
    places: Places
    votes: RawVotes | None = None
    names: Sequence[str] = ()
    sizes: np.ndarray = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))
    turns: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    looked: Any = None
    offsets: Sequence[Any] = ()
    distant: Sequence[Any] = ()
    table: pd.DataFrame | None = None
    left_out: int = 0
    said: Sequence[Said] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    group: Sequence[str | None] = ()
    weight: np.ndarray | None = None
    asked: Sequence[str | None] = ()
    stored: OnDiskEntries | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def known(self) -> np.ndarray:
        """Mask of the labelled entries, (n,)."""
        return np.array([label is not None for label in self.labels], dtype=bool)

    def at(self, what: str, i: int | None = None) -> str:
        """Name of the place of the i-th entry's ``what``, see `Places.at`."""
        return self.places.at(what, i)

    def where(self, keep: np.ndarray) -> Self:
        """Entries that the mask ``keep``, (n,), selects; ``table``, ``left_out``, ``facts`` and ``looked`` stay."""
        if self.stored is not None:
            found: Any = self.stored.where(keep)
            return replace(found, labels=taken(self.labels, keep))  # type: ignore[no-any-return]
        changed: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name == "said":
                changed[f.name] = tuple(each.where(keep) for each in value)
                continue
            if (
                f.name in ("table", "left_out", "facts", "looked")
                or value is None
                or (f.name not in ("places", "votes") and not len(value))
            ):
                continue
            changed[f.name] = value.where(keep) if f.name in ("places", "votes") else taken(value, keep)
        return replace(self, **changed)


def one_after_other(first: Entries, second: Entries) -> Entries:
    """Entries of two sources as those of one, without votes of the second; the table and the facts are the first's.

    Args:
        first: entries without votes, held in memory.
        second: entries held in memory.
    """
    lists: dict[str, Any] = {}
    for name, missing in (("names", ""), ("group", None), ("asked", None), ("distant", None), ("offsets", None)):
        parts = [(list(getattr(each, name)), len(each)) for each in (first, second)]
        if any(part for part, _ in parts):
            lists[name] = [value for part, count in parts for value in part or [missing] * count]
    if len(first.sizes) and len(second.sizes):
        lists["sizes"] = np.concatenate([first.sizes, second.sizes])
    return replace(
        first, items=joined([first.items, second.items]), labels=[*first.labels, *second.labels],
        places=InBoth(first.places, second.places, len(first)), left_out=first.left_out + second.left_out, **lists,
    )  # fmt: skip


@dataclass(frozen=True)
class Sought:
    """What is sought in a source beside its items, of all that the options name.

    Attributes:
        labels: whether the clean labels must be there; else they are passed over where they are missing.
        weak: whether the weak labels must be there; None does not read them.
    """

    labels: bool = True
    weak: bool | None = True


LEARNT, WEAK, POOL, SCORED = Sought(), Sought(labels=False), Sought(labels=False, weak=False), Sought(weak=None)
"""What is sought of items to learn from, of those whose clean labels may be those of a test alone, of further items
for the pool, and of items to score on."""

ITEMS = Sought(labels=False, weak=None)
"""What is sought of items that are asked about, and nothing is learnt from them."""


def taken(values: Any, keep: np.ndarray) -> Any:
    """Elements of a list, or rows of an array, (n, ...), that the mask ``keep``, (n,), selects."""
    return values[keep] if isinstance(values, np.ndarray) else [values[i] for i in np.flatnonzero(keep).tolist()]


def joined(values: Sequence[Any]) -> Any:
    """One list made of several, or one array, (sum of n, ...), made of several of shape (n, ...).

    Raises:
        ValueError: there are lists and arrays, or arrays whose rows differ in shape.
    """
    first = values[0]
    for more in values[1:]:
        if isinstance(first, np.ndarray) != isinstance(more, np.ndarray):
            raise ValueError(f"X_unlabelled must be like X, a {type(first).__name__}, got a {type(more).__name__}")
        if isinstance(first, np.ndarray) and first.shape[1:] != more.shape[1:]:
            raise ValueError(f"X_unlabelled must be like X, an array (n, {str(first.shape[1:])[1:]}, got {more.shape}")
    if isinstance(first, np.ndarray):
        return np.concatenate(values) if len(values) > 1 else first
    return [item for part in values for item in part]


def items_of_pool(parts: Sequence[Entries]) -> Any:
    """Items of all parts of a pool, of which those of the last may lie on disk: then all of them do, see `joined`."""
    *first, last = parts
    if last.stored is None:
        return joined([part.items for part in parts])
    before = joined([part.items for part in first]) if first else []
    if not len(before):
        return last.items
    return last.stored.after(before) if isinstance(last.items, np.ndarray) else Chain(before, last.items)


def names_of_pool(parts: Sequence[Entries]) -> Sequence[str]:
    """Names of the items of all parts of a pool; empty where they have none."""
    named = [part.names for part in parts if len(part.names)]
    if any(isinstance(names, OnDisk) for names in named):
        return Chain(*named)
    return [name for names in named for name in names]


def unknown(value: Any) -> bool:
    """Whether a Python value stands for a missing label: -1, "-1", None or NaN."""
    if value is None or value is pd.NA:
        return True
    if isinstance(value, str):
        return value == "-1"
    return bool(value == -1) or bool(pd.isna(value))


def first_of(X: Any) -> Any:
    """The first element of nested lists or arrays, or of a data frame's only column; None where there is none.

    >>> first_of([["a", "b"]]), first_of(np.empty((0, 2)))
    ('a', None)
    """
    if isinstance(X, pd.DataFrame):
        X = X.iloc[:, 0] if X.shape[1] == 1 else []
    while isinstance(X, (list, tuple, np.ndarray, pd.Series)):
        if isinstance(X, np.ndarray) and not X.ndim:
            return X.item()
        if not len(X):
            return None
        X = X.iloc[0] if isinstance(X, pd.Series) else X[0]
    return X
