"""Fixtures of the tests of annotation."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))  # for the module that these tests share
from annotate_server import no_key, serve, table, tiny_chat, words

__all__ = ["no_key", "serve", "table", "tiny_chat", "words"]
