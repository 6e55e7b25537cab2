"""The commands that find wrong labels and correct them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from tutelage import kinds
from tutelage.audit.relabel import journal_of, relabelled, write_journal
from tutelage.audit.request import AuditOptions
from tutelage.audit.run import in_words, run_audit
from tutelage.kinds import KINDS
from tutelage.kinds.one_class import OneClass
from tutelage.run.commands import KIND, options_of, refuse_other_kinds, values_of
from tutelage.run.examples import example
from tutelage.run.reading import Reading
from tutelage.run.screen import Json, Quiet, SafeCells, Screen
from tutelage.run.words import kind_of
from tutelage.tables import USUAL, formulas, write_table

LABELS_AS = ("classes", "unlabelled_as", "spelling")
"""Options on how labels are read, which questions about them name."""


def add_audit(app: App, words: Sequence[str], screen: Screen) -> None:
    """Add the command that finds wrong labels, with the options of the kind of data that the arguments name or imply.

    Args:
        app: command line that it is added to.
        words: the command line's arguments.
        screen: where progress and results are shown.

    Raises:
        ValueError: --kind names a kind whose items have no single class.
    """
    name = kind_of(words)
    kind = KINDS[name]
    able = [other for other, each in KINDS.items() if issubclass(each, OneClass)]
    if not issubclass(kind, OneClass):
        raise ValueError(f"--kind of an audit must be one of {', '.join(able)}, got {name!r}")
    own = options_of(kind, (*kind.item_columns, *kind.label_columns, *LABELS_AS, *kind.reading, "group"))
    refuse_other_kinds(name, words, (own, AuditOptions))

    def audit(
        options: AuditOptions, of_kind: Any = None, *, kind: str = name, json: Json = False, quiet: Quiet = False
    ) -> None:  # fmt: skip
        screen.speak(json, quiet)
        made = KINDS[name](**values_of(of_kind))
        assert isinstance(made, OneClass)
        with screen.ticking() as tick:
            summary = run_audit(made, options, screen.say, tick)
        if json:
            screen.json({"command": "audit", "out": str(options.out), "words": in_words(summary)} | summary)
            return
        screen.say(in_words(summary))
        screen.say(f"Suspects and page are in {options.out} (open {options.out / 'audit.html'}).")

    audit.__annotations__ = {
        "options": Annotated[AuditOptions, Parameter(name="*", group="Options")],
        "of_kind": Annotated[own | None, Parameter(name="*", group=f"Options of --kind {name}")],
        "kind": Annotated[str, KIND],
        "json": Json,
        "quiet": Quiet,
        "return": None,
    }
    audit.__doc__ = (
        "Find the labels of a table, or of a folder of images, that are likely wrong.\n\n"
        "Writes suspects.csv, to edit and apply with tutelage relabel; audit.html, to look through; and audit.json.\n\n"
        f"The options shown are those of --kind {name}, {kinds.TABLE[name].about}. Other kinds: "
        f"{', '.join(other for other in able if other != name)}.\n\n"
        f"Args:\n    kind: kind of data, one of {', '.join(able)}; it may be left out where columns tell."
    )
    app.command(audit, name="audit", help_epilogue=example("audit"))


def relabel(
    *, train: Path, suspects: Path, output: Path, label: str | None = None, how: Reading = None,
    safe_cells: SafeCells = False,
) -> None:  # fmt: skip
    """Apply the suggestions in a table of suspects, perhaps edited; rows taken out of it stay as given.

    Args:
        train: table, or folder of images, that was audited.
        suspects: suspects.csv, with the columns row, given and suggested.
        output: table to write, csv, tsv, jsonl or parquet: train with the new labels; for a folder, paths and labels.
            A journal of the changes is written beside it: OUTPUT.journal.csv.
        label: column of the labels; a folder needs none.
    """
    if output.resolve() == train.resolve():
        raise ValueError(f"--output would overwrite --train, {train}; name another file")
    screen = Screen()
    if journal_of(output).resolve() in (train.resolve(), suspects.resolve()):
        raise ValueError(f"--output {output}: its journal would overwrite {journal_of(output)}; name another file")
    made = relabelled(train, label, suspects, output, how or USUAL)
    with formulas.safe_cells(safe_cells):
        write_table(made.table, output)
        journal = write_journal(made.journal, output)
    if made.new:
        screen.say(f"No row had these labels before: {', '.join(made.new)}.")
    screen.say(f"{made.changed} of {len(made.table)} labels changed: {output}; each change is in {journal}")
