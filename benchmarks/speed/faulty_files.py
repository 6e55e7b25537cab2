"""Ten thousand faulty inputs of all kinds and formats, read as a user's files are: counts, and the time that it takes.

    python benchmarks/speed/faulty_files.py [INPUTS]

draws the inputs of tests/kinds/faulty by fixed seeds, 10,000 of them unless said otherwise, as many of each kind, reads
each one, and checks what must hold of every input: it is read or refused in clear words, nothing else is raised, no
library prints or warns, no row is lost and no class is made without a word, and what is said is strict JSON. Writes
benchmarks/results/faulty_files.json, but not where anything fails: then it prints the first failures. An input has up
to three files: to learn from, for the pool, and to score on.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kinds"))

import faulty  # noqa: E402
from faulty.checks import Broken, checked  # noqa: E402

OUT = ROOT / "benchmarks" / "results" / "faulty_files.json"
INPUTS = 10_000
SHOWN = 5
"""Number of failures that are printed, at most."""


def run(count: int) -> tuple[dict[str, Any], list[str]]:
    """Counts and times by kind and format, and what failed, with the seed of the input."""
    kinds: dict[str, Any] = {}
    failed: list[str] = []
    for kind in faulty.KINDS:
        formats: dict[str, Counter[str]] = defaultdict(Counter)
        faults: Counter[str] = Counter()
        begin = time.process_time()
        slowest = 0.0
        for number in range(count // len(faulty.KINDS)):
            seed = f"{kind} {number}"
            case = faulty.drawn(kind, random.Random(seed))
            faults.update(set(case.faults))
            before = time.process_time()
            with tempfile.TemporaryDirectory() as folder:
                try:
                    done = checked(case, Path(folder) / "data")
                except Broken as broken:
                    failed.append(f"seed {seed!r} ({case.form}): {broken}")
                    continue
            slowest = max(slowest, time.process_time() - before)
            found = formats[case.form]
            found.update(inputs=1, files=len(case.sources), read=int(done.read), refused=int(not done.read))
            found.update(said=int(done.read and done.said), without_fault=int(not case.faults))
        total = sum(formats.values(), Counter())
        kinds[kind] = {
            **total, "cpu_seconds": round(time.process_time() - begin, 1), "slowest": round(slowest, 2),
            "formats": {name: dict(each) for name, each in sorted(formats.items())},
            "faults": dict(sorted(faults.items())),
        }  # fmt: skip
        print(
            kind, {name: value for name, value in kinds[kind].items() if name not in ("formats", "faults")}, flush=True
        )
    return kinds, failed


if __name__ == "__main__":
    kinds, failed = run(int(sys.argv[1]) if len(sys.argv) > 1 else INPUTS)
    for failure in failed[:SHOWN]:
        print(failure)
    if failed:
        sys.exit(f"{len(failed)} inputs failed: nothing is written")
    names = ("inputs", "files", "read", "refused", "said", "cpu_seconds")
    total = {name: round(sum(each[name] for each in kinds.values()), 1) for name in names}
    OUT.write_text(json.dumps(total | {"kinds": kinds}, indent=1) + "\n")
