"""The command label. The libraries that serve are imported only where it is called."""

from __future__ import annotations

import dataclasses
import getpass
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Group, Parameter

from tutelage.kinds import KINDS
from tutelage.kinds.told import Told, told
from tutelage.ops.checks import in_range
from tutelage.run.commands import KIND, changed, options_of, values_of
from tutelage.run.examples import example
from tutelage.run.screen import Quiet, Screen
from tutelage.run.words import kind_of, names_of, value_of
from tutelage.serve.commands import require
from tutelage.tables import USUAL, DataError, ReadAs, holds_table


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelOptions(ReadAs):
    """Options of `tutelage label` that do not depend on the kind of data.

    Args:
        train: table or folder of items to label, from nothing, in place of a table that tutelage next wrote.
        out: table that the labels of --train are written to; by default NAME-labels.csv beside it, or .parquet
            where --charset and the like would not read a csv rightly.
        run: run whose classes are offered, beside those that the table names.
        classes: classes that are offered, separated by commas; more can be added on the page.
        method: method of the fits that the page starts.
        other: class that "none of these" means; without it such items get no label. It is kept from the first page on.
        annotator: name of who labels; by default that of the user of this machine.
        overlap: share of the items that every annotator is asked, by which their agreement is measured.
        suggest: share of the items, drawn at random, on which what the model says is shown at once; else it is hidden
            until it is asked for.
        port: port of the page on this machine; 0 is any that is free.
        browse: open the page in a browser.
        seed: seed of the order in which the items of --train come.
    """

    train: Path | None = None
    out: Path | None = None
    run: Path | None = None
    classes: str = ""
    method: str = "drift"
    other: str = ""
    annotator: str = ""
    overlap: float = 0.1
    suggest: float = 0.0
    port: int = 0
    browse: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        in_range("--overlap", self.overlap, 0, 1)
        in_range("--suggest", self.suggest, 0, 1)
        in_range("--seed", self.seed, 0, 2**32 - 1)


def add_label(app: App, words: Sequence[str], screen: Screen) -> None:
    """Add the command, with options for the columns of the kind that the words, or the table's cells, tell.

    Args:
        app: app that gets the command.
        words: words of the command line, after the command's name.
        screen: where the command prints.
    """
    guessed = _guessed(words)
    kind_class = KINDS[guessed.kind if guessed is not None else kind_of(words)]
    named = (*kind_class.item_columns, *kind_class.label_columns)
    own = options_of(kind_class, named)

    def label(
        table: Path | None = None, options: Any = None, of_kind: Any = None, *, kind: str = kind_class.name,
        quiet: Quiet = False,
    ) -> None:  # fmt: skip
        require("label")
        from tutelage.label.start import serve

        screen.speak(False, quiet)
        asked = LabelOptions(**values_of(options))
        if (table is None) == (asked.train is None):
            raise ValueError(
                "name one of them: a table that tutelage next wrote, or --train with a table or folder of items"
            )
        given = dict(guessed.options) if guessed is not None else {}
        if guessed is not None:
            for doubt in guessed.unsure:
                screen.say(f"{doubt[0].upper()}{doubt[1:]}")
        made = kind_class(**given | changed(of_kind, own))
        serve(made, table, asked, screen, secrets.token_urlsafe(24))

    label.__annotations__ = {
        "table": Path | None,
        "options": Annotated[options_of(LabelOptions), Parameter(name="*", group=Group("Options", sort_key=2))],
        "of_kind": Annotated[
            own | None, Parameter(name="*", group=Group(f"Columns of --kind {kind_class.name}", sort_key=1))
        ],
        "kind": Annotated[str, KIND],
        "quiet": Quiet,
        "return": None,
    }
    label.__doc__ = (
        "Label items on a page of this machine, one at a time, by keys.\n\n"
        "Each answer is written at once into a journal beside the table, and the table is filled in. The page is "
        "reached from this machine alone, and with the address that is printed.\n\n"
        "Args:\n    table: table that tutelage next wrote, whose empty column is filled in.\n"
        f"    kind: {', '.join(KINDS)}; may be left out where columns or cells tell."
    )
    app.command(label, name="label", help_epilogue=example("label"))


def _guessed(words: Sequence[str]) -> Told | None:
    """What the table seems to hold; None where the words say it, or name no table."""
    if "--kind" in words or any(word.startswith(("--kind=", "--task")) for word in words):
        return None
    columns = {name for kind in KINDS.values() for name in kind.item_columns}
    if columns & set(names_of(words)):
        return None
    first = words[0] if words and not words[0].startswith("-") else value_of("--train", words)
    if first is None or not Path(first).is_file() or not holds_table(Path(first)):
        return None
    return told(Path(first), _read_as(words))


def _read_as(words: Sequence[str]) -> ReadAs:
    """How the words say that files are read; as usual where they say nothing, or nothing that is right."""
    found: dict[str, Any] = {f.name: value_of(f"--{f.name}", words) for f in dataclasses.fields(ReadAs)}
    try:
        return ReadAs(**{name: value for name, value in found.items() if value})
    except DataError:  # it is said once the options are read
        return USUAL


def user() -> str:
    """Name of the user of this machine; "me" where it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return os.environ.get("USER", "") or "me"
