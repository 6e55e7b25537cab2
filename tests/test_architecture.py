"""Imports run one way, and one batch can be followed in few lines."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "tutelage"

MAY_IMPORT = {
    "types": set(),
    "ops": {"types", "ops"},
    "game": {"types", "ops", "game"},
    "memory": {"types"},
    "comm": {"types"},
    "checkpoint": {"types"},
    "store": {"types", "checkpoint"},
    "tasks": {"types", "tasks"},
    "methods": {"types", "ops", "game", "memory", "tasks", "methods"},
    "data": {"types", "data"},
    "train": {"types", "ops", "game", "memory", "tasks", "methods", "data", "comm", "checkpoint"},
    "models": {"types", "data", "models"},
    "evidence": {"ops"},
    "reference": {"models"},
    "fitting": {
        "types", "memory", "tasks", "methods", "data", "train", "store", "evidence", "reference",
    },
    "problems": {"tasks", "data", "models", "reference", "fitting", "train"},
    "saving": {"tasks", "data", "models", "train", "checkpoint"},
}  # fmt: skip
"""The parts below the outermost ones (report, estimators, runs, demo, cli), and what each may import."""


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tutelage":
            parts = (node.module or "").split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("tutelage.")}
    return found


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_run_one_way(part):
    files = [SOURCE / f"{part}.py"] if (SOURCE / f"{part}.py").exists() else list((SOURCE / part).rglob("*.py"))
    assert files
    for file in files:
        assert imports(file) <= MAY_IMPORT[part], file


def test_every_part_has_a_place_in_the_flow():
    outermost = {"report", "estimators", "runs", "demo", "cli", "__init__", "__main__"}
    parts = {p.stem for p in SOURCE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert parts == set(MAY_IMPORT) | outermost


def test_one_drift_batch_is_followed_in_about_450_lines():
    path = ["methods/drift.py", "game/player.py", "game/responses.py", "game/rules.py"]
    path += ["ops/labels.py", "ops/weights.py", "ops/losses.py", "train.py"]
    code = 0
    for name in path:
        text = (SOURCE / name).read_text()
        docs = sum(
            (d.end_lineno or d.lineno) - d.lineno + 1
            for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node)
            for d in [node.body[0]]
        )
        code += sum(bool(line.strip()) for line in text.splitlines()) - docs
    assert code <= 470
