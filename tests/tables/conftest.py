"""Tests of tables share what is in table_files.py, and the faults of lines of the generator of faulty inputs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "kinds")]
