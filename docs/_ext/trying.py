"""What a page calls first: a folder of its own with the tables of docs/data, and pictures of reports."""

from __future__ import annotations

import contextlib
import html
import io
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from unittest import mock

DOCS = Path(os.environ.get("TUTELAGE_DOCS", Path(__file__).parents[1]))


def here() -> Path:
    """Go to a fresh folder that holds the small tables of docs/data, where a command that fails stops the page."""
    folder = Path(tempfile.mkdtemp(prefix="page-"))
    for path in (DOCS / "data").iterdir():
        if path.suffix in (".csv", ".json"):
            shutil.copy(path, folder)
    os.chdir(folder)
    prepare_shell()
    warnings.filterwarnings("ignore", "IProgress not found")  # a library's wish for bars in notebooks
    return folder


def prepare_shell() -> None:
    """Let `!command` raise where the command fails, and print without a terminal's moving bars; show all figures.

    IPython passes over a command that ends with another code than 0.
    """
    from IPython import get_ipython

    get_ipython().run_line_magic("matplotlib", "inline")  # figures that are made without pyplot are shown, too

    def checked(command: str) -> None:
        words = shlex.split(command)
        if words[0] == "tutelage":
            code, said = called(words)
        else:
            done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
            code, said = done.returncode, f"{done.stdout}{done.stderr}"
        print(said.strip())
        if code:
            raise RuntimeError(f"exit code {code}: {command}")
        if not said.strip() and "--quiet" not in words:
            raise RuntimeError(f"said nothing: {command}")

    get_ipython().system = checked


def called(words: list[str]) -> tuple[int, str]:
    """Exit code of a command of Tutelage, called in this process, which has imported its libraries; and what it said.

    A process of its own takes ten seconds to import them. `tools/follow.py` and `tools/notebooks.py` use such.
    """
    from tutelage import cli

    said, before, show = io.StringIO(), sys.argv, warnings.showwarning
    sys.argv, code = words, 0
    try:
        with (
            contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings(),
            mock.patch("rich.console._is_jupyter", return_value=False),  # else it shows, and writes nothing
        ):  # fmt: skip
            warnings.simplefilter("default")
            warnings.filterwarnings("ignore", "IProgress not found")
            cli.main()
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else int(e.code is not None)
    finally:
        sys.argv, warnings.showwarning = before, show
    return code, said.getvalue()


class Shown:
    """HTML that a cell shows.

    Args:
        page: the HTML.
    """

    def __init__(self, page: str) -> None:
        self.page = page

    def _repr_html_(self) -> str:
        return self.page


def framed(report: Path | str) -> Shown:
    """A page, such as a report, in a frame of its own."""
    page = html.escape(Path(report).read_text(encoding="utf-8"), quote=True)
    return Shown(f'<iframe title="the report" loading="lazy" srcdoc="{page}"></iframe>')


def kept(report: Path | str, name: str) -> Shown:
    """Keep a report for docs/gallery.md, and link it from a page one folder down."""
    folder = DOCS / "_build" / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(report, folder / f"{name}.html")
    size = Path(report).stat().st_size / 1e3
    return Shown(f'<p><a href="../reports/{name}.html">The whole report of this fit</a> ({size:.0f} KB)</p>')
