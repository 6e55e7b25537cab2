"""Reading of a table or a folder into the rows that are audited, and their features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tutelage.audit.request import AuditOptions
from tutelage.data.sources import cache_folder
from tutelage.distil.choice import FOLDS
from tutelage.fit.defaults import pick_device
from tutelage.kinds.class_labels import require_two
from tutelage.kinds.dataset import Files
from tutelage.kinds.entries import SCORED, Entries, InTable
from tutelage.kinds.odd_labels import ask_of_classes
from tutelage.kinds.one_class import OneClass
from tutelage.kinds.one_vote import own_groups, with_groups
from tutelage.modalities.base import Encodes
from tutelage.ops.durations import duration
from tutelage.tables import DataError, Notes, as_label, column
from tutelage.tables.label_cells import some
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
        groups: number of each row's group, (n,), such as its author; None where none was asked.
    """

    file: str
    kind: OneClass
    items: Any
    rows: list[int]
    labels: list[str]
    names: list[str] | None
    truth: list[str | None]
    left_out: dict[str, int] = field(default_factory=dict)
    groups: np.ndarray | None = None

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
    files = Files(options.train, how=options)
    kind.require_columns(files)
    notes = Notes(say)
    kind = kind.settled(files, notes, [] if options.truth is None else [options.truth])
    every = with_groups(kind, kind.entries(options.train, options, notes, SCORED), options.train, options)
    every, _, _ = kind.settled_labels(every, None, None, notes)
    if not kind.classes:
        ask_of_classes(kind, Counter(label for label in every.labels if label is not None), every, notes)
    notes.settle()
    found, unread = kind.checked(every, notes)
    notes.settle()
    reader = kind.reader(kind.size_of(found))
    assert isinstance(reader, Encodes)
    in_file = list(every.places.rows) if isinstance(every.places, InTable) else []
    return _kept(kind, options, found, len(unread), say, in_file), reader


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


def _kept(
    kind: OneClass, options: AuditOptions, found: Entries, unread: int, say: Say, every: Sequence[int]
) -> Audited:
    """The rows that can be audited; the others are counted, and the user is told of them.

    Args:
        kind: the kind of data.
        options: options of the audit.
        found: rows that can be read.
        unread: number of the others.
        say: called with sentences for the user.
        every: number in the file of each row of the table.
    """
    file, place = str(options.train), found.at("label")
    faults = kind.faults(found)
    why = _why_not(found.labels, faults)
    keep = np.array([fault is None for fault in why], dtype=bool)
    left_out = dict(Counter(fault for fault in why if fault is not None))
    for fault, count in left_out.items():
        say(f"Left out: {count} of {len(why)} rows of {file}, where {fault}.")
    if unread:  # said already, with their places
        left_out["the image cannot be read"] = unread
    if not found.known.any():
        raise DataError(f"{place}: every label is empty; there is nothing to audit")
    if not keep.any():
        raise DataError(f"{place}: no row is left to audit; left out: {'; '.join(left_out)}")
    good = found.where(keep)
    rows = list(good.places.rows) if isinstance(good.places, InTable) else (np.flatnonzero(keep) + 1).tolist()
    truth: list[str | None] = [None] * len(good)
    if options.truth is not None and found.table is not None:
        cells = dict(zip(every, column(found.table, options.truth, file), strict=True))
        truth = [as_label(cells[row]) for row in rows]
        if not any(truth):
            raise DataError(f"{file}, column {options.truth!r}: every cell is empty; nothing to measure by")
    names = kind.file_names(good)
    labels = [str(label) for label in good.labels]
    groups = own_groups(good.group, len(good)) if len(good.group) else None
    audited = Audited(file, kind, good.items, rows, labels, names, truth, left_out, groups)
    _require_classes(audited, good, say)
    return audited


def _why_not(labels: Sequence[str | None], faults: Sequence[str | None]) -> list[str | None]:
    """Why each row cannot be audited; None for a row that can. Another row of its class is needed to judge a row."""
    why = [fault if label else "the label is empty" for label, fault in zip(labels, faults, strict=True)]
    counts = Counter(label for label, fault in zip(labels, why, strict=True) if fault is None)
    lonely = sorted(str(label) for label, count in counts.items() if count == 1)
    alone = f"no other row has the class ({some(lonely)})"
    return [alone if fault is None and counts[label] == 1 else fault for label, fault in zip(labels, why, strict=True)]


def _require_classes(audited: Audited, good: Entries, say: Say) -> None:
    """Check that there are two classes; the user is told of classes with few rows.

    Raises:
        DataError: there is one class only.
    """
    names, counts = np.unique(audited.labels, return_counts=True)
    require_two(names.tolist(), good.at("label"))
    few = [f"{name} ({count})" for name, count in zip(names.tolist(), counts.tolist(), strict=True) if count < FOLDS]
    if few:
        say(f"Little can be said of classes of so few rows: {', '.join(few)}.")
