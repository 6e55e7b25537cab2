"""Scripts with which a shell completes commands, options and values."""

from __future__ import annotations

from typing import Literal

from cyclopts import App

Shell = Literal["bash", "zsh", "fish"]
"""Shells that can be taught."""


def script(app: App, shell: Shell) -> str:
    """Completion script of an app.

    Args:
        app: app with all of its commands and their options.
        shell: name of the shell.
    """
    return app.generate_completion(prog_name="tutelage", shell=shell)


def placed(app: App, name: str, command: App) -> None:
    """Put a command in the place of the one of the same name.

    Args:
        app: app that gets the command.
        name: name of the command in the app.
        command: the command, with its options.
    """
    del app[name]
    app.command(command, name=name)
