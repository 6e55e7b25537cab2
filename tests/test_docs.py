"""The documentation: every page that a message names is there, and every page is named by some message."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from tutelage.ops.pages import Page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {path.stem for path in (DOCS / "warnings").glob("*.md")} - {"index"}
HANDED_ON = {"warn(line, stacklevel=2)", "warn(line, stacklevel=4)"}
"""Calls that hand on lines which name their page already."""

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
    assert f"[{name}]({name}.md)" in (DOCS / "warnings" / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", OWN, ids=lambda path: str(path.relative_to(DOCS)))
def test_links_between_pages_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for link in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
        if not link.startswith("http") and "methods/" not in link:
            assert (page.parent / link).exists(), link
