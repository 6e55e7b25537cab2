"""Lets the tests here say ``from recorded.worlds import digits``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
