"""The command that says how good a teacher is, before anything is trained on what it said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.data.sources import cache_folder
from tutelage.fit.described import DESCRIBED, described_head, sentences_of
from tutelage.kinds import KINDS
from tutelage.kinds.teachers import classes_of, described_in_order, warn_of_labels
from tutelage.modalities.base import Encodes, features
from tutelage.ops.checks import in_range
from tutelage.run.account import account, in_words
from tutelage.run.reading import Reading
from tutelage.run.screen import Screen
from tutelage.tables import (
    USUAL,
    DataError,
    Notes,
    ReadAs,
)
from tutelage.types import Say, Tick
from tutelage.weak import Source, combine

PREFIX = "p_"
"""Prefix of the columns of a teacher's probabilities where no option names a teacher."""

TOGETHER = "all together"
"""Name of all teachers together."""


@dataclass(frozen=True)
class Heard:
    """What was read of teachers, on n rows.

    Attributes:
        classes: names of the classes.
        y: class numbers of the rows, (n,); -1 is unknown.
        sources: what each teacher said of the rows.
    """

    classes: list[str]
    y: np.ndarray
    sources: list[Source]


def teacher(
    table: Path, *, label: str | None = None, teacher: str | None = None, teacher_label: str | None = None,
    teacher_confidence: str | None = None, describe: Path | None = None, teacher_run: Path | None = None,
    text: str | None = None, encoder: str | None = None, max_length: int = 128,
    classes: tuple[str, ...] = (), unlabelled_as: tuple[str, ...] = (), spelling: str = "fold", json: bool = False,
    how: Reading = None,
) -> None:  # fmt: skip
    """Say how good a teacher is on a table with some labels, before anything is trained.

    Args:
        table: table, as tutelage fit reads it.
        label: column of the labels; empty means unlabelled.
        teacher: prefix of columns of a teacher's probabilities; p_ where no option names a teacher.
        teacher_label: column of a teacher's labels; empty is silent.
        teacher_confidence: column of its confidence in each of them.
        describe: file of descriptions, JSON or TOML: a name or sentences for each class; needs --text.
        teacher_run: folder of a finished run, whose model labels the texts; needs --text.
        text: column of the texts.
        encoder: encoder of the texts for --describe: "minilm", a folder, or a name on the Hub.
        max_length: tokens read of each text, at least 2.
        classes: names of the classes, separated by commas; any other label is then an error.
        unlabelled_as: labels that mean that there is no label.
        spelling: "fold" takes labels for one class that differ by case, blanks or unseen characters alone; "as-is" does
            not.
        json: print JSON.
    """
    in_range("max_length", max_length, 2)
    texts: Any = KINDS["texts"]
    kind = texts(
        text=text, label=label, teacher=teacher, teacher_label=teacher_label, teacher_confidence=teacher_confidence,
        describe=describe, teacher_run=teacher_run, encoder=encoder, max_length=max_length, classes=classes,
        unlabelled_as=unlabelled_as, spelling=spelling,
    )  # fmt: skip
    kind = kind if kind.taught else replace(kind, teacher=PREFIX)
    if text is None and (describe is not None or teacher_run is not None):
        raise ValueError("--text must be given: the column of the texts that --describe and --teacher-run read")
    screen = Screen()
    notes = Notes(None if json else screen.say)
    with screen.ticking() as bar:
        heard = hear(kind, table, how or USUAL, notes, bar)
    sources = heard.sources
    if len(sources) > 1:
        sources = [*sources, Source(TOGETHER, combine(sources).probabilities)]
    found = []
    for source in sources:
        y, known = heard.y, heard.y >= 0
        if source.learnt is not None and (count := int((source.learnt & known).sum())):
            notes.say(f"Teacher {source.name!r} learnt {count} of the {known.sum()} labels; these rows are left out.")
            y = np.where(source.learnt, -1, y)
        found.append(account(source, y, heard.classes))
    if json:
        screen.json({"classes": heard.classes, "teachers": found})
        return
    for each in found:
        _show(each, screen)


def hear(kind: Any, path: Path, how: ReadAs, notes: Notes, tick: Tick) -> Heard:
    """What teachers said of the rows of a table.

    Args:
        kind: kind of texts, whose options name the teachers.
        path: the table.
        how: how files are read.
        notes: takes what is noticed.
        tick: called with the progress of the encoding.

    Raises:
        DataError: the table or a teacher cannot be read; the message names file, row and column.
    """
    made = kind.entries(path, how, notes)
    notes.settle()
    found, _, _ = kind.settled_labels(made, None, None, notes)
    notes.settle()
    labels, texts, said, described = found.labels, list(found.items), found.said, kind.descriptions
    classes = list(kind.classes) or classes_of(
        labels, [*(name for each in said for name in each.labels()), *(described or ())]
    )
    if len(classes) < 2:
        raise DataError(f"{path}: only one class, {(*classes, '')[0]!r}; two are needed")
    numbers = {label: i for i, label in enumerate(classes)}
    y = np.array([-1 if label is None else numbers[label] for label in labels], dtype=np.int64)
    sources = [each.source(classes) for each in said]
    for each in said:
        if not each.covered.any():
            raise DataError(f"{path}: teacher {each.name!r} is silent on every row")
        if getattr(each, "learnt", None) is None:
            warn_of_labels(each, y, classes)
    if described is not None:
        sources.append(_by_descriptions(kind, described_in_order(described, classes, str(path)), texts, notes, tick))
    return Heard(classes, y, sources)


def _by_descriptions(kind: Any, described: list[Any], texts: list[str], say: Say, tick: Tick) -> Source:
    """What descriptions say of texts, by the frozen encoder; an empty text is not spoken of."""
    reader = kind.reader()
    assert isinstance(reader, Encodes)
    reader = reader.fitted([text for text in texts if text.strip()])
    say(f"Reading with {reader.says}: {len(texts):,} texts.")
    sentences, which = sentences_of(described)
    cache = cache_folder() / "features"
    rows = features(reader, texts, cache, tick=tick).rows
    good = np.array([bool(text.strip()) for text in texts])
    head = described_head(features(reader, sentences, cache).rows, which, rows[good])
    p = head(rows).detach().double().softmax(-1).numpy()
    p[~good] = np.nan
    return Source(DESCRIBED, p)


def _show(found: dict[str, Any], screen: Screen) -> None:
    """Print an account: sentences, a table of the classes and one of the calibration."""
    for line in in_words(found):
        screen.say(line)
    if "commonest" not in found:
        return
    rows = [
        [
            row["class"],
            str(row["labels"]),
            str(row["said"]),
            *(_number(row[k]) for k in ("recall", "precision", "kappa")),
        ]
        for row in found["by_class"]
        if row["labels"] or row["said"]
    ]
    screen.table(("class", "labels", "said", "recall", "precision", "kappa"), rows)
    bins = [
        [f"{bin_['probability']:.2f}", f"{bin_['right']:.2f}", str(bin_["count"])]
        for bin_ in found["calibration"]["bins"]
    ]
    screen.table(("says, on average", "right", "labels"), bins)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
