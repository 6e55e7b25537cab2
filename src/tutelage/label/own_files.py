"""Answers that the pages of this machine share: their style, their scripts, and the report of a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tutelage.pages.style import page_style

REPORT_MAY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""What a browser may load for a report: what is in it."""

FRESH = {"cache-control": "no-cache"}
"""Header of a file that may be another after the program was renewed."""


def style(package: str, name: str) -> Callable[[Request], Response]:
    """What answers with the style that all pages share, and what a page has beside it.

    Args:
        package: name of the package of the page.
        name: name of its style sheet, in the folder ``templates``.
    """
    return lambda request: Response(page_style() + _text(package, name), media_type="text/css", headers=FRESH)


def script(package: str, name: str) -> Callable[[Request], Response]:
    """What answers with the script of a page; see `style`."""
    return lambda request: Response(_text(package, name), media_type="text/javascript", headers=FRESH)


def report(run: Path) -> Response:
    """The report of a run.

    Args:
        run: folder of the run.

    Raises:
        HTTPException: there is none.
    """
    path = run / "report.html"
    if not path.is_file():
        raise HTTPException(404, "this job has no report")
    return HTMLResponse(path.read_bytes(), headers={"content-security-policy": REPORT_MAY})


@cache
def _text(package: str, name: str) -> str:
    return (files(package) / "templates" / name).read_text(encoding="utf-8")
