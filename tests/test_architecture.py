"""Imports run one way, nobody but a kind asks which kind of data it is, and one batch can be followed in few lines."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tutelage import kinds
from tutelage.data import Features, Loader
from tutelage.methods import Drift
from tutelage.modalities.head import Head
from tutelage.tasks import TASKS, Classification
from tutelage.train import Training, train

SOURCE = Path(__file__).parents[1] / "src" / "tutelage"

ENGINE = {"types", "ops", "game", "memory", "comm", "tasks", "methods", "train"}
READING = {"data", "files", "modalities.base", "modalities.head"}
FITTING = ENGINE | READING | {"pages", "graph", "weak", "adapting", "fit"}

MAY_IMPORT = {
    "types": set(),
    "files": {"types", "files"},
    "pages": {"types", "pages"},
    "engines": {"engines"},
    "ops": {"types", "ops"},
    "game": {"types", "ops", "comm", "game"},
    "memory": {"types", "files"},
    "comm": {"types"},
    "tasks": {"types", "ops", "tasks"},
    "copies": {"types", "ops", "copies"},
    "graph": {"types", "ops", "graph"},
    "distil": {"types", "ops", "distil"},
    "ask": {"types", "ops", "graph", "copies", "ask"},
    "data": {"types", "ops", "files", "data"},
    "tables": {"types", "ops.pages", "ops.visible", "files", "data.errors", "data.how", "data.hub", "data.nearest",
        "tables"},
    "exchange": {"types", "ops", "files", "data.errors", "tables", "exchange"},
    "weak": {"types", "ops", "data", "tables", "files", "weak"},
    "weights": {"types", "files", "data", "weights"},
    "methods": {"types", "ops", "game", "memory", "tasks", "data", "graph", "weak", "methods"},
    "train": {"types", "ops", "game", "memory", "tasks", "methods", "data", "comm", "files", "train"},
    "modalities": {"types", "ops", "copies", "data", "tables", "files", "engines", "weights", "modalities"},
    "adapting": ENGINE | READING | {"modalities.with_encoder", "modalities.units", "adapting"},
    "fit": FITTING,
    "model": {"types", "ops", "tasks", "copies", "data", "files", "train", "modalities"},
    "export": {"types", "data", "files", "train", "modalities", "model", "export"},
    "kinds": {
        "types", "ops", "tasks", "copies", "ask", "data", "tables", "files", "exchange", "engines", "weak", "weights",
        "adapting", "fit", "model", "modalities", "kinds",
    },
    "report": {
        "types", "ops.visible", "tables.formulas", "data.cards", "files", "pages", "weights", "methods.catalogue",
        "fit", "model", "kinds", "report",
    },
    "track": {"types", "ops", "tables", "files", "fit", "model", "kinds", "track"},
    "plots": {"files", "report", "plots"},
    "estimators": {
        "types", "ops", "methods", "copies", "ask", "data", "tables", "files", "distil", "weak", "adapting", "fit",
        "model", "modalities.encoder", "modalities.head", "kinds", "report", "track", "estimators",
    },
    "annotate": {"types", "ops", "data", "tables", "files", "weak", "weights", "annotate"},
    "run": {
        "types", "ops", "comm", "methods", "train", "copies", "ask", "data", "tables", "files", "engines", "weak",
        "weights", "adapting", "fit", "model", "modalities.base", "modalities.cache", "modalities.encoder", "exchange",
        "export", "kinds", "report", "track", "annotate", "run",
    },
    "serve": {"types", "ops", "data", "tables", "files", "pages", "model", "kinds", "run", "serve"},
    "app": {"types", "tables", "files", "pages", "kinds", "run", "serve", "label", "app"},
    "label": {"types", "ops", "ask", "data", "tables", "files", "pages", "kinds", "run", "serve", "label"},
    "audit": {
        "types", "ops", "copies", "data", "tables", "files", "pages", "distil", "graph", "fit", "modalities.base",
        "modalities.images", "kinds", "report", "run", "audit",
    },
    "federated": {
        "types", "ops", "game", "memory", "tasks", "methods", "train", "data", "tables", "files", "weights", "fit",
        "model", "modalities.base", "modalities.encoder", "modalities.head", "kinds", "run", "federated",
    },
    "bench": {
        "types", "ops", "methods", "tasks", "train", "data", "tables", "distil", "ask", "fit", "modalities.base",
        "modalities.head", "kinds", "model", "weak", "report", "estimators", "bench",
    },
    "cli": {
        "ops", "data.nearest", "methods", "run", "serve", "label", "app", "audit", "federated", "bench",
    },
}  # fmt: skip
"""The parts, from the lowest on, and what each may import."""

SHARED_BY_KINDS = {
    "adapting", "agreement", "alike_labels", "answers", "asked_labels", "asking", "base", "beside_labels",
    "candidates", "cells", "class_labels", "commonest", "contradictions", "copied", "copies", "dataset", "declared",
    "declared_shares", "entries", "faces", "grown", "known_answers", "known_pool", "labelling", "left_out", "ledger",
    "nearness", "odd_labels", "odd_votes", "on_disk", "one_class", "one_vote", "opinions", "origins", "pictures",
    "pixel_scores", "pool_folder", "pool_reading", "predicting", "rare", "reading", "sample", "stored", "summary",
    "tagged", "tallies", "teachers", "told",
    "exchanged", "exchanged_tables",
}  # fmt: skip
SHARED_BY_MODALITIES = {
    "architecture", "base", "cache", "encoder", "exported", "fingerprint", "graphs", "head", "known", "learnt",
    "precision", "units", "with_encoder",
}  # fmt: skip


def imports(path: Path) -> Iterator[str]:
    """The modules of the library that a file imports, also within functions, without "tutelage."."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tutelage":
            module = (node.module or "").removeprefix("tutelage").removeprefix(".")
            for alias in node.names:
                inner = SOURCE / module.replace(".", "/") / alias.name
                named = inner.with_suffix(".py").exists() or inner.is_dir()
                yield ".".join(filter(None, [module, alias.name])) if named else module
        if isinstance(node, ast.Import):
            yield from (a.name.removeprefix("tutelage.") for a in node.names if a.name.startswith("tutelage."))


def files_of(part: str) -> list[Path]:
    return [SOURCE / f"{part}.py"] if (SOURCE / f"{part}.py").exists() else sorted((SOURCE / part).rglob("*.py"))


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_run_one_way(part):
    assert files_of(part)
    for file in files_of(part):
        for module in filter(None, imports(file)):
            within = (module.rsplit(".", k)[0] for k in range(module.count(".") + 1))
            assert MAY_IMPORT[part] & set(within), f"{file}: {module}"


def test_every_part_has_a_place_in_the_flow():
    parts = {p.stem for p in SOURCE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert parts == set(MAY_IMPORT) | {"__init__", "__main__"}


def test_at_most_eight_modules_lie_at_the_root():
    assert len(list(SOURCE.glob("*.py"))) <= 8


def test_no_part_imports_one_that_imports_it():
    """The flow has no circle: each part's imports can be done before it."""
    left = {part: {m.split(".")[0] for m in allowed} - {part} for part, allowed in MAY_IMPORT.items()}
    while left:
        ready = [part for part, needs in left.items() if not needs & set(left)]
        assert ready, left
        for part in ready:
            del left[part]


@pytest.mark.parametrize(
    ("folder", "shared"),
    [("kinds", SHARED_BY_KINDS), ("modalities", SHARED_BY_MODALITIES)],
    ids=["kinds", "modalities"],
)
def test_a_kind_and_a_modality_know_no_other(folder, shared):
    for file in (SOURCE / folder).rglob("*.py"):
        own = file.relative_to(SOURCE / folder).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        others = {m.split(".")[1] for m in imports(file) if m.startswith(f"{folder}.")} - shared - {own}
        assert not others, f"{file}: {others}"


def asked(file: Path) -> set[str]:
    """What a file says by which it knows a kind of data: classes of tasks and kinds, and comparisons with names."""
    classes = {type(task).__name__ if not isinstance(task, type) else task.__name__ for task in TASKS.values()}
    classes |= {row.class_name for row in kinds.TABLE.values()}
    words = {*TASKS, *kinds.TABLE, *(row.task_word for row in kinds.TABLE.values())} - {""}
    modules = {f"tutelage.kinds.{row.module}" for row in kinds.TABLE.values()}
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            from_kinds = node.module in {"tutelage.tasks", "tutelage.kinds", *modules}
            found |= {a.name for a in node.names if from_kinds and (a.name in classes or node.module in modules)}
        if isinstance(node, (ast.Compare, ast.MatchValue)):
            found |= {c.value for c in ast.walk(node) if isinstance(c, ast.Constant) and c.value in words}
    return found


def test_nobody_but_a_kind_asks_which_kind_of_data_it_is():
    homes = ("kinds", "tasks", "modalities")
    outside = [file for file in SOURCE.rglob("*.py") if file.relative_to(SOURCE).parts[0] not in homes]
    found = {str(file.relative_to(SOURCE)): said for file in outside if (said := asked(file))}
    assert found == {}


def test_the_gate_sees_one_who_asks(tmp_path):
    for text in (
        "from tutelage.tasks import Tagging", "from tutelage.kinds.masks import maps", 'x = kind == "texts"',
        'if task.name in ("tagging", "other"): pass', 'match kind:\n    case "rows": pass',
    ):  # fmt: skip
        (tmp_path / "a.py").write_text(text)
        assert asked(tmp_path / "a.py"), text
    (tmp_path / "a.py").write_text('found = {"rows": 3}["rows"]\n"""texts"""')
    assert not asked(tmp_path / "a.py")


@pytest.fixture(scope="module")
def entered():
    """The code of each function of the library that is entered in one step of DRIFT on rows of features."""
    called = set()

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(str(SOURCE)):
            called.add(frame.f_code)

    rows = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    loader = Loader(Features(rows[:4]), torch.tensor([0, 1, 0, 1]), Features(rows), 4, 8)
    task = Classification(2)
    given = Drift().settled(task), task, Head(4, 2), loader, Training(steps=1)  # as a fit hands them over
    sys.setprofile(note)
    try:
        train(*given)
    finally:
        sys.setprofile(None)
    return [c for c in called if c.co_name not in ("<genexpr>", "<listcomp>", "<dictcomp>", "<lambda>")]


def test_one_drift_batch_is_followed_in_at_most_450_lines(entered):
    """Counts every line, docstrings too, of each function of the library that one step calls."""
    lines = sum(len(inspect.getsourcelines(c)[0]) for c in entered)
    methods = {c.co_qualname for c in entered}
    assert {"Drift.loss", "Stackelberg.move", "Ema.play", "train", "sharpen"} <= methods
    assert lines <= 450, sorted((len(inspect.getsourcelines(c)[0]), c.co_qualname) for c in entered)


def test_one_drift_batch_is_followed_in_at_most_14_files(entered):
    assert len({c.co_filename for c in entered}) <= 14, sorted({c.co_filename for c in entered})
