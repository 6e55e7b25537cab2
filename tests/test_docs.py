"""The documentation: every page that a message names is there, and every page is named by some message."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from tutelage.ops.pages import Page

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tools"))

import first_messages  # noqa: E402
import follow  # noqa: E402

DOCS = ROOT / "docs"
PAGES = {path.stem for path in (DOCS / "warnings").glob("*.md")} - {"index"}
HANDED_ON = {"warn(line, stacklevel=2)", "warn(line, stacklevel=4)", "warn(what, stacklevel=3)"}
"""Calls that hand on lines which name their page already."""

KIND_OF = {name: name for name in ("sentences", "images", "masks", "rows")}
"""Kind of data of a page that is named after it; of others, texts."""

OWN = sorted(path for folder in ("start", "kinds", "guide", "warnings") for path in (DOCS / folder).glob("*.md"))
OWN += [DOCS / f"{name}.md" for name in ("index", "gallery", "api", "explanation")]


def messages() -> Iterator[tuple[str, str, str | None]]:
    """Each call of the library that asks, warns or says: the function, the call, and the page that it names."""
    for path in sorted((ROOT / "src" / "tutelage").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                named = [k.value.value for k in node.keywords if k.arg == "page" and isinstance(k.value, ast.Constant)]
                if name == "on_page" and len(node.args) == 2 and isinstance(node.args[1], ast.Constant):
                    named = [node.args[1].value]
                yield name, ast.unparse(node), named[0] if named else None


def test_every_page_that_a_message_may_name_is_there_and_no_other():
    assert set(get_args(Page)) == PAGES


def test_every_page_is_named_by_a_message():
    assert {page for _, _, page in messages() if page is not None} == PAGES


def test_every_warning_names_its_page():
    warned = [(call, page) for name, call, page in messages() if name == "warn" and "warnings.warn" not in call]
    assert {call for call, page in warned if page is None} == HANDED_ON
    assert len(warned) > 15


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_shows_the_message_and_says_why_and_what_to_do(name):
    text = (DOCS / "warnings" / f"{name}.md").read_text(encoding="utf-8")
    assert re.match(r"# .+\n\n    \S", text)
    assert text.index("\n## Why\n") < text.index("\n## What to do\n")
    assert text.count("\n- ") >= 1
    index = (DOCS / "warnings" / "index.md").read_text(encoding="utf-8")
    assert f"[{name}]({name}.md)" in index
    assert name in index.split("{toctree}")[1].splitlines()


@pytest.mark.parametrize("page", OWN, ids=lambda path: str(path.relative_to(DOCS)))
def test_links_between_pages_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for link in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
        if not link.startswith("http") and "methods/" not in link:
            assert (page.parent / link).exists(), link


def test_every_path_of_the_map_has_commands_on_tables_that_are_there_and_was_followed():
    followed = json.loads((ROOT / "benchmarks" / "results" / "map_paths.json").read_text())["paths"]
    paths = follow.paths(DOCS)
    assert {name: list(path["commands"]) for name, path in followed.items()} == paths
    assert len(paths) >= 12
    named = {word for commands in paths.values() for line in commands for word in line.split() if word.endswith(".csv")}
    assert named - {"mended.csv", "audit/suspects.csv"} <= {path.name for path in (DOCS / "data").iterdir()}


def test_thirty_mistakes_are_answered_each_in_a_line_that_says_so():
    page = (DOCS / "first-messages.md").read_text(encoding="utf-8")
    shown = re.findall(r"^## (.+)\n\n```text\n\$ tutelage (.+)\n((?:.+\n)+)```$", page, re.M)
    assert [(title, words) for title, words, _ in shown] == list(first_messages.MISTAKES) and len(shown) == 30
    assert [title for title, _, answer in shown if not re.match(first_messages.MUST_READ, answer)] == []
    assert "Traceback" not in page


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("myst_nb") is None, reason="the extra docs is not installed: make docs")
def test_the_site_is_built_without_a_warning_and_its_notebooks_run(tmp_path):
    subprocess.run([sys.executable, ROOT / "tools" / "site.py"], check=True, timeout=3000)
    built = DOCS / "_build" / "html"
    for page in OWN:
        assert (built / page.relative_to(DOCS)).with_suffix(".html").exists()
    assert (built / "methods" / "drift.html").exists() and (built / "api" / "generated").is_dir()
    subprocess.run([sys.executable, ROOT / "tools" / "notebooks.py", tmp_path, "--run"], check=True, timeout=3000)
    for path in tmp_path.glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code")


@pytest.mark.parametrize("page", [path for path in OWN if "\n!tutelage " in path.read_text(encoding="utf-8")], ids=str)
def test_what_an_executed_page_types_are_commands_and_options_that_there_are(run, page):
    lines = re.findall(r"^!tutelage (.*)$", page.read_text(encoding="utf-8"), re.M)
    assert lines
    for line in lines:
        words = line.split()
        kind = ["--kind", KIND_OF.get(page.stem, "texts")]
        asked = [*words[:2], *kind] if words[0] == "fit" else words[:1]
        of_kind = run("look", *kind, "--help")[1] if words[0] == "score" else ""  # a run tells score its kind
        shown = run(*asked, "--help")[1] + of_kind
        assert {w for w in words if w.startswith("--") and not re.search(rf"{w}\b", shown)} == set(), line
