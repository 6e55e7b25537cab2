"""Python files as text, syntax tree and kinds of lines: what the other modules count in."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
Named = Function | ast.ClassDef
LAYOUT = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.COMMENT}


@dataclass
class File:
    """One Python file of a package or of its tests.

    Attributes:
        name: path from the package's folder, with slashes.
    """

    name: str
    text: str
    tree: ast.Module = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.text)

    @property
    def length(self) -> int:
        """All lines, blank ones too."""
        return len(self.text.splitlines())

    @cached_property
    def doc_lines(self) -> set[int]:
        """Lines of strings that stand alone: docstrings, and the strings below constants and fields."""
        return {line for s in self.loose_strings for line in range(s.lineno, (s.end_lineno or s.lineno) + 1)}

    @cached_property
    def loose_strings(self) -> set[ast.Constant]:
        """The strings that stand alone as a statement."""
        values = [node.value for node in ast.walk(self.tree) if isinstance(node, ast.Expr)]
        return {v for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)}

    @cached_property
    def code_lines(self) -> set[int]:
        """Lines that hold a part of a statement and are no docstring; blank and comment lines are none."""
        lines = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in LAYOUT:
                lines |= set(range(token.start[0], token.end[0] + 1))
        return lines - self.doc_lines

    @cached_property
    def comments(self) -> int:
        """Lines with a comment, beside code or alone."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return len({token.start[0] for token in tokens if token.type == tokenize.COMMENT})

    @cached_property
    def functions(self) -> list[Function]:
        """All functions and methods, private and nested ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    @cached_property
    def classes(self) -> list[ast.ClassDef]:
        """All classes."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef)]


def files_of(folder: Path) -> list[File]:
    """All Python files below a folder, by their paths."""
    return [File(p.relative_to(folder).as_posix(), p.read_text("utf-8")) for p in sorted(folder.rglob("*.py"))]


def length_without_docstring(function: Function) -> int:
    """Lines from ``def`` to the end, decorators and docstring left out."""
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring_length(function)


def docstring_length(function: Function) -> int:
    """Lines of a function's docstring; 0 where it has none."""
    if ast.get_docstring(function) is None:
        return 0
    return (function.body[0].end_lineno or 0) - function.body[0].lineno + 1


@dataclass(frozen=True)
class Definition:
    """A function, method or class at the level of a module or of a class.

    Attributes:
        name: with the names of the classes that it stands in.
        public: neither it nor a class that it stands in begins with an underscore.
    """

    name: str
    node: Named
    in_class: bool
    public: bool


def definitions(tree: ast.Module) -> Iterator[Definition]:
    """All definitions of a module that are not nested in a function."""
    yield from _within(tree.body, "", in_class=False, public=True)


def _within(body: list[ast.stmt], prefix: str, in_class: bool, public: bool) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            yield from _within(node.body, prefix, in_class, public)
        elif isinstance(node, Named):
            shown = public and not node.name.startswith("_")
            yield Definition(prefix + node.name, node, in_class, shown)
            if isinstance(node, ast.ClassDef):
                yield from _within(node.body, f"{prefix}{node.name}.", in_class=True, public=shown)
