"""The table of methods is true of the classes, and costs no import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tutelage
from tutelage import methods
from tutelage.methods import METHODS
from tutelage.methods.catalogue import TABLE
from tutelage.tasks import TASKS

FOLDER = Path(methods.__file__).parent
NO_METHODS = {
    "__init__", "base", "by_classifiers", "catalogue", "committee", "fields", "fresh_rounds", "from_teacher",
    "kept", "on_graph", "own", "pool_teacher", "views",
}  # fmt: skip
NAMES = ["O", "B-X", "I-X"]


def modules_after(program: str) -> set[str]:
    """Modules that a fresh interpreter has loaded once the program is done."""
    program += "\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["tutelage", "tutelage.methods", "tutelage.methods.catalogue"])
def test_looking_methods_up_imports_neither_torch_nor_numpy(module):
    program = f"import {module}\nfrom tutelage.methods import METHODS\nassert len(METHODS) == len(list(METHODS)) > 30"
    assert not modules_after(program) & {"torch", "numpy", "scipy", "sklearn", "pandas", "cyclopts"}


def test_one_method_is_imported_without_the_others():
    loaded = modules_after("from tutelage import Drift")
    assert "tutelage.methods.drift" in loaded
    assert not loaded & {"tutelage.methods.dividemix", "tutelage.methods.tri_training", "cyclopts"}


@pytest.mark.parametrize("name", TABLE)
def test_the_table_and_the_class_agree(name):
    entry, kind = TABLE[name], METHODS[name]
    assert (kind.name, kind.__name__, kind.__module__) == (name, entry.class_name, entry.module)
    assert kind.__doc__.splitlines()[0] == entry.sentence
    assert entry.year is None or str(entry.year) in kind.__doc__
    assert entry.paper == "" or entry.paper.split()[0].rstrip(",") in kind.__doc__
    assert getattr(tutelage, entry.class_name) is getattr(methods, entry.class_name) is kind


@pytest.mark.parametrize("name", TABLE)
def test_a_method_that_remembers_units_refuses_those_that_move_and_no_others(name):
    method = METHODS[name]()
    for task in (TASKS[word].of(NAMES) for word in TASKS):
        if not (task.moves and TABLE[name].remembers):
            method.settled(task, False)
            continue
        with pytest.raises(ValueError, match=name):
            method.settled(task, False)


def test_every_file_of_a_method_has_its_row_and_is_known_to_type_checkers():
    assert {p.stem for p in FOLDER.glob("*.py")} - NO_METHODS == set(TABLE)
    seen = {
        (node.module, alias.name)
        for node in ast.walk(ast.parse((FOLDER / "__init__.py").read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == alias.asname
    }
    assert seen == {(module, name) for name, module in methods.CLASSES.items()}


def test_the_table_of_methods_is_a_mapping():
    assert METHODS["drift"] is tutelage.Drift
    assert "drift" in METHODS and "auto" not in METHODS
    assert METHODS.get("auto") is None
    with pytest.raises(KeyError, match="nope"):
        METHODS["nope"]


@pytest.mark.parametrize("package", [tutelage, methods])
def test_all_names_can_be_had_and_no_others(package):
    assert set(package.__all__) <= set(dir(package))
    assert all(getattr(package, name) is not None for name in package.__all__)
    space: dict[str, object] = {}
    exec(f"from {package.__name__} import *", space)
    assert set(package.__all__) <= set(space)
    with pytest.raises(AttributeError, match="Nope"):
        package.Nope  # noqa: B018
