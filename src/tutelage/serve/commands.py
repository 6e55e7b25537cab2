"""The command serve. The libraries that serve are imported only where it is called."""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from tutelage.run.commands import Trust, changed, kind_of_run, options_of, without_kind
from tutelage.run.examples import example
from tutelage.run.screen import Quiet, SafeCells, Screen

EXTRA = "pip install 'tutelage[serve]'"
"""What installs the libraries that serve."""

PACKAGES = ("starlette", "uvicorn", "prometheus_client")
"""Packages of the extra."""

TOKEN = "TUTELAGE_TOKEN"
"""Variable of the environment that holds the token."""

SHORTEST = 16
"""Characters of a token, at least."""


def add_serve(app: App, words: Sequence[str], screen: Screen) -> None:
    """Add the command serve, with options for the columns of the kind of the run that the words name."""
    kind = kind_of_run(words)
    own = options_of(kind, kind.item_columns) if kind else None

    def serve(
        folder: Path, of_kind: Any = None, *, host: str = "127.0.0.1", port: int = 8000,
        token_file: Path | None = None, abstain: float | None = None, max_rows: int = 10_000,
        max_bytes: int = 8_000_000, max_waiting: int = 256, quiet: Quiet = False, trust: Trust = False,
        allow_encoder: str | None = None, safe_cells: SafeCells = False,
    ) -> None:  # fmt: skip
        """Answer requests for predictions, over HTTP, until it is stopped.

        Args:
            folder: folder of a finished run, or a link to one.
            host: address to listen on; others than this machine's own need a token.
            port: port to listen on; 0 is any that is free.
            token_file: file that holds the token which requests must bring; or TUTELAGE_TOKEN in the environment.
            abstain: give no label where more than this share of the given ones would be wrong, unless a request says.
            max_rows: rows of a request, at most.
            max_bytes: bytes of a request's body, at most.
            max_waiting: requests that may wait at the same time; others are told to come again.
            trust: import the code of one's own that the run names.
            allow_encoder: encoder that somebody else's run may load from outside itself, a folder or a name on the Hub.
        """
        require()
        from tutelage.serve.app import Allowed
        from tutelage.serve.app import App as Answering
        from tutelage.serve.bodies import Limits
        from tutelage.serve.metrics import Metrics
        from tutelage.serve.served import Place, Service
        from tutelage.serve.server import Server, is_loopback, listening

        screen.speak(False, quiet)
        limits, token = Limits(max_rows, max_bytes, max_waiting), token_of(token_file)
        if token is None and not is_loopback(host):
            raise ValueError(
                f"--host {host} is reached by other machines, so that a token is needed: --token-file FILE, or {TOKEN}"
            )
        metrics = Metrics()
        with listening(host, port) as listener:
            place = Place(folder, trust, allow_encoder, changed(of_kind, own), abstain)
            service = Service(place, screen.answer, lambda outcome: metrics.loaded.labels(outcome).inc())
            allowed = Allowed(token, () if token else ("localhost", "127.0.0.1", "::1", host))
            answering = Answering(service, metrics, limits, allowed, screen.answer, abstain, safe_cells)
            at = f"[{host}]" if ":" in host else host

            def ready() -> None:
                address = f"http://{at}:{listener.getsockname()[1]}"
                screen.say(f"{service.current.words()}: {address}/ says how to ask; Ctrl-C stops it.")

            server = Server(answering.made(), screen.answer, ready, service.reload)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they are of tables, and what is noticed of these is in the answers
                server.run([listener])
        if server.interrupted:
            raise KeyboardInterrupt

    serve.__annotations__ |= {
        "of_kind": Annotated[own | None, Parameter(name="*")] if own else None, "quiet": Quiet,
        "safe_cells": SafeCells,
    }  # fmt: skip
    app.command(without_kind(serve, own), help_epilogue=example("serve"))


def require(command: str = "serve") -> None:
    """Check that the libraries that serve are installed.

    Args:
        command: name of the command that needs them.

    Raises:
        ImportError: one is not; the message names the extra.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f"tutelage {command} needs more packages: {EXTRA} (no module named {missing[0]!r})")


def token_of(file: Path | None) -> str | None:
    """The token that requests must bring; None where there is none.

    Args:
        file: file that holds it; None takes that of the environment.

    Raises:
        ValueError: the file cannot be read, or the token is too short, or no word of letters, digits and signs.
    """
    if file is None and TOKEN not in os.environ:
        return None
    where = TOKEN if file is None else f"--token-file {file}"
    try:
        token = (os.environ[TOKEN] if file is None else file.read_text(encoding="utf-8", errors="replace")).strip()
    except OSError as e:
        raise ValueError(f"{where}: {e.strerror}") from e
    if len(token) < SHORTEST:
        raise ValueError(f"{where}: a token has at least {SHORTEST} characters, got {len(token)}: openssl rand -hex 32")
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ValueError(f"{where}: a token is one word of ASCII letters, digits and signs")
    return token
