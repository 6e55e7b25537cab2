"""Reading of a table or a folder into the rows that are audited, and their features."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tutelage.audit.request import AuditOptions
from tutelage.data.sources import cache_folder
from tutelage.data.tables import DataError, as_label, column
from tutelage.distil.choice import FOLDS
from tutelage.fit.cost import duration
from tutelage.fit.defaults import pick_device
from tutelage.kinds.base import Files
from tutelage.kinds.entries import Entries, InTable
from tutelage.kinds.one_class import OneClass, require_two
from tutelage.modalities.base import Encodes
from tutelage.types import Say, Tick


@dataclass(frozen=True)
class Audited:
    """Rows that have a label and can be read.

    Attributes:
        file: path of the table or folder.
        kind: the kind of data.
        items: texts, images, or rows of numbers.
        rows: numbers of the rows in the file, from 1.
        labels: labels as given.
        names: for images that are files, their paths as in the table or folder; None for other items.
        truth: labels that are known to be right; None where unknown.
        left_out: number of rows that are left out, by reason.
    """

    file: str
    kind: OneClass
    items: Any
    rows: list[int]
    labels: list[str]
    names: list[str] | None
    truth: list[str | None]
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)


def read_audited(kind: OneClass, options: AuditOptions, say: Say) -> tuple[Audited, Encodes]:
    """The rows that are audited, and the reader that computes their features.

    Args:
        kind: the kind of data, with its options.
        options: options of the audit.
        say: called with sentences for the user, such as on rows that are left out.

    Raises:
        DataError: something is wrong with the user's file; the message names the file, row and column.
    """
    files = Files(options.train, charset=options.charset)
    kind.require_columns(files)
    kind = kind.settled(files, say, [] if options.truth is None else [options.truth])
    every = kind.entries(options.train, options.charset, say, weak=False)
    found, unread = kind.checked(every, say)
    reader = kind.reader(kind.size_of(found))
    assert isinstance(reader, Encodes)
    return _kept(kind, options, found, len(unread), say), reader


def features_of(audited: Audited, reader: Encodes, device: str, say: Say, tick: Tick) -> np.ndarray:
    """Features of all rows, (n, d), float32; those of an encoder come from the cache after the first time.

    Args:
        audited: the rows.
        reader: the reader from `read_audited`.
        device: device of the encoder: "auto", or a name that torch knows.
        say: called with sentences for the user.
        tick: called with what is being done, how many steps of it are done, and how many there are.
    """
    there = pick_device(device)
    reader.to(there)
    reader = reader.fitted(audited.items)
    encoding = reader.encoding([audited.items], cache_folder() / "features")
    if reader.encodes:
        count = encoding.missing
        about = f"{count} to encode, about {duration(encoding.seconds())}" if count else "all features are in the cache"
        say(f"Reading {len(audited)} {audited.kind.words.things} on {there}: {about}.")
    (found,) = encoding.features(there, tick)
    rows: np.ndarray = found.rows.cpu().numpy()
    return rows


def _kept(kind: OneClass, options: AuditOptions, found: Entries, unread: int, say: Say) -> Audited:
    """The rows that can be audited; the others are counted, and the user is told of them."""
    file, place = str(options.train), found.at("label")
    faults = kind.faults(found)
    why = [fault if label else "the label is empty" for label, fault in zip(found.labels, faults, strict=True)]
    keep = np.array([fault is None for fault in why], dtype=bool)
    left_out = dict(Counter(fault for fault in why if fault is not None))
    for fault, count in left_out.items():
        say(f"Left out: {count} of {len(why)} rows of {file}, where {fault}.")
    if unread:  # said already, with their places
        left_out["the image cannot be read"] = unread
    if not keep.any():
        raise DataError(f"{place}: every label is empty; there is nothing to audit")
    good = found.where(keep)
    rows = list(good.places.rows) if isinstance(good.places, InTable) else (np.flatnonzero(keep) + 1).tolist()
    truth: list[str | None] = [None] * len(good)
    if options.truth is not None and found.table is not None:
        cells = column(found.table, options.truth, file).tolist()
        truth = [as_label(cells[row - 1]) for row in rows]
        if not any(truth):
            raise DataError(f"{file}, column {options.truth!r}: every cell is empty; nothing to measure by")
    names = kind.file_names(good)
    labels = [str(label) for label in good.labels]
    audited = Audited(file, kind, good.items, rows, labels, names, truth, left_out)
    _require_classes(audited, good, say)
    return audited


def _require_classes(audited: Audited, good: Entries, say: Say) -> None:
    """Check that there are two classes, each with two rows; the user is told of classes with few rows.

    Raises:
        DataError: there is one class only, or a class has one row only.
    """
    names, first, counts = np.unique(audited.labels, return_index=True, return_counts=True)
    require_two(names.tolist(), good.at("label"))
    for name, i, count in zip(names.tolist(), first.tolist(), counts.tolist(), strict=True):
        if count == 1:
            where = good.at("label", i)
            raise DataError(f"{where}: class {name!r} has one row, which no other can judge; add one, or leave it out")
    few = [f"{name} ({count})" for name, count in zip(names.tolist(), counts.tolist(), strict=True) if count < FOLDS]
    if few:
        say(f"Little can be said of classes of so few rows: {', '.join(few)}.")
