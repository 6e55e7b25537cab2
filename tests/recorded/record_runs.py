"""Calls the command line of the library at commit a13364e, and records what its runs leave behind.

Recorded at commit a13364e; a number here changes only with the version of what makes it.

    OMP_NUM_THREADS=1 PYTHONPATH=CHECKOUT/src:tests python -m recorded.record_runs
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
from PIL import Image

from recorded import run_inputs, worlds
from recorded.comparing import record

LEFT_OUT = ("read", "seconds", "peak_memory_mb", "cost", "versions", "version", "sha256")
"""What summaries hold of the clock and of the packages."""
ADDED = ("label", "tags", "spans", "probability")
"""Columns that predict added in version 0.1."""
OF_CLASSES, OF_SPANS = {"predicted": "label"}, {"predicted": "tags", "predicted_spans": "spans"}
"""Names that version 0.1 gave to the columns that predict adds."""
EXCERPT = 300
"""Characters of a picture in base64, at least: instead of such a text its digest is recorded."""


def call(*words: str) -> tuple[int, str]:
    """Call the command line: its exit code, and what it printed."""
    from tutelage import cli

    shown = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["tutelage", *words]), contextlib.redirect_stdout(shown),
        contextlib.redirect_stderr(shown), warnings.catch_warnings(),
    ):  # fmt: skip
        warnings.simplefilter("ignore")
        code: Any = 0
        try:
            cli.main()
        except SystemExit as done:
            code = done.code
    return int(code or 0), shown.getvalue()


def done(*words: str) -> str:
    """What a command printed; RuntimeError where it failed."""
    code, shown = call(*words)
    if code:
        raise RuntimeError(f"tutelage {' '.join(words)} ended with {code}:\n{shown}")
    return shown


def found(name: str) -> dict[str, Any]:
    """What the commands of a run leave behind."""
    run = run_inputs.RUNS[name]
    with tempfile.TemporaryDirectory() as place, worlds.empty_cache(), contextlib.chdir(place):
        folder = Path(place)
        run_inputs.write(folder)
        done(*run.fit)
        told: dict[str, Any] = {"words": run.fit} | left(folder / "out")
        if run.predict:
            done("predict", *run.predict)
            told |= {"predict": run.predict, "predicted": added(folder / run.predicted)}
        if run.score:
            told |= {"score": run.score, "scored": json.loads(done("score", *run.score).splitlines()[-1])}
    return told


def left(out: Path) -> dict[str, Any]:
    """The numbers in the folder of a run, without the clock; pictures as digests."""
    told: dict[str, Any] = {}
    for name in ("summary", "records", "run", "audit"):
        path = out / f"{name}.json"
        if path.exists():
            value = json.loads(path.read_text(encoding="utf-8"))
            told[name] = {k: without_pictures(v) for k, v in value.items() if k not in LEFT_OUT}
    if "records" in told:
        del told["records"]["summary"]  # the same again
    if (out / "suspects.csv").exists():
        told["suspects"] = _table(out / "suspects.csv")
    return told


def _table(path: Path) -> dict[str, Any]:
    """The columns of a csv file; what are numbers there, are numbers here."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return {str(name): [_cell(cell) for cell in column] for name, column in table.items()}


def _cell(text: str) -> Any:
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        return text


def added(output: Path) -> dict[str, Any]:
    """The columns that predict added to a table; or its table of masks, and how many pixels of each are of a class."""
    if output.is_dir():
        table = {{"predicted": "mask"}.get(k, k): v for k, v in _table(output / "masks.csv").items()}
        masks = [np.asarray(Image.open(output / name)) for name in table["mask"]]
        return table | {"pixels": [np.bincount(mask.ravel()) for mask in masks], "shapes": [m.shape for m in masks]}
    if output.suffix == ".jsonl":
        rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
        table = {name: [row[name] for row in rows] for name in rows[0]}
    elif output.suffix == ".csv":
        table = _table(output)
    else:
        table = {str(name): column.tolist() for name, column in pd.read_parquet(output).items()}
    before = OF_SPANS if "predicted_spans" in table else OF_CLASSES
    table = {before.get(name, name): cells for name, cells in table.items()}
    return {"columns": list(table)} | {k: v for k, v in table.items() if k in ADDED}


def without_pictures(value: Any) -> Any:
    """A value in which the digests of long texts stand in their place."""
    if isinstance(value, dict):
        return {k: without_pictures(v) for k, v in value.items()}
    if isinstance(value, list):
        return [without_pictures(v) for v in value]
    if isinstance(value, str) and len(value) > EXCERPT and " " not in value:
        return f"digest {hashlib.blake2b(value.encode(), digest_size=8).hexdigest()}"
    return value


def main() -> None:
    """Rewrite the files in runs.

    Recorded at commit a13364e; a number here changes only with the version of what makes it.
    """
    for name in run_inputs.RUNS:
        record(f"runs/{name}.json", [name], found)


if __name__ == "__main__":
    main()
