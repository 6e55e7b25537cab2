"""How the code is written: lengths, documentation, types, errors, tests."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np
from parsed import Definition, File, Function, definitions, length_without_docstring

LONG_FUNCTION, LONG_FILE, MANY_ARGUMENTS = 50, 300, 6
"""Lines of a function without its docstring, lines of a file, arguments: what is above is counted."""

COUNT = r"(?:[a-zA-Z]|n_\w+|batch|units|words|classes|width|rules)"
SHAPE = re.compile(rf"\({COUNT}(?: {COUNT})*(?:,|(?:, (?:{COUNT}|\d+|\.\.\.))+)\)|\bof shape\b")
"""A docstring gives a shape where brackets hold names or sizes of dimensions, as (n, c) or (n,)."""

CITES = re.compile(r"(?i)\barxiv\b|\bdoi\b|\bet al\b|https?://|\b(?:19|20)\d\d\b")
"""A docstring cites where it names a year, a preprint or a link."""


def style(package: list[File], tests: list[File]) -> dict[str, Any]:
    """The columns of the table of style, and the lists behind some of them."""
    functions = [function for file in package for function in file.functions]
    code = sum(len(file.code_lines) for file in package)
    return {
        "files": len(package),
        "code_lines": code,
        **_lengths(package, functions),
        **_documented(package),
        "docstring_lines_per_100": round(100 * sum(len(f.doc_lines) for f in package) / code, 1),
        "comment_lines_per_100": round(100 * sum(f.comments for f in package) / code, 1),
        **_signatures(functions),
        **_statements(package, code),
        "tests_to_code": round(sum(len(f.code_lines) for f in tests) / code, 2),
        "test_functions": sum(f.name.startswith("test_") for file in tests for f in file.functions),
        "root_modules": sum("/" not in f.name and f.name not in ("__init__.py", "__main__.py") for f in package),
    }


def _lengths(package: list[File], functions: list[Function]) -> dict[str, Any]:
    """Lengths of functions (docstrings left out) and of files (all lines), and what is too long."""
    lengths = [length_without_docstring(function) for function in functions]
    return {
        "function_length": _spread(lengths),
        "functions": len(functions),
        "functions_above_50_percent": _percent(sum(n > LONG_FUNCTION for n in lengths), len(lengths)),
        "functions_above_50": _names(package, lambda f: length_without_docstring(f) > LONG_FUNCTION),
        "file_length": _spread([file.length for file in package]),
        "files_above_300": {file.name: file.length for file in package if file.length > LONG_FILE},
    }


def _spread(values: list[int]) -> list[float]:
    """Median, 90th percentile, largest; whole numbers."""
    median, high = np.percentile(values, [50, 90])
    return [int(median + 0.5), int(high + 0.5), max(values)]


def _names(package: list[File], wanted: Any) -> list[str]:
    return [f"{file.name}:{f.name}" for file in package for f in file.functions if wanted(f)]


def _documented(package: list[File]) -> dict[str, Any]:
    """What is public, and what its docstrings hold.

    An undocumented method overrides something where a method of its name is documented in another class of the
    package: its base, or the protocol that it fills without naming it.
    """
    everything = [(file.name, d) for file in package for d in definitions(file.tree)]
    public = [(name, d) for name, d in everything if d.public]
    told = [text for _, d in public if (text := ast.get_docstring(d.node)) is not None]
    silent = [(name, d) for name, d in public if ast.get_docstring(d.node) is None]
    contracts = {d.node.name for _, d in everything if _is_method(d) and ast.get_docstring(d.node) is not None}
    bare = [f"{name}:{d.name}" for name, d in silent if not (_is_method(d) and d.node.name in contracts)]
    overrides = len(silent) - len(bare)
    return {
        "public_names": len(public),
        "undocumented": len(silent),
        "public_documented_percent": _percent(len(told), len(public)),
        "public_documented_without_overrides_percent": _percent(len(told), len(public) - overrides),
        "undocumented_that_override_nothing": bare,
        "shape_percent": _percent(sum(bool(SHAPE.search(_prose(text))) for text in told), len(told)),
        "cites_percent": _percent(sum(bool(CITES.search(_prose(text))) for text in told), len(told)),
        "example_percent": _percent(sum(">>>" in text for text in told), len(told)),
    }


def _is_method(definition: Definition) -> bool:
    return definition.in_class and isinstance(definition.node, Function)


def _prose(docstring: str) -> str:
    """A docstring without the lines that an example types in."""
    return "\n".join(line for line in docstring.splitlines() if not line.lstrip().startswith((">>>", "...")))


def _signatures(functions: list[Function]) -> dict[str, Any]:
    """Types, and functions with many arguments; ``self`` and ``cls`` are none."""
    named = {id(f): _arguments(f) for f in functions}
    rest = [a for f in functions for a in (f.args.vararg, f.args.kwarg) if a is not None]
    arguments = [a for of_one in named.values() for a in of_one] + rest
    many = sorted(((len(named[id(f)]), f.name) for f in functions if len(named[id(f)]) > MANY_ARGUMENTS), reverse=True)
    return {
        "arguments_typed_percent": _percent(sum(a.annotation is not None for a in arguments), len(arguments)),
        "returns_typed_percent": _percent(sum(f.returns is not None for f in functions), len(functions)),
        "kwargs_percent": _percent(sum(f.args.kwarg is not None for f in functions), len(functions)),
        "more_than_6_arguments": len(many),
        "most_arguments": [f"{name} {count}" for count, name in many[:10]],
    }


def _arguments(function: Function) -> list[ast.arg]:
    args = function.args
    return [a for a in [*args.posonlyargs, *args.args, *args.kwonlyargs] if a.arg not in ("self", "cls")]


def _statements(package: list[File], code: int) -> dict[str, float]:
    """Errors raised, assertions and prints a thousand lines of code."""
    nodes = [node for file in package for node in ast.walk(file.tree)]
    prints = [n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "print"]
    counts = {
        "raise": sum(isinstance(n, ast.Raise) for n in nodes),
        "assert": sum(isinstance(n, ast.Assert) for n in nodes),
        "print": len(prints),
    }
    return {f"{name}_per_1000": round(1000 * count / code, 1) for name, count in counts.items()}


def _percent(part: int, whole: int) -> float:
    return round(100 * part / max(whole, 1), 1)
