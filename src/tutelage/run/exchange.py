"""The command exchange: a table as a file of an annotation tool, and a tool's file as a table of answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from tutelage.exchange import FORMATS, Question, Record, Suggestion
from tutelage.files import clear_parts, written
from tutelage.kinds import KINDS
from tutelage.kinds.base import Kind
from tutelage.kinds.exchanged_tables import items_of, way_of
from tutelage.ops.checks import one_of
from tutelage.run.commands import KIND, options_of, refuse_other_kinds, values_of
from tutelage.run.examples import example
from tutelage.run.labelled_elsewhere import imported
from tutelage.run.screen import Json, Quiet, SafeCells, Screen
from tutelage.run.words import kind_of
from tutelage.tables import DataError, Notes, ReadAs, formulas
from tutelage.tables.cells import brief
from tutelage.tables.exports.made import many


@dataclass(frozen=True, kw_only=True)
class ExchangeOptions(ReadAs):
    """Options of `tutelage exchange` that do not depend on the kind of data.

    Args:
        out: file to write, which must not be there: with --to the tool's, else a table.
        to: tool whose file is written: label-studio, argilla, doccano or prodigy.
        table: table that the items of a tool's file came from; its columns and the order of its rows are kept.
        question: control, question or column of the labels in a tool's file, where it has several.
        guesses: whether the column guess becomes suggestions, which the tool shows.
    """

    out: Path
    to: str | None = None
    table: Path | None = None
    question: str | None = None
    guesses: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.to is not None:
            one_of("--to", self.to, tuple(FORMATS))
            if self.table is not None or self.question is not None:
                option = "--table" if self.table is not None else "--question"
                raise ValueError(
                    f"{option} is for a tool's file that is read, and --to writes one; leave out one of the two"
                )


def add_exchange(app: App, words: Sequence[str], screen: Screen) -> None:
    """Add the command, with the options of the kind of data that the words tell.

    Args:
        app: app that gets the command.
        words: words of the command line, after the command's name.
        screen: where the command prints.
    """
    name = kind_of(words)
    kind_class = KINDS[name]
    own = options_of(kind_class, (*kind_class.item_columns, *kind_class.label_columns, "classes", "offsets"))
    refuse_other_kinds(name, words, (own, ExchangeOptions))

    def exchange(
        file: Path, options: Any = None, of_kind: Any = None, *, kind: str = name, json: Json = False,
        quiet: Quiet = False, safe_cells: SafeCells = False,
    ) -> None:  # fmt: skip
        screen.speak(json, quiet)
        asked = ExchangeOptions(**values_of(options))
        made = KINDS[name](**values_of(of_kind))
        notes = Notes(screen.say)
        _require_new(asked.out)
        if asked.to is None:
            with formulas.safe_cells(safe_cells):
                lines, facts = imported(file, made, asked, notes)
        else:
            lines, facts = exported(file, made, asked, notes)
        if json:
            screen.json({"command": "exchange", "out": str(asked.out), **facts, "words": lines})
            return
        for line in lines:
            screen.say(line)

    exchange.__annotations__ = {
        "file": Path,
        "options": Annotated[options_of(ExchangeOptions), Parameter(name="*", group="Options")],
        "of_kind": Annotated[own | None, Parameter(name="*", group=f"Options of --kind {name}")],
        "kind": Annotated[str, KIND],
        "json": Json,
        "quiet": Quiet,
        "safe_cells": SafeCells,
        "return": None,
    }
    exchange.__doc__ = (
        "Write a table for Label Studio, Argilla, doccano or Prodigy, or read what was labelled there.\n\n"
        "With --to a table, such as tutelage next writes, becomes a file that the tool takes in. Without it a tool's "
        "file, known by what it holds, becomes a table for tutelage fit --answers.\n\n"
        "Args:\n    file: the table, or the tool's file.\n"
        f"    kind: {', '.join(KINDS)}; may be left out where columns tell."
    )
    app.command(exchange, name="exchange", help_epilogue=example("exchange"))


def _require_new(out: Path) -> None:
    if out.exists():
        raise FileExistsError(f"--out {out} exists, and may hold labels: name another file, or remove it")
    if not out.parent.is_dir():
        raise DataError(f"{out.parent}: no such folder")


def exported(file: Path, kind: Kind, asked: ExchangeOptions, notes: Notes) -> tuple[list[str], dict[str, Any]]:
    """Write a table for a tool, and the tool's settings beside it.

    Args:
        file: the table.
        kind: kind of its items.
        asked: options of the command.
        notes: takes what is noticed.

    Returns:
        Sentences on what was written, and the same as plain values.

    Raises:
        DataError: the table cannot be read, or no class is known.
        FileExistsError: a file to write is there.
    """
    tool = FORMATS[str(asked.to)]
    if asked.out.suffix.lower() != tool.ending:
        raise ValueError(f"--out must end in {tool.ending}, as files that {tool.title} takes in, got {asked.out}")
    beside = asked.out.with_suffix(tool.beside)
    _require_new(beside)
    way = way_of(kind)
    items = items_of(file, kind, asked, notes, asked.guesses)
    classes = getattr(kind, "classes", None) or ()
    names = [name.strip() for name in classes.split(",")] if isinstance(classes, str) else classes
    records = _without_nobody(items.records) if tool.needs_people else items.records
    question = Question.of(records, names, way.spans)
    if not question.names:
        raise DataError(
            f"{file}: no row has a label or a guess, so that the tool has nothing to choose from; name the "
            f"{kind.words.classes} by --classes a,b"
        )
    clear_parts(asked.out.parent, asked.out.name)
    with written(beside, new=True) as part:
        part.write_text(tool.settings(question), encoding="utf-8")
    try:
        tool.write(records, asked.out, question, notes)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    guessed = sum(record.suggestion is not None for record in records)
    labelled = sum(bool(record.answers) for record in records)
    more = [f"{labelled:,} with the label that they have"] * bool(labelled)
    more += [f"{guessed:,} with a suggestion"] * bool(guessed)
    listed = f" ({', '.join(more)})" if more else ""
    lines = [
        f"{many(len(records), kind.words.thing, kind.words.things)} for {tool.title} are in {asked.out}"
        f"{listed}; {beside} holds its settings, with the "
        f"{kind.words.classes} {brief(', '.join(question.names))}.",
        f"Read what was labelled by: tutelage exchange EXPORT --table {file} --out answers.csv",
    ]
    return lines, {
        "settings": str(beside), "rows": len(records), "labels": labelled, "suggestions": guessed,
        "names": list(question.names),
    }  # fmt: skip


def _without_nobody(records: Sequence[Record]) -> list[Record]:
    """Records with labels as suggestions, for a tool that takes in answers of its own annotators alone."""
    return [
        replace(record, answers=(), suggestion=Suggestion(record.answers[0].label))
        if record.answers and record.answers[0].label is not None
        else record
        for record in records
    ]
