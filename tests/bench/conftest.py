"""What tests of the benchmark share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def small(tmp_path, request) -> Path:
    """The test file's own protocol."""
    path = tmp_path / "protocols" / "small.toml"
    path.parent.mkdir()
    path.write_text(request.module.TOML)
    return path
