"""Reading of small files, with what is said and asked."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pandas as pd
import pytest

from tutelage.modalities.sentences.tables import Sentences, TagsAs, read_sentences
from tutelage.tables import Notes, ReadAs


@dataclass
class Heard:
    """A file that was read, and what was noticed."""

    found: Sentences
    notes: Notes

    @property
    def said(self) -> str:
        return "\n".join(self.notes.lines)

    @property
    def asked(self) -> str:
        return "\n".join(question.line(i) for i, question in enumerate(self.notes.questions, start=1))

    @property
    def halts(self) -> bool:
        return bool(self.notes.faults) or any(question.halts for question in self.notes.questions)

    @property
    def tags(self):
        return self.found.tags


@pytest.fixture
def heard(tmp_path):
    """Function that writes a file, reads it, and returns a `Heard`."""

    def read(name, content, tokens="tokens", tags="tags", distant=None, how=None, **options):
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            lines = content if isinstance(content, str) else "".join(json.dumps(row) + "\n" for row in content)
            path.write_text(lines, encoding="utf-8", newline="")
        notes = Notes()
        found = read_sentences(path, tokens, tags, distant, how or ReadAs(), notes, tags_as=TagsAs(**options))
        return Heard(found, notes)

    return read
