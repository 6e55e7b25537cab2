"""What it takes to start: CPU seconds of commands that compute nothing, and the large libraries that they import."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

REPEATS = 5
HEAVY = (
    "torch", "transformers", "sklearn", "pandas", "pyarrow", "matplotlib", "scipy", "faiss", "pydantic", "rich",
    "cyclopts", "jinja2",
)  # fmt: skip
COMMANDS = {
    "tutelage --help": ("-m", "tutelage", "--help"),
    "tutelage fit drift --help": ("-m", "tutelage", "fit", "drift", "--help"),
    "tutelage methods": ("-m", "tutelage", "methods"),
    "tutelage data list": ("-m", "tutelage", "data", "list"),
    "import tutelage": ("-c", "import tutelage"),
    "from tutelage import Classifier": ("-c", "from tutelage import Classifier"),
    "import torch, sklearn": ("-c", "import torch, sklearn"),
}
"""By name, the arguments of the Python interpreter; the last is a yardstick, since seconds depend on the machine."""

IMPORTED = """
import json, runpy, sys
how, what, *sys.argv[1:] = sys.argv[1:]
try:
    runpy.run_module(what, run_name="__main__", alter_sys=True) if how == "-m" else exec(what)
except SystemExit:
    pass
sys.stderr.write("\\n" + json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""
"""A program that does what the interpreter's arguments ask for, then writes the names of all imported modules."""


def start(environment: dict[str, str]) -> dict[str, Any]:
    """The numbers of all commands, and the lines of the help of one method."""
    return {
        "cpu_seconds": {name: cpu_seconds(given, environment) for name, given in COMMANDS.items()},
        "imports": {name: imports(given, environment) for name, given in COMMANDS.items()},
        "help_lines": len(shown(COMMANDS["tutelage fit drift --help"], environment).stdout.splitlines()),
    }


def shown(given: tuple[str, ...], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A finished process of Python, on a screen of 80 columns, in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [sys.executable, *given], cwd=folder, env=environment | {"COLUMNS": "80"}, check=True, capture_output=True,
            text=True,
        )  # fmt: skip


def cpu_seconds(given: tuple[str, ...], environment: dict[str, str]) -> float:
    """Median of user and system seconds, after a first time that compiles what is imported."""
    seconds = []
    for _ in range(1 + REPEATS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        shown(given, environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return round(statistics.median(seconds[1:]), 2)


def imports(given: tuple[str, ...], environment: dict[str, str]) -> list[str]:
    """Which of the large libraries are imported."""
    loaded = json.loads(shown(("-c", IMPORTED, *given), environment).stderr.splitlines()[-1])
    return [name for name in HEAVY if name in loaded]


def environment_of(source: Path, cache: Path) -> dict[str, str]:
    """A checkout's library before an installed one, one thread, and a cache of its own."""
    own = {"PYTHONPATH": str(source / "src"), "OMP_NUM_THREADS": "1", "TUTELAGE_CACHE": str(cache)}
    return dict(os.environ) | own
