"""The command app. The libraries that serve are imported only where it is called."""

from __future__ import annotations

import secrets
import webbrowser
from pathlib import Path
from typing import Any

from cyclopts import App

from tutelage.run.examples import example
from tutelage.run.screen import Quiet, Screen
from tutelage.serve.commands import require


def add_app(app: App, screen: Screen) -> None:
    """Add the command.

    Args:
        app: app that gets the command.
        screen: where the command prints.
    """

    def open_page(*, folder: Path = Path("tutelage"), port: int = 0, browse: bool = True, quiet: Quiet = False) -> None:
        """Open a page that leads from a file to a table of labels, without a line typed.

        Each step is a command, which the page shows. Files stay on this machine, in a folder.

        Args:
            folder: folder in which files are kept, with what is done with them; made where it is missing.
            port: port of the page on this machine; 0 is any that is free.
            browse: open the page in a browser.
        """
        require("app")
        from starlette.middleware import Middleware

        from tutelage.app.desk import Desk
        from tutelage.files import one_writer
        from tutelage.label.guard import HOST, Guard
        from tutelage.serve.server import Server, listening

        screen.speak(False, quiet)
        folder.mkdir(parents=True, exist_ok=True)
        token = secrets.token_urlsafe(24)
        with listening(HOST, port) as listener, one_writer(folder):
            number = listener.getsockname()[1]
            address = f"http://{HOST}:{number}/?token={token}"

            def ready() -> None:
                screen.answer(f"The page is {address}")
                screen.say(f"Files are kept in {folder}. Ctrl-C ends the page and its labelling pages; fits go on.")
                if browse:
                    webbrowser.open(address)

            desk = Desk(folder.resolve(), screen.answer)
            made = desk.made([Middleware(Guard, token=token, port=number)])
            server = Server(made, screen.answer, ready, lambda: None)
            server.run([listener])
            desk.close()
        if server.interrupted:
            raise KeyboardInterrupt

    annotations: dict[str, Any] = open_page.__annotations__
    annotations |= {"folder": Path, "port": int, "browse": bool, "quiet": Quiet, "return": None}
    app.command(open_page, name="app", help_epilogue=example("app"))
