"""The command exchange: a table as a file of an annotation tool, and a tool's file as a table of answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

import pandas as pd
from cyclopts import App, Parameter

from tutelage.exchange import FORMATS, Answer, Found, How, Label, Question, Record, Suggestion, read
from tutelage.exchange.offsets import COUNTED
from tutelage.exchange.rows import id_in, probability_in
from tutelage.exchange.votes import TIE, Decided, decided
from tutelage.files import clear_parts, written
from tutelage.kinds import KINDS
from tutelage.kinds.answers import beside_own
from tutelage.kinds.asked_labels import GUESS, LABEL, ROW, SOURCE, as_table
from tutelage.kinds.base import Kind
from tutelage.kinds.entries import ITEMS, Entries, InTable
from tutelage.kinds.exchanged import Exchanged
from tutelage.ops.checks import one_of
from tutelage.run.commands import KIND, options_of, refuse_other_kinds, values_of
from tutelage.run.examples import example
from tutelage.run.screen import Json, Quiet, SafeCells, Screen
from tutelage.run.words import kind_of
from tutelage.tables import PROBABILITY, DataError, Notes, ReadAs, as_label, formulas, writable, write_table
from tutelage.tables import read as read_file
from tutelage.tables.cells import brief
from tutelage.tables.exports.made import many

UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")
"""Pattern of what Label Studio puts before the name of an uploaded file."""
ANNOTATORS, NOTE = "annotators", "note"
"""Names of the columns of those who answered, and of their notes."""


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


def _exchanged(kind: Kind) -> Exchanged:
    if kind.exchanged is None:
        raise ValueError(
            f"{kind.words.things} of --kind {kind.name} are not exchanged with annotation tools; texts, sentences with "
            "tags and images with one class each are"
        )
    return kind.exchanged


# a table for a tool


@dataclass(frozen=True)
class _Items:
    """Items of a table.

    Attributes:
        path: the table.
        frame: its rows that hold an item, (n rows).
        found: entries of these rows.
        records: a record of each, with its label, if it has one.
        item, label: names of the columns of the items and of the labels.
    """

    path: Path
    frame: pd.DataFrame
    found: Entries
    records: list[Record]
    item: str
    label: str


def items_of(path: Path, kind: Kind, how: ReadAs, notes: Notes, guesses: bool = False) -> _Items:
    """Items of a table, with their labels, and with suggestions where it has guesses.

    Args:
        path: the table.
        kind: kind of the items, whose columns have their usual names where it names none.
        how: how the table is read.
        notes: takes what is noticed.
        guesses: whether its guesses are taken.

    Raises:
        DataError: the table cannot be read, or an item cannot be given to a tool; the message names the row.
    """
    way, plain = _exchanged(kind), as_table(kind)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    table = read_file(path, how)
    found = plain.entries(path, how, notes, ITEMS)
    notes.settle()
    if not isinstance(found.places, InTable) or found.places.files:
        raise DataError(f"{path}: a table is needed, with a row for each item; tutelage next writes one")
    at = {row: i for i, row in enumerate(table.rows)}
    frame = table.frame.iloc[[at[row] for row in found.places.rows]].reset_index(drop=True)
    (item,), (label,) = ([str(getattr(plain, n)) for n in names] for names in (plain.item_columns, plain.label_columns))
    ids, records, unread = _ids(frame, found.places.rows), [], 0
    guessed = frame[GUESS].tolist() if guesses and GUESS in frame else [None] * len(frame)
    chances = frame[PROBABILITY].tolist() if PROBABILITY in frame else [None] * len(frame)
    for i, cell in enumerate(frame[item].tolist()):
        try:
            content = way.item(found, i, cell)
        except ValueError as error:
            raise DataError(f"{found.at('item', i)}: {error}") from error
        given = None if found.labels[i] is None else way.label(found, i, found.labels[i])
        guess = as_label(guessed[i])
        said = None if guess is None else way.label(found, i, guess)
        unread += guess is not None and said is None
        records.append(Record(
            **content, id=ids[i], answers=() if given is None else (Answer(given),),
            suggestion=None if said is None else Suggestion(said, probability_in(chances[i])),
        ))  # fmt: skip
    if unread:
        notes.say(f"{path}, column {GUESS!r}: {unread:,} guesses are left out, which have no tag for each word.")
    return _Items(path, frame, found, records, item, label)


def _ids(frame: pd.DataFrame, rows: Sequence[int]) -> list[str]:
    """Name of each row: that of the table that it comes from, with the name of the file where there are several."""
    named = [id_in(cell) for cell in frame[ROW].tolist()] if ROW in frame else []
    if SOURCE in frame:
        named = [f"{source}, {name}" for source, name in zip(frame[SOURCE].tolist(), named, strict=True)]
    return named if all(named) and len(set(named)) == len(rows) else list(map(str, rows))


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
    way = _exchanged(kind)
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


# a tool's file as a table


def imported(file: Path, kind: Kind, asked: ExchangeOptions, notes: Notes) -> tuple[list[str], dict[str, Any]]:
    """Write a tool's file as a table of answers.

    Args:
        file: the file.
        kind: kind of its items.
        asked: options of the command.
        notes: takes what is noticed.

    Returns:
        Sentences on what was written, and the same as plain values.

    Raises:
        DataError: the file or the table cannot be read, or they are of different projects.
        FileExistsError: a file to write is there.
    """
    writable(asked.out)
    way = _exchanged(kind)
    offsets = getattr(kind, "offsets", None)
    if offsets is not None:
        one_of("--offsets", offsets, COUNTED)
        kind = replace(kind, offsets=None)  # type: ignore[call-arg]
    item = getattr(kind, kind.item_columns[0])
    found = read(file, How(item, asked.question, offsets, way.spans), notes)
    said = [decided(record.answers) for record in found.records]
    if asked.table is None:
        frame, more = _alone(found, said, kind, file)
    else:
        frame, more = _in_table(found, items_of(asked.table, kind, asked, notes), way, file, asked.out)
    write_table(frame, asked.out, new=True)
    counts = Counter(one.why for one in said)
    lines = [_counted(found, said, file), *more, *_without(counts)]
    lines.append(f"Learn from it by: tutelage fit ... --answers {asked.out}")
    people = {answer.annotator for record in found.records for answer in record.answers if answer.annotator}
    return lines, {
        "tool": found.format.title, "items": len(found.records), "labels": sum(one.label is not None for one in said),
        "annotators": sorted(people), "differ": sum(one.differ for one in said),
        "without": {why: number for why, number in counts.items() if why},
    }  # fmt: skip


def _counted(found: Found, said: Sequence[Decided], file: Path) -> str:
    answers = sum(len(record.answers) for record in found.records)
    people = {answer.annotator for record in found.records for answer in record.answers if answer.annotator}
    several = [one for one in said if len(one.annotators) > 1]
    by = f" by {many(len(people), 'annotator', 'annotators')}" if people else ""
    differ = f"; of {len(several):,} items with several, they differ on {sum(one.differ for one in several):,}"
    return (
        f"{file} is of {found.format.title}: {many(len(found.records), 'item', 'items')}, "
        f"{many(answers, 'answer', 'answers')}{by}"
        f"{differ if several else ''}."
    )


def _without(counts: Counter[str]) -> list[str]:
    """Sentence on the items that get no label, by why."""
    told = [f"{number:,} {'tied' if why == TIE else why}" for why, number in counts.items() if why]
    return [f"Without a label from it: {', '.join(told)}."] if told else []


def _alone(found: Found, said: Sequence[Decided], kind: Kind, file: Path) -> tuple[pd.DataFrame, list[str]]:
    """Table of a file alone: a row for each item."""
    question, spans = found.question, found.question.spans
    item = getattr(kind, kind.item_columns[0]) or ("image" if question.image else "text")
    label = getattr(kind, kind.label_columns[0]) or ("spans" if spans else LABEL)
    cells, several = [], 0
    for one in said:
        cell, torn = _cell(one.label)
        several += torn
        cells.append(cell)
    frame = pd.DataFrame({
        ROW: [record.id or number for number, record in enumerate(found.records, start=1)],
        item: [record.item for record in found.records], label: pd.Series(cells, dtype=object),
    })  # fmt: skip
    more = [
        "Without --table the rows have no asked_by: those that were drawn at random no longer count as a sample."
    ]  # fmt: skip
    if several:
        more.append(f"Left without a label: {many(several, 'item', 'items')} of several classes; one is learnt.")
    return _with_people(frame, found.records, said, file), more


def _cell(label: Label | None) -> tuple[Any, bool]:
    """Cell of a label, and whether it has several classes, which no cell holds."""
    if label is None:
        return None, False
    if not label or not isinstance(label[0], str):
        return [[part.start, part.end, part.type] for part in label if not isinstance(part, str)], False
    return (label[0], False) if len(label) == 1 else (None, True)


def _with_people(
    frame: pd.DataFrame, records: Sequence[Record], said: Sequence[Decided], out: Path
) -> pd.DataFrame:  # fmt: skip
    """The table with columns of the annotators, and of their notes, as far as there are any."""
    notes = [
        "; ".join(dict.fromkeys(answer.note for answer in record.answers if answer.note)) or None
        for record in records
    ]  # fmt: skip
    people = [", ".join(dict.fromkeys(one.annotators)) or None for one in said]
    added = {ANNOTATORS: people} if any(people) else {}
    added |= {NOTE: notes} if any(notes) else {}
    return beside_own(frame, added, out, Notes()) if added else frame


def _in_table(
    found: Found, items: _Items, way: Exchanged, file: Path, out: Path
) -> tuple[pd.DataFrame, list[str]]:  # fmt: skip
    """Rows of a table with the answers to their items, found by their names, else by what they are."""
    question = found.question
    if question.names and question.spans != way.spans:
        raise DataError(
            f"{file}: its labels are {'spans' if question.spans else 'classes'}; for spans name the column of the "
            "sentences by --tokens, for classes that of the texts or images"
        )
    places, strangers = _placed(found.records, items.records)
    if not places:
        raise DataError(
            f"{file}: none of its {len(found.records):,} items is in {items.path}; it is of another project, or "
            "--table is not the table that was exchanged"
        )
    labels = frame_cells(items)
    bad: list[str] = []
    changed = 0
    together = [_together(items.records[i], found.records, places.get(i, ())) for i in range(len(labels))]
    decisions = [decided(record.answers) for record in together]
    for i, one in enumerate(decisions):
        label = one.label
        if label is None:
            continue
        try:
            cell = way.cell(items.found, i, label)
        except ValueError as error:
            bad.append(f"{items.found.at('item', i)}: {error}")
            continue
        before = items.records[i].answers
        changed += bool(before) and before[0].label != label
        labels[i] = cell
    frame = items.frame.assign(**{items.label: pd.Series(labels, dtype=object)})
    more = [
        f"{sum(cell is not None for cell in labels):,} of the {len(labels):,} rows of {items.path} have a label now."
    ]
    if changed:
        more.append(f"{changed:,} of them had another label before.")
    if bad:
        others = f", and {len(bad) - 1:,} more" if len(bad) > 1 else ""
        more.append(f"Left as they were, as their answers are no labels: {bad[0]}{others}.")
    if strangers:
        first = found.records[strangers[0]]
        name = f"row {first.id}" if first.id else brief(first.item)
        more.append(
            f"Left out, as in no row of {items.path}: {many(len(strangers), 'item', 'items')}; the first is {name}."
        )
    return _with_people(frame, together, decisions, out), more


def _together(row: Record, records: Sequence[Record], numbers: Sequence[int]) -> Record:
    """A row with the answers of all records that belong to it, and no others."""
    return replace(row, answers=tuple(answer for number in numbers for answer in records[number].answers))


def frame_cells(items: _Items) -> list[Any]:
    """Cells of the column of labels; None of those without a label."""
    if items.label not in items.frame:
        return [None] * len(items.frame)
    cells = items.frame[items.label].tolist()
    return [cell if record.answers else None for cell, record in zip(cells, items.records, strict=True)]


def _placed(records: Sequence[Record], rows: Sequence[Record]) -> tuple[dict[int, list[int]], list[int]]:
    """Numbers of the records that belong to each row, by the row's number, and of those that belong to none.

    A record belongs to the row of its name, where that has its item, else to all rows that have it. An image is also
    known by the name of its file, where one row alone has it.
    """
    by_id = {row.id: i for i, row in enumerate(rows)}
    by_item, by_name = _by(rows, _item), _by(rows, _file_name)
    places: dict[int, list[int]] = {}
    strangers = []
    for number, record in enumerate(records):
        named = by_id.get(record.id, -1) if record.id else -1
        if named >= 0 and _alike(rows[named], record):
            found = [named]
        else:
            found = by_item.get(_item(record), [])
            if not found and record.image is not None and len(by_name.get(_file_name(record), [])) == 1:
                found = by_name[_file_name(record)]
        for i in found:
            places.setdefault(i, []).append(number)
        if not found:
            strangers.append(number)
    return places, strangers


def _by(rows: Sequence[Record], name: Callable[[Record], str]) -> dict[str, list[int]]:
    """Numbers of the rows by what names them."""
    found: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        found.setdefault(name(row), []).append(i)
    return found


def _item(record: Record) -> str:
    """A text with ends of lines as Python has them and no blanks around it, or the path of an image."""
    return record.item if record.text is None else record.text.replace("\r\n", "\n").strip()


def _file_name(record: Record) -> str:
    """Name of an image's file, without what Label Studio puts before the name of an uploaded file."""
    return UPLOADED.sub("", unquote(record.item).replace("\\", "/").rsplit("/", 1)[-1])


def _alike(row: Record, record: Record) -> bool:
    """Whether a row and a record of one name have one item; an image within a file has no name to compare."""
    if record.image is None or row.image is None:
        return row.image is record.image and _item(row) == _item(record)
    return record.image.startswith("data:") or _file_name(row) == _file_name(record)
