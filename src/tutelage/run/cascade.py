"""The cascade of predict: what is foreseen of it is said, then the rows are answered and what remains is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.files import read_json
from tutelage.files.described import Asked
from tutelage.fit.cascade import Foreseen, foreseen
from tutelage.kinds.answers import beside_own
from tutelage.kinds.base import Kind
from tutelage.kinds.cascade import STUDENT, TEACHER, Answers, answers_in, cascaded
from tutelage.kinds.reading import read_files
from tutelage.ops.checks import in_range
from tutelage.run.asking import FREE, NextOptions, files_of
from tutelage.run.cascade_options import CascadeOptions
from tutelage.run.finished import Finished
from tutelage.run.screen import Screen
from tutelage.tables import DataError, Notes, ReadAs, writable, write_table
from tutelage.types import Tick

LEFT = "ask.csv"
"""Name of the table of rows that nobody answered."""


def require_cascade(asked: CascadeOptions, kind: Kind, output: Path, abstain: float | None, others: bool) -> Path:
    """Check the options of a cascade, before the work; returns the file for what remains.

    Args:
        asked: the options, with a cascade.
        kind: kind of the run.
        output: table that is written.
        abstain: promise of the student; None where none is given.
        others: whether options are given that a cascade does not go with.

    Raises:
        ValueError: an option is out of its range, or lacks another.
        FileExistsError: the file for what remains is there.
    """
    if abstain is None:
        raise ValueError("--cascade needs --abstain, the share of wrong labels that the student may give, such as 0.05")
    if others:
        raise ValueError("--cascade answers a table as a whole: leave out --known, --resume, --engine and --workers")
    if not kind.abstains:
        raise ValueError(f"--cascade is for items of one class each, and {kind.words.things} have labels within")
    if str(asked.cascade).startswith(("http:/", "https:/")):
        raise ValueError("--cascade takes a table of answers; of an endpoint tutelage annotate writes one: name that")
    if asked.teacher is not None and asked.teacher_label is not None:
        raise ValueError("a cascade has one teacher: give --teacher or --teacher-label")
    if asked.budget is not None:
        in_range("--budget", asked.budget, 0)
    left = asked.ask or output.with_name(LEFT)
    writable(left)
    if left.resolve() == output.resolve():
        raise ValueError(f"--ask and --output are one file, {output}; name another for what remains")
    if left.exists():
        raise FileExistsError(f"--ask {left} exists, and may hold labels: name another file, or remove it")
    return left


def cascade(
    run: Finished, asked: CascadeOptions, source: Path, output: Path, left: Path, abstain: float, how: ReadAs,
    screen: Screen, tick: Tick,
) -> dict[str, Any]:  # fmt: skip
    """Answer a table by the student and the teacher, and return what was done as plain values.

    Args:
        run: the student.
        asked: options of the cascade.
        source: table or folder of the items.
        output: table to write.
        left: table to write of what remains.
        abstain: largest share of wrong labels among those that the student gives.
        how: how files are read.
        screen: where what is foreseen is said, before the rows are answered.
        tick: called with the progress.

    Raises:
        DataError: a file cannot be read or written.
    """
    kind: Any = run.kind
    free: dict[str, Any] = {f.name: None for f in fields(kind) if f.name in (*FREE, "teacher_confidence")}
    prefix = None if asked.teacher_label else asked.teacher or "p_"
    taught = replace(kind, **free | {"teacher": prefix, "teacher_label": asked.teacher_label, "label": None})
    assert asked.cascade is not None
    notes = Notes(screen.say)
    answers = answers_in(taught, asked.cascade, run.model.classes, how, notes)
    ahead = _foreseen(run, replace(kind, **free | {"teacher": None, "teacher_label": None}), answers, abstain, screen)
    for line in ahead.words():
        screen.say(line)
    if ahead.curve and not screen.quiet and not screen.as_json:
        rows = [
            [f"{1000 * step.asked:.0f}", *(f"{100 * v:.1f}" for v in vars(step.accuracy).values())]
            for step in ahead.curve
        ]
        screen.table(("asked of 1,000 rows", "right, %", "at least", "at most"), rows)
    found = cascaded(kind, run.model, source, answers, ahead.promised, asked.budget, how, notes, tick)
    write_table(beside_own(found.table, found.added(), output, notes), output)
    remains = found.left(kind, source, left)
    if remains is not None:
        write_table(remains, left, new=True)
    counts = {name: int((found.by == name).sum()) for name in (STUDENT, TEACHER, "")}
    line = f"Of {len(found.by):,} rows the student answered {counts[STUDENT]:,} and the teacher {counts[TEACHER]:,}"
    rest = f"; {counts['']:,} remain for people: {left}" if counts[""] else ""
    return {
        "student": counts[STUDENT], "teacher": counts[TEACHER], "people": counts[""],
        "ask": str(left) if counts[""] else None, "foreseen": ahead.plain(), "words": f"{line}: {output}{rest}",
    }  # fmt: skip


def _foreseen(run: Finished, kind: Kind, answers: Answers, abstain: float, screen: Screen) -> Foreseen:
    """What is foreseen by the labels of the run; of the teacher nothing, where these cannot be found again."""
    held_out, say = run.model.held_out, screen.say
    labels = np.asarray(held_out.get("label", ()), dtype=np.int64)
    right = np.full(len(labels), np.nan)
    names = [str(run.model.classes[i]) for i in labels.tolist()]
    found = _labelled(run, kind, say) if names else None
    if found is not None and found[1] == names:
        p = answers(found[0], None)
        spoken = ~np.isnan(p).any(1)
        right[spoken] = p[spoken].argmax(1) == labels[spoken]
    elif found is not None:
        say(f"The labels of {run.folder} are others than those it learnt by now: of the teacher nothing is foreseen.")
    return foreseen(held_out, right, abstain)


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
