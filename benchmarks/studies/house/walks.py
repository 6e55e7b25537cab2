"""What one opens to follow a run: the functions of the library that are entered, and the files that they stand in.

    python walks.py NAME SOURCE RESULT

walks once, in this process, and writes the numbers as JSON. Only functions and methods count, private and nested ones
too: comprehensions, generator expressions, lambdas and the bodies of classes and modules are lines of what they stand
in, and a nested function's lines count for itself and for the function around it. The whole library is imported before
the walk, so what a module does while it is imported is no part of the walk. The entry point ``main`` is not counted.
"""

from __future__ import annotations

import ast
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from materials import mislabelled, pictures, texts, write_pictures, write_texts
from moved import anywhere, modules, require
from parsed import File, Function, docstring_length

Walk = Callable[[], object]

TEXT_COLUMNS = ("--text", "text", "--label", "label")
MASK_COLUMNS = ("--task", "segmentation", "--images", "image", "--masks", "mask")
"""How the command line is told what the columns hold; to be changed when the command line changes."""


def on_rows(method: str) -> Walk:
    """``train`` on rows of features; its loader and method are made before the walk."""
    import torch

    rows = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([0, 1] * 4)
    features, loader = anywhere("Features"), anywhere("Loader")
    given = loader(features(rows[:8]), target, features(rows), 4, 8, strong=[features(rows + 0.1)])
    train, options, task = anywhere("train"), anywhere("Training"), anywhere("Classification")
    played, head = _method(method), anywhere("Head")
    return lambda: train(played, task(2), head(4, 2), given, options(steps=30))


def _method(name: str) -> Any:
    """A method with its defaults."""
    from tutelage import methods

    return methods.METHODS[name]()


def on_array(method: str) -> Walk:
    """The scikit-learn face, on an array in which -1 stands for no label."""
    import numpy as np

    from tutelage import Classifier

    draw = np.random.default_rng(0)
    y = np.arange(120) % 3
    rows = draw.normal(size=(120, 8)) + 3 * np.eye(8)[y]
    known = np.where(np.arange(120) < 30, y, -1)
    return lambda: Classifier(method, steps=90).fit(rows, known)


def by_command(*words: object) -> Walk:
    """The command line, in this process."""
    main = anywhere("main")

    def command() -> None:
        sys.argv = ["tutelage", *map(str, words)]
        try:
            main()
        except SystemExit as e:
            if e.code:
                raise

    return command


def fit_texts(folder: Path) -> Walk:
    """``tutelage fit drift`` on a table of texts."""
    train = write_texts(folder / "train.csv", texts(120, 1), 40)
    test = write_texts(folder / "test.csv", texts(40, 2), 40)
    how = ("--test", test, "--steps", 90, "--out", folder / "out")
    return by_command("fit", "drift", "--train", train, *TEXT_COLUMNS, *how)


def fit_masks(folder: Path) -> Walk:
    """``tutelage fit dmt`` on a table of pictures with masks."""
    train = write_pictures(folder / "train.parquet", pictures(16, 1), 8)
    how = ("--size", 32, 32, "--steps", 12, "--out", folder / "out")
    return by_command("fit", "dmt", "--train", train, *MASK_COLUMNS, *how)


def audit(folder: Path) -> Walk:
    """``tutelage audit`` of a table of texts, a tenth of whose labels are wrong."""
    train = write_texts(folder / "train.csv", mislabelled(texts(120, 1)), 120)
    return by_command("audit", "--train", train, *TEXT_COLUMNS, "--out", folder / "out")


WALKS: dict[str, Callable[[Path], Walk]] = {
    "train drift": lambda _: on_rows("drift"),
    "train fixmatch": lambda _: on_rows("fixmatch"),
    "train dmt": lambda _: on_rows("dmt"),
    "Classifier drift": lambda _: on_array("drift"),
    "Classifier fixmatch": lambda _: on_array("fixmatch"),
    "Classifier dmt": lambda _: on_array("dmt"),
    "fit drift, texts": fit_texts,
    "fit dmt, masks": fit_masks,
    "audit, texts": audit,
}
"""By name: a function that prepares the walk's inputs in a folder and returns the walk."""


def entered(walk: Walk, folder: Path) -> set[CodeType]:
    """The code objects of the package in ``folder`` that are entered during the walk."""
    called: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(str(folder)) and name.endswith(".py"):  # not templates
            called.add(frame.f_code)

    sys.setprofile(note)
    try:
        walk()
    finally:
        sys.setprofile(None)
    return called


def opened(called: set[CodeType], folder: Path) -> dict[str, Any]:
    """Files with all their lines; functions with their lines from the first decorator on, without the docstring."""
    functions, lines, files = 0, 0, {}
    for path in sorted({code.co_filename for code in called}):
        file = File(Path(path).resolve().relative_to(folder).as_posix(), Path(path).read_text("utf-8"))
        starts = {(code.co_name, code.co_firstlineno) for code in called if code.co_filename == path}
        found = [f for f in file.functions if (f.name, _start(f)) in starts]
        functions += len(found)
        lines += sum((f.end_lineno or 0) - _start(f) + 1 - docstring_length(f) for f in found)
        if found:
            files[file.name] = file.length
    return {
        "files": len(files), "file_lines": sum(files.values()), "functions": functions, "function_lines": lines,
        "opened": sorted(files),
    }  # fmt: skip


def _start(function: Function) -> int:
    """The line of the first decorator, or of ``def``."""
    return min([function.lineno, *(d.lineno for d in function.decorator_list if isinstance(d, ast.expr))])


def main() -> None:
    name, source, result = sys.argv[1:]
    folder = require(Path(source))
    modules()
    with tempfile.TemporaryDirectory() as scratch:
        called = entered(WALKS[name](Path(scratch)), folder)
    called.discard(anywhere("main").__code__)  # the entry point
    Path(result).write_text(json.dumps(opened(called, folder)))


if __name__ == "__main__":
    main()
