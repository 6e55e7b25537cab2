"""Sentences of data sets that the library `datasets` saved."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from tutelage.modalities.sentences.tables import read_sentences
from tutelage.tables import DataError


@pytest.fixture
def saved(tmp_path):
    """Folder of a saved data set whose tags are numbers of named classes."""
    table = pa.table({"tokens": [["Ada", "left"], ["b"]], "ner_tags": [[1, 0], []]})
    with pa.OSFile(str(tmp_path / "data.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    tags = {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}, "_type": "List"}
    (tmp_path / "dataset_info.json").write_text(json.dumps({"features": {"ner_tags": tags}}))
    (tmp_path / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data.arrow"}]}))
    return tmp_path


def test_a_folder_of_a_saved_data_set_is_read(saved):
    found = read_sentences(saved, "tokens", "ner_tags")
    assert (found.tokens, found.tags) == ([["Ada", "left"], ["b"]], [["B-PER", "O"], None])


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="neither a saved data set nor a folder of texts"):
        read_sentences(tmp_path, "tokens", "ner_tags")
