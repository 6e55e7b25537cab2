"""Reruns a cheap part of every protocol and compares it with the recorded lines, and two checkouts with each other.

    python benchmarks/studies/reproduce.py                           of this checkout
    python benchmarks/studies/reproduce.py --source A --source B     of two others, and whether they are equal

Writes benchmarks/results/reproduce.json: for each line the recorded score, the scores now and their difference in
points. Only ``python -m tutelage bench run`` of each checkout is asked, on its own protocols, one process at a time,
each checkout with an empty cache, so that what is encoded together does not depend on what was encoded before. All in
all it takes about ten minutes of one core for each checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
NAME = ("data", "setting", "seed", "method")
OF_THE_RUN = ("seconds", "peak_mb", "key", "protocol")
"""What a line holds besides what was found."""
NUMBERS = ("score", "pool_score", "held_out", "labelled", "pool", "scored")
"""What is compared with recorded lines: how a choice is put into words has changed since."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A data set of a protocol and some of its methods, with seed 0 and in all of the protocol's settings for it.

    Attributes:
        makes: a program that makes the data set in the cache, with the folder of the file ``beside`` on its path.
    """

    data: str
    methods: tuple[str, ...]
    makes: str = ""
    beside: str = ""


MOVEMENTS = """
import os, sys, types
from pathlib import Path
import numpy as np
import pandas as pd
try:
    import soundfile
except ImportError:  # spoken digits alone need it
    sys.modules["soundfile"] = types.ModuleType("soundfile")
from signals import moved
table = pd.read_parquet(Path(os.environ["TUTELAGE_DATA"]) / "hmp_accelerometer" / "hmp_accelerometer.parquet")
rows = np.stack([moved(v) for v in table["xyz"]]).astype(np.float32)
keep = {part: (table.split == part).to_numpy() for part in ("train", "test")}
y = table.label.to_numpy(dtype=np.int64)
path = Path(os.environ["TUTELAGE_CACHE"]) / "signals" / "hmp.npz"
path.parent.mkdir(parents=True, exist_ok=True)
np.savez(path, **{f"x_{part}": rows[k] for part, k in keep.items()}, **{f"y_{part}": y[k] for part, k in keep.items()})
"""
"""As benchmarks/signals.py makes them."""

PARTS = {
    "digits": Part(
        "digits", ("nearest class mean", "labels only", "mean_teacher", "fixmatch", "dst", "label_propagation", "drift")
    ),
    "signals": Part(
        "hmp", ("labels only", "mean_teacher", "fixmatch", "tri_training", "drift", "auto"), MOVEMENTS, "signals.py"
    ),
    "text": Part("youtube_spam", ("labels only", "mean_teacher", "fixmatch", "poisson_learning", "drift")),
    "weak": Part("youtube_spam", ("labels only", "gce", "mean_teacher", "fixmatch", "cosine", "drift")),
    "weak_long": Part("youtube_spam", ("labels only", "gce", "elr", "co_teaching")),
    "ner": Part("wikigold", ("labels only", "gce", "mean_teacher", "bond", "drift")),
    "images": Part("cifar10", ("labels only", "mean_teacher", "poisson_learning", "drift")),
    "noise": Part("cifar10", ("nearest class mean", "supervised", "gce", "elr")),
    "pixels": Part("em_membrane", ("mean_teacher", "fixmatch", "cbst", "drift")),
}
"""The cheapest of each protocol; those that see the same items follow each other, so that these are encoded once."""


@dataclass(frozen=True)
class Source:
    """A checkout, and the folder of its features."""

    folder: Path
    cache: Path

    def called(self) -> str:
        """The commit, and whether the files differ from it."""
        git = ["git", "-C", str(self.folder)]
        said = subprocess.run([*git, "rev-parse", "--short=7", "HEAD"], capture_output=True, text=True, check=False)
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no", "src", "benchmarks/protocols"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        commit = said.stdout.strip() or "no commit"
        return f"{commit}, changed" if changed.stdout.strip() else commit

    def python(self, *words: str, path: str = "") -> str:
        """Call python on this checkout, and perhaps on a folder of scripts; what it printed, an error if it failed."""
        data = os.environ.get("TUTELAGE_DATA", str(ROOT.parent / "shared" / "data"))
        own = {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(self.folder / "src"), path])),
            "TUTELAGE_CACHE": str(self.cache),
            "TUTELAGE_DATA": data,
            "OMP_NUM_THREADS": "1",
        }
        done = subprocess.run(
            [sys.executable, *words], cwd=self.folder, env=os.environ | own, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1])
        return done.stdout

    def check(self) -> None:
        """RuntimeError where python would take the library from elsewhere."""
        place = self.python("-c", "import tutelage; print(tutelage.__file__)").strip()
        if (self.folder / "src").resolve() not in Path(place).resolve().parents:
            raise RuntimeError(f"the library is not that of {self.folder}, but {place}")

    def rows(self, name: str) -> list[Row]:
        """The lines of a protocol's part."""
        part, benchmarks = PARTS[name], self.folder / "benchmarks"
        if part.makes:
            self.python("-c", part.makes, path=str(next(benchmarks.rglob(part.beside)).parent))
        with tempfile.TemporaryDirectory() as place:
            out = Path(place) / f"{name}.jsonl"
            methods = [word for method in part.methods for word in ("--methods", method)]
            asked = ["--out", str(out), "--data", part.data, *methods, "--seeds", "0", "--processes", "1"]
            self.python("-m", "tutelage", "bench", "run", str(benchmarks / "protocols" / f"{name}.toml"), *asked)
            return read(out)


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def name_of(row: Row) -> tuple[Any, ...]:
    return tuple(row[k] for k in NAME)


def recorded(name: str) -> dict[tuple[Any, ...], Row]:
    """The recorded lines of a protocol; the last where there are several of a name."""
    rows = [row for path in sorted(RESULTS.rglob(f"{name}.jsonl")) for row in read(path)]
    return {name_of(row): row for row in rows if row.get("protocol") == name and "error" not in row}


def what_was_found(row: Row) -> Row:
    return {k: v for k, v in row.items() if k not in OF_THE_RUN}


def compared(name: str, found: Sequence[list[Row]]) -> list[Row]:
    """A line for each run: recorded and found by each source; points is of the last source over what is recorded."""
    before, lines = recorded(name), []
    each = [{name_of(row): row for row in rows} for rows in found]
    for key in sorted({key for rows in each for key in rows}, key=str):
        rows, told = [rows.get(key, {}) for rows in each], before.get(key, {})
        line: Row = {"protocol": name} | dict(zip(NAME, key, strict=True)) | {"recorded": told.get("score")}
        line["now"] = [row.get("score") for row in rows]
        if "error" in rows[-1]:
            line["error"] = rows[-1]["error"]
        if line["recorded"] is not None and line["now"][-1] is not None:
            line["points"] = round(100 * (line["now"][-1] - line["recorded"]), 4)
            line["as recorded"] = all(rows[-1].get(k) == told.get(k) for k in NUMBERS)
        if len(rows) > 1:
            line["sources equal"] = what_was_found(rows[0]) == what_was_found(rows[1])
        lines.append(line)
    return lines


def summarised(lines: Sequence[Row]) -> Row:
    """How many lines are as recorded, to the last digit of all NUMBERS, and how far scores are apart."""
    points = [abs(line["points"]) for line in lines if "points" in line]
    both = [line["sources equal"] for line in lines if "sources equal" in line]
    return {
        "lines": len(lines),
        "as recorded": sum(line.get("as recorded", False) for line in lines),
        "of equal score": sum(p == 0 for p in points),
        "largest difference in points": max(points, default=None),
    } | ({"sources equal": sum(both)} if both else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, action="append", help="checkout with src/tutelage; at most twice")
    parser.add_argument("--protocol", action="append", choices=PARTS, help="only these")
    parser.add_argument("--out", type=Path, default=RESULTS / "reproduce.json")
    asked = parser.parse_args()
    folders = [folder.resolve() for folder in asked.source or [ROOT]]
    if len(folders) > 2:
        parser.error("give at most two sources")
    with tempfile.TemporaryDirectory() as place:
        sources = [Source(folder, Path(place) / str(i)) for i, folder in enumerate(folders)]
        for source in sources:
            source.check()
        lines: list[Row] = []
        left_out: dict[str, str] = {}
        for name in asked.protocol or PARTS:
            start = time.perf_counter()
            try:
                lines += compared(name, [source.rows(name) for source in sources])
            except (RuntimeError, StopIteration) as error:
                left_out[name] = str(error) or "nothing makes its data"
            print(f"{name}: {time.perf_counter() - start:.0f} s {left_out.get(name, '')}", flush=True)
    told = {"sources": [source.called() for source in sources], "summary": summarised(lines), "left out": left_out}
    text = ",\n  ".join(json.dumps(line) for line in lines)
    head = json.dumps(told, indent=1, ensure_ascii=False)[:-2]
    asked.out.write_text(f'{head},\n "lines": [\n  {text}\n ]\n}}\n', encoding="utf-8")
    print(json.dumps(told["summary"]))


if __name__ == "__main__":
    main()
