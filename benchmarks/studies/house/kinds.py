"""Where the code knows a kind of data or a task by name, and where it asks which one it has.

Names are looked for in code alone, never in docstrings and comments: in identifiers, in the parts of imported modules,
and in strings. They are given as patterns, so that a class that is called otherwise later, such as ``MaskReader`` for
``PixelReader``, is still found.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parsed import File

HOMES = ("kinds", "tasks", "modalities")
"""Folders of the package in which a kind or a task may be named."""

NAMED = {
    "segmentation": (
        re.compile(r"Segment(?:ation|er|Images)\w*|(?:Mask|Pixel)[A-Z]\w*|UNet|segmentation|segmenter"),
        {"segmentation", "unet", "pixels", "masks", "mean IoU", "miou"},
    ),
    "tagging": (
        re.compile(r"Tagg(?:ing|er)\w*|(?:Sentence|Word)[A-Z]\w*|tagging|tagger"),
        {"tagging", "sentences", "tags", "entity F1"},
    ),
}
"""For each of two kinds, a pattern for whole identifiers and a set of strings that name it."""

IN_TEMPLATES = {"segmentation": re.compile(r"\bsegmentation\b"), "tagging": re.compile(r"\btagging\b")}

OF_A_KIND = re.compile(
    r"Classification|Segmentation|Tagging|Detection|Encodes|\w*Reader|\w*Kind|\w+Inputs|Features|\w+Features|Tokens"
    r"|\w+Tokens|Images|\w+Images|(?:Text|Word|Backbone)Classifier|UNet"
)
"""Classes that stand for one task, one reader, one kind of input or of examples, or a network of one of these."""

KINDS = {
    "classification", "tagging", "image", "segmentation", "text", "texts", "words", "sentences", "images", "masks",
    "features", "array", "rows", "tags", "pixels", "unet", "small_cnn", "mean IoU", "entity F1", "accuracy",
}  # fmt: skip
"""Names of kinds of data, of tasks, of their measures and of their networks, in all vocabularies that were found."""


def kinds(package: list[File], folder: Path) -> dict[str, Any]:
    """Files that name a task or a kind, and the questions which one it is."""
    types = {file.name: sum(1 for _ in _type_questions(file.tree)) for file in package}
    words = {file.name: sum(1 for _ in _word_questions(file.tree)) for file in package}
    return {
        **_naming(package, folder),
        "type_questions": _counted(types),
        "string_questions": _counted(words),
        "questions_by_file": dict((Counter(types) + Counter(words)).most_common()),
    }


def _naming(package: list[File], folder: Path) -> dict[str, Any]:
    """Files and templates that name each kind, and those of them outside the folders of kinds and tasks."""
    templates = [(p.relative_to(folder).as_posix(), p.read_text("utf-8")) for p in sorted(folder.rglob("*.html"))]
    found: dict[str, list[str]] = {}
    for kind, (identifiers, strings) in NAMED.items():
        found[kind] = [file.name for file in package if _names(file, identifiers, strings)]
        found[kind] += [name for name, text in templates if IN_TEMPLATES[kind].search(text)]
    found["either"] = sorted(set().union(*found.values()))
    outside = {kind: [name for name in names if name.split("/")[0] not in HOMES] for kind, names in found.items()}
    return {
        "files_naming": {kind: len(names) for kind, names in found.items()},
        "files_naming_outside": {kind: len(names) for kind, names in outside.items()},
        "named_outside_in": outside,
    }


def _names(file: File, identifiers: re.Pattern[str], strings: set[str]) -> bool:
    return any(identifiers.fullmatch(name) for name in _identifiers(file.tree)) or any(
        isinstance(node, ast.Constant) and node.value in strings and node not in file.loose_strings
        for node in ast.walk(file.tree)
    )


def _identifiers(tree: ast.AST) -> Iterator[str]:
    """Names that are defined, used or imported; of keyword arguments and attributes the names too."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.keyword(arg=str(name)):
                yield name
            case ast.alias(name=name):
                yield from name.split(".")
            case ast.ImportFrom(module=str(name)):
                yield from name.split(".")


def _type_questions(tree: ast.AST) -> Iterator[ast.AST]:
    """Calls of ``isinstance`` with a class of `OF_A_KIND`, and patterns of ``match`` that name one."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="isinstance"), args=[_, wanted]) if _mentions(wanted):
                yield node
            case ast.MatchClass(cls=wanted) if _mentions(wanted):
                yield node


def _mentions(node: ast.AST) -> bool:
    return any(OF_A_KIND.fullmatch(name) for name in _identifiers(node))


def _word_questions(tree: ast.AST) -> Iterator[ast.AST]:
    """Comparisons (==, !=, in, not in) with a string of `KINDS`, and patterns of ``match`` that are one."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others) if any(map(_is_kind, [left, *others])):
                yield node
            case ast.MatchValue(value=value) if _is_kind(value):
                yield node


def _is_kind(node: ast.expr) -> bool:
    """Whether it is a string of `KINDS`, or a tuple, list or set with one in it."""
    parts = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    return any(isinstance(part, ast.Constant) and part.value in KINDS for part in parts)


def _counted(by_file: dict[str, int]) -> dict[str, int]:
    """How many, in how many files, and how many outside the folders of kinds and tasks."""
    outside = sum(count for name, count in by_file.items() if name.split("/")[0] not in HOMES)
    return {"count": sum(by_file.values()), "files": sum(n > 0 for n in by_file.values()), "outside": outside}
