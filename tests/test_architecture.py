"""Imports run one way, and one batch can be followed in few lines."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

import pytest
import torch

from tutelage.data import Features, Loader
from tutelage.methods import Drift
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training, train

SOURCE = Path(__file__).parents[1] / "src" / "tutelage"

MAY_IMPORT = {
    "types": set(),
    "ops": {"types", "ops"},
    "game": {"types", "ops", "game"},
    "memory": {"types", "files"},
    "comm": {"types"},
    "files": {"types"},
    "tasks": {"types", "ops", "tasks"},
    "weak": {"ops", "data", "weak"},
    "distil": {"ops", "distil"},
    "audit": {"ops", "files", "data", "modalities", "distil", "kinds", "fit", "report", "run", "audit"},
    "graph": {"ops", "graph"},
    "methods": {"types", "ops", "game", "memory", "tasks", "data", "graph", "methods"},
    "data": {"types", "ops", "data", "modalities"},
    "train": {"types", "ops", "game", "memory", "tasks", "methods", "data", "comm", "files"},
    "modalities": {"types", "ops", "data", "modalities"},
    "fit": {"types", "ops", "game", "memory", "tasks", "methods", "data", "train", "files", "modalities", "fit"},
    "run": {
        "types", "ops", "tasks", "methods", "data", "train", "files", "modalities", "fit", "model", "kinds", "report",
        "run",
    },
    "kinds": {"ops", "tasks", "methods", "data", "modalities", "weak", "fit", "run", "kinds"},
    "model": {"tasks", "data", "modalities", "train", "files"},
}  # fmt: skip
"""The parts below the outermost ones, and what each may import."""


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
    outermost = {"report", "estimators", "cli", "bench", "__init__", "__main__"}
    parts = {p.stem for p in SOURCE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert parts == set(MAY_IMPORT) | outermost


def test_one_drift_batch_is_followed_in_at_most_450_lines():
    """Counts every line, docstrings too, of each function of the library that one step calls."""
    called = set()

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(str(SOURCE)):
            called.add(frame.f_code)

    rows = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    loader = Loader(Features(rows[:4]), torch.tensor([0, 1, 0, 1]), Features(rows), 4, 8)
    sys.setprofile(note)
    try:
        train(Drift(), Classification(2), Head(4, 2), loader, Training(steps=1))
    finally:
        sys.setprofile(None)
    outer = [c for c in called if c.co_name not in ("<genexpr>", "<listcomp>", "<dictcomp>", "<lambda>")]
    lines = sum(len(inspect.getsourcelines(c)[0]) for c in outer)
    methods = {c.co_qualname for c in outer}
    assert {"Drift.loss", "Stackelberg.move", "Ema.play", "train", "sharpen"} <= methods
    assert lines <= 450, sorted((len(inspect.getsourcelines(c)[0]), c.co_qualname) for c in outer)
