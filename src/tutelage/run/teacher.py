"""The command that says how good a teacher is, before anything is trained on what it said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from cyclopts import Parameter

from tutelage.annotate.annotator import said_beside
from tutelage.data.sources import cache_folder
from tutelage.fit.described import DESCRIBED, described_head, sentences_of
from tutelage.kinds import KINDS
from tutelage.kinds.class_labels import labels_of_cells
from tutelage.kinds.entries import Entries, InTable, one_after_other
from tutelage.kinds.teachers import classes_of, described_in_order, warn_of_labels
from tutelage.modalities.base import Encodes, features
from tutelage.ops.agreement import Agreement
from tutelage.ops.checks import in_range
from tutelage.run.account import account, in_words
from tutelage.run.gate import Gate, judged
from tutelage.run.reading import Reading
from tutelage.run.screen import Screen
from tutelage.run.spent import Point, price_of_a_point, spent_on
from tutelage.tables import USUAL, DataError, Notes, ReadAs, column, writable, write_table
from tutelage.tables.name_lists import listed_names
from tutelage.types import Say, Tick
from tutelage.weak import Source, combine

PREFIX = "p_"
"""Prefix of the columns of a teacher's probabilities where no option names a teacher."""

SEVERAL = Parameter(consume_multiple=True)
"""How an option is read that takes several words behind it."""

TOGETHER = "all together"
"""Name of all teachers together."""


@dataclass(frozen=True)
class Heard:
    """What was read of teachers, on n rows.

    Attributes:
        classes: names of the classes.
        y: class numbers of the rows, (n,); -1 is unknown.
        sources: what each teacher said of the rows.
        people: class numbers of the rows by each of several people, (n,) each, by the name of the column; -1 is none.
        table: the table that was read; None where it is none.
    """

    classes: list[str]
    y: np.ndarray
    sources: list[Source]
    people: Mapping[str, np.ndarray] = field(default_factory=dict)
    table: pd.DataFrame | None = None


def teacher(
    table: Path, *, label: str | None = None, teacher: str | None = None, teacher_label: str | None = None,
    teacher_confidence: str | None = None, describe: Path | None = None, teacher_run: Path | None = None,
    text: str | None = None, encoder: str | None = None, max_length: int = 128,
    classes: tuple[str, ...] = (), unlabelled_as: tuple[str, ...] = (), spelling: str = "fold",
    humans: tuple[str, ...] = (), gate: float | None = None, out: Path | None = None,
    runs: Annotated[tuple[Path, ...], SEVERAL] = (), spent: Annotated[tuple[str, ...], SEVERAL] = (),
    json: bool = False, how: Reading = None,
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
        humans: columns of people's labels, separated by commas, with whom the teacher is compared label by label; the
            first of them stands for --label where that is not given.
        gate: least kappa of teacher and people at which a label may be learnt from the teacher, such as 0.6.
        out: table to write, in which the teacher is silent on rows of which it says a label below the gate.
        runs: folders of the runs before and after the teacher's answers: what a point of accuracy cost.
        spent: what the answers cost: a number, or files of what tutelage annotate --json printed.
        json: print JSON.
    """
    in_range("max_length", max_length, 2)
    people = listed_names(humans)
    if teacher_label in people or teacher_confidence in people:
        raise ValueError("--humans names a column of the teacher itself; name those of people")
    _require_gate(people, gate, out, how or USUAL, table)
    _require_runs(runs, spent)
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
        heard = hear(kind, table, how or USUAL, notes, bar, people)
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
    gates = [judged(source, heard.people, heard.classes, gate) for source in sources] if people else []
    point = _point(heard, runs, spent)
    if out is not None:
        silenced = _silenced(kind, heard, gates[: len(heard.sources)], table)
        write_table(silenced, out, new=True)
    last = [] if point is None else point.words()
    last += [] if out is None else [f"{out} is {table} with the teacher silent there: fit it in place of {table}."]
    if json:
        told = [each | ({"gate": gates[i].plain()} if people else {}) for i, each in enumerate(found)]
        more = ({} if out is None else {"out": str(out)}) | ({} if point is None else {"point": point.plain()})
        screen.json({"classes": heard.classes, "teachers": told} | more)
        return
    for each, gate_of in zip_longest(found, gates):
        _show(each, screen)
        _show_gate(gate_of, screen)
    for line in last:
        screen.say(line)


def _require_runs(runs: Sequence[Path], spent: Sequence[str]) -> None:
    """Check that the runs before and after a teacher's answers are two, or that nothing is told of them.

    Raises:
        ValueError: they are not, or what was spent is told without them.
    """
    if len(runs) not in (0, 2):
        raise ValueError(f"--runs must be two, that before the teacher's answers and that after them, got {len(runs)}")
    if spent and not runs:
        raise ValueError("--spent needs --runs, the folders of the runs before and after the teacher's answers")


def _point(heard: Heard, runs: Sequence[Path], spent: Sequence[str]) -> Point | None:
    """What a point of accuracy cost; None where no runs are named."""
    if not runs:
        return None
    answered = int(np.any([each.covered for each in heard.sources], axis=0).sum())
    return price_of_a_point(runs[0], runs[1], spent_on(answered, spent))


def _require_gate(people: Sequence[str], gate: float | None, out: Path | None, how: ReadAs, table: Path) -> None:
    """Check the options of the gate, before the work.

    Raises:
        ValueError: one needs another, or is out of its range.
        FileExistsError: the table to write is there.
    """
    if gate is not None:
        in_range("--gate", gate, -1, 1)
    if not people:
        for name, value in (("--gate", gate), ("--out", out)):
            if value is not None:
                raise ValueError(f"{name} needs --humans, the columns of people's labels, such as h1,h2")
        return
    if len(set(people)) < len(people):
        raise ValueError(f"--humans must name each column once, got {','.join(people)}")
    if how.skip_bad:
        raise ValueError("--humans compares people row by row: leave out --skip-bad, and mend the rows")
    if out is None:
        return
    if gate is None:
        raise ValueError("--out needs --gate, the least kappa at which a label may be learnt, such as 0.6")
    if out.resolve() == table.resolve():
        raise ValueError(f"--out would overwrite {table}; name another file")
    writable(out)
    if out.exists():
        raise FileExistsError(f"--out {out} exists: name another file, or remove it")


def _silenced(kind: Any, heard: Heard, gates: Sequence[Gate], path: Path) -> pd.DataFrame:
    """The table whose teachers are silent where they say a label that is below the gate.

    Raises:
        ValueError: a teacher has no columns to empty.
        DataError: no label passes.
    """
    if kind.describe is not None or kind.teacher_run is not None or heard.table is None:
        raise ValueError(
            "--out empties the columns of a teacher, and --describe and --teacher-run have none: leave them out, or "
            "write what they say as columns p_CLASS first"
        )
    table = heard.table.copy()
    label = said_beside(kind.teacher) if kind.teacher else ""  # what annotate writes beside the probabilities
    prefixed = [c for c in table.columns if kind.teacher and (str(c).startswith(kind.teacher) or c == label)]
    own = {c for c in (kind.teacher_label, kind.teacher_confidence) if c is not None}
    columns = [[c for c in prefixed if c not in own]] * bool(kind.teacher) + [sorted(own)] * bool(own)
    for gate, names in zip(gates, columns, strict=True):
        if not any(each.passes for each in gate.labels):
            raise DataError(
                f"{path}: no label of teacher {gate.name!r} passes the gate, so that nothing of it is to be learnt; no "
                "table is written"
            )
        for name in names:
            table[name] = table[name].astype(object).mask(gate.refused, None)
    return table


def hear(kind: Any, path: Path, how: ReadAs, notes: Notes, tick: Tick, people: Sequence[str] = ()) -> Heard:
    """What teachers said of the rows of a table.

    Args:
        kind: kind of texts, whose options name the teachers.
        path: the table.
        how: how files are read.
        notes: takes what is noticed.
        tick: called with the progress of the encoding.
        people: columns of people's labels; the first of them stands for the labels where the kind names none.

    Raises:
        DataError: the table or a teacher cannot be read; the message names file, row and column.
    """
    if people and kind.label is None:
        notes.say(f"Accuracy is beside the labels of {people[0]}.")
        kind = replace(kind, label=people[0])
    made = kind.entries(path, how, notes)
    rated = [_by_person(made, name, path, how, notes) for name in people]
    notes.settle()
    found, by_people, _ = kind.settled_labels(made, reduce(one_after_other, rated) if rated else None, None, notes)
    notes.settle()
    labels, texts, said, described = found.labels, list(found.items), found.said, kind.descriptions
    theirs = [] if by_people is None else by_people.labels
    classes = list(kind.classes) or classes_of(
        [*labels, *theirs], [*(name for each in said for name in each.labels()), *(described or ())]
    )
    if len(classes) < 2:
        raise DataError(f"{path}: only one class, {(*classes, '')[0]!r}; two are needed")
    numbers = {label: i for i, label in enumerate(classes)}
    y, y_of_people = (
        np.array([-1 if label is None else numbers[label] for label in each], dtype=np.int64)
        for each in (labels, theirs)
    )
    sources = [each.source(classes) for each in said]
    for each in said:
        if not each.covered.any():
            raise DataError(f"{path}: teacher {each.name!r} is silent on every row")
        if getattr(each, "learnt", None) is None:
            warn_of_labels(each, y, classes)
    if described is not None:
        sources.append(_by_descriptions(kind, described_in_order(described, classes, str(path)), texts, notes, tick))
    ratings = dict(zip(people, y_of_people.reshape(len(people), len(y)), strict=True))
    return Heard(classes, y, sources, ratings, found.table)


def _by_person(made: Entries, name: str, path: Path, how: ReadAs, notes: Notes) -> Entries:
    """The entries with the labels in a person's column in place of their own."""
    assert made.table is not None and isinstance(made.places, InTable)
    cells = list(column(made.table, name, path))
    places = replace(made.places, columns=dict(made.places.columns) | {"label": name})
    labels, _ = labels_of_cells(cells, lambda i: places.at("label", i), notes, how.skip_bad)
    return replace(made, labels=labels, places=places, said=(), votes=None)


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


def _show_gate(gate: Gate | None, screen: Screen) -> None:
    """Print on which labels a teacher and people agree, and which may be learnt; nothing without people."""
    if gate is None:
        return
    rows = [
        [each.label, *(_agreed(by) for by in (each.people, each.teacher)), str(each.teacher.items), *each.verdict(gate)]
        for each in gate.labels
    ]
    header = ("label", "kappa: people", "kappa: teacher", "rows")
    screen.table(header if gate.least is None else (*header, f"gate {gate.least:g}"), rows)
    for line in gate.words():
        screen.say(line)


def _agreed(found: Agreement) -> str:
    return "" if found.kappa is None else f"{found.kappa:.2f} ({_number(found.low)} to {_number(found.high)})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
