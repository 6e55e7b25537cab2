"""The command that trains one model on the rows of several clients, which share weights alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import App, Group, Parameter

from tutelage import kinds
from tutelage.federated.fedlabel import FedLabel
from tutelage.federated.reading import require_shared_encoder
from tutelage.federated.run import CLIENTS, FederateOptions, run_federation
from tutelage.kinds import KINDS
from tutelage.kinds.dataset import Files
from tutelage.kinds.one_class import OneClass
from tutelage.run.commands import KIND, options_of, refuse_other_kinds, shown_run, values_of
from tutelage.run.examples import example
from tutelage.run.screen import Json, Quiet, Screen
from tutelage.run.words import kind_of


def add_federate(app: App, words: Sequence[str], screen: Screen) -> None:
    """Add the command, with the options of the kind of data that the words tell.

    Args:
        app: app that gets the command.
        words: words of the command line, after the command's name.
        screen: where the command prints.

    Raises:
        ValueError: --kind names a kind whose items have no single class, or are files.
    """
    name = kind_of(words)
    kind = KINDS[name]
    able = [other for other, each in KINDS.items() if issubclass(each, OneClass) and each.stores]
    if name not in able:
        raise ValueError(f"--kind of a federation must be one of {', '.join(able)}, got {name!r}")
    own = options_of(kind, (*kind.item_columns, *kind.label_columns, *kind.label_reading, "classes", *kind.reading))
    refuse_other_kinds(name, words, (own, FederateOptions, options_of(FedLabel)))

    def federate(
        options: Any, of_kind: Any = None, method: Any = None, *, kind: str = name, json: Json = False,
        quiet: Quiet = False,
    ) -> None:  # fmt: skip
        screen.speak(json, quiet)
        made, asked = KINDS[name](**values_of(of_kind)), FederateOptions(**values_of(options))
        assert isinstance(made, OneClass)
        for path in asked.train:
            made.require_columns(Files(path, test=asked.test))
        require_shared_encoder(made)
        _federate(made, asked, FedLabel(**values_of(method)), screen)

    federate.__annotations__ = {
        "options": Annotated[
            options_of(FederateOptions), Parameter(name="*", group=Group("Options", sort_key=2))
        ],
        "of_kind": Annotated[own | None, Parameter(name="*", group=Group(f"Options of --kind {name}", sort_key=1))],
        "method": Annotated[
            options_of(FedLabel) | None, Parameter(name="*", group=Group("Method fedlabel", sort_key=3))
        ],
        "kind": Annotated[str, KIND],
        "json": Json,
        "quiet": Quiet,
        "return": None,
    }  # fmt: skip
    federate.__doc__ = (
        "Learn from the rows of several clients, each of which shares weights alone (FedLabel).\n\n"
        "All clients are trained in this process: a simulation, to see what a federation would be worth. With Flower "
        "they stay where their rows are, see the page on federated learning.\n\n"
        f"The options shown are those of --kind {name}, {kinds.TABLE[name].about}.\n\n"
        f"Args:\n    kind: kind of data, one of {', '.join(able)}; it may be left out where columns tell."
    )
    app.command(federate, name="federate", help_epilogue=example("federate"))


def _federate(kind: OneClass, options: FederateOptions, method: FedLabel, screen: Screen) -> None:
    more = f", and a line for each client in {options.out / CLIENTS}"
    shown_run(
        "federate", kind, options.out, screen,
        lambda bar: run_federation(kind, options, method, screen.say, bar), more,
    )  # fmt: skip
