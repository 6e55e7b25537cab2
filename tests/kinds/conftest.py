"""Tests of kinds share the generator of faulty inputs in the folder faulty."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
