"""Measures the library as a house: how it is written, what one opens to follow a run, and what a run does twice.

    python benchmarks/studies/house --label now                       measures this repository
    python benchmarks/studies/house --source PATH --label a13364e     another checkout of it
    python benchmarks/studies/house --label now --only style kinds    some parts again, in a second
    python benchmarks/studies/house --table                           what is recorded

The results are in benchmarks/results/house.json, one entry a label; entries of other labels stay as they are. What runs
the library runs it in processes of their own, with the checkout's library and a cache of their own. Seconds compare
only where they were taken on one machine at one time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from parsed import files_of
from start import environment_of, start
from style import style
from table import tables
from walks import WALKS

from kinds import kinds

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "house.json"
PARTS = ("style", "kinds", "walks", "twice", "start")


def measured(source: Path, parts: list[str]) -> dict[str, Any]:
    """The chosen parts of a checkout."""
    package, tests = source / "src" / "tutelage", source / "tests"
    if not package.is_dir():
        raise SystemExit(f"{source} is no checkout of tutelage: src/tutelage is missing")
    with tempfile.TemporaryDirectory() as cache:
        environment = environment_of(source, Path(cache))
        measures = {
            "style": lambda: style(files_of(package), files_of(tests)),
            "kinds": lambda: kinds(files_of(package), package),
            "walks": lambda: walked(source, environment),
            "twice": lambda: twice(source, environment),
            "start": lambda: start(environment),
        }
        found = {}
        for part in parts:
            print(f"{part} ...", file=sys.stderr, flush=True)
            found[part] = measures[part]()
    return found


def walked(source: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Each walk by itself, once the texts are in the cache: a walk shows what is always done, not the encoder."""
    in_a_process(["walks.py", "fit drift, texts", str(source)], environment)
    return {name: in_a_process(["walks.py", name, str(source)], environment) for name in WALKS}


def twice(source: Path, environment: dict[str, str]) -> dict[str, Any]:
    """The counts of a second run, whose texts are in the cache; and the hashes of a text in the first."""
    first = in_a_process(["twice.py", str(source)], environment)
    return in_a_process(["twice.py", str(source)], environment) | {"cold_text_hashes_each": first["text_hashes_each"]}


def in_a_process(words: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """What one of the files beside this one writes."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, str(HERE / words[0]), *words[1:], str(result)]
        done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(words[:-1])} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        found: dict[str, Any] = json.loads(result.read_text())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--source", type=Path, default=ROOT, help="checkout to measure; this one by default")
    parser.add_argument("--label", help="name of the entry to write; without it nothing is measured")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure")
    parser.add_argument("--table", action="store_true", help="print what is recorded")
    asked = parser.parse_args()
    if not asked.label and not asked.table:
        parser.error("give --label, --table or both")
    entries = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if asked.label:
        entry = entries.get(asked.label, {}) | measured(asked.source.resolve(), list(asked.only))
        entries[asked.label] = {part: entry[part] for part in PARTS if part in entry}
        RESULTS.write_text(json.dumps(entries, indent=1) + "\n")
    if asked.table:
        print(tables(entries))


if __name__ == "__main__":
    main()
