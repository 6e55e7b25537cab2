"""Notebooks of the documentation's executed pages, each whole in itself: the tables that a page uses are written in it.

python tools/notebooks.py OUT           writes the notebooks, with what the pages showed where they are built
python tools/notebooks.py OUT --run     executes them, each in a folder of its own; fails where a cell does
"""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from jupyter_cache import get_cache
from myst_nb.core.read import read_myst_markdown_notebook
from nbclient import NotebookClient

DOCS = Path(__file__).resolve().parents[1] / "docs"
sys.path.insert(0, str(DOCS / "_ext"))

import trying  # noqa: E402

EXECUTED = DOCS / "_build" / "executed"
"""Where myst-nb keeps what pages showed when they were executed."""


def pages() -> list[Path]:
    """The pages that are executed."""
    found = [path for folder in ("start", "kinds", "guide") for path in sorted((DOCS / folder).glob("*.md"))]
    return [path for path in found if "file_format: mystnb" in path.read_text(encoding="utf-8")[:80]]


def name_of(page: Path) -> str:
    """Name of a page's notebook, without its ending: "start-map" of docs/start/map.md."""
    return f"{page.parent.name}-{page.stem}"


def first_cell(page: str) -> str:
    """Code that stands in place of a page's own first cell: it writes the tables that the page names."""
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted((DOCS / "data").iterdir())}
    named = {name: text for name, text in files.items() if name in page and name.endswith((".csv", ".json"))}
    parts = ["import os\nfrom pathlib import Path", "os.environ['TTY_COMPATIBLE'] = '0'  # no moving bars"]
    parts += ["%matplotlib inline"] * (" plots" in page)
    if named:
        parts.append("# The small tables of this page")
        parts += [f"Path({name!r}).write_text({text!r}, encoding='utf-8')" for name, text in named.items()]
    if "framed(" in page:
        parts += ["import html", inspect.getsource(trying.Shown), inspect.getsource(trying.framed)]
    return "\n\n".join(parts)


def notebook_of(page: Path) -> Any:
    """The notebook of a page, without outputs where the page was not executed."""
    text = page.read_text(encoding="utf-8")
    made = read_myst_markdown_notebook(text)
    if EXECUTED.exists():
        with contextlib.suppress(KeyError):  # not executed, or another version of it
            made = get_cache(EXECUTED).merge_match_into_notebook(made)[1]
    cells = []
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", cell.source)  # they lead to no file here
        elif "setup" in cell.metadata.get("tags", []):
            cell.source, cell.outputs = first_cell(text), []
        elif re.search(r"^kept\(", cell.source, re.M):
            continue
        cells.append(cell)
    made.cells = cells
    made.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.validate(made)
    return made


def execute(made: Any) -> None:
    """Execute a notebook in a folder of its own.

    Raises:
        CellExecutionError: a cell fails.
        RuntimeError: a command of a cell fails, which IPython passes over.
    """
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(made, timeout=600, resources={"metadata": {"path": folder}}).execute()
    for cell in made.cells:
        shown = "".join(o.get("text", "") for o in cell.get("outputs", []) if o.output_type == "stream")
        if re.search(r"^Error: |command not found", shown, re.M):
            raise RuntimeError(f"{cell.source}\n{shown}")


def main(words: list[str]) -> None:
    out = Path(words[0])
    out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("NO_COLOR", "1")
    for page in pages():
        made = notebook_of(page)
        if "--run" in words:
            execute(made)
        nbformat.write(made, out / f"{name_of(page)}.ipynb")
        print(out / f"{name_of(page)}.ipynb")


if __name__ == "__main__":
    main(sys.argv[1:])
