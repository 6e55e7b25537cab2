"""The tables in README.md and docs say what the recorded results say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MADE = [sys.executable, str(ROOT / "benchmarks" / "tables.py"), "--check"]


def test_every_table_is_what_the_results_say():
    done = subprocess.run(MADE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_marker_in_docs_is_a_table_s():
    listed = "import sys; sys.argv = ['']; import tables; print(*tables.TABLES)"
    known = subprocess.run(
        [sys.executable, "-c", listed], capture_output=True, text=True, check=True, cwd=ROOT / "benchmarks"
    ).stdout.split()
    used = {n for page in (ROOT / "docs").glob("*.md") for n in re.findall(r"<!-- (\w+) -->", page.read_text())}
    assert used - {"end"} <= set(known)
    assert set(known) <= used
