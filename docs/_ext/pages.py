"""What Sphinx is taught for this site: pages of the methods, docstrings as reST, and where pages are executed.

A page of a method is made from its docstring and its source when the site is built, into docs/methods.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from tutelage import methods
from tutelage.methods.catalogue import TABLE, Entry

FAMILIES = {
    "labels only": "Learns the labels and nothing else: the rival of every other method.",
    "brought teacher": "Learns from a teacher that you bring.",
    "slow teacher": "The teacher is a moving average of the student.",
    "self-training": "The model learns what it said itself.",
    "consistency": "The model must say the same of two views.",
    "weak to strong": "The answer on an undisturbed view teaches a disturbed one.",
    "two networks": "Two networks teach each other.",
    "graph": "Labels spread to near rows.",
    "classifiers": "Classical classifiers rather than networks.",
    "noisy labels": "Learns labels of which some are wrong; needs no pool.",
}
"""Families of methods in the order of the index, with a sentence each."""


OF_METHODS = {getattr(methods, entry.class_name) for entry in TABLE.values()}
"""Classes of the methods."""


def equation(docstring: str) -> str:
    """The paragraphs of a class's docstring that hold its equation, as they are written.

    They lie between the first sentence and the paragraph that begins with "Source:" or "Args:".
    """
    paragraphs = inspect.cleandoc(docstring).split("\n\n")[1:]
    found = []
    for paragraph in paragraphs:
        if re.match(r"(Source|Args|Attributes|Raises|>>>)", paragraph):
            break
        found.append(paragraph)
    return "\n\n".join(found)


def without_equation(docstring: str) -> str:
    """A class's docstring without the paragraphs of `equation`."""
    found = equation(docstring)
    return docstring.replace(f"{found}\n\n", "", 1) if found else docstring


def without_docstring(source: str) -> str:
    """Source of a class without its fields, its docstring, and those of its methods."""
    tree = ast.parse(source)
    (made,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    fields = [node for node in made.body if isinstance(node, (ast.AnnAssign, ast.Assign))]
    drop = {i for node in fields for i in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            first = node.body[0]
            drop |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines = [line for i, line in enumerate(source.splitlines(), start=1) if i not in drop]
    return re.sub(r"(class .*:\n)\n+", r"\1", "\n".join(lines))


def page_of(entry: Entry) -> str:
    """Page of a method, in MyST."""
    method = getattr(methods, entry.class_name)
    source = without_docstring(inspect.getsource(method))
    learns = "its labels" if entry.family == "noisy labels" else "labels and a pool"
    paper = f"{entry.citation}. " if entry.paper else ""
    said = equation(method.__doc__ or "") or "This method has no equation of its own; what it does is in its code."
    return f"""---
html_theme.sidebar_secondary.remove: true
---
# {entry.name}

{entry.sentence.replace("`", "")}

{paper}Family: {entry.family}. It learns from {learns}.

```console
tutelage fit {entry.name} --train mine.csv --text text --label label --out run
```
```python
Classifier("{entry.name}").fit(texts, labels)
```

## The equation, and the lines that compute it

::::{{container}} equation
```text
{said}
```
::::

```python
{source}
```

## Its settings

```{{eval-rst}}
.. autoclass:: tutelage.methods.{entry.class_name}
   :no-index-entry:
```
"""


def index() -> str:
    """Page that lists the methods by family."""
    parts = [
        '# Methods\n\nEach method is one file, and each page here is made from that file. `Classifier("drift")` or '
        "`tutelage fit drift` names one; `auto` tries them for you. [Which gain what](../results.md) was measured on "
        "equal terms.\n"
    ]
    for family, says in FAMILIES.items():
        rows = [entry for entry in TABLE.values() if entry.family == family]
        lines = [f"| [{e.name}]({e.name}.md) | {e.sentence.replace('`', '')} | {e.citation} |" for e in rows]
        parts.append(f"## {family.capitalize()}\n\n{says}\n\n| method | what it does | source |\n|---|---|---|\n")
        parts[-1] += "\n".join(lines) + "\n"
    parts.append("```{toctree}\n:hidden:\n\n" + "\n".join(TABLE) + "\n```\n")
    return "\n".join(parts)


def skip(app: Sphinx, what: str, name: str, thing: Any, skipped: bool, options: Any) -> bool | None:
    """Leave out what scikit-learn adds to each estimator for the routing of metadata."""
    return True if name.endswith("_request") or name == "get_metadata_routing" else None


def write_methods(app: Sphinx) -> None:
    """Write a page for each method, and their index, where they are not as they would be written."""
    unplaced = {entry.family for entry in TABLE.values()} - set(FAMILIES)
    if unplaced:
        raise ValueError(f"docs/_ext/pages.py must say a sentence on each family of methods, and lacks {unplaced}")
    folder = Path(app.srcdir) / "methods"
    folder.mkdir(exist_ok=True)
    pages = {"index": index()} | {entry.name: page_of(entry) for entry in TABLE.values()}
    for path in folder.glob("*.md"):
        if path.stem not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def as_rest(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Mark what reST would read otherwise than a docstring means it, such as the strokes of |B|."""
    if thing in OF_METHODS:  # their pages show the equation beside the code
        lines[:] = without_equation("\n".join(lines)).split("\n")
    within = False
    for i, line in enumerate(lines):
        within = line.lstrip().startswith((">>>", "...")) or (within and line.strip() != "")
        if not within:
            parts = re.split(r"(``.*?``|`.*?`)", line)
            parts[::2] = [re.sub(r"([*|\\])", r"\\\1", part) for part in parts[::2]]
            parts[::2] = [re.sub(r"(\w)_(?=[\s,;.)]|$)", r"\1\\_", part) for part in parts[::2]]
            lines[i] = "".join(parts)


def prepare(app: Sphinx) -> None:
    """Let pages run in a fresh folder that holds the tables of docs/data, with the features of earlier builds."""
    build = Path(app.srcdir) / "_build"
    os.environ.setdefault("TUTELAGE_CACHE", str(build / "features"))
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two pages run at a time
    os.environ |= {"NO_COLOR": "1", "COLUMNS": "100", "TTY_COMPATIBLE": "0"}  # no bars, though Jupyter asks for them
    os.environ["TUTELAGE_DOCS"] = str(app.srcdir)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(Path(app.srcdir) / "_ext"), *filter(None, [os.environ.get("PYTHONPATH")])]
    )


def copy_reports(app: Sphinx, error: Exception | None) -> None:
    """Put the reports that pages made beside the pages."""
    made = Path(app.srcdir) / "_build" / "reports"
    run = app.config.nb_execution_mode != "off"
    if error is None and run and app.builder.format == "html" and made.is_dir():
        shutil.copytree(made, Path(app.outdir) / "reports", dirs_exist_ok=True)
        linked = set(re.findall(r"reports/(\w+)\.html", (Path(app.srcdir) / "gallery.md").read_text(encoding="utf-8")))
        if linked != {path.stem for path in made.glob("*.html")}:
            raise ValueError(f"docs/gallery.md links the reports {linked}, but the pages made others")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect this module to Sphinx."""
    app.connect("builder-inited", prepare, priority=100)
    app.connect("builder-inited", write_methods, priority=100)
    app.connect("autodoc-process-docstring", as_rest, priority=100)
    app.connect("autodoc-skip-member", skip)
    app.connect("build-finished", copy_reports)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
