"""What was read of the user's files, said before anything is learnt; alone it is the command look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import App, Group, Parameter

from tutelage import kinds
from tutelage.data.columns import evenly
from tutelage.fit.build import FITTED_ON
from tutelage.kinds import KINDS
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Dataset, Files, require_classes
from tutelage.kinds.reading import read_files
from tutelage.modalities.base import Reader
from tutelage.run.commands import KIND, options_of, refuse_other_kinds, usual_of, values_of
from tutelage.run.examples import example
from tutelage.run.options import LookOptions
from tutelage.run.screen import Json, Quiet, Screen
from tutelage.run.taken_over import taken_over
from tutelage.run.words import kind_of
from tutelage.tables import DataError, Notes
from tutelage.types import Say


def read_and_say(
    kind: Kind, files: Files, notes: Notes, say: Say, named: Sequence[str] = ()
) -> tuple[Kind, Dataset]:  # fmt: skip
    """Data read from files; what was noticed is said, also where they cannot be learnt from.

    Args:
        kind: kind of the data, with its options.
        files: the files.
        notes: takes what is noticed.
        say: called with each sentence.
        named: classes that the data must have, see `Method.named_classes`.

    Returns:
        The kind with its options completed, and the data.

    Raises:
        DataError: the files cannot be learnt from, or a question has to be settled first; the message has all of them.
        ValueError: they lack a class that is named.
    """
    try:
        kind = kind.settled(files, notes)
        data = read_files(kind, files, notes)
        require_classes(named, data)
        return kind, data
    finally:
        for line in notes.lines_of_all(halting=False):
            say(line)


def say_of_reader(reader: Reader, data: Dataset, notes: Notes, say: Say) -> None:
    """Note and say how much of the items a reader reads, where anything can be lost.

    Args:
        reader: reader of the items.
        data: the data.
        notes: takes the counts.
        say: called with a sentence.
    """
    told = reader.reads([*data.items.labelled, *evenly(data.items.pool, FITTED_ON)])
    if told is None:
        return
    notes.fact("tokens", told.says, dict(told.shares))
    say(told.says)
    for question in told.questions:
        notes.ask(question.asks, *question.options, page=question.page)
        say(question.line(len(notes.questions)))


def add_look(app: App, words: Sequence[str], screen: Screen) -> None:
    """Add the command, with the options of the kind of data that the words tell.

    Args:
        app: app that gets the command.
        words: words of the command line, after the command's name.
        screen: where the command prints.
    """
    kind = kind_of(words)
    own = options_of(KINDS[kind])
    refuse_other_kinds(kind, words, (own, LookOptions))

    def look(
        options: Any, of_kind: Any = None, *, kind: str = kind, json: Json = False, quiet: Quiet = False
    ) -> None:  # fmt: skip
        screen.speak(json, quiet)
        asked = LookOptions(**values_of(options))
        made = taken_over(KINDS[kind](**values_of(of_kind)), asked)
        made.require_columns(asked.files)
        _look(made, asked.files, screen, json)

    look.__annotations__ = {
        "options": Annotated[
            options_of(LookOptions, usual=usual_of(KINDS[kind], words)),
            Parameter(name="*", group=Group("Options", sort_key=2)),
        ],
        "of_kind": Annotated[
            own | None, Parameter(name="*", group=Group(f"Options of --kind {kind}", sort_key=1))
        ],
        "kind": Annotated[str, KIND],
        "json": Json,
        "quiet": Quiet,
        "return": None,
    }  # fmt: skip
    look.__doc__ = (
        "Say what is read of a table or folder, and what looks odd in it, before anything is learnt.\n\n"
        "It takes the options of tutelage fit on files and on the kind of data. The exit code is 0 where a fit could "
        "begin, else 2.\n\n"
        f"Args:\n    kind: {', '.join(kinds.TABLE)}; may be left out where columns tell."
    )
    app.command(look, name="look", help_epilogue=example("look"))


def silent(line: str) -> None:
    """Say nothing."""


def _look(kind: Kind, files: Files, screen: Screen, json: bool) -> None:
    notes, say = Notes(), silent if json else screen.say
    kind.require_encoder()
    try:
        kind, data = read_and_say(kind, files, notes, say)
        say_of_reader(kind.reader(data.size), data, notes, say)
    except DataError as fault:
        if json:
            screen.json(notes.as_dict() | {"error": str(fault)})
        raise
    if json:
        screen.json(notes.as_dict())
    else:
        screen.answer(_verdict(len(notes.questions)))


def _verdict(questions: int) -> str:
    if not questions:
        return "Nothing stands against a fit."
    return f"A fit can begin; {questions} question{'s are' if questions > 1 else ' is'} open."
