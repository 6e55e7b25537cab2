"""From a table or a folder to what is audited: features, labels, and where each row is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tutelage.audit.request import AuditRequest
from tutelage.data.sources import cache_folder
from tutelage.data.tables import DataError, as_label, column, read_table
from tutelage.distil.choice import PARTS
from tutelage.fit import defaults
from tutelage.kinds.base import Say
from tutelage.kinds.classes import at, require_two
from tutelage.kinds.images import Checked, size_of
from tutelage.modalities import READERS
from tutelage.modalities.base import Encodes
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.images.networks import load_backbone
from tutelage.modalities.images.reader import ImageReader
from tutelage.modalities.images.tables import image_rows, read_image_folder
from tutelage.modalities.rows.tables import read_features
from tutelage.modalities.text.tables import text_fault, texts_of
from tutelage.run.options import Request
from tutelage.run.run import duration

Tick = Callable[[int, int], None]


@dataclass(frozen=True)
class Audited:
    """Rows that have a label and can be read.

    Attributes:
        file: the table or folder.
        kind: "text", "images" or "features".
        items: the texts, the images, or the rows of features.
        rows: their numbers in the file, from 1.
        labels: as given.
        names: of images that are files, their paths as the table or folder has them; of others None.
        truth: labels known to be right; None where unknown.
        left_out: how many rows are left out, by why.
    """

    file: str
    kind: str
    items: Sequence[Any] | np.ndarray
    rows: list[int]
    labels: list[str]
    names: list[str] | None
    truth: list[str | None]
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class _Found:
    """All rows that can be read, before those that cannot be audited are left out.

    ``faults`` are what is wrong with each, or None; ``unread`` counts the images that cannot be read.
    """

    items: Sequence[Any] | np.ndarray
    rows: list[int]
    labels: list[str | None]
    faults: list[str | None]
    table: pd.DataFrame | None
    names: list[str] | None = None
    unread: int = 0


def read_audited(request: AuditRequest, say: Say) -> tuple[Audited, Encodes | None]:
    """The rows, and the reader that sees them; None of features.

    Raises:
        DataError: something is wrong with the user's file; said with file, row and column.
    """
    reader: Encodes | None = None
    reading = request.reading()
    if reading is None:
        found = _features(request)
    elif request.kind == "text":
        found = _texts(request)
        reader = READERS["text"](load_encoder(reading.encoder or "minilm", reading.max_length))
    else:
        found, reader = _images(request, reading, say)
    return _kept(request, found, say), reader


def features_of(audited: Audited, reader: Encodes | None, device: str, say: Say, tick: Tick) -> np.ndarray:
    """The features of all rows, (n, d), float32; those of an encoder come from the cache after the first time."""
    if reader is None:
        return np.asarray(audited.items)
    items = list(audited.items)
    there, cache = defaults.pick_device(device), cache_folder() / "features"
    reader.to(there)
    count, seconds = reader.pending(items, cache)
    left = f"{count} to encode, about {duration(seconds)}" if count else "all features are in the cache"
    say(f"Reading {len(audited)} {'texts' if audited.kind == 'text' else 'images'} on {there}: {left}.")
    found: np.ndarray = reader.features(items, cache, there, tick).rows.cpu().numpy()
    return found


def _texts(request: AuditRequest) -> _Found:
    table = read_table(request.train, request.charset)
    found = texts_of(table, request.train, str(request.text), request.label)
    faults = [
        text_fault(text) and ("the text is too long" if text.strip() else "the text is empty") for text in found.texts
    ]
    return _Found(found.texts, found.rows, found.labels, faults, table)


def _images(request: AuditRequest, reading: Request, say: Say) -> tuple[_Found, Encodes]:
    if request.of_folder:
        table, found = None, read_image_folder(request.train)
    else:
        table = read_table(request.train, request.charset)
        found = image_rows(table, request.train, str(request.images), request.label)
    good, sizes = Checked(reading, say)(found)
    named = any(isinstance(source, str) for source in good.sources)
    names = ["" if name.startswith("row ") else name for name in good.names] if named else None
    unread = len(found) - len(good)
    reader = ImageReader(load_backbone(size_of(reading, sizes)[0]))
    return _Found(good.sources, good.rows, good.labels, [None] * len(good), table, names, unread), reader


def _features(request: AuditRequest) -> _Found:
    table = read_table(request.train, request.charset)
    labels = [as_label(v) for v in column(table, str(request.label), request.train)]
    x = read_features(table, str(request.features), request.train, (request.label, request.truth))
    return _Found(x, list(range(1, len(table) + 1)), labels, [None] * len(table), table)


def _kept(request: AuditRequest, found: _Found, say: Say) -> Audited:
    """The rows that can be audited; the others are counted and said."""
    file, place = str(request.train), at(request.train, request.label)
    why = [fault if label else "the label is empty" for label, fault in zip(found.labels, found.faults, strict=True)]
    keep = [i for i, fault in enumerate(why) if fault is None]
    left_out = dict(Counter(fault for fault in why if fault is not None))
    for fault, count in left_out.items():
        say(f"Left out: {count} of {len(why)} rows of {file}, where {fault}.")
    if found.unread:  # said already, with their places
        left_out["the image cannot be read"] = found.unread
    if not keep:
        raise DataError(f"{place}: every label is empty; there is nothing to audit")
    truth: list[str | None] = [None] * len(why)
    if request.truth is not None and found.table is not None:
        cells = column(found.table, request.truth, file).tolist()
        truth = [as_label(cells[row - 1]) for row in found.rows]
        if not any(truth):
            raise DataError(f"{at(file, request.truth)}: every cell is empty; nothing to measure by")
    items = found.items[keep] if isinstance(found.items, np.ndarray) else [found.items[i] for i in keep]
    audited = Audited(
        file, request.kind, items, [found.rows[i] for i in keep], [str(found.labels[i]) for i in keep],
        [found.names[i] for i in keep] if found.names else None, [truth[i] for i in keep], left_out,
    )  # fmt: skip
    _require_classes(audited, request.label, place, say)
    return audited


def _require_classes(audited: Audited, label: str | None, place: str, say: Say) -> None:
    """DataError where there is one class, or a class has one row; classes of few rows are said."""
    names, first, counts = np.unique(audited.labels, return_index=True, return_counts=True)
    require_two(names.tolist(), place)
    for name, i, count in zip(names.tolist(), first.tolist(), counts.tolist(), strict=True):
        if count == 1:
            where = at(audited.file, label, audited.rows[i])
            raise DataError(f"{where}: class {name!r} has one row, which no other can judge; add one, or leave it out")
    few = [f"{name} ({count})" for name, count in zip(names.tolist(), counts.tolist(), strict=True) if count < PARTS]
    if few:
        say(f"Little can be said of classes of so few rows: {', '.join(few)}.")
