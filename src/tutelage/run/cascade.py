"""The cascade of predict: what is foreseen of it is said, then the rows are answered and what remains is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.files import read_json
from tutelage.files.described import Asked
from tutelage.fit.abstention import promise
from tutelage.fit.cascade import FEWEST, Foreseen, foreseen
from tutelage.kinds.answers import beside_own
from tutelage.kinds.base import Kind
from tutelage.kinds.cascade import STUDENT, TEACHER, Answers, answers_in, by_student
from tutelage.kinds.reading import read_files
from tutelage.ops.checks import in_range
from tutelage.run.asking import FREE, NextOptions, files_of
from tutelage.run.cascade_endpoint import AtEndpoint, at_endpoint, within
from tutelage.run.cascade_options import CascadeOptions
from tutelage.run.finished import Finished
from tutelage.run.screen import Screen
from tutelage.tables import OF_CLASS, DataError, Notes, ReadAs, writable, write_table

LEFT = "ask.csv"
"""Name of the table of rows that nobody answered."""

MOST = 300
"""Labelled rows, at most, that an endpoint is asked about, drawn at random."""

OF_ENDPOINT = ("model", "describe", "key_from", "price", "mixed", "yes")
"""Options that an endpoint alone has."""

WIDTH = 20
"""Characters of the drawn curve."""


def require_cascade(
    asked: CascadeOptions, run: Finished, output: Path, abstain: float | None, others: bool
) -> Path:  # fmt: skip
    """Check the options of a cascade, before the work; returns the file for what remains.

    Args:
        asked: the options, with a cascade.
        run: the student.
        output: table that is written.
        abstain: promise of the student; None where none is given.
        others: whether options are given that a cascade does not go with.

    Raises:
        ValueError: an option is out of its range, or lacks another.
        FileExistsError: the file for what remains is there.
    """
    kind = run.kind
    if abstain is None:
        raise ValueError("--cascade needs --abstain, the share of wrong labels that the student may give, such as 0.05")
    if others:
        raise ValueError("--cascade answers a table as a whole: leave out --known, --resume, --engine and --workers")
    if not kind.abstains:
        raise ValueError(f"--cascade is for items of one class each, and {kind.words.things} have labels within")
    wrong = ("teacher", "teacher_label") if asked.of_endpoint else OF_ENDPOINT
    if given := asked.given(*wrong):
        other = "a table of answers" if asked.of_endpoint else "an endpoint, --cascade URL"
        raise ValueError(f"{given[0]} is for {other}, and --cascade names {asked.cascade}: leave it out")
    if asked.teacher is not None and asked.teacher_label is not None:
        raise ValueError("a cascade has one teacher: give --teacher or --teacher-label")
    if asked.budget is not None:
        in_range("--budget", asked.budget, 0)
    left = asked.ask or output.with_name(LEFT)
    writable(output)
    writable(left)
    if left.resolve() == output.resolve():
        raise ValueError(f"--ask and --output are one file, {output}; name another for what remains")
    if left.exists():
        raise FileExistsError(f"--ask {left} exists, and may hold labels: name another file, or remove it")
    return left


def cascade(
    run: Finished, asked: CascadeOptions, source: Path, output: Path, left: Path, abstain: float, how: ReadAs,
    screen: Screen,
) -> dict[str, Any]:  # fmt: skip
    """Answer a table by the student and the teacher, and return what was done as plain values.

    The rows that are left to the teacher are known before it is asked: an endpoint is told nothing before it is said
    how much that is, and what is foreseen is said before the first of these rows is asked about.

    Args:
        run: the student.
        asked: options of the cascade.
        source: table or folder of the items.
        output: table to write.
        left: table to write of what remains.
        abstain: largest share of wrong labels among those that the student gives.
        how: how files are read.
        screen: where what is foreseen is said.

    Raises:
        DataError: a file cannot be read or written.
        ValueError: nothing may be sent to an endpoint, or it cannot be asked as it is.
        ChatError: it does not answer; what it said before is kept.
    """
    kind, notes = run.kind, Notes(screen.say)
    with _teacher(run, asked, output, how, notes, screen) as teacher:
        with screen.ticking() as bar:
            promised = promise(run.model.held_out, abstain)
            found = by_student(kind, run.model, source, promised, how, notes, bar)
        at = teacher if isinstance(teacher, AtEndpoint) else None
        most = None if at is None else MOST
        items, numbers = _known(run, _plain_kind(run), most, bool(len(found.open)), screen)
        if at is not None:
            rest = [found.items[i] for i in found.open.tolist()]
            texts = [rest[i] for i in within(rest, asked.budget)]
            at.beforehand([items[i] for i in within(items, None)], texts, source, asked.yes)
        ahead = _foreseen(run, items, numbers, teacher, abstain)
        labelled = 0 if at is None else len(at.texts)
        for line in ahead.words():
            screen.say(line)
        if ahead.curve and not screen.quiet and not screen.as_json:
            screen.table(*drawn(ahead, None if at is None else at.cost()))
        found = found.with_teacher(teacher, run.model.classes, asked.budget)
    write_table(beside_own(found.table, found.added(), output, notes), output)
    remains = found.left(kind, source, left)
    if remains is not None:
        write_table(remains, left, new=True)
    for line in () if at is None else at.words(labelled):
        screen.say(line)
    counts = {name: int((found.by == name).sum()) for name in (STUDENT, TEACHER, "")}
    line = f"Of {len(found.by):,} rows the student answered {counts[STUDENT]:,} and the teacher {counts[TEACHER]:,}"
    rest_ = f"; {counts['']:,} remain for people: {left}" if counts[""] else ""
    return {
        "student": counts[STUDENT], "teacher": counts[TEACHER], "people": counts[""],
        "ask": str(left) if counts[""] else None, "foreseen": ahead.plain(),
        "asked": None if at is None else at.plain(labelled), "words": f"{line}: {output}{rest_}",
    }  # fmt: skip


@contextmanager
def _teacher(
    run: Finished, asked: CascadeOptions, output: Path, how: ReadAs, notes: Notes, screen: Screen
) -> Iterator[Answers]:  # fmt: skip
    """Context with the teacher that the options name: a table of answers, or an endpoint."""
    classes = run.model.classes
    if asked.of_endpoint:
        with at_endpoint(asked, run.kind, classes, output, screen) as teacher:
            yield teacher
        return
    prefix = None if asked.teacher_label else asked.teacher or OF_CLASS
    columns: dict[str, Any] = {"teacher": prefix, "teacher_label": asked.teacher_label, "label": None}
    yield answers_in(replace(_plain_kind(run), **columns), Path(str(asked.cascade)), classes, how, notes)


def _plain_kind(run: Finished) -> Kind:
    """The kind of a run without a teacher and rules."""
    kind: Any = run.kind
    own = (*FREE, "teacher", "teacher_label", "teacher_confidence")
    free: dict[str, Any] = {f.name: None for f in fields(kind) if f.name in own}
    found: Kind = replace(kind, **free)
    return found


def _known(
    run: Finished, kind: Kind, most: int | None, any_left: bool, screen: Screen
) -> tuple[list[Any], np.ndarray]:  # fmt: skip
    """Labelled items of the run that foresee how good the teacher is, and their numbers among its held-out labels.

    Args:
        run: the student.
        kind: its kind, without a teacher.
        most: number of them, at most, which are drawn; None takes all, also where they are too few to foresee anything.
        any_left: whether any row is left to the teacher; else nothing is to be foreseen.
        screen: where it is said why there are none.
    """
    labels = np.asarray(run.model.held_out.get("label", ()), dtype=np.int64)
    names = [str(run.model.classes[i]) for i in labels.tolist()]
    nobody: tuple[list[Any], np.ndarray] = [], np.empty(0, dtype=np.int64)
    if most is not None and not any_left:
        return nobody
    if most is not None and len(names) < FEWEST:
        screen.say(
            f"{run.folder} has {len(names)} held-out labels, and it takes {FEWEST} to foresee how good the teacher is: "
            "nothing is foreseen of it, and it is asked about no labelled row."
        )
        return nobody
    found = _labelled(run, kind, screen.say) if names else None
    if found is None:
        return nobody
    if found[1] != names:
        screen.say(
            f"The labels of {run.folder} are others than those it learnt by now: of the teacher nothing is foreseen."
        )
        return nobody
    numbers = np.arange(len(names))
    if most is not None and len(names) > most:
        numbers = np.sort(np.random.default_rng(0).permutation(len(names))[:most])
    return [found[0][i] for i in numbers.tolist()], numbers


def _foreseen(run: Finished, items: list[Any], numbers: np.ndarray, answers: Answers, abstain: float) -> Foreseen:
    """What is foreseen of a cascade, after the teacher was asked about labelled items.

    Args:
        run: the student.
        items: the labelled items.
        numbers: their numbers among the held-out labels.
        answers: the teacher.
        abstain: largest share of wrong labels among those that the student gives.
    """
    labels = np.asarray(run.model.held_out.get("label", ()), dtype=np.int64)
    right = np.full(len(labels), np.nan)
    if items:
        p = answers(items, None)
        spoken = ~np.isnan(p).any(1)
        right[numbers[spoken]] = p[spoken].argmax(1) == labels[numbers[spoken]]
    return foreseen(run.model.held_out, right, abstain)


def drawn(ahead: Foreseen, cost: float | None) -> tuple[list[str], list[list[str]]]:
    """The curve of accuracy over cost, as a table's header and its rows, with each interval drawn by signs.

    Args:
        ahead: what is foreseen, with a curve.
        cost: what a row costs; None where nobody knows.
    """
    low = np.floor(10 * min(step.accuracy.low for step in ahead.curve)) / 10
    high = np.ceil(10 * max(step.accuracy.high for step in ahead.curve)) / 10
    scale = f"{100 * low:.0f} %".ljust(WIDTH // 2) + f"{100 * high:.0f} %".rjust(WIDTH - WIDTH // 2)
    rows = []
    for step in ahead.curve:
        at = [round((WIDTH - 1) * (v - low) / (high - low)) for v in vars(step.accuracy).values()]
        line = "".join("o" if i == at[0] else "-" if at[1] <= i <= at[2] else " " for i in range(WIDTH))
        money = [] if cost is None else [f"{1000 * step.asked * cost:.4g}"]
        rows.append([
            f"{1000 * step.asked:.0f}", *money, *(f"{100 * v:.1f}" for v in vars(step.accuracy).values()), line
        ])  # fmt: skip
    costs = [] if cost is None else ["cost"]
    return ["asked of 1,000", *costs, "right, %", "at least", "at most", scale], rows


def _labelled(run: Finished, kind: Kind, say: Callable[[str], None]) -> tuple[list[Any], list[str]] | None:
    """Items and labels of the run, in the order in which it learnt them; None where they cannot be read."""
    try:
        files = replace(files_of(run, NextOptions(out=run.folder), say), test=None)
        evidence = bool(read_json(run.folder / "run.json", Asked).get("evidence", True))
        data = read_files(kind, replace(files, evidence=evidence), Notes())
    except (DataError, ValueError, OSError) as fault:
        say(f"The labels of {run.folder} cannot be read ({fault}): of the teacher nothing is foreseen.")
        return None
    names = [str(data.classes[i]) for i in np.asarray(data.items.y).tolist()]
    return [data.items.labelled[i] for i in range(len(names))], names
