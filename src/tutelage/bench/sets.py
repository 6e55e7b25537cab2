"""Data sets of a protocol, read once and split into a part to learn from and a part to score on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn.datasets

from tutelage.bench.protocol import DataSet
from tutelage.data.sources import cache_folder
from tutelage.kinds import KINDS
from tutelage.kinds.base import Kind
from tutelage.tables import DataError, column, read_table
from tutelage.tasks import Task
from tutelage.weak import Votes

BUILT_IN, CACHED = "scikit-learn:", "cache:"
"""Prefixes of the names of scikit-learn's own small data sets, and of files in the user's cache folder."""


@dataclass(frozen=True)
class Part:
    """Items, and the class numbers of their units.

    Attributes:
        items: n texts, sentences or images, or rows of features, (n, d).
        y: class numbers of the units, (units,), -1 = unknown.
        counts: number of units of each item, (n,).
        said: probabilities of the classes by a brought teacher, (n, c); None where none was brought.
    """

    items: Any
    y: np.ndarray
    counts: np.ndarray
    said: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.counts)

    def subset(self, index: np.ndarray) -> Part:
        """The items with the numbers ``index``, (k,), in order."""
        items = self.items[index] if isinstance(self.items, np.ndarray) else [self.items[i] for i in index]
        said = None if self.said is None else self.said[index]
        return Part(items, self.y[self.units(index)], self.counts[index], said)

    def units(self, index: np.ndarray) -> np.ndarray:
        """Numbers of the units, (units,), of the items with the numbers ``index``, (k,)."""
        if (self.counts == 1).all():
            return index
        ends = np.cumsum(self.counts)
        parts = [np.arange(ends[i] - self.counts[i], ends[i]) for i in index]
        return np.concatenate(parts) if parts else np.arange(0)

    def labelled(self) -> np.ndarray:
        """Numbers of the items with a unit whose class is known, (k,)."""
        starts = np.cumsum(self.counts) - self.counts
        return np.flatnonzero(np.add.reduceat(self.y >= 0, starts)) if len(self) else np.arange(0)


@dataclass(frozen=True)
class Cut:
    """A data set, split into the part to learn from and the part to score on.

    Attributes:
        task: task that its labels define.
        learn: the part to learn from.
        test: the part to score on.
        covered, target: numbers of the items to learn from that have weak labels, and the weak labels of their units,
            as in `fit.build.Items`; None without weak labels.
        noisy: noisy class numbers of all items to learn from, (n,) each, by name.
        size: height and width of images, in pixels; 0 for other items.
        classes: names of the classes, in the order of their numbers; empty where the kind names none.
        votes: votes of rules on all items to learn from; None without any.
    """

    task: Task
    learn: Part
    test: Part
    covered: np.ndarray | None = None
    target: np.ndarray | None = None
    noisy: dict[str, np.ndarray] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)
    classes: tuple[str, ...] = ()
    votes: Votes | None = None


def load(data: DataSet, root: Path, seed: int = 0) -> Cut:
    """A data set from its file; the last four that were read are kept.

    Args:
        data: the data set as the protocol names it.
        root: folder of the data sets.
        seed: seed of the draw of the part to score on, for a data set with ``resplit``.

    Raises:
        FileNotFoundError, DataError: the file does not exist, or lacks what the protocol names.
    """
    return _load(data, root, seed if data.resplit else 0)


@lru_cache(maxsize=4)
def _load(data: DataSet, root: Path, seed: int) -> Cut:
    """The data set of `load`, with the seed that counts."""
    learn, test = _rows(data, root, seed)
    cut = _cut(data, learn, test, root)
    if not cut.task.dense and (cut.test.y < 0).any():
        unit = int((cut.test.y < 0).argmax())
        item = int(np.searchsorted(np.cumsum(cut.test.counts), unit, side="right"))
        raise DataError(f"{data.test_file or data.file}, row {test.index[item] + 1}: no label, in the part to score on")
    return cut


def said(data: DataSet, root: Path, seed: int = 0) -> np.ndarray | None:
    """Class numbers by the weak labels of the items to score on, (units,); None where these have no weak labels.

    Items without weak labels get the commonest weak label of the items to learn from.

    Args:
        data: the data set as the protocol names it.
        root: folder of the data sets.
        seed: seed as in `load`.
    """
    learn, test = _rows(data, root, seed if data.resplit else 0)
    votes = [] if data.weak is None else _of(test, data, "weak")
    if any(v is None for v in votes) or all(np.all(np.asarray(v) == -1) for v in votes):
        return None
    cut, turned = load(data, root, seed), _cut(data.model_copy(update={"noisy_file": None}), test, learn, root)
    mine, learnt = (hard(c.target) for c in (turned, cut))
    names = getattr(cut.task, "names", ())
    if names:  # tags of one part alone change the numbers; the first is that of words without one
        code = {name: i for i, name in enumerate(names)}
        renamed = np.array([code.get(name, 0) for name in getattr(turned.task, "names", ())])
        mine = np.where(mine < 0, -1, renamed[mine])
    found = np.full(len(cut.test.y), np.bincount(learnt[learnt >= 0]).argmax())
    units = turned.learn.units(np.arange(0) if turned.covered is None else turned.covered)
    found[units] = np.where(mine < 0, found[units], mine)
    return found


def hard(target: np.ndarray | None) -> np.ndarray:
    """Likeliest class numbers of weak labels, (units,); none without weak labels.

    Args:
        target: weak labels as probabilities, (units, c), or as class numbers, (units,), -1 = unknown.
    """
    if target is None:
        return np.empty(0, dtype=np.int64)
    return target.argmax(1) if target.ndim == 2 else target


def _rows(data: DataSet, root: Path, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to learn from and rows to score on, as tables; those of arrays have the columns "items" and "labels"."""
    if data.file.startswith(BUILT_IN) or data.file.endswith(".npz"):
        learn, test = (_arrays(data, root, part) for part in (data.learn, data.test))
        table = learn
    else:
        table = read_table(_path(root, data.file))
        learn = test = table
        if data.split and data.test_file is None:
            split = column(table, data.split, data.file)
            learn, test = table[split.isin(data.learn)], table[split.isin(data.test)]
        if data.test_file is not None:
            test = read_table(_path(root, data.test_file))
    if not data.split and data.test_file is None:
        if data.scored >= len(table):
            raise DataError(f"{data.file}: scored must be below {len(table)}, all its rows, got {data.scored}")
        order = np.random.default_rng(seed).permutation(len(table))
        return table.iloc[np.sort(order[data.scored :])[: data.pool]], table.iloc[np.sort(order[: data.scored])]
    for part, rows in ((data.learn, learn), (data.test, test)):
        if not len(rows):
            raise DataError(f"{data.file}: no row is of the part {', '.join(part)}")
    return _at_most(learn, data.pool), _at_most(test, data.scored)


def _path(root: Path, name: str) -> Path:
    """Path of a data set's file, in ``root`` or in the cache folder.

    Raises:
        FileNotFoundError: there is no such file.
    """
    cached = name.startswith(CACHED)
    path = cache_folder() / name.removeprefix(CACHED) if cached else root / name
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; TUTELAGE_DATA names the folder that the data sets are in")
    return path


def _at_most(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """The rows of a table; of more than ``most`` so many are drawn, with seed 0."""
    return table.sample(most, random_state=0) if len(table) > most else table


def _arrays(data: DataSet, root: Path, parts: Sequence[str]) -> pd.DataFrame:
    """Rows of arrays as a table whose index holds the numbers of the rows."""
    built_in = data.file.startswith(BUILT_IN)
    if data.split and (built_in or not all("{split}" in name for name in (data.items, data.labels))):
        how = 'say split = ""' + ("" if built_in else ', or name them by "{split}" in items and labels')
        raise DataError(f"{data.file} has no parts: {how}")
    if built_in:
        found = getattr(sklearn.datasets, f"load_{data.file.removeprefix(BUILT_IN)}")()
        return pd.DataFrame({"items": list(found.data.astype(np.float32)), "labels": found.target})
    held = np.load(_path(root, data.file))
    columns = {"items": data.items, "labels": data.labels} | ({"said": data.said} if data.said else {})
    found = {}
    for what, name in columns.items():
        names = [name.format(split=p) for p in (parts if data.split else ("",))]
        for each in names:
            if each not in held:
                raise DataError(f"{data.file}: no array {each!r}; there are {', '.join(held)}")
        found[what] = list(np.concatenate([held[each] for each in names]))
    return pd.DataFrame(found)


def _of(table: pd.DataFrame, data: DataSet, what: str) -> list[Any]:
    """The cells of a column, "items", "labels", "weak" or "said", which the protocol may name otherwise."""
    name = what if what in table and "items" in table else getattr(data, what)
    return list(column(table, name, data.file))


def _cut(data: DataSet, learn: pd.DataFrame, test: pd.DataFrame, root: Path) -> Cut:
    """The data set from tables of its two parts, with class numbers in place of labels."""
    items, labels = ([_of(part, data, what) for part in (learn, test)] for what in ("items", "labels"))
    found = kind_for(data).coded(items, labels, None if data.weak is None else _of(learn, data, "weak"))
    said = [None if data.said is None else _said(part, data, len(found.classes)) for part in (learn, test)]
    parts = [Part(*part) for part in zip(found.items, found.y, found.counts, said, strict=True)]
    cut = Cut(
        found.task, parts[0], parts[1], found.covered, found.target, size=found.size or (0, 0), classes=found.classes,
        votes=found.votes,
    )  # fmt: skip
    if data.noisy_file is None:
        return cut
    table = read_table(_path(root, data.noisy_file)).set_index("index").loc[learn["index"]]
    return replace(cut, noisy={str(c): table[c].to_numpy(dtype=np.int64) for c in table.columns})


def _said(table: pd.DataFrame, data: DataSet, classes: int) -> np.ndarray:
    """What a brought teacher says of the rows of a table, (n, c).

    Raises:
        DataError: it has another number of classes than the labels.
    """
    found = np.stack([np.asarray(row, dtype=np.float64) for row in _of(table, data, "said")])
    if classes and found.shape[1] != classes:
        raise DataError(f"{data.file}: {data.said!r} has {found.shape[1]} probabilities a row, of {classes} classes")
    return found


def kind_for(data: DataSet, network: str = "head") -> Kind:
    """The kind of a data set, with the options that a protocol gives it.

    Args:
        data: the data set as the protocol names it.
        network: network of the protocol, as in `protocol.Steps`.

    Raises:
        ValueError: the network is not for this kind.
    """
    kind = KINDS[data.kind]
    own = network if network not in ("head", "whole") else None
    options: dict[str, Any] = {
        "size": data.size, "flip": data.flip, "void": () if data.void is None else (data.void,),
        "finetune": network == "whole", "network": own,
    }  # fmt: skip
    known = {f.name for f in fields(kind)}
    given = {name: value for name, value in options.items() if name in known}
    if own is not None and "network" not in known:
        raise ValueError(f"{data.name}: network {own!r} is not for {kind.words.things}")
    return kind(**given)
