"""What a page calls first: a folder of its own with the tables of docs/data, and pictures of reports."""

from __future__ import annotations

import html
import os
import shutil
import tempfile
from pathlib import Path

DOCS = Path(os.environ.get("TUTELAGE_DOCS", Path(__file__).parents[1]))


def here() -> Path:
    """Go to a fresh folder that holds the small tables of docs/data; the folder."""
    folder = Path(tempfile.mkdtemp(prefix="page-"))
    for path in (DOCS / "data").iterdir():
        if path.suffix in (".csv", ".json"):
            shutil.copy(path, folder)
    os.chdir(folder)
    return folder


def framed(report: Path | str) -> object:
    """A page, such as a report, in a frame of its own."""
    from IPython.display import HTML

    page = html.escape(Path(report).read_text(encoding="utf-8"), quote=True)
    return HTML(f'<iframe title="the report" loading="lazy" srcdoc="{page}"></iframe>')


def kept(report: Path | str, name: str) -> object:
    """Keep a report for the gallery, and link it."""
    from IPython.display import HTML

    folder = DOCS / "_build" / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(report, folder / f"{name}.html")
    size = Path(report).stat().st_size / 1e6
    return HTML(f'<a href="reports/{name}.html">Open this report</a> ({size:.1f} MB)')
