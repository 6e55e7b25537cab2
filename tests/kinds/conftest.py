"""Tests of kinds share the generator of faulty inputs in the folder faulty, and a reader of a few texts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tutelage.kinds import KINDS
from tutelage.kinds.dataset import Files
from tutelage.kinds.reading import read_files
from tutelage.tables import Notes

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def looked(tmp_path):
    """Reads rows of texts, and gives the labels of all classes with the notes."""

    def call(rows, **options):
        path = tmp_path / "t.jsonl"
        path.write_text("\n".join(json.dumps({"text": f"text {i}", **row}) for i, row in enumerate(rows)) + "\n")
        kind, notes = KINDS["texts"](text="text", **options), Notes()
        data = read_files(kind, Files(path), notes)
        return [data.classes[k] for k in data.items.y], notes

    return call
