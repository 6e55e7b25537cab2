"""Data sets as a protocol names them, read and cut once: what is learnt from, and what is scored on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn.datasets

from tutelage.bench.protocol import DataSet
from tutelage.data.sources import cache_folder
from tutelage.data.tables import DataError, as_label, column, read_table
from tutelage.modalities.images.masks import read_masks
from tutelage.modalities.images.reader import size_for
from tutelage.ops.tags import scheme, to_bio
from tutelage.tasks import Classification, Segmentation, Tagging, Task, tag_names
from tutelage.weak import Votes, label

BUILT_IN, CACHED = "scikit-learn:", "cache:"
"""What the names of scikit-learn's own small data sets, and of files in the user's cache folder, begin with."""


@dataclass(frozen=True)
class Part:
    """Items, and the class numbers of their units, -1 = unknown.

    Attributes:
        items: texts, sentences, images, or rows of features (n, d).
        y: (units,); counts: units of each item, (n,).
    """

    items: Any
    y: np.ndarray
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.counts)

    def subset(self, index: np.ndarray) -> Part:
        items = self.items[index] if isinstance(self.items, np.ndarray) else [self.items[i] for i in index]
        return Part(items, self.y[self.units(index)], self.counts[index])

    def units(self, index: np.ndarray) -> np.ndarray:
        """Numbers of the units of the items ``index``."""
        if (self.counts == 1).all():
            return index
        ends = np.cumsum(self.counts)
        parts = [np.arange(ends[i] - self.counts[i], ends[i]) for i in index]
        return np.concatenate(parts) if parts else np.arange(0)

    def labelled(self) -> np.ndarray:
        """Numbers of the items of which a unit's class is known."""
        starts = np.cumsum(self.counts) - self.counts
        return np.flatnonzero(np.add.reduceat(self.y >= 0, starts)) if len(self) else np.arange(0)


@dataclass(frozen=True)
class Cut:
    """A data set: the part to learn from, and the part to score on.

    Attributes:
        covered, target: numbers of the items that have weak labels, and those of their units, as in `recipes.Items`.
        noisy: noisy class numbers of all items, by name.
        size: of images, in pixels.
    """

    task: Task
    learn: Part
    test: Part
    covered: np.ndarray | None = None
    target: np.ndarray | None = None
    noisy: dict[str, np.ndarray] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)


def load(data: DataSet, root: Path, seed: int = 0) -> Cut:
    """A data set from its file.

    Args:
        root: folder that ``data.file`` is in.
        seed: draws the part to score on, where the set says ``resplit``.

    Raises:
        FileNotFoundError, DataError: the file is not there, or has not what the protocol says.
    """
    return _load(data, root, seed if data.resplit else 0)


@lru_cache(maxsize=4)
def _load(data: DataSet, root: Path, seed: int) -> Cut:
    learn, test = _rows(data, root, seed)
    read = {"sentences": _sentences, "masks": _masks}.get(data.kind, _one_class_each)
    cut = read(data, learn, test, root)
    if data.kind != "masks" and (cut.test.y < 0).any():
        unit = int((cut.test.y < 0).argmax())
        item = int(np.searchsorted(np.cumsum(cut.test.counts), unit, side="right"))
        raise DataError(f"{data.test_file or data.file}, row {test.index[item] + 1}: no label, in the part to score on")
    return cut


def _rows(data: DataSet, root: Path, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows to learn from and those to score on; arrays are split into the columns "items" and "labels"."""
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
    cached = name.startswith(CACHED)
    path = cache_folder() / name.removeprefix(CACHED) if cached else root / name
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; TUTELAGE_DATA names the folder that the data sets are in")
    return path


def _at_most(table: pd.DataFrame, most: int) -> pd.DataFrame:
    return table.sample(most, random_state=0) if len(table) > most else table


def _arrays(data: DataSet, root: Path, parts: Sequence[str]) -> pd.DataFrame:
    """Rows of arrays as a table, its index the rows' numbers."""
    built_in = data.file.startswith(BUILT_IN)
    if data.split and (built_in or not all("{split}" in name for name in (data.items, data.labels))):
        how = 'say split = ""' + ("" if built_in else ', or name them by "{split}" in items and labels')
        raise DataError(f"{data.file} has no parts: {how}")
    if built_in:
        found = getattr(sklearn.datasets, f"load_{data.file.removeprefix(BUILT_IN)}")()
        return pd.DataFrame({"items": list(found.data.astype(np.float32)), "labels": found.target})
    held = np.load(_path(root, data.file))
    names = [(data.items.format(split=p), data.labels.format(split=p)) for p in (parts if data.split else ("",))]
    for name in (n for pair in names for n in pair):
        if name not in held:
            raise DataError(f"{data.file}: no array {name!r}; there are {', '.join(held)}")
    items, labels = (np.concatenate([held[pair[i]] for pair in names]) for i in (0, 1))
    return pd.DataFrame({"items": list(items), "labels": labels})


def _of(table: pd.DataFrame, data: DataSet, what: str) -> list[Any]:
    name = what if what in table and "items" in table else getattr(data, what)
    return list(column(table, name, data.file))


def _one_class_each(data: DataSet, learn: pd.DataFrame, test: pd.DataFrame, root: Path) -> Cut:
    named = [[as_label(v) for v in _of(part, data, "labels")] for part in (learn, test)]
    names = sorted({n for part in named for n in part if n is not None}, key=lambda n: (len(n), n))
    code: dict[str | None, int] = {None: -1} | {n: i for i, n in enumerate(names)}
    y = [np.array([code[n] for n in part], dtype=np.int64) for part in named]
    items: list[Any] = [_of(part, data, "items") for part in (learn, test)]
    if data.kind == "features":
        items = [np.stack(rows).reshape(len(rows), -1).astype(np.float32) for rows in items]
    size = data.size or (0, 0)
    if data.kind == "images" and isinstance(items[0][0], np.ndarray):
        items = [np.stack([_coloured(i) for i in part]) for part in items]
        size = data.size or size_for("small_cnn", np.array([items[0].shape[1:3]]))
    parts = [Part(i, labels, np.ones(len(labels), dtype=np.int64)) for i, labels in zip(items, y, strict=True)]
    cut = Cut(Classification(len(names)), parts[0], parts[1], size=size)
    if data.weak is not None:
        covered, target = _weak(_of(learn, data, "weak"), names)
        cut = replace(cut, covered=covered, target=target)
    if data.noisy_file is not None:
        table = read_table(_path(root, data.noisy_file)).set_index("index").loc[learn["index"]]
        cut = replace(cut, noisy={str(c): table[c].to_numpy(dtype=np.int64) for c in table.columns})
    return cut


def _coloured(image: np.ndarray) -> np.ndarray:
    return np.repeat(image[..., None], 3, axis=-1) if image.ndim == 2 else image


def _weak(votes: list[Any], classes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the items that rules voted on: the majority's."""
    if np.ndim(votes[0]) == 0:
        votes = [[v] for v in votes]
    table = np.stack([np.asarray(v) for v in votes]).astype(np.int64)
    said = Votes(table, [f"rule {j + 1}" for j in range(table.shape[1])], classes)
    covered = np.flatnonzero(said.covered)
    return covered, label(said, "majority")[covered]


def _sentences(data: DataSet, learn: pd.DataFrame, test: pd.DataFrame, root: Path) -> Cut:
    scored = _tags(_of(test, data, "labels"))
    kind = scheme([t for t in scored if t is not None])
    gold = _tags(_of(learn, data, "labels"))
    weak = _tags(_of(learn, data, "weak")) if data.weak is not None else []
    all_tags = [[None if t is None else to_bio(t, kind)[0] for t in part] for part in (gold, scored, weak)]
    names = tag_names([t for part in all_tags for t in part])
    code = {n: i for i, n in enumerate(names)}
    items = [[list(map(str, s)) for s in _of(part, data, "items")] for part in (learn, test)]

    def coded(tags: Sequence[Sequence[str] | None], sentences: list[list[str]]) -> np.ndarray:
        rows = zip(tags, sentences, strict=True)
        parts = [[-1] * len(s) if t is None else [code[v] for v in t] for t, s in rows]
        return np.concatenate([np.array(p, dtype=np.int64) for p in parts])

    parts = [
        Part(sentences, coded(tags, sentences), np.array([len(s) for s in sentences]))
        for tags, sentences in zip(all_tags[:2], items, strict=True)
    ]
    cut = Cut(Tagging(len(names), names), parts[0], parts[1])
    if data.weak is None:
        return cut
    return replace(cut, covered=np.arange(len(learn)), target=coded(all_tags[2], items[0]))


def _tags(rows: list[Any]) -> list[list[str] | None]:
    """Tags as text; "0" and -1 are "O": where no rule says anything nothing is meant."""
    return [None if r is None else ["O" if str(t) in ("-1", "0") else str(t) for t in r] for r in rows]


def _masks(data: DataSet, learn: pd.DataFrame, test: pd.DataFrame, root: Path) -> Cut:
    size = data.size or (120, 160)
    void = [] if data.void is None else [data.void]
    ids = [read_masks(_of(part, data, "labels"), size, void=void, workers=1) for part in (learn, test)]
    classes = max(found.classes for found in ids)
    parts = [
        Part(_of(part, data, "items"), found.targets(), np.full(len(part), size[0] * size[1]))
        for part, found in zip((learn, test), ids, strict=True)
    ]
    return Cut(Segmentation(classes), parts[0], parts[1], size=size)
